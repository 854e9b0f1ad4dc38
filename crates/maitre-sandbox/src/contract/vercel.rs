//! Vercel. A team installs the integration, and then has resources.

use std::collections::BTreeMap;

use axum::Router;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use maitre_conformance::Marketplace;
use maitre_testkit::{
    Reply, Request,
    platform::{self, Install, State},
    vercel::{Installation, Platform, Vercel},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    credentials::Credentials,
    definition::{Action, Contract, Profile, SignOnForm, Visit},
    facts::Facts,
    fields::{customer_digits, json_of, options, path_id},
    merge::merge_config,
};
use crate::entry::Kind;

const PROFILE: Profile = Profile {
    marketplace: Marketplace::Vercel,
    customer: "Team",
    options: Some("Metadata"),
    regions: &[],
    is_one_per_app: false,
    api: Some("https://api.vercel.com and https://marketplace.vercel.com"),
    api_calls: &[
        ("sign-on token", "POST", "/v1/integrations/sso/token"),
        ("key set", "GET", "/.well-known/jwks"),
        ("secrets", "PUT", "/v1/installations/*/resources/*/secrets"),
    ],
    has_tokens: false,
    sign_on_check: Some("vercel.sso.opens"),
    deletes_orphans: false,
};

const ROTATE: Action = Action::new("rotate", "Rotate secrets");
const CONNECT: Action = Action::new("connect", "Connect project");
const DISCONNECT: Action = Action::new("disconnect", "Disconnect project");
const PAID: Action = Action::new("invoice-paid", "Invoice paid");
const NOT_PAID: Action = Action::new("invoice-not-paid", "Invoice not paid");
const UNINSTALL: Action = Action::new("uninstall", "Uninstall");

/// Hours for which the old secrets stay valid after a rotation.
const OVERLAP_HOURS: f64 = 1.0;

/// Fact of a team: the digits of its installation.
const INSTALLATION: &str = "installation";

/// Fact of a team: the add-on has accepted the installation.
const INSTALLED: &str = "installed";

/// Fact of a resource: a project uses it.
const PROJECT: &str = "project";

pub(super) struct VercelContract {
    vercel: Vercel,
    product: String,
    /// URL that signs users in.
    sso_url: String,
    client_secret: String,
    customers: platform::Platform,
    facts: Facts,
}

impl VercelContract {
    pub(super) fn new(credentials: &Credentials, customers: &platform::Platform, facts: &Facts) -> Self {
        let Credentials { root, id, client_secret, product, sso_url, .. } = credentials;
        Self {
            vercel: Vercel::new(root, &Platform::new(id, client_secret)),
            product: product.clone(),
            sso_url: sso_url.clone().unwrap_or_else(|| format!("{root}/sso")),
            client_secret: client_secret.clone(),
            customers: customers.clone(),
            facts: facts.clone(),
        }
    }

    fn platform(&self) -> &Platform {
        self.vercel.platform()
    }

    fn team(&self, install: &Install) -> String {
        customer_digits(&self.customers, install)
    }

    /// Returns the installation of the team, which gets a new id with the first resource after an uninstall.
    fn installation(&self, install: &Install) -> Installation {
        self.known_installation(install).unwrap_or_else(|| {
            let digits = install.uuid().replace('-', "");
            self.facts.set(&self.team(install), INSTALLATION, digits.as_str());
            self.platform().installation_with(&digits)
        })
    }

    fn known_installation(&self, install: &Install) -> Option<Installation> {
        let digits = self.facts.get(&self.team(install), INSTALLATION)?;
        Some(self.platform().installation_with(&digits))
    }

    /// Returns a webhook about an installation, with these fields of the payload.
    fn webhook(&self, install: &Install, kind: &str, fields: &[(&str, Value)]) -> Request {
        let installation = self.installation(install);
        let now = OffsetDateTime::now_utc();
        let mut payload = json!({
            "configuration": { "id": installation.id() },
            "installationId": installation.id(),
            "team": { "id": installation.account_id() },
            "user": { "id": installation.user_id() },
        });
        for (name, value) in fields {
            payload[*name] = value.clone();
        }
        let id = format!("evt_{}", now.unix_timestamp_nanos());
        let created_at = now.unix_timestamp() * 1_000;
        let event = json!({ "id": id, "type": kind, "createdAt": created_at, "region": "iad1", "payload": payload });
        self.vercel.webhook("/webhooks", &event).request()
    }

