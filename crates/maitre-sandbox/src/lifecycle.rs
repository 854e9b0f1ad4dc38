//! Lifecycle calls from the marketplace to the add-on: provision, plan change, deprovision, and the actions of its contract.

use maitre_testkit::{
    Reply, Request,
    platform::{Install, InstallBuilder, State},
};
use time::Duration;
use tokio::time::sleep;

use crate::{
    Sandbox,
    entry::Kind,
    events::PageEvent,
    retry::{Lifecycle, Retry, backoff},
};

/// Number of attempts of a plan change while the customer waits.
const PLAN_CHANGE_ATTEMPTS: u32 = 3;

/// Delay of the call that follows a failed operation.
const FOLLOW_UP_DELAY: Duration = Duration::SECOND;

/// Outcome of a lifecycle call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The add-on answered 202 and continues in the background.
    Accepted,
    /// The add-on refused, with this message.
    Refused(String),
    /// The call failed, and the marketplace retries it.
    Pending(String),
    /// The call failed, and the marketplace does not retry it.
    Failed(String),
}

impl Sandbox {
    /// Provisions the add-on on this plan for a new app. Returns when the add-on has responded, or after 25 seconds.
    pub async fn provision(&self, plan: &str) -> Install {
        self.start_install(self.install_builder(plan)).await.0
    }

    /// Returns a builder of an install with the options of every provision.
    pub(crate) fn install_builder(&self, plan: &str) -> InstallBuilder {
        let builder = self.platform().install_builder(plan);
        self.addon().options.iter().fold(builder, |builder, (name, value)| builder.option(name, value))
    }

    pub(crate) async fn start_install(&self, builder: InstallBuilder) -> (Install, Outcome) {
        let install = builder.create();
        let outcome = self.perform(&install, Lifecycle::Provision).await;
        (install, outcome)
    }

    /// Performs what is due: notes state changes of installs, and retries lifecycle calls.
    pub(crate) fn tick(&self) {
        for install in self.platform().installs() {
            let state = install.state();
            let before = self.states().insert(install.uuid().to_owned(), state).unwrap_or(State::Provisioning);
            if before != state {
                let title = format!("{} is {state}", install.name());
                self.inner().journal.note(self.platform().clock().now(), Some(install.uuid()), title, None);
                self.release_change(&install, before, state);
                self.contract().update_api(&install);
                self.publish(PageEvent::Installs);
            }
        }
        for retry in self.inner().retries.take_due(self.platform().clock().now()) {
            tokio::spawn(self.clone().retry(retry));
        }
    }

    /// Performs a lifecycle call in its own task, so that it completes even if the caller is dropped.
    pub(crate) async fn perform(&self, install: &Install, call: Lifecycle) -> Outcome {
        let task = tokio::spawn(self.clone().attempt(install.clone(), call, 1));
        task.await.unwrap_or_else(|_| Outcome::Failed("The sandbox is stopping.".to_owned()))
    }

    /// Retries a lifecycle call unless the state of the install has made it obsolete.
    pub(crate) async fn retry(self, retry: Retry) {
        let Some(install) = self.platform().find(&retry.uuid) else { return };
        let is_due = match retry.call {
            Lifecycle::Provision => install.state() == State::Provisioning,
            Lifecycle::PlanChange(_) => false,
            Lifecycle::Deprovision | Lifecycle::Action { .. } | Lifecycle::Poll => {
                install.state() != State::Deprovisioned
            }
        };
        if is_due {
            self.attempt(install, retry.call, retry.attempts + 1).await;
        }
    }

    pub(crate) fn schedule_retry(&self, retry: Retry) {
        self.inner().retries.schedule(retry);
        self.mark_dirty();
    }

    /// Adds the releases that come with the config vars of an install, and with their removal.
    fn release_change(&self, install: &Install, before: State, state: State) {
        let verb = match (before, state) {
            (_, State::Provisioned) => "Attach",
            (State::Provisioned | State::Deprovisioning, State::Deprovisioned) => "Detach",
            _ => return,
        };
        for attachment in install.attachments() {
            let text =
                |path: &str| attachment.pointer(path).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
            let description = format!("{verb} {} (@ref:{})", text("/name"), install.name());
            self.add_release(&text("/app/name"), &description);
        }
    }

