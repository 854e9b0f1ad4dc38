//! The sandbox's own format.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_testkit::mask;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::RecordedCall;
use crate::entry::{Direction, Entry, Kind, Message};

pub(super) fn head(slug: &str, masked: bool) -> String {
    format!("{{\"maitre_sandbox\":1,\"add_on\":{},\"masked\":{masked},\"entries\":[", Value::from(slug))
}

pub(super) fn entry(entry: &Entry, masked: bool) -> Value {
    let head = &entry.head;
    let url = if masked { mask::url(&head.url) } else { head.url.clone() };
    let mut response = entry.response.as_ref().map(|response| message(response, masked));
    if let Some(response) = &mut response {
        response["status"] = json!(head.status);
    }
    json!({
        "id": entry.id,
        "started_at": head.started_at.format(&Rfc3339).unwrap_or_default(),
        "direction": head.direction,
        "kind": head.kind,
        "title": head.title,
        "resource": head.uuid,
        "duration_ms": head.duration_ms,
        "fault": head.fault,
        "resent_from": head.resent_from,
        "operation": head.operation,
        "findings": head.findings,
        "request": (head.direction != Direction::Internal).then(|| {
            let mut request = message(&entry.request, masked);
            request["method"] = json!(head.method);
            request["url"] = json!(url);
            request
        }),
        "response": response,
    })
}

fn message(message: &Message, masked: bool) -> Value {
    let header = |(name, value): &(String, String)| {
        let value = if masked { mask::header(name, value) } else { value.clone() };
        json!([name, value])
    };
    let headers: Vec<_> = message.headers.iter().map(header).collect();
    if masked {
        return json!({ "headers": headers, "body": mask::body(message.header("content-type"), &message.body) });
    }
    match std::str::from_utf8(&message.body) {
        Ok(body) => json!({ "headers": headers, "body": body }),
        Err(_) => json!({ "headers": headers, "body_base64": BASE64_STANDARD.encode(&message.body) }),
    }
}

pub(super) fn calls(recording: &Value) -> Option<Vec<RecordedCall>> {
    let entries = recording["entries"].as_array()?.iter();
    let calls = entries.filter(|entry| is_to_addon(&entry["direction"])).map(|entry| {
        let request = &entry["request"];
        let header = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
        let body = match (&request["body"], &request["body_base64"]) {
            (Value::String(body), _) => body.clone().into_bytes(),
            (_, Value::String(encoded)) => BASE64_STANDARD.decode(encoded).ok()?,
            _ => Vec::new(),
        };
        Some(RecordedCall {
            kind: kind(&entry["kind"])?,
            title: entry["title"].as_str()?.to_owned(),
            uuid: entry["resource"].as_str().map(str::to_owned),
            method: request["method"].as_str()?.to_owned(),
            url: request["url"].as_str()?.to_owned(),
            message: Message {
                headers: request["headers"].as_array()?.iter().map(header).collect::<Option<_>>()?,
                body,
            },
            status: status(&entry["response"]["status"]),
        })
    });
    calls.collect()
}

pub(super) fn is_to_addon(direction: &Value) -> bool {
    serde_json::from_value::<Direction>(direction.clone()).is_ok_and(|direction| direction == Direction::ToAddon)
}

pub(super) fn kind(kind: &Value) -> Option<Kind> {
    serde_json::from_value(kind.clone()).ok()
}

pub(super) fn status(status: &Value) -> Option<u16> {
    status.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| *status > 0)
}
