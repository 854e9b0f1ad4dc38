//! Contents of the log, and absence of secrets in it.

use std::time::Duration;

use maitre::{
    CloudControl, Deprovisioned, Failure, FromManifest, Heroku, Manifest, Opperator, Password, PlanChanged,
    Provisioned, Salt, SignedOn,
};
use maitre_testkit::{self as testkit, sign};
use serde_json::json;

use crate::support::canaries::{self, computed};
use crate::support::{App, Line, Log, SLUG, UUID, Vendor};

const PASSWORD: &str = "canary-password";
const SALT: &str = "canary-salt";

/// Returns a marketplace made from a manifest, so that the router's warnings about config vars are logged, too; old
/// secrets are also accepted.
fn heroku_manifest() -> Heroku {
    let manifest = json!({ "id": SLUG, "api": { "version": "3", "password": PASSWORD, "sso_salt": SALT,
        "config_vars": ["LANTERN_URL"], "regions": ["us"],
        "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/heroku/resources/sso" } } });
    Heroku::from_manifest(&Manifest::parse(&manifest.to_string()).expect("a manifest"))
        .expect("credentials")
        .with_legacy_token(true)
        .with_password(Password::new("canary-old-password").expect("a password"))
        .with_salt(Salt::new("canary-old-salt").expect("a salt"))
}

/// Makes the vendor put secrets into every reply field and log requests and replies, as careless vendors do.
fn reply_with_secrets(vendor: &Vendor) {
    vendor.on_provision(async |request| {
        let reply = Provisioned::new("widget-1")
            .with_config("LANTERN_URL", "https://u:canary-config@eu1.lantern.example")
            .with_log_drain_url("https://canary-drain.example/canary");
        tracing::info!(?request, ?reply, "vendor at work");
        Ok(reply)
    });
    vendor.on_plan_change(async |request| {
        let reply = PlanChanged::new().with_config("LANTERN_URL", "canary-config");
        tracing::info!(?request, ?reply, "vendor at work");
        Ok(reply)
    });
    vendor.on_deprovision(async |request| {
        tracing::info!(?request, "vendor at work");
        Ok(Deprovisioned::new())
    });
    vendor.on_single_sign_on(async |request| {
        let reply = SignedOn::redirect("/dashboard").with_session("widget", "canary-session-value");
        tracing::info!(?request, ?reply, "vendor at work");
        Ok(reply)
    });
    vendor.on_notice(async |request| {
        tracing::info!(?request, "vendor at work");
        Ok(())
    });
}

fn fail_every_call(vendor: &Vendor) {
    let no = || Failure::from_display("no route to postgres://app:canary-database@db/widgets");
    vendor.on_provision(move |_| async move { Err(no()) });
    vendor.on_plan_change(move |_| async move { Err(no()) });
    vendor.on_deprovision(async |_| panic!("canary-panic"));
    vendor.on_single_sign_on(move |_| async move { Err(no()) });
}

/// Asserts that no line contains a canary or a value computed or encoded from one.
fn assert_no_secret(log: &Log, computed: &[String]) {
    for line in log.lines() {
        let text = line.to_string().to_lowercase();
        assert!(!text.contains("canary"), "{line}");
        for secret in computed {
            assert!(!text.contains(&secret.to_lowercase()), "{secret}: {line}");
        }
    }
}

