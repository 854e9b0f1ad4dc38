//! What no marketplace sends, and anybody can.

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::{PLAN_CHANGE, Subject, clause};
use crate::check::{Capability, Case, Clause};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const CALM: Clause = clause::practice("nothing that comes from outside is an error of the server");

const REFUSE: &str = "Answer 400 or 422 with a message that says what is missing and where.";
const STUMBLE: &str = "Look into the log for the error behind this answer, and refuse what cannot be read with 400 or 422: \
                       a 5xx is tried again, and wakes somebody up.";

/// Longer than any body of a marketplace, and short enough to be sent in a moment.
const LARGE: usize = 4 * 1024 * 1024;

pub(super) const CASES: &[Case<Subject>] = &[
    Case::should("heroku.malformed.no-json", "A provision whose body is no JSON is refused.", CALM, |it| {
        Box::pin(bodies(
            it,
            &[("half an object", b"{"), ("a word", b"provision"), ("bytes that are no text", b"\xff\xfe")],
        ))
    }),
    Case::should("heroku.malformed.empty", "A provision with an empty body is refused.", CALM, |it| {
        Box::pin(bodies(it, &[("an empty body", b""), ("a body of spaces", b"  ")]))
    }),
    Case::should(
        "heroku.malformed.no-object",
        "A provision whose body is JSON, and no object, is refused.",
        CALM,
        |it| Box::pin(bodies(it, &[("a list", b"[]"), ("null", b"null"), ("a text", b"\"x\""), ("a number", b"7")])),
    ),
    Case::should(
        "heroku.malformed.no-uuid",
        "A provision without a uuid is refused.",
        clause::practice("what has no key would be made again by every retry"),
        |it| Box::pin(no_uuid(it)),
    ),
    Case::should(
        "heroku.malformed.odd-uuid",
        "A provision whose uuid is none does not make the add-on stumble.",
        CALM,
        |it| Box::pin(odd_uuid(it)),
    ),
    Case::should(
        "heroku.malformed.no-plan",
        "A provision without a plan, or with one that is no text, is refused.",
        clause::practice("nobody knows what such a customer pays"),
        |it| Box::pin(no_plan(it)),
    ),
    Case::should(
        "heroku.malformed.field-types",
        "Fields of another type than the documented one do not make the add-on stumble.",
        CALM,
        |it| Box::pin(field_types(it)),
    ),
    Case::should(
        "heroku.malformed.odd-characters",
        "Characters that a database cannot hold do not make the add-on stumble.",
        clause::practice("PostgreSQL takes no NUL, and UTF-8 no lone surrogates"),
        |it| Box::pin(odd_characters(it)),
    ),
    Case::should("heroku.malformed.deep-nesting", "Deeply nested JSON does not make the add-on stumble.", CALM, |it| {
        Box::pin(deep_nesting(it))
    }),
    Case::should(
        "heroku.malformed.large-body",
        "A body of four megabytes does not make the add-on stumble.",
        clause::practice("413 to what is longer than any provision"),
        |it| Box::pin(large_body(it)),
    ),
    Case::should(
        "heroku.malformed.large-body-of-a-stranger",
        "A stranger's body of four megabytes is refused.",
        clause::practice("401 or 413, and the body is not read"),
        |it| Box::pin(large_body_of_a_stranger(it)),
    ),
    Case::should(
        "heroku.malformed.authorization",
        "An Authorization header that cannot be read is answered 401.",
        CALM,
        |it| Box::pin(authorization(it)),
    ),
    Case::should("heroku.malformed.plan-change", "A plan change that cannot be read is refused.", CALM, |it| {
        Box::pin(plan_change(it))
    })
    .needs(PLAN_CHANGE),
    Case::should("heroku.malformed.odd-ids", "Odd ids in the path do not make the add-on stumble.", CALM, |it| {
        Box::pin(odd_ids(it))
    }),
    Case::should(
        "heroku.malformed.other-methods",
        "Methods that are not part of the contract are refused.",
        CALM,
        |it| Box::pin(other_methods(it)),
    ),
    Case::should(
        "heroku.malformed.sign-on",
        "A sign-on form that cannot be read lets nobody in, and does not make the add-on stumble.",
        CALM,
        |it| Box::pin(sign_on(it)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::info(
        "heroku.malformed.message",
        "A refusal says in its message what is wrong.",
        clause::practice("{\"message\"} on every refusal, as with 422"),
        |it| Box::pin(message(it)),
    ),
];

/// Any answer but one of the 5xx.
fn must_be_calm(seen: &Seen) -> Verdict {
    if seen.is_server_error() { Err(seen.wrong_status("a refusal (4xx)", STUMBLE)) } else { Ok(()) }
}

fn must_be_refused(seen: &Seen) -> Verdict {
    must_be_calm(seen)?;
    seen.must_be_refused(REFUSE).map(drop)
}

async fn bodies(it: &Subject, bodies: &[(&str, &[u8])]) -> Verdict {
    for (what, body) in bodies {
        must_be_refused(&it.wire.send(it.order().body(*body)).await?.to(*what))?;
    }
    Ok(())
}

/// Sends all of these values in the place of a field, and none, and insists on refusals.
async fn values(it: &Subject, field: &str, values: &[Value]) -> Verdict {
    must_be_refused(&it.wire.send(it.order().without(field)).await?.to(format!("a provision without a {field}")))?;
    for value in values {
        let seen = it.wire.send(it.order().set(field, value.clone())).await?;
        must_be_refused(&seen.to(format!("a provision whose {field} is {value}")))?;
    }
    Ok(())
}

async fn no_uuid(it: &Subject) -> Verdict {
    values(it, "uuid", &[Value::Null, json!(""), json!(7), json!({})]).await
}

async fn odd_uuid(it: &Subject) -> Verdict {
    for (what, uuid) in
        [("a word in the place of the uuid", "lantern".to_owned()), ("a very long uuid", "a".repeat(10_000))]
    {
        must_be_calm(&it.wire.send(it.order().set("uuid", uuid)).await?.to(what))?;
    }
    Ok(())
}

async fn no_plan(it: &Subject) -> Verdict {
    values(it, "plan", &[Value::Null, json!(""), json!(7), json!(["basic"])]).await
}

async fn field_types(it: &Subject) -> Verdict {
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
        let seen = it.wire.send(it.order().set(field, value)).await?;
        must_be_calm(&seen.to(format!("a {field} of another type")))?;
    }
    Ok(())
}

async fn odd_characters(it: &Subject) -> Verdict {
    for (what, order) in [
        ("a NUL in the plan", it.order().set("plan", "ba\u{0}sic")),
        ("a NUL in the name", it.order().set("name", "lan\u{0}tern")),
        ("a NUL in an option", it.order().set("options", json!({ "label": "\u{0}" }))),
        ("a text that turns the line round", it.order().set("name", "\u{202e}nretnal\u{feff}")),
    ] {
        must_be_calm(&it.wire.send(order).await?.to(what))?;
    }
    let order = it.order();
    let body =
        String::from_utf8_lossy(order.request().body()).replace("\"options\":{}", r#""options":{"label":"\ud800"}"#);
    must_be_calm(&it.wire.send(order.body(body)).await?.to("half of a surrogate pair"))
}

async fn deep_nesting(it: &Subject) -> Verdict {
    let order = it.order();
    let nested = format!("\"options\":{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = String::from_utf8_lossy(order.request().body()).replace("\"options\":{}", &nested);
    must_be_calm(&it.wire.send(order.body(body)).await?.to("lists in lists, 50 000 deep"))
}

/// No answer is a refusal, too, where the caller was still sending; the next one has to be served.
async fn large(it: &Subject, order: Call<Provision>, may_succeed: bool) -> Verdict {
    let order = order.set("padding", "a".repeat(LARGE));
    if let Ok(seen) = it.wire.attempt(order).await {
        let seen = seen.to("a body of four megabytes");
        must_be_calm(&seen)?;
        if !(may_succeed && seen.is_success()) {
            seen.must_be_refused("Refuse it: 401 to a stranger, else 413.")?;
        }
    }
    let after = it.wire.attempt(it.market.deprovision(&it.market.new_uuid())).await;
    match after {
        Ok(seen) => must_be_calm(&seen.to("a call after a body of four megabytes")),
        Err(silence) => {
            Err(silence.fault("Limit what is read of a body, so that one caller cannot use up the memory."))
        }
    }
}

async fn large_body(it: &Subject) -> Verdict {
    large(it, it.order(), true).await
}

async fn large_body_of_a_stranger(it: &Subject) -> Verdict {
    large(it, it.order().credentials(&it.slug, "a stranger's"), false).await
}

async fn authorization(it: &Subject) -> Verdict {
    let long = format!("Basic {}", "QUFB".repeat(1_000));
    for (what, header) in [
        ("Basic without credentials", "Basic"),
        ("Basic with padding alone", "Basic ===="),
        ("Basic with no colon inside", "Basic bGFudGVybg=="),
        ("bytes that are no text inside the base64", "Basic //79"),
        ("a scheme that nobody knows", "Lantern x=\"1\", y"),
        ("4 000 characters of credentials", long.as_str()),
    ] {
        let seen = it.wire.send(it.order().authorization(header)).await?.to(what);
        if seen.status() != 431 {
            must_be_calm(&seen)?;
            seen.must_be(&[401], "Treat what cannot be read as wrong credentials, and answer 401.")?;
        }
    }
    Ok(())
}

async fn plan_change(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    for (what, body) in [
        ("half an object", "{"),
        ("an empty body", ""),
        ("an object without a plan", "{}"),
        ("null", "null"),
        ("a plan that is a number", r#"{"plan":7}"#),
    ] {
        let seen = it.wire.send(it.plan_change(&resource, it.plan()).body(body)).await?;
        must_be_refused(&seen.to(format!("a plan change whose body is {what}")))?;
    }
    Ok(())
}

async fn odd_ids(it: &Subject) -> Verdict {
    it.ready()?;
    let long = "a".repeat(2_000);
    for id in ["a%00b", "..%2F..%2Fetc", "%FF%FE", "'%20OR%20'1'='1", "sso", "%F0%9F%92%BE", "%20", "-1", long.as_str()]
    {
        let path = format!("/resources/{id}");
        let what = format!("the id {}", id.get(..40).unwrap_or(id));
        let change = it.market.plan_change("7", it.plan()).path(&path);
        let seen = it.wire.send(change).await?.to(format!("a plan change of {what}"));
        must_be_refused(&seen)?;
        let seen = it.wire.send(it.market.deprovision("7").path(&path)).await?;
        must_be_calm(&seen.to(format!("a deprovision of {what}")))?;
    }
    Ok(())
}

async fn other_methods(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    for (method, at_resource) in [("GET", false), ("PATCH", false), ("PATCH", true), ("POST", true)] {
        let mut call = it.plan_change(&resource, it.plan()).method(method);
        if !at_resource {
            call = call.path("/resources");
        }
        if method == "GET" {
            call = call.body("").without_header("content-type");
        }
        let seen = it
            .wire
            .send(call)
            .await?
            .to(format!("{method} {}", if at_resource { "of a resource" } else { "of them all" }));
        must_be_calm(&seen)?;
    }
    Ok(())
}

async fn sign_on(it: &Subject) -> Verdict {
    let (_, form) = it.good_form().await?;
    let large = format!("padding={}", "a".repeat(1024 * 1024));
    for (what, body) in [
        ("an empty form", b"".as_slice()),
        ("broken escapes", b"%zz=%&=&resource_id=%ff&timestamp=%"),
        ("bytes that are no text", b"resource_id=\xff\xfe&timestamp=\xff"),
        ("JSON", b"{\"resource_id\":\"7\"}"),
        ("fields that are there twice", b"token=a&token=b&timestamp=1&timestamp=2&id=1&id=2"),
        ("a form of a megabyte", large.as_bytes()),
    ] {
        let seen = match it.wire.attempt(form.clone().body(body)).await {
            Ok(seen) => seen.to(format!("a form that is {what}")),
            Err(_) if body.len() > 1024 * 1024 => continue, // it was not listened to, see the next check
            Err(silence) => return Err(silence.into()),
        };
        must_be_calm(&seen)?;
        seen.must_be_refused("Answer 403, as to any form without a good token.")?;
    }
    Ok(())
}

async fn message(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order().body("{")).await?;
    if !(400..500).contains(&seen.status()) {
        return Err(Stop::skipped("it is not refused (see heroku.malformed.no-json)"));
    }
    match seen.value().as_ref().and_then(|body| body["message"].as_str()) {
        Some(message) if !message.is_empty() => Ok(()),
        _ => Err(seen.fault(
            "The refusal holds no JSON with a message.",
            "Say in a sentence what could not be read, and where.",
        )),
    }
}