    async fn attempt(self, install: Install, call: Lifecycle, attempts: u32) -> Outcome {
        if attempts == 1 {
            self.journal().start_operation(install.uuid());
        }
        let outcome = match &call {
            Lifecycle::Provision => self.call_provision(&install).await,
            Lifecycle::PlanChange(plan) => self.call_plan_change(&install, plan).await,
            Lifecycle::Deprovision => self.call_deprovision(&install, attempts).await,
            Lifecycle::Action { name, value } => self.call_action(&install, name, value).await,
            Lifecycle::Poll => self.call_poll(&install).await,
        };
        match &outcome {
            Outcome::Pending(_) => self.schedule(&install, call, attempts, backoff(attempts)),
            Outcome::Accepted => self.schedule_poll(&install, attempts),
            _ => {}
        }
        self.tick();
        outcome
    }

    /// Schedules a lifecycle call after a delay by the marketplace's clock.
    fn schedule(&self, install: &Install, call: Lifecycle, attempts: u32, delay: Duration) {
        let due = self.platform().clock().now().saturating_add(delay);
        self.schedule_retry(Retry { uuid: install.uuid().to_owned(), call, attempts, due });
    }

    /// Schedules the next poll if the marketplace polls for the completion.
    fn schedule_poll(&self, install: &Install, attempts: u32) {
        if let Some(poll) = self.contract().poll(install) {
            self.schedule(install, Lifecycle::Poll, attempts, poll.delay);
        }
    }

    async fn call_provision(&self, install: &Install) -> Outcome {
        if install.grant().expires_at() <= self.platform().clock().now() {
            install.issue_grant();
        }
        if let Some(failure) = self.prepare(install).await {
            return failure;
        }
        let plan = install.plan();
        let request = self.contract().provision(install);
        let reply = match self.call(install, Kind::Provision, format!("Provision {plan}"), &request).await {
            Ok(reply) => reply,
            Err(message) if self.profile().deletes_orphans => return self.delete_orphan(install, message),
            Err(message) => return Outcome::Pending(message),
        };
        let status = reply.status();
        let is_success = self.contract().successes(Kind::Provision).contains(&status);
        if is_success || matches!(status, 410 | 422) {
            self.contract().record_provision(install, &reply);
            self.contract().update_api(install);
        }
        match status {
            202 if is_success => Outcome::Accepted,
            _ if is_success => Outcome::Done,
            410 | 422 => Outcome::Refused(refusal(&reply)),
            200..300 | 500.. if self.profile().deletes_orphans => self.delete_orphan(install, answered(status)),
            408 | 429 | 500.. if !self.profile().deletes_orphans => Outcome::Pending(answered(status)),
            _ => {
                install.remove_silently();
                Outcome::Failed(answered(status))
            }
        }
    }

    /// Schedules the deprovision of what a failed provision may have left.
    fn delete_orphan(&self, install: &Install, message: String) -> Outcome {
        self.schedule(install, Lifecycle::Deprovision, 0, Duration::ZERO);
        Outcome::Failed(message)
    }

    /// Sends the call that precedes provisions. Returns the outcome of the provision if it fails.
    async fn prepare(&self, install: &Install) -> Option<Outcome> {
        let (title, request) = self.contract().preparation(install)?;
        match self.call(install, Kind::Action, title, &request).await {
            Ok(reply) if self.contract().successes(Kind::Action).contains(&reply.status()) => {
                self.contract().record_preparation(install, &reply);
                self.mark_dirty();
                None
            }
            Ok(reply) if matches!(reply.status(), 408 | 429 | 500..) => {
                Some(Outcome::Pending(answered(reply.status())))
            }
            Ok(reply) => {
                install.remove_silently();
                Some(Outcome::Failed(answered(reply.status())))
            }
            Err(message) => Some(Outcome::Pending(message)),
        }
    }

