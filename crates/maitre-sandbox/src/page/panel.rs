//! The clock, and what goes wrong on purpose.

use axum::extract::State;
use maud::{Markup, html};
use time::{Duration, OffsetDateTime};

use super::{addon, layout::day_and_time};
use crate::{Fault, Sandbox, fault::inbound, journal::Kind};

/// The calls of Heroku's that a fault can be ordered for.
pub(super) const LIFECYCLE_CALLS: [(&str, Kind, &str); 4] = [
    ("provision", Kind::Provision, "provision"),
    ("plan-change", Kind::PlanChange, "plan change"),
    ("deprovision", Kind::Deprovision, "deprovision"),
    ("sign-on", Kind::SignOn, "sign-on"),
];

/// By how much the clock can be turned: minutes, and what the button says.
const TURNS: [(i64, &str); 4] = [(1, "+1 min"), (5, "+5 min"), (60, "+1 h"), (720, "+12 h")];

/// `GET /sandbox/panel`: the parts that change by themselves, for a page that is open.
pub(super) async fn fragment(State(sandbox): State<Sandbox>) -> Markup {
    html! {
        div {
            p #reachable { (addon::reachable(&sandbox)) }
            (clock(&sandbox))
            (ordered(&sandbox))
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
                    summary { h3 { "FaultSchedule" } (ordered(sandbox)) }
                    div .faults {
                        (to_addon())
                        (to_heroku())
                        (chaos(sandbox))
                    }
                }
            }
        }
    }
}

fn clock(sandbox: &Sandbox) -> Markup {
    let now = sandbox.platform().clock().now();
    let ahead = now - OffsetDateTime::now_utc();
    let is_turned = ahead.abs() > Duration::seconds(1);
    html! {
        div #clock data-ahead=(ahead.whole_milliseconds()) {
            h3 { "Clock" }
            p { time #now { (day_and_time(now)) } @if is_turned { " " span .ahead { (told(ahead)) } } }
            form method="post" action="/sandbox/clock" data-quiet="true" {
                div .buttons role="group" aria-label="Turn the clock forward" {
                    @for (minutes, label) in TURNS { button type="submit" name="minutes" value=(minutes) { (label) } }
                    @if is_turned { button .quiet type="submit" name="minutes" value="0" { "back to now" } }
                }
            }
        }
    }
}

/// How far the clock is ahead.
fn told(ahead: Duration) -> String {
    let minutes = (ahead.whole_seconds() + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min ahead"),
        (hours, 0) => format!("{hours} h ahead"),
        (hours, minutes) => format!("{hours} h {minutes} min ahead"),
    }
}

/// The faults that wait for their calls.
fn ordered(sandbox: &Sandbox) -> Markup {
    let faults = sandbox.inner().faults.scheduled();
    let chaos = sandbox.inner().faults.chaos();
    let by_chance = chaos.rate() > 0.0;
    // those by chance are told as one
    let inbound: Vec<_> = if by_chance { Vec::new() } else { sandbox.platform().faults() };
    html! {
        div #ordered {
            @if faults.is_empty() && inbound.is_empty() && !by_chance { span .none { "none ordered" } }
            @for order in &faults {
                span .tag .fault {
                    "next " (order.kind.map_or("call", title)) " " (order.fault.label()) @if order.remaining > 1 { " ×" (order.remaining) }
                }
            }
            @for fault in &inbound { span .tag .fault { (format!("{fault:?}")) } }
            @if by_chance { span .tag .fault { "chaos " (chaos) ", seed " (sandbox.inner().faults.seed()) } }
            @if !faults.is_empty() || !inbound.is_empty() || by_chance {
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

fn to_addon() -> Markup {
    let calls = LIFECYCLE_CALLS.map(|(name, _, title)| (name, title));
    let faults = Fault::ALL.map(|fault| (fault.name(), fault.label()));
    order("Heroku", "the add-on", &calls, "fault", &faults)
}

fn to_heroku() -> Markup {
    let calls = inbound::CALLS.map(|(name, _, _)| (name, name));
    order("The add-on", "Heroku", &calls, "inbound", &inbound::FAULTS)
}

/// The form that orders a fault; calls and faults go by a name, and are shown as something that people read.
fn order(from: &str, to: &str, calls: &[(&str, &str)], field: &str, faults: &[(&str, &str)]) -> Markup {
    html! {
        form .row method="post" action="/sandbox/faults" data-quiet="true" {
            span .caption { (from) " calls " (to) ": the next" }
            (times())
            label { span .sr { "Which call to " (to) } select name="call" {
                option value="" { "call of any kind" }
                @for (name, shown) in calls { option value=(name) { (shown) } }
            } }
            label { span .sr { "What goes wrong with it" } select name=(field) {
                @for (name, shown) in faults { option value=(name) { (shown) } }
            } }
            button type="submit" { "Order" }
        }
    }
}

fn times() -> Markup {
    html! { label .times { span .sr { "How many calls" } input type="number" name="times" min="1" max="1000" value="1" required; } }
}

fn chaos(sandbox: &Sandbox) -> Markup {
    let percent = sandbox.inner().faults.chaos().rate() * 100.0;
    html! {
        form .row method="post" action="/sandbox/chaos" data-quiet="true" {
            span .caption { "By chance, both ways:" }
            label .times { span .sr { "Percent of all calls" } input type="number" name="percent" min="0" max="100" step="any" value=(percent) required; }
            span { "% of all calls, drawn from" }
            label .times { span .sr { "Seed" } input type="number" name="seed" min="0" value=(sandbox.inner().faults.seed()) required; }
            button type="submit" { "Set" span .sr { " chaos" } }
        }
    }
}
