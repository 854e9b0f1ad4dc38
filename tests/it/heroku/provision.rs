//! `POST /resources`.

use maitre::{Failure, HerokuProvision, Provisioned};
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

use crate::support::{App, Clock, NOW, UUID, heroku, instant};

#[tokio::test]
async fn a_provision_returns_id_config_and_message() {
    let app = heroku().await;
    let reply = app.client.provision("basic").uuid(UUID).await;
    let answer = json!({
        "id": "widget-1",
        "config": { "LANTERN_URL": "https://u:pw@eu1.lantern.example/widget-1" },
        "message": "Lantern basic is ready.",
    });
    assert_eq!(reply.expect(200).json(), answer);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn every_documented_field_reaches_the_listener() {
    let app = heroku().await;
    let call = app.client.provision("basic").uuid(UUID).at(instant(NOW));
    let call = call.set("options", json!({ "retention": "7d", "trace": "true" }));
    let call = call.set(
        "oauth_grant",
        json!({ "code": "b6a1d7de", "type": "authorization_code", "expires_at": "2026-03-04T05:11:07+0000" }),
    );
    let call = call.set("log_input_url", "https://token:t.1@1.us.logplex.io/logs").set("log_drain_token", "d.1");
    call.set("name", "lantern-curved-4821").await.expect(200);

    let [request] = &app.vendor.provisions()[..] else { panic!("one call") };
    assert_eq!(request.addon.to_string(), "heroku/lantern");
    assert_eq!(request.resource.as_str(), UUID);
    assert_eq!(request.plan, "basic");
    assert_eq!(request.name.as_deref(), Some("lantern-curved-4821"));
    assert_eq!(request.region.as_deref(), Some("amazon-web-services::us-east-1"));
    let heroku = request.view::<HerokuProvision>().unwrap();
    let exposed = |secret: &Option<maitre::Secret>| secret.as_ref().map(|it| it.expose().to_owned());
    assert_eq!(exposed(&heroku.callback_url).unwrap(), format!("https://api.heroku.com/addons/{UUID}"));
    assert_eq!(exposed(&heroku.log_input_url).unwrap(), "https://token:t.1@1.us.logplex.io/logs");
    assert_eq!(exposed(&heroku.log_drain_token).unwrap(), "d.1");
    assert_eq!(Value::from(request.parameters.clone()), json!({ "retention": "7d", "trace": "true" }));
    let grant = request.oauth_grant.as_ref().unwrap();
    assert_eq!((grant.code.expose(), grant.kind.as_str()), ("b6a1d7de", "authorization_code"));
    assert_eq!(grant.expires_at, datetime!(2026-03-04 5:11:07 UTC));
    assert!(heroku.extra.is_empty());
}

#[tokio::test]
async fn an_oauth_grant_may_be_absent_or_null_or_lack_a_valid_expiry() {
    let clock = Clock::at(NOW);
    let app = App::heroku(|addon| addon.with_clock(clock.source())).await;
    let end = |at: &str| json!({ "code": "c", "type": "authorization_code", "expires_at": at });
    let in_five_minutes = instant(NOW) + Duration::minutes(5);
    for (grant, until) in [
        (Some(end("2026-03-03T21:11:07-0800")), Some(datetime!(2026-03-04 5:11:07 UTC))),
        (Some(end("2026-03-03T21:11:07-08:00")), Some(datetime!(2026-03-04 5:11:07 UTC))),
        (Some(end("2026-03-04T05:11:07Z")), Some(datetime!(2026-03-04 5:11:07 UTC))),
        (Some(end("soon")), Some(in_five_minutes)),
        (Some(json!({ "code": "c" })), Some(in_five_minutes)),
        (Some(json!(null)), None),
        (None, None),
        (Some(end("9999-12-31T23:59:59-23:59")), Some(datetime!(9999-12-31 23:59:59 -23:59))),
        (Some(end("0000-01-01T00:00:00+23:59")), Some(datetime!(0000-01-01 0:00 +23:59))),
    ] {
        let call = app.client.provision("basic");
        let call = match &grant {
            Some(grant) => call.set("oauth_grant", grant.clone()),
            None => call.without("oauth_grant"),
        };
        call.await.expect(200);
        let received = app.vendor.provisions().pop().unwrap();
        assert_eq!(received.oauth_grant.map(|grant| grant.expires_at), until, "{grant:?}");
    }
}

#[tokio::test]
async fn only_uuid_and_plan_are_required() {
    let app = heroku().await;
    let body = format!(r#"{{"uuid":"{UUID}","plan":"basic"}}"#);
    app.client.provision("basic").body(body).await.expect(200);
    let nulls = "name region callback_url oauth_grant options log_input_url log_drain_token heroku_id logplex_token";
    let call = nulls.split(' ').fold(app.client.provision("basic"), |call, field| call.set(field, json!(null)));
    call.await.expect(200);
    for received in app.vendor.provisions() {
        assert_eq!((received.name, received.region, received.parameters.len()), (None, None, 0));
        assert!(received.oauth_grant.is_none() && received.details.is_empty());
    }
}

#[tokio::test]
async fn a_region_may_be_any_text() {
    let app = heroku().await;
    for region in ["amazon-web-services::mars-north-1", "eu", "", "büro"] {
        app.client.provision("basic").set("region", region).await.expect(200);
        assert_eq!(app.vendor.provisions().pop().unwrap().region.as_deref(), Some(region));
    }
}

#[tokio::test]
async fn unknown_fields_are_in_the_details() {
    let app = heroku().await;
    let call = app.client.provision("basic").set("mood", json!(["fair", { "since": 1 }]));
    call.set("plan_", json!(null)).await.expect(200);
    let heroku = app.vendor.provisions().pop().unwrap().view::<HerokuProvision>().unwrap();
    assert_eq!(Value::from(heroku.extra), json!({ "mood": ["fair", { "since": 1 }], "plan_": null }));
}

#[tokio::test]
async fn a_retry_addresses_the_same_resource_and_returns_the_same_reply() {
    let app = heroku().await;
    let call = app.client.provision("basic").uuid(UUID);
    let first = call.clone().await;
    let again = call.await;
    let shouted = app.client.provision("basic").uuid(&UUID.to_uppercase()).await;
    first.expect(200);
    assert_eq!((first.body(), first.body()), (again.body(), shouted.body()));
    assert!(app.vendor.provisions().iter().all(|received| received.resource.as_str() == UUID));
}

#[tokio::test]
async fn config_vars_keep_their_order_and_the_drain_url_is_returned() {
    let app = heroku().await;
    app.vendor.on_provision(async |_| {
        Ok(Provisioned::new(4711)
            .with_config("LANTERN_URL", "https://eu1.lantern.example")
            .with_config("LANTERN_A", "1")
            .with_config("LANTERN_ESCAPED", "\"\\\u{1f511}\n")
            .with_log_drain_url("https://drain.lantern.example/4711"))
    });
    let reply = app.client.provision("basic").await;
    assert_eq!(
        reply.expect(200).text(),
        "{\"id\":\"4711\",\"config\":{\"LANTERN_URL\":\"https://eu1.lantern.example\",\"LANTERN_A\":\"1\",\
         \"LANTERN_ESCAPED\":\"\\\"\\\\\u{1f511}\\n\"},\"log_drain_url\":\"https://drain.lantern.example/4711\"}"
    );
}

#[tokio::test]
async fn each_kind_of_failure_has_a_status_and_a_message() {
    let app = heroku().await;
    for (status, sentence, failure) in [
        (422, "Sold out in Europe.", (|| Failure::refused("Sold out in Europe.")) as fn() -> Failure),
        (422, "Ordered as basic.", || Failure::conflict("Ordered as basic.")),
        (410, "This resource was removed.", Failure::gone),
        (410, "Removed in May.", || Failure::gone().with_message("Removed in May.")),
        (404, "This resource does not exist.", Failure::unknown),
        (503, "Back at noon.", || Failure::from_display("cause").with_message("Back at noon.")),
    ] {
        app.vendor.on_provision(move |_| async move { Err(failure()) });
        let reply = app.client.provision("basic").await;
        assert_eq!(reply.expect(status).json(), json!({ "message": sentence }));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn an_unknown_plan_is_422_with_the_listeners_message() {
    let app = heroku().await;
    let reply = app.client.provision("gold").await;
    assert_eq!(reply.expect(422).message(), "The plan gold does not exist: choose basic or premium.");
}

#[tokio::test]
async fn a_deprovisioned_uuid_cannot_be_provisioned_again() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.deprovision(UUID).await.expect(204);
    app.client.provision("basic").uuid(UUID).await.expect(410);
}

#[tokio::test]
async fn an_empty_provider_id_is_503() {
    let app = heroku().await;
    app.vendor.on_provision(async |_| Ok(Provisioned::new("")));
    app.client.provision("basic").await.expect(503);
}
