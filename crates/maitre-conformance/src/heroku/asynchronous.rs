//! Add-ons that answer 202, and finish by calling Heroku.

use std::time::{Duration, Instant};

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use maitre_testkit::platform::{Fault, Rule, State};

use super::citation;
use super::fake_platform::FakePlatform;
use super::resource::{Resource, uuid_of};
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::cleanup::id_text;
use crate::verdict::{Fault as Wrong, Stop, Verdict};

const ASYNC: &[Capability] = &[Capability::Asynchronous, Capability::Platform];
const ENDS: Citation =
    citation::asynchronous("exchange the grant, set the config vars, mark it provisioned, within 12 hours");
const RETRIES: Citation =
    citation::practice("networks break; a grant lives five minutes, and the customer pays from the provision on");

const TOKEN: (&str, &str) = ("POST", "/oauth/token");
const CONFIG: (&str, &str) = ("PATCH", "/addons/*/config");
const MARK: (&str, &str) = ("POST", "/addons/*/actions/provision");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.async.no-config",
        "An answer with 202 holds no config vars.",
        citation::asynchronous("answer 202 with id and message; config vars are set later"),
        |target| Box::pin(no_config(target)),
    )
    .needs(&[Capability::Asynchronous]),
    Case::must(
        "heroku.async.completes",
        "What was answered with 202 is marked provisioned in the end.",
        ENDS,
        |target| Box::pin(completes(target)),
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.config-first",
        "Config vars are set before the add-on is marked provisioned.",
        ENDS,
        |target| Box::pin(config_first(target)),
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.listed-config",
        "Config vars that are set later are those that the manifest lists, too.",
        citation::practice("what holds for an answer's config vars holds for those that are set by the API"),
        |target| Box::pin(listed_config(target)),
    )
    .needs(ASYNC),
    Case::must(
        "heroku.async.replay-when-done",
        "The same provision, sent again when it is done, succeeds with the same id.",
        citation::reference("a repeated uuid is answered with the id, config and message of the first time"),
        |target| Box::pin(replay_when_done(target)),
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.survives-token-outage",
        "A token endpoint that is out for a delay does not end a provision.",
        RETRIES,
        |target| {
            Box::pin(survives(target, Fault::status(503).times(2), TOKEN, "The token endpoint answered 503 twice"))
        },
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.survives-config-outage",
        "An API that is out for a delay while config vars are set does not end a provision.",
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
    .needs(ASYNC),
    Case::should(
        "heroku.async.survives-lost-mark",
        "A lost answer to actions/provision does not end a provision.",
        RETRIES,
        |target| {
            Box::pin(survives(
                target,
                Fault::drop_connection().after_work(),
                MARK,
                "The answer to actions/provision was lost",
            ))
        },
    )
    .needs(ASYNC),
    Case::must(
        "heroku.async.outage-blocks-nothing",
        "While it cannot be finished, the same provision succeeds, and it can be removed.",
        citation::reference("every endpoint must be idempotent; a deprovision needs nothing but the id"),
        |target| Box::pin(outage_blocks_nothing(target)),
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.quiet-after-removal",
        "After a deprovision Heroku is not called about it any more.",
        citation::practice("tokens end with the resource"),
        |target| Box::pin(quiet_after_removal(target)),
    )
    .needs(ASYNC),
    Case::should(
        "heroku.async.failure",
        "A provision that cannot be finished is input up by actions/deprovision.",
        citation::vendor_code(
            "heroku/heroku-go",
            "actions/deprovision removes what cannot be provisioned, and the customer pays nothing",
        ),
        |target| Box::pin(failure(target)),
    )
    .needs(ASYNC)
    .slow(),
    Case::should(
        "heroku.platform.exchange-once",
        "A grant is exchanged once, however often the provision comes.",
        citation::oauth("a grant's code is good once"),
        |target| Box::pin(exchange_once(target)),
    )
    .needs(&[Capability::Platform]),
    Case::must(
        "heroku.platform.accept",
        "Calls ask for version 3 of the API.",
        citation::platform_api("Accept: application/vnd.heroku+json; version=3"),
        |target| {
            Box::pin(general(
                target,
                Rule::NotAcceptable,
                "Send Accept: application/vnd.heroku+json; version=3 with every call.",
            ))
        },
    )
    .needs(&[Capability::Platform]),
    Case::should(
        "heroku.platform.user-agent",
        "Calls say who makes them.",
        citation::platform_api("a User-Agent header is asked for"),
        |target| Box::pin(general(target, Rule::NoUserAgent, "Send a User-Agent with your add-on's name and version.")),
    )
    .needs(&[Capability::Platform]),
    Case::should(
        "heroku.platform.no-secret-in-query",
        "Grants, tokens and the client secret do not stand in a URL.",
        citation::practice("queries stand in every log on the way"),
        |target| {
            Box::pin(general(target, Rule::SecretInQuery, "Send the fields of a token call as a form in the body."))
        },
    )
    .needs(&[Capability::Platform]),
];

