//! Export of the journal as HAR or JSON, and replay.

mod har;
mod json;
mod replay;

use std::{fmt, str::FromStr};

use serde_json::Value;

pub use self::replay::ReplayedCall;
use crate::{
    ParseError, Sandbox,
    entry::{Direction, Entry, Kind, Message},
};

/// Number of entries read from the store at a time.
const CHUNK: usize = 200;

/// Maximum number of calls replayed from the journal.
const MAX_CALLS: usize = 10_000;

/// File format of a recording.
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
    /// Complete journal, including notes.
    #[default]
    Json,
    /// HTTP Archive 1.2, which browsers and proxies can open. Does not contain notes.
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
            _ => Err(ParseError::new(format!("unknown format {name:?}: choose json or har"))),
        }
    }
}

/// Recording being written, as an iterator of chunks of text.
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
            RecordingFormat::Har if entry.head.direction == Direction::Internal => None,
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
                let entries: Vec<_> = entries.iter().filter_map(|entry| self.entry(entry)).collect();
                let mut text = String::new();
                for entry in entries {
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

/// Exported journal, for [`Sandbox::replay`].
///
/// `Debug` shows the number of calls.
#[derive(Clone)]
pub struct Recording {
    calls: Vec<RecordedCall>,
}

/// Recorded call from Heroku to the add-on.
#[derive(Clone)]
struct RecordedCall {
    kind: Kind,
    title: String,
    uuid: Option<String>,
    method: String,
    url: String,
    message: Message,
    status: Option<u16>,
}

impl From<Entry> for RecordedCall {
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
    /// Parses a recording written by [`Sandbox::export`], in either format.
    ///
    /// # Errors
    /// Returns an error if the text is not JSON, was not written by a sandbox, or has masked secrets.
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

    /// Returns the calls of the journal, of one resource or of all, oldest first. Custom and replayed calls are left out.
    pub(crate) fn of(sandbox: &Sandbox, uuid: Option<&str>) -> Self {
        let (mut calls, mut after) = (Vec::new(), 0);
        loop {
            let entries = sandbox.journal().store().next(after, uuid, CHUNK);
            let Some(last) = entries.last().map(|entry| entry.id).filter(|_| calls.len() < MAX_CALLS) else {
                return Self { calls };
            };
            after = last;
            let is_original = |entry: &Entry| entry.head.is_to_addon() && entry.head.kind != Kind::Custom;
            calls.extend(entries.into_iter().filter(is_original).map(RecordedCall::from));
        }
    }

    /// Returns the number of calls to the add-on.
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
    /// Exports the journal, with or without masked secrets. For a long journal, prefer the streamed downloads
    /// `/sandbox/export.json` and `/sandbox/export.har` of the [router](Self::router).
    #[must_use]
    pub fn export(&self, format: RecordingFormat, masked: bool) -> String {
        Export::new(self, format, masked, None).collect()
    }
}
