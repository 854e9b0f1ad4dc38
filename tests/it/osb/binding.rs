//! Bind and unbind, with a listener that has no ledger.

use maitre::{Bound, Endpoint, Failure};
use serde_json::{Value, json};
use time::macros::datetime;

use super::{BASIC, QUERY, SERVICE, answer, broker, broker_with, code, error, with};

const BIND: &str = "PUT /v2/service_instances/i-1/service_bindings/b-1";
const UNBIND: &str = "DELETE /v2/service_instances/i-1/service_bindings/b-1";

fn bind() -> Value {
    json!({ "service_id": SERVICE, "plan_id": BASIC })
}

#[tokio::test]
async fn a_bind_is_201_with_the_credentials_of_the_listener() {
    let broker = broker().await;
    broker.vendor.on_bind(async |_| {
        Ok(Bound::new()
            .with_credential("uri", "https://u:pw@lantern.example")
            .with_endpoint(Endpoint::new("lantern.example", ["443"]).with_protocol("tcp"))
            .with_expires_at(datetime!(2026-03-04 5:06:07 UTC)))
    });
    let body = with(bind(), &json!({ "bind_resource": { "app_guid": "a-1" }, "parameters": { "role": "reader" } }));
    assert_eq!(
        answer(&broker.send(BIND, &body).await),
        (
            201,
            json!({
                "credentials": { "uri": "https://u:pw@lantern.example" },
                "endpoints": [{ "host": "lantern.example", "ports": ["443"], "protocol": "tcp" }],
                "metadata": { "expires_at": "2026-03-04T05:06:07.0Z" },
            })
        )
    );
    let request = broker.vendor.binds().pop().unwrap();
    assert_eq!(
        (request.resource.as_str(), request.binding.as_str(), request.app.as_deref()),
        ("i-1", "b-1", Some("a-1"))
    );
    assert_eq!((request.plan.as_deref(), request.parameters.text("role")), (Some("basic"), Some("reader")));
}

#[tokio::test]
async fn a_bind_that_does_not_match_the_catalog_is_400() {
    let broker = broker().await;
    broker.vendor.on_bind(async |_| Ok(Bound::new()));
    for body in
        [json!({}), with(bind(), &json!({ "plan_id": "unknown" })), with(bind(), &json!({ "bind_resource": 7 }))]
    {
        assert_eq!(error(&broker.send(BIND, &body).await), (400, None), "{body}");
    }
    for body in [with(bind(), &json!({ "bind_resource": {} })), json!({ "predecessor_binding_id": "b-0" })] {
        assert_eq!(answer(&broker.send(BIND, &body).await), (201, json!({ "credentials": {} })), "{body}");
    }
    assert_eq!(broker.vendor.binds()[1].predecessor.as_ref().map(maitre::BindingId::as_str), Some("b-0"));
}

#[tokio::test]
async fn a_broker_may_require_an_app() {
    let broker = broker_with(|osb| osb.with_app_required(true)).await;
    broker.vendor.on_bind(async |_| Ok(Bound::new()));
    for body in [bind(), with(bind(), &json!({ "bind_resource": { "app_guid": "" } }))] {
        assert_eq!(error(&broker.send(BIND, &body).await), code(422, "RequiresApp"), "{body}");
    }
    for body in
        [with(bind(), &json!({ "app_guid": "a" })), with(bind(), &json!({ "bind_resource": { "app_guid": "a" } }))]
    {
        assert_eq!(broker.send(BIND, &body).await.status(), 201, "{body}");
    }
}

#[tokio::test]
async fn the_failures_of_a_bind_have_their_status_and_code() {
    let broker = broker().await;
    for (failure, expected) in [
        ((|| Failure::conflict("Another app.")) as fn() -> Failure, (409, None)),
        (Failure::unknown, (404, None)),
        (Failure::concurrent, code(422, "ConcurrencyError")),
        (|| Failure::from_display("disk full"), (503, None)),
    ] {
        broker.vendor.on_bind(move |_| async move { Err(failure()) });
        assert_eq!(error(&broker.send(BIND, &bind()).await), expected);
    }
}

#[tokio::test]
async fn an_unbind_is_200_and_410_for_a_binding_that_is_not_known() {
    let broker = broker().await;
    assert_eq!(error(&broker.send(UNBIND, &Value::Null).await), (400, None));
    let unbind = format!("{UNBIND}?{QUERY}");
    assert_eq!(answer(&broker.send(&unbind, &Value::Null).await), (200, json!({})));
    broker.vendor.on_unbind(async |_| Err(Failure::unknown()));
    assert_eq!(answer(&broker.send(&unbind, &Value::Null).await), (410, json!({})));
}
