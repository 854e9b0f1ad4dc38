//! cloudControl's API.

use maitre::{
    CloudControl, CloudControlPlanChange, CloudControlProvision, Deprovisioned, Failure, Password, PlanChanged,
    Provisioned, Salt, SignedOn,
};
use maitre_testkit::{self as testkit, sign};
use serde_json::json;

use crate::support::{App, Clock, NOW, PASSWORD, Raw, SALT, SLUG, cloudcontrol, instant, request};

/// Starts an app with one widget and returns its provider id, too.
async fn with_a_widget() -> (App<CloudControl>, String) {
    let clock = Clock::at(NOW);
    let marketplace = CloudControl::new(SLUG, PASSWORD, SALT).expect("credentials");
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    let id = app.client.provision("basic").await.expect(201).json()["id"].as_str().expect("an id").to_owned();
    (app, id)
}

#[tokio::test]
async fn a_provision_is_201() {
    let app = cloudcontrol().await;
    let call = app.client.provision("basic").deployment("depq7w8e9r0@cloudcontrolled.com");
    let reply = call.set("options", json!({ "locale": "de", "trace": "true" })).set("mood", 1).await;
    let config = json!({ "LANTERN_URL": "https://u:pw@eu1.lantern.example/widget-1" });
    assert_eq!(
        reply.expect(201).json(),
        json!({ "id": "widget-1", "config": config, "message": "Lantern basic is ready." })
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));

    let received = app.vendor.provisions().pop().unwrap();
    assert_eq!(received.addon.to_string(), "cloudcontrol/lantern");
    let details = received.view::<CloudControlProvision>().unwrap();
    assert_eq!(
        (received.plan.as_str(), details.cloudcontrol_id.as_deref()),
        ("basic", Some("depq7w8e9r0@cloudcontrolled.com"))
    );
    assert_eq!((received.parameters.text("locale"), received.parameters.text("trace")), (Some("de"), Some("true")));
    assert_eq!(
        details.callback_url.unwrap().expose(),
        "https://api.cloudcontrol.com/vendor/apps/depq7w8e9r0%40cloudcontrolled.com"
    );
    assert_eq!(serde_json::Value::from(details.extra), json!({ "mood": 1 }));
}

#[tokio::test]
async fn options_region_and_log_token_are_optional() {
    let app = cloudcontrol().await;
    app.client.provision("basic").set("region", "eu").set("logplex_token", "t.1").await.expect(201);
    let received = app.vendor.provisions().pop().unwrap();
    let token = received.view::<CloudControlProvision>().unwrap().logplex_token.unwrap();
    assert_eq!((received.region.as_deref(), token.expose()), (Some("eu"), "t.1"));
    let bare = app.client.provision("basic").without("options").without("callback_url");
    bare.set("region", json!(null)).set("logplex_token", json!(null)).await.expect(201);
}

#[tokio::test]
async fn a_trailing_slash_in_the_path_is_accepted() {
    let app = cloudcontrol().await;
    app.client.provision("basic").path("/resources/").await.expect(201);
}

#[tokio::test]
async fn each_provision_creates_a_resource_unless_keyed_by_deployment() {
    let app = cloudcontrol().await;
    let call = app.client.provision("basic").deployment("dep1@cloudcontrolled.com");
    assert_ne!(call.clone().await.json()["id"], call.clone().await.json()["id"]);

    let keyed = CloudControl::new(SLUG, PASSWORD, SALT).unwrap().with_deployment_key(true);
    let app = App::start(keyed, |addon| addon).await;
    let call = app.client.provision("basic").deployment("dep1@cloudcontrolled.com");
    assert_eq!(call.clone().await.expect(201).body(), call.clone().await.expect(201).body());
    assert_eq!(app.vendor.provisions()[0].resource.as_str(), "dep1@cloudcontrolled.com");
    for nameless in [call.clone().without("cloudcontrol_id"), call.set("cloudcontrol_id", "")] {
        assert_eq!(nameless.clone().await.expect(201).status(), 201);
        nameless.await.expect(201);
    }
    let keys: Vec<_> = app.vendor.provisions()[2..].iter().map(|received| received.resource.clone()).collect();
    assert!(keys.iter().all(|key| keys.iter().filter(|other| other == &key).count() == 1), "{keys:?}");
}

#[tokio::test]
async fn the_checkers_field_for_the_tenant_is_accepted() {
    let app = cloudcontrol().await;
    let call = app.client.provision("basic").without("cloudcontrol_id").set("heroku_id", "app1@kensa.heroku.com");
    call.await.expect(201);
    let details = app.vendor.provisions().pop().unwrap().view::<CloudControlProvision>().unwrap();
    assert_eq!(details.cloudcontrol_id.as_deref(), Some("app1@kensa.heroku.com"));
}

