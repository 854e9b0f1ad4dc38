//! Orphan mitigation: DELETEs of things that are unknown, half made, or never acknowledged.

use std::time::Duration;

use tokio::time::sleep;

use super::citation;
use super::rules;
use super::target::{Polled, Target};
use crate::check::{Capability, Case, Citation};
use crate::hang_up;
use crate::verdict::Verdict;

const BINDABLE: &[Capability] = &[Capability::Bindings];

const GONE: Citation = citation::deprovisioning("410 must be returned if the instance does not exist");
const GONE_BINDING: Citation = citation::unbinding("410 must be returned if the binding does not exist");
const ORPHANS: Citation = citation::orphans("a DELETE follows a provision or bind without a response");

const ADVICE: &str = "Answer 410 with {} if it does not exist: platforms send DELETE after every provision or bind whose result \
                      they do not know, and repeat it until it is answered 200 or 410.";

/// Time that a DELETE may be answered 422 `ConcurrencyError`, in intervals.
const ATTEMPTS: usize = 50;
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("osb.orphans.unknown-instance", "A DELETE of an unknown instance is answered 410.", GONE, |target| {
        Box::pin(unknown_instance(target))
    }),
    Case::must(
        "osb.orphans.unknown-binding",
        "A DELETE of an unknown binding is answered 410.",
        GONE_BINDING,
        |target| Box::pin(unknown_binding(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.orphans.binding-of-unknown-instance",
        "A DELETE of a binding of an unknown instance is answered 410.",
        GONE_BINDING,
        |target| Box::pin(binding_of_unknown_instance(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.orphans.lost-provision",
        "A DELETE after a provision whose response was lost removes the instance.",
        ORPHANS,
        |target| Box::pin(lost_provision(target)),
    ),
    Case::must(
        "osb.orphans.lost-bind",
        "A DELETE after a bind whose response was lost removes the binding.",
        ORPHANS,
        |target| Box::pin(lost_bind(target)),
    )
    .needs(BINDABLE),
    Case::must(
        "osb.orphans.lost-delete",
        "A DELETE after a DELETE whose response was lost is answered 200, 202 or 410.",
        citation::orphans("a DELETE without a response is repeated"),
        |target| Box::pin(lost_delete(target)),
    ),
    Case::must(
        "osb.orphans.refused-bind",
        "A bind that is answered 400 does not create a binding.",
        citation::errors("a 4xx must result in the broker's resources being semantically unchanged"),
        |target| Box::pin(refused_bind(target)),
    )
    .needs(BINDABLE),
];

async fn unknown_instance(target: &Target) -> Verdict {
    target.wire.send(target.osb.deprovision(&target.instance()?)).await?.must_be(&[410], ADVICE).map(drop)
}

async fn unknown_binding(target: &Target) -> Verdict {
    let binding = target.shared_instance().await?.new_binding();
    target.wire.send(target.osb.unbind(&binding)).await?.must_be(&[410], ADVICE).map(drop)
}

async fn binding_of_unknown_instance(target: &Target) -> Verdict {
    let binding = target.instance()?.new_binding();
    target.wire.send(target.osb.unbind(&binding)).await?.must_be(&[410], ADVICE).map(drop)
}

/// Time after the duration of an ordinary request after which a lost one must have been completed or dropped.
const SETTLING_TIME: Duration = Duration::from_millis(200);

const APPEARED: &str = "Let a DELETE stop the work that a lost request began, or wait for its end: the platform does not send \
                        another DELETE after 410.";

async fn lost_provision(target: &Target) -> Verdict {
    target.require_delete().await?;
    let first = target.wire.send(target.osb.provision(&target.instance()?)).await?;
    let mut arrived = Vec::new();
    for delay in hang_up::delays(first.duration()) {
        let instance = target.instance()?;
        let call = target.osb.provision(&instance);
        let hang_up = call.clone().send_and_hang_up(delay);
        target.wire.perform(&call, &hang_up::description(delay), hang_up).await;
        for attempt in 1.. {
            let response =
                target.wire.send(target.osb.deprovision(&instance)).await?.to("a DELETE after a lost provision");
            match response.status() {
                200 | 410 => break,
                202 => match target.poll(&instance, &response).await? {
                    Polled::Succeeded | Polled::Gone(_) => break,
                    Polled::Failed(last) | Polled::Invalid(last) | Polled::TimedOut(last) => {
                        return Err(last.fault("The DELETE does not complete.", ADVICE));
                    }
                },
                422 if attempt < ATTEMPTS => {
                    rules::has_code(&response, "ConcurrencyError", "while the provision runs")?;
                }
                _ => return Err(response.wrong_status("200, 202 or 410", ADVICE)),
            }
            sleep(INTERVAL).await;
        }
        // an immediate DELETE may overtake the provision
        if !delay.is_zero() {
            arrived.push(instance);
        }
    }
    sleep(2 * first.duration() + SETTLING_TIME).await;
    for instance in arrived {
        let response = target.wire.send(target.osb.deprovision(&instance)).await?;
        if response.is_success() {
            return Err(response.fault("The instance appeared after its DELETE was answered.", APPEARED));
        }
    }
    Ok(())
}

async fn lost_bind(target: &Target) -> Verdict {
    target.require_unbind().await?;
    let instance = target.new_instance().await?;
    let first = target.wire.send(target.osb.bind(&instance.new_binding())).await?;
    let mut arrived = Vec::new();
    for delay in hang_up::delays(first.duration()) {
        let binding = instance.new_binding();
        let call = target.osb.bind(&binding);
        let hang_up = call.clone().send_and_hang_up(delay);
        target.wire.perform(&call, &hang_up::description(delay), hang_up).await;
        for attempt in 1.. {
            let response = target.wire.send(target.osb.unbind(&binding)).await?.to("a DELETE after a lost bind");
            match response.status() {
                200 | 410 => break,
                202 => match target.poll_binding(&binding, &response).await? {
                    Polled::Succeeded | Polled::Gone(_) => break,
                    Polled::Failed(last) | Polled::Invalid(last) | Polled::TimedOut(last) => {
                        return Err(last.fault("The DELETE does not complete.", ADVICE));
                    }
                },
                422 if attempt < ATTEMPTS => rules::has_code(&response, "ConcurrencyError", "while the bind runs")?,
                _ => return Err(response.wrong_status("200, 202 or 410", ADVICE)),
            }
            sleep(INTERVAL).await;
        }
        if !delay.is_zero() {
            arrived.push(binding);
        }
    }
    sleep(2 * first.duration() + SETTLING_TIME).await;
    for binding in arrived {
        let response = target.wire.send(target.osb.unbind(&binding)).await?;
        if response.is_success() {
            return Err(response.fault("The binding appeared after its DELETE was answered.", APPEARED));
        }
    }
    Ok(())
}

async fn lost_delete(target: &Target) -> Verdict {
    target.require_delete().await?;
    let measured = target.new_instance().await?;
    let first = target.wire.send(target.osb.deprovision(&measured)).await?;
    for delay in hang_up::delays(first.duration()).into_iter().take(3) {
        let instance = target.new_instance().await?;
        let call = target.osb.deprovision(&instance);
        let hang_up = call.clone().send_and_hang_up(delay);
        target.wire.perform(&call, &hang_up::description(delay), hang_up).await;
        for attempt in 1.. {
            let response = target.wire.send(call.clone()).await?.to("a DELETE after a lost DELETE");
            match response.status() {
                200 | 202 | 410 => break,
                422 if attempt < ATTEMPTS => rules::has_code(&response, "ConcurrencyError", "while the DELETE runs")?,
                _ => return Err(response.wrong_status("200, 202 or 410", ADVICE)),
            }
            sleep(INTERVAL).await;
        }
    }
    Ok(())
}

async fn refused_bind(target: &Target) -> Verdict {
    let binding = target.binding().await?;
    let refused = target.wire.send(target.osb.bind(&binding).without("plan_id")).await?;
    if refused.is_success() {
        let reason = "a bind without plan_id succeeds (see osb.binding.missing-plan)";
        return Err(crate::verdict::Stop::skipped(reason));
    }
    let response = target.wire.send(target.osb.unbind(&binding)).await?.to("a DELETE after a refused bind");
    if response.is_success() {
        return Err(response.fault(
            "The binding exists although it was refused: its DELETE succeeds.",
            "Do not create anything before the request is known to be valid.",
        ));
    }
    Ok(())
}
