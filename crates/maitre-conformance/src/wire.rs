//! Sends the requests of the checks: records each exchange, applies the timeout and tracks created resources.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use maitre_testkit::{Call, Error, Kind, Navigation, Reply};

use crate::abbreviate::abbreviated;
use crate::error::SetupError;
use crate::in_flight::InFlight;
use crate::response::Response;
use crate::tracker::Tracker;
use crate::verdict::{Exchange, Fault, Stop};

pub(crate) struct Wire {
    timeout: Duration,
    /// Values that are masked everywhere in a report.
    secrets: Vec<String>,
    exchanges: Mutex<Vec<Exchange>>,
    created: Arc<dyn Tracker>,
    in_flight: InFlight,
    on_reply: Option<Arc<OnReply>>,
    unreachable: AtomicBool,
}

/// Callback for every reply.
type OnReply = dyn Fn(&Reply) + Send + Sync;

/// A request without a response.
pub(crate) struct NoResponse {
    cause: String,
    is_connect: bool,
    index: usize,
}

impl NoResponse {
    /// Returns an error if the connection failed, because then there is nothing to check.
    pub(crate) fn unless_connected(self, url: &str) -> Result<(), SetupError> {
        if !self.is_connect {
            return Ok(());
        }
        let message = format!("cannot connect to {url}: start the add-on, or pass its address with --url");
        Err(SetupError::with_source(message, self.cause))
    }

    pub(crate) fn fault(&self, advice: &str) -> Stop {
        let message = format!("No response arrived: {}.", self.cause);
        Stop::Failed(Fault { message, advice: advice.to_owned(), exchange: Some(self.index) })
    }
}

impl From<NoResponse> for Stop {
    fn from(no_response: NoResponse) -> Self {
        no_response.fault(
            "Answer every request: look in the add-on's log for a crash or a deadlock during this request. A marketplace \
             counts the request as failed and retries it.",
        )
    }
}

