//! Single sign-on tokens: kinds, validity window and signed fields.

use maitre::{Heroku, Salt};
use maitre_testkit::{self as testkit, sign};
use serde_json::json;
use std::time::Duration;

use crate::support::{App, Clock, NOW, PASSWORD, SALT, SLUG, UUID, instant};

fn plain() -> Heroku {
    Heroku::new(SLUG, PASSWORD, SALT).expect("credentials")
}

/// Starts an app whose clock is fixed at [`NOW`], with one widget: `widget-1`, which Heroku calls [`UUID`].
async fn open(marketplace: Heroku) -> App<Heroku> {
    let clock = Clock::at(NOW);
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app
}

#[tokio::test]
async fn the_documented_resource_token_signs_in_for_the_uuid() {
    let app = open(plain()).await;
    let form = app.client.single_sign_on(UUID).timestamp("1772000000").only_resource_token();
    form.set("resource_token", "ac96a81ac9555ffb7077cce9dd00850ae85c267d").await.expect(302);
    let received = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((received.resource.as_str(), received.identity.is_verified()), (UUID, false));
    assert_eq!(received.identity.email(), Some("ada+ops@example.org"));
}

#[tokio::test]
async fn the_documented_user_scoped_token_verifies_the_identity() {
    let app = open(plain()).await;
    let form = app.client.single_sign_on(UUID).timestamp("1772000000").only_user_scoped();
    let token = "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d";
    form.set("user_scoped_resource_token", token).await.expect(302);
    let received = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((received.resource.as_str(), received.identity.is_verified()), (UUID, true));
    assert_eq!(received.identity.user_id(), Some("c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64"));
    assert_eq!(received.identity.email(), Some("ada+ops@example.org"));
}

#[tokio::test]
async fn the_documented_v1_tokens_sign_in_if_legacy_tokens_are_enabled() {
    for (id, salt, timestamp, token) in [
        ("123", "2f97bfa52ca102f8874716e2eb1d3b4920ad0be4", 1_267_597_772, "bb466eb1d6bc345d11072c3cd25c311f21be130d"),
        ("1", "SSO_SALT", 1_262_304_000, "b6010f6fbb850887a396c2bc0ab23974003008f6"),
        ("4711", SALT, NOW, "a8f6e6c591b80b8d12222f8823a613e65b4dfbf7"),
    ] {
        let marketplace = Heroku::new(SLUG, PASSWORD, salt).unwrap().with_legacy_token(true);
        let clock = Clock::at(timestamp);
        let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
        app.vendor.on_single_sign_on(async |_| Ok(maitre::SignedOn::redirect("/dashboard")));
        let form = app.client.single_sign_on(UUID).provider_id(id).timestamp(timestamp.to_string()).only_legacy();
        form.set("token", token).await.expect(302);
        let received = app.vendor.sign_ons().pop().unwrap();
        assert_eq!((received.resource.as_str(), received.identity.is_verified()), (id, false));
    }
}

#[tokio::test]
async fn tokens_are_valid_from_300_s_in_the_past_to_60_s_in_the_future() {
    let app = open(plain().with_legacy_token(true)).await;
    let form = |seconds: i64| app.client.single_sign_on(UUID).provider_id("widget-1").at(instant(NOW + seconds));
    for (seconds, status) in [(-301, 403), (-300, 302), (-1, 302), (0, 302), (60, 302), (61, 403), (315_360_000, 403)] {
        form(seconds).only_user_scoped().await.expect(status);
        form(seconds).only_resource_token().await.expect(status);
        form(seconds).only_legacy().await.expect(status);
        form(seconds).send_by_get().await.expect(status);
    }
}

#[tokio::test]
async fn the_token_window_is_configurable() {
    let clock = Clock::at(NOW);
    let window = maitre::sso::Window::default().with_max_age(Duration::from_mins(2)).with_max_ahead(Duration::ZERO);
    let app = App::heroku(|addon| addon.with_clock(clock.source()).with_sso_window(window)).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    for (seconds, status) in [(-121, 403), (-120, 302), (0, 302), (1, 403)] {
        app.client.single_sign_on(UUID).at(instant(NOW + seconds)).await.expect(status);
    }
}

