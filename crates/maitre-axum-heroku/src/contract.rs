//! Authentication, and the status and body of each response.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    ConfigVars, Deprovision, Deprovisioned, OperationKind, PlanChange, PlanChanged, Provision, Provisioned, ResourceId,
    Secret,
};
use maitre_axum::{Accepted, Call, ConfigJson, Contract, ErrorReply, Handles, Head, ReplyBody, json, no_content};

use crate::Heroku;
use crate::wire::{self, ProvisionReply};

impl Contract for Heroku {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    /// 202 without `config`, which is set on completion. Any 202 makes the provision asynchronous.
    fn accepted(&self, _: &Call<Self>, accepted: &Accepted<'_>) -> Response {
        let id = Some(accepted.resource).filter(|_| accepted.kind == OperationKind::Provision).map(ResourceId::as_str);
        json(StatusCode::ACCEPTED, &ReplyBody { id, message: Some(accepted.message), ..ReplyBody::default() })
    }
}

impl Handles<Provision> for Heroku {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        Ok(wire::provision(call.addon_id(), call.json()?, call.now()))
    }

    /// 200 instead of 201: in v3 it means that the add-on is ready.
    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        if let Some(error) = self.unlisted(reply.config()) {
            return error;
        }
        let body = ProvisionReply {
            reply: ReplyBody {
                id: Some(reply.id().as_str()),
                config: Some(ConfigJson(reply.config())),
                message: reply.message(),
            },
            log_drain_url: reply.log_drain_url().map(Secret::expose),
        };
        json(StatusCode::OK, &body)
    }
}

impl Handles<PlanChange> for Heroku {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        Ok(wire::plan_change(call.addon_id(), call.resource("id")?, call.json()?))
    }

    /// Without `config` the app's config vars stay unchanged.
    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        if let Some(error) = self.unlisted(reply.config()) {
            return error;
        }
        json(StatusCode::OK, &ReplyBody::from(reply))
    }
}

impl Handles<Deprovision> for Heroku {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        no_content()
    }
}

impl Heroku {
    /// Returns the answer to config vars that the manifest does not list, which Heroku rejects. It is temporary: the reply is
    /// correct when the manifest is.
    fn unlisted(&self, config: &ConfigVars) -> Option<Response> {
        let listed = self.config_vars.as_ref()?;
        let names = config.iter().map(|(name, _)| name).filter(|name| !listed.iter().any(|listed| listed == name));
        let names = names.collect::<Vec<_>>().join(", ");
        if names.is_empty() {
            return None;
        }
        tracing::error!(
            names,
            "the manifest does not list these config vars, which Heroku rejects: add them to api.config_vars and push it"
        );
        let message =
            "The add-on's provider has configured it incorrectly, and has to correct it. Please try again later.";
        Some(self.error(&ErrorReply::new(StatusCode::SERVICE_UNAVAILABLE, message)))
    }
}