#[tokio::test]
async fn no_heroku_secret_is_logged_at_any_level() {
    let log = Log::open();
    let app = App::start(heroku_manifest(), |addon| addon.with_answer_budget(Duration::from_secs(5))).await;
    let heroku = testkit::Heroku::new(&app.server.url("/heroku"), SLUG, PASSWORD, SALT);
    let provision = canaries::provision(&heroku, UUID, "basic");
    let plan_change = canaries::plan_change(&heroku, UUID, "premium");
    let form = canaries::form(&heroku, UUID);
    let calls = || {
        vec![
            (provision.clone().request(), provision.clone().path("/resources?key=canary-query").request()),
            (plan_change.request(), plan_change.clone().path("/resources/7?key=canary-query").request()),
        ]
    };
    let mut secrets: Vec<String> =
        calls().iter().flat_map(|(one, other)| [computed(one), computed(other)]).flatten().collect();
    secrets.extend(computed(&form.request()));
    secrets.extend(computed(&form.clone().only_legacy().by_get().request()));
    secrets.push(sign::basic(SLUG, "canary-guessed").replace("Basic ", ""));

    for script in [reply_with_secrets, fail_every_call] {
        script(&app.vendor);
        let answered: &[u16] = if app.vendor.calls() == 0 { &[200, 302] } else { &[503] };
        let ok = |reply: &testkit::Reply| assert!(answered.contains(&reply.status()), "{reply}");
        ok(&provision.clone().await);
        ok(&provision.clone().path("/resources?key=canary-query").await);
        ok(&plan_change.clone().await);
        ok(&form.clone().await);
        ok(&form.clone().only_resource_token().await);
        ok(&form.clone().only_legacy().await);
        ok(&form.clone().send_by_get().await);
        form.clone().set("user_scoped_resource_token", "canary-token").await.expect(403);
        form.clone().timestamp("canary-timestamp").await.expect(403);
        form.clone().by_get().set("token", "canary-token").await.expect(403);
        form.clone().by_get().method("HEAD").await.expect(403);
        form.clone().body(format!("canary={}", "canary".repeat(100_000))).await.expect(413);
        provision.clone().credentials(SLUG, "canary-guessed").await.expect(401);
        provision.clone().authorization("Bearer canary-token").await.expect(401);
        provision.clone().body(r#"{"plan":"basic","unknown":"canary"#).await.expect(400);
        provision.clone().body("canary").await.expect(400);
        heroku.deploy_event("7").set("detail", json!({ "user": "canary@example.org" })).await.expect(200);
        let removed = heroku.deprovision("7").header("cookie", "id=canary-cookie").await;
        assert!([204, 503].contains(&removed.status()));
    }
    assert!(log.text().contains(UUID), "the log records the requests");
    assert_eq!(log.events_containing("vendor at work").len(), 8);
    assert_no_secret(&log, &secrets);
}

#[tokio::test]
async fn config_vars_that_the_manifest_does_not_list_are_an_error_that_names_them() {
    let log = Log::open();
    let app = App::start(heroku_manifest(), |addon| addon).await;
    let heroku = testkit::Heroku::new(&app.server.url("/heroku"), SLUG, PASSWORD, SALT);
    app.vendor.on_provision(async |_| {
        let reply = Provisioned::new("widget-1").with_config("LANTERN_URL", "canary-config");
        Ok(reply.with_config("LANTERN_PORT", "canary-config").with_config("PORT", "canary-config"))
    });
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new().with_config("PORT", "canary-config")));
    for reply in [heroku.provision("basic").uuid(UUID).await, heroku.plan_change(UUID, "premium").await] {
        assert_eq!(
            reply.expect(503).json()["message"],
            "The add-on's provider has configured it incorrectly, and has to correct it. Please try again later."
        );
    }
    let errors = log.events_containing("the manifest does not list these config vars");
    assert_eq!(
        errors.iter().map(|line| line.get("names").unwrap()).collect::<Vec<_>>(),
        ["LANTERN_PORT, PORT", "PORT"]
    );
    assert!(errors.iter().all(|line| line.to_string().starts_with("ERROR")));
    assert_no_secret(&log, &[]);

    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new().with_config("LANTERN_URL", "canary-config")));
    heroku.plan_change(UUID, "premium").await.expect(200);
}

