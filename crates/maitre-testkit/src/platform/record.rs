//! What stands around every route: it writes down what comes and goes, and lets the ordered faults happen.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Platform,
    fault::{Broken, Fault},
    journal::Journal,
    problem::Problem,
    violation::Rule,
    world::Seq,
};
use crate::endpoint::new_uuid;

/// More than any call to Heroku needs.
const MAX_BODY: usize = 1 << 20;

/// Which exchange this is, for those below.
#[derive(Clone)]
pub(super) struct ExchangeId {
    pub(super) seq: Seq,
    /// Method and path, to name it in a sentence.
    pub(super) line: String,
}

pub(super) async fn record(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Problem::bad_request("The body is too long, or broke off.").into_response();
    };
    let journal = platform.journal();
    let kept = platform.world().settings.history_limit;
    let seq = journal.arrived(kept, platform.clock().now(), &parts, &body);
    let _ending = Ending { journal, seq };
    let line = format!("{} {}", parts.method, parts.uri.path());
    if !parts.headers.contains_key("user-agent") {
        platform.world().general_violation(Rule::NoUserAgent, format!("{line} came without a user-agent"));
    }
    parts.extensions.insert(ExchangeId { seq, line });
    let fault = platform.ordered_faults().draw(parts.method.as_str(), parts.uri.path());
    let request = Request::from_parts(parts, Body::from(body));
    let response = match fault {
        None => next.run(request).await,
        Some(fault) => {
            journal.mark_corrupted(seq, format!("{fault:?}"));
            corrupt(&platform, seq, &fault, request, next).await
        }
    };
    close(&platform, seq, response).await
}

/// Tells that a call ended, also when its caller hangs up, which drops the handler.
struct Ending<'a> {
    journal: &'a Journal,
    seq: Seq,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.journal.ended(self.seq);
    }
}

async fn corrupt(platform: &Platform, seq: Seq, fault: &Fault, request: Request, next: Next) -> Response {
    if !fault.is_after_work() {
        fault.wait().await;
        return if fault.replaces_response() { fault.answer(None) } else { next.run(request).await };
    }
    // said before the work is done: the caller may hang up at any time from there
    platform.journal().drop_response(seq, true);
    let made = next.run(request).await;
    fault.wait().await;
    if !fault.replaces_response() {
        platform.journal().drop_response(seq, false);
        return made;
    }
    let (_, body) = made.into_parts();
    fault.answer(Some(to_bytes(body, usize::MAX).await.unwrap_or_default()))
}

/// Writes down what goes out, with an id by which the vendor may ask about it.
async fn close(platform: &Platform, seq: Seq, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let id = HeaderValue::from_str(&new_uuid()).expect("a uuid is plain ASCII");
    parts.headers.entry("request-id").or_insert(id);
    if parts.extensions.get::<Broken>().is_some() {
        return Response::from_parts(parts, body);
    }
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    platform.journal().answered(seq, platform.clock().now(), &parts, &body);
    Response::from_parts(parts, Body::from(body))
}
