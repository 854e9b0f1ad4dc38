//! Sends requests to the add-on and records them in the journal.

use std::time::{Duration, Instant};

use maitre_testkit::{Call, Error, Raw, Reply, Request};

use crate::{
    Sandbox,
    entry::{Completion, Direction, Head, Kind, Message, Replay},
    inspect,
};

/// Delay before the marketplace hangs up on purpose.
const HANG_UP_DELAY: Duration = Duration::from_millis(30);

/// Description of a call in the journal.
#[derive(Clone, Debug)]
pub(crate) struct CallInfo {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) uuid: Option<String>,
    pub(crate) fault: Option<&'static str>,
    pub(crate) resent_from: Option<i64>,
    /// Comparison with a recorded call, for a replayed one.
    pub(crate) replay: Option<Replay>,
}

/// Whether a request is sent whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendMode {
    Whole,
    /// Sends half of the request and hangs up.
    Half,
    /// Sends the request and hangs up before the response.
    HangUp,
}

/// Recorded call.
pub(crate) struct Sent {
    /// Entry id.
    pub(crate) id: i64,
    /// Response, or a message why there is none.
    pub(crate) reply: Result<Reply, String>,
}

impl Sandbox {
    /// Sends a request and records it.
    pub(crate) async fn send(&self, request: &Request, info: &CallInfo) -> Sent {
        self.send_in_mode(request, info, SendMode::Whole).await
    }

    pub(crate) async fn send_in_mode(&self, request: &Request, info: &CallInfo, mode: SendMode) -> Sent {
        let head = Head {
            uuid: info.uuid.clone(),
            method: request.method().to_owned(),
            url: request.url().to_owned(),
            fault: info.fault.map(str::to_owned),
            resent_from: info.resent_from,
            replay: info.replay,
            ..Head::new(self.platform().clock().now(), Direction::ToAddon, info.kind, info.title.as_str())
        };
        let id = self.journal().begin(head, &Message::new(request.headers(), request.body()));
        let (call, started) = (call_of(request), Instant::now());
        let reply = match mode {
            SendMode::Whole => call.try_send().await.map_err(|error| self.describe(&error)),
            SendMode::Half => {
                call.send_half().await;
                Err(format!("{} hung up in the middle of the request.", self.marketplace_title()))
            }
            SendMode::HangUp => {
                call.send_and_hang_up(HANG_UP_DELAY).await;
                Err(format!("{} hung up before the response.", self.marketplace_title()))
            }
        };
        let duration = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let findings = match &reply {
            Ok(reply) => inspect::reply(self.addon(), info.kind, reply, self.contract().successes(info.kind), duration),
            Err(message) if mode == SendMode::Whole => {
                inspect::no_reply(self.marketplace(), info.kind, message).into_iter().collect()
            }
            Err(_) => Vec::new(),
        };
        let response = reply.as_ref().ok().map(|reply| Message::new(reply.headers(), reply.body()));
        let status = reply.as_ref().ok().map(Reply::status);
        self.journal().complete(id, Completion { status, duration_ms: Some(duration), findings, response });
        self.inner().call_completed.notify_waiters();
        Sent { id, reply }
    }

    fn describe(&self, error: &Error) -> String {
        if error.is_connect() {
            format!("No server is listening at {}.", self.addon().origin)
        } else if error.is_timeout() {
            "The add-on did not respond within 25 s.".to_owned()
        } else {
            format!("The response could not be read: {error}.")
        }
    }
}

/// Returns a call that sends this request.
pub(crate) fn call_of(request: &Request) -> Call<Raw> {
    let call = Call::<Raw>::to(request.method(), request.url());
    let call = request.headers().fold(call, |call, (name, value)| call.header(name, value));
    if request.body().is_empty() { call } else { call.body(request.body()) }
}

/// Returns the request of a recorded message.
pub(crate) fn request_of(method: &str, url: &str, message: &Message) -> Request {
    let call = Call::<Raw>::to(method, url);
    let call = message.headers.iter().fold(call, |call, (name, value)| call.header(name, value.as_str()));
    let call = if message.body.is_empty() { call } else { call.body(message.body.clone()) };
    call.request()
}
