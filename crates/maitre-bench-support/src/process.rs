//! Server processes that end with their handle.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// First argument of the server role, followed by the arguments of the server.
pub const SERVER: &str = "--as-server";

/// Time that a server may take to exit; a profiler writes its profile then.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns a command that runs this executable in another role.
///
/// # Errors
/// Returns an error if the path of this executable is unknown.
pub fn this() -> Outcome<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// Running server. When dropped, also by a panic, the server is asked to exit, then killed, and waited for.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Port on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts this executable as a server with these arguments.
    ///
    /// # Errors
    /// Returns an error if the server ends before it has printed its port.
    pub fn start(words: &[&str]) -> Outcome<Self> {
        Self::start_by(this()?, words)
    }

    /// Starts the server by a command that ends with this executable.
    ///
    /// # Errors
    /// Returns an error if the server ends before it has printed its port.
    pub fn start_by(mut command: Command, words: &[&str]) -> Outcome<Self> {
        let child = command.arg(SERVER).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut server = Self { child, port: 0 };
        let mut line = String::new();
        let stdout = server.child.stdout.take().ok_or("a server without its output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        server.port = line.trim().parse().map_err(|_| format!("the server {} did not start", words.join(" ")))?;
        Ok(server)
    }

    /// Returns the resident set size in KiB.
    ///
    /// # Errors
    /// Returns an error if there is no `/proc`.
    pub fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // the server exits when its input ends
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
