//! `maitre ledger adopt`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use maitre_core::AddonId;
use maitre_ledger::{AdoptReport, Adoption};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::act::OperatorArgs;
use super::text::clean;
use super::{CommonArgs, OutputFormat};
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Adopts resources that the ledger did not provision, from a CSV or JSON file. It can be repeated. The exit status is 1
/// if an entry contradicts the ledger; such entries are listed and not adopted
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger adopt customers.csv --dry-run
  maitre ledger adopt sold.json --addon heroku/tally --reason 'sold before'

A CSV file begins with a line of column names: key, plan, and optionally addon, provider_id, created_at and config (a JSON object of the config vars). A JSON file is an array of objects with these fields.")]
pub(super) struct Adopt {
    /// File with the resources: CSV, or JSON if its name ends with .json
    file: PathBuf,
    /// Add-on of entries that name none
    #[arg(long, value_name = "MARKETPLACE/SLUG")]
    addon: Option<AddonId>,
    /// Only report what would be adopted
    #[arg(long)]
    dry_run: bool,
    /// Reason, for the timelines
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Entry of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    addon: Option<String>,
    key: String,
    plan: String,
    #[serde(default)]
    provider_id: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    config: Option<BTreeMap<String, String>>,
}

impl Adopt {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let entries = read(&self.file)?;
        let numbered = entries.into_iter().zip(1..);
        let adoptions = numbered.map(|(entry, number)| {
            entry.adoption(self.addon.as_ref()).with_context(|| format!("entry {number} of {}", self.file.display()))
        });
        let adoptions = adoptions.collect::<anyhow::Result<Vec<_>>>()?;
        let ledger = self.common.database.open().await?;
        let report = match &self.reason {
            _ if self.dry_run => ledger.adopt_dry_run(adoptions).await,
            reason => {
                let reason = reason.as_deref().unwrap_or_default();
                ledger.operator(&self.operator.name).with_reason(reason).adopt(adoptions).await
            }
        };
        ledger.close().await;
        let report = report?;
        match self.common.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", object(&report, self.dry_run)),
            OutputFormat::Human => self.print(&report),
        }
        Ok(if report.contradictions.is_empty() { ExitStatus::Success } else { ExitStatus::ProblemsFound })
    }

    fn print(&self, report: &AdoptReport) {
        for contradiction in &report.contradictions {
            println_ignoring_pipe!("{}", clean(&contradiction.to_string()));
        }
        let adopted = if self.dry_run { "would be adopted" } else { "adopted" };
        println_ignoring_pipe!(
            "{adopted}: {}, unchanged: {}, contradictions: {}",
            report.adopted,
            report.unchanged,
            report.contradictions.len()
        );
    }
}

fn object(report: &AdoptReport, dry_run: bool) -> Value {
    let contradictions = report.contradictions.iter().map(|contradiction| {
        json!({
            "entry": contradiction.position,
            "addon": contradiction.addon.to_string(),
            "key": contradiction.key,
            "reason": contradiction.kind.to_string(),
        })
    });
    json!({
        "dry_run": dry_run,
        "adopted": report.adopted,
        "unchanged": report.unchanged,
        "contradictions": contradictions.collect::<Vec<_>>(),
    })
}

impl Entry {
    fn adoption(self, default: Option<&AddonId>) -> anyhow::Result<Adoption> {
        let addon = match (self.addon.as_deref().filter(|addon| !addon.is_empty()), default) {
            (Some(addon), _) => addon.parse().with_context(|| format!("invalid add-on {addon:?}"))?,
            (None, Some(addon)) => addon.clone(),
            (None, None) => bail!("it names no add-on: add a column addon, or use --addon"),
        };
        let mut adoption = Adoption::new(addon, self.key, self.plan);
        if let Some(id) = self.provider_id.filter(|id| !id.is_empty()) {
            adoption = adoption.with_provider_id(id);
        }
        if let Some(at) = self.created_at.filter(|at| !at.is_empty()) {
            let at = OffsetDateTime::parse(&at, &Rfc3339);
            adoption = adoption.with_created_at(at.context("created_at is not a time such as 2026-03-04T05:06:07Z")?);
        }
        if let Some(config) = self.config {
            adoption = adoption.with_config(config);
        }
        Ok(adoption)
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Entry>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let entries = if is_json { serde_json::from_str(&text).map_err(Into::into) } else { read_csv(&text) };
    entries.with_context(|| format!("cannot parse {}", file.display()))
}

fn read_csv(text: &str) -> anyhow::Result<Vec<Entry>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().context("no column names in the first line")?.clone();
    ensure!(columns.iter().any(|column| column == "key"), "no column `key` in the first line");
    reader
        .records()
        .map(|record| {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let fields = columns.iter().zip(&record).filter(|(_, value)| !value.is_empty());
            let field = |(name, value): (&str, &str)| {
                let value = if name == "config" { serde_json::from_str(value)? } else { Value::from(value) };
                Ok((name.to_owned(), value))
            };
            let entry: anyhow::Result<Map<_, _>> = fields.map(field).collect();
            let entry = entry.and_then(|entry| Ok(Entry::deserialize(Value::from(entry))?));
            entry.with_context(|| format!("line {line}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_contain_the_same_entries() {
        let csv = "key,plan,provider_id,config\nk1,basic,,\n\"k,2\",premium,641,\"{\"\"A_URL\"\": \"\"x\"\"}\"\n";
        let json = r#"[{"key":"k1","plan":"basic"},{"key":"k,2","plan":"premium","provider_id":"641","config":{"A_URL":"x"}}]"#;
        let addon = AddonId::new("heroku", "lantern");
        let adoptions = |entries: Vec<Entry>| -> Vec<String> {
            entries.into_iter().map(|entry| format!("{:?}", entry.adoption(Some(&addon)).unwrap())).collect()
        };
        let expected = adoptions(serde_json::from_str(json).unwrap());
        assert_eq!(adoptions(read_csv(csv).unwrap()), expected);
        assert!(expected[1].contains("k,2") && expected[1].contains("641"), "{}", expected[1]);
    }

    #[test]
    fn an_invalid_line_is_named() {
        for (csv, message) in [
            ("plan\nbasic\n", "no column `key` in the first line"),
            ("key,plan\nk1,basic\nk2\n", "found record with 1 fields"),
            ("key,plan,color\nk1,basic,red\n", "line 2: unknown field `color`"),
            ("key,plan\nk1,\n", "line 2: missing field `plan`"),
            ("key,plan,config\nk1,basic,{\n", "line 2: EOF while parsing"),
        ] {
            let error = format!("{:#}", read_csv(csv).err().expect("an error"));
            assert!(error.contains(message), "{error}");
        }
        let entry = |json: &str| serde_json::from_str::<Entry>(json).unwrap().adoption(None);
        let error = format!("{:#}", entry(r#"{"key":"k1","plan":"basic"}"#).unwrap_err());
        assert!(error.contains("--addon"), "{error}");
        let error = entry(r#"{"addon":"heroku/lantern","key":"k1","plan":"basic","created_at":"today"}"#).unwrap_err();
        assert!(format!("{error:#}").contains("2026-03-04T05:06:07Z"), "{error:#}");
    }
}
