//! Published and agreed signatures of DigitalOcean, Clever Cloud, Scalingo and QuickNode, over the wire: each signs in with the
//! settings that it needs, until the end of its window.

use axum::Router;
use maitre::{Addon, CleverCloud, DigitalOcean, Marketplace, QuickNode, Scalingo, SignedOn};

use crate::support::{Raw, RawApp, request};

/// Time of most signatures.
const NOW: i64 = 1_700_000_000;

async fn app<M: Marketplace>(marketplace: M, path: &str, now: i64, router: fn(Addon<M>) -> Router) -> RawApp {
    let app = RawApp::start(marketplace, path, now, router).await;
    app.vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/dashboard").with_session("widget", "w")));
    app
}

/// Follows a link, and returns the status.
async fn open(app: &RawApp, link: &str) -> u16 {
    Raw::exchange(&app.server, request([format!("GET {link}").as_str()], "")).await.status()
}

#[tokio::test]
async fn digitaloceans_tokens_sign_in_for_two_minutes() {
    let (hmac, sha1) = (
        "token=0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278",
        "resource_token=ec39c4e1c6d6acfb8f9d7eee647098de72820031",
    );
    for (legacy, token, seconds_later, expected) in [
        (false, hmac, 120, 302),
        (false, hmac, 121, 401),
        (false, hmac, -121, 401),
        (true, sha1, 120, 302),
        (true, sha1, 121, 401),
        (false, sha1, 0, 401),
    ] {
        let digitalocean = DigitalOcean::new("tamarind", RawApp::PASSWORD, "kelp-salt").unwrap();
        let digitalocean = digitalocean.with_legacy_token(legacy);
        let app = app(digitalocean, "/digitalocean", NOW + seconds_later, maitre::digitalocean).await;
        let form = format!("resource_uuid=0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a&timestamp={NOW}&{token}");
        assert_eq!(app.post_form("/digitalocean/sso", &form).await.status(), expected, "{token} {seconds_later}");
    }
}

#[tokio::test]
async fn clever_clouds_signatures_sign_in_for_five_and_its_legacy_tokens_for_fifteen_minutes() {
    let user = "id=res_42&user_id=user_11111111-2222-3333-4444-555555555555&email=ada%40example.test&nav-data=";
    let in_milliseconds = format!(
        "{user}&timestamp=1700000000000&signature=9314c44dd5ea9305aecce39c7cbdb699778512e520e992e30426226f82ef01dbad3a75928900ea\
         cd82d8be696c9c66dc07a4efd71817df2cebe6bf70cfeacc11"
    );
    let in_seconds = format!(
        "{user}&timestamp=1700000000&signature=dee79ee94b72e6017a8d1a9da356d8fc850526febcf99b2a1d57155747c4de3e58e3018d9f09b6a8b\
         0a275705e810620ccef5f9b292c65973bbd2e0337c95abb"
    );
    let ours = "id=res_42&timestamp=1700000000&token=8feec1fc3e51fc8e447cdf3b8c36ab44c6dc3cb4";
    // of the tests of Clever Cloud's provider kit
    let kit = "id=dummy_sd675fa67sf57asdf67asf57&timestamp=1712063189&token=1e47e0d5c1095fed750acef9411a23fcb85de43f";
    let (plum, kits) = ("plum-salt", "6hjj896df7g5sg6d5g9df5gsdg67");
    for (salt, legacy, form, now, expected) in [
        (plum, false, &*in_milliseconds, NOW + 300, 302),
        (plum, false, &*in_milliseconds, NOW + 301, 403),
        (plum, false, &*in_seconds, NOW + 300, 302),
        (plum, false, &*in_seconds, NOW + 301, 403),
        (plum, true, ours, NOW + 900, 302),
        (plum, true, ours, NOW + 901, 403),
        (plum, false, ours, NOW, 403),
        (kits, true, kit, 1_712_063_189, 302),
        (plum, true, kit, 1_712_063_189, 403),
    ] {
        let clevercloud = CleverCloud::new("quince", RawApp::PASSWORD, salt).unwrap().with_legacy_token(legacy);
        let app = app(clevercloud, "/clevercloud", now, maitre::clevercloud).await;
        assert_eq!(app.post_form("/clevercloud/sso", form).await.status(), expected, "{form} at {now}");
        let verified = app.vendor.sign_ons().pop().map(|sign_on| sign_on.identity.is_verified());
        assert_eq!(verified, (expected == 302).then_some(!legacy), "{form}");
    }
}

