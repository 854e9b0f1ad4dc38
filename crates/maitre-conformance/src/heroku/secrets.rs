//! What must not stand in an answer.

use serde_json::Value;

use super::citation;
use super::config::looks_secret;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::cleanup::id_text;
use crate::response::Response;
use crate::rules::config;
use crate::verdict::{Stop, Verdict};

const KEPT: Citation = citation::practice("answers end in logs, and so does what is in them");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.secrets.answers",
        "Answers do not repeat the password, the salt, the grant or the log tokens.",
        KEPT,
        |target| Box::pin(answers(target)),
    ),
    Case::should(
        "heroku.secrets.refusals",
        "Refusals do not repeat credentials, neither the right ones nor those that were sent.",
        KEPT,
        |target| Box::pin(refusals(target)),
    ),
    Case::should(
        "heroku.secrets.inner-life",
        "Refusals do not tell of files, lines and stack traces.",
        citation::practice("strangers need not know how the add-on is built"),
        |target| Box::pin(inner_life(target)),
    ),
    Case::should(
        "heroku.secrets.message",
        "The message for the customer does not repeat the secrets among the config vars.",
        citation::practice("the message is printed on a terminal, and kept by Heroku"),
        |target| Box::pin(message(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::should(
        "heroku.secrets.sign-on",
        "Neither the redirect nor the dashboard repeats a token.",
        citation::practice("URLs end in logs and histories"),
        |target| Box::pin(sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::should(
        "heroku.secrets.refused-sign-on",
        "The page for those who are not let in does not hold the token that would have let them in.",
        citation::practice("what a refusal shows, an attacker reads"),
        |target| Box::pin(refused_sign_on(target)),
    )
    .needs(&[Capability::SingleSignOn]),
];

/// All that an answer says, headers and body.
fn said(response: &Response) -> String {
    let headers = response.headers().map(|(name, value)| format!("{name}: {value}\n"));
    headers.chain([response.text()]).collect()
}

/// What is short is found in every other word.
fn must_not_say(response: &Response, secrets: &[(&str, String)], advice: &str) -> Verdict {
    let said = said(response);
    match secrets.iter().find(|(_, secret)| secret.len() >= 8 && said.contains(secret.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(response.fault(format!("The answer holds {name}."), advice)),
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
    let advice = "Answer what the customer needs: id, config and message. What Heroku sent, it knows.";
    must_not_say(&resource.response, &secrets, advice)?;
    let again = target.wire.send(resource.provision.clone()).await?;
    must_not_say(&again.to("the same provision again"), &secrets, advice)?;
    let change = target.probe(&resource).await?;
    must_not_say(&change.to("a plan change"), &secrets, advice)
}

async fn refusals(target: &Target) -> Verdict {
    let sent = "the-password-of-another-endpoint";
    let mut secrets = vec![
        ("the add-on's password", target.password.clone()),
        ("the salt of single sign-on", target.salt.clone()),
        ("the password that was sent", sent.to_owned()),
    ];
    let wrong = target.provision().credentials(&target.slug, sent);
    if let Some(header) = wrong.request().header("authorization") {
        secrets.push(("the header that was sent", header.trim_start_matches("Basic ").to_owned()));
    }
    let right = target.provision();
    if let Some(header) = right.request().header("authorization") {
        secrets.push(("the right header", header.trim_start_matches("Basic ").to_owned()));
    }
    let advice = "Say that the credentials are wrong, and not which: the sentence is the same for everyone.";
    for call in [wrong, target.provision().body("{"), target.provision().set("plan", target.unknown_plan())] {
        let response = target.wire.send(call).await?;
        if !response.is_success() {
            must_not_say(&response, &secrets, advice)?;
        }
    }
    Ok(())
}

/// As the runtimes of the usual languages write them.
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

async fn inner_life(target: &Target) -> Verdict {
    let calls = [
        target.provision().body("{"),
        target.provision().without_credentials(),
        target.provision().without("uuid"),
        target.provision().set("plan", serde_json::json!({})),
        target.provision().body(""),
    ];
    for call in calls {
        let response = target.wire.send(call).await?;
        let said = said(&response);
        if let Some(trace) = TRACES.iter().find(|trace| said.contains(**trace)) {
            return Err(response.fault(
                format!("The answer looks like a stack trace: it holds {trace:?}."),
                "Turn the pages for developers off, and answer one sentence; the trace belongs in your log.",
            ));
        }
    }
    Ok(())
}

async fn message(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let config = config(&resource.response)?;
    let message = resource.response.object()?.get("message").and_then(id_text).unwrap_or_default();
    let mut secrets = config
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|value| looks_secret(value) && message.contains(value)));
    match secrets.next() {
        None => Ok(()),
        Some((name, _)) => Err(resource.response.fault(
            format!("The message repeats the value of {name}."),
            "Name the config var, not its value: the customer's app has it.",
        )),
    }
}

async fn sign_on(target: &Target) -> Verdict {
    let (resource, form) = target.valid_form().await?;
    let fields = form.fields();
    let token =
        |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let secrets = [
        ("user_scoped_resource_token", token("user_scoped_resource_token")),
        ("resource_token", token("resource_token")),
        ("the salt of single sign-on", target.salt.clone()),
        ("the add-on's password", target.password.clone()),
    ];
    drop(resource);
    let signed_in = target.sign_in(target.visitor()?, form).await?;
    let advice = "Redirect to a path without the token, and show it nowhere: it has done its work.";
    must_not_say(&signed_in.response, &secrets, advice)?;
    must_not_say(&signed_in.page, &secrets, advice)
}

async fn refused_sign_on(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let right: Vec<(&str, String)> = form
        .fields()
        .into_iter()
        .filter(|(name, _)| name.ends_with("token"))
        .map(|(_, value)| ("the token that would have been right", value))
        .chain([("the salt of single sign-on", target.salt.clone())])
        .collect();
    let zeros = |form: maitre_testkit::Call<_>, name: &str| form.set(name, "0".repeat(64));
    let forged = ["token", "resource_token", "user_scoped_resource_token"].into_iter().fold(form, zeros);
    let response = target.post(forged).await?;
    if response.status() < 400 {
        return Err(Stop::skipped("it is not refused (see heroku.sso-token.wrong)"));
    }
    must_not_say(&response, &right, "Show the same page to all who are not let in; the reason belongs in your log.")
}
