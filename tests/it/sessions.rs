//! Sessions of the host app after single sign-on, with protection against session fixation.

use std::pin::Pin;

use axum::Router;
use maitre::{Heroku, SignedOn};
use maitre_testkit::Browser;
use serde_json::json;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore, session_store};

use crate::support::{App, Log, PASSWORD, SALT, SLUG, UUID, heroku};

fn marketplace() -> Heroku {
    Heroku::new(SLUG, PASSWORD, SALT).expect("credentials")
}

/// Starts an app and returns its session store, too.
async fn open() -> (App<Heroku>, MemoryStore) {
    let store = MemoryStore::default();
    let layer = SessionManagerLayer::new(store.clone()).with_same_site(SameSite::Lax);
    let app = App::start_in(marketplace(), |addon| addon, |app| pages(app).layer(layer)).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    (app, store)
}

/// A page that shows the session, and one that writes to it without sign-on.
fn pages(app: Router) -> Router {
    let show = async |session: Session| {
        let mut shown = serde_json::Map::new();
        for key in ["widget", "visits", "role"] {
            if let Some(value) = session.get_value(key).await.expect("the store") {
                shown.insert(key.to_owned(), value);
            }
        }
        axum::Json(serde_json::Value::Object(shown))
    };
    let visit = async |session: Session| {
        session.insert("visits", 1).await.expect("the store");
        session.insert("role", "admin").await.expect("the store");
    };
    app.route("/dashboard", axum::routing::get(show)).route("/visit", axum::routing::get(visit))
}

/// Makes the browser send its session cookie with a cross-site post, as older browsers and laxer layers do.
fn resend_session_cookie(browser: &mut Browser) {
    let own = browser.cookie("id").expect("a session").value().to_owned();
    browser.set_cookie("id", &own);
}

async fn sign_in(app: &App<Heroku>, browser: &mut Browser) -> maitre_testkit::Reply {
    let form = app.client.single_sign_on(UUID).provider_id("widget-1");
    let landed = browser.post_form(form.url(), form.fields()).await;
    landed.expect(302);
    landed
}

#[tokio::test]
async fn session_values_of_the_listener_reach_the_hosts_pages() {
    let (app, _) = open().await;
    app.vendor.on_single_sign_on(async |_| {
        Ok(SignedOn::redirect("/dashboard").with_session("widget", json!({ "id": 641 })).with_session("role", "reader"))
    });
    let mut browser = app.browser();
    let landed = sign_in(&app, &mut browser).await;
    let page = browser.follow(&landed).await.expect(200).json();
    assert_eq!(page, json!({ "widget": { "id": 641 }, "role": "reader" }));
    assert_eq!(browser.get("/dashboard").await.json(), page);
    assert_eq!(app.browser().get("/dashboard").await.json(), json!({}), "not in another session");
}

#[tokio::test]
async fn the_session_cookie_survives_a_post_from_another_site() {
    let (app, _) = open().await;
    let cookie = sign_in(&app, &mut app.browser()).await.cookie("id").unwrap();
    assert_eq!((cookie.same_site(), cookie.path()), (Some("Lax"), Some("/")));
    assert!(cookie.is_http_only() && cookie.is_secure());
}

#[tokio::test]
async fn a_planted_live_session_id_is_invalid_after_sign_on() {
    let (app, store) = open().await;
    let mut mallory = app.browser();
    mallory.get("/visit").await.expect(200);
    let planted = mallory.cookie("id").unwrap().value().to_owned();

    let mut ada = app.browser();
    ada.set_cookie("id", &planted);
    let landed = sign_in(&app, &mut ada).await;
    let given = landed.cookie("id").unwrap().value().to_owned();
    assert_ne!(given, planted);
    assert_eq!(ada.follow(&landed).await.json(), json!({ "widget": "widget-1" }));

    assert_eq!(mallory.get("/dashboard").await.json(), json!({}), "the planted id has no values");
    assert!(store.load(&planted.parse().unwrap()).await.unwrap().is_none(), "the old session is deleted");
    let record = store.load(&given.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.data.keys().collect::<Vec<_>>(), ["widget"], "no planted value was kept");
}

#[tokio::test]
async fn an_invented_session_id_is_never_adopted() {
    let (app, store) = open().await;
    let invented = Id(7).to_string();
    for invented in [invented.as_str(), "no-id-at-all", ""] {
        let mut browser = app.browser();
        browser.set_cookie("id", invented);
        let landed = sign_in(&app, &mut browser).await;
        assert_ne!(landed.cookie("id").unwrap().value(), invented);
        assert_eq!(browser.follow(&landed).await.json(), json!({ "widget": "widget-1" }));
    }
    assert!(store.load(&Id(7)).await.unwrap().is_none());
    let mut mallory = app.browser();
    mallory.set_cookie("id", &invented);
    assert_eq!(mallory.get("/dashboard").await.json(), json!({}));
}

#[tokio::test]
async fn earlier_session_values_do_not_survive_sign_on() {
    let (app, _) = open().await;
    let mut ada = app.browser();
    ada.get("/visit").await.expect(200);
    assert_eq!(ada.get("/dashboard").await.json(), json!({ "visits": 1, "role": "admin" }));
    resend_session_cookie(&mut ada);
    let landed = sign_in(&app, &mut ada).await;
    assert_eq!(ada.follow(&landed).await.json(), json!({ "widget": "widget-1" }));
}

