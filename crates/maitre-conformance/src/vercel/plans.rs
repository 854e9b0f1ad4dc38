//! Lists of plans.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::citation::{practice, reference};
use super::rules;
use super::target::Target;
use super::{skip_if_absent, skip_unless_ok};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const LIST: Citation = reference("200 with {\"plans\": […]}, of a product");
const PLAN: Citation = reference("the fields of a plan");

/// Time in which a list should be answered. It is requested at every change of an input.
const PROMPT: Duration = Duration::from_secs(3);

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.plans.product", "The plans of the product are listed.", LIST, |target| {
        Box::pin(product(target))
    }),
    Case::must(
        "vercel.plans.before-installation",
        "The plans are listed before the installation, with a token without an account.",
        reference("asked before the installation; the token is then incomplete"),
        |target| Box::pin(before_installation(target)),
    ),
    Case::must("vercel.plans.fields", "A plan has id, type, name and description.", PLAN, |target| {
        Box::pin(fields(target, rules::plan_problem))
    }),
    Case::must("vercel.plans.optional-fields", "The other fields of a plan have Vercel's types.", PLAN, |target| {
        Box::pin(fields(target, rules::optional_plan_problem))
    }),
    Case::must("vercel.plans.sold", "The plans of provisions are listed.", LIST, |target| Box::pin(sold(target))),
    Case::should("vercel.plans.distinct", "The ids of plans are distinct.", UNIQUE, |target| {
        Box::pin(distinct(target))
    }),
    Case::must(
        "vercel.plans.metadata",
        "The values of the form may be in the query.",
        reference("?metadata= has the values as JSON"),
        |target| Box::pin(metadata(target)),
    ),
    Case::should(
        "vercel.plans.invalid-metadata",
        "A metadata query that is not JSON causes no server error.",
        practice("no input causes a server error"),
        |target| Box::pin(invalid_metadata(target)),
    ),
    Case::should(
        "vercel.plans.unknown-product",
        "The plans of an unknown product are a client error.",
        practice("404"),
        |target| Box::pin(unknown_product(target)),
    ),
    Case::should("vercel.plans.prompt", "The plans are listed within 3 s.", QUICK, |target| Box::pin(prompt(target))),
    Case::should(
        "vercel.plans.of-installation",
        "The plans of an installation are listed.",
        reference("200 with {\"plans\": […]}, of an installation"),
        |target| Box::pin(of_installation(target)),
    ),
    Case::should(
        "vercel.plans.of-resource",
        "The plans that a resource may change to are listed.",
        reference("200 with {\"plans\": […]}, of a resource"),
        |target| Box::pin(of_resource(target)),
    ),
];

const UNIQUE: Citation = practice("later requests name the plan by its id");
const QUICK: Citation = practice("the list is requested at every change of an input");

const ADVICE: &str = "Answer 200 with {\"plans\": […]}.";

fn list(response: &Response) -> Result<Vec<Value>, Stop> {
    response.must_be(&[200], ADVICE)?;
    match response.json().unwrap_or_default()["plans"].as_array() {
        Some(plans) => Ok(plans.clone()),
        None => Err(response.fault("The response has no list of plans.", ADVICE)),
    }
}

/// Returns the plans of the product; skips the check if they are not listed.
async fn listed(target: &Target) -> Result<(Response, Vec<Value>), Stop> {
    let response = target.wire.send(target.vercel.product_plans(&target.product, None)).await?;
    skip_unless_ok(&response, "the list of plans", "plans.product")?;
    let plans = response.json().unwrap_or_default()["plans"].as_array().cloned().unwrap_or_default();
    Ok((response, plans))
}

async fn product(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    let call = target.vercel.product_plans(&target.product, None);
    let call = call.bearer(&target.platform.system_token(&installation).sign());
    list(&target.wire.send(call).await?).map(drop)
}

async fn before_installation(target: &Target) -> Verdict {
    list(&target.wire.send(target.vercel.product_plans(&target.product, None)).await?).map(drop)
}

async fn fields(target: &Target, problem: fn(&Value) -> Option<String>) -> Verdict {
    let (response, plans) = listed(target).await?;
    match plans.iter().find_map(|plan| Some((plan["id"].to_string(), problem(plan)?))) {
        None => Ok(()),
        Some((id, problem)) => {
            Err(response.fault(format!("The plan {id} is not valid: {problem}."), "Compare with Vercel's reference."))
        }
    }
}

async fn sold(target: &Target) -> Verdict {
    target.new_resource().await?;
    let (response, plans) = listed(target).await?;
    let sold = target.plan();
    if plans.iter().any(|plan| plan["id"] == sold) {
        return Ok(());
    }
    Err(response.fault(format!("The plan {sold} is provisioned but not listed."), "List every plan that is sold."))
}

async fn distinct(target: &Target) -> Verdict {
    let (response, plans) = listed(target).await?;
    let ids: BTreeSet<_> = plans.iter().map(|plan| plan["id"].to_string()).collect();
    if ids.len() == plans.len() {
        return Ok(());
    }
    Err(response.fault("Two plans have the same id.", "Choose another id."))
}

async fn metadata(target: &Target) -> Verdict {
    listed(target).await?;
    let metadata = json!({ "region": "fra1", "a name": "with & and =", "count": 3 });
    let response = target.wire.send(target.vercel.product_plans(&target.product, Some(&metadata))).await?;
    list(&response).map(drop)
}

async fn invalid_metadata(target: &Target) -> Verdict {
    listed(target).await?;
    for query in ["metadata=", "metadata=%7B", "metadata=%FF", "metadata=7&metadata=8", "metadata=%5B%5D"] {
        let path = format!("/v1/products/{}/plans?{query}", target.product);
        let response = target.wire.send(target.vercel.product_plans(&target.product, None).path(path)).await?;
        if response.is_server_error() {
            return Err(response.wrong_status("200 or 400", "Answer 400, or ignore the values."));
        }
    }
    Ok(())
}

async fn unknown_product(target: &Target) -> Verdict {
    listed(target).await?;
    let response = target.wire.send(target.vercel.product_plans("an-unknown-product", None)).await?;
    response.must_be_refused("Answer 404.")
}

async fn prompt(target: &Target) -> Verdict {
    let (response, _) = listed(target).await?;
    if response.duration() <= PROMPT {
        return Ok(());
    }
    let took = response.duration().as_secs_f32();
    Err(response.fault(format!("The list took {took:.1} s."), "Answer without calls of other services."))
}

async fn of_installation(target: &Target) -> Verdict {
    let response = target.wire.send(target.vercel.installation_plans(&target.installed().await?)).await?;
    skip_if_absent(&response, "plans of an installation")?;
    list(&response).map(drop)
}

async fn of_resource(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let call = target.vercel.resource_plans(&resource.installation, &resource.id, None);
    let response = target.wire.send(call).await?;
    skip_if_absent(&response, "plans of a resource")?;
    list(&response).map(drop)
}
