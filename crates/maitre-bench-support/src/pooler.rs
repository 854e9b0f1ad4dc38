//! Temporary `PgBouncer` that removes itself.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::is_root;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// Timeout of a start.
const DEADLINE: Duration = Duration::from_secs(30);

/// `PgBouncer` on a free local port, in front of every database of a server. It is stopped with this value or when this
/// process ends, however it ends.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    watchdog: Child,
}

impl Pooler {
    /// Starts a pooler in front of the server at `url`, with this `pool_mode` and at most `size` connections per database.
    /// Returns `None` if `PgBouncer` is not installed.
    ///
    /// # Panics
    /// Panics if the URL has no host, or if the pooler cannot be started.
    #[must_use]
    pub fn start(url: &str, mode: &str, size: u32) -> Option<Self> {
        Self::start_limited(url, mode, size, 2000)
    }

    /// Starts a pooler that admits at most `clients` connections.
    ///
    /// # Panics
    /// As [`Pooler::start`].
    #[must_use]
    pub fn start_limited(url: &str, mode: &str, size: u32, clients: u32) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            return None;
        }
        let address =
            url.split_once("://").map_or(url, |(_, address)| address).split(['/', '?']).next().unwrap_or_default();
        let (credentials, host) = address.rsplit_once('@').unwrap_or(("postgres", address));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (host, server_port) = host.rsplit_once(':').unwrap_or((host, "5432"));
        let folder = std::env::temp_dir().join(format!("maitre-pgbouncer-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).expect("a folder for the pooler");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let password = if password.is_empty() { String::new() } else { format!(" password={password}") };
        let owner = if is_root() { "user = postgres\n" } else { "" };
        let settings = format!(
            "[databases]\n* = host={host} port={server_port} user={user}{password}\n\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n{owner}\
             pool_mode = {mode}\ndefault_pool_size = {size}\nmax_client_conn = {clients}\nserver_idle_timeout = 5\n"
        );
        fs::write(folder.join("pgbouncer.ini"), settings).expect("settings of the pooler");
        let watchdog = watch(&folder);
        let end = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "the pooler does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { port, watchdog })
    }

    /// Returns the URL of a database behind the pooler.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// Starts a shell that runs the pooler until a pipe closes, which only this process holds open.
fn watch(folder: &Path) -> Child {
    let folder = folder.display();
    let script = format!(
        "{PROGRAM} {folder}/pgbouncer.ini >{folder}/log 2>&1 & pid=$!; cat >/dev/null; kill $pid; rm -rf {folder}"
    );
    let mut sh = Command::new("sh");
    sh.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    sh.process_group(0).spawn().expect("a shell")
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
