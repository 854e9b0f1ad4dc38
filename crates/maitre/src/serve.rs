//! Serving an app, and stopping in the order that loses nothing.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use maitre_core::InFlight;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Something that goes on beside the server until it is told to stop.
type Beside = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves `app` on `socket`; what stands behind it is added before [`Serve::until`].
///
/// `axum::serve` alone stops too early: it waits for connections, and neither for work whose caller has gone, nor for
/// a worker, nor are leases given back.
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
/// // .worker(worker).ledger(ledger) where there is one, and `maitre::shutdown_signal()` in a program
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
pub fn serve(socket: TcpListener, app: Router) -> Serve {
    Serve {
        socket,
        app,
        in_flight: Vec::new(),
        beside: Vec::new(),
        stop: watch::Sender::new(false),
        deadline: Duration::from_secs(25),
        #[cfg(feature = "ledger")]
        ledger: None,
    }
}

/// A server that is not begun yet; see [`serve()`].
#[must_use = "nothing is served before `until`"]
pub struct Serve {
    socket: TcpListener,
    app: Router,
    in_flight: Vec<InFlight>,
    beside: Vec<Beside>,
    stop: watch::Sender<bool>,
    deadline: Duration,
    #[cfg(feature = "ledger")]
    ledger: Option<maitre_ledger::Ledger>,
}

impl Serve {
    /// At the end also waits for these calls: [`Addon::in_flight`](crate::Addon::in_flight). What a ledger keeps is
    /// waited for by [`Serve::ledger`].
    pub fn wait_for(mut self, in_flight: &InFlight) -> Self {
        self.in_flight.push(in_flight.clone());
        self
    }

    /// Runs this worker beside the server. It is the first to be stopped.
    #[cfg(feature = "ledger")]
    pub fn worker(mut self, worker: maitre_ledger::Worker) -> Self {
        let mut stopped = self.stop.subscribe();
        self.beside.push(Box::pin(worker.run(async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        })));
        self
    }

    /// At the end waits for the calls that this ledger keeps, gives back what did not end in time, and closes it.
    #[cfg(feature = "ledger")]
    pub fn ledger(mut self, ledger: maitre_ledger::Ledger) -> Self {
        self.in_flight.push(ledger.in_flight().clone());
        self.ledger = Some(ledger);
        self
    }

    /// How long connections, calls and workers may take to end; 25 s if not set, as platforms kill after 30.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Serves until `stop` is done. Then: workers take up nothing more, no connection is accepted, what was begun has
    /// until the deadline, what is left is given back, and the ledger is closed.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { socket, app, in_flight, beside, stop: tell, deadline, .. } = self;
        let beside: Vec<_> = beside.into_iter().map(tokio::spawn).collect();
        let mut told = tell.subscribe();
        let server = axum::serve(socket, app).with_graceful_shutdown(async move {
            let _ = told.wait_for(|stopped| *stopped).await;
        });
        let mut server = tokio::spawn(async move { server.await });
        let mut ended = None;
        tokio::select! {
            result = &mut server => ended = Some(result),
            () = stop => {}
        }
        tell.send_replace(true);

        let end = Instant::now() + deadline;
        if ended.is_none() {
            ended = timeout_at(end, &mut server).await.ok();
        }
        if ended.is_none() {
            tracing::warn!("some connections did not end in time");
            server.abort();
        }
        for mut work in beside {
            if timeout_at(end, &mut work).await.is_err() {
                work.abort();
            }
        }
        let left = crate::drain(&in_flight, end.saturating_duration_since(Instant::now())).await;
        if left > 0 {
            tracing::warn!(left, "some listener calls did not end in time");
        }
        #[cfg(feature = "ledger")]
        if let Some(ledger) = self.ledger {
            ledger.close().await;
        }
        ended.map_or(Ok(()), |ended| ended.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Done when the process is told to stop: by SIGTERM, as platforms say it, or by Ctrl-C. It listens from now on, and not
/// from its first look.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut terminated = std::pin::pin!(maitre::shutdown_signal()?);
/// let soon = tokio::time::timeout(std::time::Duration::from_millis(1), terminated.as_mut());
/// assert!(soon.await.is_err(), "nobody has told it");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the system gives no signal handler.
#[cfg(unix)]
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}
