//! Unusual and malformed requests.

use std::time::Duration;

use serde_json::{Value, json};

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const MALFORMED: Citation = citation::provisioning("400 must be returned if the request is malformed");
const UNREADABLE: Citation = citation::content_type("a body that is unprocessable should be answered 400");
const HANDLED: Citation = citation::practice("no input causes a server error");
const ANY_CHARACTER: Citation =
    citation::url_properties("no restriction on the set of characters; others are percent-encoded");

const ADVICE: &str = "Answer 400 with a description.";
const DECODE: &str = "Decode the path segment before it is compared or stored, and accept any characters in ids.";

/// Ids with characters that must be escaped in a path.
const ODD_IDS: [&str; 5] = ["a b", "ä-ö-日本", "100%25", "a?b=c&d#e", "it's+\"odd\";"];

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "osb.robustness.no-json",
        "A provision whose body is not JSON is answered 400.",
        UNREADABLE,
        |target| Box::pin(body(target, "{")),
    ),
    Case::should("osb.robustness.empty", "A provision without a body is answered 400.", UNREADABLE, |target| {
        Box::pin(body(target, ""))
    }),
    Case::should(
        "osb.robustness.no-object",
        "A provision whose body is a list is answered 400.",
        UNREADABLE,
        |target| Box::pin(body(target, "[]")),
    ),
    Case::must(
        "osb.robustness.plan-type",
        "A provision whose plan_id is an object is answered 400.",
        MALFORMED,
        |target| Box::pin(field_type(target, "plan_id", json!({}))),
    ),
    Case::must(
        "osb.robustness.parameters-type",
        "A provision whose parameters are a string is answered 400.",
        MALFORMED,
        |target| Box::pin(field_type(target, "parameters", json!("text"))),
    ),
    Case::should(
        "osb.robustness.ignored-types",
        "Fields of another type cause no server error in a provision and an update.",
        HANDLED,
        |target| Box::pin(ignored_types(target)),
    ),
    Case::must(
        "osb.robustness.odd-ids",
        "Instances with escaped characters in their ids are provisioned and deprovisioned.",
        ANY_CHARACTER,
        |target| Box::pin(odd_ids(target)),
    ),
    Case::should(
        "osb.robustness.escaped-slash",
        "An escaped slash in an id is part of the id.",
        ANY_CHARACTER,
        |target| Box::pin(escaped_slash(target)),
    ),
    Case::must(
        "osb.robustness.odd-binding-ids",
        "Bindings with escaped characters in their ids are created and deleted.",
        ANY_CHARACTER,
        |target| Box::pin(odd_binding_ids(target)),
    )
    .needs(&[Capability::Bindings]),
    Case::should("osb.robustness.long-id", "An id of 1,000 characters causes no server error.", HANDLED, |target| {
        Box::pin(long_id(target))
    }),
    Case::should(
        "osb.robustness.control-characters",
        "Control characters in an id cause no server error.",
        HANDLED,
        |target| Box::pin(control_characters(target)),
    ),
    Case::should("osb.robustness.no-utf-8", "An id that is not UTF-8 causes no server error.", HANDLED, |target| {
        Box::pin(no_utf_8(target))
    }),
    Case::should("osb.robustness.large-body", "Parameters of a megabyte cause no server error.", HANDLED, |target| {
        Box::pin(parameters(target, json!({ "note": "x".repeat(1_000_000) })))
    }),
    Case::should("osb.robustness.deep-nesting", "Deeply nested parameters cause no server error.", HANDLED, |target| {
        Box::pin(deep_nesting(target))
    }),
    Case::should(
        "osb.robustness.other-methods",
        "Other methods are answered with a client error.",
        citation::rfc(9110, "405 is the status of a method that the target resource does not support"),
        |target| Box::pin(other_methods(target)),
    ),
    Case::should(
        "osb.robustness.allow",
        "A 405 has an Allow header.",
        citation::rfc(9110, "the server must generate an Allow header in a 405"),
        |target| Box::pin(allow(target)),
    ),
    Case::should(
        "osb.robustness.charset",
        "A content type with a charset is accepted.",
        citation::rfc(9110, "a media type may have parameters"),
        |target| Box::pin(charset(target)),
    ),
    Case::should("osb.robustness.content-type", "Another content type causes no server error.", UNREADABLE, |target| {
        Box::pin(content_type(target))
    }),
    Case::should(
        "osb.robustness.authorization",
        "A malformed Authorization header is answered 401 (or 400).",
        citation::authentication("a broker must return 401 if the authentication fails"),
        |target| Box::pin(authorization(target)),
    ),
    Case::should(
        "osb.robustness.unknown-path",
        "An unknown path is answered with a client error.",
        HANDLED,
        |target| Box::pin(unknown_path(target)),
    ),
    Case::should(
        "osb.robustness.slow-caller",
        "A provision whose body takes half a second succeeds.",
        citation::practice("platforms are far away"),
        |target| Box::pin(slow_caller(target)),
    ),
];

