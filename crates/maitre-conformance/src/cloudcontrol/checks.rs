//! Provision, plan change and deprovision.

use serde_json::Value;

use super::{Subject, php_sample, practice, program, sample};
use crate::check::Case;
use crate::rules::{are_listed, are_texts, must_be_called_json, must_have_an_id};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "cloudcontrol.auth.right-credentials",
        "The manifest's id and password let cloudControl in.",
        program("Basic, the manifest's id and api.password"),
        |it| Box::pin(right(it)),
    ),
    Case::must(
        "cloudcontrol.auth.wrong-password",
        "A wrong password is answered 401 on every route.",
        sample("401 to wrong credentials"),
        |it| Box::pin(wrong_password(it)),
    ),
    Case::must(
        "cloudcontrol.auth.no-credentials",
        "A call without credentials is refused on every route, and does not make the add-on stumble.",
        sample("401 to a request without credentials"),
        |it| Box::pin(no_credentials(it)),
    ),
    Case::should(
        "cloudcontrol.auth.challenge",
        "A 401 says by WWW-Authenticate how to come in.",
        sample("WWW-Authenticate: Basic realm=\"Add-on API\""),
        |it| Box::pin(challenge(it)),
    ),
    Case::must(
        "cloudcontrol.provision.succeeds",
        "A provision is answered 201, or 200.",
        sample("201 with id, config and message"),
        |it| Box::pin(succeeds(it)),
    ),
    Case::info("cloudcontrol.provision.status", "A provision is answered 201.", sample("201"), |it| {
        Box::pin(status(it))
    }),
    Case::must(
        "cloudcontrol.provision.id",
        "The answer holds the add-on's id of the resource.",
        sample("id is required"),
        |it| Box::pin(async { must_have_an_id(&success(it).await?) }),
    ),
    Case::must(
        "cloudcontrol.provision.ids-differ",
        "Two deployments get two resources.",
        sample("every provision makes a resource"),
        |it| Box::pin(ids_differ(it)),
    ),
    Case::should(
        "cloudcontrol.provision.content-type",
        "The answer is called JSON.",
        sample("application/json"),
        |it| Box::pin(async { must_be_called_json(&success(it).await?) }),
    ),
    Case::must(
        "cloudcontrol.provision.config",
        "Config vars are texts, and those that the manifest lists.",
        program("the keys of config are in api.config_vars"),
        |it| Box::pin(config(it)),
    ),
    Case::must(
        "cloudcontrol.provision.no-options",
        "A provision without options succeeds.",
        sample("options may be absent"),
        |it| Box::pin(no_options(it)),
    ),
    Case::should(
        "cloudcontrol.provision.slash-at-the-end",
        "A slash at the end of the path changes nothing.",
        sample("mounts the path with a slash at its end"),
        |it| Box::pin(slash(it)),
    ),
    Case::must(
        "cloudcontrol.provision.refusal",
        "A plan that is not sold is refused with 422 or 503 and a message.",
        sample("422 and 503, with message, were understood"),
        |it| Box::pin(refusal(it)),
    ),
    Case::should(
        "cloudcontrol.provision.no-json",
        "A provision that is no JSON is refused.",
        sample("400 to invalid JSON"),
        |it| Box::pin(no_json(it)),
    ),
    Case::must(
        "cloudcontrol.plan-change.succeeds",
        "A plan change is answered 200 with a JSON object, or refused with 422 or 503.",
        sample("200 with config and message, both optional"),
        |it| Box::pin(changes_plan(it)),
    ),
    Case::should(
        "cloudcontrol.plan-change.same-plan",
        "A change to the plan that the resource has is answered 200.",
        practice("whoever asks again has missed the answer"),
        |it| Box::pin(same_plan(it)),
    ),
    Case::must(
        "cloudcontrol.plan-change.unknown",
        "A plan change of a resource that was never ordered is answered 404.",
        sample("404 with message"),
        |it| Box::pin(unknown_plan_change(it)),
    ),
    Case::must(
        "cloudcontrol.deprovision.succeeds",
        "A deprovision is answered 204, or 200.",
        php_sample("204"),
        |it| Box::pin(removes(it)),
    ),
    Case::must(
        "cloudcontrol.deprovision.unknown",
        "A deprovision of what is not there is answered 404, or as if it had been.",
        php_sample("404 to an unknown id"),
        |it| Box::pin(unknown_deprovision(it)),
    ),
    Case::must(
        "cloudcontrol.deprovision.removed",
        "A plan change of a removed resource is refused.",
        sample("404 to an unknown id"),
        |it| Box::pin(removed(it)),
    ),
];

async fn right(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    let advice = "Compare the credentials with the manifest's id and api.password.";
    if matches!(seen.status(), 401 | 403) { Err(seen.wrong_status("a success", advice)) } else { Ok(()) }
}

async fn wrong_password(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let advice = "Compare user and password before anything else, and answer 401 if they differ.";
    let wrong =
        |what: &str, seen: Seen| seen.to(format!("{what} with a wrong password")).must_be(&[401], advice).map(drop);
    let call = it.order().credentials(&it.slug, "wrong");
    wrong("a provision", it.wire.send(call).await?)?;
    let call = it.plan_change(&resource.id).credentials(&it.slug, "wrong");
    wrong("a plan change", it.wire.send(call).await?)?;
    let call = it.market.deprovision(&resource.id).credentials(&it.slug, "wrong");
    wrong("a deprovision", it.wire.send(call).await?)
}

