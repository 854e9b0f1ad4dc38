use std::fmt;

use time::OffsetDateTime;

use crate::{
    call::{Call, Kind, sealed::Sealed},
    generate, path,
    reply::Reply,
    request::{self, Request},
};

/// Single sign-on of a user: a form that the marketplace fills and signs, and that the user's browser posts.
///
/// The tokens are for the time set by [`at`](Call::at), or for the time of sending. Fields are [`set`](Call::set) or
/// omitted after signing, so a forged form is one line:
///
/// ```
/// use maitre_testkit::Heroku;
/// use time::OffsetDateTime;
///
/// # fn main() -> Result<(), time::error::ComponentRange> {
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let at = OffsetDateTime::from_unix_timestamp(1_772_000_000)?;
///
/// let form = heroku.single_sign_on("7").at(at);
/// assert!(form.fields().contains(&("timestamp".into(), "1772000000".into())));
///
/// let forged = form.clone().set("email", "mallory@example.org");
/// assert_ne!(form.fields(), forged.fields());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SignOn<F> {
    pub(crate) form: F,
    timestamp: Option<String>,
    by_get: bool,
}

/// Sign-on form of a marketplace. Only this crate implements it.
pub trait Form: Sealed {
    #[doc(hidden)]
    fn path(&self) -> String;

    /// Returns the id in the path of a sign-on by GET.
    #[doc(hidden)]
    fn provider_id(&self) -> &str;

    /// Returns whether the form is a link: a GET with all fields in the query.
    #[doc(hidden)]
    fn is_link(&self) -> bool {
        false
    }

    /// Returns the timestamp of this time, as the marketplace writes it.
    #[doc(hidden)]
    fn timestamp(&self, instant: OffsetDateTime) -> String {
        instant.unix_timestamp().to_string()
    }

    #[doc(hidden)]
    fn sign(&self, timestamp: &str) -> Vec<(String, String)>;

    /// Returns the older form, for a sign-on by GET.
    #[doc(hidden)]
    fn sign_legacy(&self, timestamp: &str) -> Vec<(String, String)>;
}

impl<F: Form> SignOn<F> {
    pub(crate) fn new(form: F) -> Self {
        Self { form, timestamp: None, by_get: false }
    }

    fn is_get(&self) -> bool {
        self.by_get || self.form.is_link()
    }
}

impl<F: Form> Call<SignOn<F>> {
    /// Signs for this time.
    pub fn at(self, instant: OffsetDateTime) -> Self {
        let timestamp = self.kind.form.timestamp(instant);
        self.timestamp(timestamp)
    }

    /// Signs for this text, which need not be a timestamp. The signature is valid.
    ///
    /// ```
    /// use maitre_testkit::{Heroku, sign};
    ///
    /// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
    /// let fields = heroku.single_sign_on("7").timestamp("soon").only_legacy().fields();
    /// assert!(fields.contains(&("token".into(), sign::token("7", "salt", "soon"))));
    /// ```
    pub fn timestamp(mut self, text: impl Into<String>) -> Self {
        self.kind.timestamp = Some(text.into());
        self
    }

    /// Signs on as older manifests require: by GET on the resource, with the id in the path and the older form in the
    /// query.
    ///
    /// ```
    /// use maitre_testkit::CloudControl;
    ///
    /// let cloudcontrol = CloudControl::new("http://127.0.0.1:8300/cloudcontrol", "papaya", "password", "rock salt");
    /// let request = cloudcontrol.single_sign_on("789").timestamp("1700000000").without("nav-data").by_get().request();
    /// assert_eq!(
    ///     request.url(),
    ///     "http://127.0.0.1:8300/cloudcontrol/resources/789\
    ///      ?token=9b65f5836299bfe5dce9af06e2fa59d3044a8cc9&timestamp=1700000000",
    /// );
    /// ```
    pub fn by_get(mut self) -> Self {
        self.kind.by_get = true;
        self
    }

    /// Sends the sign-on [`by_get`](Self::by_get).
    ///
    /// # Panics
    ///
    /// Panics if no response arrives, as `send` does.
    pub async fn send_by_get(self) -> Reply
    where
        F: Send + Sync,
    {
        self.by_get().send().await
    }
}

impl<F> Sealed for SignOn<F> {}

impl<F: Form> Kind for SignOn<F> {
    type Value = String;

    fn method(&self) -> &'static str {
        if self.is_get() { "GET" } else { "POST" }
    }

    fn path(&self) -> String {
        if self.by_get { path::resource(self.form.provider_id()) } else { self.form.path() }
    }

    fn fields(&self) -> Vec<(String, String)> {
        let now = || self.form.timestamp(generate::now());
        let timestamp = self.timestamp.clone().unwrap_or_else(now);
        if !self.by_get {
            return self.form.sign(&timestamp);
        }
        let mut fields = self.form.sign_legacy(&timestamp);
        fields.retain(|(name, _)| name != "id");
        fields
    }

    fn write(&self, fields: Vec<(String, String)>, request: &mut Request) {
        request.set_browser_headers();
        if self.is_get() {
            let mark = if request.url.contains('?') { '&' } else { '?' };
            request.url.push(mark);
            request.url.push_str(&request::form(&fields));
        } else {
            request.put_form(&fields);
        }
    }
}

impl<F> fmt::Debug for SignOn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOn")
            .field("timestamp", &self.timestamp)
            .field("by_get", &self.by_get)
            .finish_non_exhaustive()
    }
}