fn platform(target: &Target) -> Result<&FakePlatform, Stop> {
    target.platform.as_ref().ok_or_else(|| Stop::skipped("the check plays no platform that the add-on could call"))
}

/// A fault that the add-on's calls to Heroku show: all of them are in the report, the last one in whole.
fn wrong(target: &Target, uuid: &str, why: String, advice: &str) -> Stop {
    let exchanges = target.platform.iter().flat_map(|platform| platform.exchanges(uuid));
    let last = exchanges.map(|exchange| target.wire.record_platform_call(&exchange)).last();
    Stop::Failed(Wrong { message: why, advice: advice.to_owned(), exchange: last })
}

async fn no_config(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.response.status() != 202 || !resource.response.object()?.contains_key("config") {
        return Ok(());
    }
    Err(resource.response.fault(
        "The 202 holds config.",
        "Leave config out, and set it by PATCH /addons/{uuid}/config when it is known: in a 202 it is deprecated.",
    ))
}

/// An provision that has to finish, under whatever goes wrong meanwhile.
async fn must_finish(target: &Target, provision: Call<Provision>, meanwhile: &str) -> Result<Resource, Stop> {
    let (platform, resource) = (platform(target)?, target.create_from(provision).await?);
    if resource.response.status() != 202 || platform.wait_for_state(&resource.uuid, State::Provisioned).await {
        return Ok(resource);
    }
    let life = platform.find(&resource.uuid).map_or("unknown".to_owned(), |install| install.state().to_string());
    let calls = platform.exchanges(&resource.uuid).len();
    let why = format!("{meanwhile}, and the add-on is still {life} after {calls} calls to Heroku.");
    let advice = "Exchange the grant at once, PATCH /addons/{uuid}/config, then POST /addons/{uuid}/actions/provision; try \
                  what fails again, with pauses. If there are no calls at all, look whether the add-on was started with \
                  the address of --platform. If it just takes longer, raise --async-timeout.";
    Err(wrong(target, &resource.uuid, why, advice))
}

async fn completes(target: &Target) -> Verdict {
    let finished = must_finish(target, target.provision(), "It was answered 202").await;
    if matches!(finished, Err(Stop::Failed(_))) {
        platform(target)?.stop_waiting();
    }
    finished.map(drop)
}

/// One that was finished, or nothing to look at.
async fn finished(target: &Target) -> Result<(&FakePlatform, Resource), Stop> {
    target.require_ready()?;
    let (platform, resource) = (platform(target)?, target.new_resource().await?);
    target.await_completion(&resource).await?;
    Ok((platform, resource))
}

async fn config_first(target: &Target) -> Verdict {
    let (platform, resource) = finished(target).await?;
    match platform.violation(Rule::ConfigMissing, Some(&resource.uuid)) {
        None => Ok(()),
        Some(_) => Err(wrong(
            target,
            &resource.uuid,
            "It was marked provisioned before its config vars were set.".to_owned(),
            "Set the config vars first: actions/provision releases them to the app, which restarts with them.",
        )),
    }
}

/// Also where it does not finish for that very reason.
async fn listed_config(target: &Target) -> Verdict {
    let (platform, resource) = (platform(target)?, target.new_resource().await?);
    let broken = || platform.violation(Rule::ForeignConfigVar, Some(&resource.uuid));
    let install = platform.find(&resource.uuid);
    let is_over = || install.as_ref().is_none_or(|install| install.state() != State::Provisioning);
    // one that does not finish is not waited for as long again
    let patience = if target.require_ready().is_ok() { Duration::MAX } else { Duration::from_secs(5) };
    let start = Instant::now();
    platform.wait_until(|| is_over() || broken().is_some() || start.elapsed() > patience).await;
    match broken() {
        None => Ok(()),
        Some(violation) => Err(wrong(
            target,
            &resource.uuid,
            format!("{violation}."),
            "Add the name to api.config_vars and push the manifest, or do not set it: Heroku refuses it.",
        )),
    }
}

async fn replay_when_done(target: &Target) -> Verdict {
    let (_, resource) = finished(target).await?;
    let again = target.wire.send(resource.provision.clone()).await?.to("the same provision, which is done");
    let advice = "Answer 200 (or 202 again) with the same id: a late retry asks for what is there.";
    if !again.is_success() {
        return Err(again.wrong_status("200", advice));
    }
    let id = again.json().and_then(|body| id_text(&body["id"]));
    if id.as_deref() == Some(&resource.id) {
        Ok(())
    } else {
        Err(again.fault("The id is another one than the first time.", advice))
    }
}

