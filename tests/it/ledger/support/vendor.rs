//! Scripted vendor that can fail, refuse and wait; its tables count its calls and what it made.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_core::{
    Bind, Bound, Capabilities, Capability, CloseAccount, Deprovision, Deprovisioned, Endpoint, Failure, Listener,
    OpenAccount, PlanChange, PlanChanged, Progress, Provision, Provisioned, Result, Rotate, Rotated, SignOn, SignedOn,
    Unbind, Unbound, Update, Updated,
};
use sqlx::{AnyPool, Executor, Row};
use tokio::sync::Semaphore;

/// Scripted behavior of the next call for a resource.
#[derive(Clone)]
pub(crate) enum Act {
    /// Fails before any work.
    Fail(&'static str),
    /// Does its work and then fails: the reply is lost.
    FailAfter(&'static str),
    /// Refuses the request.
    Refuse(&'static str),
    /// Needs an asynchronous answer.
    AsyncRequired,
    /// Signals that it was entered and waits before the next act.
    Wait(Gate),
    Panic,
    /// Reports progress and continues with the next act.
    Report(&'static str),
}

/// Gate at which a call waits.
#[derive(Clone)]
pub(crate) struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until one more call has reached the gate.
    pub(crate) async fn entered(&self) {
        super::soon("a call reaches the gate", self.entered.acquire()).await.expect("a gate").forget();
    }

    /// Opens the gate permanently.
    pub(crate) fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS >> 4);
    }

    /// Reaches the gate and waits there, as a call does.
    pub(crate) async fn wait(&self) {
        self.entered.add_permits(1);
        drop(self.open.acquire().await);
    }
}

/// Row of the vendor's table of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) kind: String,
    pub(crate) fence: i64,
    pub(crate) plan: String,
}

/// Vendor with its own tables in the ledger's database.
#[derive(Clone)]
pub(crate) struct Vendor {
    pub(crate) pool: AnyPool,
    acts: Arc<Mutex<HashMap<String, VecDeque<Act>>>>,
    /// Duration of its work.
    pub(crate) work: Duration,
    /// Whether its tables reject writes with an older fencing token.
    pub(crate) checks_fence: bool,
    /// Whether it creates separate credentials for each binding.
    pub(crate) separate: bool,
}

impl Vendor {
    /// Creates its tables if they do not exist.
    pub(crate) async fn new(pool: AnyPool) -> Self {
        for table in [
            "CREATE TABLE IF NOT EXISTS widgets (resource TEXT PRIMARY KEY, plan TEXT NOT NULL, secret TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS calls (kind TEXT NOT NULL, resource TEXT NOT NULL, fence BIGINT NOT NULL,
             plan TEXT NOT NULL, at BIGINT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS credentials (resource TEXT NOT NULL, binding TEXT NOT NULL, secret TEXT NOT NULL,
             PRIMARY KEY (resource, binding))",
            "CREATE TABLE IF NOT EXISTS sizes (resource TEXT PRIMARY KEY, size TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS duplicates (resource TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS fences (resource TEXT PRIMARY KEY, fence BIGINT NOT NULL)",
        ] {
            pool.execute(table).await.expect("the vendor's tables");
        }
        Self { pool, acts: Arc::default(), work: Duration::ZERO, checks_fence: false, separate: false }
    }

    /// Returns the same vendor with its own pool, as connections belong to the runtime that opened them.
    pub(crate) fn with_pool(mut self, pool: AnyPool) -> Self {
        self.pool = pool;
        self
    }

    /// Sells widgets without the ledger.
    pub(crate) async fn sell(&self, resources: &[String], plan: &str) {
        let mut transaction = self.pool.begin().await.expect("a transaction");
        for resource in resources {
            let insert = sqlx::query("INSERT INTO widgets (resource, plan, secret) VALUES ($1, $2, 'sold before')");
            transaction.execute(insert.bind(resource).bind(plan)).await.expect("a widget");
        }
        transaction.commit().await.expect("widgets");
    }

    /// Scripts the next calls for a resource, in order; later calls succeed.
    pub(crate) fn script(&self, resource: &str, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().expect("the script").entry(resource.to_owned()).or_default().extend(acts);
    }

    /// Stops the next call for a resource at the returned gate.
    pub(crate) fn stop_at(&self, resource: &str) -> Gate {
        let gate = Gate::new();
        self.script(resource, [Act::Wait(gate.clone())]);
        gate
    }

    /// Returns the calls for a resource, in order.
    pub(crate) async fn calls(&self, resource: &str) -> Vec<Call> {
        let select = "SELECT kind, fence, plan FROM calls WHERE resource = $1 ORDER BY at";
        let rows = self.pool.fetch_all(sqlx::query(select).bind(resource)).await.expect("calls");
        let call = |row: &sqlx::any::AnyRow| Call { kind: row.get(0), fence: row.get(1), plan: row.get(2) };
        rows.iter().map(call).collect()
    }

