//! What no marketplace sends, and anybody can.

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::citation;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const NO_SERVER_ERROR: Citation = citation::practice("nothing that comes from outside is an error of the server");

const REFUSE: &str = "Answer 400 or 422 with a message that says what is missing and where.";
const NO_5XX: &str = "Look into the log for the error behind this answer, and refuse what cannot be read with 400 or 422: \
                       a 5xx is tried again, and wakes somebody up.";

/// Longer than any body of a marketplace, and short enough to be sent in a delay.
const LARGE: usize = 4 * 1024 * 1024;

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.malformed.no-json",
        "A provision whose body is no JSON is refused.",
        NO_SERVER_ERROR,
        |target| {
            Box::pin(bodies(
                target,
                &[("half an object", b"{"), ("a word", b"provision"), ("bytes that are no text", b"\xff\xfe")],
            ))
        },
    ),
    Case::should("heroku.malformed.empty", "A provision with an empty body is refused.", NO_SERVER_ERROR, |target| {
        Box::pin(bodies(target, &[("an empty body", b""), ("a body of spaces", b"  ")]))
    }),
    Case::should(
        "heroku.malformed.no-object",
        "A provision whose body is JSON, and no object, is refused.",
        NO_SERVER_ERROR,
        |target| {
            Box::pin(bodies(target, &[("a list", b"[]"), ("null", b"null"), ("a text", b"\"x\""), ("a number", b"7")]))
        },
    ),
    Case::should(
        "heroku.malformed.no-uuid",
        "A provision without a uuid is refused.",
        citation::practice("what has no key would be made again by every retry"),
        |target| Box::pin(no_uuid(target)),
    ),
    Case::should(
        "heroku.malformed.odd-uuid",
        "A provision whose uuid is none does not make the add-on stumble.",
        NO_SERVER_ERROR,
        |target| Box::pin(odd_uuid(target)),
    ),
    Case::should(
        "heroku.malformed.no-plan",
        "A provision without a plan, or with one that is no text, is refused.",
        citation::practice("nobody knows what such a customer pays"),
        |target| Box::pin(no_plan(target)),
    ),
    Case::should(
        "heroku.malformed.field-types",
        "Fields of another type than the documented one do not make the add-on stumble.",
        NO_SERVER_ERROR,
        |target| Box::pin(field_types(target)),
    ),
    Case::should(
        "heroku.malformed.odd-characters",
        "Characters that a database cannot hold do not make the add-on stumble.",
        citation::practice("PostgreSQL takes no NUL, and UTF-8 no lone surrogates"),
        |target| Box::pin(odd_characters(target)),
    ),
    Case::should(
        "heroku.malformed.deep-nesting",
        "Deeply nested JSON does not make the add-on stumble.",
        NO_SERVER_ERROR,
        |target| Box::pin(deep_nesting(target)),
    ),
    Case::should(
        "heroku.malformed.large-body",
        "A body of four megabytes does not make the add-on stumble.",
        citation::practice("413 to what is longer than any provision"),
        |target| Box::pin(large_body(target)),
    ),
    Case::should(
        "heroku.malformed.large-body-of-a-stranger",
        "A stranger's body of four megabytes is refused.",
        citation::practice("401 or 413, and the body is not read"),
        |target| Box::pin(large_body_of_a_stranger(target)),
    ),
    Case::should(
        "heroku.malformed.authorization",
        "An Authorization header that cannot be read is answered 401.",
        NO_SERVER_ERROR,
        |target| Box::pin(authorization(target)),
    ),
    Case::should(
        "heroku.malformed.plan-change",
        "A plan change that cannot be read is refused.",
        NO_SERVER_ERROR,
        |target| Box::pin(plan_change(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.malformed.odd-ids",
        "Odd ids in the path do not make the add-on stumble.",
        NO_SERVER_ERROR,
        |target| Box::pin(odd_ids(target)),
    ),
    Case::should(
        "heroku.malformed.other-methods",
        "Methods that are not part of the contract are refused.",
        NO_SERVER_ERROR,
        |target| Box::pin(other_methods(target)),
    ),
    Case::should(
        "heroku.malformed.sign-on",
        "A sign-on form that cannot be read lets nobody in, and does not make the add-on stumble.",
        NO_SERVER_ERROR,
        |target| Box::pin(sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::info(
        "heroku.malformed.message",
        "A refusal says in its message what is wrong.",
        citation::practice("{\"message\"} on every refusal, as with 422"),
        |target| Box::pin(message(target)),
    ),
];

/// Any answer but one of the 5xx.
fn must_not_be_5xx(response: &Response) -> Verdict {
    if response.is_server_error() { Err(response.wrong_status("a refusal (4xx)", NO_5XX)) } else { Ok(()) }
}

fn must_be_refused(response: &Response) -> Verdict {
    must_not_be_5xx(response)?;
    response.must_be_refused(REFUSE).map(drop)
}

async fn bodies(target: &Target, bodies: &[(&str, &[u8])]) -> Verdict {
    for (what, body) in bodies {
        must_be_refused(&target.wire.send(target.provision().body(*body)).await?.to(*what))?;
    }
    Ok(())
}

/// Sends all of these values in the place of a field, and none, and insists on refusals.
async fn values(target: &Target, field: &str, values: &[Value]) -> Verdict {
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
    for (what, uuid) in
        [("a word in the place of the uuid", "lantern".to_owned()), ("a very long uuid", "a".repeat(10_000))]
    {
        must_not_be_5xx(&target.wire.send(target.provision().set("uuid", uuid)).await?.to(what))?;
    }
    Ok(())
}

async fn no_plan(target: &Target) -> Verdict {
    values(target, "plan", &[Value::Null, json!(""), json!(7), json!(["basic"])]).await
}

async fn field_types(target: &Target) -> Verdict {
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
        must_not_be_5xx(&response.to(format!("a {field} of another type")))?;
    }
    Ok(())
}

async fn odd_characters(target: &Target) -> Verdict {
    for (what, provision) in [
        ("a NUL in the plan", target.provision().set("plan", "ba\u{0}sic")),
        ("a NUL in the name", target.provision().set("name", "lan\u{0}tern")),
        ("a NUL in an option", target.provision().set("options", json!({ "label": "\u{0}" }))),
        ("a text that turns the line round", target.provision().set("name", "\u{202e}nretnal\u{feff}")),
    ] {
        must_not_be_5xx(&target.wire.send(provision).await?.to(what))?;
    }
    let provision = target.provision();
    let body = String::from_utf8_lossy(provision.request().body())
        .replace("\"options\":{}", r#""options":{"label":"\ud800"}"#);
    must_not_be_5xx(&target.wire.send(provision.body(body)).await?.to("half of a surrogate pair"))
}

async fn deep_nesting(target: &Target) -> Verdict {
    let provision = target.provision();
    let nested = format!("\"options\":{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = String::from_utf8_lossy(provision.request().body()).replace("\"options\":{}", &nested);
    must_not_be_5xx(&target.wire.send(provision.body(body)).await?.to("lists in lists, 50 000 deep"))
}

/// No answer is a refusal, too, where the caller was still sending; the next one has to be served.
async fn large(target: &Target, provision: Call<Provision>, may_succeed: bool) -> Verdict {
    let provision = provision.set("padding", "a".repeat(LARGE));
    if let Ok(response) = target.wire.try_send(provision).await {
        let response = response.to("a body of four megabytes");
        must_not_be_5xx(&response)?;
        if !(may_succeed && response.is_success()) {
            response.must_be_refused("Refuse it: 401 to a stranger, else 413.")?;
        }
    }
    let after = target.wire.try_send(target.heroku.deprovision(&target.heroku.new_uuid())).await;
    match after {
        Ok(response) => must_not_be_5xx(&response.to("a call after a body of four megabytes")),
        Err(no_response) => {
            Err(no_response.fault("Limit what is read of a body, so that one caller cannot use up the memory."))
        }
    }
}

async fn large_body(target: &Target) -> Verdict {
    large(target, target.provision(), true).await
}

async fn large_body_of_a_stranger(target: &Target) -> Verdict {
    large(target, target.provision().credentials(&target.slug, "a stranger's"), false).await
}

async fn authorization(target: &Target) -> Verdict {
    let long = format!("Basic {}", "QUFB".repeat(1_000));
    for (what, header) in [
        ("Basic without credentials", "Basic"),
        ("Basic with padding alone", "Basic ===="),
        ("Basic with no colon inside", "Basic bGFudGVybg=="),
        ("bytes that are no text inside the base64", "Basic //79"),
        ("a scheme that nobody knows", "Lantern x=\"1\", y"),
        ("4 000 characters of credentials", long.as_str()),
    ] {
        let response = target.wire.send(target.provision().authorization(header)).await?.to(what);
        if response.status() != 431 {
            must_not_be_5xx(&response)?;
            response.must_be(&[401], "Treat what cannot be read as wrong credentials, and answer 401.")?;
        }
    }
    Ok(())
}

async fn plan_change(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    for (what, body) in [
        ("half an object", "{"),
        ("an empty body", ""),
        ("an object without a plan", "{}"),
        ("null", "null"),
        ("a plan that is a number", r#"{"plan":7}"#),
    ] {
        let response = target.wire.send(target.plan_change(&resource, target.plan()).body(body)).await?;
        must_be_refused(&response.to(format!("a plan change whose body is {what}")))?;
    }
    Ok(())
}

async fn odd_ids(target: &Target) -> Verdict {
    target.require_ready()?;
    let long = "a".repeat(2_000);
    for id in ["a%00b", "..%2F..%2Fetc", "%FF%FE", "'%20OR%20'1'='1", "sso", "%F0%9F%92%BE", "%20", "-1", long.as_str()]
    {
        let path = format!("/resources/{id}");
        let what = format!("the id {}", id.get(..40).unwrap_or(id));
        let change = target.heroku.plan_change("7", target.plan()).path(&path);
        let response = target.wire.send(change).await?.to(format!("a plan change of {what}"));
        must_be_refused(&response)?;
        let response = target.wire.send(target.heroku.deprovision("7").path(&path)).await?;
        must_not_be_5xx(&response.to(format!("a deprovision of {what}")))?;
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
            .to(format!("{method} {}", if at_resource { "of a resource" } else { "of them all" }));
        must_not_be_5xx(&response)?;
    }
    Ok(())
}

async fn sign_on(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let large = format!("padding={}", "a".repeat(1024 * 1024));
    for (what, body) in [
        ("an empty form", b"".as_slice()),
        ("broken escapes", b"%zz=%&=&resource_id=%ff&timestamp=%"),
        ("bytes that are no text", b"resource_id=\xff\xfe&timestamp=\xff"),
        ("JSON", b"{\"resource_id\":\"7\"}"),
        ("fields that are there twice", b"token=a&token=b&timestamp=1&timestamp=2&id=1&id=2"),
        ("a form of a megabyte", large.as_bytes()),
    ] {
        let response = match target.wire.try_send(form.clone().body(body)).await {
            Ok(response) => response.to(format!("a form that is {what}")),
            Err(_) if body.len() > 1024 * 1024 => continue, // it was not listened to, see the next check
            Err(no_response) => return Err(no_response.into()),
        };
        must_not_be_5xx(&response)?;
        response.must_be_refused("Answer 403, as to any form without a good token.")?;
    }
    Ok(())
}

async fn message(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().body("{")).await?;
    if !(400..500).contains(&response.status()) {
        return Err(Stop::skipped("it is not refused (see heroku.malformed.no-json)"));
    }
    match response.json().as_ref().and_then(|body| body["message"].as_str()) {
        Some(message) if !message.is_empty() => Ok(()),
        _ => Err(response.fault(
            "The refusal holds no JSON with a message.",
            "Say in a sentence what could not be read, and where.",
        )),
    }
}
