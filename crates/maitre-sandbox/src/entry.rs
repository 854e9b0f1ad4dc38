//! Entries of the journal.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum number of bytes kept of a body.
const BODY_LIMIT: usize = 256 * 1024;

/// Direction of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Direction {
    /// The marketplace called the add-on.
    ToAddon,
    /// The add-on called the marketplace.
    FromAddon,
    /// The customer's client called the marketplace.
    FromCustomer,
    /// The entry is a note, not a call.
    Internal,
}

/// Purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Provision,
    PlanChange,
    Deprovision,
    SignOn,
    /// A call of the contract besides the ones above, such as a suspension.
    Action,
    /// A request for the state of a pending operation.
    Poll,
    Webhook,
    /// A call that the user edited, a replayed call, or one with a wrong password.
    Custom,
    Token,
    Config,
    MarkProvisioned,
    MarkDeprovisioned,
    Platform,
    Customer,
    Note,
}

impl Kind {
    /// Returns the kind of a call from the add-on to the platform.
    pub(crate) fn of_platform_call(method: &str, path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        match (method, last) {
            ("POST", "token" | "tokens") if path.contains("/oauth/") => Self::Token,
            (_, "config") if path.starts_with("/addons/") || path.starts_with("/add-ons/") => Self::Config,
            ("PUT", _) if path.starts_with("/vendor/apps/") => Self::Config,
            ("PATCH", _) if path.starts_with("/provider/apps/") => Self::Config,
            ("POST", "provision") if path.contains("/actions/") => Self::MarkProvisioned,
            ("POST", "deprovision") if path.contains("/actions/") => Self::MarkDeprovisioned,
            _ => Self::Platform,
        }
    }

    /// Returns the name in the journal and in the filters of the page.
    pub(crate) fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Provision => "Provision",
            Self::PlanChange => "Plan change",
            Self::Deprovision => "Deprovision",
            Self::SignOn => "Single sign-on",
            Self::Action => "Action",
            Self::Poll => "Last operation",
            Self::Webhook => "Webhook",
            Self::Custom => "Custom call",
            Self::Token => "Token",
            Self::Config => "Config vars",
            Self::MarkProvisioned => "Marked provisioned",
            Self::MarkDeprovisioned => "Marked deprovisioned",
            Self::Platform => "Platform API",
            Self::Customer => "Customer",
            Self::Note => "Note",
        }
    }
}

/// Problem with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) message: String,
    /// Id of the conformance check that explains the problem.
    pub(crate) check: String,
}

impl Finding {
    pub(crate) fn new(check: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), check: check.to_owned() }
    }
}

/// Summary of an entry, shown as one line of the timeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Start of the call, by the marketplace's clock.
    pub(crate) started_at: OffsetDateTime,
    pub(crate) direction: Direction,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) method: String,
    pub(crate) url: String,
    /// Key of the resource.
    pub(crate) uuid: Option<String>,
    pub(crate) completed: bool,
    /// `None` if no response arrives.
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: Option<u64>,
    /// Description of the injected fault.
    pub(crate) fault: Option<String>,
    pub(crate) findings: Vec<Finding>,
    /// Id of the entry whose request was sent again.
    pub(crate) resent_from: Option<i64>,
    /// Id of the first entry of the operation that the entry belongs to, if it is another one.
    #[serde(default)]
    pub(crate) operation: Option<i64>,
    /// Comparison with the recorded call, if the call is a replay.
    #[serde(default)]
    pub(crate) replay: Option<Replay>,
}

/// Comparison of a replayed call with the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replay {
    /// Recorded status; `None` if no response had arrived.
    pub(crate) then: Option<u16>,
    pub(crate) differs: bool,
}

impl Head {
    pub(crate) fn new(started_at: OffsetDateTime, direction: Direction, kind: Kind, title: impl Into<String>) -> Self {
        Self {
            started_at,
            direction,
            kind,
            title: title.into(),
            method: String::new(),
            url: String::new(),
            uuid: None,
            completed: false,
            status: None,
            duration_ms: None,
            fault: None,
            findings: Vec::new(),
            resent_from: None,
            operation: None,
            replay: None,
        }
    }

    /// Returns the id of the first entry of the operation. `id` is the id of this entry.
    pub(crate) fn operation_of(&self, id: i64) -> i64 {
        self.operation.unwrap_or(id)
    }

    /// Whether the entry continues the current operation of its resource: it was not sent again on purpose.
    pub(crate) fn continues_operation(&self) -> bool {
        self.operation.is_none() && self.resent_from.is_none() && self.replay.is_none()
    }

    /// Whether the call has findings, or went to the add-on and has no response.
    pub(crate) fn has_problem(&self) -> bool {
        let is_unanswered = self.is_to_addon() && self.kind != Kind::SignOn && self.completed && self.status.is_none();
        is_unanswered || !self.findings.is_empty()
    }

    /// Whether the marketplace sent the request to the add-on. Only such requests can be sent again.
    pub(crate) fn is_to_addon(&self) -> bool {
        self.direction == Direction::ToAddon
    }
}

/// Result of a call.
#[derive(Default)]
pub(crate) struct Completion {
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) response: Option<Message>,
}

/// Headers and body of a request or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Copies the headers and at most [`BODY_LIMIT`] bytes of the body.
    pub(crate) fn new<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Self {
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { headers, body: body[..body.len().min(BODY_LIMIT)].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Entry of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) head: Head,
    pub(crate) request: Message,
    pub(crate) response: Option<Message>,
}
