//! Single sign-on requests.

use std::collections::BTreeMap;
use std::fmt;

use crate::ids::{AccountId, AddonId, ResourceId};
use crate::sso::VerifiedToken;

/// The user signing in, and whether the token's signature covers the identity.
///
/// Only Heroku's SHA-256 token covers the user. With any other token, the holder of a recent form can change these
/// fields: use them for display, not for authorization.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// Covered by the token that was verified.
    #[non_exhaustive]
    Verified {
        /// The marketplace's id of the user, which does not change.
        user_id: String,
        /// Email address, which may change.
        email: String,
    },
    /// Sent in the form, but not signed.
    #[non_exhaustive]
    Claimed {
        /// The marketplace's id of the user.
        user_id: Option<String>,
        /// Email address.
        email: Option<String>,
    },
}

impl Identity {
    /// Creates an identity that is covered by a signature.
    ///
    /// ```
    /// use maitre_core::Identity;
    ///
    /// let identity = Identity::verified("c4b1f2d0", "ada@example.org");
    /// assert!(identity.is_verified());
    /// assert_eq!(identity.email(), Some("ada@example.org"));
    /// ```
    pub fn verified(user_id: impl Into<String>, email: impl Into<String>) -> Self {
        Self::Verified { user_id: user_id.into(), email: email.into() }
    }

    /// Creates an identity that is not covered by a signature.
    ///
    /// ```
    /// use maitre_core::Identity;
    ///
    /// assert!(!Identity::claimed(None, Some("ada@example.org".into())).is_verified());
    /// ```
    #[must_use]
    pub fn claimed(user_id: Option<String>, email: Option<String>) -> Self {
        Self::Claimed { user_id, email }
    }

    /// Returns whether the verified token covers the user.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// Returns the user's id, verified or not.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Verified { user_id, .. } => Some(user_id),
            Self::Claimed { user_id, .. } => user_id.as_deref(),
        }
    }

    /// Returns the user's email address, verified or not.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Verified { email, .. } => Some(email),
            Self::Claimed { email, .. } => email.as_deref(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_verified() { "Verified(..)" } else { "Claimed(..)" })
    }
}

/// A single sign-on request with a valid token.
///
/// Only [`resource`](Self::resource) and a [verified identity](Identity::Verified) are signed.
///
/// ```
/// use maitre_core::sso::{TokenKind, VerifiedToken, Window};
/// use maitre_core::{AddonId, Identity, SignOn};
///
/// let user = Identity::verified("c4b1f2d0", "ada@example.org");
/// let token = VerifiedToken::new(TokenKind::User, "1772000000", Window::default())?;
/// let request = SignOn::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", user, token);
/// assert!(!format!("{request:?}").contains("ada@example.org"));
/// # Ok::<(), maitre_core::sso::TokenError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct SignOn {
    /// The add-on.
    pub addon: AddonId,
    /// The resource that the verified token covers: its key, or with the v1 `token` the id that the listener returned.
    pub resource: ResourceId,
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
    /// The user.
    pub identity: Identity,
    /// The verified token.
    pub token: VerifiedToken,
    /// The app that owns the resource.
    pub app: Option<String>,
    /// The app that the user came from, if the resource is shared.
    pub context_app: Option<String>,
    /// Data of the marketplace's navigation header: base64url JSON, not signed. See
    /// [`is_cookie_safe`](crate::sso::is_cookie_safe).
    pub nav_data: Option<String>,
    /// All other fields of the form except tokens and timestamp.
    pub extra: BTreeMap<String, String>,
}

impl SignOn {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, identity: Identity, token: VerifiedToken) -> Self {
        Self {
            addon,
            resource: resource.into(),
            account: None,
            identity,
            token,
            app: None,
            context_app: None,
            nav_data: None,
            extra: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for SignOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOn")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
