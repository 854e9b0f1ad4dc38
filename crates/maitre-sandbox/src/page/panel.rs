//! Clock and faults.

use axum::extract::State;
use maud::{Markup, html};
use time::{Duration, OffsetDateTime};

use super::{addon, hints, layout::day_and_time};
use crate::{Fault, Sandbox, entry::Kind, fault::inbound};

/// Name, kind and label of the calls to the add-on that a fault can be limited to.
pub(super) const LIFECYCLE_CALLS: [(&str, Kind, &str); 4] = [
    ("provision", Kind::Provision, "provision"),
    ("plan-change", Kind::PlanChange, "plan change"),
    ("deprovision", Kind::Deprovision, "deprovision"),
    ("sign-on", Kind::SignOn, "sign-on"),
];

/// Minutes and label of the buttons that move the clock.
const CLOCK_STEPS: [(i64, &str); 4] = [(1, "+1 min"), (5, "+5 min"), (60, "+1 h"), (720, "+12 h")];

/// `GET /sandbox/panel`: the parts that the script of an open page refreshes.
pub(super) async fn fragment(State(sandbox): State<Sandbox>) -> Markup {
    html! {
        div {
            p #reachable { (addon::reachable(&sandbox)) }
            (clock(&sandbox))
            (scheduled(&sandbox))
            (hints::section(&sandbox))
        }
    }
}

pub(super) fn section(sandbox: &Sandbox) -> Markup {
    html! {
        section #panel .card aria-labelledby="panel-title" {
            h2 #panel-title .sr { "Clock and faults" }
            (clock(sandbox))
            div #faults {
                details {
                    summary { h3 { "Faults" } }
                    div .faults {
                        (fault_form(sandbox))
                        (chaos_form(sandbox))
                    }
                }
                (scheduled(sandbox))
            }
        }
    }
}

fn clock(sandbox: &Sandbox) -> Markup {
    let now = sandbox.platform().clock().now();
    let ahead = now - OffsetDateTime::now_utc();
    let is_moved = ahead.abs() > Duration::seconds(1);
    html! {
        div #clock data-ahead=(ahead.whole_milliseconds()) {
            h3 { "Clock" }
            p { time #now { (day_and_time(now)) } @if is_moved { " " span .ahead { (offset(ahead)) } } }
            form method="post" action="/sandbox/clock" data-quiet="true" {
                div .buttons role="group" aria-label="Move the clock forward" {
                    @for (minutes, label) in CLOCK_STEPS { button type="submit" name="minutes" value=(minutes) { (label) } }
                    @if is_moved { button .quiet type="submit" name="minutes" value="0" { "reset" } }
                }
            }
        }
    }
}

/// Formats how far the clock is ahead.
fn offset(ahead: Duration) -> String {
    let minutes = (ahead.whole_seconds() + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min ahead"),
        (hours, 0) => format!("{hours} h ahead"),
        (hours, minutes) => format!("{hours} h {minutes} min ahead"),
    }
}

/// Shows the scheduled faults.
fn scheduled(sandbox: &Sandbox) -> Markup {
    let faults = sandbox.inner().faults.scheduled();
    let chaos = sandbox.inner().faults.chaos();
    let is_random = chaos.rate() > 0.0;
    // random faults are shown as one tag
    let inbound: Vec<_> = if is_random { Vec::new() } else { sandbox.platform().faults() };
    html! {
        div #scheduled {
            @if faults.is_empty() && inbound.is_empty() && !is_random { span .none { "none scheduled" } }
            @for scheduled in &faults {
                span .tag .fault {
                    "next " (scheduled.kind.map_or("call", title)) " " (scheduled.fault.label()) @if scheduled.remaining > 1 { " ×" (scheduled.remaining) }
                }
            }
            @for fault in &inbound { span .tag .fault { (format!("{fault:?}")) } }
            @if is_random { span .tag .fault { "chaos " (chaos) ", seed " (sandbox.inner().faults.seed()) } }
            @if !faults.is_empty() || !inbound.is_empty() || is_random {
                form method="post" action="/sandbox/faults/clear" data-quiet="true" {
                    button .small type="submit" { "Clear" span .sr { " all faults" } }
                }
            }
        }
    }
}

fn title(kind: Kind) -> &'static str {
    LIFECYCLE_CALLS.iter().find(|(_, known, _)| *known == kind).map_or("call", |(_, _, title)| title)
}

/// Form that schedules a fault, as one sentence. The script hides the faults that do not apply to the chosen call.
fn fault_form(sandbox: &Sandbox) -> Markup {
    let (marketplace, addon) = (sandbox.marketplace_title(), &sandbox.addon().name);
    let calls = sandbox.profile().api_calls.iter().map(|(name, _, _)| name);
    let has_api = sandbox.api_replaces().is_some();
    html! {
        form #fault-form .sentence method="post" action="/sandbox/faults" data-quiet="true" {
            span { "The next" }
            label .times { span .sr { "Number of calls" } input type="number" name="times" min="1" max="1000" value="1" required; }
            label { span .sr { "Call" } select name="call" {
                optgroup label={ (marketplace) " calls " (addon) } data-direction="fault" {
                    @for (name, kind, label) in LIFECYCLE_CALLS {
                        @if can_fail(sandbox, kind) { option value=(name) { (label) } }
                    }
                    option value="" { "call of any kind" }
                }
                @if has_api {
                    optgroup label={ (addon) " calls " (marketplace) } data-direction="inbound" {
                        @for name in calls { option value=(name) { (name) } }
                        option value=(inbound::ANY_CALL) { "call of any kind" }
                    }
                }
            } }
            label { span .sr { "Fault" } select name="fault" {
                optgroup label={ (marketplace) " calls " (addon) } data-direction="fault" {
                    @for fault in Fault::ALL {
                        option value=(fault.name()) data-calls=(applicable_calls(sandbox, fault)) { (fault.label()) }
                    }
                }
                @if has_api {
                    optgroup label={ (addon) " calls " (marketplace) } data-direction="inbound" {
                        @for (name, label) in inbound::FAULTS { option value=(name) { (label) } }
                    }
                }
            } }
            button type="submit" { "Schedule" span .sr { " the fault" } }
        }
    }
}

fn can_fail(sandbox: &Sandbox, kind: Kind) -> bool {
    Fault::ALL.iter().any(|fault| sandbox.can_meet(*fault, kind))
}

/// Returns the names of the calls that can meet a fault, separated by spaces.
fn applicable_calls(sandbox: &Sandbox, fault: Fault) -> String {
    let calls = LIFECYCLE_CALLS.iter().filter(|(_, kind, _)| sandbox.can_meet(fault, *kind)).map(|(name, _, _)| *name);
    calls.collect::<Vec<_>>().join(" ")
}

fn chaos_form(sandbox: &Sandbox) -> Markup {
    let percent = sandbox.inner().faults.chaos().rate() * 100.0;
    html! {
        form .sentence method="post" action="/sandbox/chaos" data-quiet="true" {
            span { "At random" }
            label .times { span .sr { "Percent of all calls" } input type="number" name="percent" min="0" max="100" step="any" value=(percent) required; }
            span { "% of all calls in both directions meet a fault, chosen by the" }
            label .seed { span { "seed" } " " input type="number" name="seed" min="0" value=(sandbox.inner().faults.seed()) required; }
            button type="submit" { "Set" span .sr { " random faults" } }
        }
    }
}
