//! Processes that can be killed: this test binary once more, with a ledger, a vendor and a worker in it. They take
//! orders from their standard input and answer on their standard output, line by line.

use std::collections::HashMap;
use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_core::{
    Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn,
    SignedOn,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};

use super::{Answer, Database, Gate, Vendor, Working, basic, plan, remove, soon};

const DATABASE: &str = "MAITRE_TEST_DATABASE";

/// How long a process may be silent before another takes over.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<String>>>>>;

/// The parent's end of one process.
pub(crate) struct Machine {
    id: u32,
    input: tokio::sync::Mutex<ChildStdin>,
    pending: Pending,
    next: AtomicU64,
}

impl Machine {
    pub(crate) async fn start(database: &Database) -> Arc<Self> {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "ledger::processes::one_of_many", "--nocapture", "--test-threads=1"])
            .env(DATABASE, &database.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let (id, input) = (child.id().expect("it lives"), child.stdin.take().expect("a pipe"));
        let output = child.stdout.take().expect("a pipe");
        let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(listen(child, output, pending.clone()));
        let input = tokio::sync::Mutex::new(input);
        let machine = Arc::new(Self { id, input, pending, next: AtomicU64::new(0) });
        let ready = soon("a process starts", machine.ask("hello")).await;
        assert_eq!(ready.as_deref(), Some("hello"), "the process did not start");
        machine
    }

    /// The answer to an order; none where the process dies meanwhile.
    pub(crate) async fn ask(&self, order: &str) -> Option<String> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let (sender, answer) = oneshot::channel();
        self.pending.lock().expect("the orders").as_mut()?.insert(number, sender);
        let line = format!("{number} {order}\n");
        self.input.lock().await.write_all(line.as_bytes()).await.ok()?;
        answer.await.ok()
    }

    /// `KILL`, `STOP` or `CONT`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {id}");
    }
}

/// Hands answers out until the process is gone; then nobody waits for one any more.
async fn listen(mut child: Child, output: ChildStdout, pending: Pending) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // what the test harness itself says has no such mark
        let Some((number, answer)) = line.strip_prefix("> ").and_then(|line| line.split_once(' ')) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        let waiting = pending.lock().expect("the orders").as_mut().and_then(|pending| pending.remove(&number));
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer.to_owned());
        }
    }
    pending.lock().expect("the orders").take();
    let _ = child.wait().await;
}

/// A vendor whose work goes on though the call was given up, and that says what became of it.
#[derive(Clone)]
struct Stubborn {
    vendor: Vendor,
    wrote: Arc<Mutex<HashMap<String, watch::Sender<Option<bool>>>>>,
}

impl Stubborn {
    fn wrote(&self, resource: &str) -> watch::Sender<Option<bool>> {
        self.wrote.lock().expect("the book").entry(resource.to_owned()).or_default().clone()
    }

    async fn go_on<T: Send + 'static>(
        &self,
        resource: String,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let wrote = self.wrote(&resource);
        let work = tokio::spawn(async move {
            let result = work.await;
            wrote.send_replace(Some(result.is_ok()));
            result
        });
        work.await.map_err(|_| Failure::unavailable("it broke"))?
    }
}

impl Listener for Stubborn {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let vendor = self.vendor.clone();
        self.go_on(request.resource.to_string(), async move { vendor.provision(request).await }).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let vendor = self.vendor.clone();
        self.go_on(request.resource.to_string(), async move { vendor.plan_change(request).await }).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let vendor = self.vendor.clone();
        self.go_on(request.resource.to_string(), async move { vendor.deprovision(request).await }).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        self.vendor.single_sign_on(request).await
    }
}

/// What a process does that was started by another test; nothing in any other.
pub(crate) fn serve_if_told() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(serve(Database::at(&url)));
    runtime.shutdown_background();
}

async fn serve(database: Database) {
    let options = database.options().lease(LEASE);
    let options = options.attempts(10_000, Duration::from_millis(1), Duration::from_millis(50)).connections(4);
    let ledger = options.open().await.expect("a ledger");
    let mut vendor = Vendor::new(database.pool().await).await;
    vendor.work = Duration::from_millis(5);
    vendor.checks_fence = true;
    let listener = Stubborn { vendor: vendor.clone(), wrote: Arc::default() };
    let kept = ledger.keep(listener.clone());
    let _working = Working::start(&ledger, &listener);
    let gates = Arc::<Mutex<HashMap<String, Gate>>>::default();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (kept, vendor, listener, gates) = (kept.clone(), vendor.clone(), listener.clone(), gates.clone());
        tokio::spawn(async move {
            let words: Vec<_> = line.split(' ').collect();
            let gate = |key: &str| gates.lock().expect("the gates").get(key).cloned().expect("a gate");
            let answer = match words[1..] {
                ["hello"] => "hello".into(),
                ["provision", key] => told(&kept.provision(basic(key)).await.into()),
                ["plan", key, to] => told(&kept.plan_change(plan(key, to)).await.into()),
                ["remove", key] => told(&kept.deprovision(remove(key)).await.into()),
                ["gate", key] => {
                    gates.lock().expect("the gates").insert(key.to_owned(), vendor.stop_at(key));
                    "done".into()
                }
                ["entered", key] => {
                    gate(key).entered().await;
                    "done".into()
                }
                ["open", key] => {
                    listener.wrote(key).send_replace(None);
                    gate(key).open();
                    "done".into()
                }
                ["wrote", key] => {
                    let mut wrote = listener.wrote(key).subscribe();
                    let wrote = wrote.wait_for(Option::is_some).await.expect("a result");
                    format!("{:?}", *wrote)
                }
                _ => format!("no such order: {line}"),
            };
            let mut output = std::io::stdout().lock();
            let _ = writeln!(output, "\n> {} {answer}", words[0]).and_then(|()| output.flush());
        });
    }
}

/// `done` or the kind of the failure.
fn told(answer: &Answer) -> String {
    match answer {
        Answer::Done(_) => "done".into(),
        Answer::Failed(kind) => format!("{kind:?}"),
    }
}
