//! Report for people.

use comfy_table::{CellAlignment, Table};
use maitre_conformance::{CheckResult, Level, Outcome, Report};

use crate::color::Palette;
use crate::output::{borderless, println_ignoring_pipe};

pub(super) fn print(report: &Report, strict: bool, palette: Palette) {
    // the most severe failure comes last, next to the prompt
    for level in [Level::Info, Level::Should, Level::Must] {
        let of_level: Vec<_> = report.failed(level).filter(|result| result.check.level == level).collect();
        for result in of_level.iter().rev() {
            println_ignoring_pipe!("\n{}", colored(result, palette));
        }
    }
    print_skipped(report, palette);
    println_ignoring_pipe!("\n{}", counts(report));
    for resource in &report.left_behind {
        println_ignoring_pipe!("{} {resource}", palette.error("left behind:"));
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
    for (name, failed) in [("passed", false), ("failed", true)] {
        table.add_row(std::iter::once(name.to_owned()).chain(levels.map(|level| count(level, failed))));
    }
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
    let (counts, contract) = (report.summary(), report.marketplace.contract());
    if report.is_conformant(strict) {
        let advice =
            if counts.failed_should > 0 { " Fixing the failed checks is recommended but not required." } else { "" };
        let text = format!("This add-on conforms to {contract}.");
        return format!("{}{advice} ({seconds:.1} s)", palette.success(&text));
    }
    let text = if counts.failed_must + counts.failed_should == 0 {
        "Some created resources could not be deleted.".to_owned()
    } else {
        let level = if counts.failed_must == 0 { "should" } else { "must" };
        format!("This add-on does not conform to {contract}. Start with the last failure above, a {level}.")
    };
    format!("{} ({seconds:.1} s)", palette.error(&text))
}
