//! For machines.

use serde_json::{Value, json};

use super::{Finding, Report};
use crate::verdict::{Exchange, Outcome};

pub(super) fn write(report: &Report) -> Value {
    let figures = report.figures();
    json!({
        "marketplace": report.marketplace.name(),
        "contract": report.marketplace.contract(),
        "target": report.target,
        "conformant": report.is_conformant(false),
        "strictly_conformant": report.is_conformant(true),
        "interrupted": report.interrupted,
        "left_behind": report.left_behind,
        "milliseconds": milliseconds(report.took),
        "figures": {
            "passed": figures.passed,
            "failed": { "must": figures.must, "should": figures.should, "info": figures.info },
            "skipped": figures.skipped,
        },
        "checks": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let check = finding.check;
    let mut written = json!({
        "id": check.id,
        "level": check.level.to_string(),
        "sentence": check.sentence,
        "source": check.clause.source.to_string(),
        "clause": check.clause.says,
        "milliseconds": milliseconds(finding.took),
    });
    match &finding.outcome {
        Outcome::Passed => written["outcome"] = "passed".into(),
        Outcome::Skipped(reason) => {
            written["outcome"] = "skipped".into();
            written["reason"] = reason.as_str().into();
        }
        Outcome::Failed(failure) => {
            written["outcome"] = "failed".into();
            written["why"] = failure.why.as_str().into();
            written["advice"] = failure.advice.as_str().into();
            written["shown_by"] = failure.shown_by.into();
            written["exchanges"] = failure.exchanges.iter().map(exchange).collect();
        }
    }
    written
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "request": exchange.line,
        "status": exchange.status,
        "milliseconds": milliseconds(exchange.took),
        "text": exchange.text,
    })
}

fn milliseconds(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
