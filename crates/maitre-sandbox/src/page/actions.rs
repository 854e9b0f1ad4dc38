//! What the buttons do. Each is a form, and leads back to where it was pressed.

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maitre_testkit::platform::{Install, State as Stage};
use maud::html;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{exchange::gone, installs::is_region, layout::page, panel::LIFECYCLE_CALLS};
use crate::{
    Chaos, Fault, Recording, Sandbox, addon::split, events::PageEvent, fault::inbound, journal::Message, names,
    send::Lifecycle,
};

/// So far the clock can be turned at once: a year.
const MOST_MINUTES: i64 = 525_600;

fn back() -> Response {
    Redirect::to("/").into_response()
}

/// Says what is wrong with a form.
fn wrong(sandbox: &Sandbox, sentence: &str) -> Response {
    let body = html! { section .card { h1 { "That cannot be done" } p #problem { (sentence) } p { a .quiet href="/" { "Back" } } } };
    let page = page(sandbox, "That cannot be done · maître sandbox", &body);
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct InstallForm {
    plan: String,
    #[serde(default)]
    app: String,
    #[serde(default)]
    options: String,
    #[serde(default)]
    region: String,
}

/// `POST /sandbox/installs`.
pub(super) async fn install(State(sandbox): State<Sandbox>, Form(form): Form<InstallForm>) -> Response {
    if !sandbox.addon().sells(&form.plan) {
        return wrong(&sandbox, "There is no such plan.");
    }
    let app = form.app.trim();
    let mut order = sandbox.platform().order(&form.plan);
    if !app.is_empty() {
        if let Err(sentence) = names::check(app) {
            return wrong(&sandbox, &sentence);
        }
        if sandbox.is_full(app) {
            return wrong(
                &sandbox,
                "The add-on is installed on this app already: its manifest does not require many_per_app.",
            );
        }
        order = order.app(app);
    }
    if is_region(&form.region) {
        order = order.region(&form.region);
    }
    for option in form.options.split_whitespace() {
        let (name, value) = option.trim_start_matches("--").split_once('=').unwrap_or((option, "true"));
        order = order.option(name, value);
    }
    tokio::spawn(async move { sandbox.place(order).await });
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct PlanForm {
    plan: String,
}

/// `POST /sandbox/installs/{uuid}/plan`.
pub(super) async fn change_plan(
    State(sandbox): State<Sandbox>,
    Path(uuid): Path<String>,
    Form(form): Form<PlanForm>,
) -> Response {
    match live(&sandbox, &uuid) {
        None => gone(&sandbox),
        Some(_) if !sandbox.addon().sells(&form.plan) => wrong(&sandbox, "There is no such plan."),
        Some(install) => {
            tokio::spawn(async move { sandbox.perform(&install, Lifecycle::PlanChange(form.plan)).await });
            back()
        }
    }
}

/// `POST /sandbox/installs/{uuid}/remove`.
pub(super) async fn remove(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    let Some(install) = live(&sandbox, &uuid) else { return gone(&sandbox) };
    tokio::spawn(async move { sandbox.perform(&install, Lifecycle::Deprovision).await });
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct AttachForm {
    app: String,
    name: String,
}

/// `POST /sandbox/installs/{uuid}/attach`.
pub(super) async fn attach(
    State(sandbox): State<Sandbox>,
    Path(uuid): Path<String>,
    Form(form): Form<AttachForm>,
) -> Response {
    let Some(install) = live(&sandbox, &uuid) else { return gone(&sandbox) };
    if !sandbox.addon().has("attachable") {
        return wrong(&sandbox, "The manifest does not require attachable.");
    }
    if let Err(sentence) = names::check(&form.app).and_then(|()| names::check_attachment(&form.name)) {
        return wrong(&sandbox, &sentence);
    }
    install.attach(&form.app, &form.name);
    sandbox.tell(PageEvent::Installs);
    back()
}

fn live(sandbox: &Sandbox, uuid: &str) -> Option<Install> {
    sandbox.platform().find(uuid).filter(|install| install.state() != Stage::Deprovisioned)
}

#[derive(Debug, Deserialize)]
pub(super) struct ClockForm {
    minutes: i64,
}

/// `POST /sandbox/clock`: turns it forward; by nothing, back to now.
pub(super) async fn clock(State(sandbox): State<Sandbox>, Form(form): Form<ClockForm>) -> Response {
    let clock = sandbox.platform().clock();
    let title = match form.minutes {
        0 => {
            clock.advance(OffsetDateTime::now_utc() - clock.now());
            "The clock is back at now".to_owned()
        }
        minutes @ 1..=MOST_MINUTES => {
            clock.advance(Duration::minutes(minutes));
            if minutes % 60 == 0 {
                format!("The clock was turned by {} h", minutes / 60)
            } else {
                format!("The clock was turned by {minutes} min")
            }
        }
        _ => return wrong(&sandbox, "The clock is turned by a minute to a year."),
    };
    sandbox.journal().note(clock.now(), None, title, None);
    sandbox.tick();
    sandbox.tell(PageEvent::Panel);
    sandbox.tell(PageEvent::Installs);
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct FaultForm {
    #[serde(default)]
    call: String,
    fault: Option<String>,
    inbound: Option<String>,
    times: u64,
}

/// `POST /sandbox/faults`.
pub(super) async fn fault(State(sandbox): State<Sandbox>, Form(form): Form<FaultForm>) -> Response {
    let times = form.times.clamp(1, 1_000);
    match (form.fault.as_deref().map(str::parse::<Fault>), form.inbound.as_deref().map(inbound::find)) {
        (Some(Ok(fault)), None) => {
            let on = LIFECYCLE_CALLS.iter().find(|(name, _, _)| *name == form.call).map(|(_, kind, _)| *kind);
            if on.is_some_and(|kind| !fault.applies_to(kind)) {
                return wrong(&sandbox, "This cannot happen to such a call.");
            }
            sandbox.inner().faults.schedule(fault, on, times);
        }
        (None, Some(Some(fault))) => {
            let fault = fault.times(times);
            let on = inbound::CALLS.iter().find(|(name, _, _)| *name == form.call);
            sandbox.platform().fault(match on {
                Some((_, method, path)) => fault.on(method, path),
                None => fault,
            });
        }
        _ => return wrong(&sandbox, "There is no such fault."),
    }
    sandbox.tell(PageEvent::Panel);
    back()
}

/// `POST /sandbox/faults/clear`.
pub(super) async fn clear_faults(State(sandbox): State<Sandbox>) -> Response {
    sandbox.inner().faults.clear();
    sandbox.set_chaos(Chaos::default(), sandbox.inner().faults.seed());
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
        Err(error) => wrong(&sandbox, &error.to_string()),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RepeatForm {
    times: u32,
}

/// `POST /sandbox/exchanges/{id}/send`: the same once more, or twice at the same time.
pub(super) async fn send(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Form(form): Form<RepeatForm>,
) -> Response {
    match sandbox.send_again(id, form.times.clamp(1, 2)).await {
        Some(sent) => Redirect::to(&format!("/sandbox/exchanges/{sent}")).into_response(),
        None => gone(&sandbox),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct EditedRequest {
    method: String,
    path: String,
    #[serde(default)]
    headers: String,
    #[serde(default)]
    body: String,
}

/// `POST /sandbox/exchanges/{id}/send-with`: changed, to the host that the first one went to.
pub(super) async fn send_with(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Form(form): Form<EditedRequest>,
) -> Response {
    let entry = sandbox.journal().store().get(id).filter(|entry| entry.head.is_repeatable());
    let Some(entry) = entry else { return gone(&sandbox) };
    if !form.path.starts_with('/') || form.path.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return wrong(&sandbox, "The path begins with a slash and holds no spaces.");
    }
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()));
    let lines = form.headers.lines().filter(|line| !line.trim().is_empty());
    let Some(headers) = lines.map(header).collect::<Option<Vec<_>>>() else {
        return wrong(&sandbox, "A header is a name, a colon and a value.");
    };
    // what a textarea sends has line ends of its own
    let message = Message { headers, body: form.body.replace("\r\n", "\n").into_bytes() };
    let url = format!("{}{}", split(&entry.head.url).0, form.path);
    let sent = sandbox.send_custom(&form.method.to_uppercase(), &url, &message, &entry.head, id).await;
    Redirect::to(&format!("/sandbox/exchanges/{}", sent.id)).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct ReplayForm {
    install: Option<String>,
}

/// `POST /sandbox/replay`: sends once more what this journal holds.
pub(super) async fn replay(State(sandbox): State<Sandbox>, Form(form): Form<ReplayForm>) -> Response {
    let uuid = form.install.filter(|uuid| !uuid.is_empty());
    let recording = Recording::of(&sandbox, uuid.as_deref());
    tokio::spawn(async move {
        let replayed = sandbox.replay(&recording).await;
        let differ = replayed.iter().filter(|call| !call.is_unchanged()).count();
        let title = format!("Replayed {} calls, of which {differ} were answered otherwise", replayed.len());
        sandbox.journal().note(sandbox.platform().clock().now(), None, title, None);
    });
    back()
}
