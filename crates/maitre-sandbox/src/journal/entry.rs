//! One line of the journal, and what stands behind it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A body longer than this is cut when it is written down.
const LONGEST: usize = 256 * 1024;

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Direction {
    /// Heroku called the add-on.
    ToAddon,
    /// The add-on called Heroku.
    FromAddon,
    /// The customer's client called Heroku.
    FromCustomer,
    /// It is a note, no call.
    Internal,
}

/// What a call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Provision,
    PlanChange,
    Deprovision,
    SignOn,
    Webhook,
    /// One that a person wrote or changed.
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
    /// What a call of the add-on to the platform is for.
    pub(crate) fn of_call(method: &str, path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        match (method, last) {
            ("POST", "token" | "tokens") if path.starts_with("/oauth/") => Self::Token,
            (_, "config") if path.starts_with("/addons/") => Self::Config,
            ("POST", "provision") if path.contains("/actions/") => Self::MarkProvisioned,
            ("POST", "deprovision") if path.contains("/actions/") => Self::MarkDeprovisioned,
            _ => Self::Platform,
        }
    }

    /// What a call of Heroku's to the add-on is for, by its method.
    pub(crate) fn of_lifecycle_call(method: &str) -> Self {
        match method {
            "POST" => Self::Provision,
            "PUT" => Self::PlanChange,
            "DELETE" => Self::Deprovision,
            _ => Self::Custom,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Provision => "Provision",
            Self::PlanChange => "Plan change",
            Self::Deprovision => "Deprovision",
            Self::SignOn => "Single sign-on",
            Self::Webhook => "Webhook",
            Self::Custom => "Your own call",
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

/// What was wrong, and the id of the check that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) sentence: String,
    pub(crate) check: String,
}

impl Finding {
    pub(crate) fn new(check: &str, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), check: check.to_owned() }
    }
}

/// What the timeline shows in a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// When it began, by the marketplace's clock.
    pub(crate) at: OffsetDateTime,
    pub(crate) way: Direction,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) method: String,
    pub(crate) url: String,
    /// The install that it is about.
    pub(crate) uuid: Option<String>,
    pub(crate) ended: bool,
    /// None where no answer came.
    pub(crate) status: Option<u16>,
    /// In milliseconds.
    pub(crate) took: Option<u64>,
    /// What went wrong on purpose.
    pub(crate) fault: Option<String>,
    pub(crate) findings: Vec<Finding>,
    /// The entry whose request was sent once more.
    pub(crate) again: Option<i64>,
}

impl Head {
    pub(crate) fn new(at: OffsetDateTime, way: Direction, kind: Kind, title: impl Into<String>) -> Self {
        Self {
            at,
            way,
            kind,
            title: title.into(),
            method: String::new(),
            url: String::new(),
            uuid: None,
            ended: false,
            status: None,
            took: None,
            fault: None,
            findings: Vec::new(),
            again: None,
        }
    }

    /// Whether there is something to look at: a rule that was broken, or a call that failed.
    pub(crate) fn is_bad(&self) -> bool {
        let failed = self.way == Direction::ToAddon && self.kind != Kind::SignOn && self.ended && self.status.is_none();
        failed || !self.findings.is_empty()
    }

    /// Whether it can be sent once more: what Heroku sent can, what was sent to Heroku cannot.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.way == Direction::ToAddon
    }
}

/// How a call ended.
#[derive(Default)]
pub(crate) struct Completion {
    pub(crate) status: Option<u16>,
    pub(crate) took: Option<u64>,
    pub(crate) fault: Option<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) answer: Option<Message>,
}

/// The headers and the body of a request or an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// As much of it as is worth keeping.
    pub(crate) fn new<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Self {
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { headers, body: body[..body.len().min(LONGEST)].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A line with all that stands behind it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) head: Head,
    pub(crate) request: Message,
    pub(crate) answer: Option<Message>,
}
