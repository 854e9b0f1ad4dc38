use serde::Deserialize;
use time::OffsetDateTime;

use super::ObjectRef;
use crate::lenient;

/// A customer's app.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its name, unique at Heroku; it may change.
    pub name: String,
    /// Who owns it.
    pub owner: Option<Person>,
    /// The team that it belongs to, whose members may use the add-on, too.
    pub team: Option<ObjectRef>,
    /// Where it runs, in the manifest's names: `us`, `eu`.
    pub region: Option<ObjectRef>,
    /// The private space that it runs in.
    pub space: Option<ObjectRef>,
    /// What kind of platform it runs on, by name `cedar` or `fir`. Fir apps have no log drains.
    pub generation: Option<ObjectRef>,
    /// Where it is to be seen.
    pub web_url: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lenient::instant")]
    pub updated_at: Option<OffsetDateTime>,
}

/// Someone with an account at Heroku. Know people by their id: addresses change.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Person {
    /// Their id.
    #[serde(default)]
    pub id: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether they sign on by their company.
    #[serde(default)]
    pub federated: bool,
}

/// Someone who works on an app, and so may use its add-ons.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Collaborator {
    /// The collaboration's id.
    #[serde(default)]
    pub id: String,
    /// The app.
    pub app: Option<ObjectRef>,
    /// Who it is.
    pub user: Person,
    /// `owner`, `member`, and others.
    pub role: Option<String>,
    /// What they may do.
    #[serde(default, deserialize_with = "lenient::list")]
    pub permissions: Vec<Permission>,
}

/// Something that a collaborator may do.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Permission {
    /// `view`, `deploy`, `operate`, `manage`, and others.
    pub name: String,
}

/// Someone in a team, who may use the add-ons of its apps.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// The membership's id.
    #[serde(default)]
    pub id: String,
    /// Their address.
    pub email: Option<String>,
    /// Who it is.
    pub user: Option<Person>,
    /// `admin`, `member`, and others.
    pub role: Option<String>,
    /// Whether they sign on by their company.
    #[serde(default)]
    pub federated: bool,
    /// Whether they sign on with a second factor.
    pub two_factor_authentication: Option<bool>,
}

/// A host name of an app.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Domain {
    /// Its id.
    pub id: String,
    /// The host name.
    pub hostname: String,
    /// `heroku` or `custom`.
    pub kind: Option<String>,
    /// What the host name must be an alias of.
    pub cname: Option<String>,
    /// How far it is.
    pub status: Option<String>,
}
