//! Addresses of the add-on, and the credentials that it shares with a marketplace.

use maitre_conformance::{Marketplace, split_origin};
use maitre_testkit::sign;

pub(crate) struct Credentials {
    pub(crate) marketplace: Marketplace,
    /// URL above the marketplace's paths.
    pub(crate) root: String,
    /// URL of single sign-on. `None` for Heroku's legacy sign-on by GET.
    pub(crate) sso_url: Option<String>,
    /// Slug, or the user name of the marketplace.
    pub(crate) id: String,
    pub(crate) password: String,
    /// Salt or secret of single sign-on.
    pub(crate) salt: String,
    /// Slug of the product at Vercel.
    pub(crate) product: String,
    /// OAuth client secret.
    pub(crate) client_secret: String,
    /// Names of config vars that the manifest allows.
    pub(crate) config_vars: Vec<String>,
}

impl Credentials {
    /// Returns empty credentials.
    pub(crate) fn at(marketplace: Marketplace, root: String) -> Self {
        Self {
            marketplace,
            root,
            sso_url: None,
            id: String::new(),
            password: String::new(),
            salt: String::new(),
            product: String::new(),
            client_secret: String::new(),
            config_vars: Vec::new(),
        }
    }

    /// Returns the origin and the path of single sign-on.
    pub(crate) fn sso_parts(&self) -> Option<(&str, &str)> {
        self.sso_url.as_deref().map(split_origin)
    }

    /// Returns the `Authorization` header of Basic credentials.
    pub(crate) fn basic(&self) -> String {
        sign::basic(&self.id, &self.password)
    }

    /// Returns the `Authorization` header of the right user with a wrong password.
    pub(crate) fn wrong_basic(&self) -> String {
        sign::basic(&self.id, "not-the-password")
    }
}