#[tokio::test]
async fn a_plan_change_may_return_no_message() {
    let (app, id) = with_a_widget().await;
    let reply = app.client.plan_change(&id, "premium").set("cloudcontrol_id", "dep1@cloudcontrolled.com").await;
    assert_eq!(reply.expect(200).json(), json!({ "message": "Now on premium." }));
    let received = app.vendor.plan_changes().pop().unwrap();
    let details = received.view::<CloudControlPlanChange>().unwrap();
    assert_eq!(
        (received.resource.as_str(), details.cloudcontrol_id.as_deref()),
        (id.as_str(), Some("dep1@cloudcontrolled.com"))
    );
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    assert_eq!(app.client.plan_change(&id, "premium").await.expect(200).text(), "{}");
}

#[tokio::test]
async fn a_deprovision_is_204_or_200_with_a_message() {
    let (app, id) = with_a_widget().await;
    let reply = app.client.deprovision(&id).await;
    assert_eq!((reply.expect(204).body(), reply.header("content-type")), (&b""[..], None));
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    assert_eq!(app.client.deprovision(&id).await.expect(200).json(), json!({ "message": "Good-bye." }));
}

#[tokio::test]
async fn unknown_and_deprovisioned_resources_are_404() {
    let (app, id) = with_a_widget().await;
    assert_eq!(
        app.client.provision("gold").await.expect(422).message(),
        "The plan gold does not exist: choose basic or premium."
    );
    app.client.plan_change(&id, "gold").await.expect(422);
    app.client.plan_change("7", "premium").await.expect(404);
    app.client.deprovision("7").await.expect(404);
    app.client.deprovision(&id).await.expect(204);
    assert_eq!(app.client.deprovision(&id).await.expect(404).message(), "This resource was removed.");
    app.client.plan_change(&id, "premium").await.expect(404);
    app.vendor.on_provision(async |_| Err(Failure::from_display("queue full")));
    app.client.provision("basic").await.expect(503);
    app.vendor.on_provision(async |_| Ok(Provisioned::new("")));
    app.client.provision("basic").await.expect(503);
}

