//! Unusual and malformed requests.

use std::time::Duration;

use serde_json::{Value, json};

use super::citation::practice;
use super::rules::PROVISIONED;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const HANDLED: Citation = practice("no input causes a server error");
const UNREADABLE: Citation = practice("invalid input is a client error");

const ADVICE: &str = "Answer 400 with an error.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::should("vercel.robustness.no-json", "A provision that is not JSON is answered 400.", UNREADABLE, |target| {
        Box::pin(body(target, "{\"productId\":"))
    }),
    Case::should("vercel.robustness.empty", "A provision without a body is answered 400.", UNREADABLE, |target| {
        Box::pin(body(target, ""))
    }),
    Case::should("vercel.robustness.no-object", "A provision that is a list is answered 400.", UNREADABLE, |target| {
        Box::pin(body(target, "[]"))
    }),
    Case::should("vercel.robustness.types", "Fields of other types are answered 400.", UNREADABLE, |target| {
        Box::pin(types(target))
    }),
    Case::should("vercel.robustness.large", "A body of a megabyte causes no server error.", HANDLED, |target| {
        Box::pin(handled(target, |call| call.set("name", "x".repeat(1_000_000))))
    }),
    Case::should("vercel.robustness.nested", "Deeply nested metadata causes no server error.", HANDLED, |target| {
        let nested = || format!("{{\"metadata\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        Box::pin(async move { handled_body(target, nested()).await })
    }),
    Case::should(
        "vercel.robustness.control-characters",
        "A NUL in a name causes no server error.",
        HANDLED,
        |target| Box::pin(handled(target, |call| call.set("name", "a\u{0}b"))),
    ),
    Case::should("vercel.robustness.long-key", "A long Idempotency-Key causes no server error.", HANDLED, |target| {
        Box::pin(handled(target, |call| call.header("idempotency-key", "k".repeat(2_000))))
    }),
    Case::should("vercel.robustness.charset", "A content type with a charset is accepted.", CHARSET, |target| {
        Box::pin(charset(target))
    }),
    Case::should("vercel.robustness.slow-body", "A body that arrives slowly is accepted.", SLOW, |target| {
        Box::pin(slow_body(target))
    }),
    Case::should("vercel.robustness.unknown-path", "An unknown path is answered 404.", HANDLED, |target| {
        Box::pin(unknown_path(target))
    }),
];

const CHARSET: Citation =
    Citation { source: crate::check::Source::Rfc(9110), summary: "a media type may have parameters" };
const SLOW: Citation = practice("connections are slow at times");

async fn body(target: &Target, body: &str) -> Verdict {
    let installation = target.new_resource().await?.installation;
    target.wire.send(target.provision(&installation).body(body)).await?.must_be(&[400, 422], ADVICE).map(drop)
}

async fn types(target: &Target) -> Verdict {
    let installation = target.new_resource().await?.installation;
    for (field, value) in [
        ("billingPlanId", json!(7)),
        ("billingPlanId", json!({})),
        ("productId", json!([])),
        ("name", json!({ "a": 1 })),
        ("metadata", json!("text")),
        ("metadata", Value::Null),
    ] {
        let response = target.wire.send(target.provision(&installation).set(field, value)).await?;
        response.to(format!("a provision with another type of {field}")).must_be(&[400, 422], ADVICE)?;
    }
    Ok(())
}

type Call = maitre_testkit::Call<maitre_testkit::Json>;

async fn handled(target: &Target, change: fn(Call) -> Call) -> Verdict {
    let installation = target.new_resource().await?.installation;
    must_be_handled(target, change(target.provision(&installation))).await
}

async fn handled_body(target: &Target, body: String) -> Verdict {
    let installation = target.new_resource().await?.installation;
    must_be_handled(target, target.provision(&installation).body(body)).await
}

/// Requires a response that is not a server error, and an add-on that continues to answer.
async fn must_be_handled(target: &Target, call: Call) -> Verdict {
    let response = target.wire.send(call).await?;
    if response.is_server_error() {
        return Err(response.wrong_status("a success or a client error", ADVICE));
    }
    target.new_resource().await.map(drop).map_err(|stop| match stop {
        Stop::Skipped(reason) => response.fault(format!("Afterwards, {reason}."), "Keep requests apart."),
        failed @ Stop::Failed(_) => failed,
    })
}

async fn charset(target: &Target) -> Verdict {
    let installation = target.new_resource().await?.installation;
    let call = target.provision(&installation).header("content-type", "application/json; charset=utf-8");
    target.wire.send(call).await?.must_be(PROVISIONED, "Accept parameters of the content type.").map(drop)
}

async fn slow_body(target: &Target) -> Verdict {
    let installation = target.new_resource().await?.installation;
    let call = target.provision(&installation).slow_body(5, Duration::from_millis(100));
    target.wire.send(call).await?.must_be(PROVISIONED, "Wait for the complete body.").map(drop)
}

async fn unknown_path(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let path = format!("/v1/installations/{}/an-unknown-path", resource.installation.id());
    target.wire.send(target.read(&resource).path(path)).await?.must_be(&[403, 404, 405], "Answer 404.").map(drop)
}
