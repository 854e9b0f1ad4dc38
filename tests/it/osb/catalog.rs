//! `GET /v2/catalog`.

use serde_json::{Value, json};

use super::{BASIC, PREMIUM, SERVICE, SIZED, answer, broker};

#[tokio::test]
async fn the_catalog_lists_services_and_plans() {
    let broker = broker().await;
    let (status, catalog) = answer(&broker.send("GET /v2/catalog", &Value::Null).await);
    assert_eq!(status, 200);
    let service = &catalog["services"][0];
    assert_eq!(
        (&service["id"], &service["name"], &service["bindable"]),
        (&json!(SERVICE), &json!("lantern"), &json!(true))
    );
    let ids: Vec<_> = service["plans"].as_array().unwrap().iter().map(|plan| plan["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [BASIC, PREMIUM, SIZED]);
    assert_eq!(service["plans"][0]["maintenance_info"]["version"], "1.2.0");
    assert_eq!(broker.vendor.calls(), 0);
}

#[tokio::test]
async fn a_platform_that_has_the_catalog_is_answered_304() {
    let broker = broker().await;
    let tag = broker.send("GET /v2/catalog", &Value::Null).await.header("etag").expect("a tag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"old\", {tag}"), "*".to_owned()] {
        let known = format!("if-none-match: {known}");
        let reply = broker.send_with("GET /v2/catalog", &["x-broker-api-version: 2.17", &known], &Value::Null).await;
        assert_eq!(
            (reply.status(), reply.body(), reply.header("etag")),
            (304, &b""[..], Some(tag.as_str())),
            "{known}"
        );
    }
    let old = ["x-broker-api-version: 2.17", "if-none-match: \"old\""];
    assert_eq!(broker.send_with("GET /v2/catalog", &old, &Value::Null).await.status(), 200);
}
