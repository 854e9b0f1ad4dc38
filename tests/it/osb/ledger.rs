//! A broker whose listener has a ledger: replays, conflicts, polling, bindings, and what can be fetched.

use std::time::Duration;

use maitre::{Addon, Failure, Ledger, Osb, Provisioned};
use serde_json::{Value, json};

use super::{BASIC, Broker, PASSWORD, PREMIUM, QUERY, SERVICE, USER, answer, catalog, error, order, with};
use crate::support::{Folder, Gate, Server, Vendor};

const INSTANCE: &str = "PUT /v2/service_instances/i-1?accepts_incomplete=true";

struct Recorded {
    broker: Broker,
    _folder: Folder,
}

async fn recorded(change: impl FnOnce(Osb) -> Osb) -> Recorded {
    let (vendor, folder) = (Vendor::default(), Folder::new());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let osb = change(Osb::new(USER, PASSWORD, catalog()).unwrap());
    let addon = Addon::new(osb, ledger.wrap(vendor.clone())).with_async_after(Duration::ZERO);
    let server = Server::start(axum::Router::new().nest("/osb", maitre::osb(addon))).await;
    Recorded { broker: Broker { server, vendor }, _folder: folder }
}

/// Polls until the state is no longer `in progress`.
async fn completed(broker: &Broker, path: &str) -> (u16, Value) {
    loop {
        let (status, body) = answer(&broker.send(&format!("GET {path}"), &Value::Null).await);
        if body["state"] != "in progress" {
            return (status, body);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_same_provision_is_200_with_the_same_body_and_another_one_409() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    let line = "PUT /v2/service_instances/i-1";
    let body = with(order(BASIC), &json!({ "parameters": { "a": 1, "b": 2 } }));
    assert_eq!(answer(&broker.send(line, &body).await), (201, json!({})));
    let same = json!({ "parameters": { "b": 2, "a": 1 }, "context": { "instance_name": "another name" } });
    assert_eq!(answer(&broker.send(line, &with(body.clone(), &same)).await), (200, json!({})));
    for other in [
        json!({ "plan_id": PREMIUM }),
        json!({ "space_guid": "s-2" }),
        json!({ "organization_guid": "o-2" }),
        json!({ "parameters": { "a": 1 } }),
    ] {
        assert_eq!(error(&broker.send(line, &with(body.clone(), &other)).await), (409, None), "{other}");
    }
    assert_eq!(broker.vendor.calls(), 1);
}

#[tokio::test]
async fn one_of_several_concurrent_provisions_is_201_and_the_others_are_200() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    let gate = Gate::closed();
    broker.vendor.on_provision(gate.before(|| Ok(Provisioned::new("widget-1"))));
    let body = order(BASIC);
    let send = || broker.send("PUT /v2/service_instances/i-1", &body);
    let open = async {
        tokio::time::sleep(Duration::from_millis(100)).await; // so that the others join the first one
        gate.open();
    };
    let (first, second, third, ()) = tokio::join!(send(), send(), send(), open);
    let mut statuses = [first.status(), second.status(), third.status()];
    statuses.sort_unstable();
    assert_eq!((statuses, broker.vendor.calls()), ([200, 200, 201], 1));
}

#[tokio::test]
async fn a_slow_provision_is_202_and_the_platform_polls() {
    let Recorded { broker, _folder } =
        recorded(|osb| osb.with_dashboard_url("https://lantern.example/{instance}")).await;
    let gate = Gate::closed();
    broker.vendor.on_provision(gate.before(|| Ok(Provisioned::new("widget-1"))));
    let (status, accepted) = answer(&broker.send(INSTANCE, &order(BASIC)).await);
    assert_eq!((status, &accepted["dashboard_url"]), (202, &json!("https://lantern.example/i%2D1")));
    let operation = accepted["operation"].as_str().expect("an operation").to_owned();
    let poll = format!("/v2/service_instances/i-1/last_operation?operation={operation}&{QUERY}");

    let (status, repeated) = answer(&broker.send(INSTANCE, &order(BASIC)).await);
    assert_eq!((status, &repeated["operation"]), (202, &json!(operation)), "a repeated request joins");
    assert_eq!(error(&broker.send(INSTANCE, &order(PREMIUM)).await), (409, None));
    assert_eq!(answer(&broker.send(&format!("GET {poll}"), &Value::Null).await).1["state"], "in progress");
    assert_eq!(error(&broker.send("GET /v2/service_instances/i-1", &Value::Null).await), (404, None));
    gate.open();
    assert_eq!(completed(&broker, &poll).await, (200, json!({ "state": "succeeded" })));

    let (status, instance) = answer(&broker.send("GET /v2/service_instances/i-1", &Value::Null).await);
    assert_eq!((status, &instance["service_id"], &instance["plan_id"]), (200, &json!(SERVICE), &json!(BASIC)));
    let dashboard = json!({ "dashboard_url": "https://lantern.example/i%2D1" });
    assert_eq!(answer(&broker.send(INSTANCE, &order(BASIC)).await), (200, dashboard));
}

#[tokio::test]
async fn a_refused_provision_is_failed_and_its_removal_is_right() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    let gate = Gate::closed();
    broker.vendor.on_provision(gate.before(|| Err(Failure::refused("Sold out."))));
    assert_eq!(broker.send(INSTANCE, &order(BASIC)).await.status(), 202);
    gate.open();
    let poll = "/v2/service_instances/i-1/last_operation";
    let failed = json!({ "state": "failed", "description": "Sold out." });
    assert_eq!(completed(&broker, poll).await, (200, failed));
    let status = broker.send(&format!("DELETE /v2/service_instances/i-1?{QUERY}"), &Value::Null).await.status();
    assert!([200, 410].contains(&status), "{status}");
}

