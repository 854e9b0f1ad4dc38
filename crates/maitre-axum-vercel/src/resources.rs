//! Resources: provision, read, change, rotate, deprovision.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::catalog::CatalogRejection;
use maitre_axum::core::{
    Backend, Deprovision, Deprovisioned, Failure, Fetch, Fields, OperationKind, Outcome, PlanChange, Provision,
    Provisioned, RequestIdentity, ResourceDetails, Rotate, Rotated, TraceParent, Update,
};
use maitre_axum::{Call, Contract, ErrorReply, Handles, ReadError, ReadResult, json, no_content};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Vercel;
use crate::contract::invalid;
use crate::plan::{PlanBody, find};
use crate::wire::{
    ChangeBody, Metadata, PRODUCT, ProvisionBody, RepeatedBody, ResourceBody, RotateBody, details, notification,
    optional_json, resource, secrets,
};

/// Longest time for which old secrets stay valid, in hours.
const MAX_OVERLAP: f64 = 720.0;

impl Handles<Provision> for Vercel {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        let installation = call.id("iid")?;
        let sent = call.json::<ProvisionBody>()?;
        let body = sent.fields;
        let product = self.product(&body.product_id).ok_or_else(|| invalid(PRODUCT, "This product does not exist."))?;
        let plan = find(product, &body.billing_plan_id)
            .ok_or_else(|| invalid("billingPlanId", "This plan does not exist."))?;
        if body.name.is_empty() {
            return Err(invalid("name", "The name is missing."));
        }
        let parameters = Fields::from(body.metadata);
        let offer = self.offer(Some(product.name()), plan.name()).ok_or_else(ErrorReply::unavailable)?;
        offer.check_provision(&parameters).map_err(|rejection| rejected(&rejection))?;

        // the vendor chooses the resource's id: the key only recognizes repetitions of the request
        let sent_key = idempotency_key(call);
        let key = sent_key.map_or_else(uuid::Uuid::new_v4, |key| key_of(installation, key));
        let mut request = Provision::new(call.addon_id(), key.to_string(), plan.name());
        request.account = Some(installation.into());
        request.context.keyed = sent_key.is_some();
        (request.context.reads_back, request.context.shows_pending) = (true, true);
        request.context.identity = RequestIdentity::of(&(
            &body.product_id,
            plan.name(),
            &body.name,
            parameters.as_map(),
            &body.external_id,
            &body.protocol_settings,
        ));
        request.service = Some(product.name().to_owned());
        request.region = parameters.text("region").map(str::to_owned);
        request.name = Some(body.name);
        request.parameters = parameters;
        request.details = details(call, sent.extra);
        request.details.insert(PRODUCT, body.product_id);
        request.details.extend_some([("externalId", body.external_id)]);
        request.details.extend_some([("protocolSettings", body.protocol_settings)]);
        Ok(request)
    }

    fn response(&self, call: &Call<Self>, reply: &Provisioned) -> Response {
        let Ok(body) = serde_json::from_slice::<RepeatedBody<'_>>(call.body().bytes()) else {
            return self.error(&ErrorReply::unavailable()); // unreachable: the request was read
        };
        let plan = self.product(&body.product_id).and_then(|product| find(product, &body.billing_plan_id));
        let resource = ResourceBody {
            id: reply.id().as_str(),
            product_id: &body.product_id,
            name: &body.name,
            metadata: Metadata::Sent(body.metadata),
            status: if reply.pending().is_some() { "pending" } else { "ready" },
            billing_plan: plan.map(PlanBody),
            notification: reply.notice().map(notification),
            secrets: Some(secrets(self, reply.config())),
        };
        json(if self.created { StatusCode::CREATED } else { StatusCode::OK }, &resource)
    }

    /// The secrets must be in the response.
    fn async_after(&self, _: &Call<Self>, _: &Provision) -> Option<Duration> {
        None
    }
}

impl Handles<Deprovision> for Vercel {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        let mut request = Deprovision::new(call.addon_id(), call.resource("rid")?);
        request.account = Some(call.id("iid")?.into());
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        no_content()
    }
}

impl Handles<Rotate> for Vercel {
    fn request(&self, call: &Call<Self>) -> Result<Rotate, ErrorReply> {
        let body: RotateBody = optional_json(call)?;
        let mut request = Rotate::new(call.addon_id(), call.resource("rid")?);
        request.account = Some(call.id("iid")?.into());
        let hours = body.delay_old_secrets_expiration_hours.unwrap_or_default();
        if !(0.0..=MAX_OVERLAP).contains(&hours) {
            return Err(invalid("delayOldSecretsExpirationHours", "The delay must be between 0 and 720 hours."));
        }
        request.keep_old = Duration::from_secs_f64(hours * 3600.0);
        request.reason = body.reason;
        request.details = details(call, serde_json::Map::new());
        request.context.idempotency_key = idempotency_key(call).map(Arc::from);
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, reply: &Rotated) -> Response {
        // secrets that the reply does not name stay as they are
        json(StatusCode::OK, &json!({ "sync": true, "secrets": secrets(self, reply.config()), "partial": true }))
    }

