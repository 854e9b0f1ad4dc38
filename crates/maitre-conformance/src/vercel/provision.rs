//! Provisions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::citation::{example, practice, reference};
use super::rules::{self, PROVISIONED};
use super::skip_unless_ok;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const REPLY: Citation = reference("200 with the resource and its secrets");
const FIELDS: Citation = reference("the fields of a provision");
const VALIDATION: Citation = reference("400 if the plan or the metadata is wrong");
const INVALID: Citation = practice("invalid input is a client error");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.provision.succeeds", "A provision is answered 200.", REPLY, |target| Box::pin(succeeds(target))),
    Case::must("vercel.provision.id", "The response has a non-empty text as id.", REPLY, |target| Box::pin(id(target))),
    Case::must("vercel.provision.resource", "The response has the fields of a resource.", REPLY, |target| {
        Box::pin(resource(target))
    }),
    Case::must(
        "vercel.provision.echo",
        "The response has the product, name and metadata of the request.",
        REPLY,
        |target| Box::pin(echo(target)),
    ),
    Case::must("vercel.provision.secrets", "The response has secrets with names and values.", SECRETS, |target| {
        Box::pin(secrets(target))
    }),
    Case::should(
        "vercel.provision.secret-names",
        "The names of the secrets are names of environment variables.",
        practice("secrets become environment variables"),
        |target| Box::pin(secret_names(target)),
    ),
    Case::should(
        "vercel.provision.plan",
        "The response has the plan of the request.",
        example("sends billingPlan"),
        |target| Box::pin(plan(target)),
    ),
    Case::must(
        "vercel.provision.notification",
        "A notification has a level and a title.",
        reference("level, title, message and href of a notification"),
        |target| Box::pin(notification(target)),
    ),
    Case::must("vercel.provision.ids-differ", "Two resources have two ids.", REPLY, |target| {
        Box::pin(ids_differ(target))
    }),
    Case::should(
        "vercel.provision.secrets-differ",
        "Two resources have different secrets.",
        practice("a resource is a tenant of its own"),
        |target| Box::pin(secrets_differ(target)),
    ),
    Case::must("vercel.provision.external-id", "The field externalId is accepted.", FIELDS, |target| {
        Box::pin(with(target, "externalId", json!("template-1")))
    }),
    Case::must("vercel.provision.protocol-settings", "The field protocolSettings is accepted.", FIELDS, |target| {
        Box::pin(with(target, "protocolSettings", json!({ "experimentation": { "edgeConfigId": "ecfg_1" } })))
    }),
    Case::should("vercel.provision.unknown-fields", "Unknown fields are ignored.", ADDED, |target| {
        Box::pin(with(target, "a-later-field", json!({ "a": [1, null] })))
    }),
    Case::should(
        "vercel.provision.any-name",
        "A name may have any characters.",
        practice("the name is a text of the user"),
        |target| Box::pin(any_name(target)),
    ),
    Case::must(
        "vercel.provision.unknown-plan",
        "A provision of an unknown plan is answered 400.",
        VALIDATION,
        |target| Box::pin(refused(target, "billingPlanId", Some(json!("an-unknown-plan")), &[400])),
    ),
    Case::should(
        "vercel.provision.unknown-product",
        "A provision of an unknown product is a client error.",
        INVALID,
        |target| Box::pin(refused(target, "productId", Some(json!("an-unknown-product")), &[400, 404, 409])),
    ),
    Case::should("vercel.provision.no-plan", "A provision without a plan is answered 400.", INVALID, |target| {
        Box::pin(refused(target, "billingPlanId", None, &[400]))
    }),
    Case::should("vercel.provision.no-product", "A provision without a product is answered 400.", INVALID, |target| {
        Box::pin(refused(target, "productId", None, &[400]))
    }),
    Case::should("vercel.provision.no-name", "A provision without a name is answered 400.", INVALID, |target| {
        Box::pin(refused(target, "name", None, &[400]))
    }),
    Case::should("vercel.provision.no-metadata", "A provision without metadata is answered 400.", INVALID, |target| {
        Box::pin(refused(target, "metadata", None, &[400]))
    }),
    Case::must(
        "vercel.provision.unknown-installation",
        "A provision in an unknown installation is a client error.",
        reference("409 if the state forbids it"),
        |target| Box::pin(unknown_installation(target)),
    ),
];

const SECRETS: Citation = reference("secrets are required: name and value, both non-empty");
const ADDED: Citation = practice("Vercel adds fields");

/// Provisions a resource; skips the check if that fails.
async fn provisioned(target: &Target) -> Result<(Response, Value), Stop> {
    let installation = target.installed().await?;
    let response = target.wire.send(target.provision(&installation)).await?;
    skip_unless_ok(&response, "a provision", "provision.succeeds")?;
    let body = response.json().unwrap_or_default();
    Ok((response, body))
}

