//! Progress output.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use maitre_conformance::{Check, CheckResult, Level, Outcome};

use crate::color::Palette;
use crate::output::{print_ignoring_pipe, println_ignoring_pipe};
use crate::terminal::understands_escapes;

/// Number of results, and time, before the remaining time is estimated.
const MIN_RESULTS: usize = 5;
const MIN_TIME: Duration = Duration::from_secs(1);

/// Prints one line per finished group and, on a terminal, the number of finished checks and the remaining time.
pub(super) struct ProgressLine {
    is_human: bool,
    is_terminal: bool,
    palette: Palette,
    checks: Vec<&'static Check>,
    /// Groups that are not printed yet, in the order of the report.
    groups: Vec<Group>,
    done: usize,
    start: Instant,
}

struct Group {
    name: &'static str,
    pending: usize,
    passed: usize,
    /// Failed checks, with their positions in the report.
    failed: Vec<(usize, String)>,
    notes: usize,
    skipped: usize,
}

impl ProgressLine {
    /// Creates the progress of a run of these checks.
    pub(super) fn new(checks: Vec<&'static Check>, is_human: bool, palette: Palette) -> Self {
        let is_terminal = is_human && understands_escapes();
        let mut groups: Vec<Group> = Vec::new();
        for check in &checks {
            match groups.last_mut() {
                Some(group) if group.name == check.group() => group.pending += 1,
                _ => groups.push(Group::new(check.group())),
            }
        }
        Self { is_human, is_terminal, palette, checks, groups, done: 0, start: Instant::now() }
    }

    pub(super) fn start(&mut self, id: &str) {
        if self.is_terminal {
            let (done, total) = (self.done, self.checks.len());
            let left = remaining(self.start.elapsed(), done, total);
            let left = left.map_or(String::new(), |left| format!(", about {} s left", left.as_secs() + 1));
            print_ignoring_pipe!("\r\u{1b}[K{}", self.palette.dim(&format!("{done} of {total}{left}: {id}")));
            let _ = std::io::stdout().flush();
        }
    }

    pub(super) fn finish(&mut self, result: &CheckResult) {
        self.done += 1;
        let check = result.check;
        let Some(group) = self.groups.iter_mut().find(|group| group.name == check.group()) else { return };
        group.pending = group.pending.saturating_sub(1);
        match &result.outcome {
            Outcome::Passed => group.passed += 1,
            Outcome::Failed(_) if check.level == Level::Info => group.notes += 1,
            Outcome::Failed(_) => {
                let name = check.id.rsplit('.').next().unwrap_or_default();
                let name = match check.level {
                    Level::Must => self.palette.error(name),
                    Level::Should => self.palette.warning(name),
                    _ => name.to_owned(),
                };
                let position = self.checks.iter().position(|known| known.id == check.id).unwrap_or_default();
                group.failed.push((position, name));
            }
            _ => group.skipped += 1,
        }
        let finished = self.groups.iter().take_while(|group| group.pending == 0).count();
        self.print(finished);
    }

    /// Prints the groups that are not finished, as far as they are.
    pub(super) fn end(&mut self) {
        self.print(self.groups.len());
    }

    /// Prints the first groups.
    fn print(&mut self, count: usize) {
        let groups: Vec<_> = self.groups.drain(..count).collect();
        if self.is_terminal {
            print_ignoring_pipe!("\r\u{1b}[K");
        }
        for group in groups.iter().filter(|group| self.is_human && !group.is_empty()) {
            println_ignoring_pipe!("{}", group.line(self.palette));
        }
    }
}

impl Group {
    fn new(name: &'static str) -> Self {
        Self { name, pending: 1, passed: 0, failed: Vec::new(), notes: 0, skipped: 0 }
    }

    fn is_empty(&self) -> bool {
        self.passed + self.failed.len() + self.notes + self.skipped == 0
    }

    fn line(&self, palette: Palette) -> String {
        let Self { name, passed, notes, skipped, .. } = self;
        let mut line = format!("{name:<24} {passed:>3} passed");
        if *notes > 0 {
            let _ = write!(line, ", {notes} {}", if *notes == 1 { "note" } else { "notes" });
        }
        if *skipped > 0 {
            line.push_str(&palette.dim(&format!(", {skipped} skipped")));
        }
        if !self.failed.is_empty() {
            let mut failed = self.failed.clone();
            failed.sort();
            let names: Vec<_> = failed.into_iter().map(|(_, name)| name).collect();
            let _ = write!(line, ", {} failed: {}", names.len(), names.join(", "));
        }
        line
    }
}

/// Estimates the remaining time, from the time that the finished checks took.
fn remaining(elapsed: Duration, done: usize, total: usize) -> Option<Duration> {
    if done < MIN_RESULTS || elapsed < MIN_TIME {
        return None;
    }
    let (left, done) = (u32::try_from(total.saturating_sub(done)).ok()?, u32::try_from(done).ok()?);
    Some(elapsed * left / done)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::remaining;

    #[test]
    fn the_remaining_time_follows_from_the_finished_checks() {
        assert_eq!(remaining(Duration::from_secs(30), 10, 40), Some(Duration::from_secs(90)));
        assert_eq!(remaining(Duration::from_secs(30), 40, 40), Some(Duration::ZERO));
        assert_eq!(remaining(Duration::from_secs(30), 2, 40), None, "too few results");
        assert_eq!(remaining(Duration::from_millis(300), 20, 40), None, "too early");
    }
}
