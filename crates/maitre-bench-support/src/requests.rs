//! Requests as Heroku sends them, one after another, and whether a reply is the right one.

use maitre_testkit::{Heroku, Request};
use uuid::Uuid;

use crate::wire::Reply;

/// The add-on's name, the user of every Basic header.
pub const USER: &str = "tally";
/// The add-on's password.
pub const PASSWORD: &str = "6d1f0b7c9e3a4582b0d7f6e5c4a39281";
/// The add-on's salt for sign-on tokens.
pub const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A provision, each for a uuid of its own.
    Provision,
    /// The same provision again and again.
    Again,
    /// A single sign-on by the same form, signed at the start.
    SignOn,
}

crate::named!(Ask { Self::Provision => "provision", Self::Again => "replay", Self::SignOn => "sign-on" });

const ORIGIN: &str = "http://tally.example";

/// Draws up requests: signed by the testkit, which shares no code with either server.
#[derive(Debug)]
pub struct Heading(Heroku);

impl Default for Heading {
    fn default() -> Self {
        Self::new()
    }
}

impl Heading {
    /// Heroku, as the add-on knows it.
    #[must_use]
    pub fn new() -> Self {
        Self(Heroku::new(&format!("{ORIGIN}/heroku"), USER, PASSWORD, SALT))
    }

    /// A resource's uuid, and the request about it.
    #[must_use]
    pub fn request(&self, ask: Ask) -> (Uuid, Request) {
        let uuid = Uuid::new_v4();
        let id = uuid.to_string();
        let request = match ask {
            // a drain's token goes to add-ons that answer with a drain's URL, which this one does not
            Ask::Provision | Ask::Again => self
                .0
                .provision("basic")
                .uuid(&id)
                .set("options", serde_json::json!({ "retention": "7d", "trace": "true" }))
                .without("log_drain_token")
                .request(),
            Ask::SignOn => self.0.single_sign_on(&id).request(),
        };
        (uuid, request)
    }

    /// One that must be turned away with this status: a wrong password, another person's name in the form.
    #[must_use]
    pub fn forged(&self, ask: Ask) -> (u16, Request) {
        match ask {
            Ask::Provision | Ask::Again => (401, self.0.provision("basic").credentials(USER, "guessed").request()),
            Ask::SignOn => {
                let id = Uuid::new_v4().to_string();
                (403, self.0.single_sign_on(&id).set("email", "mallory@example.org").request())
            }
        }
    }
}

/// The request's path below the server's root.
#[must_use]
pub fn path(request: &Request) -> &str {
    request.url().strip_prefix(ORIGIN).unwrap_or_default()
}

/// The request as it stands on the wire.
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

/// What one connection asks.
#[derive(Debug)]
pub(crate) struct Asker {
    ask: Ask,
    request: Vec<u8>,
    uuid: Uuid,
    id: [u8; 36],
    places: Vec<usize>,
    cookie: String,
}

impl Asker {
    pub(crate) fn new(heading: &Heading, ask: Ask) -> Self {
        let (uuid, request) = heading.request(ask);
        let mut id = [0; 36];
        uuid.hyphenated().encode_lower(&mut id);
        let bytes = bytes(&request);
        let places = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&id)).collect();
        let cookie = match ask {
            Ask::Provision | Ask::Again => String::new(),
            Ask::SignOn => format!("heroku-nav-data={}; ", nav_data(&request)),
        };
        Self { ask, request: bytes, uuid, id, places, cookie }
    }

    pub(crate) fn next(&mut self) -> &[u8] {
        if self.ask == Ask::Provision {
            self.uuid = Uuid::from_u128(self.uuid.as_u128().wrapping_add(1));
            self.uuid.hyphenated().encode_lower(&mut self.id);
            for &place in &self.places {
                self.request[place..place + self.id.len()].copy_from_slice(&self.id);
            }
        }
        &self.request
    }

    /// Whether this is the reply to the last one, and not merely a good one.
    pub(crate) fn is_answered_by(&self, reply: &Reply<'_>) -> bool {
        let Ok(id) = std::str::from_utf8(&self.id) else { return false };
        match self.ask {
            Ask::Provision | Ask::Again => reply.status == 200 && reply.body.contains(id),
            Ask::SignOn => {
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
