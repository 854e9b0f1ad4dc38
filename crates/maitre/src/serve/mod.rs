//! Serving an app within limits, and stopping in an order that loses no work.

mod activity;
mod connections;
mod limits;
mod socket;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use maitre_core::InFlight;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pub use limits::ServeLimits;

/// A task that runs beside the server until the server stops.
type BackgroundTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves `app` on `socket`, over HTTP/1 and HTTP/2, with [limits](ServeLimits) on slow and on many callers.
///
/// The socket is a `TcpListener`, a `UnixListener` or any other [`axum::serve::Listener`]. Workers and the ledger are
/// added before [`Serve::until`].
///
/// `axum::serve` has no time limit for a request head and no limit on connections, and on shutdown it waits only for
/// connections: not for calls whose caller has disconnected, and not for a worker, and it releases no leases.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = socket.local_addr()?;
/// let app = Router::new().route("/", get(async || "hello"));
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
///
/// // with a ledger: `.worker(worker).ledger(ledger)`; in a program, stop on `maitre::shutdown_signal()`
/// let serving = maitre::serve(socket, app).deadline(Duration::from_secs(5));
/// let serving = tokio::spawn(serving.until(async { drop(stopped.await) }));
/// assert!(tokio::net::TcpStream::connect(address).await.is_ok());
///
/// drop(stop);
/// serving.await??;
/// assert!(tokio::net::TcpStream::connect(address).await.is_err());
/// # Ok(())
/// # }
/// ```
pub fn serve<L: Listener<Addr: 'static>>(socket: L, app: Router) -> Serve<L> {
    Serve {
        socket,
        app,
        limits: ServeLimits::new(),
        in_flight: Vec::new(),
        background: Vec::new(),
        stop: watch::Sender::new(false),
        drain_delay: Duration::ZERO,
        deadline: Duration::from_secs(25),
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        ledger: None,
    }
}

/// A server that has not started; see [`serve()`].
#[must_use = "the server starts with `until`"]
pub struct Serve<L = TcpListener> {
    socket: L,
    app: Router,
    limits: ServeLimits,
    in_flight: Vec<InFlight>,
    background: Vec<BackgroundTask>,
    stop: watch::Sender<bool>,
    drain_delay: Duration,
    deadline: Duration,
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    ledger: Option<maitre_ledger::Ledger>,
}

impl<L: Listener<Addr: 'static>> Serve<L> {
    /// Sets the limits on what callers may take at the socket.
    pub fn limits(mut self, limits: ServeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds calls to wait for on shutdown: [`Addon::in_flight`](crate::Addon::in_flight). [`Serve::ledger`] adds those
    /// of a ledger.
    pub fn wait_for(mut self, in_flight: &InFlight) -> Self {
        self.in_flight.push(in_flight.clone());
        self
    }

    /// Runs `worker` beside the server. On shutdown the worker stops first.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn worker(mut self, worker: maitre_ledger::Worker) -> Self {
        let mut stopped = self.stop.subscribe();
        self.background.push(Box::pin(worker.run(async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        })));
        self
    }

    /// Waits on shutdown for the listener calls of `ledger`, releases the leases of those that did not end in time, and
    /// closes the ledger.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn ledger(mut self, ledger: maitre_ledger::Ledger) -> Self {
        self.in_flight.push(ledger.in_flight().clone());
        self.ledger = Some(ledger);
        self
    }

    /// Reloads secrets when their files change, and on SIGHUP.
    pub fn secret_files(mut self, files: crate::SecretFiles) -> Self {
        let mut stopped = self.stop.subscribe();
        self.background.push(Box::pin(async move {
            tokio::select! {
                () = files.watch() => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }));
        self
    }

    /// Sets the time for which connections are still accepted on shutdown, after `maitre::health` has begun to answer that
    /// the process is not ready, so that a load balancer sends its requests elsewhere first. It is part of the deadline.
    /// Defaults to zero, for platforms that stop sending requests before they send SIGTERM.
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.drain_delay = delay;
        self
    }

    /// Sets the time that requests, calls and workers have to end on shutdown. Defaults to 25 s, as platforms kill a
    /// process after 30 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Serves until `stop` completes, then shuts down in this order: the ledger's process is not ready, workers claim no
    /// more work, after the drain delay no connection is accepted and those without a request are closed, requests and calls in progress have until the deadline, leases
    /// are released, and the ledger is closed.
    ///
    /// # Errors
    /// Returns an error if the server panics.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { socket, app, limits, in_flight, background, stop: stopping, drain_delay, deadline, .. } = self;
        let closing = watch::Sender::new(false);
        let background: Vec<_> = background.into_iter().map(tokio::spawn).collect();
        let mut server = tokio::spawn(connections::accept(socket, app, limits, closing.subscribe()));
        let mut ended = None;
        tokio::select! {
            result = &mut server => ended = Some(result),
            () = stop => {}
        }
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if let Some(ledger) = &self.ledger {
            ledger.begin_shutdown();
        }
        stopping.send_replace(true);

        let end = Instant::now() + deadline;
        if ended.is_none() {
            ended = timeout_at(end.min(Instant::now() + drain_delay), &mut server).await.ok();
        }
        closing.send_replace(true);
        if ended.is_none() {
            ended = timeout_at(end, &mut server).await.ok();
        }
        if ended.is_none() {
            tracing::warn!("some connections did not end before the shutdown deadline");
            server.abort();
        }
        for mut task in background {
            if timeout_at(end, &mut task).await.is_err() {
                task.abort();
            }
        }
        let left = crate::drain(&in_flight, end.saturating_duration_since(Instant::now())).await;
        if left > 0 {
            tracing::warn!(left, "some listener calls did not end before the shutdown deadline");
        }
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if let Some(ledger) = self.ledger {
            ledger.close().await;
        }
        ended.map_or(Ok(()), |ended| ended.map_err(io::Error::other))
    }
}

impl<L> fmt::Debug for Serve<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("limits", &self.limits).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Completes when the process is asked to stop: by SIGTERM, as platforms send it, or by Ctrl-C. The signal handlers are
/// installed by this call, not by the first poll.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut signal = std::pin::pin!(maitre::shutdown_signal()?);
/// let soon = tokio::time::timeout(std::time::Duration::from_millis(1), signal.as_mut());
/// assert!(soon.await.is_err(), "no signal was sent");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns an error if the signal handlers cannot be installed.
#[cfg(unix)]
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
    })
}
