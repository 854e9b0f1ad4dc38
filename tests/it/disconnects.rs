//! Disconnected callers: their work completes, and a shutdown waits for it.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use maitre::{Deprovisioned, Heroku, PlanChanged, Provisioned, SignedOn};
use maitre_testkit as testkit;
use time::OffsetDateTime;

use crate::support::{App, Counter, Gate, PASSWORD, Raw, SALT, SLUG, UUID, request};

const UNLIMITED: Duration = Duration::from_hours(1);

/// Starts an app whose methods wait at a gate, and returns the count of requests that the server has finished:
/// answered, or dropped because the caller disconnected.
async fn slow() -> (App<Heroku>, Gate, Counter) {
    slow_with(UNLIMITED).await
}

async fn slow_with(budget: Duration) -> (App<Heroku>, Gate, Counter) {
    let finished = Counter::new();
    let watch = finished.clone();
    let marketplace = Heroku::new(SLUG, PASSWORD, SALT).expect("credentials");
    let watched = |app: Router| {
        app.layer(from_fn(move |request: Request, next: Next| {
            let end = CountOnDrop(watch.clone());
            async move {
                let response: Response = next.run(request).await;
                drop(end);
                response
            }
        }))
    };
    let app = App::start_in(marketplace, |addon| addon.with_answer_budget(budget), watched).await;
    let gate = Gate::closed();
    let vendor = &app.vendor;
    vendor.on_provision(gate.before(|| Ok(Provisioned::new("widget-1"))));
    vendor.on_plan_change(gate.before(|| Ok(PlanChanged::new())));
    vendor.on_deprovision(gate.before(|| Ok(Deprovisioned::new())));
    vendor.on_single_sign_on(gate.before(|| Ok(SignedOn::redirect("/"))));
    (app, gate, finished)
}

struct CountOnDrop(Counter);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Encodes a request as bytes, so that the test controls the connection.
fn bytes(call: &testkit::Request) -> Vec<u8> {
    let path = call.url().splitn(4, '/').nth(3).unwrap_or_default();
    let line = format!("{} /{path}", call.method());
    let headers: Vec<_> = call.headers().map(|(name, value)| format!("{name}: {value}")).collect();
    request(std::iter::once(line.as_str()).chain(headers.iter().map(String::as_str)), call.body())
}

fn every_call(heroku: &testkit::Heroku) -> [testkit::Request; 4] {
    [
        heroku.provision("basic").request(),
        heroku.plan_change(UUID, "premium").request(),
        heroku.deprovision(UUID).request(),
        heroku.single_sign_on(UUID).at(OffsetDateTime::now_utc()).request(),
    ]
}

#[tokio::test]
async fn started_work_completes_after_the_caller_disconnects() {
    let (app, gate, finished) = slow().await;
    for (before, call) in every_call(&app.client).iter().enumerate() {
        let mut raw = Raw::connect(&app.server).await;
        raw.write(bytes(call)).await.unwrap();
        gate.begun.wait_for(before + 1).await;
        drop(raw);
        finished.wait_for(before + 1).await;
    }
    assert_eq!(gate.done.get(), 0);
    gate.open();
    gate.done.wait_for(4).await;
}

#[tokio::test]
async fn two_hundred_concurrent_disconnects_lose_nothing() {
    let (app, gate, finished) = slow().await;
    let mut callers = Vec::new();
    for _ in 0..200 {
        let mut raw = Raw::connect(&app.server).await;
        raw.write(bytes(&app.client.provision("basic").request())).await.unwrap();
        callers.push(raw);
    }
    gate.begun.wait_for(200).await;
    assert_eq!(app.addon.in_flight().count(), 200);
    drop(callers);
    finished.wait_for(200).await;
    assert_eq!((gate.done.get(), app.addon.in_flight().count()), (0, 200));
    gate.open();
    assert_eq!(maitre::drain([app.addon.in_flight()], UNLIMITED).await, 0);
    assert_eq!(gate.done.get(), 200);
}