    /// Returns a webhook about the invoice of the past month.
    fn invoice(&self, install: &Install, kind: &str) -> Request {
        let end = self.customers.clock().now();
        let time = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let fields = [
            ("invoiceId", format!("mi_{}", end.unix_timestamp()).into()),
            ("externalInvoiceId", Value::Null),
            ("period", json!({ "start": time(end - Duration::days(30)), "end": time(end) })),
            ("invoiceDate", time(end).into()),
            ("invoiceTotal", "9.00".into()),
        ];
        self.webhook(install, kind, &fields)
    }

    /// Returns a webhook about a project that uses a resource.
    fn project(&self, install: &Install, kind: &str) -> Request {
        let id = format!("prj_{}", &self.team(install)[..24]);
        let fields = [
            ("resourceId", path_id(install).into()),
            ("project", json!({ "id": id, "name": format!("{}-web", install.app()) })),
            ("projectId", id.as_str().into()),
            ("targets", json!(["production"])),
        ];
        self.webhook(install, kind, &fields)
    }

    /// Returns the live installs of the same team.
    fn resources(&self, install: &Install) -> impl Iterator<Item = Install> {
        let team = install.app();
        let installs = self.customers.installs().into_iter();
        installs.filter(move |other| other.app() == team && other.state() != State::Deprovisioned)
    }
}

