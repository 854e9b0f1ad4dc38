//! Poolers between the ledger and Postgres. With `MAITRE_TEST_PGBOUNCER` the other tests run behind one as well.

use maitre_bench_support::Pooler;
use maitre_core::Backend;

use super::support::{Answer, Database, Vendor, basic, deprovision, key, plan_change, replies};

/// Creates a database and a pooler in front of it. Returns `None` if a server or the pooler is missing.
async fn pooled(mode: &'static str, size: u32) -> Option<(Database, Database, Pooler)> {
    let direct = Database::postgres().await?;
    let url = direct.direct_url();
    let pooler = tokio::task::spawn_blocking(move || Pooler::start(&url, mode, size)).await.expect("a pooler or none");
    if pooler.is_none() {
        eprintln!("\n*** NO PGBOUNCER: ITS TESTS ARE SKIPPED. ***\n");
        assert!(std::env::var_os("CI").is_none(), "CI must not skip the tests of poolers");
    }
    let pooler = pooler?;
    let database = Database::at(&pooler.url(direct.name()));
    Some((direct, database, pooler))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unnamed_statements_work_through_a_transaction_pooler() {
    let Some((direct, pooled, _pooler)) = pooled("transaction", 2).await else { return };
    pooled.migrated().await;
    let vendor = Vendor::new(direct.pool().await).await;
    let mut listeners = Vec::new();
    let by_url = Database::at(&format!("{}?prepared_statements=false", pooled.url));
    for options in [pooled.options().prepared_statements(false), by_url.options()] {
        listeners.push(options.open().await.expect("a ledger").wrap(vendor.clone()));
    }
    let calls = (0..40).map(|number| {
        let listener = listeners[number % listeners.len()].clone();
        async move {
            let key = key();
            listener.provision(basic(&key)).await?;
            listener.plan_change(plan_change(&key, "premium")).await?;
            listener.deprovision(deprovision(&key)).await
        }
    });
    let answers = replies(calls).await;
    assert!(answers.iter().all(Answer::is_done), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_without_prepared_statements_is_named_at_the_start() {
    let Some((_direct, pooled, _pooler)) = pooled("transaction", 1).await else { return };
    pooled.migrated().await;
    let error = pooled.options().open().await.expect_err("a pooler without prepared statements").to_string();
    assert!(error.contains("prepared_statements=false"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_statement_mode_is_named_at_the_start() {
    let Some((direct, pooled, _pooler)) = pooled("statement", 2).await else { return };
    direct.migrated().await;
    for prepared in [true, false] {
        let opened = pooled.options().prepared_statements(prepared).open().await;
        let error = opened.expect_err("a pooler in statement mode").to_string();
        assert!(error.contains("statement mode"), "{error}");
    }
}
