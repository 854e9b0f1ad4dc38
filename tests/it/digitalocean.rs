//! DigitalOcean's API: `metadata`, notifications, and single sign-on with an HMAC.

use maitre::{DigitalOcean, DigitalOceanProvision, NoticeKind};
use serde_json::{Value, json};

use crate::support::{Raw, RawApp, RawReply, instant, request};

const UUID: &str = "0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a";
const FORM: &str =
    "resource_uuid=0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a&timestamp=1700000000&user_id=u&user_email=a%40b.example";
const TOKEN: &str = "token=0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278";

async fn app() -> RawApp {
    RawApp::start(
        DigitalOcean::new("tamarind", RawApp::PASSWORD, "kelp-salt").expect("credentials"),
        "/digitalocean",
        1_700_000_120,
        maitre::digitalocean,
    )
    .await
}

async fn provision(app: &RawApp) -> RawReply {
    let body = json!({
        "uuid": UUID, "resource_name": "tamarind-prod", "app_slug": "tamarind", "plan_slug": "basic",
        "metadata": { "seats": 3, "newsletter": false }, "email": "fwd-71@relay.example", "creator_id": "team-zz91",
        "oauth_grant": { "type": "authorization_code", "code": "c0de-1", "expires_at": 1_700_000_300 },
    });
    app.send("POST /digitalocean/resources", &body.to_string()).await
}

async fn notify(app: &RawApp, body: Value) -> RawReply {
    app.send("POST /digitalocean/notifications", &body.to_string()).await
}

async fn sign_on(app: &RawApp, fields: &str) -> RawReply {
    app.post_form("/digitalocean/sso", &format!("{FORM}&{fields}")).await
}

#[tokio::test]
async fn the_documented_provision_is_200_and_repeated_with_the_same_id() {
    let app = app().await;
    let reply = provision(&app).await;
    let body: Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!(
        (reply.status(), &body["id"], &body["message"]),
        (200, &json!("widget-1"), &json!("Lantern basic is ready."))
    );
    assert_eq!(provision(&app).await.body(), reply.body());
    let received = app.vendor.provisions().remove(0);
    assert_eq!((received.resource.as_str(), received.plan.as_str()), (UUID, "basic"));
    assert_eq!(received.name.as_deref(), Some("tamarind-prod"));
    assert_eq!(Value::from(received.parameters.clone()), json!({ "seats": 3, "newsletter": false }));
    let grant = received.oauth_grant.clone().unwrap();
    assert_eq!((grant.code.expose(), grant.expires_at), ("c0de-1", instant(1_700_000_300)));
    let details = received.view::<DigitalOceanProvision>().unwrap();
    assert_eq!(details.creator_id.as_deref(), Some("team-zz91"));
    assert_eq!(
        (details.email.as_deref(), details.app_slug.as_deref()),
        (Some("fwd-71@relay.example"), Some("tamarind"))
    );
}

