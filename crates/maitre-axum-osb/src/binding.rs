//! Bind and unbind.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{Bind, Bound, Fields, RequestIdentity, Unbind, Unbound};
use maitre_axum::{Call, ErrorReply, Handles, json};
use serde_json::json;

use crate::Osb;
use crate::contract::{async_after, check_json, check_removal, details, rejected};
use crate::wire::{BindBody, BindingReply};

impl Handles<Bind> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Bind, ErrorReply> {
        let (instance, binding) = (call.resource("iid")?, call.id("bid")?);
        check_json(call)?;
        let sent = call.json::<BindBody>()?;
        let body = sent.fields;
        let predecessor = body.predecessor_binding_id.filter(|id| !id.is_empty());
        // a rotation needs nothing but the predecessor
        let offer = match (&body.service_id, &body.plan_id) {
            (None, None) if predecessor.is_some() => None,
            (service, plan) => Some(self.offer(service.as_deref(), plan.as_deref())?),
        };
        if offer.is_some_and(|offer| !offer.is_bindable()) {
            return Err(ErrorReply::bad_request("This service cannot be bound."));
        }
        let (resource_app, route) = body.bind_resource.map_or((None, None), |it| (it.app_guid, it.route));
        let app = resource_app.or(body.app_guid).filter(|app| !app.is_empty());
        if self.app_required && app.is_none() {
            return Err(ErrorReply::unprocessable("This service is bound to apps only.").with_code("RequiresApp"));
        }
        let parameters = Fields::from(body.parameters.unwrap_or_default());
        if let Some(offer) = offer {
            offer.check_bind(&parameters).map_err(|rejection| rejected(&rejection))?;
        }

        let mut request = Bind::new(call.addon_id(), instance, binding);
        request.service = offer.map(|offer| offer.service.name().to_owned());
        request.plan = offer.map(|offer| offer.plan.name().to_owned());
        let ids = offer.map(|offer| (offer.service.id(), offer.plan.id()));
        request.context.identity = RequestIdentity::of(&(ids, &app, &route, &predecessor, parameters.as_map()));
        request.context.polled = true;
        (request.app, request.parameters) = (app, parameters);
        request.predecessor = predecessor.map(Into::into);
        request.details = details(call, sent.extra);
        route.and_then(|route| request.details.insert("route", route));
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, reply: &Bound) -> Response {
        json(StatusCode::CREATED, &BindingReply::from(reply))
    }

    fn replayed(&self, _: &Call<Self>, reply: &Bound) -> Response {
        json(StatusCode::OK, &BindingReply::from(reply))
    }

    fn async_after(&self, call: &Call<Self>, _: &Bind) -> Option<Duration> {
        async_after(call)
    }
}

impl Handles<Unbind> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Unbind, ErrorReply> {
        let mut request = Unbind::new(call.addon_id(), call.resource("iid")?, call.id("bid")?);
        check_removal(call)?;
        request.context.polled = true;
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, _: &Unbound) -> Response {
        json(StatusCode::OK, &json!({}))
    }

    fn async_after(&self, call: &Call<Self>, _: &Unbind) -> Option<Duration> {
        async_after(call)
    }
}
