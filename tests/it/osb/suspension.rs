//! IBM Cloud's switch of an instance.

use maitre::Failure;
use serde_json::json;

use super::{answer, broker, error};

const SWITCH: &str = "PUT /bluemix_v1/service_instances/i-1";

#[tokio::test]
async fn ibm_cloud_suspends_and_reinstates() {
    let broker = broker().await;
    let off = json!({ "enabled": false, "initiator_id": "ibm", "reason_code": "ACCT_SUSPEND" });
    assert_eq!(answer(&broker.send(SWITCH, &off).await), (200, json!({ "active": false, "enabled": false })));
    let suspended = broker.vendor.suspensions().pop().unwrap();
    assert_eq!((suspended.resource.as_str(), suspended.reason.as_deref()), ("i-1", Some("ACCT_SUSPEND")));
    assert_eq!(
        answer(&broker.send(SWITCH, &json!({ "enabled": true })).await),
        (200, json!({ "active": true, "enabled": true }))
    );
    assert_eq!(broker.vendor.reinstatements().len(), 1);
    for body in [json!({}), json!({ "enabled": "false" })] {
        assert_eq!(error(&broker.send(SWITCH, &body).await), (400, None), "{body}");
    }
    broker.vendor.on_suspend(async |_| Err(Failure::unknown()));
    assert_eq!(error(&broker.send(SWITCH, &off).await), (404, None));
}
