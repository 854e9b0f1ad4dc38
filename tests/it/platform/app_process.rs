//! Child process of the add-on that can be killed: this test binary with a server and a worker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use maitre_core::{
    Deprovision, Deprovisioned, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn, SignedOn,
};
use maitre_testkit as testkit;
use time::OffsetDateTime;
use tokio::time::sleep;

use super::Fixture;
use super::setup::{App, api_client, clients};
use crate::ledger::support::{ChildProcess, Database, Vendor, serve_commands};
use crate::support::{Folder, PASSWORD};

const DATABASE: &str = "MAITRE_TEST_PLATFORM_DATABASE";
const API: &str = "MAITRE_TEST_PLATFORM_API";
const CLOCK: &str = "MAITRE_TEST_PLATFORM_CLOCK";
const LOG: &str = "MAITRE_TEST_PLATFORM_LOG";

/// Lease duration: how long a process may be silent before another takes over.
const LEASE: Duration = Duration::from_secs(3);

/// Plan whose provision takes up to ten seconds.
pub(super) const SLOW: &str = "slow";

/// Parent's handle of a child process.
pub(super) struct AppProcess {
    pub(super) child: Arc<ChildProcess>,
    /// As [`App::client`].
    pub(super) client: testkit::Heroku,
    /// As [`App::accepting`].
    pub(super) accepting: testkit::Heroku,
    log: PathBuf,
    _folder: Folder,
}

impl AppProcess {
    pub(super) async fn start(fixture: &Fixture) -> Self {
        Self::start_late(fixture, Duration::ZERO).await
    }

    /// Starts a process whose clock is ahead.
    pub(super) async fn start_late(fixture: &Fixture, ahead: Duration) -> Self {
        let folder = Folder::new();
        let log = folder.0.join("log");
        let (seconds, path) = (ahead.as_secs().to_string(), log.display().to_string());
        let environment =
            [(DATABASE, &*fixture.database.url), (API, fixture.api.url()), (CLOCK, &*seconds), (LOG, &*path)];
        let child = ChildProcess::start("platform::processes::child_process", &environment).await;
        let url = child.send("where").await.expect("a running process");
        let [client, accepting] = clients(&url);
        Self { child, client, accepting, log, _folder: folder }
    }

    /// Returns the number of logged errors that contain these words.
    pub(super) fn alarms(&self, words: &str) -> usize {
        std::fs::read_to_string(&self.log).expect("a log").lines().filter(|line| line.contains(words)).count()
    }
}

/// Serves commands if a test started this process; otherwise does nothing.
pub(super) fn serve_if_child() {
    let (Ok(database), Ok(api), Ok(log)) = (std::env::var(DATABASE), std::env::var(API), std::env::var(LOG)) else {
        return;
    };
    let clock = std::env::var(CLOCK).ok().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    log_errors(Path::new(&log));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(serve(Database::at(&database), &api, clock));
    runtime.shutdown_background();
}

fn log_errors(path: &Path) {
    let log = std::fs::File::create(path).expect("a log");
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_writer(log).with_ansi(false).init();
}

async fn serve(database: Database, api: &str, ahead: i64) {
    let ledger_ahead = Duration::from_secs(u64::try_from(ahead).expect("a clock that is ahead"));
    let options = database.options().lease_duration(LEASE).connections(4).clock_offset(ledger_ahead);
    // operations of processes that are killed this often need more attempts than in a year
    let options = options.max_attempts(10_000).backoff(Duration::from_millis(1), Duration::from_millis(50));
    let mut vendor = Vendor::new(database.pool().await).await;
    vendor.checks_fence = true;
    let clock = Arc::new(AtomicI64::new(ahead));
    let client = api_client(api, {
        let clock = clock.clone();
        move || OffsetDateTime::now_utc() + time::Duration::seconds(clock.load(Ordering::SeqCst))
    });
    let app =
        App::open(options, client, Slow(vendor), |platform| platform.password(PASSWORD).request_replacement_grants())
            .await;
    let _worker = tokio::spawn(app.worker().concurrency(64).run(std::future::pending()));
    let app = Arc::new(app);
    serve_commands(|words| {
        let (app, clock) = (app.clone(), clock.clone());
        async move {
            match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["where"] => app.server.url(""),
                ["ahead", seconds] => {
                    clock.store(seconds.parse().expect("seconds"), Ordering::SeqCst);
                    "done".to_owned()
                }
                ["name", uuid] => {
                    let resource = (*uuid).into();
                    let add_on = app.platform.call(&resource, |api| async move { api.add_on(uuid).await }).await;
                    add_on.map_or_else(|error| error.to_string(), |add_on| add_on.name)
                }
                other => format!("unknown command: {other:?}"),
            }
        }
    })
    .await;
}

/// Vendor with a slow provision whose duration is fixed per resource.
struct Slow(Vendor);

impl Listener for Slow {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        if request.plan == SLOW {
            sleep(provision_time(request.resource.as_str())).await;
        }
        self.0.provision(request).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        self.0.plan_change(request).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        self.0.deprovision(request).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.0.single_sign_on(request).await
    }
}

/// Returns up to ten seconds, derived from the random digits of the uuid.
fn provision_time(uuid: &str) -> Duration {
    let drawn = u64::from_str_radix(&uuid[..8], 16).expect("a uuid");
    Duration::from_millis(drawn % 10_000)
}
