//! How a command ends.

use std::process::ExitCode;

use serde_json::json;

use crate::out::line;
use crate::paint::Paint;

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Human,
    Json,
}

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All is as it should be: 0.
    Good,
    /// Something is wrong with what was looked at, and it was said what: 1.
    Bad,
    /// It was stopped before its end, and all there is to say was said: 2.
    Interrupted,
}

/// Why a command could not do its work: 2. The sentence says what to do.
pub(crate) type Fault = anyhow::Error;

pub(crate) fn exit(answer: Result<Answer, Fault>, format: Format, paint: Paint) -> ExitCode {
    match answer {
        Ok(Answer::Good) => ExitCode::SUCCESS,
        Ok(Answer::Bad) => ExitCode::from(1),
        Ok(Answer::Interrupted) => ExitCode::from(2),
        Err(fault) => {
            let sentence = format!("{fault:#}");
            if format == Format::Json {
                line!("{}", json!({ "error": sentence }));
            }
            eprintln!("{} {sentence}", paint.bad("error:"));
            ExitCode::from(2)
        }
    }
}
