//! Malformed bodies: 4xx with a message that gives field and position; every readable form is accepted.

use maitre::Heroku;
use maitre_testkit::Reply;
use serde_json::json;

use crate::support::{App, UUID, cloudcontrol, heroku};

/// Starts an app with one widget, so that only the body determines the response.
async fn open() -> App<Heroku> {
    let app = App::heroku(|addon| addon.with_body_limit(4 * 1024 * 1024)).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app
}

/// Sends these bytes as the body of a provision and of a plan change.
async fn send_by_post_and_put(app: &App<Heroku>, body: &[u8]) -> [Reply; 2] {
    let post = app.client.provision("basic").body(body).await;
    [post, app.client.plan_change(UUID, "basic").body(body).await]
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned()
}

#[tokio::test]
async fn invalid_json_is_400_and_the_message_gives_the_position() {
    let app = open().await;
    let nested = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat().into_bytes();
    let whole = format!(r#""uuid":"{UUID}","plan":"basic""#);
    let rows: Vec<Vec<u8>> = vec![
        b"{".into(),
        b"}".into(),
        b"[]".into(),
        b"[[]]".into(),
        b"null".into(),
        b"true".into(),
        b"7".into(),
        b"\"basic\"".into(),
        b"NaN".into(),
        b"nope".into(),
        b" \n\t ".into(),
        b"{}".into(),
        b"{,}".into(),
        b"{'plan':'basic'}".into(),
        b"uuid=1&plan=basic".into(),
        format!("{{{whole}").into(),
        format!("{{{whole},}}").into(),
        format!("{{{whole}}} {{}}").into(),
        format!("{{{whole}}}x").into(),
        format!("\u{feff}{{{whole}}}").into(),
        format!(r#"{{{whole},"plan":"premium"}}"#).into(),
        format!(r#"{{{whole},"x":NaN}}"#).into(),
        format!(r#"{{{whole},"x":Infinity}}"#).into(),
        format!(r#"{{{whole},"x":1e999}}"#).into(),
        format!(r#"{{{whole},"x":"\ud800"}}"#).into(),
        format!("{{{whole},\"x\":\"\u{0}\"}}").into(),
        [format!("{{{whole},\"x\":\"").as_bytes(), b"\xff\xfe\"}"].concat(),
        [format!("{{{whole},\"").as_bytes(), b"\xff\":1}"].concat(),
        format!("{{\"uuid\":\"{UUID}\",\"plan\":\"\u{fffd}\"}}")
            .into_bytes()
            .into_iter()
            .filter(|byte| *byte != 0xbf)
            .collect(),
        b"\xff\xfe".into(),
        b"\x00".into(),
        b"\x1f\x8b\x08\x00".into(),
        nested("[", "]"),
        nested("[", ""),
        nested(r#"{"a":"#, "}"),
        [format!("{{{whole},\"x\":").into_bytes(), nested("[", "]"), b"}".into()].concat(),
        [format!("{{{whole},\"x\":").into_bytes(), nested(r#"{"a":"#, "}"), b"}".into()].concat(),
        [br#"{"plan":"#.to_vec(), nested("[", "]"), b"}".into()].concat(),
        [br#"{"uuid":"#.to_vec(), nested("[", "]"), b"}".into()].concat(),
    ];
    let received = app.vendor.calls();
    for body in rows {
        for reply in send_by_post_and_put(&app, &body).await {
            assert_eq!(reply.status(), 400, "{}\n\n{reply}", shown(&body));
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert!(
                reply.message().contains("line 1 ") || reply.message().contains("line 2 "),
                "{}: {}",
                shown(&body),
                reply.message()
            );
        }
    }
    assert_eq!(app.vendor.calls(), received, "the listener is not called");
    app.client.provision("basic").await.expect(200);
}

#[tokio::test]
async fn an_empty_body_is_400_and_reported_as_empty() {
    let app = open().await;
    for reply in send_by_post_and_put(&app, b"").await {
        assert!(reply.expect(400).message().contains("empty"), "{reply}");
    }
    app.client.provision("basic").body("").header("transfer-encoding", "chunked").await.expect(400);
}

#[tokio::test]
async fn a_plan_that_is_missing_or_not_a_string_is_reported_by_name() {
    let app = open().await;
    for reply in [
        app.client.provision("basic").without("plan").await,
        app.client.plan_change(UUID, "basic").without("plan").await,
        app.client.plan_change(UUID, "basic").without("plan").set("uuid", UUID).await,
    ] {
        assert!(reply.expect(400).message().contains("`plan`"), "{reply}");
    }
    for instead in
        [json!(null), json!(7), json!(1.5), json!(true), json!([]), json!(["basic"]), json!({ "name": "basic" })]
    {
        for reply in [
            app.client.provision("basic").set("plan", instead.clone()).await,
            app.client.plan_change(UUID, "basic").set("plan", instead.clone()).await,
        ] {
            let message = reply.expect(400).message();
            assert!(message.contains("at plan") && message.contains("line 1"), "{instead}: {message}");
        }
    }
}

#[tokio::test]
async fn an_empty_or_unknown_plan_is_passed_to_the_listener() {
    let app = open().await;
    for plan in ["", " ", "gold", "BASIC", "lantern:basic"] {
        for reply in [app.client.provision(plan).await, app.client.plan_change(UUID, plan).await] {
            assert!(reply.expect(422).message().contains("does not exist"), "{reply}");
        }
    }
}

#[tokio::test]
async fn an_invalid_uuid_is_reported_by_name() {
    let app = open().await;
    let missing = app.client.provision("basic").without("uuid").await;
    assert!(missing.expect(400).message().contains("`uuid`"), "{missing}");
    let [short, long] = [&UUID[1..], &format!("{UUID}0")];
    let braced = format!("{{{UUID}}}");
    let urn = format!("urn:uuid:{UUID}");
    let simple = UUID.replace('-', "");
    let odd = UUID.replace('7', "g");
    let spaced = format!(" {UUID}");
    let texts = ["", "7", "no uuid", short, long, &braced, &urn, &simple, &odd, &spaced];
    let others = [json!(null), json!(7), json!([]), json!({})];
    for instead in texts.into_iter().map(|text| json!(text)).chain(others) {
        let reply = app.client.provision("basic").set("uuid", instead.clone()).await;
        assert!([400, 422].contains(&reply.status()), "{instead}\n\n{reply}");
        assert!(reply.message().contains("uuid"), "{instead}: {}", reply.message());
    }
    assert_eq!(app.vendor.provisions().len(), 1);
}

#[tokio::test]
async fn a_documented_field_of_the_wrong_type_is_reported_by_path() {
    let app = open().await;
    for (field, instead, path) in [
        ("name", json!(7), "at name"),
        ("region", json!([]), "at region"),
        ("callback_url", json!({}), "at callback_url"),
        ("log_input_url", json!(1), "at log_input_url"),
        ("oauth_grant", json!("code"), "at oauth_grant"),
        ("oauth_grant", json!({ "code": 7 }), "at oauth_grant.code"),
        ("options", json!("retention"), "at options"),
    ] {
        let reply = app.client.provision("basic").set(field, instead).await;
        assert!(reply.expect(400).message().contains(path), "{reply}");
    }
}

#[tokio::test]
async fn the_message_gives_line_and_path_of_the_error() {
    let app = open().await;
    let body = format!("{{\n  \"uuid\": \"{UUID}\",\n  \"plan\": 7\n}}");
    let reply = app.client.provision("basic").body(body).await;
    let message = reply.expect(400).message();
    assert!(message.contains("at plan") && message.contains("line 3 column 11"), "{message}");
}

#[tokio::test]
async fn any_accept_header_and_media_type_is_accepted() {
    let app = open().await;
    for accept in
        ["*/*", "text/html", "application/vnd.heroku-addons+json; version=3", "application/xml;q=0", "nonsense", ""]
    {
        let reply = app.client.provision("basic").header("accept", accept).await;
        assert_eq!(reply.expect(200).header("content-type"), Some("application/json"), "{accept}");
        app.client.plan_change(UUID, "basic").header("accept", accept).await.expect(200);
    }
    app.client.provision("basic").without_header("accept").await.expect(200);
    for kind in [
        "application/json; charset=utf-8",
        "application/vnd.heroku-addons+json; version=3",
        "application/vnd.heroku-addons+json",
        "APPLICATION/JSON",
        "text/json",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "nonsense",
        "",
    ] {
        app.client.provision("basic").header("content-type", kind).await.expect(200);
        app.client.plan_change(UUID, "basic").header("content-type", kind).await.expect(200);
    }
    app.client.provision("basic").without_header("content-type").await.expect(200);
    app.client.plan_change(UUID, "basic").without_header("content-type").await.expect(200);
}

#[tokio::test]
async fn unknown_fields_of_every_kind_are_accepted() {
    let app = open().await;
    for value in [
        json!(null),
        json!(7),
        json!(-1.5e300),
        json!([[[]]]),
        json!({ "a": { "b": null } }),
        json!("💡\u{0}"),
        json!(u64::MAX),
    ] {
        app.client.provision("basic").set("unknown", value.clone()).await.expect(200);
        app.client.plan_change(UUID, "basic").set("unknown", value).await.expect(200);
    }
    let many = format!(
        r#"{{"uuid":"{UUID}","plan":"basic"{}}}"#,
        (0..10_000).map(|n| format!(r#","x{n}":{n}"#)).collect::<Vec<_>>().concat()
    );
    app.client.provision("basic").body(many.clone()).await.expect(200);
    app.client.plan_change(UUID, "basic").body(many).await.expect(200);
    assert_eq!(app.vendor.plan_changes().pop().unwrap().details.len(), 10_001);
}

#[tokio::test]
async fn names_and_values_may_contain_escapes() {
    let app = heroku().await;
    let body = format!(r#"{{"\u0075uid":"\u0037{}","pl\u0061n":"b\u0061sic"}}"#, &UUID[1..]);
    app.client.provision("basic").body(body).await.expect(200);
    let received = app.vendor.provisions().pop().unwrap();
    assert_eq!((received.resource.as_str(), received.plan.as_str()), (UUID, "basic"));
    assert!(received.details.is_empty());
}

#[tokio::test]
async fn cloudcontrol_bodies_are_validated_the_same_way() {
    let app = cloudcontrol().await;
    for body in ["{", "", "[]", "null", "NaN", "\u{feff}{}", "{\"plan\":7}", "{}"] {
        let reply = app.client.provision("basic").body(body).await;
        assert!(!reply.expect(400).message().is_empty());
        let reply = app.client.plan_change("1", "basic").body(body).await;
        assert!(!reply.expect(400).message().is_empty());
    }
    app.client.provision("basic").body(b"{\"plan\":\"\xff\"}").await.expect(400);
    assert_eq!(app.vendor.calls(), 0);
}