#[tokio::test]
async fn a_completed_removal_is_410_for_a_platform_that_polls() {
    for (gone, expected) in [(true, (410, json!({}))), (false, (200, json!({ "state": "succeeded" })))] {
        let Recorded { broker, _folder } = recorded(|osb| osb.with_gone_after_deletion(gone)).await;
        assert_eq!(broker.send("PUT /v2/service_instances/i-1", &order(BASIC)).await.status(), 201);
        let gate = Gate::closed();
        broker.vendor.on_deprovision(gate.before(|| Ok(maitre::Deprovisioned::new())));
        let delete = format!("DELETE /v2/service_instances/i-1?{QUERY}&accepts_incomplete=true");
        let (status, accepted) = answer(&broker.send(&delete, &Value::Null).await);
        assert_eq!(status, 202, "{accepted}");
        gate.open();
        let operation = accepted["operation"].as_str().expect("an operation");
        let poll = format!("/v2/service_instances/i-1/last_operation?operation={operation}");
        assert_eq!(completed(&broker, &poll).await, expected);
        assert_eq!(answer(&broker.send(&delete, &Value::Null).await), (410, json!({})));
        assert_eq!(error(&broker.send("GET /v2/service_instances/i-1", &Value::Null).await), (404, None));
    }
}

#[tokio::test]
async fn the_config_vars_are_the_credentials_of_every_binding() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    assert_eq!(broker.send("PUT /v2/service_instances/i-1", &order(BASIC)).await.status(), 201);
    let binding = "/v2/service_instances/i-1/service_bindings/b-1";
    let body = json!({ "service_id": SERVICE, "plan_id": BASIC, "bind_resource": { "app_guid": "a-1" } });
    let credentials = json!({ "credentials": { "LANTERN_URL": "https://u:pw@eu1.lantern.example/widget-1" } });
    assert_eq!(error(&broker.send(&format!("GET {binding}"), &Value::Null).await), (404, None));
    assert_eq!(answer(&broker.send(&format!("PUT {binding}"), &body).await), (201, credentials.clone()));
    assert_eq!(answer(&broker.send(&format!("PUT {binding}"), &body).await), (200, credentials.clone()));
    assert_eq!(answer(&broker.send(&format!("GET {binding}"), &Value::Null).await), (200, credentials));
    let other = with(body.clone(), &json!({ "bind_resource": { "app_guid": "a-2" } }));
    assert_eq!(error(&broker.send(&format!("PUT {binding}"), &other).await), (409, None));
    let absent = "PUT /v2/service_instances/i-404/service_bindings/b-1";
    assert_eq!(error(&broker.send(absent, &body).await), (404, None));

    let unbind = format!("DELETE {binding}?{QUERY}");
    assert_eq!(answer(&broker.send(&unbind, &Value::Null).await), (200, json!({})));
    assert_eq!(answer(&broker.send(&unbind, &Value::Null).await), (410, json!({})));
    let never = format!("DELETE /v2/service_instances/i-1/service_bindings/b-404?{QUERY}");
    assert_eq!(answer(&broker.send(&never, &Value::Null).await), (410, json!({})));
}

#[tokio::test]
async fn an_update_is_recorded() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    assert_eq!(broker.send("PUT /v2/service_instances/i-1", &order(BASIC)).await.status(), 201);
    let change = json!({ "service_id": SERVICE, "plan_id": PREMIUM });
    assert_eq!(answer(&broker.send("PATCH /v2/service_instances/i-1", &change).await), (200, json!({})));
    let (_, instance) = answer(&broker.send("GET /v2/service_instances/i-1", &Value::Null).await);
    assert_eq!(instance["plan_id"], PREMIUM);
    assert_eq!(error(&broker.send("PATCH /v2/service_instances/i-404", &change).await), (404, None));
}

#[tokio::test]
async fn ibm_cloud_reads_the_switch_of_an_instance() {
    let Recorded { broker, _folder } = recorded(|osb| osb).await;
    let state = "GET /bluemix_v1/service_instances/i-1";
    assert_eq!(error(&broker.send(state, &Value::Null).await), (404, None));
    assert_eq!(broker.send("PUT /v2/service_instances/i-1", &order(BASIC)).await.status(), 201);
    assert_eq!(answer(&broker.send(state, &Value::Null).await), (200, json!({ "active": true, "enabled": true })));
    for enabled in [false, false, true] {
        let switch = json!({ "enabled": enabled, "initiator_id": "ibm", "reason_code": "ACCT_SUSPEND" });
        let switched = (200, json!({ "active": enabled, "enabled": enabled }));
        assert_eq!(answer(&broker.send("PUT /bluemix_v1/service_instances/i-1", &switch).await), switched);
        assert_eq!(answer(&broker.send(state, &Value::Null).await), switched);
    }
}
