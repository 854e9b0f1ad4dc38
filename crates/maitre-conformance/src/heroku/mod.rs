//! Heroku's contract: the add-on as Heroku meets it, and the checks.

mod asynchronous;
mod auth;
mod clause;
mod config;
mod deprovision;
mod idempotency;
mod malformed;
mod manifest;
mod plan_change;
mod provision;
mod robustness;
mod secrets;
mod sso;
mod stage;

pub(crate) use stage::Stage;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use maitre_testkit::heroku::{LaunchForm, PlanChange, Provision};
use maitre_testkit::{Call, Heroku, Json, SignOn};
use serde_json::Value;
use time::OffsetDateTime;

use crate::address::Address;
use crate::check::{Capability, Case};
use crate::error::CannotRun;
use crate::made::{self, Made, Ways};
use crate::marketplace::Marketplace;
use crate::run;
use crate::seen::Seen;
use crate::sign_on::Door;
use crate::suite::Given;
use crate::verdict::Stop;
use crate::wire::Wire;

/// The add-on under test.
pub(crate) struct Subject {
    wire: Wire,
    market: Heroku,
    /// The same at the door of single sign-on.
    browser: Heroku,
    sso: Option<Door>,
    /// Heroku's own side, where the check plays it.
    stage: Option<Stage>,
    written: Value,
    config_vars: Vec<String>,
    requires: Vec<String>,
    slug: String,
    password: String,
    salt: String,
    root: String,
    plans: Vec<String>,
    /// How the first provision was answered; nothing if it was refused.
    first: OnceLock<Manner>,
    /// Whether the one plan there is cannot be changed at all: then nobody will ask for it.
    knows_no_plan_change: AtomicBool,
    shared: tokio::sync::Mutex<Option<Resource>>,
    /// Whether a good token was seen to let in: only then does the refusal of a bad one say anything.
    lets_in: AtomicBool,
    /// The seconds for which a sign-on was signed: the same one again could be refused as a replay.
    seconds: Mutex<BTreeSet<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Done,
    Later,
}

/// A resource that was ordered.
#[derive(Clone)]
struct Resource {
    uuid: String,
    id: String,
    order: Call<Provision>,
    seen: Seen,
}

impl Subject {
    pub(crate) fn new(
        given: &Given,
        address: Address,
        plans: Vec<String>,
        patience: Duration,
        stage: Option<Stage>,
    ) -> Result<Self, CannotRun> {
        let (slug, password, salt) = (given.manifest.id.clone(), given.password()?, given.salt());
        if plans.is_empty() || plans.iter().any(String::is_empty) {
            return Err(CannotRun::new("name the plans that the add-on sells: --plan basic,premium"));
        }
        let market = Heroku::new(&address.root, &slug, &password, &salt);
        let remover = market.clone();
        let ways = Ways {
            collection: format!("{}/resources", address.root),
            key: Some("uuid"),
            remove: Box::new(move |id| remover.deprovision(id)),
        };
        let sso = address.sso.as_deref().map(Door::at);
        let browser = Heroku::new(sso.as_ref().map_or("", |door| &door.origin), &slug, &password, &salt);
        let mut secrets = vec![password.clone(), salt.clone()];
        secrets.extend(stage.iter().map(|stage| stage.client_secret.clone()));
        let wire = Wire::new(patience, secrets, Made::new(ways));
        let wire = match &stage {
            Some(stage) => wire.witnessed_by(stage.witness()),
            None => wire,
        };
        Ok(Self {
            wire,
            stage,
            sso,
            market,
            browser,
            written: given.written.clone(),
            config_vars: given.manifest.api.config_vars.clone(),
            requires: given.manifest.api.requires.clone(),
            slug,
            password,
            salt,
            root: address.root,
            plans,
            first: OnceLock::new(),
            knows_no_plan_change: AtomicBool::new(false),
            shared: tokio::sync::Mutex::default(),
            lets_in: AtomicBool::new(false),
            seconds: Mutex::default(),
        })
    }

    fn requires(&self, what: &str) -> bool {
        self.requires.iter().any(|required| required == what)
    }

    /// The plan that is ordered.
    fn plan(&self) -> &str {
        &self.plans[0]
    }

    /// The plan that is changed to.
    fn other_plan(&self) -> Result<&str, Stop> {
        self.plans.get(1).map(String::as_str).ok_or_else(|| Stop::skipped(ONE_PLAN))
    }

    /// A plan that nobody sells.
    fn no_plan(&self) -> String {
        format!("no-such-plan-{}", &self.market.new_uuid()[..8])
    }

    /// A provision as Heroku sends it to an add-on with this manifest.
    fn order(&self) -> Call<Provision> {
        let order = self.market.provision(self.plan());
        if let Some(stage) = &self.stage {
            return order.install(&stage.install(self.plan()));
        }
        let mut order = order;
        if !self.requires("log_input") {
            order = order.without("log_input_url");
        }
        if !self.requires("syslog_drain") {
            order = order.without("log_drain_token");
        }
        order
    }

