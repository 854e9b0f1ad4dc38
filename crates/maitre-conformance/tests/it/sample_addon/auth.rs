//! Authentication.

use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Fault, PASSWORD, SLUG, SampleAddon, internal_error, refusal};

impl SampleAddon {
    /// Returns the response to an unauthenticated request, or `None` if the credentials are correct.
    pub(super) fn refuses(&self, headers: &HeaderMap) -> Option<Response> {
        self.refuses_unless(headers, self.is(Fault::AnyUser))
    }

    /// Returns the response to an unauthenticated request. `any_user` is whether only the password counts.
    pub(super) fn refuses_unless(&self, headers: &HeaderMap, any_user: bool) -> Option<Response> {
        let Some(header) = headers.get("authorization") else {
            return match self.fault {
                Fault::NoHeaderIs500 => Some(internal_error()),
                Fault::NoHeaderLetsIn => None,
                Fault::NoHeaderIs403 => Some(refusal(403, "Forbidden.")),
                _ => Some(self.unknown_caller()),
            };
        };
        let header = String::from_utf8_lossy(header.as_bytes()).into_owned();
        let credentials = match header.split_once(' ') {
            Some((scheme, rest)) if self.accepts_scheme(scheme) => rest,
            None if self.is(Fault::NoScheme) => &header,
            _ => return Some(self.unknown_caller()),
        };
        let Some((user, password)) = self.decode(credentials) else {
            return Some(if self.is(Fault::OddHeaderIs500) { internal_error() } else { self.unknown_caller() });
        };
        let accepted = (user == SLUG || any_user) && self.is_right(&password);
        (!accepted || self.is(Fault::RefusesEveryone)).then(|| self.unknown_caller())
    }

    fn accepts_scheme(&self, scheme: &str) -> bool {
        match self.fault {
            Fault::AnyScheme => true,
            Fault::CaseSensitiveScheme => scheme == "Basic",
            _ => scheme.eq_ignore_ascii_case("basic"),
        }
    }

    fn decode(&self, credentials: &str) -> Option<(String, String)> {
        let alphabet = |c: &char| c.is_ascii_alphanumeric() || "+/=".contains(*c);
        let filtered: String = credentials.chars().filter(alphabet).collect();
        let credentials = if self.is(Fault::LenientBase64) { filtered.as_str() } else { credentials };
        let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
        text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }

    fn is_right(&self, password: &str) -> bool {
        password == PASSWORD
            || match self.fault {
                Fault::BeginningOfPassword => !password.is_empty() && PASSWORD.starts_with(password),
                Fault::LongerPassword => password.starts_with(PASSWORD),
                Fault::PasswordInAnyCase => password.eq_ignore_ascii_case(PASSWORD),
                Fault::EmptyPassword => password.is_empty(),
                _ => false,
            }
    }

    fn unknown_caller(&self) -> Response {
        let status = if self.is(Fault::WrongPasswordIs403) { 403 } else { 401 };
        let mut response = if self.is(Fault::EchoesCredentials) {
            refusal(status, &format!("The password is not {PASSWORD}."))
        } else {
            refusal(status, "Wrong credentials.")
        };
        if !self.is(Fault::NoChallenge) {
            response.headers_mut().insert("www-authenticate", "Basic realm=\"Lantern\"".parse().unwrap());
        }
        response
    }
}
