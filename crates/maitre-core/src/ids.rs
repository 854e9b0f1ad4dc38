//! Ids of add-ons, accounts, resources and bindings.

use std::borrow::{Borrow, Cow};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

/// Marketplace and slug of an add-on. Every request carries it.
///
/// ```
/// use maitre_core::AddonId;
///
/// let addon = AddonId::new("heroku", "lantern");
/// assert_eq!(addon.to_string(), "heroku/lantern");
/// assert_eq!("heroku/lantern".parse(), Ok(addon));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddonId {
    marketplace: Cow<'static, str>,
    slug: Arc<str>,
}

impl AddonId {
    /// Creates the id of the add-on `slug` at `marketplace`.
    pub fn new(marketplace: impl Into<Cow<'static, str>>, slug: impl Into<Arc<str>>) -> Self {
        Self { marketplace: marketplace.into(), slug: slug.into() }
    }

    /// Returns the marketplace's name.
    #[must_use]
    pub fn marketplace(&self) -> &str {
        &self.marketplace
    }

    /// Returns the add-on's name at the marketplace.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl fmt::Display for AddonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.marketplace, self.slug)
    }
}

impl FromStr for AddonId {
    type Err = ParseAddonIdError;

    fn from_str(text: &str) -> Result<Self, ParseAddonIdError> {
        let (marketplace, slug) = text.split_once('/').ok_or_else(|| ParseAddonIdError(text.to_owned()))?;
        Ok(Self::new(marketplace.to_owned(), slug))
    }
}

/// Error of parsing an [`AddonId`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseAddonIdError(String);

impl fmt::Display for ParseAddonIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid add-on id {:?}: expected marketplace/slug", self.0)
    }
}

impl std::error::Error for ParseAddonIdError {}

impl fmt::Debug for AddonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Id by which a request refers to a resource.
///
/// In a provision this is the resource's *key*: the marketplace's id of it (Heroku: the `uuid`), or, if the marketplace
/// sends no key, a new UUID for this request. In a plan change or deprovision it is the id in the path, unchanged: the
/// id that the listener returned, or the key. Look up both, or return the key as the id.
///
/// ```
/// use maitre_core::ResourceId;
///
/// let resource = ResourceId::new("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// assert_eq!(resource, "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// assert_eq!(format!("widget {resource}"), "widget 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(Arc<str>);

impl ResourceId {
    /// Creates an id from text.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<ResourceId> for Value {
    fn from(id: ResourceId) -> Self {
        Self::from(id.as_str())
    }
}

/// The marketplace's id of an account: one customer's installation of the add-on.
///
/// ```
/// use maitre_core::AccountId;
///
/// assert_eq!(AccountId::new("icfg_1"), "icfg_1");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// Creates an id from text.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Key of a binding under its resource, chosen by the marketplace.
///
/// ```
/// use maitre_core::BindingId;
///
/// assert_eq!(BindingId::new("b-1"), "b-1");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BindingId(Arc<str>);

impl BindingId {
    /// Creates a key from text.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The vendor's id of a resource: unique, and unchanged for the life of the resource.
///
/// Made from text or an integer. Integers are sent as text.
///
/// ```
/// use maitre_core::ProviderId;
///
/// assert_eq!(ProviderId::from(4711).as_str(), "4711");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderId(String);

impl ProviderId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<ResourceId> for ProviderId {
    fn from(id: ResourceId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<&ResourceId> for ProviderId {
    fn from(id: &ResourceId) -> Self {
        Self(id.as_str().to_owned())
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for ProviderId {
            fn from(id: $integer) -> Self {
                Self(id.to_string())
            }
        }
    )*};
}

from_integer!(i32 i64 u32 u64 u128 usize);

macro_rules! textual {
    ($($id:ident)*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $id {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $id {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $id {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&str> for $id {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == **other
            }
        }

        impl From<&str> for $id {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $id {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl FromStr for $id {
            type Err = Infallible;

            fn from_str(id: &str) -> Result<Self, Infallible> {
                Ok(Self(id.into()))
            }
        }
    )*};
}

textual!(ResourceId AccountId BindingId ProviderId);
