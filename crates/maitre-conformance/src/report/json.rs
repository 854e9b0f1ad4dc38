//! Report as JSON.

use serde_json::{Value, json};

use super::{CheckResult, Report};
use crate::registry::checks;
use crate::verdict::{Exchange, Outcome};

pub(super) fn write(report: &Report) -> Value {
    let summary = report.summary();
    json!({
        "marketplace": report.marketplace.name(),
        "contract": report.marketplace.contract(),
        "url": report.url,
        "conformant": report.is_conformant(false),
        "strictly_conformant": report.is_conformant(true),
        "conclusion": report.conclusion(false).name(),
        "verdict": report.verdict(false),
        "tried": report.tried(),
        "total": checks(report.marketplace).count(),
        "begin_with": report.begin_with().map(|(result, _)| result.check.id),
        "interrupted": report.interrupted,
        "left_behind": report.left_behind,
        "duration_ms": milliseconds(report.duration),
        "summary": {
            "passed": summary.passed,
            "failed": {
                "must": summary.failed_must,
                "should": summary.failed_should,
                "info": summary.failed_info,
            },
            "skipped": summary.skipped,
        },
        "checks": report.results.iter().map(result).collect::<Vec<_>>(),
    })
}

fn result(result: &CheckResult) -> Value {
    let check = result.check;
    let mut object = json!({
        "id": check.id,
        "level": check.level.to_string(),
        "requirement": check.requirement,
        "source": check.citation.source.to_string(),
        "citation": check.citation.summary,
        "duration_ms": milliseconds(result.duration),
    });
    match &result.outcome {
        Outcome::Passed => object["outcome"] = "passed".into(),
        Outcome::Skipped(reason) => {
            object["outcome"] = "skipped".into();
            object["reason"] = reason.as_str().into();
            object["cause"] = result.cause().map(|cause| cause.id).into();
        }
        Outcome::Failed(failure) => {
            object["outcome"] = "failed".into();
            object["message"] = failure.message.as_str().into();
            object["advice"] = failure.advice.as_str().into();
            object["evidence"] = failure.evidence.into();
            object["exchanges"] = failure.exchanges.iter().map(exchange).collect();
        }
    }
    object
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "request": exchange.request_line,
        "status": exchange.status,
        "duration_ms": milliseconds(exchange.duration),
        "text": exchange.text,
    })
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
