//! `POST /resources/sso`: the form, the redirect and the error page.

use maitre::{Failure, FromManifest, Heroku, Manifest, SignedOn};
use maitre_testkit::Reply;
use serde_json::json;

use crate::support::{App, Clock, NOW, PASSWORD, Raw, SALT, SLUG, UUID, heroku, instant, request};

/// Asserts that `reply` is the 403 page, without cookies or redirect.
fn assert_forbidden_page(reply: &Reply) {
    reply.expect(403);
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{reply}");
    assert_eq!(reply.cookies().count(), 0, "{reply}");
    assert_eq!(reply.location(), None, "{reply}");
}

#[tokio::test]
async fn a_valid_token_leads_to_the_dashboard() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let mut browser = app.browser();
    let form = app.client.single_sign_on(UUID).provider_id("widget-1");
    let landed = browser.post_form(form.url(), form.fields()).await;
    assert_eq!(landed.expect(302).location(), Some("/dashboard"));
    assert_eq!(landed.header("cache-control"), Some("no-store"));
    assert_eq!(landed.body(), b"");
    assert_eq!(browser.follow(&landed).await.expect(200).json(), json!({ "widget": "widget-1" }));
}

#[tokio::test]
async fn every_field_of_the_form_reaches_the_listener() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let form = app.client.single_sign_on(UUID).set("context_app", "the-other-app").set("nav-data", "eyJhIjoxfQ");
    form.set("action", "rotate").set("tab", "").await.expect(302);
    let received = app.vendor.sign_ons().pop().unwrap();
    assert_eq!(received.addon.to_string(), "heroku/lantern");
    assert_eq!(
        (received.app.as_deref(), received.context_app.as_deref()),
        (Some("lantern-counter"), Some("the-other-app"))
    );
    assert_eq!(received.nav_data.as_deref(), Some("eyJhIjoxfQ"));
    let extra: Vec<_> = received.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extra, [("action", "rotate"), ("tab", "")]);
}

#[tokio::test]
async fn an_invalid_token_is_403_without_a_session() {
    let clock = Clock::at(NOW);
    let app = App::heroku(|addon| addon.with_clock(clock.source())).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let form = || app.client.single_sign_on(UUID).at(instant(NOW));
    let signed = |timestamp: &str| app.client.single_sign_on(UUID).timestamp(timestamp);
    let rows = vec![
        ("bad", form().set("user_scoped_resource_token", "0".repeat(64))),
        (
            "upper case",
            form()
                .set("user_scoped_resource_token", "8BA47704978C8957E89C392CA68D70AB5A3F0AEBE21924C3ABC452A97EB50F0D"),
        ),
        ("missing", form().without("user_scoped_resource_token").without("resource_token").without("token")),
        ("empty", form().set("user_scoped_resource_token", "")),
        ("empty", form().only_resource_token().set("resource_token", "")),
        ("only v1, not enabled", form().only_legacy()),
        ("v1 without the other tokens", form().without("user_scoped_resource_token").without("resource_token")),
        ("301 s old", signed("1771999699")),
        ("61 s in the future", signed("1772000061")),
        ("a year in the future", signed("1803536000")),
        ("no timestamp", form().without("timestamp")),
        ("an empty timestamp", signed("")),
        ("a word", signed("soon")),
        ("trailing junk", signed("1772000000junk")),
        ("a plus sign", signed("+1772000000")),
        ("negative", signed("-1772000000")),
        ("a space", signed(" 1772000000")),
        ("a fraction", signed("1772000000.0")),
        ("hexadecimal", signed("0x699ED200")),
        ("non-ASCII digits", signed("١٧٧٢٠٠٠٠٠٠")),
        ("the largest", signed("9223372036854775807")),
        ("one above the largest", signed("9223372036854775808")),
        ("overflowing", signed("99999999999999999999999999")),
        ("no resource", form().without("resource_id")),
        ("an empty resource", form().set("resource_id", "")),
        ("another resource", form().set("resource_id", "00000000-0000-4000-8000-000000000000")),
        ("another e-mail", form().set("email", "eve@example.org")),
        ("an empty form", form().body("")),
        ("not a form", form().body("{}")),
        ("invalid escapes", form().body("%zz=%&=&resource_id=%ff&timestamp=%")),
    ];
    let first = form().set("user_scoped_resource_token", "0").await;
    for (what, call) in rows {
        let reply = call.await;
        assert_eq!(reply.status(), 403, "{what}\n\n{reply}");
        assert_forbidden_page(&reply);
        assert_eq!(reply.text(), first.text(), "the page differs: {what}");
    }
    assert!(app.vendor.sign_ons().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_a_form_is_415() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let form = app.client.single_sign_on(UUID);
    let as_json = serde_json::Value::from_iter(form.fields()).to_string();
    let reply = form.clone().header("content-type", "application/json").body(as_json).await;
    assert_eq!(reply.expect(415).cookies().count(), 0);
    form.clone().header("content-type", "application/json").await.expect(415);
    form.clone().header("content-type", "multipart/form-data; boundary=x").await.expect(415);
    form.clone().without_header("content-type").await.expect(415);
    assert!(app.vendor.sign_ons().is_empty());
    for name in ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLEncoded"] {
        form.clone().header("content-type", name).await.expect(302);
    }
}

