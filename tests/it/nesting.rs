//! A marketplace's router nested in a larger app.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use maitre::{Addon, CloudControl, Credentialed, Deprovisioned, Heroku, Opperator, PlanChanged, SignedOn};
use maitre_testkit as testkit;
use serde_json::json;

use crate::support::{App, PASSWORD, Raw, SALT, SECRET, SLUG, Server, UUID, Vendor, heroku, request};

fn credentials() -> Heroku {
    Heroku::new(SLUG, PASSWORD, SALT).expect("credentials")
}

/// Returns a vendor that accepts everything and redirects without a session.
fn accepting_vendor() -> Vendor {
    let vendor = Vendor::default();
    vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/dashboard")));
    vendor
}

/// Returns the client for a router at this path.
fn heroku_at(server: &Server, path: &str) -> testkit::Heroku {
    testkit::Heroku::new(&server.url(path), SLUG, PASSWORD, SALT)
}

async fn full_lifecycle(heroku: &testkit::Heroku) {
    heroku.provision("basic").uuid(UUID).await.expect(200);
    heroku.plan_change(UUID, "premium").await.expect(200);
    heroku.single_sign_on(UUID).await.expect(302);
    heroku.deploy_event(UUID).await.expect(200);
    heroku.deprovision(UUID).await.expect(204);
}

#[tokio::test]
async fn the_router_works_under_any_prefix_or_none() {
    for prefix in ["/heroku", "/market/place/heroku", "/a.b/heroku"] {
        let router: Router = maitre::heroku(Addon::new(credentials(), accepting_vendor()));
        let server = Server::start(Router::new().nest(prefix, router)).await;
        full_lifecycle(&heroku_at(&server, prefix)).await;
    }
    let server =
        Server::start(Router::new().merge(maitre::heroku(Addon::new(credentials(), accepting_vendor())))).await;
    full_lifecycle(&heroku_at(&server, "")).await;
}

#[tokio::test]
async fn the_prefix_may_contain_path_parameters() {
    for prefix in ["/{region}/heroku", "/{id}/heroku"] {
        let vendor = accepting_vendor();
        let router = maitre::heroku(Addon::new(credentials().with_legacy_token(true), vendor.clone()));
        let server = Server::start(Router::new().nest(prefix, router)).await;
        let heroku = heroku_at(&server, "/eu/heroku");
        heroku.provision("basic").uuid(UUID).await.expect(200);
        heroku.single_sign_on(UUID).await.expect(302);
        heroku.plan_change(UUID, "premium").await.expect(200);
        heroku.deprovision(UUID).await.expect(204);
        heroku.single_sign_on(UUID).send_by_get().await.expect(302);
        assert_eq!(vendor.plan_changes()[0].resource.as_str(), UUID, "{prefix}");
        assert_eq!(vendor.deprovisions()[0].resource.as_str(), UUID, "{prefix}");
        assert_eq!(vendor.sign_ons()[1].resource.as_str(), UUID, "{prefix}");
    }
}

#[tokio::test]
async fn two_add_ons_in_one_app_share_nothing() {
    let (lanterns, widgets) = (Vendor::default(), Vendor::default());
    let widget_credentials = Heroku::new("widget", "other-password", "other-salt").unwrap();
    let server = Server::start(
        Router::new()
            .nest("/lanterns/heroku", maitre::heroku(Addon::new(credentials(), lanterns.clone())))
            .nest("/widgets/heroku", maitre::heroku(Addon::new(widget_credentials, widgets.clone()))),
    )
    .await;
    let (lantern, widget) = (
        heroku_at(&server, "/lanterns/heroku"),
        testkit::Heroku::new(&server.url("/widgets/heroku"), "widget", "other-password", "other-salt"),
    );
    lantern.provision("basic").uuid(UUID).await.expect(200);
    widget.provision("premium").uuid(UUID).await.expect(200);
    assert_eq!(lanterns.provisions()[0].addon.to_string(), "heroku/lantern");
    assert_eq!(widgets.provisions()[0].addon.to_string(), "heroku/widget");

    heroku_at(&server, "/widgets/heroku").provision("basic").await.expect(401);
    lantern.provision("basic").credentials("widget", "other-password").await.expect(401);
    lantern.provision("basic").credentials(SLUG, "other-password").await.expect(401);
    heroku_at(&server, "/widgets/heroku").single_sign_on(UUID).await.expect(403);
    assert_eq!((lanterns.calls(), widgets.calls()), (1, 1));
}