    fn plan_change(&self, resource: &Resource, plan: &str) -> Call<PlanChange> {
        self.market.plan_change(&resource.id, plan)
    }

    fn deprovision(&self, resource: &Resource) -> Call<Json> {
        self.market.deprovision(&resource.id)
    }

    /// A resource that was ordered just now, for this check alone; done or not yet.
    async fn ordered(&self) -> Result<Resource, Stop> {
        self.order_as(self.order()).await
    }

    async fn order_as(&self, order: Call<Provision>) -> Result<Resource, Stop> {
        let seen = self.wire.send(order.clone()).await?;
        resource(order, seen)
    }

    /// A resource that is ready, for this check alone.
    async fn own(&self) -> Result<Resource, Stop> {
        self.ready()?;
        let resource = self.ordered().await?;
        self.finished(&resource).await?;
        Ok(resource)
    }

    /// A resource that is ready, shared with other checks: whoever takes it leaves it alive.
    async fn shared(&self) -> Result<Resource, Stop> {
        self.ready()?;
        let mut shared = self.shared.lock().await;
        if let Some(resource) = &*shared {
            return Ok(resource.clone());
        }
        let resource = self.ordered().await?;
        self.finished(&resource).await?;
        self.wire.made().keep(&resource.uuid);
        self.wire.made().keep(&resource.id);
        *shared = Some(resource.clone());
        Ok(resource)
    }

    fn ready(&self) -> Result<(), Stop> {
        match (self.first.get(), &self.stage) {
            (Some(Manner::Later), None) => Err(Stop::skipped(LATER)),
            (_, Some(stage)) if stage.has_waited_in_vain() => Err(Stop::skipped(UNFINISHED)),
            _ => Ok(()),
        }
    }

    /// Waits for a resource whose provision was answered 202.
    async fn finished(&self, resource: &Resource) -> Result<(), Stop> {
        match &self.stage {
            Some(stage) if !stage.is_finished(&resource.uuid).await => Err(Stop::skipped(UNFINISHED)),
            _ => Ok(()),
        }
    }

    /// A resource that was ordered and removed again.
    async fn removed(&self) -> Result<Resource, Stop> {
        let resource = self.ordered().await?;
        match self.wire.send(self.deprovision(&resource)).await?.status() {
            202 => Err(Stop::skipped("a deprovision is answered 202, so that nobody knows when it is done")),
            200..=299 => Ok(resource),
            status => {
                let reason = format!("a deprovision is answered {status} (see heroku.deprovision.succeeds)");
                Err(Stop::skipped(reason))
            }
        }
    }

    /// Sees whether an add-on that sells one plan knows plan changes, which Heroku does not insist on.
    async fn try_plan_change(&self, resource: &Resource) {
        if self.plans.len() == 1
            && let Ok(seen) = self.is_alive(resource).await
        {
            self.knows_no_plan_change.store(matches!(seen.status(), 404 | 405 | 501), Ordering::Relaxed);
        }
    }

    /// Whether the resource is there, as far as an answer to its own plan tells.
    async fn is_alive(&self, resource: &Resource) -> Result<Seen, Stop> {
        self.wire.send(self.plan_change(resource, self.plan())).await
    }

    /// The form of somebody who signs on to the resource now.
    fn form(&self, resource: &Resource) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        self.form_at(resource, 0)
    }

    /// The form of a moment so many seconds from now, or the last one before for which none was signed yet: a second one
    /// for the same second could be refused as a replay.
    fn form_at(&self, resource: &Resource, ahead: i64) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        let wanted = OffsetDateTime::now_utc().unix_timestamp().saturating_add(ahead);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (0..10_000).map(|back| wanted - back).find(|second| !seconds.contains(second)).unwrap_or(wanted);
        seconds.insert(free);
        drop(seconds);
        self.form_of(resource, &free.to_string())
    }

    /// A form that is signed for this text in place of a moment.
    fn form_of(&self, resource: &Resource, timestamp: &str) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        let door = self.door()?;
        let form = self.browser.single_sign_on(&resource.uuid).provider_id(&resource.id).timestamp(timestamp);
        Ok(form.path(&door.path))
    }

    fn door(&self) -> Result<&Door, Stop> {
        self.sso.as_ref().ok_or_else(|| Stop::skipped(NO_SSO))
    }
}

/// What a check needs that changes a plan, or sees by a plan change whether a resource is there.
const PLAN_CHANGE: &[Capability] = &[Capability::PlanChange];

