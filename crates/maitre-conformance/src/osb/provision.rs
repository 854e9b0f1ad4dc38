//! Provisions.

use serde_json::{Value, json};

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const MANDATORY: Citation =
    citation::provisioning("400 must be returned if the request is malformed or missing mandatory data");
const BODY: Citation = citation::provisioning("the fields of success responses");
const OPTIONAL: Citation = citation::provisioning("only the fields with an asterisk are required");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.provision.succeeds",
        "A provision of a plan of the catalog is answered 201, or 202 if the platform accepts it.",
        citation::provisioning("201 if the instance was provisioned, 202 if provisioning is in progress"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::must(
        "osb.provision.body",
        "The response to a provision is a JSON object.",
        citation::orphans("a success with a malformed body is a failure"),
        |target| Box::pin(body(target)),
    ),
    Case::should(
        "osb.provision.content-type",
        "The response to a provision has the content type application/json.",
        citation::content_type("responses with bodies should have Content-Type: application/json"),
        |target| Box::pin(content_type(target)),
    ),
    Case::must("osb.provision.dashboard-url", "The dashboard_url is a URL, null or absent.", BODY, |target| {
        Box::pin(dashboard_url(target))
    }),
    Case::must(
        "osb.provision.synchronous",
        "A provision without accepts_incomplete=true is answered 201, or 422 AsyncRequired.",
        citation::asynchronous("without accepts_incomplete=true, a broker must reject with 422 AsyncRequired"),
        |target| Box::pin(synchronous(target)),
    ),
    Case::should(
        "osb.provision.accepts-incomplete-is-true",
        "Only the value true of accepts_incomplete permits a 202.",
        citation::asynchronous("the parameter is not included or is set to false"),
        |target| Box::pin(only_true(target)),
    )
    .needs(&[Capability::Asynchronous]),
    Case::must(
        "osb.provision.missing-service",
        "A provision without service_id is answered 400.",
        MANDATORY,
        |target| Box::pin(missing(target, "service_id")),
    ),
    Case::must("osb.provision.missing-plan", "A provision without plan_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "plan_id"))
    }),
    Case::should(
        "osb.provision.empty-ids",
        "A provision with an empty service_id or plan_id is answered 400.",
        citation::provisioning("service_id and plan_id must be ids of the catalog"),
        |target| Box::pin(empty_ids(target)),
    ),
    Case::should(
        "osb.provision.unknown-service",
        "A provision of a service that is not in the catalog is answered 400.",
        citation::provisioning("service_id must be the id of a service offering from the catalog"),
        |target| Box::pin(unknown(target, "service_id")),
    ),
    Case::should(
        "osb.provision.unknown-plan",
        "A provision of a plan that is not in the catalog is answered 400.",
        citation::provisioning("plan_id must be the id of a plan from the service offering"),
        |target| Box::pin(unknown(target, "plan_id")),
    ),
    Case::info(
        "osb.provision.missing-organization",
        "A provision without organization_guid or space_guid is answered 400.",
        citation::kotlin_checker("both are required, though deprecated; some platforms omit them"),
        |target| Box::pin(missing_organization(target)),
    ),
    Case::must(
        "osb.provision.refused-leaves-nothing",
        "A provision that is answered 400 does not create an instance.",
        citation::errors("a 4xx must result in the broker's resources being semantically unchanged"),
        |target| Box::pin(refused_leaves_nothing(target)),
    ),
    Case::must(
        "osb.provision.unknown-fields",
        "Unknown fields of a provision are ignored.",
        citation::extensions("receivers must ignore unknown extension fields"),
        |target| Box::pin(unknown_fields(target)),
    ),
    Case::must("osb.provision.without-context", "A provision without context succeeds.", OPTIONAL, |target| {
        Box::pin(without_context(target))
    }),
    Case::must(
        "osb.provision.kubernetes-context",
        "A provision with the context of Kubernetes succeeds.",
        citation::profile("the context object of Kubernetes"),
        |target| Box::pin(kubernetes_context(target)),
    ),
    Case::should(
        "osb.provision.empty-objects",
        "A provision with an empty maintenance_info succeeds.",
        citation::ibm_client("sends maintenance_info: {} with every provision"),
        |target| Box::pin(empty_objects(target)),
    ),
    Case::must(
        "osb.provision.repeated",
        "A repeated provision succeeds.",
        citation::provisioning("200 if the instance exists and the requested parameters are identical"),
        |target| Box::pin(repeated(target)),
    ),
    Case::info(
        "osb.provision.repeated-200",
        "A repeated provision of a finished instance is answered 200.",
        citation::provisioning("200 should be returned if the instance exists, 201 if this request created it"),
        |target| Box::pin(repeated_200(target)),
    ),
    Case::should(
        "osb.provision.repeated-body",
        "A repeated provision has the dashboard_url of the first one.",
        citation::provisioning("dashboard_url must be returned with the initial response"),
        |target| Box::pin(repeated_body(target)),
    ),
];

const LOG: &str = "Look in the broker's log for the error behind this response. This is the request of a platform, for a plan of \
                   the catalog, with documented fields only.";

const REPEAT: &str = "Store the attributes of every instance, and answer a repeated provision from the record: 200 if the \
                      attributes are the same.";

async fn succeeds(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.provision(&target.instance()?)).await?;
    response.must_be(&[201, 202], LOG).map(drop)
}

async fn body(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().await?).await?;
    if !response.is_success() {
        return Err(not_provisioned(response.status()));
    }
    rules::object(&response).map(drop)
}

