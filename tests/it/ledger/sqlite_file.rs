//! A SQLite file that cannot be written is refused at the start, and reported in the log while the program runs.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use maitre_bench_support::is_root;
use maitre_core::{Backend, FailureKind};
use maitre_ledger::{Keys, Ledger};

use super::support::{Answer, Database, KEY, Vendor, basic, key, replies};
use crate::support::Folder;

/// Database whose vendor has another file.
struct Files {
    ledger: Database,
    vendor: Database,
}

impl Files {
    fn new() -> Self {
        Self { ledger: Database::sqlite(), vendor: Database::sqlite() }
    }

    fn path(&self) -> PathBuf {
        self.ledger.folder.as_ref().expect("a folder").join("maitre.db")
    }

    async fn vendor(&self) -> Vendor {
        Vendor::new(self.vendor.pool().await).await
    }
}

/// URL of the ledger that the child process opens.
const CHILD: &str = "MAITRE_TEST_READ_ONLY";

/// Not a test on its own: opens a ledger as a user who may not write it, and prints the error.
#[tokio::test]
async fn child_process() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let opened = Ledger::builder(&url).keys(Keys::parse(KEY).unwrap()).open().await;
    println!("> {}", opened.map_or_else(|error| error.to_string(), |_| "opened".to_owned()));
}

/// Opens a ledger in a process without root's permissions. Returns `None` if that user cannot run this program.
fn open_as_another_user(url: &str) -> Option<String> {
    const UNPRIVILEGED: u32 = 65534;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "ledger::sqlite_file::child_process", "--nocapture"]).env(CHILD, url).current_dir("/");
    if is_root() {
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    let output = command.output().map_err(|error| eprintln!("\n*** SKIPPED: {error} ***\n")).ok()?;
    let text = String::from_utf8(output.stdout).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("> ").or_else(|| line.split("> ").nth(1)));
    Some(line.unwrap_or_else(|| panic!("no answer: {text}")).to_owned())
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

#[tokio::test]
async fn a_read_only_file_or_folder_is_refused_at_the_start() {
    for (folder_mode, file_mode, expected) in [
        (0o777, 0o444, "the file or its folder is read-only"),
        (0o555, 0o666, "the file or its folder is read-only"),
        (0o777, 0o666, "opened"),
    ] {
        let files = Files::new();
        files.ledger.ledger().await.close().await; // leaves no journal behind
        let file = files.path();
        set_mode(file.parent().expect("a folder"), folder_mode);
        set_mode(&file, file_mode);
        let Some(answer) = open_as_another_user(&files.ledger.url) else { return };
        assert!(answer.contains(expected), "{folder_mode:o} {file_mode:o}: {answer}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_named_at_the_start() {
    let folder = Folder::new();
    let file = folder.0.join("maitre.db");
    std::fs::write(&file, "an ordinary text file, and long enough to be read as the header of a database. ".repeat(9))
        .unwrap();
    for (file, cause) in [(file, "not a SQLite database"), (folder.0.join("missing/maitre.db"), "cannot be opened")] {
        let opened =
            Ledger::builder(&format!("sqlite://{}", file.display())).keys(Keys::parse(KEY).unwrap()).open().await;
        let error = opened.expect_err("not a ledger").to_string();
        assert!(error.contains(cause), "{error}");
    }
}

/// The writer runs on a thread of its own, so its log lines are read from another process.
const RUNNING: &str = "MAITRE_TEST_LOST_FILE";

/// Not a test on its own: loses its file while it runs.
#[tokio::test]
async fn lost_file_child_process() {
    if std::env::var_os(RUNNING).is_none() {
        return;
    }
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stdout).init();
    let files = Files::new();
    let listener = files.ledger.ledger().await.wrap(files.vendor().await);
    let (file, moved) = (files.path(), files.path().with_extension("moved"));
    let provision = || async { Answer::from(listener.provision(basic(&key())).await) };
    assert!(provision().await.is_done());

    set_mode(&file, 0o444);
    let _ = provision().await; // whether it succeeds depends on the user
    set_mode(&file, 0o644);

    std::fs::rename(&file, &moved).unwrap();
    assert_eq!(provision().await, Answer::Failed(FailureKind::Unavailable), "deleted");
    let calls = (0..20).map(|_| {
        let listener = listener.clone();
        async move { listener.provision(basic(&key())).await }
    });
    assert!(replies(calls).await.iter().all(|answer| *answer == Answer::Failed(FailureKind::Unavailable)));
    std::fs::write(&file, "").unwrap();
    assert_eq!(provision().await, Answer::Failed(FailureKind::Unavailable), "replaced");
    std::fs::rename(&moved, &file).unwrap();
    assert!(provision().await.is_done(), "moved back");
}

#[test]
fn a_file_that_is_lost_or_read_only_while_running_is_an_error_in_the_log() {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "ledger::sqlite_file::lost_file_child_process", "--nocapture"]).env(RUNNING, "1");
    let output = command.output().expect("a process");
    let log = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{log}{}", String::from_utf8_lossy(&output.stderr));
    let lines =
        |level: &str, part: &str| log.lines().filter(|line| line.contains(level) && line.contains(part)).count();
    assert_eq!(lines("ERROR", "has become read-only"), 1, "{log}");
    assert_eq!(lines("ERROR", "was deleted or replaced"), 1, "one line, not one per operation: {log}");
    assert_eq!(lines("INFO", "can be written again"), 1, "{log}");
}
