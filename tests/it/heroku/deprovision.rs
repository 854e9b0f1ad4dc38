//! `DELETE /resources/{id}`.

use maitre::{Deprovisioned, Failure};

use crate::support::{Log, UUID, heroku};

#[tokio::test]
async fn a_resource_is_deprovisioned_by_provider_id_or_uuid() {
    let house = heroku().await;
    let other = house.market.new_uuid();
    house.market.provision("basic").uuid(UUID).await.expect(200);
    house.market.provision("basic").uuid(&other).await.expect(200);
    for path_id in ["widget-1", other.as_str()] {
        let reply = house.market.deprovision(path_id).await;
        assert_eq!((reply.expect(204).body(), reply.header("content-type")), (&b""[..], None));
        let heard = house.vendor.deprovisions().pop().unwrap();
        assert_eq!((heard.resource.as_str(), heard.addon.to_string().as_str()), (path_id, "heroku/lantern"));
    }
}

#[tokio::test]
async fn a_second_deprovision_is_410_and_an_unknown_resource_is_404() {
    let house = heroku().await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    house.market.deprovision(UUID).await.expect(204);
    let again = house.market.deprovision(UUID).await;
    assert_eq!(again.expect(410).message(), "This resource was removed.");
    house.market.deprovision("widget-1").await.expect(410);
    let unknown = house.market.deprovision("widget-2").await;
    assert_eq!(unknown.expect(404).message(), "There is no such resource.");
}

#[tokio::test]
async fn a_deprovision_needs_no_body_and_ignores_one() {
    let house = heroku().await;
    house.vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    house.market.deprovision(UUID).await.expect(204);
    for body in [&b"{"[..], b"null", b"\xff\xfe", br#"{"plan":7}"#] {
        house.market.deprovision(UUID).header("content-type", "application/json").body(body).await.expect(204);
    }
}

#[tokio::test]
async fn a_message_is_dropped_because_204_has_no_body() {
    let house = heroku().await;
    house.vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    assert_eq!(house.market.deprovision(UUID).await.expect(204).body(), b"");
}

#[tokio::test]
async fn a_refused_deprovision_is_503_and_logged() {
    let log = Log::open();
    let house = heroku().await;
    for failure in [|| Failure::refused("No."), || Failure::conflict("No.")] as [fn() -> Failure; 2] {
        house.vendor.on_deprovision(move |_| async move { Err(failure()) });
        let reply = house.market.deprovision(UUID).await;
        assert!(!reply.expect(503).message().contains("No."));
    }
    assert_eq!(log.saying("the listener refused a deprovision").len(), 2);
}
