//! Progress output.

use std::fmt::Write as _;
use std::io::Write as _;

use maitre_conformance::{CheckResult, Level, Outcome};

use crate::color::Palette;
use crate::output::{print_ignoring_pipe, println_ignoring_pipe};
use crate::terminal::understands_escapes;

/// Prints one line per finished group and, on a terminal, the id of the running check.
pub(super) struct ProgressLine {
    is_human: bool,
    is_terminal: bool,
    palette: Palette,
    group: String,
    passed: usize,
    failed: Vec<String>,
    notes: usize,
    skipped: usize,
}

impl ProgressLine {
    pub(super) fn new(is_human: bool, palette: Palette) -> Self {
        let is_terminal = is_human && understands_escapes();
        let (group, failed) = (String::new(), Vec::new());
        Self { is_human, is_terminal, palette, group, passed: 0, failed, notes: 0, skipped: 0 }
    }

    pub(super) fn start(&mut self, id: &str) {
        let group = id.rsplit_once('.').map_or(id, |(group, _)| group);
        if group != self.group {
            self.finish_group();
            group.clone_into(&mut self.group);
        }
        if self.is_terminal {
            print_ignoring_pipe!("\r\u{1b}[K{}", self.palette.dim(id));
            let _ = std::io::stdout().flush();
        }
    }

    pub(super) fn finish(&mut self, result: &CheckResult) {
        match &result.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) if result.check.level == Level::Info => self.notes += 1,
            Outcome::Failed(_) => {
                let name = result.check.id.rsplit('.').next().unwrap_or_default();
                self.failed.push(match result.check.level {
                    Level::Must => self.palette.error(name),
                    Level::Should => self.palette.warning(name),
                    _ => name.to_owned(),
                });
            }
            _ => self.skipped += 1,
        }
    }

    /// Prints the line of the current group and resets the counts.
    pub(super) fn finish_group(&mut self) {
        let (passed, notes, skipped) = (self.passed, self.notes, self.skipped);
        let failed = std::mem::take(&mut self.failed);
        (self.passed, self.notes, self.skipped) = (0, 0, 0);
        if self.is_terminal {
            print_ignoring_pipe!("\r\u{1b}[K");
        }
        if !self.is_human || passed + notes + skipped + failed.len() == 0 {
            return;
        }
        let mut line = format!("{:<24} {passed:>3} passed", self.group);
        if notes > 0 {
            let _ = write!(line, ", {notes} {}", if notes == 1 { "note" } else { "notes" });
        }
        if skipped > 0 {
            line.push_str(&self.palette.dim(&format!(", {skipped} skipped")));
        }
        if !failed.is_empty() {
            let _ = write!(line, ", {} failed: {}", failed.len(), failed.join(", "));
        }
        println_ignoring_pipe!("{line}");
    }
}
