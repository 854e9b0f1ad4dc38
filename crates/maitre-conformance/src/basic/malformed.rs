//! Malformed provisions.

use serde_json::{Value, json};

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::target::Target;
use crate::check::Case;
use crate::response::Response;
use crate::verdict::Verdict;

/// Larger than any body of a marketplace, but small enough to be sent quickly.
const LARGE: usize = 4 * 1024 * 1024;

const HANDLED: Clause = Clause::practice("invalid input is not a server error");
const REFUSE: &str = "Answer 400 with a message that says what is wrong and where.";
const NO_5XX: &str = "Refuse invalid input with 400 or 422: a server error alerts an operator.";

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let malformed = M::CONTRACT.clauses.malformed;
    vec![
        case(
            "malformed.no-json",
            "A provision whose body is not JSON is answered with a client error.",
            malformed,
            |target| {
                Box::pin(bodies(
                    target,
                    &[("half an object", b"{"), ("a word", b"provision"), ("bytes that are not text", b"\xff\xfe")],
                ))
            },
        ),
        case(
            "malformed.empty",
            "A provision with an empty body is answered with a client error.",
            malformed.advised(),
            |target| Box::pin(bodies(target, &[("an empty body", b""), ("a body of spaces", b"  ")])),
        ),
        case(
            "malformed.no-object",
            "A provision whose body is JSON but not an object is answered with a client error.",
            malformed.advised(),
            |target| Box::pin(bodies(target, &[("a list", b"[]"), ("null", b"null"), ("a number", b"7")])),
        ),
        case(
            "malformed.plan-type",
            "A provision whose plan is not a string is answered with a client error.",
            HANDLED,
            |target| Box::pin(plan_type(target)),
        ),
        case(
            "malformed.key-type",
            "A provision whose key is not a string causes no server error.",
            HANDLED,
            |target| Box::pin(key_type(target)),
        ),
        case(
            "malformed.parameters-type",
            "A provision whose parameters are not an object causes no server error.",
            HANDLED,
            |target| Box::pin(parameters_type(target)),
        ),
        case("malformed.large-body", "A body of four megabytes causes no server error.", HANDLED, |target| {
            Box::pin(large_body(target))
        }),
        case("malformed.deep-nesting", "Deeply nested parameters cause no server error.", HANDLED, |target| {
            Box::pin(deep_nesting(target))
        }),
        case(
            "malformed.no-internals",
            "Errors do not contain a stack trace or a secret.",
            Clause::practice("errors are shown to customers"),
            |target| Box::pin(no_internals(target)),
        ),
    ]
}

async fn bodies<M: BasicMarketplace>(target: &Target<M>, bodies: &[(&str, &[u8])]) -> Verdict {
    target.require_provision().await?;
    for (description, body) in bodies {
        let response = target.send(target.provision().body(*body)).await?.to(*description);
        response.must_be_refused(REFUSE)?;
    }
    Ok(())
}

async fn plan_type<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    for plan in [json!({ "name": "basic" }), json!(["basic"]), json!(7), Value::Null] {
        let call = target.provision().set(M::CONTRACT.plan, plan.clone());
        target.send(call).await?.to(format!("the plan {plan}")).must_be_refused(REFUSE)?;
    }
    Ok(())
}

fn must_be_handled(response: &Response) -> Verdict {
    if response.is_server_error() {
        return Err(response.wrong_status("a success or a client error", NO_5XX));
    }
    Ok(())
}

async fn values<M: BasicMarketplace>(target: &Target<M>, field: &str, values: &[Value]) -> Verdict {
    target.require_provision().await?;
    for value in values {
        let response = target.send(target.provision().set(field, value.clone())).await?;
        must_be_handled(&response.to(format!("the {field} {value}")))?;
    }
    Ok(())
}

async fn key_type<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    values(target, M::CONTRACT.key, &[json!({}), json!([1]), json!(true), json!("")]).await
}

async fn parameters_type<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    values(target, M::CONTRACT.parameters, &[json!("text"), json!([1]), json!(7)]).await
}

/// A server may close the connection before it has read such a body, but must still answer the next request.
async fn large_body<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let large = target.provision().set(M::CONTRACT.parameters, json!({ "a": "x".repeat(LARGE) }));
    if let Ok(response) = target.wire.try_send(large).await {
        must_be_handled(&response.to("a body of four megabytes"))?;
    }
    let response = target.send(target.provision()).await?.to("an ordinary provision after a body of four megabytes");
    super::provision::must_succeed::<M>(&response, "Limit the size of a body.")
}

async fn deep_nesting<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let call = target.provision().set(M::CONTRACT.parameters, json!({ "a": "NESTED" }));
    let body = String::from_utf8_lossy(call.request().body()).into_owned();
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    must_be_handled(&target.send(call.body(body.replace("\"NESTED\"", &nested))).await?.to("20,000 nested lists"))
}

async fn no_internals<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let (password, salt) = (&target.addon.password, &target.addon.salt);
    let calls = [
        target.provision().body("{"),
        target.provision().set(M::CONTRACT.plan, json!({ "a": 1 })),
        target.provision().without_credentials(),
        target.market().plan_change(&target.market().new_key(), target.plan()),
    ];
    for call in calls {
        let response = target.send(call).await?;
        let text = response.text();
        let traces =
            ["panicked at", "stack backtrace", "Traceback (most recent call last)", "    at ", ".rs:", ".py\", line"];
        if traces.iter().any(|trace| text.contains(trace)) {
            return Err(
                response.fault("The error contains a stack trace.", "Write it to the log, and send a sentence.")
            );
        }
        if [password, salt].into_iter().any(|secret| secret.len() > 3 && text.contains(secret.as_str())) {
            return Err(response.fault("The error contains a secret.", "Never send the password or the salt."));
        }
    }
    Ok(())
}
