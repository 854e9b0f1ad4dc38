use serde::Deserialize;
use time::OffsetDateTime;

use super::ObjectRef;
use crate::lenient;

/// A customer's app.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// Id.
    pub id: String,
    /// Name, unique at Heroku. It may change.
    pub name: String,
    /// Owner.
    pub owner: Option<Person>,
    /// Team that owns the app. Its members may also use the add-on.
    pub team: Option<ObjectRef>,
    /// Region, named as in the manifest: `us`, `eu`.
    pub region: Option<ObjectRef>,
    /// Private space of the app.
    pub space: Option<ObjectRef>,
    /// Platform generation, named `cedar` or `fir`. Fir apps have no log drains.
    pub generation: Option<ObjectRef>,
    /// URL of the app.
    pub web_url: Option<String>,
    /// Time of creation.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<OffsetDateTime>,
    /// Time of the last change.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<OffsetDateTime>,
}

/// A Heroku user. Identify users by id, because email addresses change.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Person {
    /// Id.
    #[serde(default)]
    pub id: String,
    /// Email address.
    pub email: Option<String>,
    /// Whether the user signs in with an identity provider.
    #[serde(default)]
    pub federated: bool,
}

/// A collaborator of an app, who may therefore use its add-ons.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Collaborator {
    /// Id of the collaboration.
    #[serde(default)]
    pub id: String,
    /// App.
    pub app: Option<ObjectRef>,
    /// User.
    pub user: Person,
    /// Role: `owner`, `member` and others.
    pub role: Option<String>,
    /// Permissions.
    #[serde(default, deserialize_with = "lenient::list")]
    pub permissions: Vec<Permission>,
}

/// A permission of a collaborator.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Permission {
    /// Name: `view`, `deploy`, `operate`, `manage` and others.
    pub name: String,
}

/// A member of a team, who may use the add-ons of the team's apps.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Id of the membership.
    #[serde(default)]
    pub id: String,
    /// Email address.
    pub email: Option<String>,
    /// User.
    pub user: Option<Person>,
    /// Role: `admin`, `member` and others.
    pub role: Option<String>,
    /// Whether the user signs in with an identity provider.
    #[serde(default)]
    pub federated: bool,
    /// Whether the user signs in with a second factor.
    pub two_factor_authentication: Option<bool>,
}

/// A host name of an app.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Domain {
    /// Id.
    pub id: String,
    /// Host name.
    pub hostname: String,
    /// Kind: `heroku` or `custom`.
    pub kind: Option<String>,
    /// Target of the CNAME record of the host name.
    pub cname: Option<String>,
    /// Status of the configuration.
    pub status: Option<String>,
}