#[tokio::test]
async fn no_cloudcontrol_or_opperator_secret_is_logged_at_any_level() {
    let log = Log::open();
    let app = App::start(CloudControl::new(SLUG, PASSWORD, SALT).unwrap(), |addon| addon).await;
    let cloudcontrol = testkit::CloudControl::new(&app.server.url("/cloudcontrol"), SLUG, PASSWORD, SALT);
    let opperator = Opperator::new(SLUG, "canary-secret", |_| Some("basic".to_owned())).unwrap();
    let other = App::start(opperator, |addon| addon).await;
    let opperator = testkit::Opperator::new(&other.server.url("/opperator"), "canary-secret");
    let provision = cloudcontrol
        .provision("basic")
        .deployment("canary-deployment@cloudcontrolled.com")
        .set("options", json!({ "canary": "canary" }))
        .set("logplex_token", "canary")
        .set("canary", "canary");
    let form = cloudcontrol
        .single_sign_on("widget-1")
        .set("email", "canary@example.org")
        .set("nav-data", "canary")
        .set("app", "canary");
    let secrets = [provision.request(), form.request(), form.clone().by_get().request()]
        .iter()
        .flat_map(computed)
        .collect::<Vec<_>>();
    for (first, script) in [(true, reply_with_secrets as fn(&Vendor)), (false, fail_every_call)] {
        script(&app.vendor);
        script(&other.vendor);
        let or_503 = |status: u16| if first { status } else { 503 };
        provision.clone().await.expect(or_503(201));
        provision.clone().credentials(SLUG, "canary-guessed").await.expect(401);
        provision.clone().body("{\"unknown\":\"canary").await.expect(400);
        cloudcontrol.plan_change("widget-1", "premium").set("cloudcontrol_id", "canary").await.expect(or_503(200));
        form.clone().await.expect(or_503(302));
        form.clone().send_by_get().await.expect(or_503(302));
        form.clone().set("token", "canary").await.expect(403);
        form.clone().by_get().set("token", "canary").await.expect(403);
        cloudcontrol.deprovision("widget-1").await.expect(or_503(204));
        opperator.provision(json!({ "canary": "canary" })).set("canary", "canary").await.expect(or_503(201));
        opperator.plan_change("widget-1", json!({ "canary": "canary" })).await.expect(or_503(200));
        opperator.plan_warning("widget-1").set("canary", "canary").await.expect(200);
        opperator.provision(json!({})).header("x-opperator-shared-secret", "canary-guessed").await.expect(401);
        let as_form = opperator.provision(json!({})).header("content-type", "application/x-www-form-urlencoded");
        as_form.body("features=canary").await.expect(400);
        opperator.deprovision("widget-1").await.expect(or_503(200));
    }
    assert!(log.text().contains("widget-1"), "the log records the requests");
    assert_no_secret(&log, &secrets);
}

