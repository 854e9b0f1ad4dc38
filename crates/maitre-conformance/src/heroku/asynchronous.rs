//! Add-ons that answer 202, and finish by calling Heroku.

use std::time::{Duration, Instant};

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use maitre_testkit::platform::{Fault, Rule, State};

use super::stage::Stage;
use super::{Resource, Subject, clause};
use crate::check::{Capability, Case, Clause};
use crate::verdict::{Fault as Wrong, Stop, Verdict};

const LATER: &[Capability] = &[Capability::AnswersLater, Capability::Platform];
const ENDS: Clause =
    clause::asynchronous("exchange the grant, set the config vars, mark it provisioned, within 12 hours");
const RETRIES: Clause =
    clause::practice("networks break; a grant lives five minutes, and the customer pays from the order on");

const TOKEN: (&str, &str) = ("POST", "/oauth/token");
const CONFIG: (&str, &str) = ("PATCH", "/addons/*/config");
const MARK: (&str, &str) = ("POST", "/addons/*/actions/provision");

pub(super) const CASES: &[Case<Subject>] = &[
    Case::should(
        "heroku.async.no-config",
        "An answer with 202 holds no config vars.",
        clause::asynchronous("answer 202 with id and message; config vars are set later"),
        |it| Box::pin(no_config(it)),
    )
    .needs(&[Capability::AnswersLater]),
    Case::must("heroku.async.completes", "What was answered with 202 is marked provisioned in the end.", ENDS, |it| {
        Box::pin(completes(it))
    })
    .needs(LATER),
    Case::should(
        "heroku.async.config-first",
        "Config vars are set before the add-on is marked provisioned.",
        ENDS,
        |it| Box::pin(config_first(it)),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.listed-config",
        "Config vars that are set later are those that the manifest lists, too.",
        clause::practice("what holds for an answer's config vars holds for those that are set by the API"),
        |it| Box::pin(listed_config(it)),
    )
    .needs(LATER),
    Case::must(
        "heroku.async.replay-when-done",
        "The same provision, sent again when it is done, succeeds with the same id.",
        clause::reference("a repeated uuid is answered with the id, config and message of the first time"),
        |it| Box::pin(replay_when_done(it)),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.survives-token-outage",
        "A token endpoint that is out for a moment does not end a provision.",
        RETRIES,
        |it| Box::pin(survives(it, Fault::status(503).times(2), TOKEN, "The token endpoint answered 503 twice")),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.survives-config-outage",
        "An API that is out for a moment while config vars are set does not end a provision.",
        RETRIES,
        |it| Box::pin(survives(it, Fault::status(503).times(2), CONFIG, "Setting config vars was answered 503 twice")),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.survives-lost-mark",
        "A lost answer to actions/provision does not end a provision.",
        RETRIES,
        |it| {
            Box::pin(survives(
                it,
                Fault::drop_connection().after_work(),
                MARK,
                "The answer to actions/provision was lost",
            ))
        },
    )
    .needs(LATER),
    Case::must(
        "heroku.async.outage-blocks-nothing",
        "While it cannot be finished, the same provision succeeds, and it can be removed.",
        clause::reference("every endpoint must be idempotent; a deprovision needs nothing but the id"),
        |it| Box::pin(outage_blocks_nothing(it)),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.quiet-after-removal",
        "After a deprovision Heroku is not called about it any more.",
        clause::practice("tokens end with the resource"),
        |it| Box::pin(quiet_after_removal(it)),
    )
    .needs(LATER),
    Case::should(
        "heroku.async.failure",
        "A provision that cannot be finished is given up by actions/deprovision.",
        clause::seen_at(
            "heroku/heroku-go",
            "actions/deprovision removes what cannot be provisioned, and the customer pays nothing",
        ),
        |it| Box::pin(failure(it)),
    )
    .needs(LATER)
    .slow(),
    Case::should(
        "heroku.platform.exchange-once",
        "A grant is exchanged once, however often the provision comes.",
        clause::oauth("a grant's code is good once"),
        |it| Box::pin(exchange_once(it)),
    )
    .needs(&[Capability::Platform]),
    Case::must(
        "heroku.platform.accept",
        "Calls ask for version 3 of the API.",
        clause::platform_api("Accept: application/vnd.heroku+json; version=3"),
        |it| {
            Box::pin(general(
                it,
                Rule::NotAcceptable,
                "Send Accept: application/vnd.heroku+json; version=3 with every call.",
            ))
        },
    )
    .needs(&[Capability::Platform]),
    Case::should(
        "heroku.platform.user-agent",
        "Calls say who makes them.",
        clause::platform_api("a User-Agent header is asked for"),
        |it| Box::pin(general(it, Rule::NoUserAgent, "Send a User-Agent with your add-on's name and version.")),
    )
    .needs(&[Capability::Platform]),
    Case::should(
        "heroku.platform.no-secret-in-query",
        "Grants, tokens and the client secret do not stand in a URL.",
        clause::practice("queries stand in every log on the way"),
        |it| Box::pin(general(it, Rule::SecretInQuery, "Send the fields of a token call as a form in the body.")),
    )
    .needs(&[Capability::Platform]),
];

