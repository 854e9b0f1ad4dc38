//! Subscriptions, their changes and their end.

use serde_json::json;

use super::Subject;
use crate::check::{Case, Clause, Source};
use crate::rules::{are_texts, must_be_called_json, must_have_an_id};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

/// The Ruby toolkit, which is all that is known of the platform.
const fn toolkit(says: &'static str) -> Clause {
    Clause { source: Source::Code("maitre_d"), says }
}

const fn practice(says: &'static str) -> Clause {
    Clause { source: Source::Practice, says }
}

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "opperator.auth.right-secret",
        "The shared secret lets Opperator in.",
        toolkit("X-Opperator-Shared-Secret on every route"),
        |it| Box::pin(right(it)),
    ),
    Case::must(
        "opperator.auth.wrong-secret",
        "A wrong secret is answered 401 on every route.",
        toolkit("401 to a wrong secret"),
        |it| Box::pin(refused_everywhere(it, Some("wrong"))),
    ),
    Case::must(
        "opperator.auth.no-secret",
        "A call without the secret is answered 401 on every route.",
        toolkit("401 to a missing secret"),
        |it| Box::pin(refused_everywhere(it, None)),
    ),
    Case::must(
        "opperator.auth.empty-secret",
        "An empty secret is answered 401.",
        toolkit("401 to a wrong secret"),
        |it| Box::pin(refused_everywhere(it, Some(""))),
    ),
    Case::must(
        "opperator.provision.succeeds",
        "A provision is answered 201 with a JSON object, or with another success.",
        toolkit("POST instances with features"),
        |it| Box::pin(succeeds(it)),
    ),
    Case::must(
        "opperator.provision.id",
        "The answer holds the add-on's id of the instance.",
        toolkit("id is required"),
        |it| Box::pin(async { must_have_an_id(&success(it).await?) }),
    ),
    Case::must(
        "opperator.provision.ids-differ",
        "Two subscriptions get two instances.",
        toolkit("every provision makes an instance"),
        |it| Box::pin(ids_differ(it)),
    ),
    Case::must(
        "opperator.provision.config",
        "The config, where there is one, is an object of texts.",
        toolkit("config is an object"),
        |it| Box::pin(async { are_texts(&success(it).await?) }),
    ),
    Case::must(
        "opperator.provision.no-features",
        "A provision with no features is answered with success, or refused.",
        toolkit("features may be empty"),
        |it| Box::pin(no_features(it)),
    ),
    Case::should("opperator.provision.content-type", "The answer is called JSON.", toolkit("JSON"), |it| {
        Box::pin(async { must_be_called_json(&success(it).await?) })
    }),
    Case::should(
        "opperator.provision.no-json",
        "A provision that cannot be read is refused.",
        practice("nothing that comes from outside is an error of the server"),
        |it| Box::pin(no_json(it)),
    ),
    Case::must(
        "opperator.plan-change.succeeds",
        "A plan change succeeds, or is refused.",
        toolkit("PUT instances/id with features"),
        |it| Box::pin(changes(it)),
    ),
    Case::should(
        "opperator.plan-change.unknown",
        "A plan change of what was never ordered is refused.",
        practice("404 to what is unknown"),
        |it| Box::pin(unknown_plan_change(it)),
    ),
    Case::info(
        "opperator.plan-warning.taken",
        "A plan warning is taken.",
        toolkit("PUT plan_warning/id, for which no body was ever defined"),
        |it| Box::pin(warning(it)),
    ),
    Case::must("opperator.deprovision.succeeds", "A deprovision succeeds.", toolkit("DELETE instances/id"), |it| {
        Box::pin(removes(it))
    }),
    Case::should(
        "opperator.deprovision.unknown",
        "A deprovision of what is not there is answered in peace.",
        practice("404, 410, or as if it had been there"),
        |it| Box::pin(unknown_deprovision(it)),
    ),
];

async fn right(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    let advice = "Look for the header X-Opperator-Shared-Secret in any case, and compare it with the secret.";
    if matches!(seen.status(), 401 | 403) { Err(seen.wrong_status("a success", advice)) } else { Ok(()) }
}

async fn refused_everywhere(it: &Subject, secret: Option<&str>) -> Verdict {
    let instance = it.ordered().await?;
    let calls = [
        ("a provision", it.order()),
        ("a plan change", it.plan_change(&instance.id)),
        ("a plan warning", it.market.plan_warning(&instance.id)),
        ("a deprovision", it.market.deprovision(&instance.id)),
    ];
    for (what, call) in calls {
        let call = match secret {
            Some(secret) => call.header("x-opperator-shared-secret", secret),
            None => call.no_credentials(),
        };
        let seen = it.wire.send(call).await?.to(what);
        if what == "a plan warning" && seen.status() == 404 {
            continue; // the route need not be there
        }
        seen.must_be(&[401], "Compare the secret before anything else, on every route, and answer 401.")?;
    }
    Ok(())
}

async fn success(it: &Subject) -> Result<Seen, Stop> {
    let seen = it.wire.send(it.order()).await?;
    if seen.is_success() {
        return Ok(seen);
    }
    let status = seen.status();
    Err(Stop::skipped(format!("a provision is answered {status} (see opperator.provision.succeeds)")))
}

fn must_succeed(seen: &Seen, due: &str) -> Verdict {
    let advice = "This is what Opperator would send. Look into the add-on's log, and at the URL.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status(due, advice)) }
}

async fn succeeds(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    must_succeed(&seen, "201")?;
    seen.object().map(drop)
}

async fn ids_differ(it: &Subject) -> Verdict {
    let (one, other) = (it.ordered().await?, it.ordered().await?);
    if one.id != other.id {
        return Ok(());
    }
    Err(other.seen.fault(format!("Two subscriptions have got the same id, {}.", one.id), "Draw an id for each."))
}

async fn no_features(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.market.provision(json!({}))).await?.to("a provision with no features");
    let advice = "Sell what no feature asks for, or refuse with 422 and a message.";
    match seen.status() {
        200..=299 | 400..=499 => Ok(()),
        _ => Err(seen.wrong_status("201", advice)),
    }
}

async fn no_json(it: &Subject) -> Verdict {
    for (what, body) in [("half an object", "{"), ("a list", "[]"), ("an object without features", "{}")] {
        let seen = it.wire.send(it.order().body(body)).await?.to(what);
        seen.must_be_refused("Answer 400 with a message that says what could not be read.")?;
    }
    Ok(())
}

async fn changes(it: &Subject) -> Verdict {
    let instance = it.ordered().await?;
    let seen = it.wire.send(it.plan_change(&instance.id)).await?;
    if seen.status() == 422 { Ok(()) } else { must_succeed(&seen, "200") }
}

async fn unknown_plan_change(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.plan_change("never-ordered-4821")).await?.to("a plan change of nothing");
    seen.must_be_refused("Answer 404 with a message.").map(drop)
}

async fn warning(it: &Subject) -> Verdict {
    let instance = it.ordered().await?;
    must_succeed(&it.wire.send(it.market.plan_warning(&instance.id)).await?, "200")
}

async fn removes(it: &Subject) -> Verdict {
    let instance = it.ordered().await?;
    must_succeed(&it.wire.send(it.market.deprovision(&instance.id)).await?, "200")
}

async fn unknown_deprovision(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.market.deprovision("never-ordered-4821")).await?.to("a deprovision of nothing");
    match seen.status() {
        200..=299 | 404 | 410 => Ok(()),
        _ => Err(seen.wrong_status("404", "Answer 404: there is nothing to remove.")),
    }
}