#[tokio::test]
async fn a_second_sign_on_replaces_the_session() {
    let (app, store) = open().await;
    let mut ada = app.browser();
    let first = sign_in(&app, &mut ada).await.cookie("id").unwrap().value().to_owned();
    resend_session_cookie(&mut ada);
    let second = sign_in(&app, &mut ada).await.cookie("id").unwrap().value().to_owned();
    assert_ne!(first, second);
    assert!(store.load(&first.parse().unwrap()).await.unwrap().is_none(), "the first session is deleted");
    let stored = store.load(&second.parse().unwrap()).await.unwrap();
    assert!(stored.is_some_and(|record: Record| record.data.contains_key("widget")));
}

#[tokio::test]
async fn a_rejected_sign_on_keeps_the_existing_session() {
    let (app, _) = open().await;
    let mut ada = app.browser();
    ada.get("/visit").await.expect(200);
    resend_session_cookie(&mut ada);
    let forged = app.client.single_sign_on(UUID).set("user_scoped_resource_token", "0");
    let reply = ada.post_form(forged.url(), forged.fields()).await;
    assert_eq!(reply.expect(403).cookies().count(), 0);
    assert_eq!(ada.get("/dashboard").await.json(), json!({ "visits": 1, "role": "admin" }));
}

#[tokio::test]
async fn a_sign_on_without_values_still_ends_the_existing_session() {
    let (app, _) = open().await;
    app.vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/dashboard")));
    let mut ada = app.browser();
    ada.get("/visit").await.expect(200);
    resend_session_cookie(&mut ada);
    let landed = sign_in(&app, &mut ada).await;
    assert_eq!(ada.follow(&landed).await.json(), json!({}));
}

#[tokio::test]
async fn a_missing_session_layer_is_500_and_the_log_names_the_layer() {
    let log = Log::open();
    let app = App::start_in(marketplace(), |addon| addon, |app| app).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let reply = app.client.single_sign_on(UUID).await;
    assert_eq!(reply.expect(500).cookies().count(), 0);
    assert_eq!(reply.location(), None);
    assert!(!reply.text().contains("SessionManagerLayer"), "the response does not name the layer");
    let [line] = &log.events_containing("tower-sessions")[..] else { panic!("one line: {}", log.text()) };
    assert!(line.message().contains(".layer(SessionManagerLayer::new(store).with_same_site(SameSite::Lax))"));
}

#[tokio::test]
async fn sign_on_without_values_needs_no_session_layer() {
    let app = App::start_in(marketplace(), |addon| addon, |app| app).await;
    app.vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/dashboard")));
    app.client.single_sign_on(UUID).await.expect(302);
}

/// Session store that always fails.
#[derive(Clone, Debug)]
struct FailingStore;

type StoreFuture<'f, T> = Pin<Box<dyn Future<Output = session_store::Result<T>> + Send + 'f>>;

fn fail<'f, T: Send + 'f>() -> StoreFuture<'f, T> {
    Box::pin(async { Err(session_store::Error::Backend("no route to redis://:hunter2@cache".into())) })
}

impl SessionStore for FailingStore {
    fn save<'s: 'f, 'r: 'f, 'f>(&'s self, _: &'r Record) -> StoreFuture<'f, ()> {
        fail()
    }
    fn load<'s: 'f, 'r: 'f, 'f>(&'s self, _: &'r Id) -> StoreFuture<'f, Option<Record>> {
        fail()
    }
    fn delete<'s: 'f, 'r: 'f, 'f>(&'s self, _: &'r Id) -> StoreFuture<'f, ()> {
        fail()
    }
}

#[tokio::test]
async fn a_failing_session_store_is_503_without_a_sign_on() {
    let log = Log::open();
    let app =
        App::start_in(marketplace(), |addon| addon, |app| app.layer(SessionManagerLayer::new(FailingStore))).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let reply = app.client.single_sign_on(UUID).await;
    assert_eq!((reply.expect(503).location(), reply.cookies().count()), (None, 0));
    let [line] = &log.events_containing("the session store failed")[..] else { panic!("one line: {}", log.text()) };
    assert!(line.message().contains("redis://***@cache"), "{line}");
}

#[tokio::test]
async fn other_requests_create_no_session() {
    let app = heroku().await;
    for reply in [
        app.client.provision("basic").uuid(UUID).await,
        app.client.plan_change(UUID, "premium").await,
        app.client.deploy_event(UUID).await,
        app.client.deprovision(UUID).await,
    ] {
        assert_eq!(reply.cookies().count(), 0, "{reply}");
    }
}

#[test]
fn the_documented_adapter_is_the_tested_one() {
    let page = include_str!("../../docs/nesting.md");
    let (_, code) = include_str!("../older-sessions/src/lib.rs").split_once("\n\n").unwrap();
    let (code, _) = code.split_once("\n#[cfg(test)]").unwrap();
    assert!(page.contains(code), "docs/nesting.md differs from tests/older-sessions/src/lib.rs");
}
