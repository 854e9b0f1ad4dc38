//! Sends lifecycle calls with injected faults.

use std::time::Duration;

use maitre_testkit::{Reply, Request, platform::Install};
use tokio::time::{sleep, timeout};

use crate::{
    Fault, Sandbox,
    entry::Kind,
    inspect,
    send::{CallInfo, SendMode, call_of},
};

const DELAY: Duration = Duration::from_secs(3);

/// Maximum time that a call is held back for another one to overtake it.
const HOLD_TIMEOUT: Duration = Duration::from_secs(30);

impl Sandbox {
    /// Sends a lifecycle call with a fault, or without one.
    ///
    /// # Errors
    /// Returns a message if no response arrives.
    pub(crate) async fn send_with_fault(
        &self,
        install: &Install,
        kind: Kind,
        title: String,
        request: &Request,
        fault: Option<Fault>,
    ) -> Result<Reply, String> {
        let uuid = Some(install.uuid().to_owned());
        let info =
            CallInfo { kind, title, uuid, fault: fault.map(Fault::description), resent_from: None, replay: None };
        let mode = match fault {
            None => SendMode::Whole,
            Some(Fault::Delay) => {
                sleep(DELAY).await;
                SendMode::Whole
            }
            Some(Fault::Reorder) => {
                let _ = timeout(HOLD_TIMEOUT, self.inner().call_completed.notified()).await;
                SendMode::Whole
            }
            Some(Fault::StaleToken) => {
                self.contract().revoke_tokens(install);
                SendMode::Whole
            }
            Some(Fault::Duplicate) => return self.send_twice(request, &info).await,
            Some(Fault::WrongPassword) => {
                self.send_unauthenticated(request, &info).await;
                return self.send(request, &CallInfo { fault: None, ..info }).await.reply;
            }
            Some(Fault::DropReply) => SendMode::HangUp,
            Some(Fault::Cut) => SendMode::Half,
        };
        self.send_in_mode(request, &info, mode).await.reply
    }

    async fn send_twice(&self, request: &Request, info: &CallInfo) -> Result<Reply, String> {
        let (first, second) = tokio::join!(self.send(request, info), self.send(request, info));
        if let (Ok(one), Ok(other)) = (&first.reply, &second.reply)
            && let Some(finding) =
                inspect::repeated(self.marketplace(), info.kind, &inspect::parts(one), &inspect::parts(other), true)
        {
            self.journal().add_finding(second.id, finding);
        }
        first.reply.or(second.reply)
    }

    async fn send_unauthenticated(&self, request: &Request, info: &CallInfo) {
        let call = call_of(request).authorization(self.wrong_authorization());
        let kind = info.kind;
        let info = CallInfo { kind: Kind::Custom, ..info.clone() };
        let sent = self.send(&call.request(), &info).await;
        if let Ok(reply) = sent.reply
            && let Some(finding) = inspect::wrong_password(self.marketplace(), kind, &reply)
        {
            self.journal().add_finding(sent.id, finding);
        }
    }
}
