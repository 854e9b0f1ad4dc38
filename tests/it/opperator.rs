//! Opperator's API: a shared secret, features instead of a plan, no single sign-on.

use maitre::{Deprovisioned, Failure, Opperator, Password, PlanChanged, Provisioned};
use maitre_testkit as testkit;
use serde_json::{Value, json};

use crate::support::{Clock, House, NOW, Raw, SECRET, SLUG, instant, opperator, request};

#[tokio::test]
async fn the_documented_provision_is_201() {
    let house = opperator().await;
    house.vendor.on_provision(async |_| Ok(Provisioned::new("inst-77").with_config("region", "eu")));
    let lines = ["POST /opperator/instances", "X-Opperator-Shared-Secret: melon-9", "content-type: application/json"];
    let reply = Raw::exchange(&house.server, request(lines, r#"{"features":{"seats":5,"backups":true}}"#)).await;
    assert_eq!((reply.status(), reply.text().as_str()), (201, r#"{"id":"inst-77","config":{"region":"eu"}}"#));
    let heard = house.vendor.provisions().pop().unwrap();
    assert_eq!(Value::from(heard.features), json!({ "seats": 5, "backups": true }));
    assert_eq!((heard.addon.to_string().as_str(), heard.plan.as_str()), ("opperator/lantern", "premium"));
    assert!(heard.tenant.is_none() && heard.extra.is_empty());
}

#[tokio::test]
async fn an_instance_is_provisioned_changed_and_deprovisioned() {
    let house = opperator().await;
    let reply = house.market.provision(json!({ "seats": 2 })).await;
    let id = reply.expect(201).json()["id"].as_str().unwrap().to_owned();
    house.market.provision(json!({})).await.expect(201);
    assert_ne!(house.vendor.provisions()[0].resource, house.vendor.provisions()[1].resource);

    let changed = house.market.plan_change(&id, json!({ "seats": 50 })).set("since", "May").await;
    assert_eq!(changed.expect(200).json(), json!({ "message": "Now on premium." }));
    let heard = house.vendor.plan_changes().pop().unwrap();
    assert_eq!((heard.resource.as_str(), heard.plan.as_str()), (id.as_str(), "premium"));
    assert_eq!(
        (Value::from(heard.features), Value::from(heard.extra)),
        (json!({ "seats": 50 }), json!({ "since": "May" }))
    );

    assert_eq!(house.market.deprovision(&id).await.expect(200).text(), "{}");
    house.market.deprovision(&id).await.expect(410);
    house.market.deprovision("inst-404").await.expect(404);
    house.market.plan_change("inst-404", json!({})).await.expect(404);
}

#[tokio::test]
async fn features_may_be_sent_as_a_form() {
    let house = opperator().await;
    let form = |call: testkit::Call<testkit::Json>, body: &str| {
        call.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    form(house.market.provision(json!({})), "features%5Bseats%5D=5&features[backups]=true&mood=1").await.expect(201);
    let heard = house.vendor.provisions().pop().unwrap();
    assert_eq!(Value::from(heard.features), json!({ "seats": "5", "backups": "true" }));
    assert_eq!((heard.plan.as_str(), Value::from(heard.extra)), ("premium", json!({ "mood": "1" })));
    form(house.market.plan_change("widget-1", json!({})), "features[seats]=1").await.expect(200);
    assert_eq!(house.vendor.plan_changes().pop().unwrap().plan, "basic");
    form(house.market.provision(json!({})), "features=").await.expect(201);
    form(house.market.provision(json!({})), "features=all").await.expect(400);
}

#[tokio::test]
async fn features_of_no_plan_are_422_with_a_message() {
    let house = opperator().await;
    for reply in [
        house.market.provision(json!({ "seats": 1000 })).await,
        house.market.provision(json!({ "seats": "many" })).await,
        house.market.plan_change("widget-1", json!({ "seats": 1000 })).await,
    ] {
        assert_eq!(reply.expect(422).message(), "No plan of this add-on has these features.");
    }
    assert_eq!(house.vendor.calls(), 0);
}

#[tokio::test]
async fn features_that_are_not_a_map_are_400_with_the_position() {
    let house = opperator().await;
    let instead = [
        house.market.provision(json!(null)),
        house.market.provision(json!([])),
        house.market.provision("all"),
        house.market.provision(json!({})).without("features"),
        house.market.plan_change("widget-1", json!(7)),
    ];
    for call in instead {
        let reply = call.await;
        let message = reply.expect(400).message();
        assert!(message.contains("features") && message.contains("line 1"), "{message}");
    }
    assert_eq!(house.vendor.calls(), 0);
}

#[tokio::test]
async fn a_plan_warning_may_have_any_body_or_none() {
    let house = opperator().await;
    assert_eq!(house.market.plan_warning("inst-77").await.expect(200).text(), "{}");
    house.market.plan_warning("inst-77").set("used", 0.93).await.expect(200);
    let form = house.market.plan_warning("inst-77").header("content-type", "application/x-www-form-urlencoded");
    form.body("used=most").await.expect(200);
    let heard = house.vendor.plan_warnings();
    assert!(heard.iter().all(|heard| heard.resource.as_str() == "inst-77"));
    let told: Vec<_> = heard.into_iter().map(|heard| Value::from(heard.extra)).collect();
    assert_eq!(told, [json!({}), json!({ "used": 0.93 }), json!({ "used": "most" })]);
    house.market.plan_warning("inst-77").body("{").await.expect(400);
    house.vendor.on_plan_warning(async |_| Err(Failure::unknown()));
    house.market.plan_warning("inst-78").await.expect(404);
}

#[tokio::test]
async fn every_route_requires_the_shared_secret() {
    let house = opperator().await;
    let market = &house.market;
    for secret in
        [None, Some(""), Some("melon"), Some("melon-99"), Some("MELON-9"), Some("Basic melon-9"), Some("\"melon-9\"")]
    {
        macro_rules! ask {
            ($call:expr) => {
                match secret {
                    Some(secret) => $call.header("x-opperator-shared-secret", secret).await,
                    None => $call.without_credentials().await,
                }
            };
        }
        let replies = [
            ask!(market.provision(json!({}))),
            ask!(market.plan_change("inst-77", json!({}))),
            ask!(market.deprovision("inst-77")),
            ask!(market.plan_warning("inst-77")),
        ];
        for reply in replies {
            assert!(reply.expect(401).header("www-authenticate").is_some(), "{secret:?}");
            assert!(!reply.message().is_empty());
        }
    }
    for line in ["authorization: Basic bWVsb24tOTo=", "x-opperator-shared-secret-: melon-9"] {
        let bytes = request(["POST /opperator/instances", line], r#"{"features":{}}"#);
        assert_eq!(Raw::exchange(&house.server, bytes).await.status(), 401, "{line}");
    }
    assert_eq!(house.vendor.calls(), 0);
}

#[tokio::test]
async fn the_secret_header_is_case_insensitive_and_must_be_unique() {
    let house = opperator().await;
    for name in ["X-OPPERATOR-SHARED-SECRET", "x-opperator-shared-secret", "X-Opperator-Shared-Secret"] {
        let line = format!("{name}: {SECRET}");
        let bytes = request(["POST /opperator/instances", &line], r#"{"features":{}}"#);
        assert_eq!(Raw::exchange(&house.server, bytes).await.status(), 201);
    }
    let twice =
        ["POST /opperator/instances", "x-opperator-shared-secret: melon-9", "x-opperator-shared-secret: melon-9"];
    assert_eq!(Raw::exchange(&house.server, request(twice, r#"{"features":{}}"#)).await.status(), 401);
}

#[tokio::test]
async fn an_old_secret_is_accepted_until_it_expires() {
    let clock = Clock::at(NOW);
    let marketplace = Opperator::new(SLUG, SECRET, |_| Some("basic".to_owned())).unwrap();
    let marketplace = marketplace.with_secret(Password::new("öld").unwrap().with_expiry(instant(NOW + 60)));
    let house = House::of(marketplace, |addon| addon.with_clock(clock.hand())).await;
    let old = testkit::Opperator::new(&house.server.url("/opperator"), "öld");
    for (moment, status) in [(NOW + 59, 201), (NOW + 60, 401)] {
        clock.turn_to(moment);
        old.provision(json!({})).await.expect(status);
        house.market.provision(json!({})).await.expect(201);
    }
}

#[tokio::test]
async fn an_empty_secret_is_rejected() {
    assert!(Opperator::new(SLUG, "", |_| None).is_err());
}

#[tokio::test]
async fn there_is_no_single_sign_on() {
    let house = opperator().await;
    house.market.provision(json!({})).path("/instances/sso").await.expect(405);
    house.market.deprovision("widget-1").method("GET").await.expect(405);
    house.market.provision(json!({})).path("/sso").await.expect(404);
    assert_eq!(house.vendor.calls(), 0);
}

#[tokio::test]
async fn replies_contain_config_and_message_of_the_listener() {
    let house = opperator().await;
    house.vendor.on_plan_change(async |_| Ok(PlanChanged::new().with_config("region", "us")));
    assert_eq!(
        house.market.plan_change("i", json!({})).await.expect(200).json(),
        json!({ "config": { "region": "us" } })
    );
    house.vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    assert_eq!(house.market.deprovision("i").await.expect(200).json(), json!({ "message": "Good-bye." }));
    house.vendor.on_provision(async |_| Ok(Provisioned::new("")));
    house.market.provision(json!({})).await.expect(503);
}
