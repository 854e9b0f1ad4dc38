//! Asynchronous add-ons, which answer 202 and complete by calling Heroku.

use std::time::{Duration, Instant};

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use maitre_testkit::platform::{Fault, Rule, State};

use super::addon::Version;
use super::citation;
use super::fake_platform::FakePlatform;
use super::resource::{Resource, uuid_of};
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::rules;
use crate::verdict::{Fault as CheckFault, Stop, Verdict};

const ASYNC: &[Capability] = &[Capability::Asynchronous, Capability::Platform];
/// Capabilities of an add-on that completes with a token, by version 3.
const GRANTS: &[Capability] = &[Capability::Asynchronous, Capability::Platform, Capability::Version3];
/// Capabilities of an add-on that completes by the callback of version 1.
const CALLBACKS: &[Capability] = &[Capability::Asynchronous, Capability::Platform, Capability::Version1];
const ENDS: Citation =
    citation::asynchronous("exchange the grant, set the config vars, mark the add-on provisioned, within 12 hours");
const RETRIES: Citation =
    citation::practice("networks fail; a grant is valid for five minutes, and the customer pays from the provision on");

const TOKEN: (&str, &str) = ("POST", "/oauth/token");
const CONFIG: (&str, &str) = ("PATCH", "/addons/*/config");
const CALLBACK: (&str, &str) = ("PUT", "/vendor/apps/*");
const MARK: (&str, &str) = ("POST", "/addons/*/actions/provision");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.async.no-config",
        "A 202 has no config vars.",
        citation::asynchronous("answer 202 with id and message; config vars are set later"),
        |target| Box::pin(no_config(target)),
    )
    .needs(&[Capability::Asynchronous])
    .alone(),
    Case::must("heroku.async.completes", "A provision answered 202 is marked provisioned in time.", ENDS, |target| {
        Box::pin(completes(target))
    })
    .needs(GRANTS)
    .alone(),
    Case::must(
        "heroku.async.callback",
        "A provision answered 202 is completed in time by config vars sent to its callback_url.",
        citation::kensa("after a 202, config is sent to callback_url by PUT"),
        |target| Box::pin(completes(target)),
    )
    .needs(CALLBACKS)
    .alone(),
    Case::should(
        "heroku.async.survives-callback-outage",
        "A provision survives a short outage of its callback_url.",
        citation::practice("networks fail, and the customer pays from the provision on"),
        |target| {
            Box::pin(survives(target, Fault::status(503).times(2), CALLBACK, "The callback_url answered 503 twice"))
        },
    )
    .needs(CALLBACKS)
    .alone(),
    Case::should(
        "heroku.async.config-first",
        "Config vars are set before the add-on is marked provisioned.",
        ENDS,
        |target| Box::pin(config_first(target)),
    )
    .needs(GRANTS)
    .alone(),
    Case::should(
        "heroku.async.listed-config",
        "Config vars that are set later are listed in the manifest, too.",
        citation::practice("the rules for config vars in a response also apply to the API"),
        |target| Box::pin(listed_config(target)),
    )
    .needs(ASYNC)
    .alone(),
    Case::must(
        "heroku.async.replay-when-done",
        "A repeated provision succeeds with the same id after completion.",
        citation::reference("a repeated uuid is answered with the id, config and message of the first time"),
        |target| Box::pin(replay_when_done(target)),
    )
    .needs(ASYNC)
    .alone(),
    Case::should(
        "heroku.async.survives-token-outage",
        "A provision survives a short outage of the token endpoint.",
        RETRIES,
        |target| {
            Box::pin(survives(target, Fault::status(503).times(2), TOKEN, "The token endpoint answered 503 twice"))
        },
    )
    .needs(GRANTS)
    .alone(),
    Case::should(
        "heroku.async.survives-config-outage",
        "A provision survives a short outage of the API while config vars are set.",
        RETRIES,
        |target| {
            Box::pin(survives(
                target,
                Fault::status(503).times(2),
                CONFIG,
                "Setting config vars was answered 503 twice",
            ))
        },
    )
    .needs(GRANTS)
    .alone(),
    Case::should(
        "heroku.async.survives-lost-mark",
        "A provision survives a lost response to actions/provision.",
        RETRIES,
        |target| {
            Box::pin(survives(
                target,
                Fault::drop_connection().after_work(),
                MARK,
                "The response to actions/provision was lost",
            ))
        },
    )
    .needs(GRANTS)
    .alone(),
    Case::must(
        "heroku.async.outage-blocks-nothing",
        "During an outage, a repeated provision succeeds and the resource can be deprovisioned.",
        citation::reference("every endpoint must be idempotent; a deprovision needs nothing but the id"),
        |target| Box::pin(outage_blocks_nothing(target)),
    )
    .needs(GRANTS)
    .alone(),
    Case::should(
        "heroku.async.quiet-after-removal",
        "After a deprovision, the add-on no longer calls Heroku about the resource.",
        citation::practice("tokens are revoked with the resource"),
        |target| Box::pin(quiet_after_removal(target)),
    )
    .needs(GRANTS)
    .alone(),
    Case::should(
        "heroku.async.failure",
        "A provision that cannot complete is cancelled by actions/deprovision.",
        citation::vendor_code(
            "heroku/heroku-go",
            "actions/deprovision removes a resource that cannot be provisioned, and the customer pays nothing",
        ),
        |target| Box::pin(failure(target)),
    )
    .needs(GRANTS)
    .slow()
    .alone(),
    Case::should(
        "heroku.platform.exchange-once",
        "A grant is exchanged once, however often the provision is repeated.",
        citation::oauth("a grant's code is valid once"),
        |target| Box::pin(exchange_once(target)),
    )
    .needs(&[Capability::Platform, Capability::Version3])
    .alone(),
    Case::must(
        "heroku.platform.accept",
        "API calls request version 3.",
        citation::platform_api("Accept: application/vnd.heroku+json; version=3"),
        |target| {
            Box::pin(general(
                target,
                Rule::NotAcceptable,
                "Send Accept: application/vnd.heroku+json; version=3 with every request.",
            ))
        },
    )
    .needs(&[Capability::Platform, Capability::Version3])
    .alone(),
    Case::should(
        "heroku.platform.user-agent",
        "API calls have a User-Agent.",
        citation::platform_api("a User-Agent header is required"),
        |target| Box::pin(general(target, Rule::NoUserAgent, "Send a User-Agent with your add-on's name and version.")),
    )
    .needs(&[Capability::Platform])
    .alone(),
    Case::should(
        "heroku.platform.no-secret-in-query",
        "Grants, tokens and the client secret are not in a URL.",
        citation::practice("queries are logged by every server and proxy"),
        |target| {
            Box::pin(general(target, Rule::SecretInQuery, "Send the fields of a token request as a form in the body."))
        },
    )
    .needs(&[Capability::Platform])
    .alone(),
];