    /// Returns the plan of the resource's widget, if it exists.
    pub(crate) async fn widget(&self, resource: &str) -> Option<String> {
        let select = sqlx::query("SELECT plan FROM widgets WHERE resource = $1").bind(resource);
        self.pool.fetch_optional(select).await.expect("widgets").map(|row| row.get(0))
    }

    /// Returns the bindings of a resource that have credentials, sorted.
    pub(crate) async fn credentials(&self, resource: &str) -> Vec<String> {
        let select = sqlx::query("SELECT binding FROM credentials WHERE resource = $1 ORDER BY binding").bind(resource);
        self.pool.fetch_all(select).await.expect("credentials").iter().map(|row| row.get(0)).collect()
    }

    /// Returns the size of a resource, if it was updated.
    pub(crate) async fn size(&self, resource: &str) -> Option<String> {
        let select = sqlx::query("SELECT size FROM sizes WHERE resource = $1").bind(resource);
        self.pool.fetch_optional(select).await.expect("sizes").map(|row| row.get(0))
    }

    /// Returns all existing widgets, sorted.
    pub(crate) async fn widgets(&self) -> Vec<String> {
        let rows = self.pool.fetch_all("SELECT resource FROM widgets ORDER BY resource").await.expect("widgets");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Returns how often two concurrent calls made the same widget.
    pub(crate) async fn duplicates(&self) -> i64 {
        let row = self.pool.fetch_one("SELECT CAST(count(*) AS BIGINT) FROM duplicates").await.expect("duplicates");
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
                Some(Act::Wait(gate)) => gate.wait().await,
                Some(Act::Report(message)) => progress.expect("a progress reporter").report(*message),
                _ => break,
            }
            act = next();
        }
        match act {
            Some(Act::Fail(cause)) => Err(Failure::unavailable(cause)),
            Some(Act::Refuse(message)) => Err(Failure::refused(message)),
            Some(Act::AsyncRequired) => Err(Failure::async_required()),
            Some(Act::Panic) => panic!("scripted panic"),
            act => Ok(act),
        }
    }

    /// Checks and stores the fencing token in the transaction of the work.
    async fn check(&self, on: &mut sqlx::AnyConnection, resource: &str, fence: u64) -> Result<()> {
        if !self.checks_fence {
            return Ok(());
        }
        let take = "INSERT INTO fences (resource, fence) VALUES ($1, $2) ON CONFLICT (resource) DO UPDATE
                    SET fence = excluded.fence WHERE fences.fence <= excluded.fence";
        let taken = on.execute(sqlx::query(take).bind(resource).bind(i64::try_from(fence)?)).await?.rows_affected();
        if taken == 1 { Ok(()) } else { Err(Failure::unavailable("a newer call has written")) }
    }
}

/// Loses the reply after the work, if scripted.
fn lose(act: Option<&Act>) -> Result<()> {
    match act {
        Some(Act::FailAfter(cause)) => Err(Failure::unavailable(*cause)),
        _ => Ok(()),
    }
}

