//! Bindings.

use maitre_testkit::osb::BindingId;
use serde_json::{Map, Value, json};

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const BINDABLE: &[Capability] = &[Capability::Bindings];

const MANDATORY: Citation = citation::binding("400 must be returned if the request is missing mandatory data");
const FIELDS: Citation = citation::binding("the fields of 200 and 201 responses");
const CONFLICT: Citation = citation::binding("409 if a binding with the same id exists but with different parameters");

/// Fields that only services with a permission may return.
const SPECIAL: [(&str, &str); 3] = [
    ("syslog_drain_url", "syslog_drain"),
    ("route_service_url", "route_forwarding"),
    ("volume_mounts", "volume_mount"),
];

const REPEAT: &str = "Store every binding with its attributes, and answer a repeated bind from the record.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.binding.succeeds",
        "A bind is answered 201, or 202 if the platform accepts it.",
        citation::binding("201 if the binding was created, 202 if it is in progress"),
        |target| Box::pin(succeeds(target)),
    )
    .needs(BINDABLE),
    Case::must("osb.binding.credentials", "A binding has credentials, as an object.", FIELDS, |target| {
        Box::pin(credentials(target))
    })
    .needs(BINDABLE),
    Case::must(
        "osb.binding.permissions",
        "A binding has drain, route and volumes only if the service requires the permission.",
        citation::binding("the permission must be declared in the catalog"),
        |target| Box::pin(permissions(target)),
    )
    .needs(BINDABLE),
    Case::must("osb.binding.endpoints", "Endpoints have a host and a list of ports.", FIELDS, |target| {
        Box::pin(endpoints(target))
    })
    .needs(BINDABLE),
    Case::must(
        "osb.binding.synchronous",
        "A bind without accepts_incomplete=true is answered 201, or 422 AsyncRequired.",
        citation::asynchronous("without accepts_incomplete=true, a broker must reject with 422 AsyncRequired"),
        |target| Box::pin(synchronous(target)),
    )
    .needs(BINDABLE),
    Case::must("osb.binding.missing-service", "A bind without service_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "service_id"))
    })
    .needs(BINDABLE),
    Case::must("osb.binding.missing-plan", "A bind without plan_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "plan_id"))
    })
    .needs(BINDABLE),
    Case::must(
        "osb.binding.without-app",
        "A bind without an app is answered with a success, or 422 RequiresApp.",
        citation::binding("422 RequiresApp if the broker requires app_guid"),
        |target| Box::pin(without_app(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.empty-objects",
        "A bind with an empty bind_resource is answered like one without.",
        citation::ibm_client("sends bind_resource: {} with every bind"),
        |target| Box::pin(empty_objects(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.binding.unknown-fields",
        "Unknown fields of a bind are ignored.",
        citation::extensions("receivers must ignore unknown extension fields"),
        |target| Box::pin(unknown_fields(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.binding.repeated",
        "A repeated bind succeeds.",
        citation::binding("200 if the binding exists and the requested parameters are identical"),
        |target| Box::pin(repeated(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.repeated-credentials",
        "A repeated bind has the credentials of the first one.",
        citation::binding("the expected response body of a 200 has the credentials"),
        |target| Box::pin(repeated_credentials(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.binding.other-parameters",
        "A bind of an existing id with other parameters is answered 409.",
        CONFLICT,
        |target| Box::pin(other_parameters(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.other-app",
        "A bind of an existing id to another app is answered 409.",
        CONFLICT,
        |target| Box::pin(other_app(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.unique-credentials",
        "Two bindings have different credentials.",
        citation::binding("credentials should be unique whenever possible"),
        |target| Box::pin(unique_credentials(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.unknown-instance",
        "A bind of an unknown instance is refused.",
        citation::binding("the instance id must be that of a previously provisioned instance"),
        |target| Box::pin(unknown_instance(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.deprovisioned-instance",
        "A bind of a deprovisioned instance is refused.",
        citation::binding("the instance id must be that of a previously provisioned instance"),
        |target| Box::pin(deprovisioned_instance(target)),
    )
    .needs(BINDABLE),
    Case::should(
        "osb.binding.not-bindable",
        "A bind of a plan that is not bindable is refused, without a server error.",
        citation::binding("brokers without bindable services do not need to implement the endpoint"),
        |target| Box::pin(not_bindable(target)),
    )
    .needs(&[Capability::NoBindings]),
];

/// Returns the fields of a new binding: those of the response, or, if it was 202, those of a fetch.
pub(super) async fn fields(
    target: &Target,
    binding: &BindingId,
    response: Response,
) -> Result<(Response, Map<String, Value>), Stop> {
    let response = if response.status() == 202 {
        let fetched = target.wire.send(target.osb.fetch_binding(binding)).await?;
        if fetched.status() != 200 {
            let status = fetched.status();
            return Err(Stop::skipped(format!("a fetch of a binding is answered {status} (see osb.fetch.binding)")));
        }
        fetched
    } else {
        response
    };
    let fields = rules::object(&response)?;
    Ok((response, fields))
}

/// Creates a binding, and returns its fields.
async fn new_fields(target: &Target) -> Result<(Response, Map<String, Value>), Stop> {
    let (binding, response) = target.bound().await?;
    fields(target, &binding, response).await
}

async fn succeeds(target: &Target) -> Verdict {
    let binding = target.new_instance().await?.new_binding();
    let response = target.wire.send(target.osb.bind(&binding)).await?;
    let advice =
        "Look in the broker's log. The plan is bindable by the catalog, and this is the request of a platform.";
    response.must_be(&[201, 202], advice).map(drop)
}

async fn credentials(target: &Target) -> Verdict {
    let (response, fields) = new_fields(target).await?;
    match fields.get("credentials") {
        Some(Value::Object(_)) => Ok(()),
        Some(_) => {
            Err(response
                .fault("credentials is not an object.", "Send credentials as an object, such as {\"uri\": \"…\"}."))
        }
        None if SPECIAL.iter().any(|(field, _)| fields.contains_key(*field)) => Ok(()),
        None if target.offer()?.requires.iter().any(|permission| permission == "route_forwarding") => Ok(()),
        None => Err(response.fault(
            "The binding has no credentials.",
            "Send credentials, or declare the service as not bindable in the catalog.",
        )),
    }
}

async fn permissions(target: &Target) -> Verdict {
    let (response, fields) = new_fields(target).await?;
    let requires = &target.offer()?.requires;
    for (field, permission) in SPECIAL {
        if fields.get(field).is_some_and(|value| !value.is_null()) && !requires.iter().any(|it| it == permission) {
            return Err(response.fault(
                format!("The binding has {field}, but the service does not require {permission}."),
                format!("Add {permission} to requires in the catalog, or omit {field}: platforms refuse the response."),
            ));
        }
    }
    Ok(())
}

async fn endpoints(target: &Target) -> Verdict {
    let (response, fields) = new_fields(target).await?;
    let advice = "Send endpoints as [{\"host\": \"db.example\", \"ports\": [\"5432\"], \"protocol\": \"tcp\"}], with ports as strings.";
    let endpoints = match fields.get("endpoints") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(endpoints)) => endpoints,
        Some(_) => return Err(response.fault("endpoints is not a list.", advice)),
    };
    for endpoint in endpoints {
        let ports = endpoint["ports"].as_array().filter(|ports| !ports.is_empty());
        let has_ports = ports.is_some_and(|ports| ports.iter().all(|port| port.as_str().is_some_and(is_port_range)));
        let protocol = endpoint.get("protocol").is_none_or(|it| ["tcp", "udp", "all"].iter().any(|known| it == known));
        if endpoint["host"].as_str().is_none_or(str::is_empty) || !has_ports || !protocol {
            return Err(response.fault(format!("An endpoint is not valid: {endpoint}."), advice));
        }
    }
    Ok(())
}

fn is_port_range(text: &str) -> bool {
    let mut ports = text.splitn(2, '-');
    ports.all(|port| port.parse::<u16>().is_ok())
}

async fn synchronous(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let response = target.wire.send(target.osb.bind(&binding).accepts_incomplete(false)).await?;
    rules::is_synchronous(&response, &[200, 201])
}

async fn missing(target: &Target, field: &str) -> Verdict {
    let binding = target.binding().await?;
    let response = target.wire.send(target.osb.bind(&binding).without(field)).await?;
    rules::is_bad_request(&response, &format!("Answer 400 with a description if {field} is missing."))
}

/// Requires a success, or a refusal because of the missing app.
fn is_bound_or_requires_app(response: &Response) -> Verdict {
    match response.status() {
        200..=202 => Ok(()),
        _ => rules::has_code(response, "RequiresApp", "if an app is required, and otherwise 201"),
    }
}

async fn without_app(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let call = target.osb.bind(&binding).without("app_guid").without("bind_resource");
    is_bound_or_requires_app(&target.wire.send(call).await?)
}

async fn empty_objects(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let call = target.osb.bind(&binding).without("app_guid").set("bind_resource", json!({}));
    is_bound_or_requires_app(&target.wire.send(call).await?)
}

async fn unknown_fields(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let call = target.osb.bind(&binding).set("x_maitre_extension", json!({ "a": null }));
    target.wire.send(call).await?.must_be(rules::DONE, "Ignore fields that you do not know.").map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let response = target.wire.send(target.osb.bind(&binding)).await?.to("a repeated bind");
    response.must_be(&[200, 201], REPEAT).map(drop)
}

async fn repeated_credentials(target: &Target) -> Verdict {
    let (binding, first) = target.bound().await?;
    let (_, first) = fields(target, &binding, first).await?;
    let response = target.wire.send(target.osb.bind(&binding)).await?.to("a repeated bind");
    if !response.is_success() {
        return Err(Stop::skipped("a repeated bind is refused (see osb.binding.repeated)"));
    }
    if rules::object(&response)?.get("credentials") == first.get("credentials") {
        return Ok(());
    }
    Err(response.fault("The credentials differ from the first response.", REPEAT))
}

async fn other_parameters(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let call = target.osb.bind(&binding).set("parameters", json!({ "maitre_check": "other" }));
    // a broker may refuse the parameters themselves
    target.wire.send(call).await?.must_be(&[409, 400], REPEAT).map(drop)
}

async fn other_app(target: &Target) -> Verdict {
    let (binding, _) = target.bound().await?;
    let other = "1d8a6b3f-6c59-4e02-9f7b-2a4c8d0e5f66";
    let call = target.osb.bind(&binding).set("app_guid", other).set("bind_resource", json!({ "app_guid": other }));
    target.wire.send(call).await?.must_be(&[409], REPEAT).map(drop)
}

async fn unique_credentials(target: &Target) -> Verdict {
    let ((_, one), (response, other)) = (new_fields(target).await?, new_fields(target).await?);
    match (one.get("credentials"), other.get("credentials")) {
        (Some(one), Some(other)) if one == other => Err(response.fault(
            "Two bindings have the same credentials.",
            "Create credentials for every binding, so that one app can lose its access without the others.",
        )),
        _ => Ok(()),
    }
}

async fn unknown_instance(target: &Target) -> Verdict {
    target.require_bind().await?;
    let binding = target.instance()?.new_binding();
    target.must_not_bind(&binding, "Answer 404 with a description if the instance does not exist.").await
}

async fn deprovisioned_instance(target: &Target) -> Verdict {
    target.require_bind().await?;
    let instance = target.new_instance().await?;
    target.remove(&instance).await?;
    let advice = "Answer 404 with a description if the instance was deprovisioned.";
    target.must_not_bind(&instance.new_binding(), advice).await
}

async fn not_bindable(target: &Target) -> Verdict {
    let binding = target.shared_instance().await?.new_binding();
    let response = target.wire.send(target.osb.bind(&binding)).await?;
    response.must_be_refused("Answer 400 with a description, or declare the plan as bindable in the catalog.")
}
