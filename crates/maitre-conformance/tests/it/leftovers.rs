//! Cleanup: nothing is left behind, or it is named.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};
use maitre_conformance::{Level, Marketplace, Suite, checks};
use serde_json::{Value, json};

use crate::mutants::suite;
use crate::sample_addon::{Fault, SampleAddon, manifest};

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_leaves_nothing_behind() {
    for milliseconds in [0, 3, 10, 40, 150, 400, 900, 1_600] {
        let addon = SampleAddon::with(Fault::Nothing);
        let end = tokio::time::sleep(Duration::from_millis(milliseconds));
        let report = suite(&addon).build().unwrap().run_until(end).await.unwrap();
        assert_eq!((addon.active(), report.left_behind.len()), (0, 0), "stopped after {milliseconds} ms");
        if report.interrupted {
            assert!(!report.is_conformant(false), "an incomplete run is not conformant");
            assert!(report.results.len() < checks(Marketplace::Heroku).count());
        }
    }
}

/// The add-on is still working when the run is interrupted.
#[tokio::test(flavor = "multi_thread")]
async fn resources_created_during_an_interruption_are_deleted() {
    let addon = SampleAddon::with(Fault::BusyDuplicates);
    // a provision takes 300 ms: the first one is complete, the second one is not
    let end = tokio::time::sleep(Duration::from_millis(450));
    let report = suite(&addon).only(["robustness.many-at-once"]).build().unwrap().run_until(end).await.unwrap();
    assert!(report.interrupted);
    assert!(addon.created() > 0);
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

/// The add-on answers 404 to a deprovision that arrives early, and creates the resource anyway.
#[tokio::test(flavor = "multi_thread")]
async fn resources_created_after_a_hang_up_are_deleted() {
    let runs = (4..10).map(|step| async move {
        let alive = Arc::new(Mutex::new(HashSet::new()));
        let (created, deleted) = (alive.clone(), alive.clone());
        let provision = async move |Json(body): Json<Value>| {
            let id = body["uuid"].as_str().unwrap_or_default().to_owned();
            let work = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(200)).await;
                created.lock().unwrap().insert(id.clone());
                Json(json!({ "id": id }))
            });
            work.await.unwrap()
        };
        let deprovision = async move |Path(id): Path<String>| {
            if deleted.lock().unwrap().remove(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
        };
        let vendor = Router::new()
            .route("/heroku/resources", post(provision))
            .route("/heroku/resources/{id}", delete(deprovision));
        // the first two provisions take 200 ms each; the caller hangs up on the third one
        let end = tokio::time::sleep(Duration::from_millis(step * 100));
        let suite = Suite::builder(manifest()).service(vendor).only(["idempotency.lost-reply"]);
        let report = suite.build().unwrap().run_until(end).await.unwrap();
        assert_eq!(report.left_behind, Vec::<String>::new());
        tokio::time::sleep(Duration::from_millis(300)).await; // until all pending provisions are complete
        assert_eq!(alive.lock().unwrap().len(), 0, "stopped after {step}00 ms");
    });
    futures_util::future::join_all(runs).await;
}

/// Rows of an add-on that adds one for every POST of a uuid, by uuid.
type Rows = Arc<Mutex<Vec<String>>>;

