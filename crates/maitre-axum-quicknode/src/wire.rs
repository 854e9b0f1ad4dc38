//! QuickNode's request and response bodies.

use std::time::Duration;

use maitre_axum::core::{AccountId, ConfigVars, Deprovision, Fields, PlanChange, Provision, RequestIdentity};
use maitre_axum::{Call, ErrorReply, TextOrNumber, WithExtra, required};
use serde::{Deserialize, Serialize, Serializer};

use crate::QuickNode;
use crate::endpoint::{EndpointChange, EndpointProvision};
use crate::proxy::key;
use crate::view::{ENDPOINT, QuickNodeEndpoint};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EndpointBody {
    quicknode_id: String,
    endpoint_id: String,
    plan: String,
    add_on_id: Option<TextOrNumber>,
    add_on_slug: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DeactivationBody {
    quicknode_id: String,
    endpoint_id: String,
    deactivate_at: Option<TextOrNumber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AccountBody {
    quicknode_id: String,
}

/// Body of a success response: names and values in order.
pub(crate) struct SuccessBody<'a>(Vec<(&'static str, Option<&'a str>)>);

impl<'a> SuccessBody<'a> {
    pub(crate) fn new() -> Self {
        Self(vec![("status", Some("success"))])
    }

    /// Creates the body with URLs. An access URL that is not among `config` is omitted if it is not known.
    pub(crate) fn with_urls(quicknode: &'a QuickNode, config: &'a ConfigVars, is_complete: bool) -> Self {
        let mut body = Self::new();
        body.0.push(("dashboard-url", quicknode.dashboard_url.as_deref()));
        let name = quicknode.access_url_var.as_deref();
        let var = name.and_then(|name| config.iter().find(|(var, _)| *var == name));
        if is_complete || var.is_some() || name.is_none() {
            body.0.push(("access-url", var.map(|(_, value)| value.expose())));
        }
        body
    }
}

impl Serialize for SuccessBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Reads the body of a provision.
pub(crate) fn provision(call: &Call<QuickNode>) -> Result<EndpointProvision, ErrorReply> {
    let change = update(call)?;
    let PlanChange { addon, resource, plan, parameters, details, .. } = change.request.clone();
    let mut request = Provision::new(addon, resource.clone(), plan);
    request.account = Some(change.account.clone());
    (request.parameters, request.details) = (parameters.unwrap_or_default(), details);
    // a repeated request is the same one whatever it changes, and a deprovisioned endpoint may come back
    request.context.identity = RequestIdentity::of(&resource.as_str());
    (request.context.reads_back, request.context.reuses_key) = (true, true);
    Ok(EndpointProvision(request, change))
}

/// Reads the body of an update, which has the same fields as that of a provision.
pub(crate) fn update(call: &Call<QuickNode>) -> Result<EndpointChange, ErrorReply> {
    call.json::<QuickNodeEndpoint>()?; // names the field that has another type
    let WithExtra { fields: body, mut extra } = call.json::<EndpointBody>()?;
    let account = required("quicknode-id", Some(body.quicknode_id))?;
    let endpoint = required("endpoint-id", Some(body.endpoint_id))?;
    let mut request = PlanChange::new(call.addon_id(), key(&account, &endpoint), body.plan);
    request.context.reads_back = true;
    let mut parameters = Fields::new();
    parameters.extend_some(ENDPOINT.map(|name| (name, extra.remove(name))));
    request.parameters = Some(parameters);
    request.details = extra.into();
    request.details.extend_some([
        ("add-on-id", body.add_on_id.map(TextOrNumber::into_text)),
        ("add-on-slug", body.add_on_slug),
        ("quicknode-id", Some(account.clone())),
        ("endpoint-id", Some(endpoint)),
    ]);
    if call.header("x-qn-testing").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        request.details.insert("test", true);
    }
    Ok(EndpointChange { account: account.into(), request })
}

/// Reads the body of a deactivation.
pub(crate) fn deactivation(call: &Call<QuickNode>) -> Result<Deprovision, ErrorReply> {
    let body = call.json::<DeactivationBody>()?.fields;
    let resource =
        key(&required("quicknode-id", Some(body.quicknode_id))?, &required("endpoint-id", Some(body.endpoint_id))?);
    let end = body.deactivate_at.and_then(|end| end.into_text().parse::<i64>().ok());
    let seconds = end.map_or(0, |end| end.saturating_sub(call.now().unix_timestamp()));
    let mut request = Deprovision::new(call.addon_id(), resource);
    request.delay = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    Ok(request)
}

/// Reads the body of a deprovision of an account.
pub(crate) fn account(call: &Call<QuickNode>) -> Result<AccountId, ErrorReply> {
    Ok(required("quicknode-id", Some(call.json::<AccountBody>()?.fields.quicknode_id))?.into())
}