fn stage(it: &Subject) -> Result<&Stage, Stop> {
    it.stage.as_ref().ok_or_else(|| Stop::skipped("the check plays no platform that the add-on could call"))
}

/// A fault that the add-on's calls to Heroku show: all of them are in the report, the last one in whole.
fn wrong(it: &Subject, uuid: &str, why: String, advice: &str) -> Stop {
    let exchanges = it.stage.iter().flat_map(|stage| stage.exchanges(uuid));
    let last = exchanges.map(|exchange| it.wire.overheard(&exchange)).last();
    Stop::Failed(Wrong { why, advice: advice.to_owned(), exchange: last })
}

async fn no_config(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    if resource.seen.status() != 202 || !resource.seen.object()?.contains_key("config") {
        return Ok(());
    }
    Err(resource.seen.fault(
        "The 202 holds config.",
        "Leave config out, and set it by PATCH /addons/{uuid}/config when it is known: in a 202 it is deprecated.",
    ))
}

/// An order that has to finish, under whatever goes wrong meanwhile.
async fn must_finish(it: &Subject, order: Call<Provision>, meanwhile: &str) -> Result<Resource, Stop> {
    let (stage, resource) = (stage(it)?, it.order_as(order).await?);
    if resource.seen.status() != 202 || stage.reaches(&resource.uuid, State::Provisioned).await {
        return Ok(resource);
    }
    let life = stage.find(&resource.uuid).map_or("unknown".to_owned(), |install| install.state().to_string());
    let calls = stage.exchanges(&resource.uuid).len();
    let why = format!("{meanwhile}, and the add-on is still {life} after {calls} calls to Heroku.");
    let advice = "Exchange the grant at once, PATCH /addons/{uuid}/config, then POST /addons/{uuid}/actions/provision; try \
                  what fails again, with pauses. If there are no calls at all, look whether the add-on was started with \
                  the address of --platform. If it just takes longer, say so by --async-timeout.";
    Err(wrong(it, &resource.uuid, why, advice))
}

async fn completes(it: &Subject) -> Verdict {
    let finished = must_finish(it, it.order(), "It was answered 202").await;
    if matches!(finished, Err(Stop::Failed(_))) {
        stage(it)?.wait_no_more();
    }
    finished.map(drop)
}

/// One that was finished, or nothing to look at.
async fn finished(it: &Subject) -> Result<(&Stage, Resource), Stop> {
    it.ready()?;
    let (stage, resource) = (stage(it)?, it.ordered().await?);
    it.finished(&resource).await?;
    Ok((stage, resource))
}

async fn config_first(it: &Subject) -> Verdict {
    let (stage, resource) = finished(it).await?;
    match stage.violation(Rule::ConfigMissing, Some(&resource.uuid)) {
        None => Ok(()),
        Some(_) => Err(wrong(
            it,
            &resource.uuid,
            "It was marked provisioned before its config vars were set.".to_owned(),
            "Set the config vars first: actions/provision releases them to the app, which restarts with them.",
        )),
    }
}

/// Also where it does not finish for that very reason.
async fn listed_config(it: &Subject) -> Verdict {
    let (stage, resource) = (stage(it)?, it.ordered().await?);
    let broken = || stage.violation(Rule::ForeignConfigVar, Some(&resource.uuid));
    let install = stage.find(&resource.uuid);
    let is_over = || install.as_ref().is_none_or(|install| install.state() != State::Provisioning);
    // one that does not finish is not waited for as long again
    let patience = if it.ready().is_ok() { Duration::MAX } else { Duration::from_secs(5) };
    let start = Instant::now();
    stage.comes_true(|| is_over() || broken().is_some() || start.elapsed() > patience).await;
    match broken() {
        None => Ok(()),
        Some(violation) => Err(wrong(
            it,
            &resource.uuid,
            format!("{violation}."),
            "Add the name to api.config_vars and push the manifest, or do not set it: Heroku refuses it.",
        )),
    }
}

async fn replay_when_done(it: &Subject) -> Verdict {
    let (_, resource) = finished(it).await?;
    let again = it.wire.send(resource.order.clone()).await?.to("the same provision, which is done");
    let advice = "Answer 200 (or 202 again) with the same id: a late retry asks for what is there.";
    if !again.is_success() {
        return Err(again.wrong_status("200", advice));
    }
    let id = again.value().and_then(|body| crate::made::text(&body["id"]));
    if id.as_deref() == Some(&resource.id) {
        Ok(())
    } else {
        Err(again.fault("The id is another one than the first time.", advice))
    }
}