#[tokio::test]
async fn every_request_requires_the_credentials() {
    let (app, id) = with_a_widget().await;
    let before = app.vendor.calls();
    let right = sign::basic(SLUG, PASSWORD);
    let wrong = [
        None,
        Some(String::new()),
        Some("Basic".into()),
        Some(right["Basic ".len()..].to_owned()),
        Some(sign::basic("papaya", PASSWORD)),
        Some(sign::basic(SLUG, "wrong")),
        Some(sign::basic(SLUG, "")),
        Some("Basic !!!!".into()),
    ];
    for authorization in wrong {
        macro_rules! send {
            ($call:expr) => {
                match &authorization {
                    Some(authorization) => $call.authorization(authorization).await,
                    None => $call.without_credentials().await,
                }
            };
        }
        let replies = [
            send!(app.client.provision("basic")),
            send!(app.client.plan_change(&id, "premium")),
            send!(app.client.deprovision(&id)),
        ];
        for reply in replies {
            let challenge = reply.expect(401).header("www-authenticate");
            assert_eq!(challenge, Some(r#"Basic realm="Add-on API", charset="UTF-8""#), "{authorization:?}");
            assert!(!reply.message().is_empty());
        }
    }
    assert_eq!(app.vendor.calls(), before);
    app.client.deprovision(&id).authorization(right.replace("Basic", "bAsIc")).await.expect(204);
}

#[tokio::test]
async fn the_documented_token_signs_in_only_for_its_id_by_form_and_by_get() {
    let clock = Clock::at(1_700_000_000);
    let marketplace = CloudControl::new(SLUG, PASSWORD, "rock salt").unwrap();
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    app.vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/")));
    let fields = "token=9b65f5836299bfe5dce9af06e2fa59d3044a8cc9&timestamp=1700000000";
    let form = |path: &str, body: String| {
        let lines = [&format!("POST /cloudcontrol{path}"), "content-type: application/x-www-form-urlencoded"];
        Raw::exchange(&app.server, request(lines, body))
    };
    let get = |path: String| Raw::exchange(&app.server, request([format!("GET /cloudcontrol{path}").as_str()], ""));
    assert_eq!(form("/resources/sso", format!("id=789&{fields}")).await.status(), 302);
    assert_eq!(form("/sso", format!("id=789&{fields}")).await.status(), 302);
    assert_eq!(get(format!("/resources/789?{fields}")).await.status(), 302);
    assert_eq!(app.vendor.sign_ons().len(), 3);
    assert!(app.vendor.sign_ons().iter().all(|received| received.resource.as_str() == "789"));

    assert_eq!(form("/sso", format!("id=788&{fields}")).await.status(), 403);
    assert_eq!(form("/sso", fields.to_owned()).await.status(), 403);
    assert_eq!(form("/sso", format!("id=789&id=789&{fields}")).await.status(), 403);
    assert_eq!(get(format!("/resources/788?{fields}")).await.status(), 403);
    assert_eq!(get(format!("/resources/788?{fields}&id=789")).await.status(), 403);
    assert_eq!(app.vendor.sign_ons().len(), 3);
}

#[tokio::test]
async fn sign_on_by_form_and_by_get_share_window_and_rejection() {
    let (app, id) = with_a_widget().await;
    let form = |seconds: i64| app.client.single_sign_on(&id).at(instant(NOW + seconds));
    for (seconds, status) in [(-301, 403), (-300, 302), (0, 302), (60, 302), (61, 403)] {
        form(seconds).await.expect(status);
        form(seconds).path("/sso").await.expect(status);
        form(seconds).send_by_get().await.expect(status);
    }
    let before = app.vendor.sign_ons().len();
    for by_get in [false, true] {
        let form = || if by_get { form(0).by_get() } else { form(0) };
        for call in [
            form().set("token", "0"),
            form().set("token", ""),
            form().without("token"),
            form().without("timestamp"),
            form().set("timestamp", "1771999999"),
            form().set("timestamp", "9999999999junk"),
            form().set("timestamp", "99999999999999999999"),
        ] {
            let reply = call.await;
            assert_eq!(reply.expect(403).cookies().count(), 0);
        }
        let capitals = sign::token(&id, SALT, &NOW.to_string()).to_uppercase();
        form().set("token", capitals).await.expect(403);
    }
    form(0).header("content-type", "application/json").await.expect(415);
    form(0).by_get().method("HEAD").await.expect(403);
    assert_eq!(app.vendor.sign_ons().len(), before);
}

#[tokio::test]
async fn a_sign_on_sets_a_session_and_the_nav_data_cookie() {
    let (app, id) = with_a_widget().await;
    let form = app.client.single_sign_on(&id).at(instant(NOW));
    let mut browser = app.browser();
    let landed = browser.post_form(form.url(), form.fields()).await;
    let cookie = landed.expect(302).cookie("heroku-nav-data").unwrap();
    assert_eq!(
        (cookie.value(), cookie.same_site(), cookie.path()),
        ("eyJhZGRvbiI6InBhcGF5YSJ9", Some("Lax"), Some("/"))
    );
    assert!(cookie.is_http_only() && cookie.is_secure());
    assert_eq!(browser.follow(&landed).await.expect(200).json(), json!({ "widget": id }));

    let old = form.clone().set("email", "ada@example.org").set("app", "dep1").set("tab", "a").send_by_get().await;
    assert!(old.expect(302).cookie("heroku-nav-data").is_some());
    let received = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((received.identity.email(), received.app.as_deref()), (Some("ada@example.org"), Some("dep1")));
    assert!(!received.identity.is_verified());
    assert_eq!(received.extra["tab"], "a");

    form.clone().set("nav-data", "a;b").await.expect(302);
    app.client.single_sign_on("widget-9").at(instant(NOW)).await.expect(404);
}

#[tokio::test]
async fn old_passwords_and_salts_are_accepted_until_they_expire() {
    let clock = Clock::at(NOW);
    let end = instant(NOW + 60);
    let marketplace = CloudControl::new(SLUG, PASSWORD, SALT)
        .unwrap()
        .with_password(Password::new("old").unwrap().with_expiry(end))
        .with_salt(Salt::new("old salt").unwrap().with_expiry(end));
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    app.client.provision("basic").await.expect(201);
    let old = testkit::CloudControl::new(&app.server.url("/cloudcontrol"), SLUG, "old", "old salt");
    for (moment, created, let_in) in [(NOW + 59, 201, 302), (NOW + 60, 401, 403)] {
        clock.set(moment);
        old.provision("basic").await.expect(created);
        old.single_sign_on("widget-1").at(instant(moment)).await.expect(let_in);
        app.client.single_sign_on("widget-1").at(instant(moment)).await.expect(302);
    }
}