#[tokio::test]
async fn one_listener_may_serve_three_marketplaces_and_can_distinguish_them() {
    let vendor = Arc::new(Vendor::default());
    let opperator = Opperator::new(SLUG, SECRET, |_| Some("basic".to_owned())).unwrap();
    let server = Server::start(
        Router::new()
            .nest("/heroku", maitre::heroku(Addon::new(credentials(), vendor.clone())))
            .nest(
                "/cloudcontrol",
                maitre::cloudcontrol((CloudControl::new(SLUG, PASSWORD, SALT).unwrap(), vendor.clone())),
            )
            .nest("/opperator", maitre::opperator(Addon::new(opperator, vendor.clone()))),
    )
    .await;
    heroku_at(&server, "/heroku").provision("basic").await.expect(200);
    let cloudcontrol = testkit::CloudControl::new(&server.url("/cloudcontrol"), SLUG, PASSWORD, SALT);
    cloudcontrol.provision("basic").await.expect(201);
    testkit::Opperator::new(&server.url("/opperator"), SECRET).provision(json!({})).await.expect(201);
    let who: Vec<_> = vendor.provisions().iter().map(|received| received.addon.to_string()).collect();
    assert_eq!(who, ["heroku/lantern", "cloudcontrol/lantern", "opperator/lantern"]);
}

/// A listener with its own credentials, which can be passed to the router directly.
struct Lanterns(Vendor);

impl maitre::Listener for Lanterns {
    async fn provision(&self, request: maitre::Provision) -> maitre::Result<maitre::Provisioned> {
        self.0.provision(request).await
    }
    async fn plan_change(&self, request: maitre::PlanChange) -> maitre::Result<PlanChanged> {
        self.0.plan_change(request).await
    }
    async fn deprovision(&self, request: maitre::Deprovision) -> maitre::Result<Deprovisioned> {
        self.0.deprovision(request).await
    }
    async fn single_sign_on(&self, request: maitre::SignOn) -> maitre::Result<SignedOn> {
        self.0.single_sign_on(request).await
    }
}

impl Credentialed for Lanterns {
    type Marketplace = Heroku;
    fn credentials(&self) -> Heroku {
        credentials()
    }
}

