//! Installations: a team accepts the terms.

use serde_json::{Value, json};

use super::citation::{example, practice, reference};
use super::rules::{self, INSTALLED};
use super::target::Target;
use super::{skip_if_absent, skip_unless_ok};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::Verdict;

const UPSERT: Citation = reference("PUT creates or updates an installation: 200 with a plan or a notification, or 204");
const READ: Citation = reference("GET of an installation is 200, with its plan and notification");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.installation.succeeds", "An installation is answered 200 or 204.", UPSERT, |target| {
        Box::pin(succeeds(target))
    }),
    Case::must(
        "vercel.installation.body",
        "A 200 has an object with a valid plan, or without one.",
        UPSERT,
        |target| Box::pin(body(target)),
    ),
    Case::must("vercel.installation.repeated", "A repeated installation succeeds.", UPSERT, |target| {
        Box::pin(repeated(target))
    }),
    Case::must("vercel.installation.keeps", "A repeated installation keeps the resources.", UPSERT, |target| {
        Box::pin(keeps(target))
    }),
    Case::must(
        "vercel.installation.no-account",
        "An installation without an account is accepted.",
        example("has no account in its schema"),
        |target| Box::pin(with(target, "account", None)),
    ),
    Case::should(
        "vercel.installation.unknown-fields",
        "Unknown fields are ignored.",
        practice("Vercel adds fields"),
        |target| Box::pin(with(target, "a-later-field", Some(json!({ "a": [1, null] })))),
    ),
    Case::should(
        "vercel.installation.no-credentials",
        "An installation without credentials is answered 400.",
        practice("without the access token nothing can be sent to Vercel"),
        |target| Box::pin(no_credentials(target)),
    ),
    Case::should("vercel.installation.concurrent", "Concurrent installations succeed.", IDEMPOTENT, |target| {
        Box::pin(concurrent(target))
    }),
    Case::should("vercel.installation.read", "An installation is read with 200.", READ, |target| {
        Box::pin(read(target))
    }),
    Case::should(
        "vercel.installation.unknown",
        "A read of an unknown installation is answered 404.",
        example("404"),
        |target| Box::pin(unknown(target)),
    ),
    Case::should(
        "vercel.installation.unknown-plan",
        "A change to an unknown plan is answered 400.",
        practice("400, as for resources"),
        |target| Box::pin(unknown_plan(target)),
    ),
];

const IDEMPOTENT: Citation = practice("requests are repeated, also while the first one runs");

const ADVICE: &str = "Create or get the installation by its id, and replace its credentials.";

async fn succeeds(target: &Target) -> Verdict {
    let response = target.wire.send(target.vercel.install(&target.new_installation())).await?;
    response.must_be(INSTALLED, "Answer 204, or 200 with the installation's plan.").map(drop)
}

async fn body(target: &Target) -> Verdict {
    let response = target.wire.send(target.vercel.install(&target.new_installation())).await?;
    skip_unless_ok(&response, "an installation", "installation.succeeds")?;
    if response.status() == 204 {
        return Ok(());
    }
    has_valid_plan(&response)
}

/// Requires an object whose plan, if there is one, is valid.
fn has_valid_plan(response: &Response) -> Verdict {
    let body = response.object()?;
    let problem = body.get("billingPlan").filter(|plan| !plan.is_null()).and_then(rules::plan_problem);
    match problem {
        None => Ok(()),
        Some(problem) => Err(response.fault(format!("The plan is not valid: {problem}."), "Send a plan, or none.")),
    }
}

async fn repeated(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let call = target.vercel.install(&installation);
    let call = call.set("credentials", json!({ "access_token": "vcat_a-new-token", "token_type": "Bearer" }));
    target.wire.send(call).await?.to("a repeated installation").must_be(INSTALLED, ADVICE).map(drop)
}

async fn keeps(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.vercel.install(&resource.installation)).await?;
    skip_unless_ok(&response, "a repeated installation", "installation.repeated")?;
    target.must_exist(&resource, true, "after a repeated installation").await
}

async fn with(target: &Target, field: &str, value: Option<Value>) -> Verdict {
    target.installed().await?;
    let call = target.vercel.install(&target.new_installation());
    let call = match value {
        Some(value) => call.set(field, value),
        None => call.without(field),
    };
    target.wire.send(call).await?.must_be(INSTALLED, "Read only the fields that are needed.").map(drop)
}

async fn no_credentials(target: &Target) -> Verdict {
    target.installed().await?;
    let call = target.vercel.install(&target.new_installation()).without("credentials");
    target.wire.send(call).await?.must_be(&[400, 422], "Answer 400.").map(drop)
}

async fn concurrent(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let calls = (0..4).map(|_| target.vercel.install(&installation));
    for response in target.wire.send_all(calls).await? {
        response.to("one of several concurrent installations").must_be(INSTALLED, ADVICE)?;
    }
    Ok(())
}

async fn read(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let response = target.wire.send(target.vercel.installation(&installation)).await?;
    response.must_be(&[200], "Serve GET /v1/installations/{id}.")?;
    has_valid_plan(&response)
}

async fn unknown(target: &Target) -> Verdict {
    let known = target.wire.send(target.vercel.installation(&target.installed().await?)).await?;
    skip_unless_ok(&known, "a read of an installation", "installation.read")?;
    let response = target.wire.send(target.vercel.installation(&target.new_installation())).await?;
    response.must_be(&[404], "Answer 404.").map(drop)
}

async fn unknown_plan(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let response = target.wire.send(target.vercel.update_installation(&installation, "an-unknown-plan")).await?;
    skip_if_absent(&response, "changes of an installation's plan")?;
    response.must_be(&[400], "Answer 400.").map(drop)
}