#[tokio::test]
async fn a_post_is_read_from_its_body_and_not_from_its_query() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let form = app.client.single_sign_on(UUID);
    let body = String::from_utf8(form.request().body().to_vec()).unwrap();
    assert_forbidden_page(&form.clone().path(format!("/resources/sso?{body}")).body("a=b").await);
    form.path("/resources/sso?resource_id=another&timestamp=0").await.expect(302);
}

#[tokio::test]
async fn an_unknown_resource_is_404_only_with_a_valid_token() {
    let app = heroku().await;
    let unknown = app.client.new_uuid();
    assert_forbidden_page(&app.client.single_sign_on(&unknown).set("user_scoped_resource_token", "0").await);
    let reply = app.client.single_sign_on(&unknown).await;
    assert_eq!(reply.expect(404).header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.cookies().count(), 0);
    assert!(app.vendor.provisions().is_empty(), "single sign-on never creates");

    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.deprovision(UUID).await.expect(204);
    app.client.single_sign_on(UUID).await.expect(404);
}

#[tokio::test]
async fn a_failure_of_the_listener_is_an_error_page_without_a_session() {
    let app = heroku().await;
    for (status, failure) in [
        (403, (|| Failure::refused("Ask <b>Ada</b> & 'co' for access.")) as fn() -> Failure),
        (403, || Failure::conflict("Ask <b>Ada</b> & 'co' for access.")),
        (404, || Failure::unknown().with_message("Ask <b>Ada</b> & 'co' for access.")),
        (503, || Failure::from_display("x").with_message("Ask <b>Ada</b> & 'co' for access.")),
    ] {
        app.vendor.on_single_sign_on(move |_| async move { Err(failure()) });
        let reply = app.client.single_sign_on(UUID).await;
        assert_eq!(reply.expect(status).cookies().count(), 0);
        assert!(reply.text().contains("<p>Ask &lt;b&gt;Ada&lt;/b&gt; &amp; &#39;co&#39; for access.</p>"), "{reply}");
    }
}

#[tokio::test]
async fn the_403_page_is_accessible_and_reveals_nothing() {
    let app = heroku().await;
    let reply = app.client.single_sign_on(UUID).set("timestamp", "0").await;
    assert_forbidden_page(&reply);
    let page = reply.text();
    for part in ["<!DOCTYPE html>", "<html lang=\"en\">", "<title>", "<main>", "<h1>", "name=\"viewport\""] {
        assert!(page.contains(part), "no {part}: {page}");
    }
    for part in ["token", "timestamp", "salt", "<script", "lantern", "maitre", UUID] {
        assert!(!page.to_lowercase().contains(part), "{part}: {page}");
    }
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'")));
}