#[tokio::test]
async fn after_the_answer_budget_the_caller_gets_503_and_the_work_continues() {
    let (app, gate, _) = slow_with(Duration::from_millis(50)).await;
    let heroku = &app.client;
    let provision = heroku.provision("basic").await;
    assert!(!provision.expect(503).message().is_empty());
    heroku.plan_change(UUID, "premium").await.expect(503);
    heroku.deprovision(UUID).await.expect(503);
    let signed_on = heroku.single_sign_on(UUID).await;
    assert_eq!(signed_on.expect(503).cookies().count(), 0);
    assert_eq!((gate.begun.get(), gate.done.get()), (4, 0));
    gate.open();
    gate.done.wait_for(4).await;
    assert_eq!(maitre::drain([app.addon.in_flight()], UNLIMITED).await, 0);
}

#[tokio::test]
async fn a_retry_after_503_gets_the_reply() {
    let (app, gate, _) = slow_with(Duration::from_millis(50)).await;
    app.client.provision("basic").uuid(UUID).await.expect(503);
    app.vendor.on_provision(async |request| Ok(Provisioned::new(request.resource)));
    let reply = app.client.provision("basic").uuid(UUID).await;
    assert_eq!(reply.expect(200).json()["id"], UUID);
    gate.open();
    gate.done.wait_for(1).await;
}

#[tokio::test]
async fn a_drain_waits_for_running_work_until_its_deadline() {
    let (app, gate, finished) = slow().await;
    let mut raw = Raw::connect(&app.server).await;
    raw.write(bytes(&app.client.provision("basic").request())).await.unwrap();
    gate.begun.wait_for(1).await;
    drop(raw);
    finished.wait_for(1).await;

    let in_flight = app.addon.in_flight().clone();
    app.server.stop().await;
    assert_eq!(gate.done.get(), 0, "stopping the server does not wait for work whose caller disconnected");
    assert_eq!(maitre::drain([&in_flight], Duration::from_millis(20)).await, 1);

    let waiting = tokio::spawn(async move { maitre::drain([&in_flight], UNLIMITED).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    gate.open();
    assert_eq!(waiting.await.unwrap(), 0);
    assert_eq!(gate.done.get(), 1);
}

#[tokio::test]
async fn a_drain_counts_every_add_on() {
    let (one, gate_of_one, _) = slow_with(Duration::from_millis(20)).await;
    let (other, gate_of_other, _) = slow_with(Duration::from_millis(20)).await;
    one.client.provision("basic").await.expect(503);
    other.client.provision("basic").await.expect(503);
    other.client.deprovision(UUID).await.expect(503);
    let both = [one.addon.in_flight(), other.addon.in_flight()];
    assert_eq!(maitre::drain(both, Duration::ZERO).await, 3);
    gate_of_other.open();
    gate_of_other.done.wait_for(2).await;
    assert_eq!(maitre::drain([other.addon.in_flight()], UNLIMITED).await, 0);
    assert_eq!(maitre::drain(both, Duration::ZERO).await, 1);
    gate_of_one.open();
    assert_eq!(maitre::drain(both, UNLIMITED).await, 0);
}

#[tokio::test]
async fn budget_and_deadline_may_be_unlimited() {
    let (app, gate, _) = slow_with(Duration::MAX).await;
    gate.open();
    app.client.provision("basic").await.expect(200);
    assert_eq!(maitre::drain([app.addon.in_flight()], Duration::MAX).await, 0);
}

#[tokio::test]
async fn a_stopping_server_answers_open_requests() {
    let (app, gate, _) = slow().await;
    let mut raw = Raw::connect(&app.server).await;
    raw.write(bytes(&app.client.provision("basic").request())).await.unwrap();
    gate.begun.wait_for(1).await;
    let stopping = tokio::spawn(app.server.stop());
    tokio::task::yield_now().await;
    gate.open();
    assert_eq!(raw.read().await.unwrap().status(), 200);
    stopping.await.unwrap();
}
