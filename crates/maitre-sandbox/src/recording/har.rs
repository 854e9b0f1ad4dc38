//! HTTP Archive 1.2. Custom fields start with an underscore, as the specification requires.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_testkit::mask;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{
    RecordedCall,
    json::{is_to_addon, kind, status},
};
use crate::entry::{Entry, Message};

pub(super) fn head(masked: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"maitre sandbox\",\"version\":\"{version}\"}},\
         \"_maitre_sandbox\":{{\"masked\":{masked}}},\"entries\":["
    )
}

/// Converts an entry. `base_url` completes the URLs of calls to the sandbox.
pub(super) fn entry(entry: &Entry, masked: bool, base_url: &str) -> Value {
    let head = &entry.head;
    let url = if head.url.starts_with('/') { format!("{base_url}{}", head.url) } else { head.url.clone() };
    let url = if masked { mask::url(&url) } else { url };
    let response = entry.response.clone().unwrap_or_default();
    let content_type = |message: &Message| message.header("content-type").unwrap_or_default().to_owned();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query: Vec<_> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut request = json!({
        "method": head.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&entry.request, masked),
        "queryString": query,
        "headersSize": -1,
        "bodySize": entry.request.body.len(),
    });
    if !entry.request.body.is_empty() {
        request["postData"] = content(&entry.request, &content_type(&entry.request), masked);
    }
    let mut response_content = content(&response, &content_type(&response), masked);
    response_content["size"] = response.body.len().into();
    let duration = head.duration_ms.unwrap_or_default();
    let location = response.header("location").unwrap_or_default();
    json!({
        "startedDateTime": head.started_at.format(&Rfc3339).unwrap_or_default(),
        "time": duration,
        "request": request,
        "response": {
            "status": head.status.unwrap_or_default(),
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&response, masked),
            "content": response_content,
            "redirectURL": if masked { mask::url(location) } else { location.to_owned() },
            "headersSize": -1,
            "bodySize": response.body.len(),
        },
        "cache": {},
        "timings": { "send": 0, "wait": duration, "receive": 0 },
        "comment": head.fault.clone().unwrap_or_default(),
        "_direction": head.direction,
        "_kind": head.kind,
        "_title": head.title,
        "_resource": head.uuid,
        "_findings": head.findings,
    })
}

fn headers(message: &Message, masked: bool) -> Value {
    let headers = message.headers.iter().map(|(name, value)| {
        let value = if masked { mask::header(name, value) } else { value.clone() };
        json!({ "name": name, "value": value })
    });
    headers.collect()
}

fn content(message: &Message, content_type: &str, masked: bool) -> Value {
    if masked {
        return json!({ "mimeType": content_type, "text": mask::body(message.header("content-type"), &message.body) });
    }
    match std::str::from_utf8(&message.body) {
        Ok(text) => json!({ "mimeType": content_type, "text": text }),
        Err(_) => {
            json!({ "mimeType": content_type, "text": BASE64_STANDARD.encode(&message.body), "encoding": "base64" })
        }
    }
}

pub(super) fn calls(recording: &Value) -> Option<Vec<RecordedCall>> {
    let entries = recording["log"]["entries"].as_array()?.iter();
    let calls = entries.filter(|entry| is_to_addon(&entry["_direction"])).map(|entry| {
        let request = &entry["request"];
        let header = |header: &Value| Some((header["name"].as_str()?.to_owned(), header["value"].as_str()?.to_owned()));
        let data = &request["postData"];
        let body = match (data["text"].as_str(), data["encoding"].as_str()) {
            (Some(encoded), Some("base64")) => BASE64_STANDARD.decode(encoded).ok()?,
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, _) => Vec::new(),
        };
        Some(RecordedCall {
            kind: kind(&entry["_kind"])?,
            title: entry["_title"].as_str()?.to_owned(),
            uuid: entry["_resource"].as_str().map(str::to_owned),
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
