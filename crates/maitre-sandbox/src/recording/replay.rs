//! Sending once more what was recorded.

use maitre_testkit::sign;
use time::OffsetDateTime;

use super::{Recorded, Recording};
use crate::{
    Sandbox,
    addon::split,
    journal::{Kind, Message},
    send::About,
};

/// A call that was sent once more: what the add-on answered then and now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayedCall {
    /// What it was for.
    pub title: String,
    /// The status that was recorded; none where no answer came.
    pub recorded_status: Option<u16>,
    /// The status of this time.
    pub status: Option<u16>,
}

impl ReplayedCall {
    /// Whether the add-on answers as it did.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.recorded_status == self.status
    }
}

impl Sandbox {
    /// Sends the add-on once more what Heroku sent it in a recording, in the same order, one after the other: to the
    /// address that this sandbox knows, with this manifest's password, and with sign-on forms signed anew. Its answers
    /// are compared and shown; the marketplace takes no notice of them otherwise.
    pub async fn replay(&self, recording: &Recording) -> Vec<ReplayedCall> {
        let mut replayed = Vec::new();
        for call in &recording.calls {
            let (url, message) = (self.here(&call.url), self.renewed(call));
            let request = self.request_of(&call.method, &url, &message);
            let about = About {
                kind: Kind::Custom,
                title: format!("{}, replayed", call.title),
                uuid: call.uuid.clone(),
                fault: None,
                again: None,
            };
            let sent = self.send(&request, &about).await;
            let status = sent.reply.ok().map(|reply| reply.status());
            // a browser posted the form, so that nobody saw the answer
            let recorded_status = if call.kind == Kind::SignOn { call.status.or(status) } else { call.status };
            replayed.push(ReplayedCall { title: call.title.clone(), recorded_status, status });
        }
        replayed
    }

    /// The same path where the add-on is now.
    fn here(&self, url: &str) -> String {
        let (origin, path) = split(url);
        let recorded_sso = self.addon().sso_url.as_deref().map(split);
        match recorded_sso {
            Some((sso_origin, sso_path)) if path == sso_path && origin != sso_origin => format!("{sso_origin}{path}"),
            _ => format!("{}{path}", self.addon().origin),
        }
    }

    fn renewed(&self, call: &Recorded) -> Message {
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

    /// The fields of a sign-on form with tokens of this moment.
    fn resign(&self, body: &[u8]) -> Vec<u8> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let Some((heroku, _)) = &self.addon().door else { return body.to_vec() };
        let call = heroku.single_sign_on(field("resource_id")).provider_id(field("id"));
        let call = call.email(field("email")).user_id(field("user_id")).at(OffsetDateTime::now_utc());
        let kept = ["app", "context_app", "nav-data"];
        let call = kept.iter().fold(call, |call, name| call.set(*name, field(name)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(call.fields()).finish().into_bytes()
    }
}