impl Wire {
    pub(crate) fn new(timeout: Duration, secrets: Vec<String>, created: Arc<dyn Tracker>) -> Self {
        // a short value also occurs in ordinary words
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= 8).collect();
        let (exchanges, in_flight, unreachable) = (Mutex::default(), InFlight::new(), AtomicBool::new(false));
        Self { timeout, secrets, exchanges, created, in_flight, on_reply: None, unreachable }
    }

    /// Sets a callback for every reply.
    pub(crate) fn on_reply(mut self, callback: impl Fn(&Reply) + Send + Sync + 'static) -> Self {
        self.on_reply = Some(Arc::new(callback));
        self
    }

    /// Returns a wire for another worker, with the resources of that worker and no exchanges.
    pub(crate) fn fork(&self, created: Arc<dyn Tracker>) -> Self {
        let on_reply = self.on_reply.clone();
        Self { on_reply, ..Self::new(self.timeout, self.secrets.clone(), created) }
    }

    pub(crate) fn created(&self) -> &dyn Tracker {
        &*self.created
    }

    /// Waits until all requests are answered, at most this long.
    pub(crate) async fn wait_until_answered(&self, at_most: Duration) {
        self.in_flight.wait(at_most).await;
    }

    /// Returns the timeout of one request.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns whether a connection failed or a request timed out since the last call.
    pub(crate) fn take_unreachable(&self) -> bool {
        self.unreachable.swap(false, Ordering::Relaxed)
    }

    /// Returns all exchanges since the last call.
    pub(crate) fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a request; a missing response is a fault of the add-on.
    pub(crate) async fn send<K>(&self, call: Call<K>) -> Result<Response, Stop>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        Ok(self.try_send(call).await?)
    }

    /// Sends a request; the check decides what a missing response means.
    ///
    /// The request continues in its own task if the check is cancelled, so that the resource it creates is known.
    pub(crate) async fn try_send<K>(&self, call: Call<K>) -> Result<Response, NoResponse>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let request = call.request();
        let (created, on_reply, timeout) = (self.created.clone(), self.on_reply.clone(), self.timeout);
        created.register(&request);
        let in_flight = self.in_flight.begin();
        let sent_request = request.clone();
        let start = Instant::now();
        let sent = tokio::spawn(async move {
            let reply = tokio::time::timeout(timeout, call.try_send()).await;
            if let Ok(Ok(reply)) = &reply {
                created.record(reply);
                if let Some(on_reply) = on_reply {
                    on_reply(reply);
                }
            } else {
                created.record_unanswered(&sent_request);
            }
            drop(in_flight);
            reply
        });
        let duration = || start.elapsed();
        match sent.await {
            Ok(Ok(Ok(reply))) => Ok(self.record_reply(reply, duration())),
            Ok(Ok(Err(error))) => {
                self.unreachable.fetch_or(error.is_connect() || error.is_timeout(), Ordering::Relaxed);
                let no_response = self.record_failure(&request.to_string(), duration(), &root_cause(&error));
                Err(NoResponse { is_connect: error.is_connect(), ..no_response })
            }
            Ok(Err(_)) => {
                self.unreachable.store(true, Ordering::Relaxed);
                Err(self.record_failure(&request.to_string(), duration(), &self.timed_out()))
            }
            Err(_) => Err(self.record_failure(&request.to_string(), duration(), "the request could not be built")),
        }
    }

    /// Sends requests concurrently. The responses are in the order of the calls.
    pub(crate) async fn send_all<K>(&self, calls: impl IntoIterator<Item = Call<K>>) -> Result<Vec<Response>, Stop>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let responses = futures_util::future::join_all(calls.into_iter().map(|call| self.send(call))).await;
        responses.into_iter().collect()
    }

    /// Performs an action whose response is not observed, such as hanging up.
    pub(crate) async fn perform<K>(&self, call: &Call<K>, description: &str, action: impl Future<Output = ()> + Send)
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let request = call.request();
        let start = Instant::now();
        self.created.register(&request);
        let in_flight = self.in_flight.begin();
        let _ = tokio::time::timeout(self.timeout, action).await;
        self.created.record_unanswered(&request);
        drop(in_flight);
        self.record(&request.to_string(), None, start.elapsed(), &format!("{request}! {description}\n"));
    }

    /// Opens a page in the browser.
    pub(crate) async fn visit(&self, visit: Navigation<'_>) -> Result<Response, Stop> {
        let start = Instant::now();
        let request = format!("{visit:?}");
        match tokio::time::timeout(self.timeout, visit.try_send()).await {
            Ok(Ok(reply)) => Ok(self.record_reply(reply, start.elapsed())),
            Ok(Err(error)) => Err(self.record_failure(&request, start.elapsed(), &root_cause(&error)).into()),
            Err(_) => Err(self.record_failure(&request, start.elapsed(), &self.timed_out()).into()),
        }
    }

    /// Records a request that the add-on sent to the fake platform.
    pub(crate) fn record_platform_call(&self, exchange: &maitre_testkit::platform::Exchange) -> usize {
        let line = format!("> {} {} (the add-on calls Heroku)", exchange.method(), exchange.path());
        self.record(&line, exchange.status(), Duration::ZERO, &exchange.to_string())
    }

    fn timed_out(&self) -> String {
        format!("timed out after {} s", self.timeout.as_secs_f32())
    }

    fn record_reply(&self, reply: Reply, duration: Duration) -> Response {
        let index = self.record(&reply.request().to_string(), Some(reply.status()), duration, &reply.to_string());
        Response::new(reply, index, duration)
    }

    fn record_failure(&self, request: &str, duration: Duration, cause: &str) -> NoResponse {
        let index = self.record(request, None, duration, &format!("{request}! {cause}\n"));
        NoResponse { cause: cause.to_owned(), is_connect: false, index }
    }

    fn record(&self, request: &str, status: Option<u16>, duration: Duration, text: &str) -> usize {
        let line = request.lines().next().unwrap_or_default().trim_start_matches("> ");
        let request_line = abbreviated(&self.masked(line)).into_owned();
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let text = self.masked(&format!("{}\n{rest}", abbreviated(first)));
        let exchange = Exchange { request_line, status, duration, text };
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    /// Masks the secrets wherever they occur. Elsewhere, masking goes by field and header names.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[masked]"))
    }
}

/// Returns the innermost cause, which is the most specific one.
fn root_cause(error: &Error) -> String {
    if error.is_timeout() {
        return "the request timed out".to_owned();
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}