async fn survives(target: &Target, fault: Fault, (method, path): (&str, &str), what: &str) -> Verdict {
    target.require_ready()?;
    let (platform, provision) = (platform(target)?, target.provision());
    let of_this_one = path.replace('*', &uuid_of(&provision));
    let _guard = platform.inject(fault.on(method, &of_this_one)).await;
    let resource = must_finish(target, provision, what).await?;
    if path == MARK.1 {
        // whoever takes a lost answer for a failure gives up after it was done
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if platform.exchanges(&resource.uuid).iter().any(|exchange| exchange.path().ends_with("/actions/deprovision")) {
        let advice = "A failure that passes is no reason to give up: ask again, with pauses.";
        return Err(wrong(target, &resource.uuid, format!("{what}, and the add-on gave up."), advice));
    }
    Ok(())
}

async fn outage_blocks_nothing(target: &Target) -> Verdict {
    let platform = platform(target)?;
    let _guard = platform.inject(Fault::status(503).always().on(TOKEN.0, TOKEN.1)).await;
    let resource = target.new_resource().await?;
    let again =
        target.wire.send(resource.provision.clone()).await?.to("the same provision while the token endpoint is out");
    if !again.is_success() {
        let advice = "Answer a repeated provision as the first one, 202, while it is being worked on.";
        return Err(again.wrong_status("202", advice));
    }
    let removal =
        target.wire.send(target.deprovision(&resource)).await?.to("a deprovision while the token endpoint is out");
    if removal.is_success() {
        return Ok(());
    }
    Err(removal.wrong_status("204", "A deprovision needs no token: remove, and leave Heroku alone."))
}

async fn quiet_after_removal(target: &Target) -> Verdict {
    let platform = platform(target)?;
    let late = Duration::from_millis(300);
    let _guard = platform.inject(Fault::delay(late).after_work().on(TOKEN.0, TOKEN.1)).await;
    let resource = target.new_resource().await?;
    // removed while it waits for its token
    let (called, end) = (|| !platform.exchanges(&resource.uuid).is_empty(), Instant::now() + Duration::from_secs(5));
    platform.wait_until(|| called() || Instant::now() > end).await;
    target.wire.send(target.deprovision(&resource)).await?;
    let calls = || platform.find(&resource.uuid).map_or(0, |install| install.call_counts().calls_after_deprovision);
    let end = Instant::now() + 5 * late;
    platform.wait_until(|| calls() > 1 || Instant::now() > end).await;
    let calls = calls();
    // one may have been on its way
    if calls < 2 {
        return Ok(());
    }
    Err(wrong(
        target,
        &resource.uuid,
        format!("Heroku was called about it {calls} times after it had been removed."),
        "Look before each call whether the resource still lives, and end the work when it does not.",
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
    Err(wrong(
        target,
        &resource.uuid,
        "Setting its config vars is refused with 422 for good, and the add-on keeps the customer waiting.".to_owned(),
        "Give up by POST /addons/{uuid}/actions/deprovision what cannot be finished: the customer is told, and pays nothing.",
    ))
}

async fn exchange_once(target: &Target) -> Verdict {
    let (platform, resource) = finished(target).await?;
    for _ in 0..3 {
        target.wire.send(resource.provision.clone()).await?;
    }
    let Some(install) = platform.find(&resource.uuid) else { return Ok(()) };
    if install.call_counts().exchanges == 0 {
        return Err(Stop::skipped("the add-on exchanges no grants"));
    }
    // a second exchange would follow at once
    tokio::time::sleep(Duration::from_millis(100)).await;
    let tally = install.call_counts();
    if tally.exchanges + tally.repeated_exchanges == 1 {
        return Ok(());
    }
    Err(wrong(
        target,
        &resource.uuid,
        format!("Its grant was exchanged {} times.", tally.exchanges + tally.repeated_exchanges),
        "Keep the token with the resource, and exchange a grant only where there is none.",
    ))
}

async fn general(target: &Target, rule: Rule, advice: &str) -> Verdict {
    let platform = platform(target)?;
    if platform.violation(rule, None).is_none() {
        let resource = target.new_resource().await?;
        let end = Instant::now() + Duration::from_secs(2);
        let install = platform.find(&resource.uuid);
        let under_way = || install.as_ref().is_some_and(|install| install.state() == State::Provisioning);
        platform.wait_until(|| !under_way() || platform.violation(rule, None).is_some() || Instant::now() > end).await;
    }
    if !platform.has_been_called() {
        return Err(Stop::skipped("the add-on has not called the platform"));
    }
    match platform.violation(rule, None) {
        None => Ok(()),
        Some(violation) => Err(Stop::fault(format!("{violation}."), advice)),
    }
}
