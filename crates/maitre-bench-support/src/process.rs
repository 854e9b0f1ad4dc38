//! Processes that end with the handle that started them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// The first argument of an executable that is to be a server; the words behind it say which one.
pub const SERVER: &str = "--as-server";

/// How long a server may take to leave by itself; a profiler writes its figures then.
const PATIENCE: Duration = Duration::from_secs(20);

/// This executable in another role.
///
/// # Errors
/// When the system does not tell where it is.
pub fn this() -> Outcome<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A running server. Dropped, also by a panic, it is told to leave, then killed, and waited for.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts this executable as the server that the words name.
    ///
    /// # Errors
    /// When it ends before it has said its port.
    pub fn start(words: &[&str]) -> Outcome<Self> {
        Self::start_by(this()?, words)
    }

    /// The same by a command that ends with this executable.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_by(mut command: Command, words: &[&str]) -> Outcome<Self> {
        let child = command.arg(SERVER).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut server = Self { child, port: 0 };
        let mut line = String::new();
        let stdout = server.child.stdout.take().ok_or("a server without its output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        server.port = line.trim().parse().map_err(|_| format!("the server {} did not start", words.join(" ")))?;
        Ok(server)
    }

    /// Memory that it has in use, in KiB: what Linux calls the resident set.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // a server leaves when its input ends
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
