//! Everything that a check sends goes through here: it is written down, bounded in time, and what it makes is remembered.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use maitre_testkit::{Call, Error, Kind, Reply, Visit};

use crate::error::CannotRun;
use crate::made::Made;
use crate::seen::Seen;
use crate::verdict::{Exchange, Stop};

pub(crate) struct Wire {
    patience: Duration,
    /// Values that no report may show, wherever they turn up.
    secrets: Vec<String>,
    trace: Mutex<Vec<Exchange>>,
    made: Arc<Made>,
    witness: Option<Arc<Witness>>,
    lost: AtomicBool,
}

/// Hears of every answer.
type Witness = dyn Fn(&Reply) + Send + Sync;

/// No answer came.
pub(crate) struct Silence {
    cause: String,
    unreachable: bool,
    number: usize,
}

impl Silence {
    /// That nobody is there, where no connection came about: then there is nothing to check.
    pub(crate) fn nobody_at(self, target: &str) -> Result<(), CannotRun> {
        if !self.unreachable {
            return Ok(());
        }
        let sentence = format!("nobody answers at {target}: start the add-on, or say where it runs with --url");
        Err(CannotRun::because(sentence, self.cause))
    }

    pub(crate) fn fault(&self, advice: &str) -> Stop {
        let why = format!("There is no answer: {}.", self.cause);
        Stop::Failed(crate::verdict::Fault { why, advice: advice.to_owned(), exchange: Some(self.number) })
    }
}

impl From<Silence> for Stop {
    fn from(silence: Silence) -> Self {
        silence.fault(
            "Answer every request: look into the add-on's log for a crash or a deadlock at this call. A marketplace \
             counts it as failed and tries again.",
        )
    }
}

impl Wire {
    pub(crate) fn new(patience: Duration, secrets: Vec<String>, made: Made) -> Self {
        // what is short is found in every other word
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= 8).collect();
        let (trace, made) = (Mutex::default(), Arc::new(made));
        Self { patience, secrets, trace, made, witness: None, lost: AtomicBool::new(false) }
    }

    /// Tells somebody of every answer.
    pub(crate) fn witnessed_by(mut self, witness: impl Fn(&Reply) + Send + Sync + 'static) -> Self {
        self.witness = Some(Arc::new(witness));
        self
    }

    pub(crate) fn made(&self) -> &Arc<Made> {
        &self.made
    }

    /// How long an answer may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether since this was last asked the add-on could not be connected to, or let the time for an answer pass.
    pub(crate) fn was_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// All exchanges since this was last asked.
    pub(crate) fn take_trace(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.trace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a call; no answer is a fault of the add-on.
    pub(crate) async fn send<K>(&self, call: Call<K>) -> Result<Seen, Stop>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        Ok(self.attempt(call).await?)
    }

    /// Sends a call and leaves it to the check what a missing answer means.
    ///
    /// The request goes on in a task of its own when the check is given up, so that what it makes is known.
    pub(crate) async fn attempt<K>(&self, call: Call<K>) -> Result<Seen, Silence>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let request = call.request();
        let (made, witness, patience) = (self.made.clone(), self.witness.clone(), self.patience);
        let under_way = made.expect(&request);
        let start = Instant::now();
        let sent = tokio::spawn(async move {
            let answer = tokio::time::timeout(patience, call.try_send()).await;
            if let Ok(Ok(reply)) = &answer {
                made.note(reply);
                if let Some(witness) = witness {
                    witness(reply);
                }
            }
            drop(under_way);
            answer
        });
        let took = || start.elapsed();
        match sent.await {
            Ok(Ok(Ok(reply))) => Ok(self.write_down(reply, took())),
            Ok(Ok(Err(error))) => {
                self.lost.fetch_or(error.is_connect() || error.is_timeout(), Ordering::Relaxed);
                let silence = self.no_answer(&request.to_string(), took(), &told(&error));
                Err(Silence { unreachable: error.is_connect(), ..silence })
            }
            Ok(Err(_)) => {
                self.lost.store(true, Ordering::Relaxed);
                Err(self.no_answer(&request.to_string(), took(), &self.too_long()))
            }
            Err(_) => Err(self.no_answer(&request.to_string(), took(), "the request could not be made")),
        }
    }

    /// Sends them all at the same time. The answers are in the order of the calls.
    pub(crate) async fn send_all<K>(&self, calls: impl IntoIterator<Item = Call<K>>) -> Result<Vec<Seen>, Stop>
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let answers = futures_util::future::join_all(calls.into_iter().map(|call| self.send(call))).await;
        answers.into_iter().collect()
    }

    /// Does something to the add-on that has no answer to look at, such as hanging up.
    pub(crate) async fn disturb<K>(&self, call: &Call<K>, what: &str, doing: impl Future<Output = ()> + Send)
    where
        K: Kind + Send + Sync + 'static,
        K::Value: Send + Sync,
    {
        let request = call.request();
        let start = Instant::now();
        let under_way = self.made.expect(&request);
        let _ = tokio::time::timeout(self.patience, doing).await;
        drop(under_way);
        self.push(&request.to_string(), None, start.elapsed(), &format!("{request}! {what}\n"));
    }

    /// Opens a page in a browser.
    pub(crate) async fn visit(&self, visit: Visit<'_>) -> Result<Seen, Stop> {
        let start = Instant::now();
        let printed = format!("{visit:?}");
        match tokio::time::timeout(self.patience, visit.try_send()).await {
            Ok(Ok(reply)) => Ok(self.write_down(reply, start.elapsed())),
            Ok(Err(error)) => Err(self.no_answer(&printed, start.elapsed(), &told(&error)).into()),
            Err(_) => Err(self.no_answer(&printed, start.elapsed(), &self.too_long()).into()),
        }
    }

    /// Writes down what the add-on asked of somebody else.
    pub(crate) fn overheard(&self, exchange: &maitre_testkit::platform::Exchange) -> usize {
        let line = format!("> {} {} (the add-on asks Heroku)", exchange.method(), exchange.path());
        self.push(&line, exchange.status(), Duration::ZERO, &exchange.to_string())
    }

    fn too_long(&self) -> String {
        format!("no answer within {} s", self.patience.as_secs_f32())
    }

    fn write_down(&self, reply: Reply, took: Duration) -> Seen {
        let number = self.push(&reply.request().to_string(), Some(reply.status()), took, &reply.to_string());
        Seen::new(reply, number, took)
    }

    fn no_answer(&self, request: &str, took: Duration, why: &str) -> Silence {
        let number = self.push(request, None, took, &format!("{request}! {why}\n"));
        Silence { cause: why.to_owned(), unreachable: false, number }
    }

    fn push(&self, request: &str, status: Option<u16>, took: Duration, text: &str) -> usize {
        let line = request.lines().next().unwrap_or_default().trim_start_matches("> ");
        let exchange = Exchange { line: self.masked(line), status, took, text: self.masked(text) };
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        trace.push(exchange);
        trace.len() - 1
    }

    /// Names decide what is masked elsewhere; these values are masked under any name.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[masked]"))
    }
}

/// The innermost cause is the one that says what happened.
fn told(error: &Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}