    async fn call_plan_change(&self, install: &Install, plan: &str) -> Outcome {
        let mut error = String::new();
        let attempts = if self.profile().deletes_orphans { 1 } else { PLAN_CHANGE_ATTEMPTS };
        for attempt in 1..=attempts {
            let request = self.contract().plan_change(install, plan);
            match self.call(install, Kind::PlanChange, format!("Change to {plan}"), &request).await {
                Ok(reply) if reply.status() < 500 => {
                    let is_success = self.contract().successes(Kind::PlanChange).contains(&reply.status());
                    if is_success || !(200..300).contains(&reply.status()) {
                        self.contract().record_plan_change(install, plan, &reply);
                        self.contract().update_api(install);
                    }
                    return match reply.status() {
                        202 if is_success => Outcome::Accepted,
                        _ if is_success => Outcome::Done,
                        422 => Outcome::Refused(refusal(&reply)),
                        status => Outcome::Failed(answered(status)),
                    };
                }
                Ok(reply) => error = answered(reply.status()),
                Err(message) => error = message,
            }
            if attempt < attempts {
                sleep(backoff(attempt).unsigned_abs()).await;
            }
        }
        Outcome::Failed(error)
    }

    async fn call_deprovision(&self, install: &Install, attempts: u32) -> Outcome {
        let request = self.contract().deprovision(install);
        let result = self.call(install, Kind::Deprovision, "Deprovision".to_owned(), &request).await;
        let error = match result {
            Ok(reply) => {
                self.contract().record_deprovision(install, &reply);
                match install.state() {
                    State::Deprovisioned => return Outcome::Done,
                    State::Deprovisioning if reply.status() == 202 => return Outcome::Accepted,
                    _ => answered(reply.status()),
                }
            }
            Err(message) => message,
        };
        install.record_deprovision_failure();
        if let Some((title, request)) = self.contract().failed_deprovision(install).filter(|_| attempts == 1) {
            // the response changes nothing
            let _ = self.call(install, Kind::Action, title.to_owned(), &request).await;
        }
        Outcome::Pending(error)
    }

    /// Asks for the state of the pending operation.
    async fn call_poll(&self, install: &Install) -> Outcome {
        let Some(poll) = self.contract().poll(install) else { return Outcome::Done };
        let Ok(reply) = self.call(install, Kind::Poll, poll.title.to_owned(), &poll.request).await else {
            return Outcome::Accepted;
        };
        let next = self.contract().record_poll(install, &reply);
        self.contract().update_api(install);
        self.mark_dirty();
        self.publish(PageEvent::Installs);
        match next {
            Some(call) => {
                self.schedule(install, call, 0, FOLLOW_UP_DELAY);
                Outcome::Failed("The operation failed.".to_owned())
            }
            None if self.contract().poll(install).is_some() => Outcome::Accepted,
            None => Outcome::Done,
        }
    }

    async fn call_action(&self, install: &Install, name: &str, value: &str) -> Outcome {
        let offered = self.contract().actions(install).into_iter().find(|action| action.name == name);
        let request = self.contract().act(install, name, value);
        let Some((action, request)) = offered.zip(request) else {
            return Outcome::Failed("The marketplace does not offer this in the current state.".to_owned());
        };
        let result = self.call(install, Kind::Action, action.label.to_owned(), &request).await;
        let status = result.as_ref().ok().map(Reply::status);
        let outcome = match result {
            Ok(reply) if self.contract().successes(Kind::Action).contains(&reply.status()) => {
                self.contract().record_action(install, name, &reply);
                if self.contract().poll(install).is_some() { Outcome::Accepted } else { Outcome::Done }
            }
            Ok(reply) => Outcome::Failed(answered(reply.status())),
            Err(message) => Outcome::Failed(message),
        };
        if let Outcome::Failed(_) = outcome
            && let Some(call) = self.contract().after_failed_action(install, name, status)
        {
            self.schedule(install, call, 0, FOLLOW_UP_DELAY);
        }
        self.mark_dirty();
        self.publish(PageEvent::Installs);
        outcome
    }

    /// Sends a lifecycle call once, with an injected fault if one is due.
    ///
    /// # Errors
    /// Returns a message if no response arrives.
    async fn call(&self, install: &Install, kind: Kind, title: String, request: &Request) -> Result<Reply, String> {
        let fault = self.next_fault(kind);
        self.send_with_fault(install, kind, title, request, fault).await
    }
}

fn answered(status: u16) -> String {
    format!("The add-on answered {status}.")
}

/// Returns the message for the customer.
fn refusal(reply: &Reply) -> String {
    let body: serde_json::Value = serde_json::from_slice(reply.body()).unwrap_or_default();
    let message =
        [&body["message"], &body["description"]].into_iter().find_map(|text| text.as_str().map(str::to_owned));
    message.unwrap_or_else(|| format!("The add-on answered {} without a message.", reply.status()))
}
