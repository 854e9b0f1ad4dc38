//! Repeated provisions, which the header `Idempotency-Key` shows.

use maitre_testkit::vercel::Installation;
use maitre_testkit::{Call, Json};
use serde_json::Value;

use super::citation::{practice, reference};
use super::rules::{self, PROVISIONED};
use super::skip_unless_ok;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::hang_up;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const KEY: Citation = reference("Idempotency-Key identifies a request across multiple retries");
const OPTIONAL: Citation = reference("Idempotency-Key is optional");

/// Number of concurrent provisions.
const MANY: usize = 8;

const ADVICE: &str = "Record the resource under the installation and the Idempotency-Key, with a unique constraint, and answer a \
                      repeated request with the same id and the same secrets.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.idempotency.same-key", "A repeated provision has the same id.", KEY, |target| {
        Box::pin(same_key(target, "id"))
    }),
    Case::must("vercel.idempotency.same-secrets", "A repeated provision has the same secrets.", KEY, |target| {
        Box::pin(same_key(target, "secrets"))
    }),
    Case::must("vercel.idempotency.concurrent", "Concurrent provisions with one key have one id.", KEY, |target| {
        Box::pin(concurrent(target))
    }),
    Case::must("vercel.idempotency.lost-answer", "A provision whose answer was lost is repeated.", KEY, |target| {
        Box::pin(lost_answer(target))
    }),
    Case::should(
        "vercel.idempotency.other-body",
        "Another provision with the same key is a conflict.",
        practice("409: the key is of another request"),
        |target| Box::pin(other_body(target)),
    ),
    Case::must(
        "vercel.idempotency.other-key",
        "The same provision with another key is another resource.",
        KEY,
        |target| Box::pin(other_key(target)),
    ),
    Case::should(
        "vercel.idempotency.per-installation",
        "The same key in another installation is another resource.",
        practice("keys of two customers may be equal"),
        |target| Box::pin(per_installation(target)),
    ),
    Case::must("vercel.idempotency.no-key", "A provision without a key succeeds.", OPTIONAL, |target| {
        Box::pin(no_key(target))
    }),
    Case::should(
        "vercel.idempotency.no-key-twice",
        "Two provisions without a key are two resources.",
        practice("without a key, equal requests are different requests"),
        |target| Box::pin(no_key_twice(target)),
    ),
    Case::should(
        "vercel.idempotency.after-change",
        "A provision that is repeated after a change succeeds.",
        practice("a repeated request may arrive late"),
        |target| Box::pin(after_change(target)),
    ),
    Case::should(
        "vercel.idempotency.stays-removed",
        "A provision that is repeated after the deprovision creates nothing.",
        practice("a late retry must not bring back what was removed"),
        |target| Box::pin(stays_removed(target)),
    ),
];

fn keyed(target: &Target, installation: &Installation, key: &str) -> Call<Json> {
    target.provision(installation).header("idempotency-key", key)
}

async fn first(target: &Target, key: &str) -> Result<Resource, Stop> {
    let installation = target.installed().await?;
    target.resource_by(&installation, keyed(target, &installation, key)).await
}

/// Requires that a repeated provision is of the same resource.
fn must_be_same(response: &Response, id: &str) -> Verdict {
    response.must_be(PROVISIONED, ADVICE)?;
    if response.json().unwrap_or_default()["id"] == id {
        return Ok(());
    }
    Err(response.fault("The response has another id.", ADVICE))
}

fn must_be_another(response: &Response, id: &str, advice: &str) -> Verdict {
    response.must_be(PROVISIONED, advice)?;
    if response.json().unwrap_or_default()["id"] != id {
        return Ok(());
    }
    Err(response.fault("The response has the id of the first resource.", advice))
}

async fn same_key(target: &Target, field: &str) -> Verdict {
    let first = first(target, "77aa").await?;
    let response = target.wire.send(keyed(target, &first.installation, "77aa")).await?.to("a repeated provision");
    response.must_be(PROVISIONED, ADVICE)?;
    let body = response.json().unwrap_or_default();
    let value = |body: &Value| match field {
        "secrets" => rules::secrets(&body["secrets"]).map(|secrets| format!("{secrets:?}")).unwrap_or_default(),
        _ => body[field].to_string(),
    };
    if value(&body) == value(&first.body) {
        return Ok(());
    }
    Err(response.fault(format!("The response differs from the first one in {field}."), ADVICE))
}

