//! Provisions.

use serde_json::{Value, json};

use super::target::{Endpoint, Target};
use super::{checker, guide, must_succeed, practice, skip_unless_ok, sso_guide};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::Verdict;

/// Number of concurrent provisions.
const MANY: usize = 8;

const FIELDS: Citation = guide("the fields of a provision");
const IDEMPOTENT: Citation = guide("a repeated provision is idempotent");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "quicknode.provision.succeeds",
        "A provision is answered 200.",
        checker("200 to a provision"),
        |target| Box::pin(with(target, &[])),
    ),
    Case::must(
        "quicknode.provision.status",
        "The response has the status \"success\".",
        guide("status is \"success\" or \"error\""),
        |target| Box::pin(status_word(target)),
    ),
    Case::must(
        "quicknode.provision.urls",
        "The fields dashboard-url and access-url are text or null.",
        guide("dashboard-url and access-url, null if they are not offered"),
        |target| Box::pin(urls(target)),
    ),
    Case::must(
        "quicknode.provision.dashboard-url",
        "The dashboard-url has no query and no fragment.",
        sso_guide("?jwt= is appended to the dashboard-url"),
        |target| Box::pin(dashboard_url(target)),
    ),
    Case::must("quicknode.provision.repeated", "A repeated provision has the same response.", IDEMPOTENT, |target| {
        Box::pin(repeated(target))
    }),
    Case::must(
        "quicknode.provision.concurrent",
        "Concurrent provisions of one endpoint succeed.",
        IDEMPOTENT,
        |target| Box::pin(concurrent(target)),
    ),
    Case::should(
        "quicknode.provision.other-plan",
        "A repeated provision with another plan succeeds.",
        practice("the newest plan is the plan of the account"),
        |target| Box::pin(other_plan(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "quicknode.provision.second-endpoint",
        "A second endpoint of an account is provisioned.",
        guide("an account may have the add-on on many endpoints"),
        |target| Box::pin(second_endpoint(target)),
    ),
    Case::should(
        "quicknode.provision.comes-back",
        "A deprovisioned account can be provisioned again.",
        practice("a customer may come back with the same ids"),
        |target| Box::pin(comes_back(target)),
    ),
    Case::must("quicknode.provision.null-arrays", "Arrays may be null.", FIELDS, |target| {
        Box::pin(null_arrays(target))
    }),
    Case::should(
        "quicknode.provision.number-id",
        "The field add-on-id may be a number.",
        practice("the checker sends text, and the type is not documented"),
        |target| Box::pin(number_id(target)),
    ),
    Case::must(
        "quicknode.provision.with-add-on",
        "The fields add-on-id and add-on-slug are accepted.",
        checker("sends add-on-id and add-on-slug"),
        |target| Box::pin(with_add_on(target)),
    ),
    Case::should(
        "quicknode.provision.no-socket",
        "The field wss-url may be empty.",
        practice("some chains have no sockets"),
        |target| Box::pin(no_socket(target)),
    ),
    Case::should(
        "quicknode.provision.unknown-fields",
        "Unknown fields are ignored.",
        practice("QuickNode added fields in 2025"),
        |target| Box::pin(unknown_fields(target)),
    ),
    Case::must(
        "quicknode.provision.not-a-test",
        "A provision without X-QN-TESTING succeeds.",
        guide("X-QN-TESTING marks tests"),
        |target| Box::pin(not_a_test(target)),
    ),
    Case::should("quicknode.provision.double-slash", "A path with two slashes is found.", SLASH, |target| {
        Box::pin(double_slash(target))
    }),
    Case::should("quicknode.provision.invalid-json", "A body that is not JSON is a client error.", INVALID, |target| {
        Box::pin(invalid_json(target))
    }),
    Case::should(
        "quicknode.provision.missing-account",
        "A provision without quicknode-id is a client error.",
        INVALID,
        |target| Box::pin(missing(target, "quicknode-id")),
    ),
    Case::should(
        "quicknode.provision.missing-endpoint",
        "A provision without endpoint-id is a client error.",
        INVALID,
        |target| Box::pin(missing(target, "endpoint-id")),
    ),
];

const SLASH: Citation = checker("the checker's own example has a slash at the end of the base URL");
const INVALID: Citation = practice("invalid input is a client error");

/// Sends a provision with these values, which must succeed.
async fn with(target: &Target, values: &[(&str, Value)]) -> Verdict {
    let call = target.provision(&target.new_ids());
    let call = values.iter().fold(call, |call, (name, value)| call.set(*name, value.clone()));
    must_succeed(&target.wire.send(call).await?)
}

async fn provisioned(target: &Target) -> Result<(Endpoint, Response, Value), crate::verdict::Stop> {
    let endpoint = target.new_ids();
    let response = target.wire.send(target.provision(&endpoint)).await?;
    skip_unless_ok(&response, "a provision", "provision.succeeds")?;
    let body = response.json().unwrap_or_default();
    Ok((endpoint, response, body))
}

async fn status_word(target: &Target) -> Verdict {
    let (_, response, body) = provisioned(target).await?;
    if body["status"] == "success" {
        return Ok(());
    }
    Err(response.fault("The status is not \"success\".", super::SUCCESS))
}

async fn urls(target: &Target) -> Verdict {
    let (_, response, body) = provisioned(target).await?;
    match ["dashboard-url", "access-url"].into_iter().find(|name| !body[name].is_string() && !body[name].is_null()) {
        None => Ok(()),
        Some(name) => Err(response.fault(format!("{name} is neither text nor null."), "Send a URL, or null.")),
    }
}

async fn dashboard_url(target: &Target) -> Verdict {
    let (_, response, body) = provisioned(target).await?;
    match body["dashboard-url"].as_str() {
        Some(url) if url.contains(['?', '#']) => Err(response.fault(
            "dashboard-url has a query or a fragment, to which ?jwt= cannot be appended.",
            "Send a URL without them.",
        )),
        _ => Ok(()),
    }
}

async fn repeated(target: &Target) -> Verdict {
    let (endpoint, _, first) = provisioned(target).await?;
    let response = target.wire.send(target.provision(&endpoint)).await?.to("a repeated provision");
    must_succeed(&response)?;
    if response.json() == Some(first) {
        return Ok(());
    }
    Err(response.fault(
        "The response differs from the first one.",
        "Create or get the endpoint by quicknode-id and endpoint-id, under a unique constraint.",
    ))
}

async fn concurrent(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    let endpoint = Endpoint { id: target.quicknode.new_endpoint(), ..endpoint };
    let calls = (0..MANY).map(|_| target.provision(&endpoint));
    for response in target.wire.send_all(calls).await? {
        must_succeed(&response.to("one of several concurrent provisions"))?;
    }
    Ok(())
}

async fn other_plan(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    let call = target.provision(&endpoint).set("plan", target.other_plan());
    must_succeed(&target.wire.send(call).await?.to("a repeated provision with another plan"))
}

async fn second_endpoint(target: &Target) -> Verdict {
    let first = target.new_endpoint().await?;
    let second = Endpoint { id: target.quicknode.new_endpoint(), ..first };
    must_succeed(&target.wire.send(target.provision(&second)).await?.to("a second endpoint"))
}

async fn comes_back(target: &Target) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    let response = target.wire.send(target.deprovision(&endpoint)).await?;
    skip_unless_ok(&response, "a deprovision", "deprovision.succeeds")?;
    must_succeed(&target.wire.send(target.provision(&endpoint)).await?.to("a provision after a deprovision"))
}

