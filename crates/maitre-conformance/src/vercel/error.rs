//! Bodies of errors.

use super::citation::{practice, reference};
use super::rules;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const FORM: Citation = reference("an error has code and message");
const FIELDS: Citation = reference("fields of a 400 have the key of an input");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.error.validation", "A 400 has an error with code and message.", FORM, |target| {
        Box::pin(validation(target))
    }),
    Case::must(
        "vercel.error.fields",
        "The fields of a 400 are a list with keys, if they are sent.",
        FIELDS,
        |target| Box::pin(fields(target)),
    ),
    Case::should(
        "vercel.error.names-field",
        "The fields of a 400 name the input that is wrong.",
        practice("the form marks the input"),
        |target| Box::pin(names_field(target)),
    ),
    Case::should(
        "vercel.error.user-message",
        "A 400 has a message for the user.",
        practice("user.message is shown to the customer"),
        |target| Box::pin(user_message(target)),
    ),
    Case::should(
        "vercel.error.token",
        "The answer to a wrong token has an error with code and message.",
        FORM,
        |target| Box::pin(token(target)),
    ),
    Case::should("vercel.error.not-found", "A 404 has an error with code and message.", FORM, |target| {
        Box::pin(not_found(target))
    }),
    Case::should("vercel.error.conflict", "A 409 has an error with code and message.", FORM, |target| {
        Box::pin(conflict(target))
    }),
    Case::should(
        "vercel.error.no-details",
        "Errors contain no stack trace, query or secret.",
        practice("errors are shown to customers"),
        |target| Box::pin(no_details(target)),
    ),
];

/// Returns the response to an unknown plan; skips the check if it is not 400.
async fn invalid(target: &Target) -> Result<Response, Stop> {
    let installation = target.new_resource().await?.installation;
    let response = target.wire.send(target.provision_on(&installation, "an-unknown-plan")).await?;
    match response.status() {
        400 => Ok(response),
        status => {
            let see = "see vercel.provision.unknown-plan";
            Err(Stop::skipped(format!("a provision of an unknown plan is answered {status} ({see})")))
        }
    }
}

async fn validation(target: &Target) -> Verdict {
    rules::error(&invalid(target).await?).map(drop)
}

async fn fields(target: &Target) -> Verdict {
    let response = invalid(target).await?;
    let body = response.json().unwrap_or_default();
    let is_valid = |fields: &serde_json::Value| {
        fields.as_array().is_some_and(|fields| fields.iter().all(|field| field["key"].is_string()))
    };
    match body["error"].get("fields") {
        Some(fields) if !is_valid(fields) => Err(response.fault(
            "fields is not a list of objects with a key.",
            "Send {\"fields\": [{\"key\": \"…\", \"message\": \"…\"}]}.",
        )),
        _ => Ok(()),
    }
}

async fn names_field(target: &Target) -> Verdict {
    let response = invalid(target).await?;
    let fields = response.json().unwrap_or_default()["error"]["fields"].as_array().cloned().unwrap_or_default();
    if fields.iter().any(|field| field["key"].as_str().is_some_and(|key| !key.is_empty())) {
        return Ok(());
    }
    Err(response.fault("The error names no field.", "Name the input in fields, so that the form marks it."))
}

async fn user_message(target: &Target) -> Verdict {
    let response = invalid(target).await?;
    if response.json().unwrap_or_default()["error"]["user"]["message"].as_str().is_some_and(|text| !text.is_empty()) {
        return Ok(());
    }
    Err(response.fault("The error has no message for the user.", "Explain in user.message what can be done."))
}

async fn forbidden(target: &Target) -> Result<Response, Stop> {
    let resource = target.new_resource().await?;
    target.wire.send(target.read(&resource).without_credentials()).await
}

async fn unknown(target: &Target) -> Result<Response, Stop> {
    let Resource { installation, body, .. } = target.new_resource().await?;
    let unknown = Resource { installation, id: "an-unknown-resource".to_owned(), body };
    target.wire.send(target.read(&unknown)).await
}

async fn conflicting(target: &Target) -> Result<Response, Stop> {
    let installation = target.installed().await?;
    let call = || target.provision(&installation).header("idempotency-key", "77aa");
    target.resource_by(&installation, call()).await?;
    target.wire.send(call().set("name", "another name")).await
}

/// Requires the form of an error; skips the check if the response is not one.
fn must_have_form(response: &Response, check: &str) -> Verdict {
    if response.is_success() {
        return Err(Stop::skipped(format!("the request is answered {} (see vercel.{check})", response.status())));
    }
    rules::error(response).map(drop)
}

async fn token(target: &Target) -> Verdict {
    must_have_form(&forbidden(target).await?, "auth.read")
}

async fn not_found(target: &Target) -> Verdict {
    must_have_form(&unknown(target).await?, "resource.unknown")
}

async fn conflict(target: &Target) -> Verdict {
    must_have_form(&conflicting(target).await?, "idempotency.other-body")
}

async fn no_details(target: &Target) -> Verdict {
    let traces = [
        "Traceback (most recent",
        "\n    at ",
        "\\n    at ",
        "stack backtrace",
        "panicked at",
        "SQLSTATE",
        "SELECT ",
        "\"stack\":",
        "\"trace\":",
    ];
    let secret = target.platform.client_secret();
    for response in
        [invalid(target).await?, forbidden(target).await?, unknown(target).await?, conflicting(target).await?]
    {
        let text = response.text();
        if traces.iter().any(|trace| text.contains(trace)) || text.contains(&secret) {
            let advice = "Log details, and answer with a sentence for the customer.";
            return Err(response.fault("The error contains a stack trace, a query or the client secret.", advice));
        }
    }
    Ok(())
}
