//! Secrets in responses.

use serde_json::Value;

use super::config::looks_secret;
use super::target::Target;
use super::{citation, sso};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::rules::{self, id_text};
use crate::verdict::{Stop, Verdict};

const LOGGED: Citation = citation::practice("responses are logged, with their secrets");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.secrets.answers",
        "Responses do not contain the password, the salt, the grant or the log tokens.",
        LOGGED,
        |target| Box::pin(answers(target)),
    ),
    Case::should(
        "heroku.secrets.refusals",
        "Refusals contain neither the correct credentials nor the ones in the request.",
        LOGGED,
        |target| Box::pin(refusals(target)),
    ),
    Case::should(
        "heroku.secrets.inner-life",
        "Refusals contain no stack traces.",
        citation::practice("unauthenticated callers should not learn how the add-on is built"),
        |target| Box::pin(leaks_internals(target)),
    ),
    Case::should(
        "heroku.secrets.message",
        "The message for the customer does not contain secrets of the config vars.",
        citation::practice("the message is printed on a terminal and stored by Heroku"),
        |target| Box::pin(message(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::should(
        "heroku.secrets.sign-on",
        "Neither the redirect nor the dashboard contains a token.",
        citation::practice("URLs are stored in logs and browser histories"),
        |target| Box::pin(sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::should(
        "heroku.secrets.refused-sign-on",
        "The page of a refused sign-on does not contain the correct token.",
        citation::practice("an attacker reads the refusal"),
        |target| Box::pin(refused_sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
];

/// Returns headers and body as text.
fn full_text(response: &Response) -> String {
    let headers = response.headers().map(|(name, value)| format!("{name}: {value}\n"));
    headers.chain([response.text()]).collect()
}

/// Requires that a response contains none of the secrets. Short ones are ignored, as they also occur in ordinary words.
fn must_not_contain(response: &Response, secrets: &[(&str, String)], advice: &str) -> Verdict {
    let text = full_text(response);
    match secrets.iter().find(|(_, secret)| secret.len() >= 8 && text.contains(secret.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(response.fault(format!("The response contains {name}."), advice)),
    }
}

async fn answers(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let fields: serde_json::Map<String, Value> = resource.provision.fields().into_iter().collect();
    let field = |name: &str| fields.get(name).and_then(id_text).unwrap_or_default();
    let grant = fields.get("oauth_grant").and_then(|grant| id_text(&grant["code"])).unwrap_or_default();
    let secrets = [
        ("the add-on's password", target.password.clone()),
        ("the salt of single sign-on", target.salt.clone()),
        ("the code of the grant", grant),
        ("log_input_url", field("log_input_url")),
        ("log_drain_token", field("log_drain_token")),
    ];
    let advice = "Send what the customer needs: id, config and message. Do not repeat what Heroku sent.";
    must_not_contain(&resource.response, &secrets, advice)?;
    let again = target.wire.send(resource.provision.clone()).await?;
    must_not_contain(&again.to("a repeated provision"), &secrets, advice)?;
    let change = target.probe(&resource).await?;
    must_not_contain(&change.to("a plan change"), &secrets, advice)
}

async fn refusals(target: &Target) -> Verdict {
    target.require_provision().await?;
    let sent = "the-password-of-another-endpoint";
    let mut secrets = vec![
        ("the add-on's password", target.password.clone()),
        ("the salt of single sign-on", target.salt.clone()),
        ("the password in the request", sent.to_owned()),
    ];
    let wrong = target.provision().credentials(&target.slug, sent);
    if let Some(header) = wrong.request().header("authorization") {
        secrets.push(("the header in the request", header.trim_start_matches("Basic ").to_owned()));
    }
    let right = target.provision();
    if let Some(header) = right.request().header("authorization") {
        secrets.push(("the correct header", header.trim_start_matches("Basic ").to_owned()));
    }
    let advice = "Say that the credentials are wrong, without details: send the same message to every caller.";
    for call in [wrong, target.provision().body("{"), target.provision().set("plan", target.unknown_plan())] {
        let response = target.wire.send(call).await?;
        if !response.is_success() {
            must_not_contain(&response, &secrets, advice)?;
        }
    }
    Ok(())
}

/// Markers of stack traces in common languages.
const TRACES: [&str; 12] = [
    "Traceback (most recent call last)",
    "stack backtrace:",
    "panicked at ",
    "goroutine 1 [",
    "Exception in thread \"",
    "    at Object.<anonymous>",
    "node_modules/",
    "/site-packages/",
    ".rb:in `",
    "/gems/",
    "/.cargo/registry/",
    "System.NullReferenceException",
];

async fn leaks_internals(target: &Target) -> Verdict {
    target.require_provision().await?;
    let calls = [
        target.provision().body("{"),
        target.provision().without_credentials(),
        target.provision().without("uuid"),
        target.provision().set("plan", serde_json::json!({})),
        target.provision().body(""),
    ];
    for call in calls {
        let response = target.wire.send(call).await?;
        let text = full_text(&response);
        if let Some(trace) = TRACES.iter().find(|trace| text.contains(**trace)) {
            return Err(response.fault(
                format!("The response looks like a stack trace: it contains {trace:?}."),
                "Disable developer error pages, and send one sentence; log the stack trace instead.",
            ));
        }
    }
    Ok(())
}

async fn message(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let config = resource.response.require(rules::config)?;
    let message = resource.response.object()?.get("message").and_then(id_text).unwrap_or_default();
    let mut secrets = config
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|value| looks_secret(value) && message.contains(value)));
    match secrets.next() {
        None => Ok(()),
        Some((name, _)) => Err(resource.response.fault(
            format!("The message contains the value of {name}."),
            "Name the config var, not its value: the customer's app has the value.",
        )),
    }
}

async fn sign_on(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let tokens = sso::tokens(&form);
    let secrets: Vec<_> = tokens
        .iter()
        .map(|(name, token)| (name.as_str(), token.clone()))
        .chain([
            ("the salt of single sign-on", target.salt.clone()),
            ("the add-on's password", target.password.clone()),
        ])
        .collect();
    let signed_in = target.sign_in(target.browser()?, form).await?;
    let advice = "Redirect to a path without the token, and do not show the token anywhere.";
    must_not_contain(&signed_in.response, &secrets, advice)?;
    must_not_contain(&signed_in.page, &secrets, advice)
}

async fn refused_sign_on(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let right: Vec<(&str, String)> = sso::tokens(&form)
        .into_iter()
        .map(|(_, value)| ("the correct token", value))
        .chain([("the salt of single sign-on", target.salt.clone())])
        .collect();
    let response = target.post(sso::forged(form)).await?;
    if response.status() < 400 {
        return Err(Stop::skipped("the sign-on is not refused (see heroku.sso-token.wrong)"));
    }
    must_not_contain(&response, &right, "Show the same page for every refusal, and log the reason instead.")
}
