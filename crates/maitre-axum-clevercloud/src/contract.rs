//! Authentication, and the status and body of each response.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{Deprovision, Deprovisioned, PlanChange, PlanChanged, Provision, Provisioned};
use maitre_axum::{Call, ConfigJson, Contract, ErrorReply, Handles, Head, ReplyBody, json, no_content};
use serde_json::json;

use crate::CleverCloud;
use crate::wire;

impl Contract for CleverCloud {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }
}

impl Handles<Provision> for CleverCloud {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        Ok(wire::provision(call.addon_id(), call.json()?))
    }

    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }
}

impl Handles<PlanChange> for CleverCloud {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        Ok(wire::plan_change(call.addon_id(), call.resource("id")?, call.json()?))
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        json(StatusCode::OK, &ReplyBody::from(reply))
    }
}

impl Handles<Deprovision> for CleverCloud {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        if self.no_content { no_content() } else { json(StatusCode::OK, &json!({})) }
    }
}
