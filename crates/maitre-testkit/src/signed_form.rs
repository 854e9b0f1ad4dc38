use std::fmt;

use time::OffsetDateTime;

use crate::{
    call::{Call, sealed::Sealed},
    sso::{Form, SignOn},
};

type Fields = Vec<(String, String)>;

/// Sign-on form with one signature: DigitalOcean's, Clever Cloud's, and Scalingo's link.
///
/// ```
/// use maitre_testkit::CleverCloud;
///
/// let clevercloud = CleverCloud::new("http://127.0.0.1:8300/clevercloud", "quince", "password", "salt");
/// let form = clevercloud.single_sign_on("q-81").timestamp("1700000000000");
/// let forged = form.clone().salt("another salt");
/// assert_ne!(form.fields(), forged.fields());
/// assert!(form.email("ada@example.test").fields().contains(&("email".into(), "ada@example.test".into())));
/// ```
#[derive(Clone)]
pub struct SignedForm {
    pub(crate) id: String,
    pub(crate) salt: String,
    pub(crate) email: String,
    pub(crate) user_id: String,
    in_milliseconds: bool,
    is_link: bool,
    is_legacy: bool,
    sign: fn(&Self, &str) -> Fields,
    sign_legacy: fn(&Self, &str) -> Fields,
}

impl SignedForm {
    /// Returns a form of any user, which is posted. `sign` computes the fields of a timestamp, `sign_legacy` those of an
    /// older signature.
    pub(crate) fn new(
        id: &str,
        salt: &str,
        sign: fn(&Self, &str) -> Fields,
        sign_legacy: fn(&Self, &str) -> Fields,
    ) -> Self {
        Self {
            id: id.to_owned(),
            salt: salt.to_owned(),
            email: "ada+ops@example.org".to_owned(),
            user_id: "user_11111111-2222-3333-4444-555555555555".to_owned(),
            in_milliseconds: false,
            is_link: false,
            is_legacy: false,
            sign,
            sign_legacy,
        }
    }

    /// Sets the unit of timestamps to milliseconds.
    pub(crate) fn in_milliseconds(self) -> Self {
        Self { in_milliseconds: true, ..self }
    }

    /// Sends the fields in the query of a GET.
    pub(crate) fn link(self) -> Self {
        Self { is_link: true, ..self }
    }
}

impl Call<SignOn<SignedForm>> {
    /// Signs with another salt.
    pub fn salt(mut self, salt: impl Into<String>) -> Self {
        self.kind.form.salt = salt.into();
        self
    }

    /// Sets the email address of the user, before the form is signed.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.kind.form.email = email.into();
        self
    }

    /// Sets the id of the user, before the form is signed.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.kind.form.user_id = user_id.into();
        self
    }

    /// Signs as the marketplace did in earlier years, with SHA-1. Add-ons refuse this by default.
    ///
    /// ```
    /// use maitre_testkit::DigitalOcean;
    ///
    /// let digitalocean = DigitalOcean::new("http://127.0.0.1:8300/digitalocean", "tamarind", "password", "kelp-salt");
    /// let form = digitalocean.single_sign_on("0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a").timestamp("1700000000").legacy();
    /// let token = "ec39c4e1c6d6acfb8f9d7eee647098de72820031";
    /// assert!(form.fields().contains(&("resource_token".into(), token.into())));
    /// ```
    pub fn legacy(mut self) -> Self {
        self.kind.form.is_legacy = true;
        self
    }
}

impl Sealed for SignedForm {}

impl Form for SignedForm {
    fn path(&self) -> String {
        "/sso".to_owned()
    }

    fn provider_id(&self) -> &str {
        &self.id
    }

    fn is_link(&self) -> bool {
        self.is_link
    }

    fn timestamp(&self, instant: OffsetDateTime) -> String {
        let seconds = instant.unix_timestamp();
        if self.in_milliseconds { format!("{seconds}000") } else { seconds.to_string() }
    }

    fn sign(&self, timestamp: &str) -> Fields {
        if self.is_legacy { self.sign_legacy(timestamp) } else { (self.sign)(self, timestamp) }
    }

    fn sign_legacy(&self, timestamp: &str) -> Fields {
        (self.sign_legacy)(self, timestamp)
    }
}

impl fmt::Debug for SignedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedForm").field("id", &self.id).finish_non_exhaustive()
    }
}
