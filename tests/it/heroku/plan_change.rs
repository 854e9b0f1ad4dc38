//! `PUT /resources/{id}`.

use maitre::{Failure, PlanChanged};
use serde_json::json;

use crate::support::{UUID, heroku};

#[tokio::test]
async fn a_plan_change_accepts_provider_id_and_uuid() {
    let app = heroku().await;
    let id = app.client.provision("basic").uuid(UUID).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    assert_ne!(id, UUID);
    for path_id in [id.as_str(), UUID] {
        let reply = app.client.plan_change(path_id, "premium").await;
        assert_eq!(reply.expect(200).json(), json!({ "message": "Now on premium." }));
        let received = app.vendor.plan_changes().pop().unwrap();
        assert_eq!((received.resource.as_str(), received.plan.as_str()), (path_id, "premium"));
        assert_eq!(received.addon.to_string(), "heroku/lantern");
    }
}

#[tokio::test]
async fn the_path_selects_the_resource_and_not_the_body() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let stray = app.client.new_uuid();
    app.client.plan_change(UUID, "premium").set("uuid", stray.as_str()).set("id", "widget-9").await.expect(200);
    app.client.plan_change(UUID, "premium").set("uuid", "not a uuid").await.expect(200);
    app.client.plan_change(UUID, "premium").set("uuid", 7).await.expect(200);
    let received = app.vendor.plan_changes();
    assert!(received.iter().all(|received| received.resource.as_str() == UUID));
    assert_eq!(received[0].details.text("uuid"), Some(stray.as_str()));
}

#[tokio::test]
async fn the_case_of_an_id_is_preserved() {
    let app = heroku().await;
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    app.client.plan_change(&UUID.to_uppercase(), "premium").await.expect(200);
    assert_eq!(app.vendor.plan_changes().pop().unwrap().resource.as_str(), UUID.to_uppercase());
}

#[tokio::test]
async fn config_is_returned_only_if_it_changes() {
    let app = heroku().await;
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    let reply = app.client.plan_change(UUID, "premium").await;
    assert_eq!(reply.expect(200).text(), "{}");

    app.vendor.on_plan_change(async |_| {
        Ok(PlanChanged::new()
            .with_config("LANTERN_URL", "https://u4:pw@eu2.lantern.example/t4")
            .with_message("Now on pro."))
    });
    let reply = app.client.plan_change(UUID, "pro").await;
    let answer =
        json!({ "config": { "LANTERN_URL": "https://u4:pw@eu2.lantern.example/t4" }, "message": "Now on pro." });
    assert_eq!(reply.expect(200).json(), answer);
}

#[tokio::test]
async fn a_change_to_the_same_plan_succeeds() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.plan_change(UUID, "basic").await.expect(200);
    app.client.plan_change(UUID, "basic").await.expect(200);
}

#[tokio::test]
async fn unknown_is_404_removed_is_410_and_refused_is_422() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let gold = app.client.plan_change(UUID, "gold").await;
    assert_eq!(gold.expect(422).message(), "The plan gold does not exist: choose basic or premium.");
    let unknown = app.client.plan_change("widget-404", "premium").await;
    assert_eq!(unknown.expect(404).message(), "This resource does not exist.");
    app.client.deprovision(UUID).await.expect(204);
    let removed = app.client.plan_change(UUID, "premium").await;
    assert_eq!(removed.expect(410).message(), "This resource was removed.");
    app.vendor.on_plan_change(async |_| Err(Failure::conflict("A move is in progress.")));
    app.client.plan_change(UUID, "premium").await.expect(422);
}
