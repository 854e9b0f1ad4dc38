//! Manifest API of Heroku's add-ons-admin plugin.

use serde_json::{Value, json};

use crate::support::{Harness, manifest};

const AT: &str = "/api/v3/addons/lantern";

#[tokio::test]
async fn manifests_are_pushed_listed_and_read() {
    let harness = Harness::new().await;
    let (status, current) = harness.customer("GET", &format!("{AT}/current_manifest"), Value::Null).await;
    assert_eq!((status, &current["contents"]), (200, &manifest()), "the one that the sandbox was started with");

    let mut changed = manifest();
    changed["api"]["regions"] = json!(["us"]);
    for _ in 0..2 {
        let (status, pushed) =
            harness.customer("POST", &format!("{AT}/manifests"), json!({ "contents": changed })).await;
        assert_eq!((status, &pushed["contents"]), (201, &changed));
    }
    let (_, current) = harness.customer("GET", &format!("{AT}/current_manifest"), Value::Null).await;
    assert_eq!(current["contents"], changed);
    let (_, list) = harness.customer("GET", &format!("{AT}/manifests"), Value::Null).await;
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["2", "1"], "an unchanged manifest is not a new revision");
    let (_, first) = harness.customer("GET", &format!("{AT}/manifests/1"), Value::Null).await;
    assert_eq!(first["contents"], manifest());
    assert_eq!(harness.customer("GET", "/regions", Value::Null).await.1[0]["name"], "us");
}

#[tokio::test]
async fn errors_have_the_format_that_the_plugin_prints() {
    let harness = Harness::new().await;
    let mut invalid = manifest();
    invalid["api"]["version"] = json!(3);
    let (status, body) = harness.customer("POST", &format!("{AT}/manifests"), json!({ "contents": invalid })).await;
    assert_eq!(status, 422);
    assert!(body["error"]["base"][0].as_str().unwrap().starts_with("api.version: "), "{body}");
    let mut other = manifest();
    other["id"] = json!("candle");
    for contents in [other, json!("text")] {
        let (status, body) =
            harness.customer("POST", &format!("{AT}/manifests"), json!({ "contents": contents })).await;
        assert_eq!((status, body["error"]["base"].as_array().unwrap().len()), (422, 1), "{body}");
    }
    for path in ["/api/v3/addons/candle/current_manifest", "/api/v3/addons/lantern/manifests/7"] {
        let (status, body) = harness.customer("GET", path, Value::Null).await;
        assert!(status == 404 && body["error"].is_string(), "{path}: {status} {body}");
    }
    let wrong = harness.http.get(harness.url(&format!("{AT}/current_manifest"))).bearer_auth("wrong").send().await;
    assert_eq!(wrong.unwrap().status(), 401);
}
