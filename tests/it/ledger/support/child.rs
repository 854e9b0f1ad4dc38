//! Child processes that can be killed. They run this test binary, read commands from standard input and reply on
//! standard output, line by line.

use std::collections::HashMap;
use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

use super::soon;

type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<String>>>>>;

/// Parent's handle of a child process.
pub(crate) struct ChildProcess {
    id: u32,
    input: tokio::sync::Mutex<ChildStdin>,
    pending: Pending,
    next: AtomicU64,
}

impl ChildProcess {
    /// Starts a process that runs only this test, which calls [`serve_commands`] if the environment is set.
    pub(crate) async fn start(test: &str, environment: &[(&str, &str)]) -> Arc<Self> {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .envs(environment.iter().copied())
            .envs(super::database::child_environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let (id, input) = (child.id().expect("a running process"), child.stdin.take().expect("a pipe"));
        let output = child.stdout.take().expect("a pipe");
        let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(listen(child, output, pending.clone()));
        let input = tokio::sync::Mutex::new(input);
        let child = Arc::new(Self { id, input, pending, next: AtomicU64::new(0) });
        let ready = soon("a process starts", child.send("hello")).await;
        assert_eq!(ready.as_deref(), Some("hello"), "the process did not start");
        child
    }

    /// Sends a command and returns its reply; `None` if the process dies first.
    pub(crate) async fn send(&self, command: &str) -> Option<String> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let (sender, answer) = oneshot::channel();
        self.pending.lock().expect("the pending commands").as_mut()?.insert(number, sender);
        let line = format!("{number} {command}\n");
        self.input.lock().await.write_all(line.as_bytes()).await.ok()?;
        answer.await.ok()
    }

    /// Sends the signal `KILL`, `STOP` or `CONT`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {id}");
    }
}

/// Dispatches replies until the process ends; then fails all pending commands.
async fn listen(mut child: Child, output: ChildStdout, pending: Pending) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // lines of the test harness have no such prefix
        let Some((number, answer)) = line.strip_prefix("> ").and_then(|line| line.split_once(' ')) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        let waiting =
            pending.lock().expect("the pending commands").as_mut().and_then(|pending| pending.remove(&number));
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer.to_owned());
        }
    }
    pending.lock().expect("the pending commands").take();
    let _ = child.wait().await;
}

/// Child's side: answers each command, split into words, until standard input is closed.
pub(crate) async fn serve_commands<F: Future<Output = String> + Send + 'static>(answer: impl Fn(Vec<String>) -> F) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split(' ').map(ToOwned::to_owned);
        let number = words.next().unwrap_or_default();
        let words: Vec<_> = words.collect();
        let answering = (words != ["hello"]).then(|| answer(words));
        tokio::spawn(async move {
            let answer = match answering {
                Some(answering) => answering.await,
                None => "hello".to_owned(),
            };
            let mut output = std::io::stdout().lock();
            let _ = writeln!(output, "\n> {number} {answer}").and_then(|()| output.flush());
        });
    }
}
