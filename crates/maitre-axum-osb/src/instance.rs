//! Provision, update and deprovision of an instance, and IBM Cloud's switch.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::catalog::{Offer, Service};
use maitre_axum::core::{
    Deprovision, Deprovisioned, Failure, Fields, OperationKind, Provision, Provisioned, Reinstate, RequestIdentity,
    Suspend,
};
use maitre_axum::{Call, Change, Changed, Contract, ErrorReply, Event, Events, Handles, Operation, json, required};
use serde_json::{Value, json};

use crate::Osb;
use crate::contract::{accepts_incomplete, async_after, check_json, check_removal, details, rejected};
use crate::wire::{AvailabilityBody, ChangeBody, MaintenanceInfo, OperationBody, ProvisionBody};

impl Handles<Provision> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        let instance = call.resource("iid")?;
        check_json(call)?;
        let sent = call.json::<ProvisionBody>()?;
        let body = sent.fields;
        let offer = self.offer(body.service_id.as_deref(), body.plan_id.as_deref())?;
        let Offer { service, plan, .. } = offer;
        let places = [("organization_guid", body.organization_guid), ("space_guid", body.space_guid)];
        for (name, id) in places.iter().filter(|_| self.space_required) {
            required(name, id.as_ref())?;
        }
        let parameters = Fields::from(body.parameters.unwrap_or_default());
        offer.check_provision(&parameters).map_err(|rejection| rejected(&rejection))?;
        Self::check_maintenance([plan].into_iter(), version(body.maintenance_info.as_ref()))?;
        if self.async_required && !accepts_incomplete(call) {
            return Err(self.failure(OperationKind::Provision, &Failure::async_required()));
        }

        let mut request = Provision::new(call.addon_id(), instance, plan.name());
        request.service = Some(service.name().to_owned());
        request.name = sent.extra.get("context").and_then(|context| text(context, "instance_name"));
        request.context.identity =
            RequestIdentity::of(&(service.id(), plan.id(), &places[0].1, &places[1].1, parameters.as_map()));
        request.context.polled = true;
        request.parameters = parameters;
        request.details = details(call, sent.extra);
        for (name, id) in places {
            id.and_then(|id| request.details.insert(name, id));
        }
        Ok(request)
    }

    fn response(&self, call: &Call<Self>, reply: &Provisioned) -> Response {
        self.provisioned(StatusCode::CREATED, call, reply)
    }

    fn replayed(&self, call: &Call<Self>, reply: &Provisioned) -> Response {
        self.provisioned(StatusCode::OK, call, reply)
    }

    fn async_after(&self, call: &Call<Self>, _: &Provision) -> Option<Duration> {
        async_after(call)
    }
}

impl Handles<Change> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Change, ErrorReply> {
        let instance = call.resource("iid")?;
        check_json(call)?;
        let sent = call.json::<ChangeBody>()?;
        let body = sent.fields;
        let service_id = required("service_id", body.service_id)?;
        let service = self.catalog.find_service(&service_id).map_err(|rejection| rejected(&rejection))?;
        let previous = sent.extra.get("previous_values").and_then(|previous| text(previous, "plan_id"));
        let previous = previous.and_then(|id| self.catalog.find(&service_id, &id).ok());
        let offer = body.plan_id.as_deref().map(|plan| self.offer(Some(&service_id), Some(plan))).transpose()?;

        let plans = offer.or(previous).map(|offer| offer.plan);
        let plans = service.plans().iter().filter(|plan| plans.is_none_or(|known| known.id() == plan.id()));
        Self::check_maintenance(plans, version(body.maintenance_info.as_ref()))?;
        let parameters = body.parameters.map(Fields::from);
        if let (Some(parameters), Some(offer)) = (&parameters, offer.or(previous)) {
            offer.check_update(parameters).map_err(|rejection| rejected(&rejection))?;
        }

        let identity = RequestIdentity::of(&(
            service.id(),
            offer.map(|offer| offer.plan.id()),
            parameters.as_ref().map(Fields::as_map),
            version(body.maintenance_info.as_ref()),
        ));
        offer.map(|offer| check_plan_change(service, previous, offer)).transpose()?;
        let change = Change::new(call.addon_id(), instance, offer.map(|offer| offer.plan.name()), parameters);
        let mut change = change.with_service(service.name()).with_details(details(call, sent.extra));
        if let Some(context) = change.context_mut() {
            (context.identity, context.polled) = (identity, true);
        }
        Ok(change)
    }

    fn response(&self, _: &Call<Self>, reply: &Changed) -> Response {
        let dashboard_url = reply.dashboard_url().map(str::to_owned);
        json(StatusCode::OK, &OperationBody { dashboard_url, operation: None })
    }

    fn async_after(&self, call: &Call<Self>, _: &Change) -> Option<Duration> {
        async_after(call)
    }
}

impl Handles<Deprovision> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        let mut request = Deprovision::new(call.addon_id(), call.resource("iid")?);
        check_removal(call)?;
        request.context.polled = true;
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        json(StatusCode::OK, &json!({}))
    }

    fn async_after(&self, call: &Call<Self>, _: &Deprovision) -> Option<Duration> {
        async_after(call)
    }
}

impl Events for Osb {
    const OPERATIONS: &'static [OperationKind] = &[OperationKind::Suspend, OperationKind::Reinstate];

    fn events(&self, call: &Call<Self>) -> Result<Vec<Event>, ErrorReply> {
        let (instance, body) = (call.resource("iid")?, call.json::<AvailabilityBody>()?.fields);
        Ok(vec![if body.enabled {
            let mut request = Reinstate::new(call.addon_id(), instance);
            request.reason = body.reason_code;
            Event::Reinstate(request)
        } else {
            let mut request = Suspend::new(call.addon_id(), instance);
            request.reason = body.reason_code;
            Event::Suspend(request)
        }])
    }

    fn acknowledged(&self, call: &Call<Self>) -> Response {
        let enabled = call.json::<AvailabilityBody>().is_ok_and(|body| body.fields.enabled);
        json(StatusCode::OK, &json!({ "active": enabled, "enabled": enabled }))
    }
}

impl Osb {
    fn provisioned(&self, status: StatusCode, call: &Call<Self>, reply: &Provisioned) -> Response {
        let dashboard_url = reply.dashboard_url().map(str::to_owned);
        let dashboard_url = dashboard_url.or_else(|| self.dashboard_url(call.id("iid").ok()?));
        json(status, &OperationBody { dashboard_url, operation: None })
    }
}

/// Refuses to change a plan that the catalog does not allow to change.
fn check_plan_change(service: &Service, previous: Option<Offer<'_>>, new: Offer<'_>) -> Result<(), ErrorReply> {
    let allowed = match previous {
        Some(previous) => previous.plan.id() == new.plan.id() || previous.is_plan_updateable(),
        None => service.plan_updateable() || service.plans().iter().any(|plan| plan.plan_updateable() == Some(true)),
    };
    if allowed {
        return Ok(());
    }
    let error = ErrorReply::unprocessable("The plan of this service cannot be changed.");
    Err(error.with_detail("update_repeatable", false))
}

fn version(info: Option<&MaintenanceInfo>) -> Option<&str> {
    info.and_then(|info| info.version.as_deref())
}

/// Returns a field of an object that is text, where platforms may send anything.
fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}
