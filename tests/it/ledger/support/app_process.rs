//! Child process with a ledger, a vendor and a worker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_core::{
    Bind, Bound, Capabilities, Deprovision, Deprovisioned, Failure, Listener, Outcome, PlanChange, PlanChanged,
    Provision, Provisioned, Result, SignOn, SignedOn, Unbind, Unbound, Update, Updated,
};
use tokio::sync::watch;

use super::{
    Answer, ChildProcess, Database, Gate, RunningWorker, Vendor, adoptions, basic, bind, deprovision, plan_change,
    serve_commands, unbind, update,
};

const DATABASE: &str = "MAITRE_TEST_DATABASE";
const LEASE_SECONDS: &str = "MAITRE_TEST_LEASE_SECONDS";

/// Lease duration: how long a process may be silent before another takes over.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// Starts a process on this database.
pub(crate) async fn start_process(database: &Database) -> Arc<ChildProcess> {
    start_process_with_lease(database, LEASE).await
}

/// Starts a process on this database whose leases have this duration, in whole seconds.
pub(crate) async fn start_process_with_lease(database: &Database, lease: Duration) -> Arc<ChildProcess> {
    let seconds = lease.as_secs().to_string();
    let environment = [(DATABASE, &*database.url), (LEASE_SECONDS, &*seconds)];
    ChildProcess::start("ledger::processes::child_process", &environment).await
}

/// Vendor whose work continues after its call was cancelled, and that reports the result.
#[derive(Clone)]
struct DetachedVendor {
    vendor: Vendor,
    results: Arc<Mutex<HashMap<String, watch::Sender<Option<bool>>>>>,
}

impl DetachedVendor {
    fn results(&self, resource: &str) -> watch::Sender<Option<bool>> {
        self.results.lock().expect("the results").entry(resource.to_owned()).or_default().clone()
    }

    async fn detach<T: Send + 'static>(
        &self,
        resource: String,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let results = self.results(&resource);
        let work = tokio::spawn(async move {
            let result = work.await;
            results.send_replace(Some(result.is_ok()));
            result
        });
        work.await.map_err(|_| Failure::unavailable("the work panicked"))?
    }
}

impl Listener for DetachedVendor {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.provision(request).await }).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.plan_change(request).await }).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.deprovision(request).await }).await
    }

    async fn bind(&self, request: Bind) -> Result<Bound> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.bind(request).await }).await
    }

    async fn unbind(&self, request: Unbind) -> Result<Unbound> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.unbind(request).await }).await
    }

    async fn update(&self, request: Update) -> Result<Updated> {
        let vendor = self.vendor.clone();
        self.detach(request.resource.to_string(), async move { vendor.update(request).await }).await
    }

    fn capabilities(&self) -> Capabilities {
        self.vendor.capabilities()
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.vendor.single_sign_on(request).await
    }
}

/// Serves commands if a test started this process; otherwise does nothing.
pub(crate) fn serve_if_child() {
    let (Ok(url), Ok(lease)) = (std::env::var(DATABASE), std::env::var(LEASE_SECONDS)) else { return };
    let lease = Duration::from_secs(lease.parse().expect("seconds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(serve(Database::at(&url), lease));
    runtime.shutdown_background();
}

async fn serve(database: Database, lease: Duration) {
    use maitre_core::Backend as _;

    let options = database.options().lease_duration(lease);
    let options =
        options.max_attempts(10_000).backoff(Duration::from_millis(1), Duration::from_millis(50)).connections(4);
    let ledger = options.open().await.expect("a ledger");
    let mut vendor = Vendor::new(database.pool().await).await;
    vendor.work = Duration::from_millis(5);
    (vendor.checks_fence, vendor.separate) = (true, true);
    let detached = DetachedVendor { vendor: vendor.clone(), results: Arc::default() };
    let listener = ledger.wrap(detached.clone());
    let _worker = RunningWorker::start(&ledger, &detached);
    let gates = Arc::<Mutex<HashMap<String, Gate>>>::default();
    serve_commands(|words| {
        let (listener, vendor, detached, gates) = (listener.clone(), vendor.clone(), detached.clone(), gates.clone());
        let ledger = ledger.clone();
        async move {
            let gate = |key: &str| gates.lock().expect("the gates").get(key).cloned().expect("a gate");
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            match words[..] {
                ["provision", key] => result_of(&listener.provision(basic(key)).await.into()),
                ["plan", key, to] => result_of(&listener.plan_change(plan_change(key, to)).await.into()),
                ["deprovision", key] => result_of(&listener.deprovision(deprovision(key)).await.into()),
                ["bind", key, binding] => result_of(&listener.bind(bind(key, binding)).await.into()),
                ["unbind", key, binding] => result_of(&listener.unbind(unbind(key, binding)).await.into()),
                ["update", key, size] => result_of(&listener.update(update(key, size)).await.into()),
                ["polled", key] => polled(&listener.provision(polled_provision(key)).await),
                ["adopt", count] => {
                    let report = ledger.adopt(adoptions(count.parse().expect("a number"))).await.expect("a report");
                    format!("{} adopted", report.adopted)
                }
                ["gate", key] => {
                    gates.lock().expect("the gates").insert(key.to_owned(), vendor.stop_at(key));
                    "done".into()
                }
                ["entered", key] => {
                    gate(key).entered().await;
                    "done".into()
                }
                ["open", key] => {
                    detached.results(key).send_replace(None);
                    gate(key).open();
                    "done".into()
                }
                ["wrote", key] => {
                    let mut results = detached.results(key).subscribe();
                    let results = results.wait_for(Option::is_some).await.expect("a result");
                    format!("{:?}", *results)
                }
                _ => format!("unknown command: {words:?}"),
            }
        }
    })
    .await;
}

/// Returns a provision by a marketplace that polls, which is accepted immediately.
fn polled_provision(key: &str) -> Provision {
    let mut request = basic(key);
    (request.context.async_after, request.context.polled) = (Some(Duration::ZERO), true);
    request
}

/// Returns the id of the accepted operation, `done`, or the kind of the failure.
fn polled(result: &Result<Outcome<Provisioned>>) -> String {
    match result {
        Ok(Outcome::Accepted { operation, .. }) => operation.to_string(),
        Ok(_) => "done".into(),
        Err(failure) => format!("{:?}", failure.kind()),
    }
}

/// Returns `done` or the kind of the failure.
fn result_of(answer: &Answer) -> String {
    match answer {
        Answer::Done(_) => "done".into(),
        Answer::Failed(kind) => format!("{kind:?}"),
    }
}
