//! The names of metrics in the code, the READMEs, the dashboard and the alert rules agree; calls to marketplaces are counted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use maitre::platforms::scalingo::{Client, JsonClient};
use maitre_testkit::apis::ScalingoApi;
use maitre_testkit::platform::Fault;

use crate::support::Counts;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("maitre_"));
    let metric = |word: &str| {
        let name = word.strip_suffix("_bucket").unwrap_or(word);
        let is_metric = ["_total", "_seconds", "_operations", "_jobs"].iter().any(|end| name.ends_with(end));
        // tables of the ledger
        (is_metric && !matches!(name, "maitre_operations" | "maitre_jobs")).then(|| name.to_owned())
    };
    words.filter_map(metric).collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// Returns the names of the metrics that the crates record.
fn recorded() -> BTreeSet<String> {
    let files = [
        "crates/maitre-axum/src/metrics.rs",
        "crates/maitre-heroku/src/metrics.rs",
        "crates/maitre-heroku-api/src/metrics.rs",
        "crates/maitre-http/src/exchange.rs",
        "crates/maitre-ledger/src/metrics.rs",
        "crates/maitre-ledger/src/runtime/gauges.rs",
    ];
    files.iter().flat_map(|file| names(&read(file))).collect()
}

#[test]
fn every_metric_is_documented_and_on_the_dashboard() {
    let recorded = recorded();
    assert!(recorded.len() > 15, "{recorded:?}");
    let readmes = ["axum", "http", "ledger"].map(|name| names(&read(&format!("crates/maitre-{name}/README.md"))));
    let documented: BTreeSet<_> = readmes.into_iter().flatten().collect();
    assert_eq!(documented, recorded, "in the READMEs");
    assert_eq!(names(&read("docs/grafana/maitre.json")), recorded, "on the dashboard");
    serde_json::from_str::<serde_json::Value>(&read("docs/grafana/maitre.json")).unwrap();
}

#[test]
fn alerts_are_about_metrics_that_exist() {
    let recorded = recorded();
    for file in ["docs/grafana/alerts.yml", "docs/deployment.md"] {
        let used = names(&read(file));
        assert!(used.len() > 5 && used.is_subset(&recorded), "{file}: {:?}", used.difference(&recorded));
    }
}

#[tokio::test]
async fn every_attempt_of_a_call_to_a_marketplace_is_counted() {
    let (counts, scalingo) = (Counts::installed(), ScalingoApi::new("lychee", "s3cr3t-example"));
    scalingo.add_app("66c0ffee", "ad-7d0c2b8e", "small");
    scalingo.inject_fault(Fault::status(503));
    let server = scalingo.serve().await.unwrap();
    let http = JsonClient::builder("counted", server.url()).no_proxy();
    let http = http.backoff(Duration::from_millis(1), Duration::from_millis(5)).build().unwrap();
    Client::new("lychee", "s3cr3t-example", http).app("66c0ffee").await.unwrap();
    let attempts = |status: &str| counts.of(&format!("maitre_marketplace_calls_total counted GET {status}"));
    assert_eq!([attempts("503"), attempts("200"), attempts("404")], [1, 1, 0]);
}
