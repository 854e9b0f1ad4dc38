//! Processes that end with the handle that started them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::desk::{Desk, Threads};
use crate::settings::SERVER;

/// How long a server may take to leave by itself; a profiler writes its figures then.
const PATIENCE: Duration = Duration::from_secs(20);

/// This executable in another role.
pub(crate) fn this() -> Outcome<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A running server. Dropped, also by a panic, it is told to leave, then killed, and waited for.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(desk: Desk, threads: Threads) -> Outcome<Self> {
        Self::start_by(this()?, desk, threads)
    }

    /// By a command that ends with this executable.
    pub(crate) fn start_by(mut command: Command, desk: Desk, threads: Threads) -> Outcome<Self> {
        command.args([SERVER, &desk.to_string(), &threads.to_string()]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut server = Self { child, port: 0 };
        let mut line = String::new();
        let stdout = server.child.stdout.take().ok_or("a server without its output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        server.port = line.trim().parse().map_err(|_| format!("the server {desk} did not start"))?;
        Ok(server)
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
