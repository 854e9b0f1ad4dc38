//! Forms that move the clock and schedule faults.

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    form::{back, invalid},
    panel::LIFECYCLE_CALLS,
};
use crate::{Chaos, Fault, Sandbox, events::PageEvent, fault::inbound};

/// Longest single move of the clock, in minutes: a year.
const MAX_MINUTES: i64 = 525_600;

#[derive(Debug, Deserialize)]
pub(super) struct ClockForm {
    minutes: i64,
}

/// `POST /sandbox/clock`: moves the clock forward, or resets it if `minutes` is 0.
pub(super) async fn clock(State(sandbox): State<Sandbox>, Form(form): Form<ClockForm>) -> Response {
    let clock = sandbox.platform().clock();
    let title = match form.minutes {
        0 => {
            clock.set(OffsetDateTime::now_utc());
            "The clock was reset".to_owned()
        }
        minutes @ 1..=MAX_MINUTES => {
            clock.advance(std::time::Duration::from_mins(minutes.unsigned_abs()));
            if minutes % 60 == 0 {
                format!("The clock was moved forward by {} h", minutes / 60)
            } else {
                format!("The clock was moved forward by {minutes} min")
            }
        }
        _ => return invalid(&sandbox, "The clock can be moved forward by one minute to one year."),
    };
    sandbox.journal().note(clock.now(), None, title, None);
    sandbox.tick();
    sandbox.publish(PageEvent::Panel);
    sandbox.publish(PageEvent::Installs);
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct FaultForm {
    /// Name of a call in either direction; empty for all calls to the add-on.
    #[serde(default)]
    call: String,
    fault: String,
    times: u64,
}

/// `POST /sandbox/faults`.
pub(super) async fn fault(State(sandbox): State<Sandbox>, Form(form): Form<FaultForm>) -> Response {
    let times = form.times.clamp(1, 1_000);
    let does_not_apply = "This fault does not apply to such a call.";
    let lifecycle_call = LIFECYCLE_CALLS.iter().find(|(name, _, _)| *name == form.call);
    let inbound_call = sandbox.profile().api_calls.iter().find(|(name, _, _)| *name == form.call);
    let is_inbound = inbound_call.is_some() || form.call == inbound::ANY_CALL;
    match (form.fault.parse::<Fault>(), inbound::find(&form.fault)) {
        (_, Some(fault)) if is_inbound => {
            let fault = fault.times(times);
            sandbox.platform().inject_fault(match inbound_call {
                Some((_, method, path)) => fault.on(method, path),
                None => fault,
            });
        }
        (Ok(fault), _) if !is_inbound => {
            let kind = lifecycle_call.map(|(_, kind, _)| *kind);
            if kind.is_some_and(|kind| !sandbox.can_meet(fault, kind)) {
                return invalid(&sandbox, does_not_apply);
            }
            sandbox.inner().faults.schedule(fault, kind, times);
        }
        (Err(_), None) => return invalid(&sandbox, "This fault does not exist."),
        _ => return invalid(&sandbox, does_not_apply),
    }
    sandbox.publish(PageEvent::Panel);
    back()
}

/// `POST /sandbox/faults/clear`.
pub(super) async fn clear_faults(State(sandbox): State<Sandbox>) -> Response {
    sandbox.inner().faults.clear();
    sandbox.set_chaos(Chaos::default(), sandbox.inner().faults.seed());
    back()
}

/// `POST /sandbox/reset`.
pub(super) async fn reset(State(sandbox): State<Sandbox>) -> Response {
    sandbox.reset();
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct ChaosForm {
    percent: String,
    seed: u64,
}

/// `POST /sandbox/chaos`.
pub(super) async fn chaos(State(sandbox): State<Sandbox>, Form(form): Form<ChaosForm>) -> Response {
    match form.percent.parse::<Chaos>() {
        Ok(chaos) => {
            sandbox.set_chaos(chaos, form.seed);
            back()
        }
        Err(error) => invalid(&sandbox, &error.to_string()),
    }
}
