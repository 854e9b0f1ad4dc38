//! What Heroku asks of the add-on: orders, changes and removals, asked again until they are answered.

use std::time::{Duration, Instant};

use maitre_testkit::{
    Call, Error, Raw, Reply, Request,
    platform::{Install, State},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::{
    Fault, Sandbox,
    journal::{Completion, Direction, Head, Kind, Message},
    judge::{self, Said},
    retry::backoff,
};

/// How long a call is held back for another one to overtake it.
const HOLD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long Heroku stays on the line that it is about to drop.
const HANG_UP_DELAY: Duration = Duration::from_millis(30);

/// A plan change is tried so often while the customer waits.
const TRIES: u32 = 3;

/// What Heroku wants of the add-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lifecycle {
    Provision,
    PlanChange(String),
    Deprovision,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// 202: the add-on goes on by itself.
    Accepted,
    /// The add-on does not want to, and says why.
    Refused(String),
    /// Not done yet: Heroku asks again.
    Pending(String),
    /// Not done, and not asked again.
    Failed(String),
}

/// An errand to be done once more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) uuid: String,
    errand: Lifecycle,
    pub(crate) attempts: u32,
    /// By the marketplace's clock.
    pub(crate) due: OffsetDateTime,
}

impl Retry {
    pub(crate) fn at_once(install: &Install, errand: Lifecycle, now: OffsetDateTime) -> Self {
        Self { uuid: install.uuid().to_owned(), errand, attempts: 0, due: now }
    }
}

/// What the journal says about a call.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) uuid: Option<String>,
    pub(crate) fault: Option<&'static str>,
    pub(crate) again: Option<i64>,
}

/// How a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendMode {
    Whole,
    Half,
    HangUp,
}

/// A call that was sent and written down.
pub(crate) struct Sent {
    pub(crate) id: i64,
    /// Why there is none, if there is none.
    pub(crate) reply: Result<Reply, String>,
}

impl Sandbox {
    /// Carries an errand to the add-on, whether or not whoever asked for it waits.
    pub(crate) async fn perform(&self, install: &Install, errand: Lifecycle) -> Outcome {
        let task = tokio::spawn(self.clone().attempt(install.clone(), errand, 1));
        task.await.unwrap_or_else(|_| Outcome::Failed("The sandbox stops.".to_owned()))
    }

    /// Carries it once more, if it is still wanted.
    pub(crate) async fn again(self, retry: Retry) {
        let Some(install) = self.platform().find(&retry.uuid) else { return };
        let is_wanted = match retry.errand {
            Lifecycle::Provision => install.state() == State::Provisioning,
            Lifecycle::PlanChange(_) => false,
            Lifecycle::Deprovision => install.state() != State::Deprovisioned,
        };
        if is_wanted {
            self.attempt(install, retry.errand, retry.attempts + 1).await;
        }
    }

    async fn attempt(self, install: Install, errand: Lifecycle, attempts: u32) -> Outcome {
        let outcome = match &errand {
            Lifecycle::Provision => self.call_provision(&install).await,
            Lifecycle::PlanChange(plan) => self.call_plan_change(&install, plan).await,
            Lifecycle::Deprovision => self.call_deprovision(&install).await,
        };
        if let Outcome::Pending(_) = outcome {
            let due = self.platform().clock().now().saturating_add(backoff(attempts));
            self.retry(Retry { uuid: install.uuid().to_owned(), errand, attempts, due });
        }
        self.tick();
        outcome
    }

    async fn call_provision(&self, install: &Install) -> Outcome {
        if install.grant().expires_at() <= self.platform().clock().now() {
            install.new_grant();
        }
        let plan = install.plan();
        let request = self.addon().heroku.provision(&plan).install(install).request();
        let reply = match self.ask(install, Kind::Provision, format!("Provision {plan}"), &request).await {
            Ok(reply) => reply,
            Err(silence) => return Outcome::Pending(silence),
        };
        let status = reply.status();
        if matches!(status, 200..=202 | 410 | 422) {
            install.provision_answered(&reply);
        }
        match status {
            200 | 201 => Outcome::Done,
            202 => Outcome::Accepted,
            410 | 422 => Outcome::Refused(message(&reply)),
            408 | 429 | 500.. => Outcome::Pending(format!("The add-on answered {status}.")),
            _ => {
                install.remove();
                Outcome::Failed(format!("The add-on answered {status}."))
            }
        }
    }

