//! `PUT /resources/{id}`.

use maitre::{Failure, PlanChanged};
use serde_json::json;

use crate::support::{UUID, heroku};

#[tokio::test]
async fn a_plan_change_accepts_provider_id_and_uuid() {
    let house = heroku().await;
    let id = house.market.provision("basic").uuid(UUID).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    assert_ne!(id, UUID);
    for path_id in [id.as_str(), UUID] {
        let reply = house.market.plan_change(path_id, "premium").await;
        assert_eq!(reply.expect(200).json(), json!({ "message": "Now on premium." }));
        let heard = house.vendor.plan_changes().pop().unwrap();
        assert_eq!((heard.resource.as_str(), heard.plan.as_str()), (path_id, "premium"));
        assert_eq!(heard.addon.to_string(), "heroku/lantern");
    }
}

#[tokio::test]
async fn the_path_selects_the_resource_and_not_the_body() {
    let house = heroku().await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    let stray = house.market.new_uuid();
    house.market.plan_change(UUID, "premium").set("uuid", stray.as_str()).set("id", "widget-9").await.expect(200);
    house.market.plan_change(UUID, "premium").set("uuid", "no uuid at all").await.expect(200);
    house.market.plan_change(UUID, "premium").set("uuid", 7).await.expect(200);
    let heard = house.vendor.plan_changes();
    assert!(heard.iter().all(|heard| heard.resource.as_str() == UUID));
    assert_eq!(heard[0].extra["uuid"], stray);
}

#[tokio::test]
async fn the_case_of_an_id_is_preserved() {
    let house = heroku().await;
    house.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    house.market.plan_change(&UUID.to_uppercase(), "premium").await.expect(200);
    assert_eq!(house.vendor.plan_changes().pop().unwrap().resource.as_str(), UUID.to_uppercase());
}

#[tokio::test]
async fn config_is_returned_only_if_it_changes() {
    let house = heroku().await;
    house.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    let reply = house.market.plan_change(UUID, "premium").await;
    assert_eq!(reply.expect(200).text(), "{}");

    house.vendor.on_plan_change(async |_| {
        Ok(PlanChanged::new()
            .with_config("LANTERN_URL", "https://u4:pw@eu2.lantern.example/t4")
            .with_message("Now on pro."))
    });
    let reply = house.market.plan_change(UUID, "pro").await;
    let answer =
        json!({ "config": { "LANTERN_URL": "https://u4:pw@eu2.lantern.example/t4" }, "message": "Now on pro." });
    assert_eq!(reply.expect(200).json(), answer);
}

#[tokio::test]
async fn a_change_to_the_same_plan_succeeds() {
    let house = heroku().await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    house.market.plan_change(UUID, "basic").await.expect(200);
    house.market.plan_change(UUID, "basic").await.expect(200);
}

#[tokio::test]
async fn unknown_is_404_removed_is_410_and_refused_is_422() {
    let house = heroku().await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    let gold = house.market.plan_change(UUID, "gold").await;
    assert_eq!(gold.expect(422).message(), "There is no plan named gold: choose basic or premium.");
    let unknown = house.market.plan_change("widget-404", "premium").await;
    assert_eq!(unknown.expect(404).message(), "There is no such resource.");
    house.market.deprovision(UUID).await.expect(204);
    let removed = house.market.plan_change(UUID, "premium").await;
    assert_eq!(removed.expect(410).message(), "This resource was removed.");
    house.vendor.on_plan_change(async |_| Err(Failure::conflict("It moves already.")));
    house.market.plan_change(UUID, "premium").await.expect(422);
}
