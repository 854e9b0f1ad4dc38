//! Provision, update, deprovision and fetch of an instance, with a listener that has no ledger.

use maitre::{Failure, OsbRequest, PlanChanged, Provisioned, Updated};
use serde_json::{Value, json};

use super::{BASIC, PREMIUM, QUERY, SERVICE, SIZED, answer, broker, broker_with, code, error, order, with};

const INSTANCE: &str = "PUT /v2/service_instances/i-1";

#[tokio::test]
async fn a_provision_is_201_and_the_listener_receives_names() {
    let broker = broker().await;
    broker.vendor.on_provision(async |request| {
        Ok(Provisioned::new(request.resource).with_dashboard_url("https://lantern.example/i-1"))
    });
    let body = with(
        order(BASIC),
        &json!({
            "context": { "platform": "cloudfoundry", "instance_name": "my-lantern" }, "parameters": { "zone": "b" }, "later": 1,
        }),
    );
    let reply = broker.send(INSTANCE, &body).await;
    assert_eq!(answer(&reply), (201, json!({ "dashboard_url": "https://lantern.example/i-1" })));

    let request = broker.vendor.provisions().pop().unwrap();
    assert_eq!(
        (request.resource.as_str(), request.service.as_deref(), request.plan.as_str()),
        ("i-1", Some("lantern"), "basic")
    );
    assert_eq!((request.name.as_deref(), request.parameters.text("zone")), (Some("my-lantern"), Some("b")));
    assert!(request.context.polled && request.context.async_after.is_none());
    let view = request.view::<OsbRequest>().unwrap();
    assert_eq!((view.organization_guid.as_deref(), view.space_guid.as_deref()), (Some("o-1"), Some("s-1")));
    assert_eq!((view.context.text("platform"), view.extra.get("later")), (Some("cloudfoundry"), Some(&json!(1))));
}

#[tokio::test]
async fn a_provision_that_does_not_match_the_catalog_is_400() {
    let broker = broker().await;
    for body in [
        json!({}),
        with(order(BASIC), &json!({ "service_id": "" })),
        with(order(BASIC), &json!({ "service_id": "unknown" })),
        with(order(BASIC), &json!({ "plan_id": null })),
        with(order(BASIC), &json!({ "plan_id": "unknown" })),
        with(order(BASIC), &json!({ "plan_id": {} })),
        with(order(BASIC), &json!({ "space_guid": "" })),
        with(order(BASIC), &json!({ "organization_guid": null })),
        with(order(BASIC), &json!({ "parameters": [] })),
        with(order(SIZED), &json!({ "parameters": { "seats": "three" } })),
        with(order(SIZED), &json!({ "parameters": { "color": "red" } })),
    ] {
        assert_eq!(error(&broker.send(INSTANCE, &body).await), (400, None), "{body}");
    }
    assert_eq!(broker.vendor.calls(), 0);
    let sized = with(order(SIZED), &json!({ "parameters": { "seats": 3 } }));
    broker.vendor.on_provision(async |request| Ok(Provisioned::new(request.resource)));
    assert_eq!(broker.send(INSTANCE, &sized).await.status(), 201);
}

#[tokio::test]
async fn fields_that_a_broker_ignores_may_have_any_type() {
    let broker = broker().await;
    for (index, fields) in [
        json!({ "context": null }),
        json!({ "context": [1] }),
        json!({ "parameters": null, "maintenance_info": {} }),
        json!({ "maintenance_info": null, "previous_values": 7 }),
    ]
    .iter()
    .enumerate()
    {
        let line = format!("PUT /v2/service_instances/i-{index}");
        assert_eq!(broker.send(&line, &with(order(BASIC), fields)).await.status(), 201, "{fields}");
    }
}

#[tokio::test]
async fn organization_and_space_may_be_optional() {
    let broker = broker_with(|osb| osb.with_space_required(false)).await;
    let reply = broker.send(INSTANCE, &json!({ "service_id": SERVICE, "plan_id": BASIC })).await;
    assert_eq!(answer(&reply), (201, json!({})));
}

#[tokio::test]
async fn another_version_of_the_maintenance_is_a_conflict() {
    let broker = broker().await;
    let body = |plan, version| with(order(plan), &json!({ "maintenance_info": { "version": version } }));
    assert_eq!(broker.send(INSTANCE, &body(BASIC, "1.2.0")).await.status(), 201);
    for body in [body(BASIC, "1.1.0"), body(PREMIUM, "1.2.0"), body(PREMIUM, "no version")] {
        assert_eq!(error(&broker.send(INSTANCE, &body).await), code(422, "MaintenanceInfoConflict"), "{body}");
        let reply = broker.send("PATCH /v2/service_instances/i-1", &body).await;
        assert_eq!(error(&reply), code(422, "MaintenanceInfoConflict"), "{body}");
    }
    let unknown = json!({ "service_id": SERVICE, "maintenance_info": { "version": "9.9.9" } });
    let reply = broker.send("PATCH /v2/service_instances/i-1", &unknown).await;
    assert_eq!(error(&reply), code(422, "MaintenanceInfoConflict"));
}

#[tokio::test]
async fn the_failures_of_a_provision_have_their_status_and_code() {
    let broker = broker().await;
    for (failure, expected) in [
        ((|| Failure::conflict("Another plan.")) as fn() -> Failure, (409, None)),
        (Failure::gone, (409, None)),
        (Failure::concurrent, code(422, "ConcurrencyError")),
        (Failure::async_required, code(422, "AsyncRequired")),
        (|| Failure::refused("Sold out."), (422, None)),
        (|| Failure::refused("Too many.").with_code("QuotaExceeded"), code(422, "QuotaExceeded")),
        (|| Failure::from_display("disk full"), (503, None)),
    ] {
        broker.vendor.on_provision(move |_| async move { Err(failure()) });
        assert_eq!(error(&broker.send(INSTANCE, &order(BASIC)).await), expected);
    }
}