#[tokio::test]
async fn a_credentialed_listener_is_nested_directly_in_an_app_with_state() {
    #[derive(Clone)]
    struct AppState(&'static str);

    let app: Router<AppState> = Router::new()
        .nest("/heroku", maitre::heroku(Lanterns(accepting_vendor())))
        .route("/", get(async |State(state): State<AppState>| state.0));
    let server = Server::start(app.with_state(AppState("the host's own page"))).await;
    full_lifecycle(&heroku_at(&server, "/heroku")).await;
    let page = testkit::Browser::new(&server.url("")).get("/").await;
    assert_eq!(page.expect(200).text(), "the host's own page");
}

#[tokio::test]
async fn single_sign_on_can_be_moved_within_the_router() {
    for path in ["/sso/login", "/sso", "/resources/7", "/resources/x/events2", "/sso/", "/a-b_c.d~e"] {
        let marketplace = credentials().with_sso_path(path).unwrap();
        let server =
            Server::start(Router::new().nest("/heroku", maitre::heroku(Addon::new(marketplace, accepting_vendor()))))
                .await;
        let heroku = heroku_at(&server, "/heroku");
        heroku.single_sign_on(UUID).path(path).await.expect(302);
        heroku.single_sign_on(UUID).path(path).set("user_scoped_resource_token", "0").await.expect(403);
        heroku.single_sign_on(UUID).await.expect(405);
        heroku.provision("basic").await.expect(200);
    }
    for path in ["//", "/.", "/..", "/a//b", "/resources/sso/", "/resources/7/events", "/resources/7/", "//resources"] {
        if let Ok(marketplace) = credentials().with_sso_path(path) {
            let router: Router = maitre::heroku(Addon::new(marketplace, accepting_vendor()));
            assert!(router.has_routes(), "an accepted path can be routed: {path}");
        }
    }
    for path in ["", "/", "sso", "/resources", "/resources/", "/sso?x", "/sso/{id}", "/sso/*x", "/s so", "/ü", "/%20"]
    {
        assert!(credentials().with_sso_path(path).is_err(), "{path}");
    }
}

#[tokio::test]
async fn single_sign_on_can_be_mounted_anywhere_in_the_app() {
    let addon = Addon::new(credentials(), accepting_vendor());
    let papaya = (CloudControl::new(SLUG, PASSWORD, SALT).unwrap(), accepting_vendor());
    let app = Router::new()
        .nest("/heroku", maitre::heroku(addon.clone()))
        .route("/sso/login", maitre::heroku::single_sign_on(addon))
        .route("/sso/papaya", maitre::cloudcontrol::single_sign_on(papaya));
    let server = Server::start(app).await;
    let root = heroku_at(&server, "");
    root.single_sign_on(UUID).path("/sso/login").await.expect(302);
    root.single_sign_on(UUID).path("/sso/login").set("user_id", "another").await.expect(403);
    heroku_at(&server, "/heroku").single_sign_on(UUID).await.expect(302);
    let papaya = testkit::CloudControl::new(&server.url(""), SLUG, PASSWORD, SALT);
    papaya.single_sign_on("789").path("/sso/papaya").await.expect(302);
    root.single_sign_on(UUID).path("/sso/login").method("GET").body("").await.expect(405);
}

async fn allowed_methods(app: &App<Heroku>, method: &str, path: &str) -> Vec<String> {
    let reply = Raw::exchange(&app.server, request([format!("{method} {path}").as_str()], "")).await;
    assert_eq!(reply.status(), 405, "{method} {path}");
    let allowed = reply.header("allow").unwrap_or_else(|| panic!("{method} {path}: no Allow"));
    let mut allowed: Vec<_> = allowed.split(',').map(|method| method.trim().to_owned()).collect();
    allowed.sort();
    allowed
}

#[tokio::test]
async fn a_wrong_method_is_405_with_the_allowed_methods() {
    let app = heroku().await;
    for (path, wrong, allowed) in [
        ("/heroku/resources", "GET HEAD PUT DELETE PATCH OPTIONS", &["POST"][..]),
        ("/heroku/resources/", "GET PUT DELETE", &["POST"]),
        ("/heroku/resources/7", "POST PATCH OPTIONS", &["DELETE", "GET", "HEAD", "PUT"]),
        ("/heroku/resources/7/events", "GET PUT DELETE", &["POST"]),
        ("/heroku/resources/sso", "GET HEAD PUT DELETE PATCH", &["POST"]),
    ] {
        for method in wrong.split(' ') {
            assert_eq!(allowed_methods(&app, method, path).await, allowed, "{method} {path}");
        }
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn sso_is_not_a_resource_id() {
    let app = heroku().await;
    app.client.plan_change("sso", "premium").await.expect(405);
    app.client.deprovision("sso").await.expect(405);
    app.client.single_sign_on("sso").provider_id("sso").send_by_get().await.expect(405);
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn other_paths_are_left_to_the_host() {
    let vendor = accepting_vendor();
    let app = Router::new()
        .nest("/heroku", maitre::heroku(Addon::new(credentials(), vendor.clone())))
        .nest("/cloudcontrol", maitre::cloudcontrol((CloudControl::new(SLUG, PASSWORD, SALT).unwrap(), vendor.clone())))
        .fallback(async || (StatusCode::NOT_FOUND, "the host's own 404 page"));
    let server = Server::start(app).await;
    let mut browser = testkit::Browser::new(&server.url(""));
    for path in [
        "/",
        "/nowhere",
        "/heroku",
        "/heroku/",
        "/heroku/nowhere",
        "/heroku/resource",
        "/heroku/resources/7/8",
        "/heroku/sso",
        "/cloudcontrol/nowhere",
        "/resources",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.expect(404).text(), "the host's own 404 page", "{path}");
    }
    assert_eq!(vendor.calls(), 0);
}

#[tokio::test]
async fn every_path_segment_is_decoded_as_an_id() {
    let long = "x".repeat(1024);
    let vendor = accepting_vendor();
    let router = maitre::heroku(Addon::new(credentials().with_legacy_token(true), vendor.clone()));
    let server = Server::start(Router::new().nest("/heroku", router)).await;
    let heroku = heroku_at(&server, "/heroku");
    for id in [
        "7",
        "widget-1",
        "a.b.c",
        "a b",
        "a+b",
        "büro",
        "鍵🔑",
        "dep1@cloudcontrolled.com",
        "a/b",
        "../../etc/passwd",
        "a?b#c",
        "a%20b",
        "{id}",
        "*",
        ":id",
        "SSO",
        "sso.",
        "events",
        "0",
        "'; DROP TABLE widgets",
        &long,
    ] {
        heroku.plan_change(id, "premium").await.expect(200);
        heroku.deprovision(id).await.expect(204);
        heroku.single_sign_on(UUID).provider_id(id).send_by_get().await.expect(302);
        assert_eq!(vendor.plan_changes().pop().unwrap().resource.as_str(), id);
        assert_eq!(vendor.deprovisions().pop().unwrap().resource.as_str(), id);
        assert_eq!(vendor.sign_ons().pop().unwrap().resource.as_str(), id);
    }
}

#[tokio::test]
async fn dots_are_a_valid_id_and_invalid_utf8_is_not() {
    let app = heroku().await;
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    let right = format!("authorization: {}", testkit::sign::basic(SLUG, PASSWORD));
    for (id, decoded) in [(".", "."), ("..", ".."), ("%2e%2e", ".."), ("%2E", ".")] {
        let bytes = request([format!("DELETE /heroku/resources/{id}").as_str(), &right], "");
        assert_eq!(Raw::exchange(&app.server, bytes).await.status(), 204);
        assert_eq!(app.vendor.deprovisions().pop().unwrap().resource.as_str(), decoded);
    }
    let received = app.vendor.calls();
    for id in ["%FF", "a%C3b", "%ED%A0%80"] {
        app.client.deprovision("x").path(format!("/resources/{id}")).await.expect(404);
        let put = app.client.plan_change("x", "premium").path(format!("/resources/{id}")).await;
        assert_eq!(put.expect(404).message(), "This resource does not exist.");
    }
    assert_eq!(app.vendor.calls(), received);
}

#[tokio::test]
async fn a_query_string_is_ignored() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).path("/resources?plan=premium&x").await.expect(200);
    app.client.plan_change(UUID, "premium").path(format!("/resources/{UUID}?plan=gold")).await.expect(200);
    app.client.deprovision(UUID).path(format!("/resources/{UUID}?")).await.expect(204);
}