async fn body(target: &Target, body: &str) -> Verdict {
    let call = target.provision().await?.body(body);
    target.wire.send(call).await?.must_be(&[400], ADVICE).map(drop)
}

async fn field_type(target: &Target, field: &str, value: Value) -> Verdict {
    let call = target.provision().await?.set(field, value);
    rules::is_bad_request(&target.wire.send(call).await?, "Check the type of every field that is used.")
}

async fn ignored_types(target: &Target) -> Verdict {
    let values = [
        ("context", Value::Null),
        ("context", json!([])),
        ("parameters", Value::Null),
        ("maintenance_info", json!("1.0.0")),
        ("organization_guid", json!(7)),
    ];
    for (field, value) in values {
        let description = format!("{field}: {value}");
        let call = target.provision().await?.set(field, value);
        rules::is_handled(&target.wire.send(call).await?.to(description))?;
    }
    let instance = target.new_instance().await?;
    for (field, value) in
        [("previous_values", json!({ "space_id": {} })), ("previous_values", json!([])), ("context", json!(7))]
    {
        let description = format!("an update with {field}: {value}");
        let call = target.osb.update(&instance, instance.plan_id()).set(field, value);
        rules::is_handled(&target.wire.send(call).await?.to(description))?;
    }
    Ok(())
}

/// Returns an odd id that does not occur twice.
fn unique(target: &Target, odd: &str) -> Result<String, Stop> {
    let unique: String = target.instance()?.id().chars().take(8).collect();
    Ok(format!("{odd}-{unique}"))
}

async fn odd_ids(target: &Target) -> Verdict {
    target.require_delete().await?;
    for odd in ODD_IDS {
        let instance = target.instance_with_id(&unique(target, odd)?)?;
        let response = target.wire.send(target.osb.provision(&instance)).await?.to(format!("a provision of {odd:?}"));
        response.must_be(rules::DONE, DECODE)?;
        if response.status() == 202 {
            target.poll(&instance, &response).await?;
        }
        let response = target.wire.send(target.osb.deprovision(&instance)).await?.to(format!("a DELETE of {odd:?}"));
        response.must_be(&[200, 202], DECODE)?;
    }
    Ok(())
}

async fn escaped_slash(target: &Target) -> Verdict {
    target.require_delete().await?;
    let id = unique(target, "a/b")?;
    let instance = target.instance_with_id(&id)?;
    let response = target.wire.send(target.osb.provision(&instance)).await?.to("a provision of \"a/b\"");
    response.must_be(rules::DONE, "Look for the route before the path is decoded.")?;
    let other = target.instance_with_id(&id.replace('/', "%2F"))?;
    let response = target.wire.send(target.osb.deprovision(&other)).await?.to("a DELETE of another, doubly escaped id");
    if response.is_success() {
        return Err(response.fault("Another id deletes the instance.", "Decode the path segment only once."));
    }
    Ok(())
}

async fn odd_binding_ids(target: &Target) -> Verdict {
    target.require_unbind().await?;
    let instance = target.new_instance().await?;
    for odd in ODD_IDS {
        let binding = instance.binding(&unique(target, odd)?);
        let response = target.wire.send(target.osb.bind(&binding)).await?.to(format!("a bind of {odd:?}"));
        response.must_be(rules::DONE, DECODE)?;
        target.await_binding(&binding, &response).await?;
        let response = target.wire.send(target.osb.unbind(&binding)).await?.to(format!("an unbind of {odd:?}"));
        response.must_be(&[200, 202], DECODE)?;
    }
    Ok(())
}

