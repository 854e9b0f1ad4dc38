//! Clock and faults.

use axum::extract::State;
use maud::{Markup, html};
use time::{Duration, OffsetDateTime};

use super::{addon, layout::day_and_time};
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
                    summary { h3 { "Faults" } (scheduled(sandbox)) }
                    div .faults {
                        (outbound_form())
                        (inbound_form())
                        (chaos_form(sandbox))
                    }
                }
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

fn outbound_form() -> Markup {
    let calls = LIFECYCLE_CALLS.map(|(name, _, title)| (name, title));
    let faults = Fault::ALL.map(|fault| (fault.name(), fault.label()));
    fault_form("Heroku", "the add-on", &calls, "fault", &faults)
}

fn inbound_form() -> Markup {
    let calls = inbound::CALLS.map(|(name, _, _)| (name, name));
    fault_form("The add-on", "Heroku", &calls, "inbound", &inbound::FAULTS)
}

/// Form that schedules a fault. `calls` and `faults` are names and labels.
fn fault_form(from: &str, to: &str, calls: &[(&str, &str)], field: &str, faults: &[(&str, &str)]) -> Markup {
    html! {
        form .row method="post" action="/sandbox/faults" data-quiet="true" {
            span .caption { (from) " calls " (to) ": the next" }
            (times())
            label { span .sr { "Call to " (to) } select name="call" {
                option value="" { "call of any kind" }
                @for (name, label) in calls { option value=(name) { (label) } }
            } }
            label { span .sr { "Fault" } select name=(field) {
                @for (name, label) in faults { option value=(name) { (label) } }
            } }
            button type="submit" { "Schedule" }
        }
    }
}

fn times() -> Markup {
    html! { label .times { span .sr { "Number of calls" } input type="number" name="times" min="1" max="1000" value="1" required; } }
}

fn chaos_form(sandbox: &Sandbox) -> Markup {
    let percent = sandbox.inner().faults.chaos().rate() * 100.0;
    html! {
        form .row method="post" action="/sandbox/chaos" data-quiet="true" {
            span .caption { "At random, in both directions:" }
            label .times { span .sr { "Percent of all calls" } input type="number" name="percent" min="0" max="100" step="any" value=(percent) required; }
            span { "% of all calls, with seed" }
            label .times { span .sr { "Seed" } input type="number" name="seed" min="0" value=(sandbox.inner().faults.seed()) required; }
            button type="submit" { "Set" span .sr { " chaos" } }
        }
    }
}
