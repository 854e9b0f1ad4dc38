//! Malformed and hostile requests.

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::citation;
use super::sso::Form;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::run::CheckTarget as _;
use crate::verdict::{Stop, Verdict};

const NO_SERVER_ERROR: Citation = citation::practice("invalid input is not a server error");

const REFUSE: &str = "Answer 400 or 422 with a message that says what is wrong and where.";
const NO_5XX: &str = "Look in the add-on's log for the error behind this response, and refuse invalid input with 400 or \
                      422: a 5xx is retried, and alerts an operator.";

/// Larger than any body of a marketplace, but small enough to be sent quickly.
const LARGE: usize = 4 * 1024 * 1024;

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.malformed.no-json",
        "A provision whose body is not JSON is refused.",
        NO_SERVER_ERROR,
        |target| {
            Box::pin(bodies(
                target,
                &[("half an object", b"{"), ("a word", b"provision"), ("bytes that are not text", b"\xff\xfe")],
            ))
        },
    ),
    Case::should("heroku.malformed.empty", "A provision with an empty body is refused.", NO_SERVER_ERROR, |target| {
        Box::pin(bodies(target, &[("an empty body", b""), ("a body of spaces", b"  ")]))
    }),
    Case::should(
        "heroku.malformed.no-object",
        "A provision whose body is JSON but not an object is refused.",
        NO_SERVER_ERROR,
        |target| {
            Box::pin(bodies(
                target,
                &[("a list", b"[]"), ("null", b"null"), ("a string", b"\"x\""), ("a number", b"7")],
            ))
        },
    ),
    Case::should(
        "heroku.malformed.no-uuid",
        "A provision without a uuid is refused.",
        citation::practice("without a key, every retry would create a resource"),
        |target| Box::pin(no_uuid(target)),
    ),
    Case::should(
        "heroku.malformed.odd-uuid",
        "A provision with an invalid uuid does not cause a server error.",
        NO_SERVER_ERROR,
        |target| Box::pin(odd_uuid(target)),
    ),
    Case::should(
        "heroku.malformed.no-plan",
        "A provision without a plan, or with a plan that is not a string, is refused.",
        citation::practice("the price of such a provision is unknown"),
        |target| Box::pin(no_plan(target)),
    ),
    Case::should(
        "heroku.malformed.field-types",
        "Fields of the wrong type do not cause a server error.",
        NO_SERVER_ERROR,
        |target| Box::pin(field_types(target)),
    ),
    Case::should(
        "heroku.malformed.odd-characters",
        "Characters that a database cannot store do not cause a server error.",
        citation::practice("PostgreSQL rejects NUL, and UTF-8 lone surrogates"),
        |target| Box::pin(odd_characters(target)),
    ),
    Case::should(
        "heroku.malformed.deep-nesting",
        "Deeply nested JSON does not cause a server error.",
        NO_SERVER_ERROR,
        |target| Box::pin(deep_nesting(target)),
    ),
    Case::should(
        "heroku.malformed.large-body",
        "A body of four megabytes does not cause a server error.",
        citation::practice("413 for a body that is larger than any provision"),
        |target| Box::pin(large_body(target)),
    )
    .alone(),
    Case::should(
        "heroku.malformed.large-unauthenticated-body",
        "An unauthenticated body of four megabytes is refused.",
        citation::practice("401 or 413, and the body is not read"),
        |target| Box::pin(large_unauthenticated_body(target)),
    )
    .alone(),
    Case::should(
        "heroku.malformed.authorization",
        "An invalid Authorization header is answered 401.",
        NO_SERVER_ERROR,
        |target| Box::pin(authorization(target)),
    ),
    Case::should("heroku.malformed.plan-change", "An invalid plan change is refused.", NO_SERVER_ERROR, |target| {
        Box::pin(plan_change(target))
    })
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.malformed.odd-ids",
        "Unusual ids in the path do not cause a server error.",
        NO_SERVER_ERROR,
        |target| Box::pin(odd_ids(target)),
    ),
    Case::should(
        "heroku.malformed.other-methods",
        "Methods outside the contract do not cause a server error other than 501.",
        citation::rfc(9110, "405 for a method that is not allowed, 501 for one that is not implemented"),
        |target| Box::pin(other_methods(target)),
    ),
    Case::should(
        "heroku.malformed.sign-on",
        "An invalid sign-on form is refused, and does not cause a server error.",
        NO_SERVER_ERROR,
        |target| Box::pin(sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::info(
        "heroku.malformed.message",
        "A refusal has a message.",
        citation::practice("{\"message\"} on every refusal, as with 422"),
        |target| Box::pin(message(target)),
    ),
];

/// Requires any status but a server error.
fn must_not_be_5xx(response: &Response) -> Verdict {
    if response.is_server_error() { Err(response.wrong_status("a client error (4xx)", NO_5XX)) } else { Ok(()) }
}

fn must_be_refused(response: &Response) -> Verdict {
    must_not_be_5xx(response)?;
    response.must_be_refused(REFUSE)
}

async fn bodies(target: &Target, bodies: &[(&str, &[u8])]) -> Verdict {
    target.require_provision().await?;
    for (description, body) in bodies {
        must_be_refused(&target.wire.send(target.provision().body(*body)).await?.to(*description))?;
    }
    Ok(())
}

/// Omits a field, replaces it by each of these values, and requires refusals.
async fn values(target: &Target, field: &str, values: &[Value]) -> Verdict {
    target.require_provision().await?;
    must_be_refused(
        &target.wire.send(target.provision().without(field)).await?.to(format!("a provision without a {field}")),
    )?;
    for value in values {
        let response = target.wire.send(target.provision().set(field, value.clone())).await?;
        must_be_refused(&response.to(format!("a provision whose {field} is {value}")))?;
    }
    Ok(())
}

async fn no_uuid(target: &Target) -> Verdict {
    values(target, "uuid", &[Value::Null, json!(""), json!(7), json!({})]).await
}

async fn odd_uuid(target: &Target) -> Verdict {
    target.require_provision().await?;
    for (description, uuid) in
        [("a word instead of a uuid", "lantern".to_owned()), ("a very long uuid", target.long_id())]
    {
        must_not_be_5xx(&target.wire.send(target.provision().set("uuid", uuid)).await?.to(description))?;
    }
    Ok(())
}

async fn no_plan(target: &Target) -> Verdict {
    values(target, "plan", &[Value::Null, json!(""), json!(7), json!(["basic"])]).await
}

async fn field_types(target: &Target) -> Verdict {
    target.require_provision().await?;
    for (field, value) in [
        ("region", json!(7)),
        ("name", json!(["a"])),
        ("options", json!("all")),
        ("options", json!({ "depth": { "of": 2 }, "count": 7 })),
        ("callback_url", json!(false)),
        ("oauth_grant", json!("code")),
        ("oauth_grant", json!({ "code": 7, "type": null, "expires_at": [] })),
        ("plan", json!("b".repeat(10_000))),
    ] {
        let response = target.wire.send(target.provision().set(field, value)).await?;
        must_not_be_5xx(&response.to(format!("a {field} of the wrong type")))?;
    }
    Ok(())
}

async fn odd_characters(target: &Target) -> Verdict {
    target.require_provision().await?;
    for (description, provision) in [
        ("a NUL in the plan", target.provision().set("plan", "ba\u{0}sic")),
        ("a NUL in the name", target.provision().set("name", "lan\u{0}tern")),
        ("a NUL in an option", target.provision().set("options", json!({ "label": "\u{0}" }))),
        ("a text with a bidirectional override", target.provision().set("name", "\u{202e}nretnal\u{feff}")),
    ] {
        must_not_be_5xx(&target.wire.send(provision).await?.to(description))?;
    }
    let provision = target.provision();
    let body = String::from_utf8_lossy(provision.request().body())
        .replace(&options_of(target), r#""options":{"label":"\ud800"}"#);
    must_not_be_5xx(&target.wire.send(provision.body(body)).await?.to("a lone surrogate"))
}

/// Returns the options of every provision, as its body contains them.
fn options_of(target: &Target) -> String {
    format!("\"options\":{}", target.options())
}

async fn deep_nesting(target: &Target) -> Verdict {
    target.require_provision().await?;
    let provision = target.provision();
    let nested = format!("\"options\":{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = String::from_utf8_lossy(provision.request().body()).replace(&options_of(target), &nested);
    must_not_be_5xx(&target.wire.send(provision.body(body)).await?.to("lists nested 50,000 levels deep"))
}

/// Sends a large body. A missing response is a refusal, too, as the caller was still sending; an ordinary provision must
/// succeed afterwards, as it did before.
async fn large(target: &Target, provision: Call<Provision>, may_succeed: bool) -> Verdict {
    target.require_provision().await?;
    let provision = provision.set("padding", "a".repeat(LARGE));
    if let Ok(response) = target.wire.try_send(provision).await {
        let response = response.to("a body of four megabytes");
        must_not_be_5xx(&response)?;
        if !(may_succeed && response.is_success()) {
            response.must_be_refused("Answer 413, or 401 to an unauthenticated request.")?;
        }
    }
    let advice = "Limit the size of a body, so that one caller cannot exhaust the memory.";
    match target.wire.try_send(target.provision()).await {
        Ok(response) => {
            response.to("an ordinary provision after a body of four megabytes").must_succeed("a success", advice)
        }
        Err(no_response) => Err(no_response.fault(advice)),
    }
}

async fn large_body(target: &Target) -> Verdict {
    large(target, target.provision(), true).await
}

async fn large_unauthenticated_body(target: &Target) -> Verdict {
    large(target, target.provision().credentials(&target.slug, "wrong"), false).await
}

async fn authorization(target: &Target) -> Verdict {
    target.require_provision().await?;
    let long = format!("Basic {}", "QUFB".repeat(1_000));
    for (description, header) in [
        ("Basic without credentials", "Basic"),
        ("Basic with padding only", "Basic ===="),
        ("Basic credentials without a colon", "Basic bGFudGVybg=="),
        ("Basic credentials that are not UTF-8", "Basic //79"),
        ("an unknown scheme", "Lantern x=\"1\", y"),
        ("4,000 characters of credentials", long.as_str()),
    ] {
        let response = target.wire.send(target.provision().authorization(header)).await?.to(description);
        if response.status() != 431 {
            must_not_be_5xx(&response)?;
            response.must_be(&[401], "Treat an invalid header as wrong credentials, and answer 401.")?;
        }
    }
    Ok(())
}

async fn plan_change(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.shared_resource().await?;
    for (description, body) in [
        ("half an object", "{"),
        ("an empty body", ""),
        ("an object without a plan", "{}"),
        ("null", "null"),
        ("a plan that is a number", r#"{"plan":7}"#),
    ] {
        let response = target.wire.send(target.plan_change(&resource, target.plan()).body(body)).await?;
        must_be_refused(&response.to(format!("a plan change whose body is {description}")))?;
    }
    Ok(())
}

async fn odd_ids(target: &Target) -> Verdict {
    target.require_ready()?;
    target.require_deprovision().await?;
    let changes_plans = target.lacks(Capability::PlanChange).is_none() && target.require_plan_change().await.is_ok();
    let long = target.long_id();
    for id in ["a%00b", "..%2F..%2Fetc", "%FF%FE", "'%20OR%20'1'='1", "sso", "%F0%9F%92%BE", "%20", "-1", long.as_str()]
    {
        let path = format!("/resources/{id}");
        let description = format!("the id {}", id.get(..40).unwrap_or(id));
        if changes_plans {
            let change = target.plan_change_of("7", target.plan()).path(&path);
            let response = target.wire.send(change).await?.to(format!("a plan change of {description}"));
            must_be_refused(&response)?;
        }
        let response = target.wire.send(target.heroku.deprovision("7").path(&path)).await?;
        must_not_be_5xx(&response.to(format!("a deprovision of {description}")))?;
    }
    Ok(())
}

async fn other_methods(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    for (method, at_resource) in [("GET", false), ("PATCH", false), ("PATCH", true), ("POST", true)] {
        let mut call = target.plan_change(&resource, target.plan()).method(method);
        if !at_resource {
            call = call.path("/resources");
        }
        if method == "GET" {
            call = call.body("").without_header("content-type");
        }
        let response = target
            .wire
            .send(call)
            .await?
            .to(format!("{method} {}", if at_resource { "on a resource" } else { "on the collection" }));
        if response.status() != 501 {
            must_not_be_5xx(&response)?;
        }
    }
    Ok(())
}

/// Sends invalid queries where single sign-on is a GET.
async fn sign_on_by_get(target: &Target, link: Form) -> Verdict {
    let url = link.request().url().to_owned();
    let path = url.split('?').next().and_then(|url| url.strip_prefix(target.root.as_str())).unwrap_or_default();
    let link = link.fields().into_iter().fold(link, |link, (name, _)| link.without(name));
    for (description, query) in [
        ("no query", String::new()),
        ("a query with invalid escapes", "%zz=%&=&token=%ff&timestamp=%".to_owned()),
        ("a query with duplicate fields", "token=a&token=b&timestamp=1&timestamp=2".to_owned()),
        ("a long query", format!("padding={}", "a".repeat(4_000))),
    ] {
        let response = target.post(link.clone().path(format!("{path}?{query}"))).await?.to(description);
        must_not_be_5xx(&response)?;
        response.must_be_refused("Answer 403, as to any request without a valid token.")?;
    }
    Ok(())
}

async fn sign_on(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    if target.sso_endpoint()?.by_get {
        return sign_on_by_get(target, form).await;
    }
    let large = format!("padding={}", "a".repeat(1024 * 1024));
    for (description, body) in [
        ("an empty form", b"".as_slice()),
        ("a form with invalid escapes", b"%zz=%&=&resource_id=%ff&timestamp=%"),
        ("bytes that are not text", b"resource_id=\xff\xfe&timestamp=\xff"),
        ("a JSON body", b"{\"resource_id\":\"7\"}"),
        ("a form with duplicate fields", b"token=a&token=b&timestamp=1&timestamp=2&id=1&id=2"),
        ("a form of a megabyte", large.as_bytes()),
    ] {
        let response = match target.wire.try_send(form.clone().body(body)).await {
            Ok(response) => response.to(description),
            Err(_) if body.len() > 1024 * 1024 => continue, // the add-on stopped reading, which is a refusal
            Err(no_response) => return Err(no_response.into()),
        };
        must_not_be_5xx(&response)?;
        response.must_be_refused("Answer 403, as to any form without a valid token.")?;
    }
    Ok(())
}

async fn message(target: &Target) -> Verdict {
    target.require_provision().await?;
    let response = target.wire.send(target.provision().body("{")).await?;
    if !(400..500).contains(&response.status()) {
        return Err(Stop::skipped("an invalid body is not refused (see heroku.malformed.no-json)"));
    }
    match response.json().as_ref().and_then(|body| body["message"].as_str()) {
        Some(message) if !message.is_empty() => Ok(()),
        _ => Err(response.fault(
            "The refusal has no JSON body with a message.",
            "Send a message that says what is wrong and where.",
        )),
    }
}
