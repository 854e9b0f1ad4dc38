use std::fmt;

use crate::mask;

/// Origin of the marketplace's pages, for the CSRF protection of a vendor.
const MARKETPLACE_PAGE: &str = "https://marketplace.example";

const FORM: &str = "application/x-www-form-urlencoded";

/// HTTP request as it is sent.
///
/// `Debug` and `Display` mask credentials, tokens and config values; the accessors do not.
///
/// ```
/// use maitre_testkit::Heroku;
///
/// let heroku = Heroku::new("http://127.0.0.1:8300/heroku", "tally", "password", "salt");
/// let request = heroku.deprovision("7").request();
/// assert_eq!(request.method(), "DELETE");
/// assert_eq!(request.url(), "http://127.0.0.1:8300/heroku/resources/7");
/// assert_eq!(request.header("Authorization"), Some("Basic dGFsbHk6cGFzc3dvcmQ="));
/// assert!(request.body().is_empty());
/// assert!(request.to_string().contains("authorization: [masked]"));
/// ```
#[derive(Clone)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether a page of another site caused the request, which decides the cookies that a browser sends.
    pub(crate) cross_site: bool,
}

impl Request {
    pub(crate) fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new(), cross_site: false }
    }

    /// Returns the method in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the URL with its query.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a header. The name is case-insensitive.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Returns all headers that this crate sets, with names in lower case. The HTTP client adds `host` and
    /// `content-length`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the bytes of the body; empty without a body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn push_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn replace_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.push_header(name, value);
    }

    pub(crate) fn put_form(&mut self, fields: &[(String, String)]) {
        self.push_header("content-type", FORM);
        self.body = form(fields).into_bytes();
    }

    /// Sets the headers that a browser sends with a request from the marketplace's page.
    pub(crate) fn set_browser_headers(&mut self) {
        self.cross_site = true;
        self.push_header("sec-fetch-site", "cross-site");
        if self.method != "GET" {
            self.push_header("origin", MARKETPLACE_PAGE);
        }
    }

    /// Returns the values that are masked by name.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        let mut secrets = mask::secrets(&self.headers, self.header("content-type"), &self.body);
        secrets.extend(mask::secrets(&[], Some(FORM), query.as_bytes()));
        secrets
    }

    /// Returns the request line for errors, without the query, which may contain a token.
    pub(crate) fn line(&self) -> String {
        let url = mask::url(&self.url);
        format!("{} {}", self.method, url.split('?').next().unwrap_or_default())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "> {} {}", self.method, mask::url(&self.url))?;
        write_rest(f, '>', &self.headers, &self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the masked headers and body, each line with the mark of its direction.
pub(crate) fn write_rest(
    f: &mut impl fmt::Write,
    mark: char,
    headers: &[(String, String)],
    body: &[u8],
) -> fmt::Result {
    for (name, value) in headers {
        writeln!(f, "{mark} {name}: {}", mask::header(name, value))?;
    }
    for line in mask::body(find(headers, "content-type"), body).lines() {
        writeln!(f, "{mark} {line}")?;
    }
    Ok(())
}

pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

pub(crate) fn form(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
