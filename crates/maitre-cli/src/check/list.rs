//! `maitre check --list`

use std::fmt::Write as _;

use comfy_table::Table;
use maitre_conformance::{Check, Level, Marketplace};
use serde_json::{Value, json};

use crate::color::Palette;
use crate::output::{borderless, println_ignoring_pipe};

/// Source of docs/conformance.md, with placeholders for the tables of checks.
const PAGE: &str = include_str!("../conformance.md");

pub(super) fn print(marketplace: Marketplace, palette: Palette) {
    println_ignoring_pipe!("{}", palette.bold(marketplace.contract()));
    let mut table = Table::new();
    for check in marketplace.checks() {
        let slow = if check.slow { " (slow)" } else { "" };
        table.add_row([check.id, &check.level.to_string(), &format!("{}{slow}", check.sentence)]);
    }
    println_ignoring_pipe!("{}", borderless(&mut table));
}

pub(super) fn json(marketplace: Marketplace) -> Value {
    marketplace.checks().map(object).collect()
}

fn object(check: &Check) -> Value {
    json!({
        "id": check.id,
        "level": check.level.to_string(),
        "requirement": check.sentence,
        "source": check.clause.source.to_string(),
        "clause": check.clause.says,
        "slow": check.slow,
    })
}

/// Returns the text of docs/conformance.md.
pub(super) fn page() -> String {
    Marketplace::ALL.into_iter().fold(PAGE.to_owned(), |page, marketplace| {
        page.replace(&format!("<!-- checks of {marketplace} -->"), table(marketplace).trim_end())
    })
}

fn table(marketplace: Marketplace) -> String {
    let count = |level: Level| marketplace.checks().filter(|check| check.level == level).count();
    let mut table = String::new();
    let _ = writeln!(
        table,
        "{}: {} checks, of which {} must, {} should and {} info.\n",
        marketplace.contract(),
        marketplace.checks().count(),
        count(Level::Must),
        count(Level::Should),
        count(Level::Info),
    );
    let _ = writeln!(table, "| check | level | requirement | source |");
    let _ = writeln!(table, "| --- | --- | --- | --- |");
    for check in marketplace.checks() {
        let slow = if check.slow { ", slow" } else { "" };
        let (requirement, citation) = (cell(check.sentence), cell(&check.clause.to_string()));
        let _ = writeln!(table, "| `{}` | {}{slow} | {requirement} | {citation} |", check.id, check.level);
    }
    table
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
