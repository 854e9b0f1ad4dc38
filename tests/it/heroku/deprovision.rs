//! `DELETE /resources/{id}`.

use maitre::{Deprovisioned, Failure};

use crate::support::{Log, UUID, heroku};

#[tokio::test]
async fn a_resource_is_deprovisioned_by_provider_id_or_uuid() {
    let app = heroku().await;
    let other = app.client.new_uuid();
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.provision("basic").uuid(&other).await.expect(200);
    for path_id in ["widget-1", other.as_str()] {
        let reply = app.client.deprovision(path_id).await;
        assert_eq!((reply.expect(204).body(), reply.header("content-type")), (&b""[..], None));
        let received = app.vendor.deprovisions().pop().unwrap();
        assert_eq!((received.resource.as_str(), received.addon.to_string().as_str()), (path_id, "heroku/lantern"));
    }
}

#[tokio::test]
async fn a_second_deprovision_is_410_and_an_unknown_resource_is_404() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.deprovision(UUID).await.expect(204);
    let again = app.client.deprovision(UUID).await;
    assert_eq!(again.expect(410).message(), "This resource was removed.");
    app.client.deprovision("widget-1").await.expect(410);
    let unknown = app.client.deprovision("widget-2").await;
    assert_eq!(unknown.expect(404).message(), "This resource does not exist.");
}

#[tokio::test]
async fn a_deprovision_needs_no_body_and_ignores_one() {
    let app = heroku().await;
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    app.client.deprovision(UUID).await.expect(204);
    for body in [&b"{"[..], b"null", b"\xff\xfe", br#"{"plan":7}"#] {
        app.client.deprovision(UUID).header("content-type", "application/json").body(body).await.expect(204);
    }
}

#[tokio::test]
async fn a_message_is_dropped_because_204_has_no_body() {
    let app = heroku().await;
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    assert_eq!(app.client.deprovision(UUID).await.expect(204).body(), b"");
}

#[tokio::test]
async fn a_refused_deprovision_is_503_and_logged() {
    let log = Log::open();
    let app = heroku().await;
    for failure in [|| Failure::refused("No."), || Failure::conflict("No.")] as [fn() -> Failure; 2] {
        app.vendor.on_deprovision(move |_| async move { Err(failure()) });
        let reply = app.client.deprovision(UUID).await;
        assert!(!reply.expect(503).message().contains("No."));
    }
    assert_eq!(log.events_containing("the listener refused a deprovision").len(), 2);
}
