//! Replay of a recording.

use maitre_testkit::sign;
use time::OffsetDateTime;

use super::{RecordedCall, Recording};
use crate::{
    Sandbox,
    addon::split,
    entry::{Kind, Message, Replay},
    send::CallInfo,
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
    /// the password of this manifest and with newly signed sign-on forms. Records the responses but does not act on them.
    pub async fn replay(&self, recording: &Recording) -> Vec<ReplayedCall> {
        let mut replayed = Vec::new();
        for call in &recording.calls {
            let (url, message) = (self.current_url(&call.url), self.with_current_credentials(call));
            let request = self.request_of(&call.method, &url, &message);
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
        let (origin, path) = split(url);
        let recorded_sso = self.addon().sso_url.as_deref().map(split);
        match recorded_sso {
            Some((sso_origin, sso_path)) if path == sso_path && origin != sso_origin => format!("{sso_origin}{path}"),
            _ => format!("{}{path}", self.addon().origin),
        }
    }

    fn with_current_credentials(&self, call: &RecordedCall) -> Message {
        let mut message = call.message.clone();
        for (name, value) in &mut message.headers {
            if name == "authorization" && matches!(call.kind, Kind::Provision | Kind::PlanChange | Kind::Deprovision) {
                *value = sign::basic(&self.addon().slug, &self.addon().password);
            }
        }
        if call.kind == Kind::SignOn {
            message.body = self.resign(&message.body);
        }
        message
    }

    /// Signs the fields of a sign-on form for the current time.
    fn resign(&self, body: &[u8]) -> Vec<u8> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let Some((heroku, _)) = &self.addon().sso else { return body.to_vec() };
        let call = heroku.single_sign_on(field("resource_id")).provider_id(field("id"));
        let call = call.email(field("email")).user_id(field("user_id")).at(OffsetDateTime::now_utc());
        let extra = ["app", "context_app", "nav-data"];
        let call = extra.iter().fold(call, |call, name| call.set(*name, field(name)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(call.fields()).finish().into_bytes()
    }
}
