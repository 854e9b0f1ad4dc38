//! `maitre check --list`

use std::fmt::Write as _;

use comfy_table::Table;
use maitre_conformance::{Check, Level, Marketplace, checks};
use serde_json::{Value, json};

use crate::color::Palette;
use crate::output::{borderless, println_ignoring_pipe};

/// Source of docs/conformance.md, with a placeholder for the tables of checks.
const PAGE: &str = include_str!("../conformance.md");

pub(super) fn print(marketplace: Marketplace, palette: Palette) {
    println_ignoring_pipe!("{}", palette.bold(marketplace.contract()));
    let mut table = Table::new();
    for check in checks(marketplace) {
        let slow = if check.slow { " (slow)" } else { "" };
        table.add_row([check.id, &check.level.to_string(), &format!("{}{slow}", check.requirement)]);
    }
    println_ignoring_pipe!("{}", borderless(&mut table));
}

pub(super) fn json(marketplace: Marketplace) -> Value {
    checks(marketplace).map(object).collect()
}

fn object(check: &Check) -> Value {
    json!({
        "id": check.id,
        "level": check.level.to_string(),
        "requirement": check.requirement,
        "source": check.citation.source.to_string(),
        "citation": check.citation.summary,
        "slow": check.slow,
    })
}

/// Returns the text of docs/conformance.md.
pub(super) fn page() -> String {
    let checked = Marketplace::ALL.into_iter().filter(|marketplace| checks(*marketplace).next().is_some());
    let tables: Vec<_> = checked.map(table).collect();
    PAGE.replace("<!-- checks -->", tables.join("\n").trim_end())
}

fn table(marketplace: Marketplace) -> String {
    let count = |level: Level| checks(marketplace).filter(|check| check.level == level).count();
    let mut table = String::new();
    let _ = writeln!(table, "### {}\n", marketplace.title());
    let _ = writeln!(
        table,
        "{}: {} checks, of which {} must, {} should and {} info.\n",
        marketplace.contract(),
        checks(marketplace).count(),
        count(Level::Must),
        count(Level::Should),
        count(Level::Info),
    );
    let _ = writeln!(table, "| check | level | requirement | source |");
    let _ = writeln!(table, "| --- | --- | --- | --- |");
    for check in checks(marketplace) {
        let slow = if check.slow { ", slow" } else { "" };
        let (requirement, citation) = (cell(check.requirement), cell(&check.citation.to_string()));
        let _ = writeln!(table, "| `{}` | {}{slow} | {requirement} | {citation} |", check.id, check.level);
    }
    table
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
