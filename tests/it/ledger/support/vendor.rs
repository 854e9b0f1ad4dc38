//! A vendor whose own tables count what it made, and that fails, refuses and waits when told to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_core::{
    Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, Progress, Provision, Provisioned, Result,
    SignOn, SignedOn,
};
use sqlx::{AnyPool, Executor, Row};
use tokio::sync::Semaphore;

/// What the vendor does with the next call for a resource.
#[derive(Clone)]
pub(crate) enum Act {
    /// Fails before it does anything.
    Fail(&'static str),
    /// Does its work, and then fails: the answer is lost.
    FailAfter(&'static str),
    /// Says no for good.
    Refuse(&'static str),
    /// Says so, and waits before it does the next thing that it was told.
    Wait(Gate),
    Panic,
    /// Says how far it is, and does the next thing that it was told.
    Say(&'static str),
}

/// A door in a call.
#[derive(Clone)]
pub(crate) struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Until one call more stands at it.
    pub(crate) async fn entered(&self) {
        super::soon("a call comes to the gate", self.entered.acquire()).await.expect("a gate").forget();
    }

    /// Lets whoever comes pass, now and later.
    pub(crate) fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS >> 4);
    }

    /// Comes to the gate and waits there, as a call does.
    pub(crate) async fn entered_and_passed(&self) {
        self.entered.add_permits(1);
        drop(self.open.acquire().await);
    }
}

/// One row of the vendor's table of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) kind: String,
    pub(crate) fence: i64,
    pub(crate) plan: String,
}

/// A vendor with tables of its own beside the ledger's.
#[derive(Clone)]
pub(crate) struct Vendor {
    pub(crate) pool: AnyPool,
    acts: Arc<Mutex<HashMap<String, VecDeque<Act>>>>,
    /// How long its work takes.
    pub(crate) work: Duration,
    /// Whether its tables refuse what comes under an older fence.
    pub(crate) checks_fence: bool,
}