#[tokio::test]
async fn a_resource_is_changed_and_deprovisioned() {
    let app = app().await;
    provision(&app).await;
    let path = format!("/digitalocean/resources/{UUID}");
    let changed = app.send(&format!("PUT {path}"), r#"{"plan_slug":"premium"}"#).await;
    assert_eq!((changed.status(), changed.text().as_str()), (200, r#"{"message":"Now on premium."}"#));
    app.vendor.on_plan_change(async |_| Ok(maitre::PlanChanged::new()));
    let changed = app.send(&format!("PUT {path}"), r#"{"plan_slug":"basic"}"#).await;
    assert_eq!((changed.status(), changed.text().as_str()), (204, ""));
    let removed = app.send(&format!("DELETE {path}"), "").await;
    assert_eq!((removed.status(), removed.text().as_str()), (204, ""));
    for unknown in [path.as_str(), "/digitalocean/resources/unknown"] {
        let reply = app.send(&format!("DELETE {unknown}"), "").await;
        assert_eq!((reply.status(), reply.text().as_str()), (404, ""), "{unknown}");
    }
}

#[tokio::test]
async fn errors_have_a_status_and_a_message() {
    let app = app().await;
    let refused = app.send("POST /digitalocean/resources", r#"{"uuid":"u","plan_slug":"gold"}"#).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().contains("The plan gold does not exist"), "{}", refused.text());
    for malformed in ["{", r#"{"uuid":"","plan_slug":"basic"}"#] {
        assert_eq!(app.send("POST /digitalocean/resources", malformed).await.status(), 400, "{malformed}");
    }
    let wrong = request(["POST /digitalocean/notifications", "authorization: Basic dGFtYXJpbmQ6d3Jvbmc="], "{}");
    assert_eq!(Raw::exchange(&app.server, wrong).await.status(), 401);
    assert_eq!(app.vendor.calls(), 1);
}

#[tokio::test]
async fn each_notification_reaches_the_listener() {
    let app = app().await;
    let of =
        |kind: &str| json!({ "type": kind, "created_at": 1_700_000_500, "payload": { "resources_uuids": ["a", "b"] } });
    for kind in
        ["resources.suspended", "resources.reactivated", "resources.deprovisioning.failed", "resources.invented"]
    {
        assert_eq!(notify(&app, of(kind)).await.status(), 204, "{kind}");
    }
    let updated = json!({ "resource": { "uuid": UUID, "name": "renamed" }, "plan": { "slug": "basic" } });
    let reply = notify(&app, json!({ "type": "resources.updated", "created_at": 1, "payload": updated })).await;
    assert_eq!(reply.status(), 204);
    let resources = |ids: Vec<maitre::ResourceId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(resources(app.vendor.suspensions().into_iter().map(|it| it.resource).collect()), ["a", "b"]);
    assert_eq!(resources(app.vendor.reinstatements().into_iter().map(|it| it.resource).collect()), ["a", "b"]);
    let notices = app.vendor.notices();
    assert_eq!(notices.iter().filter(|notice| notice.kind == NoticeKind::DeprovisionFailed).count(), 2);
    let updated = notices.last().unwrap();
    assert_eq!((updated.resource.as_str(), &updated.kind), (UUID, &NoticeKind::Updated));
    assert_eq!(updated.details.get("resource").unwrap()["name"], "renamed");
}

#[tokio::test]
async fn one_failing_resource_of_a_batch_is_422_and_the_others_are_tried() {
    let app = app().await;
    app.vendor.on_suspend(async |request| match request.resource.as_str() {
        "a" => Err(maitre::Failure::unknown()),
        _ => Ok(()),
    });
    let batch =
        json!({ "type": "resources.suspended", "created_at": 1, "payload": { "resources_uuids": ["a", "b", "c"] } });
    let reply = notify(&app, batch).await;
    assert_eq!(reply.status(), 422);
    assert!(reply.text().contains("message"), "{}", reply.text());
    assert_eq!(app.vendor.suspensions().len(), 3);
    let malformed = json!({ "type": "resources.suspended", "created_at": 1, "payload": { "resources_uuids": [7] } });
    assert_eq!(notify(&app, malformed).await.status(), 400);
}

#[tokio::test]
async fn a_form_signs_in_once_its_token_is_the_published_one() {
    let app = app().await;
    provision(&app).await;
    let reply = sign_on(&app, TOKEN).await;
    assert_eq!((reply.status(), reply.header("location")), (302, Some("/dashboard")));
    assert!(reply.header("set-cookie").is_some());
    let seen = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((seen.identity.is_verified(), seen.identity.email()), (false, Some("a@b.example")));
    for wrong in ["token=0", "", "resource_token=ec39c4e1c6d6acfb8f9d7eee647098de72820031"] {
        let reply = sign_on(&app, wrong).await;
        assert_eq!((reply.status(), reply.header("set-cookie")), (401, None), "{wrong}");
    }
}