    async fn call_plan_change(&self, install: &Install, plan: &str) -> Outcome {
        let mut why = String::new();
        for attempt in 1..=TRIES {
            let request = self.addon().heroku.plan_change(&path_id(install), plan).request();
            match self.ask(install, Kind::PlanChange, format!("Change to {plan}"), &request).await {
                Ok(reply) if reply.status() < 500 => {
                    install.plan_change_answered(plan, &reply);
                    return match reply.status() {
                        202 => Outcome::Accepted,
                        200..300 => Outcome::Done,
                        422 => Outcome::Refused(message(&reply)),
                        status => Outcome::Failed(format!("The add-on answered {status}.")),
                    };
                }
                Ok(reply) => why = format!("The add-on answered {}.", reply.status()),
                Err(silence) => why = silence,
            }
            if attempt < TRIES {
                sleep(backoff(attempt).unsigned_abs()).await;
            }
        }
        Outcome::Failed(why)
    }

    async fn call_deprovision(&self, install: &Install) -> Outcome {
        let request = self.addon().heroku.deprovision(&path_id(install)).request();
        let answer = self.ask(install, Kind::Deprovision, "Deprovision".to_owned(), &request).await;
        let why = match answer {
            Ok(reply) => {
                install.deprovision_answered(&reply);
                match install.state() {
                    State::Deprovisioned => return Outcome::Done,
                    State::Deprovisioning if reply.status() == 202 => return Outcome::Accepted,
                    _ => format!("The add-on answered {}.", reply.status()),
                }
            }
            Err(silence) => silence,
        };
        install.deprovision_failed();
        Outcome::Pending(why)
    }

    /// Asks the add-on once, with whatever goes wrong on purpose. The error says why there is no reply.
    async fn ask(&self, install: &Install, kind: Kind, title: String, request: &Request) -> Result<Reply, String> {
        let fault = self.inner().faults.next(kind);
        let uuid = Some(install.uuid().to_owned());
        let about = About { kind, title, uuid, fault: fault.map(Fault::description), again: None };
        let mode = match fault {
            None => SendMode::Whole,
            Some(Fault::Delay) => {
                sleep(Duration::from_secs(3)).await;
                SendMode::Whole
            }
            Some(Fault::Reorder) => {
                let overtaken = self.inner().overtaken.notified();
                let _ = tokio::time::timeout(HOLD_TIMEOUT, overtaken).await;
                SendMode::Whole
            }
            Some(Fault::StaleToken) => {
                install.revoke_tokens();
                SendMode::Whole
            }
            Some(Fault::Duplicate) => return self.ask_twice(request, &about).await,
            Some(Fault::WrongPassword) => {
                self.send_unauthenticated(request, &about).await;
                return self.send(request, &About { fault: None, ..about }).await.reply;
            }
            Some(Fault::DropReply) => SendMode::HangUp,
            Some(Fault::Cut) => SendMode::Half,
        };
        self.send_in_mode(request, &about, mode).await.reply
    }

    async fn ask_twice(&self, request: &Request, about: &About) -> Result<Reply, String> {
        let (first, second) = tokio::join!(self.send(request, about), self.send(request, about));
        if let (Ok(one), Ok(other)) = (&first.reply, &second.reply)
            && let Some(finding) = judge::twice(about.kind, &one.into(), &other.into(), true)
        {
            self.journal().add_finding(second.id, finding);
        }
        first.reply.or(second.reply)
    }

    async fn send_unauthenticated(&self, request: &Request, about: &About) {
        let wrong = maitre_testkit::sign::basic(&self.addon().slug, "not-the-password");
        let call = self.raw(request).authorization(wrong);
        let about = About { kind: Kind::Custom, ..about.clone() };
        let kind = Kind::of_lifecycle_call(request.method());
        let sent = self.send(&call.request(), &about).await;
        if let Some(finding) = judge::stranger(kind, sent.reply.ok().map(|reply| reply.status())) {
            self.journal().add_finding(sent.id, finding);
        }
    }

    /// Sends a request as it stands and writes it down.
    pub(crate) async fn send(&self, request: &Request, about: &About) -> Sent {
        self.send_in_mode(request, about, SendMode::Whole).await
    }