/// An add-on with a row per POST. Its DELETE removes one row, up to the given number of all rows, and answers 404 if there
/// is none.
fn row_per_post(rows: &Rows, removable: usize) -> Router {
    let (created, changed, deleted) = (rows.clone(), rows.clone(), rows.clone());
    let provision = async move |Json(body): Json<Value>| {
        let Some(uuid) = body["uuid"].as_str().filter(|uuid| !uuid.is_empty()) else {
            return (StatusCode::BAD_REQUEST, Json(json!({})));
        };
        assert!(uuid.len() < 2_000, "{} characters", uuid.len());
        created.lock().unwrap().push(uuid.to_owned());
        (StatusCode::OK, Json(json!({ "id": uuid })))
    };
    let plan_change = async move |Path(id): Path<String>| {
        if changed.lock().unwrap().contains(&id) { StatusCode::OK } else { StatusCode::NOT_FOUND }
    };
    let left = Arc::new(Mutex::new(removable));
    let deprovision = async move |Path(id): Path<String>| {
        let (mut rows, mut left) = (deleted.lock().unwrap(), left.lock().unwrap());
        match rows.iter().rposition(|row| *row == id) {
            Some(position) if *left > 0 => {
                rows.remove(position);
                *left -= 1;
                StatusCode::NO_CONTENT
            }
            _ => StatusCode::NOT_FOUND,
        }
    };
    let resource = delete(deprovision).put(plan_change);
    Router::new().route("/heroku/resources", post(provision)).route("/heroku/resources/{id}", resource)
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_deleted_too() {
    let rows = Rows::default();
    let suite = Suite::builder(manifest()).service(row_per_post(&rows, usize::MAX));
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind, Vec::<String>::new());
    assert_eq!(*rows.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_that_delete_does_not_find_are_listed_and_counted() {
    let rows = Rows::default();
    let suite = Suite::builder(manifest()).service(row_per_post(&rows, 0)).only(["idempotency", "malformed.odd-uuid"]);
    let report = suite.build().unwrap().run().await.unwrap();
    let mut left = rows.lock().unwrap().clone();
    left.sort();
    left.dedup();
    for uuid in &left {
        let name = uuid.get(..36).unwrap_or(uuid);
        let entry = report.left_behind.iter().find(|entry| entry.starts_with(name));
        let entry = entry.unwrap_or_else(|| panic!("{uuid} is missing: {report}"));
        assert!(
            entry.contains("DELETE was answered 404, but the provision had succeeded") && entry.len() < 250,
            "{entry}"
        );
    }
    assert_eq!(report.left_behind.len(), left.len(), "{:#?} {left:#?}", report.left_behind);
    for requests in [32, 33] {
        let text = format!("it was provisioned by {requests} requests)");
        assert_eq!(report.left_behind.iter().filter(|entry| entry.ends_with(&text)).count(), 1, "{report}");
    }
}

/// DELETE answers 204, but only hides the resource from itself.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_that_survive_their_deprovision_are_listed() {
    let rows = Rows::default();
    let (created, changed) = (rows.clone(), rows.clone());
    let provision = async move |Json(body): Json<Value>| {
        created.lock().unwrap().push(body["uuid"].as_str().unwrap_or_default().to_owned());
        Json(json!({ "id": body["uuid"] }))
    };
    let plan_change = async move |Path(id): Path<String>| {
        if changed.lock().unwrap().contains(&id) { StatusCode::OK } else { StatusCode::NOT_FOUND }
    };
    let resource = delete(async || StatusCode::NO_CONTENT).put(plan_change);
    let app = Router::new().route("/heroku/resources", post(provision)).route("/heroku/resources/{id}", resource);
    let suite = Suite::builder(manifest()).service(app).only(["idempotency.same-uuid-again"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind.len(), 1, "{report}");
    assert!(
        report.left_behind[0]
            .ends_with("(a plan change still succeeds after its DELETE; it was provisioned by 3 requests)"),
        "{report}"
    );
}

#[tokio::test]
async fn a_resource_without_a_name_is_counted() {
    let app = Router::new().fallback(async || Json(json!({ "config": {} })));
    let suite = Suite::builder(manifest()).service(app).only(["secrets.inner-life", "provision.id"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind, Vec::<String>::new(), "{report}"); // DELETE by the uuid succeeds
    let app = Router::new()
        .route("/heroku/resources", post(async || Json(json!({ "id": "7" }))).fallback(StatusCode::NOT_FOUND))
        .fallback(StatusCode::NOT_FOUND);
    let suite = Suite::builder(manifest()).service(app).only(["malformed.no-uuid"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert!(!report.left_behind.is_empty() && !report.is_conformant(false), "{report}");
}

#[tokio::test]
async fn resources_that_cannot_be_deleted_are_listed() {
    let addon = SampleAddon::with(Fault::DeprovisionIs500);
    let report = suite(&addon).only(["provision.json"]).build().unwrap().run().await.unwrap();
    assert_eq!(report.failed(Level::Info).count(), 0);
    assert_eq!(report.left_behind.len(), addon.active());
    assert!(report.left_behind[0].ends_with("(DELETE was answered 500)"), "{:?}", report.left_behind);
    assert!(!report.is_conformant(false));
    assert!(report.to_string().contains("left behind: "), "{report}");
}
