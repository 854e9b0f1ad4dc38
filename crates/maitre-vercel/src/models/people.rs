use maitre_core::Secret;
use maitre_http::open_enum;
use serde::Deserialize;

open_enum! {
    /// Role of a member.
    pub enum Role {
        /// May install and change.
        Admin = "ADMIN",
        /// May read.
        User = "USER",
    }
}

/// Vercel team of an installation.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Contact.
    pub contact: Option<Contact>,
    /// Name of the team.
    pub name: Option<String>,
    /// URL of the team at Vercel.
    pub url: Option<String>,
}

/// Contact of a team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Contact {
    /// Email address.
    pub email: String,
    /// Name.
    pub name: Option<String>,
}

/// User of a team.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Member {
    /// Id, as in `user_id` of a token.
    pub id: String,
    /// Role.
    pub role: Role,
    /// Email address.
    pub user_email: Option<String>,
    /// Id of the person in all teams.
    pub global_user_id: Option<String>,
}

/// New access token of an installation.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct RotatedToken {
    /// The token.
    pub access_token: Secret,
    /// Scopes.
    pub scope: Option<String>,
    /// Lifetime in seconds, if it is limited.
    pub expires_in: Option<u64>,
}

/// Result of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Revocation {
    /// Whether the token is revoked.
    pub revoked: bool,
    /// Whether it was revoked before.
    #[serde(default)]
    pub already_revoked: bool,
}