#[tokio::test]
async fn a_broker_that_needs_asynchronous_requests_says_so() {
    let broker = broker_with(|osb| osb.with_async_required(true)).await;
    for query in ["", "?accepts_incomplete=false", "?accepts_incomplete=1"] {
        let reply = broker.send(&format!("{INSTANCE}{query}"), &order(BASIC)).await;
        assert_eq!(error(&reply), code(422, "AsyncRequired"), "{query}");
    }
    assert_eq!(broker.vendor.calls(), 0);
    let reply = broker.send(&format!("{INSTANCE}?accepts_incomplete=true"), &order(BASIC)).await;
    assert_eq!(reply.status(), 201, "a listener without a ledger completes within its call");
    assert!(broker.vendor.provisions()[0].context.async_after.is_some());
}

#[tokio::test]
async fn an_update_changes_the_plan_the_parameters_or_both() {
    let broker = broker().await;
    assert_eq!(broker.send(INSTANCE, &order(BASIC)).await.status(), 201);
    let update = "PATCH /v2/service_instances/i-1";
    let plan = json!({ "service_id": SERVICE, "plan_id": PREMIUM, "parameters": { "zone": "c" },
        "previous_values": { "plan_id": BASIC, "space_id": {} } });
    assert_eq!(answer(&broker.send(update, &plan).await), (200, json!({})));
    let request = broker.vendor.plan_changes().pop().unwrap();
    assert_eq!((request.plan.as_str(), request.parameters.unwrap().text("zone")), ("premium", Some("c")));

    let parameters = json!({ "service_id": SERVICE, "parameters": { "zone": "d" } });
    let (status, body) = answer(&broker.send(update, &parameters).await);
    assert_eq!((status, &body["update_repeatable"]), (422, &json!(false)), "a listener may not support it: {body}");
    broker.vendor.on_update(async |_| Ok(Updated::new().with_dashboard_url("https://lantern.example/d")));
    let reply = broker.send(update, &parameters).await;
    assert_eq!(answer(&reply), (200, json!({ "dashboard_url": "https://lantern.example/d" })));

    for body in [json!({}), json!({ "service_id": "unknown" }), json!({ "service_id": SERVICE, "plan_id": "unknown" })]
    {
        assert_eq!(error(&broker.send(update, &body).await), (400, None), "{body}");
    }
    let unknown = json!({ "service_id": SERVICE, "plan_id": PREMIUM });
    assert_eq!(error(&broker.send("PATCH /v2/service_instances/i-404", &unknown).await), (404, None));
}

#[tokio::test]
async fn a_plan_that_cannot_be_changed_is_refused_without_a_call() {
    let broker = broker().await;
    broker.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    let change = |to, from| json!({ "service_id": SERVICE, "plan_id": to, "previous_values": { "plan_id": from } });
    let reply = broker.send("PATCH /v2/service_instances/i-1", &change(BASIC, SIZED)).await;
    let (status, body) = answer(&reply);
    assert_eq!((status, &body["update_repeatable"]), (422, &json!(false)));
    assert_eq!(broker.vendor.calls(), 0);
    assert_eq!(broker.send("PATCH /v2/service_instances/i-1", &change(SIZED, SIZED)).await.status(), 200);
}

#[tokio::test]
async fn a_deprovision_is_right_in_every_state_and_needs_two_ids() {
    let broker = broker().await;
    let delete = |query: &str| format!("DELETE /v2/service_instances/i-1{query}");
    for query in ["", "?service_id=x", "?plan_id=x", "?service_id=&plan_id=x", "?service_id=x&plan_id="] {
        assert_eq!(error(&broker.send(&delete(query), &Value::Null).await), (400, None), "{query}");
    }
    assert_eq!(
        answer(&broker.send(&delete(&format!("?{QUERY}")), &Value::Null).await),
        (410, json!({})),
        "never known"
    );
    assert_eq!(broker.send(INSTANCE, &order(BASIC)).await.status(), 201);
    let other = "?service_id=removed&plan_id=from-the-catalog";
    assert_eq!(answer(&broker.send(&delete(other), &Value::Null).await), (200, json!({})));
    assert_eq!(answer(&broker.send(&delete(other), &Value::Null).await), (410, json!({})), "removed before");
    broker.vendor.on_deprovision(async |_| Err(Failure::refused("No.")));
    assert_eq!(error(&broker.send(&delete(other), &Value::Null).await), (503, None), "so that it is repeated");
}

#[tokio::test]
async fn without_a_ledger_nothing_can_be_fetched_or_polled() {
    let broker = broker().await;
    assert_eq!(broker.send(INSTANCE, &order(BASIC)).await.status(), 201);
    for path in ["", "/last_operation", "/last_operation?operation=7", "/service_bindings/b-1"] {
        let reply = broker.send(&format!("GET /v2/service_instances/i-1{path}"), &Value::Null).await;
        assert_eq!(error(&reply), (404, None), "{path}");
    }
    let reply = broker.send("GET /v2/service_instances/i-1/last_operation?operation=x", &Value::Null).await;
    assert_eq!(error(&reply), (400, None));
}

#[tokio::test]
async fn an_id_is_decoded_and_may_contain_any_printable_text() {
    let broker = broker().await;
    assert_eq!(broker.send("PUT /v2/service_instances/a%2Fb%20%C3%BC", &order(BASIC)).await.status(), 201);
    assert_eq!(broker.vendor.provisions()[0].resource, "a/b ü");
    assert_eq!(error(&broker.send("PUT /v2/service_instances/a%00", &order(BASIC)).await), (404, None));
}
