//! Report for people.

use comfy_table::{CellAlignment, Table};
use maitre_conformance::{CheckResult, Conclusion, Level, Outcome, Report};

use crate::color::Palette;
use crate::output::{borderless, println_ignoring_pipe};

pub(super) fn print(report: &Report, strict: bool, palette: Palette) {
    // the failure to fix first comes last, next to the prompt
    let first = report.begin_with().map(|(result, _)| result.check.id);
    for level in [Level::Info, Level::Should, Level::Must] {
        let of_level: Vec<_> = report.failed(level).filter(|result| result.check.level == level).collect();
        for result in of_level.iter().rev().filter(|result| Some(result.check.id) != first) {
            println_ignoring_pipe!("\n{}", colored(result, palette));
        }
    }
    if let Some((result, _)) = report.begin_with() {
        println_ignoring_pipe!("\n{}", colored(result, palette));
    }
    print_skipped(report, palette);
    println_ignoring_pipe!("\n{}", counts(report));
    if !report.left_behind.is_empty() {
        println_ignoring_pipe!("{} {}", palette.error("left behind:"), report.left_behind.len());
    }
    for resource in &report.left_behind {
        println_ignoring_pipe!("  {resource}");
    }
    if let Some(advice) = advice(report, strict) {
        println_ignoring_pipe!("{advice}");
    }
    if !report.interrupted {
        println_ignoring_pipe!("{}", verdict(report, strict, palette));
    }
}

pub(super) fn interruption(report: &Report) -> &'static str {
    if report.left_behind.is_empty() {
        "interrupted; all created resources were deleted"
    } else {
        "interrupted; some created resources could not be deleted: see \"left behind\" above"
    }
}

/// Formats a result, with its headline in the color of its level.
fn colored(result: &CheckResult, palette: Palette) -> String {
    let text = result.to_string();
    let (headline, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let headline = match result.check.level {
        Level::Must => palette.error(headline),
        Level::Should => palette.warning(headline),
        _ => palette.bold(headline),
    };
    format!("{headline}\n{}", rest.trim_end())
}

/// Prints one line per reason for skipping.
fn print_skipped(report: &Report, palette: Palette) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for result in &report.results {
        let Outcome::Skipped(reason) = &result.outcome else { continue };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, ids)) => ids.push(result.check.id),
            None => reasons.push((reason, vec![result.check.id])),
        }
    }
    if !reasons.is_empty() {
        println_ignoring_pipe!();
    }
    for (reason, ids) in reasons {
        let ids = if let [id] = ids[..] { id.to_owned() } else { format!("{} checks", ids.len()) };
        println_ignoring_pipe!("{} {ids}: {reason}", palette.dim("skipped"));
    }
}

fn counts(report: &Report) -> String {
    let mut table = Table::new();
    table.set_header(["", "must", "should", "info"]);
    let count = |level: Level, failed: bool| {
        let of_level = report.results.iter().filter(|result| result.check.level == level);
        let counted = of_level.filter(|result| match &result.outcome {
            Outcome::Passed => !failed,
            Outcome::Failed(_) => failed,
            _ => false,
        });
        counted.count().to_string()
    };
    let levels = [Level::Must, Level::Should, Level::Info];
    table.add_row(std::iter::once("passed".to_owned()).chain(levels.map(|level| count(level, false))));
    table.add_row(["failed", &count(Level::Must, true), &count(Level::Should, true)]);
    table.add_row(["notes", "", "", &count(Level::Info, true)]);
    let skipped = report.summary().skipped;
    if skipped > 0 {
        table.add_row(["skipped", &skipped.to_string()]);
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    borderless(&mut table)
}

fn verdict(report: &Report, strict: bool, palette: Palette) -> String {
    let seconds = report.duration.as_secs_f32();
    let text = report.verdict(strict);
    let (conclusion, rest) = text.split_once(". ").map_or((text.as_str(), ""), |(first, rest)| (first, rest));
    let conclusion = format!("{}.", conclusion.trim_end_matches('.'));
    let mut lines = match report.conclusion(strict) {
        Conclusion::Conformant => palette.success(&conclusion),
        _ => palette.error(&conclusion),
    };
    if !rest.is_empty() {
        lines = format!("{lines} {rest}");
    }
    format!("{lines} ({seconds:.1} s)")
}

/// Names the failure to fix first.
fn advice(report: &Report, strict: bool) -> Option<String> {
    if let Some((result, count)) = report.begin_with() {
        return Some(format!("Begin with {}: {count} checks were skipped because of it.", result.check.id));
    }
    match report.conclusion(strict) {
        Conclusion::Nonconformant => Some("Begin with the last failure above.".to_owned()),
        Conclusion::Conformant if report.summary().failed_should > 0 => {
            Some("Fixing the failed checks is recommended but not required.".to_owned())
        }
        _ => None,
    }
}
