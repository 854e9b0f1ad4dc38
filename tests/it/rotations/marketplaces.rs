//! The secrets of every marketplace are replaced in the routers that use them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre::{
    Addon, Catalog, CleverCloud, CloudControl, DigitalOcean, Heroku, Marketplace, Opperator, Osb, QuickNode, Reload,
    Scalingo,
};
use serde_json::json;
use time::OffsetDateTime;
use tower::ServiceExt;

use super::manifest;
use crate::support::{SLUG, Vendor};

const HOUR: Duration = Duration::from_hours(1);

/// Checks that a router accepts both secrets after `text` was loaded, and only the new one after the overlap.
async fn check<M: Marketplace + Reload>(marketplace: M, router: fn(Addon<M>) -> Router, route: &str, texts: [&str; 2]) {
    let (method, path) = route.split_once(' ').unwrap();
    let name = marketplace.name().into_owned();
    let addon = Addon::new(marketplace, Vendor::default());
    let now = OffsetDateTime::now_utc();
    let later = router(addon.clone().with_clock(move || now + HOUR));
    let app = router(addon.clone());
    let is_accepted = async |app: &Router, secret: &str| {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{SLUG}:{secret}")));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", basic)
            .header("x-broker-api-version", "2.17");
        let request = request.header("x-opperator-shared-secret", secret).body(Body::from("{}")).unwrap();
        app.clone().oneshot(request).await.unwrap().status() != StatusCode::UNAUTHORIZED
    };
    assert!(is_accepted(&app, "older").await && !is_accepted(&app, "newer").await, "{name}");

    let [valid, invalid] = texts;
    let error = addon.reload(invalid, now, HOUR).unwrap_err().to_string();
    assert!(error.starts_with("cannot reload: ") && !error.contains("4711"), "{name}: {error}");
    assert!(is_accepted(&app, "older").await && !is_accepted(&app, "newer").await, "{name}: nothing has changed");

    addon.reload(valid, now, HOUR).unwrap();
    assert!(is_accepted(&app, "older").await && is_accepted(&app, "newer").await, "{name}");
    assert!(!is_accepted(&later, "older").await && is_accepted(&later, "newer").await, "{name}: after the overlap");

    addon.reload(valid, now, Duration::ZERO).unwrap();
    assert!(is_accepted(&app, "older").await, "{name}: another reload does not shorten the overlap");
}

#[tokio::test]
async fn the_secrets_of_every_marketplace_are_reloaded() {
    let manifest_text = manifest(SLUG, "newer", "salt");
    let other = manifest("other", "4711", "salt");
    let manifests = [manifest_text.as_str(), other.as_str()];
    check(Heroku::new(SLUG, "older", "salt").unwrap(), maitre::heroku, "POST /resources", manifests).await;
    check(CloudControl::new(SLUG, "older", "salt").unwrap(), maitre::cloudcontrol, "POST /resources", manifests).await;
    check(CleverCloud::new(SLUG, "older", "salt").unwrap(), maitre::clevercloud, "POST /resources", manifests).await;

    let settings = json!({ "app_slug": SLUG, "password": "newer", "salt": "salt" }).to_string();
    let invalid = r#"{ "app_slug": "lantern", "password": 4711, "salt": "salt" }"#;
    let digitalocean = DigitalOcean::new(SLUG, "older", "salt").unwrap();
    check(digitalocean, maitre::digitalocean, "POST /resources", [&settings, invalid]).await;

    let scalingo = Scalingo::new(SLUG, "older", "salt").unwrap();
    let settings = json!({ "username": SLUG, "password": "newer", "sso_salt": "salt" }).to_string();
    check(scalingo, maitre::scalingo, "POST /resources", [&settings, r#"{"username":"lantern","password":["4711"#])
        .await;

    let quicknode = QuickNode::new(SLUG, "older", "jwt secret").unwrap();
    let credentials = json!({ "username": SLUG, "password": "newer", "jwt_secret": "jwt secret" }).to_string();
    check(quicknode, maitre::quicknode, "POST /provision", [&credentials, r#"{"username":"lantern","password":4711}"#])
        .await;

    let osb = Osb::new(SLUG, "older", Catalog::default()).unwrap();
    check(osb, maitre::osb, "GET /v2/catalog", ["newer\n", "sha256:4711\n"]).await;
    let opperator = Opperator::new(SLUG, "older", |_| None).unwrap();
    check(opperator, maitre::opperator, "POST /instances", ["newer\n", "sha256:4711\n"]).await;
}