fn not_provisioned(status: u16) -> Stop {
    Stop::skipped(format!("a provision is answered {status} (see osb.provision.succeeds)"))
}

async fn content_type(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().await?).await?;
    if !response.is_success() {
        return Err(not_provisioned(response.status()));
    }
    response.require(crate::rules::has_json_type)
}

async fn dashboard_url(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().await?).await?;
    if response.json().is_none_or(|body| !body.is_object()) {
        return Err(Stop::skipped("the response is not a JSON object (see osb.provision.body)"));
    }
    rules::has_valid_dashboard_url(&response)
}

async fn synchronous(target: &Target) -> Verdict {
    let call = target.provision().await?.accepts_incomplete(false);
    rules::is_synchronous(&target.wire.send(call).await?, &[200, 201])
}

async fn only_true(target: &Target) -> Verdict {
    for value in ["false", "no", "0"] {
        let call = target.provision().await?.query("accepts_incomplete", value);
        let response = target.wire.send(call).await?.to(format!("accepts_incomplete={value}"));
        if response.status() == 202 {
            return Err(response.wrong_status("201, or 422 AsyncRequired", "Answer 202 only if the value is true."));
        }
    }
    Ok(())
}

async fn missing(target: &Target, field: &str) -> Verdict {
    let call = target.provision().await?.without(field);
    let advice = format!("Answer 400 with a description if {field} is missing.");
    rules::is_bad_request(&target.wire.send(call).await?, &advice)
}

async fn empty_ids(target: &Target) -> Verdict {
    for field in ["service_id", "plan_id"] {
        let call = target.provision().await?.set(field, "");
        let advice = format!("Answer 400 with a description if {field} is empty.");
        rules::is_bad_request(&target.wire.send(call).await?.to(format!("an empty {field}")), &advice)?;
    }
    Ok(())
}

async fn unknown(target: &Target, field: &str) -> Verdict {
    let call = target.provision().await?.set(field, format!("no-such-{field}"));
    let advice = format!("Look {field} up in the catalog, and answer 400 with a description if it is unknown.");
    rules::is_bad_request(&target.wire.send(call).await?, &advice)
}

async fn missing_organization(target: &Target) -> Verdict {
    for field in ["organization_guid", "space_guid"] {
        let call = target.provision().await?.without(field);
        let advice = "No action is required, unless the broker must pass the checker of Cloud Foundry.";
        rules::is_bad_request(&target.wire.send(call).await?.to(format!("a provision without {field}")), advice)?;
    }
    Ok(())
}

async fn refused_leaves_nothing(target: &Target) -> Verdict {
    let instance = target.instance()?;
    let refused = target.wire.send(target.osb.provision(&instance).without("plan_id")).await?;
    if refused.is_success() {
        return Err(Stop::skipped("a provision without plan_id succeeds (see osb.provision.missing-plan)"));
    }
    target.must_be_absent(&instance, "after a provision that was refused").await
}

async fn unknown_fields(target: &Target) -> Verdict {
    let call = target.provision().await?;
    let call = call.set("x_maitre_extension", json!({ "a": [1, null] })).set("predecessor", "none");
    let advice = "Ignore fields that you do not know: minor versions of the API add some.";
    target.wire.send(call).await?.must_be(rules::DONE, advice).map(drop)
}

async fn without_context(target: &Target) -> Verdict {
    let call = target.provision().await?.without("context");
    target.wire.send(call).await?.must_be(rules::DONE, "Do not require context: it is optional.").map(drop)
}

async fn kubernetes_context(target: &Target) -> Verdict {
    let context = json!({ "platform": "kubernetes", "namespace": "development", "clusterid": "8263feba-9b8a",
        "instance_name": "tally", "namespace_annotations": {}, "instance_annotations": { "a/b": "c" } });
    let call = target.provision().await?.set("context", context);
    let advice = "Accept every context.platform, and ignore fields that you do not know.";
    target.wire.send(call).await?.must_be(rules::DONE, advice).map(drop)
}

async fn empty_objects(target: &Target) -> Verdict {
    let call = target.provision().await?.set("maintenance_info", json!({}));
    let advice = "Treat a maintenance_info without version like a missing one.";
    target.wire.send(call).await?.must_be(rules::DONE, advice).map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.provision(&instance)).await?.to("a repeated provision");
    response.must_be(&[200, 201], REPEAT).map(drop)
}

async fn repeated_200(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.provision(&instance)).await?.to("a repeated provision");
    if !response.is_success() {
        return Err(Stop::skipped("a repeated provision is refused (see osb.provision.repeated)"));
    }
    let advice =
        "No action is required: platforms treat both as a success. 200 states that this request created nothing.";
    response.must_be(&[200], advice).map(drop)
}

async fn repeated_body(target: &Target) -> Verdict {
    let instance = target.instance()?;
    let first = target.create(target.osb.provision(&instance), &instance).await?;
    let response = target.wire.send(target.osb.provision(&instance)).await?.to("a repeated provision");
    if !response.is_success() {
        return Err(Stop::skipped("a repeated provision is refused (see osb.provision.repeated)"));
    }
    let url = |body: Option<Value>| body.map(|body| body["dashboard_url"].clone()).unwrap_or_default();
    if url(first.json()) == url(response.json()) {
        return Ok(());
    }
    Err(response.fault("dashboard_url differs from the first response.", REPEAT))
}
