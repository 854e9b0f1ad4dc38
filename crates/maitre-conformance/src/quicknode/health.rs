//! Health check.

use super::target::Target;
use crate::check::{Case, Citation, Source};
use crate::verdict::Verdict;

const GUIDE: Citation = Citation {
    source: Source::Document("QuickNode: Guidelines for healthcheck URLs"),
    summary: "200 without authentication, every ten minutes",
};

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("quicknode.health.succeeds", "The health check is answered 200.", GUIDE, |target| {
        Box::pin(succeeds(target))
    }),
    Case::should("quicknode.health.status", "The health check has a JSON object as its body.", GUIDE, |target| {
        Box::pin(status(target))
    }),
];

const ADVICE: &str = "Answer 200 with {\"status\": \"ok\"} if the database can be read.";

async fn succeeds(target: &Target) -> Verdict {
    target.wire.send(target.quicknode.health()).await?.must_be(&[200], ADVICE).map(drop)
}

async fn status(target: &Target) -> Verdict {
    let response = target.wire.send(target.quicknode.health()).await?;
    super::skip_unless_ok(&response, "the health check", "health.succeeds")?;
    if response.json().is_some_and(|body| body.is_object()) {
        return Ok(());
    }
    Err(response.fault("The body is not a JSON object.", ADVICE))
}
