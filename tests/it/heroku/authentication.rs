//! Authentication of Heroku's requests.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use maitre::{Heroku, Password};
use maitre_testkit::{Reply, sign};

use crate::support::{App, Clock, NOW, PASSWORD, Raw, SALT, SLUG, UUID, heroku, instant, request};

/// Sends each authenticated request with this `Authorization` header.
async fn all_calls(app: &App<Heroku>, authorization: Option<&str>) -> Vec<Reply> {
    macro_rules! send {
        ($call:expr) => {{
            let call = $call;
            match authorization {
                Some(authorization) => call.authorization(authorization).await,
                None => call.without_credentials().await,
            }
        }};
    }
    let heroku = &app.client;
    vec![
        send!(heroku.provision("basic").uuid(UUID)),
        send!(heroku.plan_change(UUID, "premium")),
        send!(heroku.deploy_event(UUID)),
        send!(heroku.deprovision(UUID)),
    ]
}

fn assert_challenge(reply: &Reply) {
    reply.expect(401);
    assert_eq!(reply.header("www-authenticate"), Some(r#"Basic realm="Add-on API", charset="UTF-8""#), "{reply}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply}");
    assert!(!reply.message().is_empty());
}

fn basic(text: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

#[tokio::test]
async fn the_documented_authorization_header_is_accepted() {
    let app = heroku().await;
    let replies = all_calls(&app, Some("Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ==")).await;
    assert_eq!(replies.iter().map(Reply::status).collect::<Vec<_>>(), [200, 200, 200, 204]);
}

#[tokio::test]
async fn wrong_credentials_get_a_challenge_without_a_call_to_the_listener() {
    let app = heroku().await;
    let right = BASE64_STANDARD.encode(format!("{SLUG}:{PASSWORD}"));
    let starred: String = right.chars().flat_map(|c| [c, '*']).collect();
    let rows: Vec<(&str, Option<String>)> = vec![
        ("no header", None),
        ("an empty header", Some(String::new())),
        ("only the scheme", Some("Basic".into())),
        ("the scheme and a space", Some("Basic ".into())),
        ("no scheme", Some(right.clone())),
        ("another scheme", Some(format!("Bearer {right}"))),
        ("an unknown scheme", Some(format!("Basics {right}"))),
        ("a tab after the scheme", Some(format!("Basic\t{right}"))),
        ("a quoted token", Some(format!("Basic \"{right}\""))),
        ("characters that are not base64", Some("Basic !!!!".into())),
        ("a star between the characters", Some(format!("Basic {starred}"))),
        ("a star at the end", Some(format!("Basic {right}*"))),
        ("a space within", Some(format!("Basic {} {}", &right[..8], &right[8..]))),
        ("a second token", Some(format!("Basic {right} {right}"))),
        ("no padding", Some(format!("Basic {}", BASE64_STANDARD_NO_PAD.encode(format!("{SLUG}:{PASSWORD}"))))),
        ("too much padding", Some(format!("Basic {right}=="))),
        ("bits beyond the end", Some("Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZR==".into())),
        ("no colon", Some(basic(format!("{SLUG}{PASSWORD}")))),
        ("only a colon", Some(basic(":"))),
        ("invalid UTF-8", Some(basic(b"lantern:\xff\xfe"))),
        ("a wrong user", Some(basic(format!("lanterns:{PASSWORD}")))),
        ("no user", Some(basic(format!(":{PASSWORD}")))),
        ("an upper-case user", Some(basic(format!("LANTERN:{PASSWORD}")))),
        ("a wrong password", Some(basic("lantern:s3cr3t-exampla"))),
        ("no password", Some(basic("lantern:"))),
        ("half a password", Some(basic("lantern:s3cr3t-"))),
        ("a password with a suffix", Some(basic(format!("{SLUG}:{PASSWORD}:")))),
        ("a password with a line break", Some(basic(format!("{SLUG}:{PASSWORD}\n")))),
        ("password and user swapped", Some(basic(format!("{PASSWORD}:{SLUG}")))),
        ("the salt as password", Some(basic(format!("{SLUG}:{SALT}")))),
    ];
    for (what, authorization) in rows {
        for reply in all_calls(&app, authorization.as_deref()).await {
            assert_eq!(reply.status(), 401, "{what}\n\n{reply}");
            assert_challenge(&reply);
        }
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn the_scheme_is_case_insensitive_and_may_be_followed_by_several_spaces() {
    let app = heroku().await;
    let right = BASE64_STANDARD.encode(format!("{SLUG}:{PASSWORD}"));
    for scheme in ["basic", "BASIC", "bAsIc", "Basic  "] {
        let reply = app.client.provision("basic").authorization(format!("{scheme} {right}")).await;
        assert_eq!(reply.status(), 200, "{scheme}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_rejected() {
    let app = heroku().await;
    let right = format!("authorization: {}", sign::basic(SLUG, PASSWORD));
    let wrong = format!("authorization: {}", sign::basic(SLUG, "guessed"));
    let body = format!(r#"{{"uuid":"{UUID}","plan":"basic"}}"#);
    for [one, other] in [[&right, &wrong], [&wrong, &right], [&right, &right]] {
        let bytes = request(["POST /heroku/resources", one, other], &body);
        assert_eq!(Raw::exchange(&app.server, bytes).await.status(), 401);
    }
    assert_eq!(app.vendor.calls(), 0);
    let single = request(["POST /heroku/resources", &right], &body);
    assert_eq!(Raw::exchange(&app.server, single).await.status(), 200);
}

#[tokio::test]
async fn a_password_may_contain_colons_and_unicode_and_be_long() {
    let long = "0123456789abcdef".repeat(16);
    for (slug, password) in [
        ("lantern", "with:colons::inside:"),
        ("lantern", "pässwörd-ключ-鍵-🔑"),
        ("lantern", " spaces "),
        ("lantern", long.as_str()),
        ("an-add-on-with-quite-a-long-name-in-the-marketplace", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("l", "p"),
    ] {
        let app = App::start(Heroku::new(slug, password, SALT).unwrap(), |addon| addon).await;
        app.client.provision("basic").credentials(slug, password).await.expect(200);
        let mut shorter = password.to_owned();
        shorter.pop();
        app.client.provision("basic").credentials(slug, &shorter).await.expect(401);
        app.client.provision("basic").credentials(slug, &format!("{password}x")).await.expect(401);
    }
}

#[tokio::test]
async fn an_old_password_is_accepted_until_it_expires() {
    let clock = Clock::at(NOW);
    let marketplace = Heroku::new(SLUG, PASSWORD, SALT)
        .unwrap()
        .with_password(Password::new("last-year").unwrap().with_expiry(instant(NOW + 60)))
        .with_password(Password::new("for-ever").unwrap());
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    let heroku = &app.client;
    for (moment, old) in [(NOW, 200), (NOW + 59, 200), (NOW + 60, 401), (NOW + 61, 401), (NOW + 1_000_000, 401)] {
        clock.set(moment);
        heroku.provision("basic").credentials(SLUG, "last-year").await.expect(old);
        heroku.provision("basic").credentials(SLUG, "for-ever").await.expect(200);
        heroku.provision("basic").await.expect(200);
        heroku.provision("basic").credentials(SLUG, "never").await.expect(401);
    }
}

#[tokio::test]
async fn credentials_are_checked_before_plan_body_and_resource() {
    let app = heroku().await;
    let heroku = &app.client;
    assert_challenge(&heroku.provision("no-such-plan").credentials(SLUG, "wrong").await);
    assert_challenge(&heroku.provision("basic").body("{").without_credentials().await);
    assert_challenge(&heroku.plan_change("no-such-widget", "basic").without_credentials().await);
    assert_challenge(&heroku.deprovision("no-such-widget").without_credentials().await);
    assert_challenge(&heroku.deprovision("x").path("/resources/%FF").without_credentials().await);
}

#[tokio::test]
async fn single_sign_on_ignores_the_authorization_header() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.single_sign_on(UUID).await.expect(302);
    app.client.single_sign_on(UUID).authorization("Basic guessed").await.expect(302);
    app.client.single_sign_on(UUID).credentials(SLUG, PASSWORD).set("resource_token", "0").await.expect(302);
    let forged = app.client.single_sign_on(UUID).only_resource_token().set("resource_token", "0");
    forged.credentials(SLUG, PASSWORD).await.expect(403);
}

#[tokio::test]
async fn the_401_does_not_reveal_what_is_wrong_with_the_credentials() {
    let app = heroku().await;
    let wrong_user = app.client.provision("basic").credentials("wrong-user", PASSWORD).await;
    let wrong_password = app.client.provision("basic").credentials(SLUG, "wrong").await;
    assert_eq!(wrong_user.body(), wrong_password.body());
    assert_eq!(app.client.provision("basic").without_credentials().await.body(), wrong_user.body());
}
