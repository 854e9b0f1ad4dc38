//! Sends recorded requests again.

use maitre_conformance::inspect::ResponseParts;
use maitre_testkit::platform::State;

use crate::{
    Sandbox,
    entry::{Entry, Kind, Message},
    inspect,
    send::{CallInfo, Sent, request_of},
};

impl Sandbox {
    /// Sends the request of an entry again, `times` times concurrently, and checks whether the responses agree with the
    /// recorded one. Returns the first new entry id, or `None` if the request was not sent to the add-on.
    pub(crate) async fn send_again(&self, id: i64, times: u32) -> Option<i64> {
        let entry = self.journal().store().get(id).filter(|entry| entry.head.is_to_addon())?;
        let request = request_of(&entry.head.method, &entry.head.url, &entry.request);
        let info = CallInfo {
            kind: entry.head.kind,
            title: entry.head.title.clone(),
            uuid: entry.head.uuid.clone(),
            fault: None,
            resent_from: Some(id),
            replay: None,
        };
        let sent = futures_util::future::join_all((0..times).map(|_| self.send(&request, &info))).await;
        let recorded = entry.response.as_ref().zip(entry.head.status);
        let recorded = recorded.map(|(response, status)| ResponseParts::new(status, None, &response.body));
        let is_deprovisioned = info.uuid.as_deref().is_some_and(|uuid| self.is_deprovisioned(uuid));
        let mut first: Option<ResponseParts<'_>> = None;
        for Sent { id, reply } in &sent {
            let Ok(reply) = reply else { continue };
            let parts = inspect::parts(reply);
            let finding = match (&first, &recorded) {
                _ if is_deprovisioned => inspect::after_deprovision(self.marketplace(), info.kind, &parts),
                (Some(first), _) => inspect::repeated(self.marketplace(), info.kind, first, &parts, true),
                (None, Some(recorded)) => inspect::repeated(self.marketplace(), info.kind, recorded, &parts, false),
                (None, None) => None,
            };
            if let Some(finding) = finding {
                self.journal().add_finding(*id, finding);
            }
            first.get_or_insert(parts);
        }
        sent.first().map(|sent| sent.id)
    }

    fn is_deprovisioned(&self, uuid: &str) -> bool {
        self.platform().find(uuid).is_some_and(|install| install.state() == State::Deprovisioned)
    }

    /// Sends an edited request and records the response without acting on it. Returns the new entry id.
    pub(crate) async fn send_edited(&self, method: &str, url: &str, message: &Message, original: &Entry) -> i64 {
        let request = request_of(method, url, message);
        let info = CallInfo {
            kind: Kind::Custom,
            title: format!("{}, edited", original.head.title),
            uuid: original.head.uuid.clone(),
            fault: None,
            resent_from: Some(original.id),
            replay: None,
        };
        self.send(&request, &info).await.id
    }
}