fn secrets(body: &Value) -> BTreeMap<String, String> {
    let secrets = body["secrets"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    secrets.filter_map(|secret| Some((text(&secret["name"])?, text(&secret["value"])?))).collect()
}

impl Contract for VercelContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        match kind {
            Kind::Provision => &[200, 201],
            Kind::PlanChange => &[200],
            Kind::Deprovision => &[204],
            _ => &[200, 201, 202, 204],
        }
    }

    fn preparation(&self, install: &Install) -> Option<(String, Request)> {
        let request = || self.vercel.install(&self.installation(install)).request();
        let is_installed = self.facts.has(&self.team(install), INSTALLED);
        (!is_installed).then(|| (format!("Install for {}", install.app()), request()))
    }

    fn record_preparation(&self, install: &Install, _reply: &Reply) {
        self.facts.set(&self.team(install), INSTALLED, "true");
    }

    /// All attempts have the same idempotency key.
    fn provision(&self, install: &Install) -> Request {
        let call = self.vercel.provision(&self.installation(install), &self.product, &install.plan());
        let call = call.set("name", install.name()).set("metadata", options(install));
        call.header("idempotency-key", install.uuid()).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.vercel.update(&self.installation(install), &path_id(install), plan).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.vercel.deprovision(&self.installation(install), &path_id(install)).request()
    }

    /// The age of a sign-on is that of the token that its code is exchanged for, which is valid for five minutes.
    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm {
        let token = self.platform().id_token(&self.installation(install)).at(visit.at);
        let token = token.claim("exp", (visit.at + Duration::minutes(5)).unix_timestamp());
        let code = self.platform().new_code(&token);
        let id = path_id(install);
        let fields = [("mode", "sso"), ("code", &code), ("state", "state-1"), ("resource_id", &id)];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        SignOnForm::link(&format!("{}?{query}", self.sso_url))
    }

    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm> {
        let id = fields.get("resource_id")?;
        let installs = self.customers.installs().into_iter();
        let install = installs.into_iter().find(|install| install.provider_id().as_ref() == Some(id))?;
        let visit =
            Visit { at, user_id: String::new(), email: String::new(), context_app: None, nav_data: String::new() };
        Some(self.sign_on(&install, &visit))
    }

    /// A resource that is not ready yet is completed by a call of the API.
    fn record_provision(&self, install: &Install, reply: &Reply) {
        let body = json_of(reply);
        let is_pending = body["status"] == "pending";
        let message =
            [&body["notification"]["message"], &body["error"]["message"]].into_iter().find(|it| it.is_string());
        let status = if is_pending { 202 } else { reply.status() };
        install.record_provision_as(status, &json!({ "id": body["id"], "message": message }));
        merge_config(install, secrets(&body));
    }

    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        let body = json_of(reply);
        install.record_plan_change_as(plan, reply.status(), &json!({ "message": body["error"]["message"] }));
        merge_config(install, secrets(&body));
    }

    /// Signs the claims of a recorded token for the current time.
    fn renew_token(&self, recorded: &str) -> Option<String> {
        let payload = recorded.split('.').nth(1).and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
        let claims: Value = payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default();
        let kept = claims.as_object().into_iter().flatten();
        let kept = kept.filter(|(name, _)| !["iss", "iat", "nbf", "exp"].contains(&name.as_str()));
        let token = kept.fold(self.platform().token(), |token, (name, value)| token.claim(name, value.clone()));
        Some(format!("Bearer {}", token.sign()))
    }

    fn invalid_token(&self) -> Option<String> {
        Some(format!("Bearer {}", self.platform().token().unsigned()))
    }

    fn settings(&self, url: &str) -> Vec<(&'static str, String)> {
        vec![("Client secret", self.client_secret.clone()), ("JWKS URL", format!("{url}/.well-known/jwks"))]
    }

    fn actions(&self, install: &Install) -> Vec<Action> {
        if install.state() != State::Provisioned {
            return Vec::new();
        }
        let project = if self.facts.has(install.uuid(), PROJECT) { DISCONNECT } else { CONNECT };
        vec![ROTATE, project, PAID, NOT_PAID, UNINSTALL]
    }

    fn act(&self, install: &Install, action: &str, _value: &str) -> Option<Request> {
        let installation = self.installation(install);
        Some(match action {
            "rotate" => self.vercel.rotate(&installation, &path_id(install), OVERLAP_HOURS).request(),
            "connect" => self.project(install, "integration-resource.project-connected"),
            "disconnect" => self.project(install, "integration-resource.project-disconnected"),
            "invoice-paid" => self.invoice(install, "marketplace.invoice.paid"),
            "invoice-not-paid" => self.invoice(install, "marketplace.invoice.notpaid"),
            "uninstall" => self.vercel.uninstall(&installation).request(),
            _ => return None,
        })
    }

    fn record_action(&self, install: &Install, action: &str, reply: &Reply) {
        match action {
            "rotate" => merge_config(install, secrets(&json_of(reply))),
            "connect" => self.facts.set(install.uuid(), PROJECT, "true"),
            "disconnect" => self.facts.remove(install.uuid(), PROJECT),
            "uninstall" => {
                let (installation, team) = (self.installation(install), self.team(install));
                if json_of(reply)["finalized"] == true {
                    self.platform().remove(&installation);
                } else {
                    self.platform().begin_finalizing(&installation);
                }
                self.resources(install).for_each(|resource| resource.remove_silently());
                self.facts.remove(&team, INSTALLATION);
                self.facts.remove(&team, INSTALLED);
            }
            _ => {}
        }
    }

    fn serve_at(&self, url: &str) {
        self.platform().set_issuer(url);
    }

    fn api(&self) -> Option<Router> {
        Some(self.platform().router())
    }

    fn update_api(&self, install: &Install) {
        let Some(installation) = self.known_installation(install) else { return };
        let id = path_id(install);
        let is_known = self.platform().resource(&installation, &id).is_some();
        match (install.state(), install.provider_id()) {
            (State::Deprovisioned, _) => self.platform().remove_resource(&installation, &id),
            (_, Some(_)) if !is_known => self.platform().add_resource(&installation, &id, &self.product),
            _ => {}
        }
    }

    fn apply_reports(&self, install: &Install) {
        let Some(installation) = self.known_installation(install) else { return };
        let id = path_id(install);
        let values: BTreeMap<_, _> = self.platform().secrets(&installation, &id).into_iter().collect();
        if values.iter().any(|(name, value)| install.config().get(name) != Some(value)) {
            merge_config(install, values);
        }
        let fields = self.platform().resource(&installation, &id).unwrap_or_default();
        if fields["status"] == "ready" {
            install.complete_provision();
        }
    }
}
