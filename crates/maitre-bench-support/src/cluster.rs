//! Temporary Postgres server that removes itself.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Timeout of a start, long enough for a recovery from the log.
const DEADLINE: Duration = Duration::from_mins(1);

/// Temporary cluster on a free local port. It is removed with this value or when this process ends, however it ends.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
    watchdog: Child,
}

/// Returns the newest installed server, if there is one.
fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let bin = |version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
    versions.filter(|version| bin(*version).join("initdb").exists()).max().map(bin)
}

/// Returns the output of `pg_dump` for a database.
///
/// # Panics
/// Panics if `pg_dump` is not installed or cannot read the database.
#[must_use]
pub fn dump(url: &str) -> Vec<u8> {
    let pg_dump = newest().map_or_else(|| PathBuf::from("pg_dump"), |bin| bin.join("pg_dump"));
    let output = Command::new(pg_dump).arg(url).output().expect("pg_dump");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Whether this process runs as root: Postgres refuses to run as root, and Chromium to use its sandbox.
#[must_use]
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Returns a shell command that runs as the owner of the server.
fn as_owner(script: &str) -> Command {
    if is_root() {
        let mut command = Command::new("su");
        command.args(["postgres", "-s", "/bin/sh", "-c", script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }
}

fn succeed(what: &str, output: io::Result<Output>) {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}{text}", String::from_utf8_lossy(&output.stdout));
}

impl Cluster {
    /// Starts the newest installed server. Returns `None` if no server is installed.
    ///
    /// # Panics
    /// Panics if the server cannot be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        let bin = newest()?;
        let folder = std::env::temp_dir().join(format!("maitre-postgres-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).expect("a folder for the cluster");
        if is_root() {
            succeed("chown", Command::new("chown").arg("postgres").arg(&folder).output());
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let (data, bin_text) = (folder.join("data"), bin.display().to_string());
        let init =
            format!("cd / && {bin_text}/initdb -D {} -U postgres -A trust -E UTF8 --locale=C -N", data.display());
        succeed("initdb", as_owner(&init).output());
        let watchdog = watch(&bin, &folder);
        let cluster = Self { folder, bin, port, watchdog };
        cluster.run();
        Some(cluster)
    }

    fn run(&self) {
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(self.starts(), "the server does not start: {}", log());
    }

    /// Starts a killed server again, as soon as its remaining processes have ended.
    ///
    /// # Panics
    /// Panics if the server does not start within a minute.
    pub fn run_again(&self) {
        let end = Instant::now() + DEADLINE;
        while !self.starts() {
            assert!(Instant::now() < end, "the server does not start again");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn starts(&self) -> bool {
        let (folder, bin) = (self.folder.display(), self.bin.display());
        let start = format!(
            "cd / && {bin}/pg_ctl -D {folder}/data -l {folder}/log -w -t 60 -o '-p {} -c listen_addresses=127.0.0.1 \
             -c unix_socket_directories={folder} -c max_connections=400 -c fsync=on' start",
            self.port
        );
        // the server would keep a pipe open while it runs
        let mut command = as_owner(&start);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Kills the postmaster with `kill -9`; its remaining processes end automatically.
    ///
    /// # Panics
    /// Panics if the server is not running.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("a running server");
        let pid = pid.lines().next().unwrap_or_default().to_owned();
        succeed("kill", Command::new("kill").args(["-9", &pid]).output());
    }

    /// Replaces the rules that admit clients (`pg_hba.conf`).
    ///
    /// # Panics
    /// Panics if the server is not running.
    pub fn set_access(&self, rules: &str) {
        let (folder, bin) = (self.folder.display(), self.bin.display());
        let reload =
            format!("cd / && printf '{rules}\\n' > {folder}/data/pg_hba.conf && {bin}/pg_ctl -D {folder}/data reload");
        succeed("pg_ctl reload", as_owner(&reload).output());
    }

    /// Returns the URL of a database for the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// Starts a shell that stops the server when a pipe closes, which only this process holds open.
fn watch(bin: &Path, folder: &Path) -> Child {
    let (bin, folder) = (bin.display(), folder.display());
    let stop = format!("cd / && {bin}/pg_ctl -D {folder}/data -m immediate stop");
    let script = format!("cat >/dev/null; {}; rm -rf {folder}", shell(&as_owner(&stop)));
    let mut sh = Command::new("sh");
    sh.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    sh.process_group(0).spawn().expect("a shell")
}

/// Returns the command as a shell line.
fn shell(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
    std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect::<Vec<_>>().join(" ")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
