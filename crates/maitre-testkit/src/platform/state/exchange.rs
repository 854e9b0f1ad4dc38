//! Call to Heroku and its response.

use std::fmt;

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    mask,
    request::{self, Request},
};

/// The number of an exchange in the order of arrival.
pub(crate) type ExchangeNumber = usize;

/// Call to Heroku and its response.
///
/// `Debug` and `Display` mask credentials, tokens and config values; the accessors do not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use maitre_testkit::platform::Platform;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let api = platform.serve().await.unwrap();
/// reqwest::get(format!("{}/addons", api.url())).await.unwrap();
///
/// let calls = platform.exchanges();
/// assert_eq!((calls[0].method(), calls[0].path()), ("GET", "/addons"));
/// assert_eq!(calls[0].status(), Some(406));
/// assert_eq!(calls[0].response_json()["id"], "not_acceptable");
/// # }
/// ```
#[derive(Clone)]
pub struct Exchange {
    pub(crate) number: ExchangeNumber,
    request: Request,
    at: OffsetDateTime,
    pub(crate) uuid: Option<String>,
    pub(crate) fault: Option<String>,
    response: Option<Response>,
    /// Whether a fault dropped the response after the call took effect.
    pub(crate) response_dropped: bool,
}

#[derive(Clone)]
struct Response {
    at: OffsetDateTime,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Exchange {
    pub(crate) fn new(number: ExchangeNumber, at: OffsetDateTime, request: Request) -> Self {
        Self { number, request, at, uuid: None, fault: None, response: None, response_dropped: false }
    }

    pub(crate) fn set_response(
        &mut self,
        at: OffsetDateTime,
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) {
        self.response = Some(Response { at, status, headers, body });
    }

    /// Returns the number of earlier calls.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the request. Its URL is the path and the query, without a host.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the method in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        self.request.method()
    }

    /// Returns the path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.url().split('?').next().unwrap_or_default()
    }

    /// Returns the request body as JSON; null if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.request.body()).unwrap_or_default()
    }

    /// Returns the time of arrival, by the platform's clock.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }

    /// Returns the time of the response, by the platform's clock.
    #[must_use]
    pub fn responded_at(&self) -> Option<OffsetDateTime> {
        self.response.as_ref().map(|response| response.at)
    }

    /// Returns the uuid of the add-on whose grant or token was sent.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    /// Returns the fault that was applied, as `Debug` prints a [`Fault`](crate::platform::Fault).
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Returns the status of the response. `None` before the response, if a fault dropped the connection, and if the
    /// caller hung up.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }

    /// Returns a header of the response. The name is case-insensitive.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        request::find(&self.response.as_ref()?.headers, name)
    }

    /// Returns all headers of the response, with names in lower case.
    pub fn response_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.response.iter().flat_map(|response| &response.headers);
        headers.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the body of the response; empty without a response.
    #[must_use]
    pub fn response_body(&self) -> &[u8] {
        self.response.as_ref().map_or(&[], |response| &response.body)
    }

    /// Returns the body of the response as JSON; null if it is not JSON.
    #[must_use]
    pub fn response_json(&self) -> Value {
        serde_json::from_slice(self.response_body()).unwrap_or_default()
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.request)?;
        if let Some(fault) = &self.fault {
            writeln!(f, "! {fault}")?;
        }
        match &self.response {
            Some(response) => {
                writeln!(f, "< {}", response.status)?;
                request::write_rest(f, '<', &response.headers, &response.body)
            }
            None => writeln!(f, "< (no answer)"),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status().map_or("no answer".to_owned(), |status| status.to_string());
        write!(f, "{} {} -> {status}", self.method(), mask::url(self.request.url()))
    }
}