#[tokio::test]
async fn scalingos_link_signs_in_for_five_minutes() {
    let link = "/scalingo/sso?id=ad-7d0c2b8e&timestamp=1700000000&token=3a751389dfbbb8db220922b22026a2cf27aa814f";
    for (seconds_later, expected) in [(0, 302), (300, 302), (301, 403)] {
        let scalingo = Scalingo::new("lychee", RawApp::PASSWORD, "orange-salt").unwrap();
        let app = app(scalingo, "/scalingo", NOW + seconds_later, maitre::scalingo).await;
        assert_eq!(open(&app, link).await, expected, "{seconds_later}");
    }
}

#[tokio::test]
async fn quicknodes_tokens_sign_in_until_their_end() {
    let live = "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjE3MDAwMDAwMDAvYWIxMmNkMzQiLCJuYW1lIjoiQWRhIEV4YW1wbGUiLCJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwib3JnYW5pemF0aW9uX25hbWUiOiJFeGFtcGxlIE9yZyIsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.zU0wXuvoPjb3dQIN7_EUQ5Pm9IoX6G2yGZbT5xIU5n0";
    let tool = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwiZXhwIjoxNzAwMDAwNjAwLCJpYXQiOjE3MDAwMDAwMDAsIm5hbWUiOiJBZGEgRXhhbXBsZSIsIm9yZ2FuaXphdGlvbl9uYW1lIjoiRXhhbXBsZSBPcmciLCJxdWlja25vZGVfaWQiOiJxbi1hY2MtMSJ9.fff8vPimG89pJlAJk3qZyDu5WGnusg0NB_lQhd2iypA";
    let unsigned = "eyJhbGciOiJub25lIn0.eyJpYXQiOjE3MDAwMDAwMDAsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.";
    for (jwt, seconds_later, expected) in [
        (live, 0, 200),
        (live, 600, 200),
        (live, 601, 401),
        (live, -61, 401),
        (tool, 0, 200),
        (tool, 660, 200),
        (tool, 661, 401),
        (unsigned, 0, 401),
    ] {
        let quicknode = QuickNode::new("pomelo", "pomelo-pass", "pomelo-jwt-secret").unwrap();
        let app = app(quicknode, "/quicknode", NOW + seconds_later, maitre::quicknode).await;
        assert_eq!(open(&app, &format!("/quicknode/sso?jwt={jwt}")).await, expected, "{seconds_later}: {jwt}");
    }
}

#[tokio::test]
async fn quicknodes_credentials_are_those_of_the_documentation() {
    let quicknode = QuickNode::new("pomelo", "pomelo-pass", "pomelo-jwt-secret").unwrap();
    let app = app(quicknode, "/quicknode", NOW, maitre::quicknode).await;
    let body = r#"{"quicknode-id":"qn-acc-1","endpoint-id":"ep-1","plan":"basic","wss-url":"","http-url":"",
        "referers":null,"contract_addresses":null,"chain":"ethereum","network":"mainnet"}"#;
    for (credentials, expected) in [("cG9tZWxvOnBvbWVsby1wYXNz", 200), ("cG9tZWxvOnBvbWVsby1wYXNx", 401)] {
        let authorization = format!("authorization: Basic {credentials}");
        let lines = ["POST /quicknode/provision", authorization.as_str(), "content-type: application/json"];
        assert_eq!(Raw::exchange(&app.server, request(lines, body)).await.status(), expected, "{credentials}");
    }
}
