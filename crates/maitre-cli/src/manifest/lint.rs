//! `maitre manifest lint`

use std::path::Path;

use anyhow::Context as _;
use maitre_conformance::{Level, Marketplace, lint};
use serde_json::json;

use super::OutputFormat;
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

pub(super) fn lint(
    file: &Path,
    marketplace: Marketplace,
    strict: bool,
    format: OutputFormat,
    palette: Palette,
) -> anyhow::Result<ExitStatus> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let findings = lint::text_for(marketplace, &text);
    let threshold = if strict { Level::Should } else { Level::Must };
    let has_problems = findings.iter().any(|finding| finding.level >= threshold);
    if format == OutputFormat::Json {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| {
                json!({
                    "path": finding.path,
                    "rule": finding.rule,
                    "level": finding.level.to_string(),
                    "message": finding.message,
                })
            })
            .collect();
        println_ignoring_pipe!(
            "{}",
            json!({ "file": file.display().to_string(), "ok": !has_problems, "findings": findings })
        );
        return Ok(if has_problems { ExitStatus::ProblemsFound } else { ExitStatus::Success });
    }
    let name = file.display().to_string();
    for finding in &findings {
        let level = match finding.level {
            Level::Must => palette.error("must  "),
            Level::Should => palette.warning("should"),
            _ => palette.dim("info  "),
        };
        println_ignoring_pipe!(
            "{level} {}: {} {}",
            palette.bold(if finding.path.is_empty() { &name } else { &finding.path }),
            finding.message,
            palette.dim(&format!("({})", finding.rule))
        );
    }
    if findings.is_empty() {
        println_ignoring_pipe!("{}", palette.success(&format!("No problems found in {}.", file.display())));
    }
    Ok(if has_problems { ExitStatus::ProblemsFound } else { ExitStatus::Success })
}