async fn concurrent(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let responses = target.wire.send_all((0..MANY).map(|_| keyed(target, &installation, "77ab"))).await?;
    let id = responses.iter().find_map(|response| response.json()?["id"].as_str().map(str::to_owned));
    for response in responses {
        must_be_same(&response.to("one of several concurrent provisions"), id.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

async fn lost_answer(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let response = target.wire.send(target.provision(&installation)).await?;
    skip_unless_ok(&response, "a provision", "provision.succeeds")?;
    for (index, delay) in hang_up::delays(response.duration()).into_iter().enumerate() {
        let call = || keyed(target, &installation, &format!("lost-{index}"));
        let lost = call().send_and_hang_up(delay);
        target.wire.perform(&call(), &hang_up::description(delay), lost).await;
        let first = target.wire.send(call()).await?.to("a provision whose first answer was lost");
        first.must_be(PROVISIONED, ADVICE)?;
        let id = first.json().unwrap_or_default()["id"].as_str().unwrap_or_default().to_owned();
        let second = target.wire.send(call()).await?.to("the next repetition of a provision whose answer was lost");
        must_be_same(&second, &id)?;
    }
    Ok(())
}

async fn other_body(target: &Target) -> Verdict {
    let first = first(target, "77ac").await?;
    let call = keyed(target, &first.installation, "77ac").set("name", "another name");
    target
        .wire
        .send(call)
        .await?
        .must_be(&[409], "Compare the request with the recorded one, and answer 409.")
        .map(drop)
}

async fn other_key(target: &Target) -> Verdict {
    let first = first(target, "77ad").await?;
    let response = target.wire.send(keyed(target, &first.installation, "77ae")).await?;
    must_be_another(&response, &first.id, "Recognize repetitions by the Idempotency-Key, not by the fields.")
}

async fn per_installation(target: &Target) -> Verdict {
    let first = first(target, "77af").await?;
    let response = target.wire.send(keyed(target, &target.installed().await?, "77af")).await?;
    must_be_another(&response, &first.id, "Record keys by installation.")
}

async fn no_key(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let response = target.wire.send(target.provision(&installation).without_header("idempotency-key")).await?;
    response.must_be(PROVISIONED, "Run a request without a key once.").map(drop)
}

async fn no_key_twice(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let call = || target.provision(&installation).without_header("idempotency-key");
    let response = target.wire.send(call()).await?;
    skip_unless_ok(&response, "a provision without a key", "idempotency.no-key")?;
    let id = response.json().unwrap_or_default()["id"].as_str().unwrap_or_default().to_owned();
    must_be_another(&target.wire.send(call()).await?, &id, "Do not derive a key from the fields.")
}

async fn after_change(target: &Target) -> Verdict {
    let first = first(target, "77b0").await?;
    let changed = target.wire.send(target.rename(&first, "renamed")).await?;
    skip_unless_ok(&changed, "a new name", "update.name")?;
    let response = target.wire.send(keyed(target, &first.installation, "77b0")).await?;
    must_be_same(&response.to("a provision that is repeated after a change"), &first.id)
}

async fn stays_removed(target: &Target) -> Verdict {
    let first = first(target, "77b1").await?;
    let removed = target.wire.send(target.deprovision(&first)).await?;
    skip_unless_ok(&removed, "a deprovision", "deprovision.succeeds")?;
    let response = target.wire.send(keyed(target, &first.installation, "77b1")).await?;
    if response.is_success() {
        let body = response.json().unwrap_or_default();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        let again = Resource { installation: first.installation.clone(), id, body };
        return target.must_exist(&again, false, "after its deprovision and a late repetition of its provision").await;
    }
    response.must_be_refused("Answer 409 or 404, and keep a record of removed resources.")
}