#[tokio::test]
async fn nav_data_is_set_as_an_http_only_cookie_for_the_whole_site() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let form = app.client.single_sign_on(UUID);
    let sent = form.fields().into_iter().find(|(name, _)| name == "nav-data").unwrap().1;
    let cookie = form.await.expect(302).cookie("heroku-nav-data").unwrap();
    assert_eq!((cookie.value(), cookie.path(), cookie.same_site()), (sent.as_str(), Some("/"), Some("Lax")));
    assert!(cookie.is_http_only() && cookie.is_secure());
    assert_eq!(cookie.domain(), None);
}

#[tokio::test]
async fn nav_data_that_is_not_cookie_safe_is_not_set_and_sign_on_succeeds() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let longest = "a".repeat(2048);
    for good in ["a", "eyJhIjoxfQ==", "_-", &longest] {
        let reply = app.client.single_sign_on(UUID).set("nav-data", good).await;
        assert_eq!(reply.expect(302).cookie("heroku-nav-data").unwrap().value(), good);
    }
    let too_long = "a".repeat(2049);
    let odd = [
        "",
        "a b",
        "a;b",
        "a,b",
        "a\"b",
        "a; Domain=example.org",
        "a\r\nSet-Cookie: id=1",
        "ä",
        "a/b",
        "a+b",
        &too_long,
    ];
    for odd in odd {
        let reply = app.client.single_sign_on(UUID).set("nav-data", odd).await;
        assert!(reply.expect(302).cookie("heroku-nav-data").is_none(), "{odd:?}");
        assert_eq!(
            reply.headers().filter(|(name, _)| *name == "set-cookie").count(),
            1,
            "only the session's cookie: {odd:?}"
        );
        assert_eq!(app.vendor.sign_ons().pop().unwrap().nav_data.as_deref(), Some(odd));
    }
    app.client.single_sign_on(UUID).without("nav-data").await.expect(302);
}

#[tokio::test]
async fn the_nav_data_cookie_is_secure_unless_manifest_and_host_are_both_local() {
    let manifest = |sso_url: &str| {
        json!({ "id": SLUG, "api": { "version": "3", "password": PASSWORD, "sso_salt": SALT,
            "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/heroku/resources/sso" },
            "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": sso_url } } })
        .to_string()
    };
    for (sso_url, host, secure) in [
        ("http://localhost:8300/heroku/resources/sso", "localhost:8300", false),
        ("http://localhost:8300/heroku/resources/sso", "127.0.0.1:8300", false),
        ("http://localhost:8300/heroku/resources/sso", "lantern.example", true),
        ("http://localhost:8300/heroku/resources/sso", "127.0.0.1.lantern.example", true),
        ("https://test.lantern.example/sso", "localhost:8300", true),
    ] {
        let marketplace = Heroku::from_manifest(&Manifest::parse(&manifest(sso_url)).unwrap()).unwrap();
        let app = App::start(marketplace, |addon| addon).await;
        app.vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/")));
        let form = app.client.single_sign_on(UUID).header("host", host);
        let cookie = form.await.expect(302).cookie("heroku-nav-data").unwrap();
        assert_eq!(cookie.is_secure(), secure, "{sso_url}, requested as {host}");
    }
}

#[tokio::test]
async fn a_documented_form_sent_byte_by_byte_is_accepted() {
    let clock = Clock::at(NOW);
    let app = App::heroku(|addon| addon.with_clock(clock.source())).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let body = format!(
        "resource_id={UUID}&timestamp=1772000000&user_id=c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64&email=ada%2Bops%40example.org\
         &user_scoped_resource_token=8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d"
    );
    let lines = ["POST /heroku/resources/sso", "content-type: application/x-www-form-urlencoded"];
    let reply = Raw::exchange(&app.server, request(lines, &body)).await;
    assert_eq!((reply.status(), reply.header("location")), (302, Some("/dashboard")));
    let raw_plus = body.replace("%2B", "+");
    assert_eq!(Raw::exchange(&app.server, request(lines, raw_plus)).await.status(), 403);
}