async fn no_credentials(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let advice = "A missing Authorization header is no reason to stop: answer 401.";
    it.wire.send(it.order().no_credentials()).await?.to("a provision").must_be_refused(advice)?;
    let call = it.plan_change(&resource.id).no_credentials();
    it.wire.send(call).await?.to("a plan change").must_be_refused(advice)?;
    let call = it.market.deprovision(&resource.id).no_credentials();
    it.wire.send(call).await?.to("a deprovision").must_be_refused(advice).map(drop)
}

async fn challenge(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order().credentials(&it.slug, "wrong")).await?;
    if seen.header("www-authenticate").is_some() {
        return Ok(());
    }
    Err(seen.fault("The refusal has no WWW-Authenticate header.", "Send WWW-Authenticate: Basic realm=\"Add-on API\"."))
}

async fn success(it: &Subject) -> Result<Seen, Stop> {
    let seen = it.wire.send(it.order()).await?;
    if seen.is_success() {
        return Ok(seen);
    }
    let status = seen.status();
    Err(Stop::skipped(format!("a provision is answered {status} (see cloudcontrol.provision.succeeds)")))
}

fn must_succeed(seen: &Seen, due: &str) -> Verdict {
    let advice = "This is what cloudControl sends. Look into the add-on's log, and at the manifest's base_url.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status(due, advice)) }
}

async fn succeeds(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    must_succeed(&seen, "201")?;
    seen.object().map(drop)
}

async fn status(it: &Subject) -> Verdict {
    success(it).await?.must_be(&[201], "Nothing has to be done: any success was taken.").map(drop)
}

async fn ids_differ(it: &Subject) -> Verdict {
    let (one, other) = (it.ordered().await?, it.ordered().await?);
    if one.id != other.id {
        return Ok(());
    }
    Err(other
        .seen
        .fault(format!("Two deployments have got the same id, {}.", one.id), "Draw an id for every provision."))
}

async fn config(it: &Subject) -> Verdict {
    let seen = success(it).await?;
    are_texts(&seen)?;
    are_listed(&it.config_vars, &seen)
}

async fn no_options(it: &Subject) -> Verdict {
    it.ordered().await?;
    must_succeed(&it.wire.send(it.order().without("options")).await?.to("a provision without options"), "201")
}

async fn slash(it: &Subject) -> Verdict {
    it.ordered().await?;
    must_succeed(&it.wire.send(it.order().path("/resources/")).await?.to("a slash at the end of the path"), "201")
}

async fn refusal(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order().set("plan", "no-such-plan")).await?.to("a plan that nobody sells");
    if seen.is_success() {
        return Err(Stop::skipped("the add-on takes any plan, so that no refusal could be seen"));
    }
    let advice = "Answer 422 with {\"message\": \"…\"}, which the customer sees.";
    seen.must_be(&[422, 503], advice)?;
    match seen.object()?.get("message") {
        Some(Value::String(_)) => Ok(()),
        _ => Err(seen.fault("The refusal holds no message.", advice)),
    }
}

async fn no_json(it: &Subject) -> Verdict {
    for (what, body) in [("half an object", "{"), ("an empty body", ""), ("a list", "[]")] {
        let seen = it.wire.send(it.order().body(body)).await?.to(what);
        seen.must_be_refused("Answer 400 with a message that says what could not be read.")?;
    }
    Ok(())
}

async fn changes_plan(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let seen = it.wire.send(it.plan_change(&resource.id)).await?;
    if matches!(seen.status(), 422 | 503) {
        return Ok(());
    }
    must_succeed(&seen, "200")?;
    if !seen.body().is_empty() {
        are_texts(&seen)?;
        are_listed(&it.config_vars, &seen)?;
    }
    Ok(())
}

async fn same_plan(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let seen = it.wire.send(it.market.plan_change(&resource.id, it.plan())).await?;
    must_succeed(&seen.to("a change to the plan it has"), "200")
}

async fn unknown_plan_change(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.plan_change("never-ordered-4821")).await?.to("a plan change of nothing");
    seen.must_be(&[404, 410], "Answer 404 with a message.").map(drop)
}

async fn removes(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let seen = it.wire.send(it.market.deprovision(&resource.id)).await?;
    must_succeed(&seen, "204")
}

async fn unknown_deprovision(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.market.deprovision("never-ordered-4821")).await?.to("a deprovision of nothing");
    match seen.status() {
        200..=299 | 404 | 410 => Ok(()),
        _ => Err(seen.wrong_status("404", "Answer 404: there is nothing to remove.")),
    }
}

async fn removed(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    must_succeed(&it.wire.send(it.market.deprovision(&resource.id)).await?, "204")?;
    let seen = it.wire.send(it.plan_change(&resource.id)).await?.to("a plan change of a removed resource");
    seen.must_be_refused("Answer 404 (or 410): what was removed stays so.").map(drop)
}
