//! Opperator's API: a shared secret, features instead of a plan, no single sign-on.

use maitre::{Deprovisioned, Failure, NoticeKind, Opperator, OpperatorProvision, Password, PlanChanged, Provisioned};
use maitre_testkit as testkit;
use serde_json::{Value, json};

use crate::support::{App, Clock, NOW, Raw, SECRET, SLUG, instant, opperator, request};

#[tokio::test]
async fn the_documented_provision_is_201() {
    let app = opperator().await;
    app.vendor.on_provision(async |_| Ok(Provisioned::new("inst-77").with_config("region", "eu")));
    let lines = ["POST /opperator/instances", "X-Opperator-Shared-Secret: melon-9", "content-type: application/json"];
    let reply = Raw::exchange(&app.server, request(lines, r#"{"features":{"seats":5,"backups":true}}"#)).await;
    assert_eq!((reply.status(), reply.text().as_str()), (201, r#"{"id":"inst-77","config":{"region":"eu"}}"#));
    let received = app.vendor.provisions().pop().unwrap();
    let details = received.view::<OpperatorProvision>().unwrap();
    assert_eq!(Value::from(details.features), json!({ "seats": 5, "backups": true }));
    assert_eq!((received.addon.to_string().as_str(), received.plan.as_str()), ("opperator/lantern", "premium"));
    assert!(received.parameters.is_empty() && details.extra.is_empty());
}

#[tokio::test]
async fn an_instance_is_provisioned_changed_and_deprovisioned() {
    let app = opperator().await;
    let reply = app.client.provision(json!({ "seats": 2 })).await;
    let id = reply.expect(201).json()["id"].as_str().unwrap().to_owned();
    app.client.provision(json!({})).await.expect(201);
    assert_ne!(app.vendor.provisions()[0].resource, app.vendor.provisions()[1].resource);

    let changed = app.client.plan_change(&id, json!({ "seats": 50 })).set("since", "May").await;
    assert_eq!(changed.expect(200).json(), json!({ "message": "Now on premium." }));
    let received = app.vendor.plan_changes().pop().unwrap();
    assert_eq!((received.resource.as_str(), received.plan.as_str()), (id.as_str(), "premium"));
    let details = received.view::<OpperatorProvision>().unwrap();
    assert_eq!(
        (Value::from(details.features), Value::from(details.extra)),
        (json!({ "seats": 50 }), json!({ "since": "May" }))
    );

    assert_eq!(app.client.deprovision(&id).await.expect(200).text(), "{}");
    app.client.deprovision(&id).await.expect(410);
    app.client.deprovision("inst-404").await.expect(404);
    app.client.plan_change("inst-404", json!({})).await.expect(404);
}

#[tokio::test]
async fn features_may_be_sent_as_a_form() {
    let app = opperator().await;
    let form = |call: testkit::Call<testkit::Json>, body: &str| {
        call.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    form(app.client.provision(json!({})), "features%5Bseats%5D=5&features[backups]=true&mood=1").await.expect(201);
    let received = app.vendor.provisions().pop().unwrap();
    let details = received.view::<OpperatorProvision>().unwrap();
    assert_eq!(Value::from(details.features), json!({ "seats": "5", "backups": "true" }));
    assert_eq!((received.plan.as_str(), Value::from(details.extra)), ("premium", json!({ "mood": "1" })));
    form(app.client.plan_change("widget-1", json!({})), "features[seats]=1").await.expect(200);
    assert_eq!(app.vendor.plan_changes().pop().unwrap().plan, "basic");
    form(app.client.provision(json!({})), "features=").await.expect(201);
    form(app.client.provision(json!({})), "features=all").await.expect(400);
}

#[tokio::test]
async fn features_of_no_plan_are_422_with_a_message() {
    let app = opperator().await;
    for reply in [
        app.client.provision(json!({ "seats": 1000 })).await,
        app.client.provision(json!({ "seats": "many" })).await,
        app.client.plan_change("widget-1", json!({ "seats": 1000 })).await,
    ] {
        assert_eq!(reply.expect(422).message(), "No plan offers these features.");
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn features_that_are_not_a_map_are_400_with_the_position() {
    let app = opperator().await;
    let instead = [
        app.client.provision(json!(null)),
        app.client.provision(json!([])),
        app.client.provision("all"),
        app.client.provision(json!({})).without("features"),
        app.client.plan_change("widget-1", json!(7)),
    ];
    for call in instead {
        let reply = call.await;
        let message = reply.expect(400).message();
        assert!(message.contains("features") && message.contains("line 1"), "{message}");
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn a_plan_warning_may_have_any_body_or_none() {
    let app = opperator().await;
    assert_eq!(app.client.plan_warning("inst-77").await.expect(200).text(), "{}");
    app.client.plan_warning("inst-77").set("used", 0.93).await.expect(200);
    let form = app.client.plan_warning("inst-77").header("content-type", "application/x-www-form-urlencoded");
    form.body("used=most").await.expect(200);
    let received = app.vendor.notices();
    assert!(received.iter().all(|received| received.resource == "inst-77" && received.kind == NoticeKind::PlanWarning));
    let extras: Vec<_> = received.into_iter().map(|received| Value::from(received.details)).collect();
    assert_eq!(extras, [json!({}), json!({ "used": 0.93 }), json!({ "used": "most" })]);
    app.client.plan_warning("inst-77").body("{").await.expect(400);
    app.vendor.on_notice(async |_| Err(Failure::unknown()));
    app.client.plan_warning("inst-78").await.expect(404);
}

#[tokio::test]
async fn every_route_requires_the_shared_secret() {
    let app = opperator().await;
    let client = &app.client;
    for secret in
        [None, Some(""), Some("melon"), Some("melon-99"), Some("MELON-9"), Some("Basic melon-9"), Some("\"melon-9\"")]
    {
        macro_rules! send {
            ($call:expr) => {
                match secret {
                    Some(secret) => $call.header("x-opperator-shared-secret", secret).await,
                    None => $call.without_credentials().await,
                }
            };
        }
        let replies = [
            send!(client.provision(json!({}))),
            send!(client.plan_change("inst-77", json!({}))),
            send!(client.deprovision("inst-77")),
            send!(client.plan_warning("inst-77")),
        ];
        for reply in replies {
            assert!(reply.expect(401).header("www-authenticate").is_some(), "{secret:?}");
            assert!(!reply.message().is_empty());
        }
    }
    for line in ["authorization: Basic bWVsb24tOTo=", "x-opperator-shared-secret-: melon-9"] {
        let bytes = request(["POST /opperator/instances", line], r#"{"features":{}}"#);
        assert_eq!(Raw::exchange(&app.server, bytes).await.status(), 401, "{line}");
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn the_secret_header_is_case_insensitive_and_must_be_unique() {
    let app = opperator().await;
    for name in ["X-OPPERATOR-SHARED-SECRET", "x-opperator-shared-secret", "X-Opperator-Shared-Secret"] {
        let line = format!("{name}: {SECRET}");
        let bytes = request(["POST /opperator/instances", &line], r#"{"features":{}}"#);
        assert_eq!(Raw::exchange(&app.server, bytes).await.status(), 201);
    }
    let twice =
        ["POST /opperator/instances", "x-opperator-shared-secret: melon-9", "x-opperator-shared-secret: melon-9"];
    assert_eq!(Raw::exchange(&app.server, request(twice, r#"{"features":{}}"#)).await.status(), 401);
}

#[tokio::test]
async fn an_old_secret_is_accepted_until_it_expires() {
    let clock = Clock::at(NOW);
    let marketplace = Opperator::new(SLUG, SECRET, |_| Some("basic".to_owned())).unwrap();
    let marketplace = marketplace.with_secret(Password::new("öld").unwrap().with_expiry(instant(NOW + 60)));
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    let old = testkit::Opperator::new(&app.server.url("/opperator"), "öld");
    for (moment, status) in [(NOW + 59, 201), (NOW + 60, 401)] {
        clock.set(moment);
        old.provision(json!({})).await.expect(status);
        app.client.provision(json!({})).await.expect(201);
    }
}

#[tokio::test]
async fn an_empty_secret_is_rejected() {
    assert!(Opperator::new(SLUG, "", |_| None).is_err());
}

#[tokio::test]
async fn there_is_no_single_sign_on() {
    let app = opperator().await;
    app.client.provision(json!({})).path("/instances/sso").await.expect(405);
    app.client.deprovision("widget-1").method("GET").await.expect(405);
    app.client.provision(json!({})).path("/sso").await.expect(404);
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn replies_contain_config_and_message_of_the_listener() {
    let app = opperator().await;
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new().with_config("region", "us")));
    assert_eq!(
        app.client.plan_change("i", json!({})).await.expect(200).json(),
        json!({ "config": { "region": "us" } })
    );
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    assert_eq!(app.client.deprovision("i").await.expect(200).json(), json!({ "message": "Good-bye." }));
    app.vendor.on_provision(async |_| Ok(Provisioned::new("")));
    app.client.provision(json!({})).await.expect(503);
}