const TO_COMPLETE: &str = "Exchange the grant immediately, PATCH /addons/{uuid}/config, then POST \
                           /addons/{uuid}/actions/provision; retry failures with backoff. If there are no calls at all, check \
                           that the add-on was started with the address of --platform. If it needs more time, raise \
                           --async-timeout.";
const TO_CALL_BACK: &str = "PUT {\"config\": {…}} to the provision's callback_url, with the manifest's id and password as Basic \
                            credentials; retry failures with backoff. If it needs more time, raise --async-timeout.";

fn platform(target: &Target) -> Result<&FakePlatform, Stop> {
    target.platform.as_ref().ok_or_else(|| Stop::skipped("the add-on has no fake platform to call"))
}

/// Creates a fault with the add-on's calls to Heroku as exchanges; the last one shows the fault.
fn platform_fault(target: &Target, uuid: &str, message: String, advice: &str) -> Stop {
    let exchanges = target.platform.iter().flat_map(|platform| platform.exchanges(uuid));
    let last = exchanges.map(|exchange| target.wire.record_platform_call(&exchange)).last();
    Stop::Failed(CheckFault { message, advice: advice.to_owned(), exchange: last })
}

async fn no_config(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.response.status() == 202 { resource.response.require(rules::is_without_config) } else { Ok(()) }
}