    fn async_after(&self, call: &Call<Self>, _: &Rotate) -> Option<Duration> {
        call.addon().async_after()
    }
}

/// Answers with a resource, without its secrets.
pub(crate) async fn read(call: Call<Vercel>) -> ReadResult {
    let details = fetch(&call).await?;
    Ok(json(StatusCode::OK, &resource(call.addon().marketplace(), call.id("rid")?, &details)))
}

/// Changes the plan, the name and the metadata of a resource, and answers with the new state.
pub(crate) async fn change(call: Call<Vercel>) -> ReadResult {
    let sent = call.json::<ChangeBody>()?;
    let (body, extra) = (sent.fields, sent.extra);
    let (vercel, current) = (call.addon().marketplace(), fetch(&call).await?);
    let installation = call.id("iid")?;
    let id = call.resource("rid")?;
    let parameters = body.metadata.map(Fields::from);
    let plan = body.billing_plan_id.as_deref().unwrap_or(&current.plan);
    let offer = vercel.offer(current.service.as_deref(), plan).filter(|offer| find(offer.service, plan).is_some());
    let offer = offer.ok_or_else(|| invalid("billingPlanId", "This plan does not exist."))?;
    if let Some(parameters) = &parameters {
        offer.check_update(parameters).map_err(|rejection| rejected(&rejection))?;
    }
    if body.name.as_deref() == Some("") {
        return Err(invalid("name", "The name is empty.").into());
    }
    let changed = if plan == current.plan {
        let mut request = Update::new(call.addon_id(), id);
        request.account = Some(installation.into());
        request.service = current.service;
        (request.context.reads_back, request.context.trace) = (true, TraceParent::current());
        (request.name, request.details) = (body.name, details(&call, extra));
        request.parameters = parameters.unwrap_or_default();
        if request.name.is_some() || !request.parameters.is_empty() {
            call.addon().update(request).await.map(Outcome::done).map(drop)
        } else {
            Ok(()) // nothing changes
        }
    } else {
        let mut request = PlanChange::new(call.addon_id(), id, plan);
        request.account = Some(installation.into());
        request.service = current.service;
        (request.context.reads_back, request.context.trace) = (true, TraceParent::current());
        (request.name, request.details, request.parameters) = (body.name, details(&call, extra), parameters);
        call.addon().plan_change(request).await.map(Outcome::done).map(drop)
    };
    changed.map_err(|failure| failed(vercel, &failure))?;
    read(call).await
}

async fn fetch(call: &Call<Vercel>) -> Result<ResourceDetails, ReadError> {
    let mut request = Fetch::new(call.addon_id(), call.resource("rid")?);
    request.account = Some(call.id("iid")?.into());
    Ok(call.addon().fetch(request).await?)
}

fn failed(vercel: &Vercel, failure: &Failure) -> ReadError {
    tracing::warn!(%failure, "the resource is not changed");
    vercel.failure(OperationKind::PlanChange, failure).into()
}

/// Returns the key of the request. Without one, a repetition is another request.
pub(crate) fn idempotency_key(call: &Call<Vercel>) -> Option<&str> {
    let key = call.header("idempotency-key").filter(|key| !key.is_empty());
    if key.is_none() {
        tracing::warn!("the request has no Idempotency-Key: a repetition of it is not recognized");
    }
    key
}

/// Returns the key of a resource or a transfer from the installation and the key of its request.
pub(crate) fn key_of(installation: &str, key: &str) -> uuid::Uuid {
    let mut hash = Sha256::new();
    for part in [installation, key] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn rejected(rejection: &CatalogRejection) -> ErrorReply {
    let field = rejection.path().split(['.', '[']).next().filter(|field| !field.is_empty()).unwrap_or("metadata");
    invalid(field, format!("The value is not valid: {}.", rejection.detail()))
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn a_key_is_unique_for_installation_and_header_and_stays_the_same_in_every_release() {
        let keys = [key_of("icfg_1", "a"), key_of("icfg_1", "b"), key_of("icfg_2", "a"), key_of("icfg_", "1a")];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{key}");
        }
        assert_eq!(key_of("icfg_1", "a"), keys[0]);
        assert_eq!(keys[0].get_version_num(), 8);
    }
}
