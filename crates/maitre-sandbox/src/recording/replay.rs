//! Replay of a recording.

use maitre_conformance::split_origin;
use time::OffsetDateTime;

use super::{RecordedCall, Recording};
use crate::{
    Sandbox,
    entry::{Kind, Message, Replay},
    send::{CallInfo, request_of},
};

/// Replayed call, with the recorded and the new status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayedCall {
    /// Purpose of the call.
    pub title: String,
    /// Recorded status; `None` if no response arrived.
    pub recorded_status: Option<u16>,
    /// New status; `None` if no response arrived.
    pub status: Option<u16>,
}

impl ReplayedCall {
    /// Whether the new status equals the recorded one.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.recorded_status == self.status
    }
}

impl Sandbox {
    /// Sends the recorded calls to the add-on again, in order and one at a time: to this sandbox's URL of the add-on, with
    /// the credentials of this sandbox and with newly signed sign-on forms. Records the responses but does not act on them.
    pub async fn replay(&self, recording: &Recording) -> Vec<ReplayedCall> {
        let mut replayed = Vec::new();
        for call in &recording.calls {
            let (url, message) = self.renewed(call);
            let request = request_of(&call.method, &url, &message);
            let info = CallInfo {
                kind: Kind::Custom,
                title: format!("{}, replayed", call.title),
                uuid: call.uuid.clone(),
                fault: None,
                resent_from: None,
                replay: Some(Replay { then: call.status, differs: false }),
            };
            let sent = self.send(&request, &info).await;
            let status = sent.reply.ok().map(|reply| reply.status());
            // the recorded form was posted by a browser, so its status is unknown
            let recorded_status = if call.kind == Kind::SignOn { call.status.or(status) } else { call.status };
            let replay = Replay { then: recorded_status, differs: recorded_status != status };
            self.journal().compare(sent.id, replay);
            replayed.push(ReplayedCall { title: call.title.clone(), recorded_status, status });
        }
        replayed
    }

    /// Returns the URL of the same path at the current origin of the add-on.
    fn current_url(&self, url: &str) -> String {
        let (origin, path) = split_origin(url);
        let recorded_sso = self.addon().sso_url.as_deref().map(split_origin);
        match recorded_sso {
            Some((sso_origin, sso_path)) if path == sso_path && origin != sso_origin => format!("{sso_origin}{path}"),
            _ => format!("{}{path}", self.addon().origin),
        }
    }

    /// Returns the URL and the message of a recorded call with this sandbox's addresses, credentials and signatures.
    fn renewed(&self, call: &RecordedCall) -> (String, Message) {
        let (mut url, mut message) = (self.current_url(&call.url), call.message.clone());
        if call.kind == Kind::SignOn {
            let query = call.url.split_once('?').map_or("", |(_, query)| query);
            let parts = [query.as_bytes(), message.body.as_slice()];
            let fields = parts.into_iter().flat_map(|part| form_urlencoded::parse(part).into_owned()).collect();
            match self.contract().renew_sign_on(&fields, OffsetDateTime::now_utc()) {
                Some(form) if form.method == "GET" => url = form.action,
                Some(form) => message.body = form.body(),
                None => {}
            }
        } else {
            let is_lifecycle =
                matches!(call.kind, Kind::Provision | Kind::PlanChange | Kind::Deprovision | Kind::Action | Kind::Poll);
            let headers = message.headers.iter_mut().filter(|(name, _)| is_lifecycle && name == "authorization");
            headers.for_each(|(_, value)| *value = self.authorization(value));
        }
        (url, message)
    }
}