async fn null_arrays(target: &Target) -> Verdict {
    with(target, &[("referers", Value::Null), ("contract_addresses", Value::Null)]).await
}

async fn number_id(target: &Target) -> Verdict {
    with(target, &[("add-on-id", json!(33)), ("add-on-slug", json!("pomelo"))]).await
}

async fn with_add_on(target: &Target) -> Verdict {
    with(target, &[("add-on-id", json!("33")), ("add-on-slug", json!("pomelo"))]).await
}

async fn no_socket(target: &Target) -> Verdict {
    with(target, &[("wss-url", json!(""))]).await
}

async fn unknown_fields(target: &Target) -> Verdict {
    with(target, &[("a-later-field", json!({ "a": [1, null] }))]).await
}

async fn not_a_test(target: &Target) -> Verdict {
    target.new_endpoint().await?;
    let call = target.provision(&target.new_ids()).without_header("x-qn-testing");
    must_succeed(&target.wire.send(call).await?)
}

async fn double_slash(target: &Target) -> Verdict {
    target.new_endpoint().await?;
    let call = target.provision(&target.new_ids()).path("//provision");
    let advice = "Route //provision like /provision: the checker's base URL may end with a slash.";
    target.wire.send(call).await?.must_be(&[200], advice).map(drop)
}

async fn invalid_json(target: &Target) -> Verdict {
    target.new_endpoint().await?;
    let call = target.provision(&target.new_ids()).body("{\"quicknode-id\":");
    target.wire.send(call).await?.must_be_refused("Answer 400.")
}

async fn missing(target: &Target, field: &str) -> Verdict {
    target.new_endpoint().await?;
    let call = target.provision(&target.new_ids()).without(field);
    target.wire.send(call).await?.must_be_refused("Answer 400: the ids are the key of the endpoint.")
}
