//! Middleware around every route: records exchanges and applies faults.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    super::{
        api::{exchange_id::ExchangeId, problem::Problem},
        state::{exchange::ExchangeNumber, journal::Journal, violation::Rule},
    },
    fault::{Broken, Fault},
    platform::Platform,
};
use crate::{generate::new_uuid, request};

/// Maximum length of a request body.
const MAX_BODY: usize = 1 << 20;

pub(crate) async fn record(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Problem::bad_request("The body is too long or incomplete.").into_response();
    };
    let journal = platform.journal();
    let limit = platform.state().settings.history_limit;
    let number = journal.record_request(limit, platform.clock().now(), copy(&parts, &body));
    let _ending = Ending { journal, number };
    let line = format!("{} {}", parts.method, parts.uri.path());
    if !parts.headers.contains_key("user-agent") {
        platform.state().record_general_violation(Rule::NoUserAgent, format!("{line} had no User-Agent"));
    }
    parts.extensions.insert(ExchangeId { number, line });
    let fault = platform.pending_faults().draw(parts.method.as_str(), parts.uri.path());
    let request = Request::from_parts(parts, Body::from(body));
    let response = match fault {
        None => next.run(request).await,
        Some(fault) => {
            journal.set_fault(number, format!("{fault:?}"));
            corrupt(&platform, number, &fault, request, next).await
        }
    };
    close(&platform, number, response).await
}

/// Records the end of a call, also when the caller hangs up and the handler is dropped.
struct Ending<'a> {
    journal: &'a Journal,
    number: ExchangeNumber,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.journal.end(self.number);
    }
}

async fn corrupt(platform: &Platform, number: ExchangeNumber, fault: &Fault, request: Request, next: Next) -> Response {
    if !fault.is_after_work() {
        fault.wait().await;
        return if fault.replaces_response() { fault.answer(None) } else { next.run(request).await };
    }
    // set before the handler runs, because the caller may hang up at any time
    platform.journal().set_response_dropped(number, true);
    let response = next.run(request).await;
    fault.wait().await;
    if !fault.replaces_response() {
        platform.journal().set_response_dropped(number, false);
        return response;
    }
    let (_, body) = response.into_parts();
    fault.answer(Some(to_bytes(body, usize::MAX).await.unwrap_or_default()))
}

/// Records the response, and adds a request id.
async fn close(platform: &Platform, number: ExchangeNumber, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let id = HeaderValue::from_str(&new_uuid()).expect("a uuid is plain ASCII");
    parts.headers.entry("request-id").or_insert(id);
    if parts.extensions.get::<Broken>().is_some() {
        return Response::from_parts(parts, body);
    }
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let (status, headers) = (parts.status.as_u16(), texts(&parts.headers));
    platform.journal().record_response(number, platform.clock().now(), status, headers, body.to_vec());
    Response::from_parts(parts, Body::from(body))
}

/// Copies a request for the journal. Its URL is the path and the query.
fn copy(parts: &Parts, body: &[u8]) -> request::Request {
    let url = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = request::Request::new(parts.method.as_str(), url);
    request.headers = texts(&parts.headers);
    request.body = body.to_vec();
    request
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
