//! Webhooks: signed events about installations, passed to the listener once per delivery.

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use maitre_axum::core::{AccountNotice, Backend, ClientSecret, SecretUse};
use maitre_axum::{Head, ReadResult, json, record_secret_use};
use serde_json::{Map, Value, json};
use sha1::Sha1;
use time::OffsetDateTime;

use crate::Vercel;
use crate::wire::EventBody;

/// Event after which an installation no longer exists.
const REMOVED: &str = "integration-configuration.removed";

/// Receives an event. It is recorded before the response, and handled in the background.
pub(crate) async fn receive(head: Head<Vercel>) -> ReadResult {
    let vercel = head.addon().marketplace();
    let signature = head.header("x-vercel-signature").and_then(|signature| hex::decode(signature).ok());
    let used = signature.and_then(|signature| vercel.check_signature(&signature, head.body().bytes(), head.now()));
    let Some(used) = used else {
        tracing::warn!("refused a webhook without a signature by the client secret");
        let body = json!({ "code": "invalid_signature", "error": "The signature is missing or wrong." });
        return Ok(json(vercel.refused_webhook, &body));
    };
    record_secret_use(&head.addon_id(), "client", used);
    let event = head.json::<EventBody>()?.fields;
    let Some(installation) = installation(&event.payload) else {
        tracing::info!(kind = event.kind, "ignored a webhook that is about no installation");
        return Ok(json(StatusCode::OK, &json!({})));
    };
    let mut notice = AccountNotice::new(head.addon_id(), installation, event.kind);
    notice.closes = notice.kind == REMOVED;
    notice.resource = event.payload.get("resourceId").and_then(Value::as_str).map(Into::into);
    (notice.id, notice.details) = (Some(event.id), event.payload.into());
    head.addon().account_notice(notice).await?;
    Ok(json(StatusCode::OK, &json!({})))
}

/// Returns the installation. Samples have another id in `installationId`, so `configuration.id` is read first.
fn installation(payload: &Map<String, Value>) -> Option<&str> {
    let configuration = payload.get("configuration").and_then(|configuration| configuration.get("id"));
    let id = configuration.or_else(|| payload.get("installationId"))?.as_str()?;
    Some(id).filter(|id| !id.is_empty() && id.len() <= 256 && !id.contains(char::is_control))
}

impl Vercel {
    /// Tells which client secret has signed a webhook, if one has.
    fn check_signature(&self, signature: &[u8], body: &[u8], now: OffsetDateTime) -> Option<SecretUse> {
        let is_signed_with = |secret: &ClientSecret| {
            let mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
        };
        let secrets = self.client_secrets.active(now);
        // all of them are compared, so that the time does not tell which one fits
        let fits = |old: bool| {
            let secrets = secrets.iter().filter(|secret| secret.is_old() == old);
            secrets.map(is_signed_with).fold(false, |any, fits| any | fits)
        };
        match (fits(false), fits(true)) {
            (true, _) => Some(SecretUse::Current),
            (false, true) => Some(SecretUse::Old),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use maitre_axum::core::Catalog;

    use super::*;

    const VECTORS: [(&str, &str); 2] = [
        (
            r#"{"id":"evt_pml2","type":"integration-configuration.removed","createdAt":1700000100000,"payload":{"configuration":{"id":"icfg_pomeloInst01"},"team":{"id":"team_1"},"user":{"id":"u_1"}}}"#,
            "629e7cf7ab5e05d49417063eeb60552461e9c63c",
        ),
        (
            r#"{"id":"evt_pml1","type":"marketplace.invoice.paid","createdAt":1700000000000,"region":"iad1","payload":{"configuration":{"id":"icfg_pomeloInst01"},"installationId":"icfg_pomeloInst01","invoiceId":"mi_1","externalInvoiceId":"2023-11","period":{"start":"2023-10-01T00:00:00.000Z","end":"2023-11-01T00:00:00.000Z"},"invoiceDate":"2023-11-01T00:00:00.000Z","invoiceTotal":"29.00"}}"#,
            "0448e373adae89cb28e6ecf972771746e92b4b48",
        ),
    ];

    #[test]
    fn the_signatures_of_the_contract_are_verified() {
        let vercel = Vercel::new("oac_pomelo0000000000000001", "pomelo-client-secret", Catalog::default()).unwrap();
        let (now, end) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + Duration::from_mins(1));
        for (body, signature) in VECTORS {
            let (body, signature) = (body.as_bytes(), hex::decode(signature).unwrap());
            assert_eq!(vercel.check_signature(&signature, body, now), Some(SecretUse::Current));
            assert_eq!(vercel.check_signature(&signature, &body[1..], now), None);
            assert_eq!(vercel.check_signature(&signature[..19], body, now), None);
            let rotated = Vercel::new("oac_1", "another", Catalog::default()).unwrap();
            assert_eq!(rotated.check_signature(&signature, body, now), None);
            let old = ClientSecret::new("pomelo-client-secret").unwrap().with_expiry(end);
            let rotated = rotated.with_client_secret(old);
            assert_eq!(rotated.check_signature(&signature, body, now), Some(SecretUse::Old));
            assert_eq!(rotated.check_signature(&signature, body, end), None);
        }
    }

    #[test]
    fn the_installation_is_that_of_the_configuration() {
        let payload = |value: Value| value.as_object().cloned().unwrap();
        let both = payload(json!({ "configuration": { "id": "icfg_1" }, "installationId": "oac_1" }));
        assert_eq!(installation(&both), Some("icfg_1"));
        assert_eq!(installation(&payload(json!({ "installationId": "icfg_2" }))), Some("icfg_2"));
        assert_eq!(installation(&payload(json!({ "deployment": {} }))), None);
    }
}
