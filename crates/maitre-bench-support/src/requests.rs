//! Requests of Heroku, of a platform that calls service brokers and of Vercel, and whether a response is the expected one.

use maitre_testkit::{Heroku, Osb, Request, osb::InstanceId};
use uuid::Uuid;

use crate::{vercel, wire::Reply};

/// Add-on's name, the user of Basic authentication.
pub const USER: &str = "tally";
/// The add-on's password.
pub const PASSWORD: &str = "6d1f0b7c9e3a4582b0d7f6e5c4a39281";
/// The add-on's salt for sign-on tokens.
pub const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Id of the broker's service.
pub const OSB_SERVICE: &str = "4a70f9d1-2c55-4d0e-9b7a-6c1f0e8d3b21";
/// Ids of its plans.
pub const OSB_PLANS: [&str; 2] = ["8d1c6c2e-0f3a-4b6e-8c9d-1e2f3a4b5c6d", "a96d1d0e-7b5c-4e3f-9a8b-0c1d2e3f4a5b"];

/// Kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// Provision, each with its own uuid.
    Provision,
    /// The same provision, repeated.
    Replay,
    /// Single sign-on with the same form, signed at the start.
    SignOn,
    /// Provision of the Open Service Broker API, each with its own instance id.
    OsbProvision,
    /// Provision of Vercel, each with its own key.
    VercelProvision,
}

crate::named!(RequestKind {
    Self::Provision => "provision",
    Self::Replay => "replay",
    Self::SignOn => "sign-on",
    Self::OsbProvision => "osb-provision",
    Self::VercelProvision => "vercel-provision",
});

const ORIGIN: &str = "http://tally.example";

/// Creates requests, signed by the testkit, which shares no code with the servers.
#[derive(Debug)]
pub struct RequestSource {
    heroku: Heroku,
    osb: Osb,
}

impl Default for RequestSource {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestSource {
    /// Creates a source with the constants of this module.
    #[must_use]
    pub fn new() -> Self {
        Self {
            heroku: Heroku::new(&format!("{ORIGIN}/heroku"), USER, PASSWORD, SALT),
            osb: Osb::new(&format!("{ORIGIN}/osb"), USER, PASSWORD),
        }
    }

    /// Returns a new uuid and a request for it.
    #[must_use]
    pub fn request(&self, ask: RequestKind) -> (Uuid, Request) {
        let uuid = Uuid::new_v4();
        let id = uuid.to_string();
        let request = match ask {
            // only add-ons that return a log drain URL get a log drain token
            RequestKind::Provision | RequestKind::Replay => self
                .heroku
                .provision("basic")
                .uuid(&id)
                .set("options", serde_json::json!({ "retention": "7d", "trace": "true" }))
                .without("log_drain_token")
                .request(),
            RequestKind::SignOn => self.heroku.single_sign_on(&id).request(),
            RequestKind::OsbProvision => {
                let instance = InstanceId::new(&id, OSB_SERVICE, OSB_PLANS[0]);
                self.osb.provision(&instance).set("parameters", serde_json::json!({ "retention": 7 })).request()
            }
            RequestKind::VercelProvision => vercel::provision(&self.heroku, ORIGIN, &id, OSB_PLANS[0]),
        };
        (uuid, request)
    }

    /// Returns a request with a wrong password or a changed form, and the status with which it must be rejected.
    #[must_use]
    pub fn unauthenticated(&self, ask: RequestKind) -> (u16, Request) {
        match ask {
            RequestKind::Provision | RequestKind::Replay => {
                (401, self.heroku.provision("basic").credentials(USER, "guessed").request())
            }
            RequestKind::OsbProvision => {
                let instance = InstanceId::new(&Uuid::new_v4().to_string(), OSB_SERVICE, OSB_PLANS[0]);
                (401, self.osb.provision(&instance).credentials(USER, "guessed").request())
            }
            RequestKind::VercelProvision => {
                (403, vercel::forged(&self.heroku, ORIGIN, &Uuid::new_v4().to_string(), OSB_PLANS[0]))
            }
            RequestKind::SignOn => {
                let id = Uuid::new_v4().to_string();
                (403, self.heroku.single_sign_on(&id).set("email", "mallory@example.org").request())
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
            RequestKind::Provision | RequestKind::Replay | RequestKind::OsbProvision | RequestKind::VercelProvision => {
                String::new()
            }
            RequestKind::SignOn => format!("heroku-nav-data={}; ", nav_data(&request)),
        };
        Self { ask, request: bytes, uuid, id, places, cookie }
    }

    pub(crate) fn next(&mut self) -> &[u8] {
        let is_new =
            matches!(self.ask, RequestKind::Provision | RequestKind::OsbProvision | RequestKind::VercelProvision);
        if is_new {
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
            RequestKind::Provision | RequestKind::Replay | RequestKind::VercelProvision => {
                reply.status == 200 && reply.body.contains(id)
            }
            RequestKind::OsbProvision => reply.status == 201 && reply.body.contains(id),
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
