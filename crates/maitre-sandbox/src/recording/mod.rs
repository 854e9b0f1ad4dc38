//! The journal as a file, and back: exported as HAR or JSON, and sent once more.

mod har;
mod json;
mod replay;

use std::{fmt, str::FromStr};

use serde_json::Value;

pub use self::replay::ReplayedCall;
use crate::{
    ParseError, Sandbox,
    journal::{Direction, Entry, Kind, Message},
};

/// So many entries are read at once.
const CHUNK: usize = 200;

/// After so many calls the page's own replay takes no more.
const LONGEST: usize = 10_000;

/// How a recording is written.
///
/// ```
/// use maitre_sandbox::RecordingFormat;
///
/// assert_eq!("har".parse(), Ok(RecordingFormat::Har));
/// assert!("xml".parse::<RecordingFormat>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordingFormat {
    /// All that the timeline shows, notes too.
    #[default]
    Json,
    /// HTTP Archive 1.2, which browsers and proxies read. Notes are left out.
    Har,
}

impl RecordingFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Har => "har",
        }
    }
}

impl fmt::Display for RecordingFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RecordingFormat {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        match name {
            "json" => Ok(Self::Json),
            "har" => Ok(Self::Har),
            _ => Err(ParseError::new(format!("there is no format named {name:?}: choose har or json"))),
        }
    }
}

/// A recording that is being written: texts, one behind the other.
pub(crate) struct Export {
    sandbox: Sandbox,
    format: RecordingFormat,
    masked: bool,
    uuid: Option<String>,
    after: i64,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    First,
    More,
    End,
}

impl Export {
    pub(crate) fn new(sandbox: &Sandbox, format: RecordingFormat, masked: bool, uuid: Option<String>) -> Self {
        Self { sandbox: sandbox.clone(), format, masked, uuid, after: 0, part: Part::Head }
    }

    fn entry(&self, entry: &Entry) -> Option<Value> {
        match self.format {
            RecordingFormat::Json => Some(json::entry(entry, self.masked)),
            RecordingFormat::Har if entry.head.way == Direction::Internal => None,
            RecordingFormat::Har => {
                Some(har::entry(entry, self.masked, self.sandbox.url().unwrap_or("http://localhost")))
            }
        }
    }
}

impl Iterator for Export {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.part {
            Part::Head => {
                self.part = Part::First;
                Some(match self.format {
                    RecordingFormat::Json => json::head(&self.sandbox.addon().slug, self.masked),
                    RecordingFormat::Har => har::head(self.masked),
                })
            }
            Part::First | Part::More => {
                let entries = self.sandbox.journal().store().next(self.after, self.uuid.as_deref(), CHUNK);
                let Some(last) = entries.last() else {
                    self.part = Part::End;
                    return Some(match self.format {
                        RecordingFormat::Json => "]}\n".to_owned(),
                        RecordingFormat::Har => "]}}\n".to_owned(),
                    });
                };
                self.after = last.id;
                let written: Vec<_> = entries.iter().filter_map(|entry| self.entry(entry)).collect();
                let mut text = String::new();
                for entry in written {
                    text += if self.part == Part::More { ",\n" } else { "\n" };
                    text += &entry.to_string();
                    self.part = Part::More;
                }
                Some(text)
            }
            Part::End => None,
        }
    }
}

/// A journal that was exported, to be [sent once more](Sandbox::replay).
///
/// `Debug` shows how many calls of Heroku's to the add-on there are in it.
#[derive(Clone)]
pub struct Recording {
    calls: Vec<Recorded>,
}

/// A call of Heroku's to the add-on, as it was recorded.
#[derive(Clone)]
struct Recorded {
    kind: Kind,
    title: String,
    uuid: Option<String>,
    method: String,
    url: String,
    message: Message,
    status: Option<u16>,
}

impl From<Entry> for Recorded {
    fn from(Entry { head, request, .. }: Entry) -> Self {
        Self {
            kind: head.kind,
            title: head.title,
            uuid: head.uuid,
            method: head.method,
            url: head.url,
            message: request,
            status: head.status,
        }
    }
}

impl Recording {
    /// Reads what [`Sandbox::export`] wrote, in either format.
    ///
    /// # Errors
    /// A sentence: it is no JSON, was not written by a sandbox, or its secrets are masked, so that nothing can be sent.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let json: Value = serde_json::from_str(text)
            .map_err(|error| ParseError::new(format!("the recording is not JSON: {error}")))?;
        let foreign = || ParseError::new("the recording was not written by a sandbox of maitre");
        let (masked, calls) = if json["log"]["_maitre_sandbox"].is_object() {
            (json["log"]["_maitre_sandbox"]["masked"] == true, har::calls(&json))
        } else if json["maitre_sandbox"].is_number() {
            (json["masked"] == true, json::calls(&json))
        } else {
            return Err(foreign());
        };
        if masked {
            return Err(ParseError::new(
                "the secrets in the recording are masked: export it with secrets to replay it",
            ));
        }
        Ok(Self { calls: calls.ok_or_else(foreign)? })
    }

    /// The calls of this journal that are no replays themselves, of one install or of all, the oldest first.
    pub(crate) fn of(sandbox: &Sandbox, uuid: Option<&str>) -> Self {
        let (mut calls, mut after) = (Vec::new(), 0);
        loop {
            let entries = sandbox.journal().store().next(after, uuid, CHUNK);
            let Some(last) = entries.last().map(|entry| entry.id).filter(|_| calls.len() < LONGEST) else {
                return Self { calls };
            };
            after = last;
            let first_hand = |entry: &Entry| entry.head.is_repeatable() && entry.head.kind != Kind::Custom;
            calls.extend(entries.into_iter().filter(first_hand).map(Recorded::from));
        }
    }

    /// How many calls of Heroku's to the add-on there are in it.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("calls", &self.calls.len()).finish()
    }
}

impl Sandbox {
    /// The journal as a text, with secrets masked or not. A long one is better [downloaded](Self::router) from
    /// `/sandbox/export.json` or `/sandbox/export.har`, which come in pieces.
    #[must_use]
    pub fn export(&self, format: RecordingFormat, masked: bool) -> String {
        Export::new(self, format, masked, None).collect()
    }
}
