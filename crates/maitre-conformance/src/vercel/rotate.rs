//! Rotations of secrets.

use std::collections::BTreeMap;

use maitre_testkit::{Call, Json};
use serde_json::{Value, json};

use super::citation::{practice, rotation};
use super::deprovision::deprovisioned;
use super::rules;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const REPLY: Citation = rotation("200 with {\"sync\": true, \"secrets\": […]}, or 202 with {\"sync\": false}");
const DELAY: Citation = rotation("delayOldSecretsExpirationHours is 0 to 720, may be fractional, and defaults to 0");
const DUPLICATES: Citation = rotation("duplicates are handled gracefully");

/// Number of concurrent rotations.
const MANY: usize = 4;

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.rotate.succeeds", "A rotation is answered 200 with secrets, or 202.", REPLY, |target| {
        Box::pin(succeeds(target))
    }),
    Case::must("vercel.rotate.secrets", "The secrets have names and values, and are new.", REPLY, |target| {
        Box::pin(secrets(target))
    }),
    Case::should(
        "vercel.rotate.names",
        "The secrets have names of the provision.",
        practice("a project reads the variables that it knows"),
        |target| Box::pin(names(target)),
    ),
    Case::must("vercel.rotate.completes", "A rotation that is answered 202 ends with new secrets.", LATER, |target| {
        Box::pin(completes(target))
    }),
    Case::must("vercel.rotate.fraction", "The delay may be a fraction of an hour.", DELAY, |target| {
        Box::pin(delay(target, json!(2.5)))
    }),
    Case::must("vercel.rotate.longest", "The delay may be 720 hours.", DELAY, |target| {
        Box::pin(delay(target, json!(720)))
    }),
    Case::should("vercel.rotate.too-long", "A delay of 721 hours is answered 400.", DELAY, |target| {
        Box::pin(refused(target, json!(721)))
    }),
    Case::should("vercel.rotate.negative", "A negative delay is answered 400.", DELAY, |target| {
        Box::pin(refused(target, json!(-1)))
    }),
    Case::must("vercel.rotate.no-fields", "A rotation without fields succeeds.", DELAY, |target| {
        Box::pin(no_fields(target))
    }),
    Case::must("vercel.rotate.repeated", "A repeated rotation does not rotate again.", DUPLICATES, |target| {
        Box::pin(repeated(target))
    }),
    Case::should(
        "vercel.rotate.concurrent",
        "Concurrent rotations with one key are one rotation.",
        DUPLICATES,
        |target| Box::pin(concurrent(target)),
    ),
    Case::should(
        "vercel.rotate.other-key",
        "A rotation with another key rotates again.",
        practice("another key is another request"),
        |target| Box::pin(other_key(target)),
    ),
    Case::must(
        "vercel.rotate.unknown",
        "A rotation of an unknown resource is answered 404.",
        rotation("404 if the resource does not exist"),
        |target| Box::pin(unknown(target)),
    ),
    Case::should(
        "vercel.rotate.removed",
        "A rotation of a removed resource is a client error.",
        practice("404, as for an unknown resource"),
        |target| Box::pin(removed(target)),
    ),
];

const LATER: Citation = rotation("202 with {\"sync\": false}; the secrets are sent to the API later");

fn keyed(target: &Target, resource: &Resource, key: &str) -> Call<Json> {
    target.rotate(resource).header("idempotency-key", key)
}

/// Rotates the secrets; skips the check if the add-on offers no rotation.
async fn sent(target: &Target, resource: &Resource, key: &str) -> Result<Response, Stop> {
    let response = target.wire.send(keyed(target, resource, key)).await?;
    match response.status() {
        400 | 404 | 405 | 501 => Err(Stop::skipped("the add-on offers no rotation of secrets, which is optional")),
        _ => Ok(response),
    }
}

/// Rotates the secrets; skips the check if that fails.
pub(super) async fn rotated(target: &Target, resource: &Resource, key: &str) -> Result<Response, Stop> {
    let response = sent(target, resource, key).await?;
    super::skip_unless_ok(&response, "a rotation", "rotate.succeeds")?;
    Ok(response)
}

/// Returns the secrets of a synchronous rotation; skips the check if there are none.
fn new_secrets(response: &Response) -> Result<BTreeMap<String, String>, Stop> {
    let body = response.json().unwrap_or_default();
    if body["sync"] != true {
        return Err(Stop::skipped("the add-on rotates secrets later"));
    }
    rules::secrets(&body["secrets"]).map_err(|problem| Stop::skipped(format!("{problem} (see vercel.rotate.secrets)")))
}

async fn succeeds(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = sent(target, &resource, "r-1").await?;
    let advice = "Answer 200 with {\"sync\": true, \"secrets\": […]}, or 202 with {\"sync\": false}.";
    response.must_be(&[200, 202], advice)?;
    match response.json().unwrap_or_default()["sync"] {
        Value::Bool(false) => Ok(()),
        Value::Bool(true) if response.status() == 200 => Ok(()),
        _ => Err(response.fault("sync does not fit the status.", advice)),
    }
}

