//! A listener around a listener: asks the records first, and writes down what the vendor's own one says.

use std::sync::Arc;

use maitre_core::sso::TokenKind;
use maitre_core::{
    Backend, Deprovision, Deprovisioned, Failure, Listener, Outcome, PlanChange, PlanChanged, PlanWarning,
    PlatformHooks, Provision, Provisioned, ResourceId, Result, SignOn, SignedOn, WorkItem,
};
use sha2::{Digest, Sha256};

use crate::engine::{
    AskDeprovision, AskPlanChange, AskProvision, Claim, Claimed, Find, Kind, Mark, RESOURCE, Which, key_of,
};
use crate::ledger::Inner;
use crate::observe;
use crate::stored::{StoredRequest, asked};

/// A listener that is safe under duplicates, crashes and many processes; see [`Ledger::wrap`](crate::Ledger::wrap).
pub struct DurableListener<L> {
    pub(crate) ledger: Arc<Inner>,
    pub(crate) listener: Arc<L>,
    pub(crate) follow: Option<Arc<dyn PlatformHooks>>,
}

impl<L> Clone for DurableListener<L> {
    fn clone(&self) -> Self {
        Self { ledger: self.ledger.clone(), listener: self.listener.clone(), follow: self.follow.clone() }
    }
}

impl<L> std::fmt::Debug for DurableListener<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DurableListener").finish_non_exhaustive()
    }
}

impl<L: Listener> DurableListener<L> {
    pub(crate) fn new(ledger: Arc<Inner>, listener: L) -> Self {
        Self { ledger, listener: Arc::new(listener), follow: None }
    }

    /// With somebody who talks to the marketplace: `maitre_heroku::Platform` is one. What cannot wait is done beside a
    /// provision, and what takes long may be answered later.
    #[must_use]
    pub fn with_platform(mut self, follow: impl PlatformHooks) -> Self {
        self.follow = Some(Arc::new(follow));
        self
    }
}

impl<L: Listener> Backend for DurableListener<L> {
    async fn provision(&self, request: Provision) -> Result<Outcome<Provisioned>> {
        let addon = self.ledger.remember(&request.addon);
        let errand = self.follow.as_ref().and_then(|follow| follow.provision_job(&request));
        let request = Arc::new(request);
        let beside = errand.as_ref().map(|errand| Which::Named {
            addon: addon.clone(),
            kind: errand.kind.clone(),
            name: errand.name.clone(),
        });
        let command = AskProvision {
            addon: addon.clone(),
            key: key_of(request.resource.as_str()).into_owned(),
            plan: request.plan.clone(),
            asked: asked(&request),
            request: request.clone(),
            errand,
        };
        self.ask(addon, command, request, beside).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<Outcome<PlanChanged>> {
        let addon = self.ledger.remember(&request.addon);
        let command = AskPlanChange {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            plan: request.plan.clone(),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
        };
        self.ask(addon, command, request, None).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Outcome<Deprovisioned>> {
        let addon = self.ledger.remember(&request.addon);
        let command = AskDeprovision { addon: addon.clone(), id: request.resource.as_str().to_owned() };
        self.ask(addon, command, request, None).await
    }

    /// Only into what is there, by the resource's key whatever the token named it by, and once with each token.
    async fn single_sign_on(&self, mut request: SignOn) -> Result<SignedOn> {
        let addon = self.ledger.remember(&request.addon);
        let resource = self.ledger.db.read(Find { addon: addon.clone(), id: request.resource.to_string() }).await?;
        let Some(resource) = resource.filter(|resource| resource.state.lives()) else {
            observe::signed_on(&addon, observe::SignOn::Unknown);
            return Err(Failure::unknown());
        };
        request.resource = ResourceId::from(resource.key);
        if !self.ledger.db.write(mark(&addon, &request)).await? {
            observe::signed_on(&addon, observe::SignOn::UsedBefore);
            tracing::warn!(resource = %request.resource, "refused a single sign-on: its token was used before");
            return Err(Failure::refused(
                "This sign-in link has expired or was already used. Please open the add-on again from your dashboard.",
            ));
        }
        observe::signed_on(&addon, observe::SignOn::Accepted);
        let tie = format!("{addon} {}", request.resource);
        let signed_on = Listener::single_sign_on(&*self.listener, request).await?;
        // a session that is opened for a resource ends with it; see `Sessions`
        let opens_session = !signed_on.session().is_empty();
        Ok(if opens_session { signed_on.with_session(RESOURCE, tie) } else { signed_on })
    }

    async fn plan_warning(&self, request: PlanWarning) -> Result<()> {
        Listener::plan_warning(&*self.listener, request).await
    }

    /// The worker's way in: runs what nobody works on, if its turn has come.
    async fn resume(&self, item: WorkItem) -> Result<()> {
        let operation = match item {
            WorkItem::Operation(operation) => operation,
            WorkItem::Job(job) => return self.run_errand(Which::Number(job)).await,
            _ => return Ok(()),
        };
        match self.ledger.db.write(Claim { operation }).await? {
            Claimed::Ours(lease, request) => match lease.kind {
                Kind::Provision => self.take_over::<Provisioned>(lease, request, None).await.map(drop),
                Kind::PlanChange => self.take_over::<PlanChanged>(lease, request, None).await.map(drop),
                Kind::Deprovision => self.take_over::<Deprovisioned>(lease, request, None).await.map(drop),
            },
            Claimed::Tell(lease, reply) => self.tell(lease, reply).await,
            _ => Ok(()),
        }
    }
}

/// The marks of a token and of every weaker one that the same form held: computed from what they cover, so that a form
/// that was stripped or altered where nothing is signed has the same ones.
fn mark(addon: &str, request: &SignOn) -> Mark {
    let covered = |strength: TokenKind| {
        let (user_id, email) = match (strength, &request.identity) {
            (TokenKind::User, who) => (who.user_id().unwrap_or_default(), who.email().unwrap_or_default()),
            _ => ("", ""),
        };
        let parts =
            (addon, request.resource.as_str(), format!("{strength:?}"), request.token.issued_at, user_id, email);
        Sha256::digest(serde_json::to_vec(&parts).unwrap_or_default()).to_vec()
    };
    let weaker = [TokenKind::Resource, TokenKind::Legacy].into_iter().filter(|weaker| *weaker < request.token.kind);
    Mark {
        decider: covered(request.token.kind),
        weaker: weaker.map(covered).collect(),
        lasts: i64::try_from(request.token.replay_window.as_millis()).unwrap_or(i64::MAX / 2),
    }
}