impl Listener for Vendor {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let resource = request.resource.as_str();
        let act = self
            .enter("provision", resource, request.context.fence, &request.plan, Some(&request.context.progress))
            .await?;
        let exists = self.widget(resource).await.is_some();
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.context.fence).await?;
        let insert = "INSERT INTO widgets (resource, plan, secret) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let secret = uuid::Uuid::new_v4().to_string();
        let insert = sqlx::query(insert).bind(resource).bind(&request.plan).bind(secret);
        let made = transaction.execute(insert).await?.rows_affected() == 1;
        if !exists && !made {
            // another call made the widget between the read and the write: two ran concurrently
            transaction.execute(sqlx::query("INSERT INTO duplicates (resource) VALUES ($1)").bind(resource)).await?;
        }
        let select = sqlx::query("SELECT secret FROM widgets WHERE resource = $1").bind(resource);
        let secret: String = transaction.fetch_one(select).await?.get(0);
        transaction.commit().await?;
        lose(act.as_ref())?;
        let drain = format!("syslog://logs.example.org/{secret}");
        Ok(Provisioned::new(format!("w-{resource}"))
            .with_config("WIDGET_URL", format!("https://{secret}.example.org"))
            .with_config("A_FIRST", &*request.plan)
            .with_message("Your widget is ready.")
            .with_log_drain_url(drain))
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let resource = request.resource.as_str();
        let act = self.enter("plan_change", resource, request.context.fence, &request.plan, None).await?;
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.context.fence).await?;
        let update = sqlx::query("UPDATE widgets SET plan = $2 WHERE resource = $1").bind(resource).bind(&request.plan);
        let exists = transaction.execute(update).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if !exists {
            return Err(Failure::unknown());
        }
        Ok(PlanChanged::new().with_config("A_FIRST", &*request.plan).with_message(format!("Now on {}.", request.plan)))
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let resource = request.resource.as_str();
        let act = self.enter("deprovision", resource, request.context.fence, "", None).await?;
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.context.fence).await?;
        for table in ["DELETE FROM credentials WHERE resource = $1", "DELETE FROM sizes WHERE resource = $1"] {
            transaction.execute(sqlx::query(table).bind(resource)).await?;
        }
        let delete = sqlx::query("DELETE FROM widgets WHERE resource = $1").bind(resource);
        let exists = transaction.execute(delete).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if exists { Ok(Deprovisioned::new().with_message("Gone.")) } else { Err(Failure::unknown()) }
    }

    async fn bind(&self, request: Bind) -> Result<Bound> {
        let (resource, binding) = (request.resource.as_str(), request.binding.as_str());
        let (fence, progress) = (request.context.fence, Some(&request.context.progress));
        let act = self.enter("bind", resource, fence, binding, progress).await?;
        if !self.separate {
            return request.config.as_ref().map(Bound::from).ok_or_else(Failure::unknown);
        }
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, fence).await?;
        // writes first: a transaction that reads first on SQLite cannot write after another one has written
        let insert = "INSERT INTO credentials (resource, binding, secret)
             SELECT resource, $2, $3 FROM widgets WHERE resource = $1 ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(resource).bind(binding).bind(uuid::Uuid::new_v4().to_string());
        transaction.execute(insert).await?;
        let select = sqlx::query("SELECT secret FROM credentials WHERE resource = $1 AND binding = $2");
        let row = transaction.fetch_optional(select.bind(resource).bind(binding)).await?;
        let secret: String = row.ok_or_else(Failure::unknown)?.get(0);
        transaction.commit().await?;
        lose(act.as_ref())?;
        let endpoint = Endpoint::new("widgets.example.org", ["443", "9000-9010"]).with_protocol("udp");
        Ok(Bound::new().with_credential("password", secret).with_credential("port", 443).with_endpoint(endpoint))
    }

    async fn unbind(&self, request: Unbind) -> Result<Unbound> {
        let (resource, binding) = (request.resource.as_str(), request.binding.as_str());
        let act = self.enter("unbind", resource, request.context.fence, binding, None).await?;
        if !self.separate {
            return Ok(Unbound::new());
        }
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, request.context.fence).await?;
        let delete = sqlx::query("DELETE FROM credentials WHERE resource = $1 AND binding = $2");
        let exists = transaction.execute(delete.bind(resource).bind(binding)).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if exists { Ok(Unbound::new()) } else { Err(Failure::unknown()) }
    }

    async fn update(&self, request: Update) -> Result<Updated> {
        let resource = request.resource.as_str();
        let size = request.parameters.text("size").unwrap_or_default();
        let (fence, progress) = (request.context.fence, Some(&request.context.progress));
        let act = self.enter("update", resource, fence, size, progress).await?;
        tokio::time::sleep(self.work).await;
        let mut transaction = self.pool.begin().await?;
        self.check(&mut transaction, resource, fence).await?;
        let update = "INSERT INTO sizes (resource, size) SELECT resource, $2 FROM widgets WHERE resource = $1
             ON CONFLICT (resource) DO UPDATE SET size = excluded.size";
        let exists = transaction.execute(sqlx::query(update).bind(resource).bind(size)).await?.rows_affected() == 1;
        transaction.commit().await?;
        lose(act.as_ref())?;
        if !exists {
            return Err(Failure::unknown());
        }
        Ok(Updated::new().with_config("SIZE", size))
    }

    async fn rotate(&self, request: Rotate) -> Result<Rotated> {
        let resource = request.resource.as_str();
        let asked = format!("{} {}", request.reason.as_deref().unwrap_or_default(), request.keep_old.as_secs());
        self.enter("rotate", resource, request.context.fence, &asked, Some(&request.context.progress)).await?;
        let secret = format!("rotated-{}", uuid::Uuid::new_v4());
        let update = sqlx::query("UPDATE widgets SET secret = $2 WHERE resource = $1").bind(resource).bind(&secret);
        if self.pool.execute(update).await?.rows_affected() == 0 {
            return Err(Failure::unknown());
        }
        Ok(Rotated::new().with_config("WIDGET_URL", format!("https://{secret}.example.org")))
    }

    async fn open_account(&self, request: OpenAccount) -> Result<()> {
        self.enter("open_account", request.account.as_str(), 0, "", None).await.map(drop)
    }

    async fn close_account(&self, request: CloseAccount) -> Result<()> {
        self.enter("close_account", request.account.as_str(), 0, "", None).await.map(drop)
    }

    fn capabilities(&self) -> Capabilities {
        let bind = self.separate.then_some(Capability::Bind);
        bind.into_iter().chain([Capability::Update]).collect()
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.enter("single sign-on", request.resource.as_str(), 0, "", None).await?;
        if self.widget(request.resource.as_str()).await.is_none() {
            return Err(Failure::unknown());
        }
        Ok(SignedOn::redirect("/").with_session("widget", request.resource))
    }
}