/// Provisions, and requires that the provision completes despite an injected fault.
async fn must_complete(target: &Target, provision: Call<Provision>, event: &str) -> Result<Resource, Stop> {
    let (platform, resource) = (platform(target)?, target.create_from(provision).await?);
    if resource.response.status() != 202 || platform.wait_for_state(&resource.uuid, State::Provisioned).await {
        return Ok(resource);
    }
    let state = platform.find(&resource.uuid).map_or("unknown".to_owned(), |install| install.state().to_string());
    let calls = platform.exchanges(&resource.uuid).len();
    let message = format!("{event}, and the resource is still {state} after {calls} calls to Heroku.");
    let advice = match target.version {
        Version::One => TO_CALL_BACK,
        Version::Three => TO_COMPLETE,
    };
    Err(platform_fault(target, &resource.uuid, message, advice))
}

async fn completes(target: &Target) -> Verdict {
    let completed = must_complete(target, target.provision(), "The provision was answered 202").await;
    if matches!(completed, Err(Stop::Failed(_))) {
        platform(target)?.stop_waiting();
    }
    completed.map(drop)
}

/// Creates a resource and waits for its completion; skips the check if that times out.
async fn completed(target: &Target) -> Result<(&FakePlatform, Resource), Stop> {
    target.require_ready()?;
    let (platform, resource) = (platform(target)?, target.new_resource().await?);
    target.await_completion(&resource).await?;
    Ok((platform, resource))
}

async fn config_first(target: &Target) -> Verdict {
    let (platform, resource) = completed(target).await?;
    match platform.violation(Rule::ConfigMissing, Some(&resource.uuid)) {
        None => Ok(()),
        Some(_) => Err(platform_fault(
            target,
            &resource.uuid,
            "The resource was marked provisioned before its config vars were set.".to_owned(),
            "Set the config vars first: actions/provision releases them to the app, which restarts with them.",
        )),
    }
}

/// Also finds a resource that does not complete because Heroku rejects the config var.
async fn listed_config(target: &Target) -> Verdict {
    let (platform, resource) = (platform(target)?, target.new_resource().await?);
    let violation = || platform.violation(Rule::ForeignConfigVar, Some(&resource.uuid));
    let install = platform.find(&resource.uuid);
    let is_complete = || install.as_ref().is_none_or(|install| install.state() != State::Provisioning);
    // after a timeout, do not wait for the full time again
    let limit = if target.require_ready().is_ok() { Duration::MAX } else { Duration::from_secs(5) };
    let start = Instant::now();
    platform.wait_until(|| is_complete() || violation().is_some() || start.elapsed() > limit).await;
    match violation() {
        None => Ok(()),
        Some(violation) => Err(platform_fault(
            target,
            &resource.uuid,
            format!("{violation}."),
            "Add the name to api.config_vars and push the manifest, or do not set it: Heroku rejects it.",
        )),
    }
}

async fn replay_when_done(target: &Target) -> Verdict {
    let (_, resource) = completed(target).await?;
    let again = target.wire.send(resource.provision.clone()).await?.to("a repeated provision after completion");
    let advice = "Answer 200 (or 202 again) with the same id: a late retry asks for the existing resource.";
    if !again.is_success() {
        return Err(again.wrong_status("200", advice));
    }
    let id = again.parts().id();
    if id.as_deref() == Some(&resource.id) {
        Ok(())
    } else {
        Err(again.fault("The id differs from the first response.", advice))
    }
}

