//! `maitre checks`

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use comfy_table::Table;
use maitre_conformance::{Check, Level, Marketplace};
use serde_json::{Value, json};

use crate::answer::{Answer, Format};
use crate::out::{columns, line, put};
use crate::paint::Paint;

/// What stands around the tables of docs/conformance.md.
const PAGE: &str = include_str!("conformance.md");

/// Lists the checks: ids, levels, and where each rule is written.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre checks
  maitre checks --marketplace cloudcontrol --format json
  maitre checks --format markdown > docs/conformance.md")]
pub(crate) struct Checks {
    /// Of this marketplace alone: heroku, cloudcontrol or opperator
    #[arg(long, value_name = "NAME")]
    marketplace: Option<Marketplace>,

    /// For whom the list is
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    #[default]
    Human,
    Json,
    Markdown,
}

impl Checks {
    pub(crate) fn format(&self) -> Format {
        if self.format == ListFormat::Json { Format::Json } else { Format::Human }
    }

    pub(crate) fn run(&self, paint: Paint) -> Answer {
        let marketplaces: Vec<_> = match self.marketplace {
            Some(marketplace) => vec![marketplace],
            None => Marketplace::ALL.to_vec(),
        };
        match self.format {
            ListFormat::Human => marketplaces.into_iter().for_each(|marketplace| human(marketplace, paint)),
            ListFormat::Json => {
                let all = marketplaces.into_iter().flat_map(Marketplace::checks).map(object);
                line!("{}", all.collect::<Value>());
            }
            ListFormat::Markdown => put!("{}", page()),
        }
        Answer::Good
    }
}

fn human(marketplace: Marketplace, paint: Paint) {
    line!("{}", paint.strong(marketplace.contract()));
    let mut table = Table::new();
    for check in marketplace.checks() {
        let slow = if check.slow { " (slow)" } else { "" };
        table.add_row([check.id, &check.level.to_string(), &format!("{}{slow}", check.sentence)]);
    }
    line!("{}\n", columns(&mut table));
}

fn object(check: &Check) -> Value {
    json!({
        "id": check.id,
        "level": check.level.to_string(),
        "sentence": check.sentence,
        "source": check.clause.source.to_string(),
        "clause": check.clause.says,
        "slow": check.slow,
    })
}

/// The whole of docs/conformance.md.
pub(crate) fn page() -> String {
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
    let _ = writeln!(table, "| check | level | what a good add-on does | where that is written |");
    let _ = writeln!(table, "| --- | --- | --- | --- |");
    for check in marketplace.checks() {
        let slow = if check.slow { ", slow" } else { "" };
        let (sentence, clause) = (cell(check.sentence), cell(&check.clause.to_string()));
        let _ = writeln!(table, "| `{}` | {}{slow} | {sentence} | {clause} |", check.id, check.level);
    }
    table
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