async fn survives(it: &Subject, fault: Fault, (method, path): (&str, &str), what: &str) -> Verdict {
    it.ready()?;
    let (stage, order) = (stage(it)?, it.order());
    let of_this_one = path.replace('*', &super::uuid(&order));
    let _disturbance = stage.disturb(fault.on(method, &of_this_one)).await;
    let resource = must_finish(it, order, what).await?;
    if path == MARK.1 {
        // whoever takes a lost answer for a failure gives up after it was done
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if stage.exchanges(&resource.uuid).iter().any(|exchange| exchange.path().ends_with("/actions/deprovision")) {
        let advice = "A failure that passes is no reason to give up: ask again, with pauses.";
        return Err(wrong(it, &resource.uuid, format!("{what}, and the add-on gave up."), advice));
    }
    Ok(())
}

async fn outage_blocks_nothing(it: &Subject) -> Verdict {
    let stage = stage(it)?;
    let _disturbance = stage.disturb(Fault::status(503).always().on(TOKEN.0, TOKEN.1)).await;
    let resource = it.ordered().await?;
    let again = it.wire.send(resource.order.clone()).await?.to("the same provision while the token endpoint is out");
    if !again.is_success() {
        let advice = "Answer a repeated provision as the first one, 202, while it is being worked on.";
        return Err(again.wrong_status("202", advice));
    }
    let removal = it.wire.send(it.deprovision(&resource)).await?.to("a deprovision while the token endpoint is out");
    if removal.is_success() {
        return Ok(());
    }
    Err(removal.wrong_status("204", "A deprovision needs no token: remove, and leave Heroku alone."))
}

async fn quiet_after_removal(it: &Subject) -> Verdict {
    let stage = stage(it)?;
    let late = Duration::from_millis(300);
    let _disturbance = stage.disturb(Fault::delay(late).after_work().on(TOKEN.0, TOKEN.1)).await;
    let resource = it.ordered().await?;
    // removed while it waits for its token
    let (called, end) = (|| !stage.exchanges(&resource.uuid).is_empty(), Instant::now() + Duration::from_secs(5));
    stage.comes_true(|| called() || Instant::now() > end).await;
    it.wire.send(it.deprovision(&resource)).await?;
    let calls = || stage.find(&resource.uuid).map_or(0, |install| install.tally().calls_after_deprovision);
    let end = Instant::now() + 5 * late;
    stage.comes_true(|| calls() > 1 || Instant::now() > end).await;
    let calls = calls();
    // one may have been on its way
    if calls < 2 {
        return Ok(());
    }
    Err(wrong(
        it,
        &resource.uuid,
        format!("Heroku was called about it {calls} times after it had been removed."),
        "Look before each call whether the resource still lives, and end the work when it does not.",
    ))
}

async fn failure(it: &Subject) -> Verdict {
    it.ready()?;
    let stage = stage(it)?;
    let _disturbance = stage.disturb(Fault::status(422).always().on(CONFIG.0, CONFIG.1)).await;
    let resource = it.ordered().await?;
    if resource.seen.status() != 202 || stage.reaches(&resource.uuid, State::Deprovisioned).await {
        return Ok(());
    }
    Err(wrong(
        it,
        &resource.uuid,
        "Setting its config vars is refused with 422 for good, and the add-on keeps the customer waiting.".to_owned(),
        "Give up by POST /addons/{uuid}/actions/deprovision what cannot be finished: the customer is told, and pays nothing.",
    ))
}

async fn exchange_once(it: &Subject) -> Verdict {
    let (stage, resource) = finished(it).await?;
    for _ in 0..3 {
        it.wire.send(resource.order.clone()).await?;
    }
    let Some(install) = stage.find(&resource.uuid) else { return Ok(()) };
    if install.tally().exchanges == 0 {
        return Err(Stop::skipped("the add-on exchanges no grants"));
    }
    // a second exchange would follow at once
    tokio::time::sleep(Duration::from_millis(100)).await;
    let tally = install.tally();
    if tally.exchanges + tally.repeated_exchanges == 1 {
        return Ok(());
    }
    Err(wrong(
        it,
        &resource.uuid,
        format!("Its grant was exchanged {} times.", tally.exchanges + tally.repeated_exchanges),
        "Keep the token with the resource, and exchange a grant only where there is none.",
    ))
}

async fn general(it: &Subject, rule: Rule, advice: &str) -> Verdict {
    let stage = stage(it)?;
    if stage.violation(rule, None).is_none() {
        let resource = it.ordered().await?;
        let end = Instant::now() + Duration::from_secs(2);
        let install = stage.find(&resource.uuid);
        let under_way = || install.as_ref().is_some_and(|install| install.state() == State::Provisioning);
        stage.comes_true(|| !under_way() || stage.violation(rule, None).is_some() || Instant::now() > end).await;
    }
    if !stage.has_been_called() {
        return Err(Stop::skipped("the add-on has not called the platform"));
    }
    match stage.violation(rule, None) {
        None => Ok(()),
        Some(violation) => Err(Stop::fault(format!("{violation}."), advice)),
    }
}