/// Returns the secrets of a provision; skips the check if they are not valid.
fn valid_secrets(body: &Value) -> Result<BTreeMap<String, String>, Stop> {
    rules::secrets(&body["secrets"])
        .map_err(|problem| Stop::skipped(format!("{problem} (see vercel.provision.secrets)")))
}

async fn succeeds(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let response = target.wire.send(target.provision(&installation)).await?;
    response
        .must_be(PROVISIONED, "Answer 200, also if the resource is still pending: the secrets must be known now.")?;
    response.object().map(drop)
}

async fn id(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    if body["id"].as_str().is_some_and(|id| !id.is_empty()) {
        return Ok(());
    }
    Err(response
        .fault("id is not a non-empty text.", "Send your own id of the resource: it is in the path of later requests."))
}

async fn resource(target: &Target) -> Verdict {
    rules::resource(&provisioned(target).await?.0).map(drop)
}

async fn echo(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    let sent: Value = serde_json::from_slice(response.request().body()).unwrap_or_default();
    match ["productId", "name", "metadata"].into_iter().find(|field| body[field] != sent[field]) {
        None => Ok(()),
        Some(field) => Err(response.fault(format!("{field} differs from the request."), "Send what was received.")),
    }
}

async fn secrets(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    let advice = "Send {\"secrets\": [{\"name\": \"…\", \"value\": \"…\"}]}: they become environment variables.";
    match rules::secrets(&body["secrets"]) {
        Ok(secrets) if secrets.is_empty() => Err(response.fault("The list of secrets is empty.", advice)),
        Ok(_) => Ok(()),
        Err(problem) => Err(response.fault(format!("The secrets are not valid: {problem}."), advice)),
    }
}

async fn secret_names(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    let is_name = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    match valid_secrets(&body)?.keys().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name:?} is not the name of an environment variable.");
            Err(response.fault(message, "Use letters, digits and underscores."))
        }
    }
}

async fn plan(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    let plan = &body["billingPlan"];
    match rules::plan_problem(plan) {
        None if plan["id"] == target.plan() => Ok(()),
        None => Err(response.fault("billingPlan is another plan.", "Send the plan of the request.")),
        Some(problem) => Err(response.fault(format!("billingPlan is not a plan: {problem}."), "Send the plan.")),
    }
}

async fn notification(target: &Target) -> Verdict {
    let (response, body) = provisioned(target).await?;
    match body.get("notification").filter(|it| !it.is_null()).and_then(rules::notification_problem) {
        None => Ok(()),
        Some(problem) => {
            Err(response.fault(format!("The notification is not valid: {problem}."), "Compare with the reference."))
        }
    }
}

async fn ids_differ(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    let response = target.wire.send(target.provision(&first.installation)).await?;
    skip_unless_ok(&response, "a second provision", "provision.succeeds")?;
    if response.json().unwrap_or_default()["id"] != first.id.as_str() {
        return Ok(());
    }
    Err(response.fault(
        "The second resource has the id of the first.",
        "Two requests with two keys are two resources, even if all fields are equal.",
    ))
}

async fn secrets_differ(target: &Target) -> Verdict {
    let first = valid_secrets(&target.new_resource().await?.body)?;
    let (response, body) = provisioned(target).await?;
    if first.is_empty() || first != valid_secrets(&body)? {
        return Ok(());
    }
    Err(response.fault("Two resources have the same secrets.", "Create a credential for each resource."))
}

async fn with(target: &Target, field: &str, value: Value) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let call = target.provision(&installation).set(field, value);
    target.wire.send(call).await?.must_be(PROVISIONED, "Read only the fields that are needed.").map(drop)
}

async fn any_name(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let name = "Größe 東京 🏮 'orders'; \"7\" <b>";
    let response = target.wire.send(target.provision(&installation).set("name", name)).await?;
    response.must_be(PROVISIONED, "Accept any characters in a name.")?;
    if response.json().unwrap_or_default()["name"] == name {
        return Ok(());
    }
    Err(response.fault("The name is not the one that was sent.", "Keep the name unchanged, in UTF-8."))
}

async fn refused(target: &Target, field: &str, value: Option<Value>, statuses: &[u16]) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let call = target.provision(&installation);
    let call = match value {
        Some(value) => call.set(field, value),
        None => call.without(field),
    };
    target.wire.send(call).await?.must_be(statuses, "Answer 400 with an error that names the field.").map(drop)
}

async fn unknown_installation(target: &Target) -> Verdict {
    target.new_resource().await?;
    let response = target.wire.send(target.provision(&target.new_installation())).await?;
    response.must_be(&[400, 403, 404, 409], "Answer 409 or 404: a resource is under an installation.").map(drop)
}
