use std::fmt::{self, Write as _};

use time::{OffsetDateTime, macros::format_description};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    Sandbox,
    entry::{Direction, Head, Kind},
    events::PageEvent,
};

/// Completed calls, notes and problems, as they happen. Returned by [`Sandbox::activity`].
#[derive(Debug)]
pub struct Activity {
    sandbox: Sandbox,
    events: Receiver<PageEvent>,
}

/// One line for a terminal, such as `10:15:02  Heroku → Tally    200    12 ms  Provision basic  (tally-curved-1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivityLine {
    /// Time by the clock of the marketplace, caller and callee, status and duration; empty for a problem.
    pub facts: String,
    /// Title of the call, or the problem.
    pub text: String,
    /// Whether the line describes a problem.
    pub is_problem: bool,
}

impl fmt::Display for ActivityLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.facts, self.text)
    }
}

impl Sandbox {
    /// Returns the calls and notes that are completed from now on.
    #[must_use]
    pub fn activity(&self) -> Activity {
        Activity { sandbox: self.clone(), events: self.inner().subscribers.subscribe() }
    }
}

impl Activity {
    /// Waits for the next completed call or note. Returns its line, and a line for each of its problems. Skips lines if
    /// they are read too slowly. Returns an empty list if there will be no more.
    pub async fn next(&mut self) -> Vec<ActivityLine> {
        loop {
            match self.events.recv().await {
                Ok(PageEvent::Completed(head)) => return self.lines(&head),
                Ok(PageEvent::Finding(finding)) => {
                    let (title, finding) = &*finding;
                    return vec![self.problem(&format!("{title}: {} ({})", finding.message, finding.check))];
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Vec::new(),
            }
        }
    }

    fn lines(&self, head: &Head) -> Vec<ActivityLine> {
        let at = time_of_day(head.started_at);
        let status = match (head.status, head.direction, head.kind) {
            (Some(status), _, _) => status.to_string(),
            (None, Direction::Internal, _) | (None, _, Kind::SignOn) => String::new(),
            (None, _, _) => "none".to_owned(),
        };
        let duration = head.duration_ms.map(|duration| format!("{duration} ms")).unwrap_or_default();
        let parties = format!("{:width$}", self.parties(head.direction), width = self.width());
        let facts = format!("{at}  {parties}  {status:<4}  {duration:>8}");
        let mut text = match head.kind {
            Kind::Customer | Kind::Platform => format!("{} {}", head.method, path(&head.url)),
            _ => head.title.clone(),
        };
        if let Some(name) =
            head.uuid.as_deref().and_then(|uuid| self.sandbox.name_of(uuid)).filter(|name| !text.contains(name))
        {
            let _ = write!(text, "  ({name})");
        }
        if let Some(fault) = &head.fault {
            let _ = write!(text, "  [{fault}]");
        }
        let mut lines = vec![ActivityLine { facts, text: plain(&text), is_problem: false }];
        lines.extend(
            head.findings.iter().map(|finding| self.problem(&format!("{} ({})", finding.message, finding.check))),
        );
        lines
    }

    fn problem(&self, text: &str) -> ActivityLine {
        let width = "00:00:00".len() + 2 + self.width() + 2 + 4 + 2 + 8;
        ActivityLine { facts: " ".repeat(width), text: format!("! {}", plain(text)), is_problem: true }
    }

    fn parties(&self, direction: Direction) -> String {
        let addon = plain(&self.sandbox.addon().name);
        let marketplace = self.sandbox.marketplace_title();
        match direction {
            Direction::ToAddon => format!("{marketplace} → {addon}"),
            Direction::FromAddon => format!("{addon} → {marketplace}"),
            Direction::FromCustomer => format!("customer → {marketplace}"),
            Direction::Internal => String::new(),
        }
    }

    fn width(&self) -> usize {
        let directions = [Direction::ToAddon, Direction::FromCustomer];
        directions.map(|direction| self.parties(direction).chars().count()).into_iter().max().unwrap_or_default()
    }
}

fn time_of_day(at: OffsetDateTime) -> String {
    at.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default()
}

fn path(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// Removes control characters, which could change the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
