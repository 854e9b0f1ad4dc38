//! Shutdown signals.

use tokio::process::Child;

/// Signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownSignal {
    /// Ctrl-C.
    Interrupt,
    #[cfg(unix)]
    Terminate,
}

/// Signals that this process receives.
pub(crate) struct ShutdownSignals {
    #[cfg(unix)]
    interrupted: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminated: tokio::signal::unix::Signal,
    #[cfg(not(unix))]
    interrupted: tokio::signal::windows::CtrlC,
}

#[cfg(unix)]
impl ShutdownSignals {
    /// Installs the signal handlers.
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupted: signal(SignalKind::interrupt())?, terminated: signal(SignalKind::terminate())? })
    }

    /// Completes on the next signal.
    pub(crate) async fn next(&mut self) -> ShutdownSignal {
        tokio::select! {
            _ = self.interrupted.recv() => ShutdownSignal::Interrupt,
            _ = self.terminated.recv() => ShutdownSignal::Terminate,
        }
    }
}

#[cfg(not(unix))]
impl ShutdownSignals {
    /// Installs the signal handler.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { interrupted: tokio::signal::windows::ctrl_c()? })
    }

    /// Completes on the next signal.
    pub(crate) async fn next(&mut self) -> ShutdownSignal {
        self.interrupted.recv().await;
        ShutdownSignal::Interrupt
    }
}

impl ShutdownSignal {
    /// Sends the signal to a child process, unless the child has exited.
    #[cfg(unix)]
    pub(crate) fn send_to(self, child: &Child) {
        use rustix::process::{Pid, Signal, kill_process};
        let signal = match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        };
        if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = kill_process(pid, signal); // fails only if the child has exited
        }
    }

    /// Windows sends Ctrl-C to all processes of a console.
    #[cfg(not(unix))]
    pub(crate) fn send_to(self, _child: &Child) {}
}

/// Completes on the next Ctrl-C or SIGTERM. The signal handlers are installed when this function returns.
pub(crate) fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = ShutdownSignals::new()?;
    Ok(async move {
        signals.next().await;
    })
}
