//! Accepting connections within the limits.

use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{self, Response};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;

use super::activity::{Activity, GuardedBody, ObservedBody};
use super::limits::ServeLimits;
use super::socket::Socket;

/// Interval of looking for a connection to close while all connections are answering requests.
const EVICTION_PAUSE: Duration = Duration::from_millis(50);

/// The shortest time between two warnings that the connections are at their limit.
const WARNING_PAUSE: Duration = Duration::from_mins(1);

/// Accepts and serves connections until `stop` turns true, then returns when each of them has ended.
///
/// On stop, connections without a request are closed immediately, and the others when their request is answered.
pub(super) async fn accept<L: Listener<Addr: 'static>>(
    mut listener: L,
    app: Router,
    limits: ServeLimits,
    mut stop: watch::Receiver<bool>,
) {
    let open = Arc::new(Open::new(&limits));
    let mut tasks = JoinSet::new();
    loop {
        let (io, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let permit = tokio::select! {
            permit = open.slot() => permit,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let peer = (&peer as &dyn Any).downcast_ref::<SocketAddr>().copied();
        let connection = Connection { app: app.clone(), peer, limits, stop: stop.clone() };
        tasks.spawn(connection.serve(io, open.clone(), permit));
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// The open connections.
struct Open {
    slots: Arc<Semaphore>,
    connections: Mutex<HashMap<u64, Arc<Entry>>>,
    last_id: std::sync::atomic::AtomicU64,
    warned: Mutex<Option<Instant>>,
}

struct Entry {
    activity: Arc<Activity>,
    /// Notified when the connection is to make room for a new one.
    close: Notify,
}

impl Open {
    fn new(limits: &ServeLimits) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(limits.connections().min(Semaphore::MAX_PERMITS))),
            connections: Mutex::default(),
            last_id: std::sync::atomic::AtomicU64::default(),
            warned: Mutex::default(),
        }
    }

    /// Waits for room for one more connection, and makes it where a connection is without a request.
    async fn slot(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = self.slots.clone().try_acquire_owned() {
                return permit;
            }
            self.warn();
            self.close_longest_idle();
            tokio::select! {
                permit = self.slots.clone().acquire_owned() => if let Ok(permit) = permit { return permit },
                () = sleep(EVICTION_PAUSE) => {}
            }
        }
    }

    fn close_longest_idle(&self) {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = connections.values().filter_map(|entry| Some((entry.activity.idle_since()?, entry)));
        if let Some((_, entry)) = idle.min_by_key(|(since, _)| *since) {
            entry.close.notify_one();
        }
    }

    fn warn(&self) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= WARNING_PAUSE) {
            *warned = Some(Instant::now());
            tracing::warn!("the connection limit is reached: closing connections without a request to accept new ones");
        }
    }

    fn insert(&self, entry: Arc<Entry>) -> u64 {
        let id = self.last_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(id, entry);
        id
    }

    fn remove(&self, id: u64) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// All that one connection needs.
struct Connection {
    app: Router,
    peer: Option<SocketAddr>,
    limits: ServeLimits,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn serve<Io>(self, io: Io, open: Arc<Open>, permit: OwnedSemaphorePermit)
    where
        Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let entry = Arc::new(Entry { activity: activity.clone(), close: Notify::new() });
        let id = open.insert(entry.clone());
        self.drive(io, activity, &entry.close).await;
        open.remove(id);
        drop(permit);
    }

    /// Serves the requests of a connection until it ends, is idle for too long, or has to make room.
    async fn drive<Io>(self, io: Io, activity: Arc<Activity>, close: &Notify)
    where
        Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let Self { app, peer, limits, mut stop } = self;
        let body_read = limits.body_read();
        let service = service_fn({
            let activity = activity.clone();
            move |request| answer(app.clone(), peer, request, activity.clone(), body_read)
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // hyper's own header timer ends with the request line; the timer below covers all of a connection's waits
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(limits.idle()))
            .keep_alive_timeout(limits.header_read())
            .enable_connect_protocol();
        let socket = TokioIo::new(Socket::new(io, activity.clone()));
        let mut connection = pin!(builder.serve_connection_with_upgrades(socket, service));

        let mut stopping = false;
        let mut deadline = pin!(sleep_until(next_look(&activity, &limits)));
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                () = deadline.as_mut() => {
                    if activity.deadline(&limits).is_some_and(|deadline| deadline <= Instant::now()) {
                        return;
                    }
                    deadline.as_mut().reset(next_look(&activity, &limits));
                }
                () = close.notified() => {
                    if activity.idle_since().is_some() {
                        return;
                    }
                }
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    if activity.idle_since().is_some() {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Returns the time at which the deadline is looked at again: what happens meanwhile may have moved it.
fn next_look(activity: &Activity, limits: &ServeLimits) -> Instant {
    let soon = Instant::now() + limits.header_read();
    activity.deadline(limits).map_or(soon, |deadline| deadline.min(soon))
}

async fn answer(
    app: Router,
    peer: Option<SocketAddr>,
    request: http::Request<Incoming>,
    activity: Arc<Activity>,
    body_read: Duration,
) -> Result<Response<GuardedBody>, Infallible> {
    let guard = activity.begin();
    let mut request: Request = request.map(|body| {
        if http_body::Body::is_end_stream(&body) {
            return Body::empty();
        }
        Body::new(Box::pin(TimeoutBody::new(body_read, ObservedBody::new(body, activity))))
    });
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    let response = app.oneshot(request).await?;
    Ok(response.map(|body| GuardedBody::new(body, guard)))
}