async fn id_is_handled(target: &Target, id: &str) -> Verdict {
    let instance = target.instance_with_id(&unique(target, id)?)?;
    rules::is_handled(&target.wire.send(target.osb.provision(&instance)).await?)?;
    rules::is_handled(&target.wire.send(target.osb.fetch(&instance)).await?)?;
    rules::is_handled(&target.wire.send(target.osb.deprovision(&instance)).await?)
}

async fn long_id(target: &Target) -> Verdict {
    id_is_handled(target, &"a".repeat(1_000)).await
}

async fn control_characters(target: &Target) -> Verdict {
    for id in ["a\0b", "a\r\nb", "\u{1b}[31m"] {
        id_is_handled(target, id).await?;
    }
    Ok(())
}

async fn no_utf_8(target: &Target) -> Verdict {
    let instance = target.instance()?;
    let path = "/v2/service_instances/a%FF%C3-b";
    rules::is_handled(&target.wire.send(target.osb.provision(&instance).path(path)).await?)?;
    let call = target.osb.deprovision(&instance);
    let query = call.url().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    rules::is_handled(&target.wire.send(call.path(format!("{path}?{query}"))).await?)
}

async fn parameters(target: &Target, parameters: Value) -> Verdict {
    let call = target.provision().await?.set("parameters", parameters);
    rules::is_handled(&target.wire.send(call).await?)
}

async fn deep_nesting(target: &Target) -> Verdict {
    let call = target.provision().await?.set("parameters", json!({ "a": "NESTED" }));
    let body = String::from_utf8_lossy(call.request().body()).into_owned();
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    rules::is_handled(&target.wire.send(call.body(body.replace("\"NESTED\"", &nested))).await?)
}

async fn other_methods(target: &Target) -> Verdict {
    let advice = "Answer 405 with an Allow header.";
    target.wire.send(target.osb.catalog().method("POST")).await?.must_be_refused(advice)?;
    let instance = target.instance()?;
    let call = target.osb.provision(&instance).method("POST");
    target.wire.send(call).await?.must_be_refused(advice)?;
    target.wire.send(target.osb.last_operation(&instance, None).method("DELETE")).await?.must_be_refused(advice)
}

async fn allow(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog().method("DELETE")).await?;
    if response.status() != 405 {
        return Err(Stop::skipped(format!("DELETE of the catalog is answered {}, not 405", response.status())));
    }
    match response.header("allow") {
        Some(_) => Ok(()),
        None => Err(response.fault("The 405 has no Allow header.", "List the methods of the path in Allow.")),
    }
}

async fn charset(target: &Target) -> Verdict {
    let call = target.provision().await?.header("content-type", "application/json; charset=utf-8");
    target.wire.send(call).await?.must_be(rules::DONE, "Ignore the parameters of the content type.").map(drop)
}

async fn content_type(target: &Target) -> Verdict {
    for value in ["text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let call = target.provision().await?.header("content-type", value);
        rules::is_handled(&target.wire.send(call).await?.to(format!("the content type {value}")))?;
    }
    Ok(())
}

async fn authorization(target: &Target) -> Verdict {
    for value in ["Basic", "Basic %%%", "Basic dGFsbHk=", "Bearer abc", "nonsense"] {
        let response = target.wire.send(target.osb.catalog().authorization(value)).await?;
        response.to(format!("the Authorization header {value:?}")).must_be(&[400, 401], "Answer 401.")?;
    }
    Ok(())
}

async fn unknown_path(target: &Target) -> Verdict {
    for path in ["/v2/catalogue", "/v2/service_instances", "/v2/service_instances/7/bindings/8"] {
        let response = target.wire.send(target.osb.catalog().path(path)).await?.to(format!("a GET of {path}"));
        response.must_be_refused("Answer 404.")?;
    }
    Ok(())
}

async fn slow_caller(target: &Target) -> Verdict {
    let call = target.provision().await?.slow_body(5, Duration::from_millis(100));
    target.wire.send(call).await?.must_be(rules::DONE, "Wait for the body at least some seconds.").map(drop)
}
