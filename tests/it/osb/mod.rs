//! The Open Service Broker API, as platforms see it: each test reads like the exchange.

mod binding;
mod catalog;
mod example;
mod headers;
mod instance;
mod ledger;
mod suspension;

use maitre::catalog::{Catalog, Plan, Service};
use maitre::{Addon, Osb};
use maitre_testkit::sign;
use serde_json::{Value, json};

use crate::support::{Raw, RawReply, Server, Vendor, request};

const USER: &str = "lantern";
const PASSWORD: &str = "s3cr3t-example";
const SERVICE: &str = "4a70f9d1";
const BASIC: &str = "8d1c6c2e";
const PREMIUM: &str = "b7e0a3f4";
/// Plan whose parameters have a schema.
const SIZED: &str = "f00d5123";
const QUERY: &str = "service_id=4a70f9d1&plan_id=8d1c6c2e";

fn catalog() -> Catalog {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": { "seats": { "type": "integer" } }, "additionalProperties": false,
    });
    let sized = Plan::new(SIZED, "sized", "As many lanterns as seats").with_plan_updateable(false);
    let service = Service::new(SERVICE, "lantern", "Lanterns as a service")
        .with_bindable(true)
        .with_plan_updateable(true)
        .with_plan(Plan::new(BASIC, "basic", "Three lanterns").with_maintenance_version("1.2.0", "Brighter"))
        .with_plan(Plan::new(PREMIUM, "premium", "Many lanterns"))
        .with_plan(sized.with_provision_schema(schema.clone()).with_update_schema(schema));
    Catalog::new([service]).expect("a catalog")
}

/// A running broker.
struct Broker {
    server: Server,
    vendor: Vendor,
}

/// Starts a broker whose listener has no ledger.
async fn broker() -> Broker {
    broker_with(|osb| osb).await
}

async fn broker_with(change: impl FnOnce(Osb) -> Osb) -> Broker {
    let vendor = Vendor::default();
    let osb = change(Osb::new(USER, PASSWORD, catalog()).expect("credentials"));
    let router = maitre::osb(Addon::new(osb, vendor.clone()));
    Broker { server: Server::start(axum::Router::new().nest("/osb", router)).await, vendor }
}

impl Broker {
    /// Sends a request with credentials and a version: `broker.send("PUT /v2/service_instances/i-1", body)`.
    async fn send(&self, line: &str, body: &Value) -> RawReply {
        self.send_with(line, &["x-broker-api-version: 2.17"], body).await
    }

    /// Sends a request with credentials and these headers.
    async fn send_with(&self, line: &str, headers: &[&str], body: &Value) -> RawReply {
        let line = line.replacen(' ', " /osb", 1);
        let authorization = format!("authorization: {}", sign::basic(USER, PASSWORD));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut lines = vec![line.as_str(), &authorization];
        lines.extend_from_slice(headers);
        Raw::exchange(&self.server, request(lines, body)).await
    }
}

/// Body of a provision.
fn order(plan: &str) -> Value {
    json!({ "service_id": SERVICE, "plan_id": plan, "organization_guid": "o-1", "space_guid": "s-1" })
}

/// Adds fields to a body.
fn with(mut body: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// Returns the status and the body of a response.
fn answer(reply: &RawReply) -> (u16, Value) {
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply:?}");
    (reply.status(), serde_json::from_slice(reply.body()).expect("JSON"))
}

/// Returns the status and the code of an error, whose description is a sentence.
fn error(reply: &RawReply) -> (u16, Option<String>) {
    let (status, body) = answer(reply);
    assert!(body["description"].as_str().is_some_and(|description| description.ends_with('.')), "{body}");
    (status, body["error"].as_str().map(str::to_owned))
}

fn code(status: u16, code: &str) -> (u16, Option<String>) {
    (status, Some(code.to_owned()))
}