impl Vendor {
    /// Makes its tables where they are not there.
    pub(crate) async fn new(pool: AnyPool) -> Self {
        for table in [
            "CREATE TABLE IF NOT EXISTS widgets (resource TEXT PRIMARY KEY, plan TEXT NOT NULL, secret TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS calls (kind TEXT NOT NULL, resource TEXT NOT NULL, fence BIGINT NOT NULL,
             plan TEXT NOT NULL, at BIGINT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS doubles (resource TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS fences (resource TEXT PRIMARY KEY, fence BIGINT NOT NULL)",
        ] {
            pool.execute(table).await.expect("the vendor's tables");
        }
        Self { pool, acts: Arc::default(), work: Duration::ZERO, checks_fence: false }
    }

    /// The same vendor over a pool of its own: connections belong to the runtime that they were made on.
    pub(crate) fn over(mut self, pool: AnyPool) -> Self {
        self.pool = pool;
        self
    }

    /// What to do with the next calls for a resource, one after the other; then it just works.
    pub(crate) fn tell(&self, resource: &str, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().expect("the script").entry(resource.to_owned()).or_default().extend(acts);
    }

    /// Stops the next call for a resource.
    pub(crate) fn stop_at(&self, resource: &str) -> Gate {
        let gate = Gate::new();
        self.tell(resource, [Act::Wait(gate.clone())]);
        gate
    }

    /// The calls that there were for a resource, in the order in which they came.
    pub(crate) async fn calls(&self, resource: &str) -> Vec<Call> {
        let select = "SELECT kind, fence, plan FROM calls WHERE resource = $1 ORDER BY at";
        let rows = self.pool.fetch_all(sqlx::query(select).bind(resource)).await.expect("calls");
        let call = |row: &sqlx::any::AnyRow| Call { kind: row.get(0), fence: row.get(1), plan: row.get(2) };
        rows.iter().map(call).collect()
    }

    /// The plan of what was made for a resource, if it is there.
    pub(crate) async fn widget(&self, resource: &str) -> Option<String> {
        let select = sqlx::query("SELECT plan FROM widgets WHERE resource = $1").bind(resource);
        self.pool.fetch_optional(select).await.expect("widgets").map(|row| row.get(0))
    }

    /// All that is there, sorted.
    pub(crate) async fn widgets(&self) -> Vec<String> {
        let rows = self.pool.fetch_all("SELECT resource FROM widgets ORDER BY resource").await.expect("widgets");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How often two calls made the same thing side by side.
    pub(crate) async fn doubles(&self) -> i64 {
        let row = self.pool.fetch_one("SELECT CAST(count(*) AS BIGINT) FROM doubles").await.expect("doubles");
        row.get(0)
    }

    async fn enter(
        &self,
        kind: &str,
        resource: &str,
        fence: u64,
        plan: &str,
        progress: Option<&Progress>,
    ) -> Result<Option<Act>> {
        let insert = "INSERT INTO calls (kind, resource, fence, plan, at) VALUES ($1, $2, $3, $4, $5)";
        let (fence, at) =
            (i64::try_from(fence)?, i64::try_from(time::OffsetDateTime::now_utc().unix_timestamp_nanos())?);
        self.pool.execute(sqlx::query(insert).bind(kind).bind(resource).bind(fence).bind(plan).bind(at)).await?;
        let next = || self.acts.lock().expect("the script").get_mut(resource).and_then(VecDeque::pop_front);
        let mut act = next();
        loop {
            match &act {
                Some(Act::Wait(gate)) => gate.entered_and_passed().await,
                Some(Act::Say(sentence)) => progress.expect("it can be said").report(*sentence),
                _ => break,
            }
            act = next();
        }
        match act {
            Some(Act::Fail(cause)) => Err(Failure::unavailable(cause)),
            Some(Act::Refuse(message)) => Err(Failure::refused(message)),
            Some(Act::Panic) => panic!("as told"),
            act => Ok(act),
        }
    }

    /// Takes the fence in the transaction that does the work.
    async fn check(&self, on: &mut sqlx::AnyConnection, resource: &str, fence: u64) -> Result<()> {
        if !self.checks_fence {
            return Ok(());
        }
        let take = "INSERT INTO fences (resource, fence) VALUES ($1, $2) ON CONFLICT (resource) DO UPDATE
                    SET fence = excluded.fence WHERE fences.fence <= excluded.fence";
        let taken = on.execute(sqlx::query(take).bind(resource).bind(i64::try_from(fence)?)).await?.rows_affected();
        if taken == 1 { Ok(()) } else { Err(Failure::unavailable("a newer call was here")) }
    }
}

/// What the vendor's tables cannot know of: the answer never arrives.
fn lose(act: Option<&Act>) -> Result<()> {
    match act {
        Some(Act::FailAfter(cause)) => Err(Failure::unavailable(*cause)),
        _ => Ok(()),
    }
}

impl Listener for Vendor {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let resource = request.resource.as_str();
        let act = self.enter("provision", resource, request.fence, &request.plan, Some(&request.progress)).await?;
        let there = self.widget(resource).await.is_some();
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.fence).await?;
        let insert = "INSERT INTO widgets (resource, plan, secret) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let secret = uuid::Uuid::new_v4().to_string();
        let insert = sqlx::query(insert).bind(resource).bind(&request.plan).bind(secret);
        let made = transaction.execute(insert).await?.rows_affected() == 1;
        if !there && !made {
            // somebody made it between the look and the write: two were at it at once
            transaction.execute(sqlx::query("INSERT INTO doubles (resource) VALUES ($1)").bind(resource)).await?;
        }
        let select = sqlx::query("SELECT secret FROM widgets WHERE resource = $1").bind(resource);
        let secret: String = transaction.fetch_one(select).await?.get(0);
        transaction.commit().await?;
        lose(act.as_ref())?;
        let drain = format!("syslog://logs.example.org/{secret}");
        Ok(Provisioned::new(format!("w-{resource}"))
            .with_config("WIDGET_URL", format!("https://{secret}.example.org"))
            .with_config("A_FIRST", &*request.plan)
            .with_message("Your widget is there.")
            .with_log_drain_url(drain))
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let resource = request.resource.as_str();
        let act = self.enter("plan change", resource, request.fence, &request.plan, None).await?;
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.fence).await?;
        let update = sqlx::query("UPDATE widgets SET plan = $2 WHERE resource = $1").bind(resource).bind(&request.plan);
        let there = transaction.execute(update).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if !there {
            return Err(Failure::unknown());
        }
        Ok(PlanChanged::new().with_config("A_FIRST", &*request.plan).with_message(format!("Now on {}.", request.plan)))
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let resource = request.resource.as_str();
        let act = self.enter("deprovision", resource, request.fence, "", None).await?;
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.fence).await?;
        let delete = sqlx::query("DELETE FROM widgets WHERE resource = $1").bind(resource);
        let there = transaction.execute(delete).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if there { Ok(Deprovisioned::new().with_message("Gone.")) } else { Err(Failure::gone()) }
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.enter("single sign-on", request.resource.as_str(), 0, "", None).await?;
        Ok(SignedOn::redirect("/").with_session("widget", request.resource))
    }
}
