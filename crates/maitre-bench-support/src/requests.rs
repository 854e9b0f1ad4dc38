//! Heroku requests, and whether a response is the expected one.

use maitre_testkit::{Heroku, Request};
use uuid::Uuid;

use crate::wire::Reply;

/// Add-on's name, the user of Basic authentication.
pub const USER: &str = "tally";
/// The add-on's password.
pub const PASSWORD: &str = "6d1f0b7c9e3a4582b0d7f6e5c4a39281";
/// The add-on's salt for sign-on tokens.
pub const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// Provision, each with its own uuid.
    Provision,
    /// The same provision, repeated.
    Replay,
    /// Single sign-on with the same form, signed at the start.
    SignOn,
}

crate::named!(RequestKind { Self::Provision => "provision", Self::Replay => "replay", Self::SignOn => "sign-on" });

const ORIGIN: &str = "http://tally.example";

/// Creates requests, signed by the testkit, which shares no code with the servers.
#[derive(Debug)]
pub struct RequestSource(Heroku);

impl Default for RequestSource {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestSource {
    /// Creates a source with the constants of this module.
    #[must_use]
    pub fn new() -> Self {
        Self(Heroku::new(&format!("{ORIGIN}/heroku"), USER, PASSWORD, SALT))
    }

    /// Returns a new uuid and a request for it.
    #[must_use]
    pub fn request(&self, ask: RequestKind) -> (Uuid, Request) {
        let uuid = Uuid::new_v4();
        let id = uuid.to_string();
        let request = match ask {
            // only add-ons that return a log drain URL get a log drain token
            RequestKind::Provision | RequestKind::Replay => self
                .0
                .provision("basic")
                .uuid(&id)
                .set("options", serde_json::json!({ "retention": "7d", "trace": "true" }))
                .without("log_drain_token")
                .request(),
            RequestKind::SignOn => self.0.single_sign_on(&id).request(),
        };
        (uuid, request)
    }

    /// Returns a request with a wrong password or a changed form, and the status with which it must be rejected.
    #[must_use]
    pub fn unauthenticated(&self, ask: RequestKind) -> (u16, Request) {
        match ask {
            RequestKind::Provision | RequestKind::Replay => {
                (401, self.0.provision("basic").credentials(USER, "guessed").request())
            }
            RequestKind::SignOn => {
                let id = Uuid::new_v4().to_string();
                (403, self.0.single_sign_on(&id).set("email", "mallory@example.org").request())
            }
        }
    }
}

/// Returns the path of a request.
#[must_use]
pub fn path(request: &Request) -> &str {
    request.url().strip_prefix(ORIGIN).unwrap_or_default()
}

/// Returns the bytes of a request on the wire.
#[must_use]
pub fn bytes(request: &Request) -> Vec<u8> {
    let length = request.body().len();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: tally.example\r\ncontent-length: {length}\r\n",
        request.method(),
        path(request)
    );
    for (name, value) in request.headers() {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(request.body());
    bytes
}

/// Requests of one connection.
#[derive(Debug)]
pub(crate) struct RequestCycle {
    ask: RequestKind,
    request: Vec<u8>,
    uuid: Uuid,
    id: [u8; 36],
    places: Vec<usize>,
    cookie: String,
}

impl RequestCycle {
    pub(crate) fn new(source: &RequestSource, ask: RequestKind) -> Self {
        let (uuid, request) = source.request(ask);
        let mut id = [0; 36];
        uuid.hyphenated().encode_lower(&mut id);
        let bytes = bytes(&request);
        let places = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&id)).collect();
        let cookie = match ask {
            RequestKind::Provision | RequestKind::Replay => String::new(),
            RequestKind::SignOn => format!("heroku-nav-data={}; ", nav_data(&request)),
        };
        Self { ask, request: bytes, uuid, id, places, cookie }
    }

    pub(crate) fn next(&mut self) -> &[u8] {
        if self.ask == RequestKind::Provision {
            self.uuid = Uuid::from_u128(self.uuid.as_u128().wrapping_add(1));
            self.uuid.hyphenated().encode_lower(&mut self.id);
            for &place in &self.places {
                self.request[place..place + self.id.len()].copy_from_slice(&self.id);
            }
        }
        &self.request
    }

    /// Whether this is the response to the last request, not only a successful one.
    pub(crate) fn is_answered_by(&self, reply: &Reply<'_>) -> bool {
        let Ok(id) = std::str::from_utf8(&self.id) else { return false };
        match self.ask {
            RequestKind::Provision | RequestKind::Replay => reply.status == 200 && reply.body.contains(id),
            RequestKind::SignOn => {
                reply.status == 302
                    && reply.header("location").and_then(|to| to.strip_prefix("/dashboard/")) == Some(id)
                    && reply.header("set-cookie").is_some_and(|cookie| cookie.starts_with(&self.cookie))
            }
        }
    }
}

fn nav_data(request: &Request) -> &str {
    let form = std::str::from_utf8(request.body()).unwrap_or_default();
    form.split('&').find_map(|field| field.strip_prefix("nav-data=")).unwrap_or_default()
}