const NO_PLAN_CHANGE: &str = "the add-on knows no plan change, and only one plan is known: with one plan it needs none";
const UNFINISHED: &str = "the add-on answers 202 and does not finish (see heroku.async.completes)";
const ONE_PLAN: &str = "only one plan is known: name a second one, such as with --plan basic,premium";
const LATER: &str = "the add-on answers 202 and finishes later, which it cannot do without a platform to call";
const NO_SSO: &str = "the manifest names no sso_url";
const NO_SALT: &str = "the manifest has no api.sso_salt";

/// What an answer has made of an order; nothing to look at if it is no success.
fn resource(order: Call<Provision>, seen: Seen) -> Result<Resource, Stop> {
    let id = seen.value().and_then(|body| made::text(&body["id"])).filter(|id| !id.is_empty());
    match id {
        Some(id) if seen.is_success() => Ok(Resource { uuid: uuid(&order), id, order, seen }),
        _ => {
            let (status, id) = (seen.status(), if seen.is_success() { " without an id" } else { "" });
            Err(Stop::skipped(format!(
                "there is nothing to try it on: a provision is answered {status}{id} (see heroku.provision.succeeds)"
            )))
        }
    }
}

/// Moments after which a caller hangs up: in the midst of work that takes this long, at once, and some that are in the midst of
/// it if this one was out of the common.
fn moments(took: Duration) -> [Duration; 6] {
    let [soon, later] = [20, 150].map(Duration::from_millis);
    [took / 2, Duration::ZERO, soon, took / 4, took * 3 / 4, later.min(took * 2)]
}

fn hung_up(moment: Duration) -> String {
    format!("hung up {:.1} ms later", moment.as_secs_f64() * 1_000.0)
}

fn uuid(order: &Call<Provision>) -> String {
    let field = order.fields().into_iter().find(|(name, _)| name == "uuid");
    field.and_then(|(_, value)| made::text(&value)).unwrap_or_default()
}

impl run::Subject for Subject {
    const MARKETPLACE: Marketplace = Marketplace::Heroku;
    const GROUPS: &'static [&'static [Case<Self>]] = &[
        manifest::CASES,
        auth::CASES,
        provision::CASES,
        config::CASES,
        idempotency::CASES,
        plan_change::CASES,
        deprovision::CASES,
        sso::TOKENS,
        sso::WINDOW,
        sso::SESSION,
        malformed::CASES,
        robustness::CASES,
        asynchronous::CASES,
        secrets::CASES,
    ];

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn target(&self) -> String {
        maitre_core::mask_urls(&format!("{}/resources", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let (missing, reason) = match capability {
            Capability::SingleSignOn if self.salt.is_empty() => (true, NO_SALT),
            Capability::SingleSignOn => (self.sso.is_none(), NO_SSO),
            Capability::ConfigVars => (self.config_vars.is_empty(), "the manifest lists no config_vars"),
            Capability::LogDrain => (!self.requires("syslog_drain"), "the manifest does not require syslog_drain"),
            Capability::SecondPlan => (self.plans.len() < 2, ONE_PLAN),
            Capability::PlanChange => (self.knows_no_plan_change.load(Ordering::Relaxed), NO_PLAN_CHANGE),
            Capability::AnswersWhenDone => {
                let later = self.first.get() == Some(&Manner::Later);
                (later, "the add-on answers 202 and sends its config vars later")
            }
            Capability::AnswersLater => {
                let later = self.first.get() == Some(&Manner::Later);
                (!later, "the add-on answers when it is done, and not 202")
            }
            Capability::Https => {
                let https = self.sso.as_ref().is_some_and(|door| door.origin.starts_with("https://"));
                (!https, "single sign-on is not reached by https here")
            }
            Capability::Platform => {
                (self.stage.is_none(), "the check plays no platform that the add-on could call: see --platform")
            }
            Capability::Manifest => (false, ""),
        };
        missing.then(|| reason.to_owned())
    }

    async fn meet(&self) -> Result<(), CannotRun> {
        let order = self.order();
        let target = run::Subject::target(self);
        let seen = match self.wire.attempt(order.clone()).await {
            Ok(seen) => seen,
            Err(silence) => return silence.nobody_at(&target), // else the checks will tell
        };
        if seen.status() == 422 {
            let plan = self.plan();
            let message = seen.value().and_then(|body| made::text(&body["message"])).unwrap_or_default();
            return Err(CannotRun::new(format!(
                "the add-on refuses the plan {plan} with 422 {message:?}: name plans that it sells with --plan, the \
                 first to order and the second to change to"
            )));
        }
        let manner = if seen.status() == 202 { Manner::Later } else { Manner::Done };
        if let Ok(resource) = resource(order, seen) {
            let _ = self.first.set(manner); // this is the first one
            if manner == Manner::Done {
                self.wire.made().keep(&resource.uuid);
                self.try_plan_change(&resource).await;
                *self.shared.lock().await = Some(resource);
            }
        }
        Ok(())
    }

    async fn part(&self) {
        *self.shared.lock().await = None;
        self.wire.made().release();
    }
}