async fn survives(target: &Target, fault: Fault, (method, path): (&str, &str), event: &str) -> Verdict {
    target.require_ready()?;
    let (platform, provision) = (platform(target)?, target.provision());
    let resource_path = path.replace('*', &uuid_of(&provision));
    let _guard = platform.inject(fault.on(method, &resource_path)).await;
    let resource = must_complete(target, provision, event).await?;
    if path == MARK.1 {
        // an add-on that treats a lost response as a failure gives up after the completion
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if platform.exchanges(&resource.uuid).iter().any(|exchange| exchange.path().ends_with("/actions/deprovision")) {
        let advice = "Retry temporary failures with backoff instead of giving up.";
        return Err(platform_fault(target, &resource.uuid, format!("{event}, and the add-on gave up."), advice));
    }
    Ok(())
}

async fn outage_blocks_nothing(target: &Target) -> Verdict {
    let platform = platform(target)?;
    let _guard = platform.inject(Fault::status(503).always().on(TOKEN.0, TOKEN.1)).await;
    let resource = target.new_resource().await?;
    let again = target
        .wire
        .send(resource.provision.clone())
        .await?
        .to("a repeated provision during an outage of the token endpoint");
    if !again.is_success() {
        let advice = "Answer a repeated provision as the first one, with 202, until the provision completes.";
        return Err(again.wrong_status("202", advice));
    }
    let deprovision = target
        .wire
        .send(target.deprovision(&resource))
        .await?
        .to("a deprovision during an outage of the token endpoint");
    if deprovision.is_success() {
        return Ok(());
    }
    Err(deprovision.wrong_status("204", "A deprovision needs no token: delete the resource without calling Heroku."))
}

async fn quiet_after_removal(target: &Target) -> Verdict {
    let platform = platform(target)?;
    let delay = Duration::from_millis(300);
    let _guard = platform.inject(Fault::delay(delay).after_work().on(TOKEN.0, TOKEN.1)).await;
    let resource = target.new_resource().await?;
    // deprovision the resource while the add-on waits for its token
    let (called, end) = (|| !platform.exchanges(&resource.uuid).is_empty(), Instant::now() + Duration::from_secs(5));
    platform.wait_until(|| called() || Instant::now() > end).await;
    target.wire.send(target.deprovision(&resource)).await?;
    let calls = || platform.find(&resource.uuid).map_or(0, |install| install.call_counts().calls_after_deprovision);
    let end = Instant::now() + 5 * delay;
    platform.wait_until(|| calls() > 1 || Instant::now() > end).await;
    let calls = calls();
    // one call may have been in flight
    if calls < 2 {
        return Ok(());
    }
    Err(platform_fault(
        target,
        &resource.uuid,
        format!("Heroku was called about the resource {calls} times after its deprovision."),
        "Check before each call whether the resource still exists, and stop the work if it does not.",
    ))
}

async fn failure(target: &Target) -> Verdict {
    target.require_ready()?;
    let platform = platform(target)?;
    let _guard = platform.inject(Fault::status(422).always().on(CONFIG.0, CONFIG.1)).await;
    let resource = target.new_resource().await?;
    if resource.response.status() != 202 || platform.wait_for_state(&resource.uuid, State::Deprovisioned).await {
        return Ok(());
    }
    Err(platform_fault(
        target,
        &resource.uuid,
        "Setting the config vars is always refused with 422, and the add-on does not give up.".to_owned(),
        "Cancel a provision that cannot complete by POST /addons/{uuid}/actions/deprovision: Heroku notifies the customer, who \
         pays nothing.",
    ))
}

async fn exchange_once(target: &Target) -> Verdict {
    let (platform, resource) = completed(target).await?;
    for _ in 0..3 {
        target.wire.send(resource.provision.clone()).await?;
    }
    let Some(install) = platform.find(&resource.uuid) else { return Ok(()) };
    if install.call_counts().exchanges == 0 {
        return Err(Stop::skipped("the add-on exchanges no grants"));
    }
    // a second exchange would follow immediately
    tokio::time::sleep(Duration::from_millis(100)).await;
    let counts = install.call_counts();
    if counts.exchanges + counts.repeated_exchanges == 1 {
        return Ok(());
    }
    Err(platform_fault(
        target,
        &resource.uuid,
        format!("The grant was exchanged {} times.", counts.exchanges + counts.repeated_exchanges),
        "Store the token with the resource, and only exchange a grant if the token is missing.",
    ))
}

async fn general(target: &Target, rule: Rule, advice: &str) -> Verdict {
    let platform = platform(target)?;
    if platform.violation(rule, None).is_none() {
        let resource = target.new_resource().await?;
        let end = Instant::now() + Duration::from_secs(2);
        let install = platform.find(&resource.uuid);
        let is_provisioning = || install.as_ref().is_some_and(|install| install.state() == State::Provisioning);
        platform
            .wait_until(|| !is_provisioning() || platform.violation(rule, None).is_some() || Instant::now() > end)
            .await;
    }
    if !platform.has_been_called() {
        return Err(Stop::skipped("the add-on has not called the platform"));
    }
    match platform.violation(rule, None) {
        None => Ok(()),
        Some(violation) => Err(Stop::fault(format!("{violation}."), advice)),
    }
}