async fn secrets(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = rotated(target, &resource, "r-2").await?;
    let body = response.json().unwrap_or_default();
    if body["sync"] != true {
        return Err(Stop::skipped("the add-on rotates secrets later"));
    }
    let advice = "Create new credentials, and send them with names and values.";
    let new = rules::secrets(&body["secrets"])
        .map_err(|problem| response.fault(format!("The secrets are not valid: {problem}."), advice))?;
    let old = rules::secrets(&resource.body["secrets"]).unwrap_or_default();
    if new.iter().any(|(name, value)| old.get(name) != Some(value)) {
        return Ok(());
    }
    Err(response.fault("No secret is new.", advice))
}

async fn names(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = rotated(target, &resource, "r-3").await?;
    let old = rules::secrets(&resource.body["secrets"]).unwrap_or_default();
    match new_secrets(&response)?.keys().find(|name| !old.contains_key(*name)) {
        None => Ok(()),
        Some(name) => {
            Err(response.fault(format!("The provision has no secret {name}."), "Send the names of the provision."))
        }
    }
}

async fn completes(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = rotated(target, &resource, "r-4").await?;
    if response.json().unwrap_or_default()["sync"] == true {
        return Err(Stop::skipped("the add-on rotates secrets immediately"));
    }
    let has_secrets = || !target.platform.secrets(&resource.installation, &resource.id).is_empty();
    if target.eventually(async || Ok(has_secrets())).await? {
        return Ok(());
    }
    Err(response.fault(
        "The secrets of the rotation did not arrive at Vercel's API.",
        "Send them with PUT /v1/installations/{id}/resources/{id}/secrets when the rotation is complete.",
    ))
}

async fn delay(target: &Target, hours: Value) -> Verdict {
    let resource = target.new_resource().await?;
    rotated(target, &resource, "r-5").await?;
    let call = keyed(target, &resource, "r-6").set("delayOldSecretsExpirationHours", hours);
    target.wire.send(call).await?.must_be(&[200, 202], "Accept a number from 0 to 720.").map(drop)
}

async fn refused(target: &Target, hours: Value) -> Verdict {
    let resource = target.new_resource().await?;
    rotated(target, &resource, "r-7").await?;
    let call = keyed(target, &resource, "r-8").set("delayOldSecretsExpirationHours", hours);
    target.wire.send(call).await?.must_be(&[400], "Answer 400.").map(drop)
}

async fn no_fields(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    rotated(target, &resource, "r-9").await?;
    let call = keyed(target, &resource, "r-10").body("{}");
    let advice = "Both fields are optional: without a delay, the old secrets end immediately.";
    target.wire.send(call).await?.must_be(&[200, 202], advice).map(drop)
}

const ONCE: &str =
    "Record the secrets of a rotation under the resource and the Idempotency-Key, and answer a repetition with them.";

async fn repeated(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let first = new_secrets(&rotated(target, &resource, "r-11").await?)?;
    let response = target.wire.send(keyed(target, &resource, "r-11")).await?.to("a repeated rotation");
    response.must_be(&[200], ONCE)?;
    if new_secrets(&response)? == first {
        return Ok(());
    }
    Err(response.fault("The repeated rotation has other secrets than the first.", ONCE))
}

async fn concurrent(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    new_secrets(&rotated(target, &resource, "r-12").await?)?;
    let responses = target.wire.send_all((0..MANY).map(|_| keyed(target, &resource, "r-13"))).await?;
    let mut first = None;
    for response in responses {
        let response = response.to("one of several concurrent rotations");
        response.must_be(&[200], ONCE)?;
        let secrets = new_secrets(&response)?;
        if *first.get_or_insert_with(|| secrets.clone()) != secrets {
            return Err(response.fault("Concurrent rotations with one key have different secrets.", ONCE));
        }
    }
    Ok(())
}

async fn other_key(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let first = new_secrets(&rotated(target, &resource, "r-14").await?)?;
    let response = rotated(target, &resource, "r-15").await?;
    if new_secrets(&response)? != first {
        return Ok(());
    }
    Err(response.fault("The second rotation has the secrets of the first.", "Rotate again for another key."))
}

async fn unknown(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    rotated(target, &resource, "r-16").await?;
    let unknown = Resource { id: "an-unknown-resource".to_owned(), ..resource };
    target.wire.send(target.rotate(&unknown)).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn removed(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    rotated(target, &resource, "r-17").await?;
    deprovisioned(target, &resource).await?;
    let response = target.wire.send(target.rotate(&resource)).await?;
    response.to("a rotation of a removed resource").must_be_refused("Answer 404.")
}
