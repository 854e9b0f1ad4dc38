//! Exit status and error output of a command.

use std::process::ExitCode;

use serde_json::json;

use crate::color::Palette;
use crate::output::{eprintln_ignoring_errors, println_ignoring_pipe};

/// Output format, as far as errors depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Human,
    Json,
}

/// Result of a command that ran and has printed its findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// No problems found: 0.
    Success,
    /// Problems found: 1.
    ProblemsFound,
    /// Stopped by a signal before the end: 2.
    Interrupted,
    /// Exit status of the command that was run.
    Command(u8),
    /// Nothing was tested, or not all that was selected: 2.
    Untested,
}

/// Returns the exit code, and prints the error of a command that could not run: 2. Its message says how to fix it.
pub(crate) fn exit_code(result: anyhow::Result<ExitStatus>, format: Format, palette: Palette) -> ExitCode {
    match result {
        Ok(ExitStatus::Success) => ExitCode::SUCCESS,
        Ok(ExitStatus::ProblemsFound) => ExitCode::from(1),
        Ok(ExitStatus::Command(code)) => ExitCode::from(code),
        Ok(ExitStatus::Interrupted | ExitStatus::Untested) => ExitCode::from(2),
        Err(error) => {
            let message = format!("{error:#}");
            if format == Format::Json {
                println_ignoring_pipe!("{}", json!({ "error": message }));
            }
            eprintln_ignoring_errors!("{} {message}", palette.error("error:"));
            ExitCode::from(2)
        }
    }
}
