use std::{fmt, net::SocketAddr};

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::{
    cookie::Cookie,
    mask,
    request::{self, Request},
};

/// Response of a vendor, with the request.
///
/// `Debug` and `Display` print the whole exchange with credentials, tokens, cookie and config values masked, and
/// so do the panics of [`expect`](Self::expect), [`json`](Self::json) and [`message`](Self::message).
///
/// ```no_run
/// # async fn example() {
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let reply = heroku.provision("basic").await;
/// reply.expect(200);
/// assert_eq!(reply.header("content-type"), Some("application/json"));
/// assert!(reply.json()["id"].is_string());
/// # }
/// ```
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    request: Request,
    address: Option<SocketAddr>,
}

impl Reply {
    pub(crate) fn new(
        status: u16,
        headers: &HeaderMap,
        body: Vec<u8>,
        request: Request,
        address: Option<SocketAddr>,
    ) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Self { status, headers, body, request, address }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of this name. The name is case-insensitive.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        request::find(&self.headers, name)
    }

    /// Returns all headers in their order, with names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the `Location` of a redirect as sent.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// Returns the cookie of this name that the reply sets.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies().find(|cookie| cookie.name() == name)
    }

    /// Returns all cookies that the reply sets.
    pub fn cookies(&self) -> impl Iterator<Item = Cookie> {
        let set = self.headers().filter(|(name, _)| *name == "set-cookie");
        set.filter_map(|(_, value)| value.parse().ok())
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as text. Bytes that are not UTF-8 become `�`.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    ///
    /// # Panics
    ///
    /// Panics if the body is not JSON, which Heroku's partner API reference requires.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON: {error}\n\n{self}"),
        }
    }

    /// Returns the message for the customer: the `message` of the JSON body.
    ///
    /// # Panics
    ///
    /// Panics if the message is missing, or if it is not a string.
    #[must_use]
    #[track_caller]
    pub fn message(&self) -> String {
        match &self.json()["message"] {
            Value::String(message) => message.clone(),
            _ => panic!("the body has no message\n\n{self}"),
        }
    }

    /// Asserts the status, and returns the reply for further checks.
    ///
    /// # Panics
    ///
    /// Panics with the whole exchange if the status is another one.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the call is made for its assertion")]
    pub fn expect(&self, status: u16) -> &Self {
        assert!(self.status == status, "expected {status}, got {}\n\n{self}", self.status);
        self
    }

    /// Returns the address that answered, if it is known. A host name can have several addresses.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Returns the request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl fmt::Display for Reply {
    /// Masks the secrets of the request and of the response wherever they are repeated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut secrets = self.request.secrets();
        secrets.extend(mask::secrets(&[], self.header("content-type"), &self.body));
        let mut answer = format!("< {}\n", self.status);
        request::write_rest(&mut answer, '<', &self.headers, &self.body)?;
        write!(f, "{}\n{}", self.request, mask::without(answer, &secrets))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