#[tokio::test]
async fn a_secret_of_the_wrong_type_is_not_quoted() {
    let log = Log::open();
    let app = App::start(heroku_manifest(), |addon| addon).await;
    let heroku = testkit::Heroku::new(&app.server.url("/heroku"), SLUG, PASSWORD, SALT);
    heroku.provision("basic").set("oauth_grant", "canary-grant").await.expect(400);
    heroku.provision("basic").set("oauth_grant", json!({ "code": 4711_0815_4711_u64 })).await.expect(400);
    heroku.provision("basic").set("options", "canary-options").await.expect(400);
    heroku.provision("basic").set("log_drain_token", 4711_0815_4711_u64).await.expect(400);
    heroku.provision("basic").body(r#""canary-body""#).await.expect(400);
    heroku.plan_change(UUID, "basic").body(r#""canary-body""#).await.expect(400);
    assert_eq!(
        log.events_containing("refused a request that cannot be read").len(),
        6,
        "the message gives the position, not the value"
    );
    assert_no_secret(&log, &["471108154711".to_owned()]);
}

#[tokio::test]
async fn a_rejected_redirect_is_logged_without_its_secrets() {
    let log = Log::open();
    let app = crate::support::heroku().await;
    for away in [
        "https://u:canary@evil.example/",
        "https://evil.example/in?login_token=canary-token",
        "https://evil.example/#canary-token",
        "//evil.example/in?login_token=canary-token",
    ] {
        app.vendor.on_single_sign_on(move |_| async move { Ok(SignedOn::redirect(away)) });
        app.client.single_sign_on(UUID).await.expect(503);
    }
    assert_eq!(log.events_containing("redirects to another site").len(), 4);
    assert_no_secret(&log, &[]);
}

/// Returns the events of one request and the index from which its resource is known.
fn of_request(log: &Log, request_id: &str) -> (Vec<Line>, usize) {
    let events: Vec<_> = log.events().into_iter().filter(|line| line.get("request_id") == Some(request_id)).collect();
    let at_work = events.iter().position(|line| line.message() == "vendor at work");
    (events, at_work.unwrap_or(0))
}

#[tokio::test]
async fn every_event_of_a_request_has_request_id_marketplace_and_resource() {
    let log = Log::open();
    let app = crate::support::heroku().await;
    let work = async || {
        tracing::info!("vendor at work");
        tokio::task::yield_now().await;
        tracing::debug!("vendor still at work");
    };
    app.vendor.on_provision(move |_| async move {
        work().await;
        Ok(Provisioned::new("widget-1"))
    });
    app.vendor.on_plan_change(move |_| async move {
        work().await;
        Err(Failure::from_display("queue full"))
    });
    app.vendor.on_deprovision(move |_| async move {
        work().await;
        panic!("boom")
    });
    app.vendor.on_single_sign_on(move |_| async move {
        work().await;
        Ok(SignedOn::redirect("https://evil.example/"))
    });
    let heroku = &app.client;
    let with_id = |id: &str| ("x-request-id", id.to_owned());
    let (name, id) = with_id("r-1");
    let provision = heroku.provision("basic").uuid(UUID).header(name, id);
    let (name, id) = with_id("r-2");
    let plan_change = heroku.plan_change("widget-2", "premium").header(name, id);
    let (name, id) = with_id("r-3");
    let deprovision = heroku.deprovision("widget-3").header(name, id);
    let other = heroku.new_uuid();
    let (name, id) = with_id("r-4");
    let sign_on = heroku.single_sign_on(&other).header(name, id);
    let (a, b, c, d) = tokio::join!(provision.send(), plan_change.send(), deprovision.send(), sign_on.send());
    assert_eq!([a.status(), b.status(), c.status(), d.status()], [200, 503, 503, 503]);

    for (request_id, resource, expected) in [
        ("r-1", UUID, None),
        ("r-2", "widget-2", Some("the listener failed")),
        ("r-3", "widget-3", Some("the listener failed")),
        ("r-4", other.as_str(), Some("redirects to another site")),
    ] {
        let (events, at_work) = of_request(&log, request_id);
        let messages: Vec<_> = events.iter().map(Line::message).collect();
        assert!(messages.contains(&"vendor still at work"), "{messages:?}");
        assert!(messages.contains(&"finished processing request"), "{messages:?}");
        assert!(expected.is_none_or(|part| messages.iter().any(|message| message.contains(part))), "{messages:?}");
        for line in &events {
            assert_eq!((line.get("marketplace"), line.get("addon")), (Some("heroku"), Some(SLUG)), "{line}");
        }
        for line in &events[at_work..] {
            assert_eq!(line.get("resource"), Some(resource), "{line}");
        }
    }
    for line in log.events().iter().filter(|line| line.target.starts_with("maitre")) {
        assert!(line.is_in_request_span() && line.get("request_id").is_some(), "{line}");
    }
}

#[tokio::test]
async fn the_log_of_a_rejected_request_has_all_known_fields() {
    let log = Log::open();
    let app = crate::support::heroku().await;
    let heroku = &app.client;
    heroku.plan_change("widget-5", "basic").header("x-request-id", "r-5").body("{").await.expect(400);
    heroku.provision("basic").header("x-request-id", "r-6").without_credentials().await.expect(401);
    heroku.single_sign_on(UUID).header("x-request-id", "r-7").set("timestamp", "0").await.expect(403);
    let own_id = heroku.provision("gold").uuid(UUID).await;
    let own_id = own_id.expect(422).header("x-request-id").unwrap();
    for (request_id, expected, resource) in [
        ("r-5", "refused a request that cannot be read", Some("widget-5")),
        ("r-6", "refused a caller without the add-on's credentials", None),
        ("r-7", "refused a single sign-on", None),
        (own_id, "the listener refused the request", Some(UUID)),
    ] {
        let (events, _) = of_request(&log, request_id);
        let line = events.iter().find(|line| line.message().contains(expected));
        let line = line.unwrap_or_else(|| panic!("{request_id} does not log {expected}:\n{}", log.text()));
        assert_eq!((line.get("marketplace"), line.get("resource")), (Some("heroku"), resource), "{line}");
    }
}

#[tokio::test]
async fn work_that_outlives_its_caller_is_logged_with_the_requests_fields() {
    let log = Log::open();
    let app = App::heroku(|addon| addon.with_answer_budget(Duration::from_millis(20))).await;
    let gate = crate::support::Gate::closed();
    app.vendor.on_deprovision(gate.before(|| {
        tracing::info!("vendor done");
        Ok(Deprovisioned::new())
    }));
    app.client.deprovision("widget-8").header("x-request-id", "r-8").await.expect(503);
    gate.open();
    gate.done.wait_for(1).await;
    assert_eq!(maitre::drain([app.addon.in_flight()], Duration::from_hours(1)).await, 0);
    let [line] = &log.events_containing("vendor done")[..] else { panic!("one line: {}", log.text()) };
    let fields = (line.get("request_id"), line.get("marketplace"), line.get("resource"));
    assert_eq!(fields, (Some("r-8"), Some("heroku"), Some("widget-8")));
}