#[tokio::test]
async fn only_the_strongest_token_in_the_form_is_checked() {
    let app = open(plain().with_legacy_token(true)).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").at(instant(NOW));
    form().await.expect(302);
    for wrong in ["", "0", &"0".repeat(64)] {
        form().set("user_scoped_resource_token", wrong).await.expect(403);
        form()
            .only_resource_token()
            .set("token", sign::token("widget-1", SALT, &NOW.to_string()))
            .set("resource_token", wrong)
            .await
            .expect(403);
    }
    form().set("resource_token", "0").set("token", "0").await.expect(302);
    form().without("user_scoped_resource_token").set("token", "0").await.expect(302);
    let received = app.vendor.sign_ons();
    assert_eq!(
        received.iter().map(|received| received.identity.is_verified()).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[tokio::test]
async fn a_token_of_one_kind_is_rejected_in_the_field_of_another() {
    let app = open(plain().with_legacy_token(true)).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").at(instant(NOW));
    let sha1 = sign::resource_token(UUID, SALT, &NOW.to_string());
    form().only_user_scoped().set("user_scoped_resource_token", sha1.as_str()).await.expect(403);
    form().only_legacy().set("token", sha1.as_str()).await.expect(403);
    let v1 = sign::token("widget-1", SALT, &NOW.to_string());
    form().only_resource_token().set("resource_token", v1).await.expect(403);
}

#[tokio::test]
async fn the_user_scoped_token_can_be_required() {
    let app = open(plain().with_legacy_token(true).with_user_scoped_token_only(true)).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").at(instant(NOW));
    form().await.expect(302);
    form().only_user_scoped().await.expect(302);
    form().only_resource_token().await.expect(403);
    form().only_legacy().await.expect(403);
    form().send_by_get().await.expect(403);
    form().without("user_scoped_resource_token").await.expect(403);
}

#[tokio::test]
async fn an_old_salt_is_accepted_until_it_expires() {
    let clock = Clock::at(NOW);
    let marketplace = plain().with_salt(Salt::new("last year's").unwrap().with_expiry(instant(NOW + 60)));
    let app = App::start(marketplace, |addon| addon.with_clock(clock.source())).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    let old = testkit::Heroku::new(&app.server.url("/heroku"), SLUG, PASSWORD, "last year's");
    let never = testkit::Heroku::new(&app.server.url("/heroku"), SLUG, PASSWORD, "never");
    for (moment, status) in [(NOW, 302), (NOW + 59, 302), (NOW + 60, 403), (NOW + 3600, 403)] {
        clock.set(moment);
        old.single_sign_on(UUID).at(instant(moment)).await.expect(status);
        old.single_sign_on(UUID).at(instant(moment)).only_resource_token().await.expect(status);
        app.client.single_sign_on(UUID).at(instant(moment)).await.expect(302);
        never.single_sign_on(UUID).at(instant(moment)).await.expect(403);
    }
}

#[tokio::test]
async fn changed_fields_invalidate_the_user_scoped_token() {
    let app = open(plain()).await;
    let form = || app.client.single_sign_on(UUID).at(instant(NOW));
    for (field, forged) in [
        ("email", "eve@example.org"),
        ("email", "ada%2Bops@example.org"),
        ("email", "ADA+ops@example.org"),
        ("email", ""),
        ("user_id", "00000000-0000-4000-8000-000000000000"),
        ("user_id", ""),
        ("resource_id", "00000000-0000-4000-8000-000000000000"),
        ("resource_id", ""),
        ("timestamp", "1772000001"),
    ] {
        form().set(field, forged).await.expect(403);
        form().without(field).await.expect(403);
    }
    assert!(app.vendor.sign_ons().is_empty());
}

#[tokio::test]
async fn the_email_is_hashed_after_form_decoding() {
    let app = open(plain()).await;
    for email in ["ada+ops@example.org", "ada ops@example.org", "büro@exämple.org", "a&b=c%41@example.org", "x:y@e.org"]
    {
        app.client.single_sign_on(UUID).email(email).only_user_scoped().at(instant(NOW)).await.expect(302);
        assert_eq!(app.vendor.sign_ons().pop().unwrap().identity.email(), Some(email));
    }
}

#[tokio::test]
async fn characters_cannot_move_between_user_id_and_email() {
    let app = open(plain()).await;
    let form = app.client.single_sign_on(UUID).user_id("u").email("x:y@example.org").only_user_scoped();
    form.clone().at(instant(NOW)).await.expect(302);
    form.at(instant(NOW)).set("user_id", "u:x").set("email", "y@example.org").await.expect(403);
}

#[tokio::test]
async fn duplicate_signed_fields_are_rejected() {
    let app = open(plain()).await;
    let form = app.client.single_sign_on(UUID).at(instant(NOW));
    let body = String::from_utf8(form.request().body().to_vec()).unwrap();
    for twice in [
        "resource_id=other",
        "timestamp=1772000000",
        "user_id=other",
        "email=eve%40example.org",
        "user_scoped_resource_token=0",
        "resource_token=0",
        "token=0",
    ] {
        form.clone().body(format!("{body}&{twice}")).await.expect(403);
        form.clone().body(format!("{twice}&{body}")).await.expect(403);
    }
    form.clone().body(format!("{body}&tab=a&tab=b")).await.expect(302);
    assert_eq!(app.vendor.sign_ons().len(), 1);
}

#[tokio::test]
async fn unsigned_fields_never_select_the_resource() {
    let app = open(plain().with_legacy_token(true)).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").at(instant(NOW));
    form().set("id", "widget-9").await.expect(302);
    form().only_resource_token().set("id", "widget-9").await.expect(302);
    form().only_legacy().set("resource_id", "another").await.expect(302);
    let received: Vec<_> = app.vendor.sign_ons().iter().map(|received| json!(received.resource.as_str())).collect();
    assert_eq!(received, [UUID, UUID, "widget-1"]);
}