    async fn send_in_mode(&self, request: &Request, about: &About, mode: SendMode) -> Sent {
        let head = Head {
            uuid: about.uuid.clone(),
            method: request.method().to_owned(),
            url: request.url().to_owned(),
            fault: about.fault.map(str::to_owned),
            again: about.again,
            ..Head::new(self.platform().clock().now(), Direction::ToAddon, about.kind, about.title.as_str())
        };
        let id = self.journal().begin(head, &Message::new(request.headers(), request.body()));
        let (call, began) = (self.raw(request), Instant::now());
        let lost = |why: &str| Err(why.to_owned());
        let reply = match mode {
            SendMode::Whole => call.try_send().await.map_err(|error| self.why(&error)),
            SendMode::Half => {
                call.send_half().await;
                lost("Heroku hung up in the middle of the request.")
            }
            SendMode::HangUp => {
                call.send_and_hang_up(HANG_UP_DELAY).await;
                lost("Heroku hung up before the answer.")
            }
        };
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let findings = match &reply {
            Ok(reply) => judge::answer(self.addon(), about.kind, reply, took),
            Err(why) if mode == SendMode::Whole => judge::silence(about.kind, why).into_iter().collect(),
            Err(_) => Vec::new(),
        };
        let answer = reply.as_ref().ok().map(|reply| Message::new(reply.headers(), reply.body()));
        let status = reply.as_ref().ok().map(Reply::status);
        self.journal().end(id, Completion { status, took: Some(took), findings, answer, fault: None });
        self.inner().overtaken.notify_waiters();
        Sent { id, reply }
    }

    /// The same request, to be sent.
    pub(crate) fn raw(&self, request: &Request) -> Call<Raw> {
        let call = self.addon().heroku.raw(request.method(), request.url());
        let call = request.headers().fold(call, |call, (name, value)| call.header(name, value));
        if request.body().is_empty() { call } else { call.body(request.body()) }
    }

    fn why(&self, error: &Error) -> String {
        if error.is_connect() {
            format!("Nobody listens at {}.", self.addon().origin)
        } else if error.is_timeout() {
            "No answer came within 25 s.".to_owned()
        } else {
            format!("There was no answer to read: {error}.")
        }
    }

    /// Sends once more what an entry of the journal sent, and judges whether the answer is the one of the first time.
    pub(crate) async fn send_again(&self, id: i64, times: u32) -> Option<i64> {
        let entry = self.journal().store().get(id).filter(|entry| entry.head.is_repeatable())?;
        let request = self.request_of(&entry.head.method, &entry.head.url, &entry.request);
        let about = About {
            kind: entry.head.kind,
            title: entry.head.title.clone(),
            uuid: entry.head.uuid.clone(),
            fault: None,
            again: Some(id),
        };
        let sent = futures_util::future::join_all((0..times).map(|_| self.send(&request, &about))).await;
        let before = entry.answer.as_ref().zip(entry.head.status);
        let before = before.map(|(answer, status)| Said { status, body: &answer.body });
        let is_removed = about.uuid.as_deref().is_some_and(|uuid| self.is_removed(uuid));
        let mut first: Option<Said<'_>> = None;
        for Sent { id, reply } in &sent {
            let Ok(reply) = reply else { continue };
            let finding = match (&first, &before) {
                _ if is_removed => judge::after_removal(about.kind, &reply.into()),
                (Some(first), _) => judge::twice(about.kind, first, &reply.into(), true),
                (None, Some(before)) => judge::twice(about.kind, before, &reply.into(), false),
                (None, None) => None,
            };
            if let Some(finding) = finding {
                self.journal().add_finding(*id, finding);
            }
            first.get_or_insert_with(|| reply.into());
        }
        sent.first().map(|sent| sent.id)
    }

    fn is_removed(&self, uuid: &str) -> bool {
        self.platform().find(uuid).is_some_and(|install| install.state() == State::Deprovisioned)
    }

    /// Sends what somebody wrote, and only shows the answer.
    pub(crate) async fn send_custom(&self, method: &str, url: &str, message: &Message, of: &Head, again: i64) -> Sent {
        let request = self.request_of(method, url, message);
        let about = About {
            kind: Kind::Custom,
            title: format!("{}, changed", of.title),
            uuid: of.uuid.clone(),
            fault: None,
            again: Some(again),
        };
        self.send(&request, &about).await
    }

    pub(crate) fn request_of(&self, method: &str, url: &str, message: &Message) -> Request {
        let call = self.addon().heroku.raw(method, url);
        let call = message.headers.iter().fold(call, |call, (name, value)| call.header(name, value.as_str()));
        let call = if message.body.is_empty() { call } else { call.body(message.body.clone()) };
        call.request()
    }

    /// The install that an entry is about, as people call it.
    pub(crate) fn name_of(&self, uuid: &str) -> Option<String> {
        self.platform().find(uuid).map(|install| install.name())
    }
}

/// The id in the path of later calls: what the add-on answered.
fn path_id(install: &Install) -> String {
    install.provider_id().unwrap_or_else(|| install.uuid().to_owned())
}

/// The sentence for the customer.
fn message(reply: &Reply) -> String {
    let body: serde_json::Value = serde_json::from_slice(reply.body()).unwrap_or_default();
    let said = body["message"].as_str().map(str::to_owned);
    said.unwrap_or_else(|| format!("The add-on answered {} and did not say why.", reply.status()))
}
