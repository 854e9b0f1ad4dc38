//! What must not stand in an answer.

use serde_json::Value;

use super::config::looks_secret;
use super::{Subject, clause};
use crate::check::{Capability, Case, Clause};
use crate::made;
use crate::rules::config;
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const KEPT: Clause = clause::practice("answers end in logs, and so does what is in them");

pub(super) const CASES: &[Case<Subject>] = &[
    Case::should(
        "heroku.secrets.answers",
        "Answers do not repeat the password, the salt, the grant or the log tokens.",
        KEPT,
        |it| Box::pin(answers(it)),
    ),
    Case::should(
        "heroku.secrets.refusals",
        "Refusals do not repeat credentials, neither the right ones nor those that were sent.",
        KEPT,
        |it| Box::pin(refusals(it)),
    ),
    Case::should(
        "heroku.secrets.inner-life",
        "Refusals do not tell of files, lines and stack traces.",
        clause::practice("strangers need not know how the add-on is built"),
        |it| Box::pin(inner_life(it)),
    ),
    Case::should(
        "heroku.secrets.message",
        "The message for the customer does not repeat the secrets among the config vars.",
        clause::practice("the message is printed on a terminal, and kept by Heroku"),
        |it| Box::pin(message(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::should(
        "heroku.secrets.sign-on",
        "Neither the redirect nor the dashboard repeats a token.",
        clause::practice("URLs end in logs and histories"),
        |it| Box::pin(sign_on(it)),
    )
    .needs(&[Capability::SingleSignOn]),
    Case::should(
        "heroku.secrets.refused-sign-on",
        "The page for those who are not let in does not hold the token that would have let them in.",
        clause::practice("what a refusal shows, an attacker reads"),
        |it| Box::pin(refused_sign_on(it)),
    )
    .needs(&[Capability::SingleSignOn]),
];

/// All that an answer says, headers and body.
fn said(seen: &Seen) -> String {
    let headers = seen.headers().map(|(name, value)| format!("{name}: {value}\n"));
    headers.chain([seen.text()]).collect()
}

/// What is short is found in every other word.
fn must_not_say(seen: &Seen, secrets: &[(&str, String)], advice: &str) -> Verdict {
    let said = said(seen);
    match secrets.iter().find(|(_, secret)| secret.len() >= 8 && said.contains(secret.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(seen.fault(format!("The answer holds {name}."), advice)),
    }
}

async fn answers(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let fields: serde_json::Map<String, Value> = resource.order.fields().into_iter().collect();
    let field = |name: &str| fields.get(name).and_then(made::text).unwrap_or_default();
    let grant = fields.get("oauth_grant").and_then(|grant| made::text(&grant["code"])).unwrap_or_default();
    let secrets = [
        ("the add-on's password", it.password.clone()),
        ("the salt of single sign-on", it.salt.clone()),
        ("the code of the grant", grant),
        ("log_input_url", field("log_input_url")),
        ("log_drain_token", field("log_drain_token")),
    ];
    let advice = "Answer what the customer needs: id, config and message. What Heroku sent, it knows.";
    must_not_say(&resource.seen, &secrets, advice)?;
    let again = it.wire.send(resource.order.clone()).await?;
    must_not_say(&again.to("the same provision again"), &secrets, advice)?;
    let change = it.is_alive(&resource).await?;
    must_not_say(&change.to("a plan change"), &secrets, advice)
}

async fn refusals(it: &Subject) -> Verdict {
    let sent = "the-password-of-another-door";
    let mut secrets = vec![
        ("the add-on's password", it.password.clone()),
        ("the salt of single sign-on", it.salt.clone()),
        ("the password that was sent", sent.to_owned()),
    ];
    let wrong = it.order().credentials(&it.slug, sent);
    if let Some(header) = wrong.request().header("authorization") {
        secrets.push(("the header that was sent", header.trim_start_matches("Basic ").to_owned()));
    }
    let right = it.order();
    if let Some(header) = right.request().header("authorization") {
        secrets.push(("the right header", header.trim_start_matches("Basic ").to_owned()));
    }
    let advice = "Say that the credentials are wrong, and not which: the sentence is the same for everyone.";
    for call in [wrong, it.order().body("{"), it.order().set("plan", it.no_plan())] {
        let seen = it.wire.send(call).await?;
        if !seen.is_success() {
            must_not_say(&seen, &secrets, advice)?;
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

async fn inner_life(it: &Subject) -> Verdict {
    let calls = [
        it.order().body("{"),
        it.order().no_credentials(),
        it.order().without("uuid"),
        it.order().set("plan", serde_json::json!({})),
        it.order().body(""),
    ];
    for call in calls {
        let seen = it.wire.send(call).await?;
        let said = said(&seen);
        if let Some(trace) = TRACES.iter().find(|trace| said.contains(**trace)) {
            return Err(seen.fault(
                format!("The answer looks like a stack trace: it holds {trace:?}."),
                "Turn the pages for developers off, and answer one sentence; the trace belongs in your log.",
            ));
        }
    }
    Ok(())
}

async fn message(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let config = config(&resource.seen)?;
    let message = resource.seen.object()?.get("message").and_then(made::text).unwrap_or_default();
    let mut secrets = config
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|value| looks_secret(value) && message.contains(value)));
    match secrets.next() {
        None => Ok(()),
        Some((name, _)) => Err(resource.seen.fault(
            format!("The message repeats the value of {name}."),
            "Name the config var, not its value: the customer's app has it.",
        )),
    }
}

async fn sign_on(it: &Subject) -> Verdict {
    let (resource, form) = it.good_form().await?;
    let fields = form.fields();
    let token =
        |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let secrets = [
        ("user_scoped_resource_token", token("user_scoped_resource_token")),
        ("resource_token", token("resource_token")),
        ("the salt of single sign-on", it.salt.clone()),
        ("the add-on's password", it.password.clone()),
    ];
    drop(resource);
    let entered = it.enter(it.visitor()?, form).await?;
    let advice = "Redirect to a path without the token, and show it nowhere: it has done its work.";
    must_not_say(&entered.answer, &secrets, advice)?;
    must_not_say(&entered.page, &secrets, advice)
}

async fn refused_sign_on(it: &Subject) -> Verdict {
    let (_, form) = it.good_form().await?;
    let right: Vec<(&str, String)> = form
        .fields()
        .into_iter()
        .filter(|(name, _)| name.ends_with("token"))
        .map(|(_, value)| ("the token that would have been right", value))
        .chain([("the salt of single sign-on", it.salt.clone())])
        .collect();
    let zeros = |form: maitre_testkit::Call<_>, name: &str| form.set(name, "0".repeat(64));
    let forged = ["token", "resource_token", "user_scoped_resource_token"].into_iter().fold(form, zeros);
    let seen = it.post(forged).await?;
    if seen.status() < 400 {
        return Err(Stop::skipped("it is not refused (see heroku.sso-token.wrong)"));
    }
    must_not_say(&seen, &right, "Show the same page to all who are not let in; the reason belongs in your log.")
}
