//! What a run made at the vendor's, so that nothing of it stays.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maitre_testkit::{Call, Json, Reply, Request};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How often a removal that fails is tried, and how long it rests before.
const RESTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1)];

type Remove = Box<dyn Fn(&str) -> Call<Json> + Send + Sync>;

/// How a marketplace's resources come and go.
pub(crate) struct Ways {
    /// Where they are made by `POST`, and below which they are removed by `DELETE`.
    pub(crate) collection: String,
    /// The field of the request that names a resource before the vendor has given it an id.
    pub(crate) key: Option<&'static str>,
    pub(crate) remove: Remove,
}

pub(crate) struct Made {
    ways: Ways,
    things: Mutex<Vec<Thing>>,
    under_way: watch::Sender<usize>,
    /// Whether a removal failed for good: then the next ones are tried once each.
    given_up: AtomicBool,
}

struct Thing {
    key: Option<String>,
    id: Option<String>,
    /// Whether the vendor said so; else it may have made it all the same.
    certain: bool,
    /// Whether the vendor has answered the order at all; else it may still be at work.
    answered: bool,
    kept: bool,
}

impl Thing {
    fn is(&self, name: &str) -> bool {
        self.key.as_deref() == Some(name) || self.id.as_deref() == Some(name)
    }

    /// What to remove it by, the likeliest name first.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = [&self.id, &self.key].into_iter().flatten().cloned().collect();
        names.dedup();
        names
    }
}

/// A request that may make something and is not answered yet.
pub(crate) struct UnderWay(Arc<Made>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Made {
    pub(crate) fn new(ways: Ways) -> Self {
        let (under_way, _) = watch::channel(0);
        Self { ways, things: Mutex::default(), under_way, given_up: AtomicBool::new(false) }
    }

    fn things(&self) -> MutexGuard<'_, Vec<Thing>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is about to be sent.
    pub(crate) fn expect(self: &Arc<Self>, request: &Request) -> UnderWay {
        if self.makes(request)
            && let Some(key) = self.key(request)
        {
            let mut things = self.things();
            if !things.iter().any(|thing| thing.is(&key)) {
                things.push(Thing { key: Some(key), id: None, certain: false, answered: false, kept: false });
            }
        }
        self.under_way.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// A request was answered.
    pub(crate) fn note(&self, reply: &Reply) {
        let succeeded = (200..300).contains(&reply.status());
        let request = reply.request();
        if self.makes(request) && succeeded {
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let (key, id) = (self.key(request), text(&body["id"]));
            let mut things = self.things();
            match things.iter_mut().find(|thing| thing.key.is_some() && thing.key == key) {
                Some(thing) if thing.id.is_none() || thing.id == id => {
                    thing.id = id;
                    (thing.certain, thing.answered) = (true, true);
                }
                _ => things.push(Thing { key, id, certain: true, answered: true, kept: false }),
            }
        } else if self.makes(request) {
            let key = self.key(request);
            let mut things = self.things();
            things.iter_mut().filter(|thing| thing.key == key).for_each(|thing| thing.answered = true);
        } else if let Some(name) = self.removes(request) {
            let gone = succeeded || matches!(reply.status(), 404 | 410);
            if gone {
                self.things().retain(|thing| thing.kept || !thing.is(&name));
            }
        } else if let (true, Some(id)) = (succeeded, self.changes(request)) {
            // what was removed and can be changed is there again
            let mut things = self.things();
            if !things.iter().any(|thing| thing.is(id)) {
                things.push(Thing { key: None, id: Some(id.to_owned()), certain: true, answered: true, kept: false });
            }
        }
    }

    fn changes<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let id = path(request.url()).strip_prefix(&self.ways.collection)?.strip_prefix('/')?;
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        (request.method() == "PUT" && plain).then_some(id)
    }

    fn makes(&self, request: &Request) -> bool {
        request.method() == "POST" && path(request.url()) == self.ways.collection
    }

    fn key(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        text(&body[self.ways.key?]).filter(|key| !key.is_empty())
    }

    fn removes(&self, request: &Request) -> Option<String> {
        let things = self.things();
        let names = things.iter().flat_map(Thing::names);
        let here = |name: &String| (self.ways.remove)(name).url() == request.url();
        (request.method() == "DELETE").then(|| names.into_iter().find(here)).flatten()
    }

    /// Keeps a resource for the checks to come; [`Made::release`] gives it up.
    pub(crate) fn keep(&self, name: &str) {
        self.things().iter_mut().filter(|thing| thing.is(name)).for_each(|thing| thing.kept = true);
    }

    pub(crate) fn release(&self) {
        self.things().iter_mut().for_each(|thing| thing.kept = false);
    }

    /// Waits until all requests are answered, then removes all that is not kept. Returns what could not be.
    pub(crate) async fn clear(&self, patience: Duration) -> Vec<String> {
        let mut under_way = self.under_way.subscribe();
        let _ = timeout(patience, under_way.wait_for(|count| *count == 0)).await;
        let mut things = Vec::new();
        self.things().retain_mut(|thing| {
            if thing.kept {
                return true;
            }
            let (key, id) = (thing.key.take(), thing.id.take());
            things.push(Thing { key, id, certain: thing.certain, answered: thing.answered, kept: false });
            false
        });
        let removals = things.iter().map(|thing| self.remove(thing, patience));
        futures_util::future::join_all(removals).await.into_iter().flatten().collect()
    }

    /// Removes a thing, or says what became of the trial.
    async fn remove(&self, thing: &Thing, patience: Duration) -> Option<String> {
        let mut left = None;
        let tries = if self.given_up.load(Ordering::Relaxed) { 1 } else { RESTS.len() };
        for rest in &RESTS[..tries] {
            sleep(*rest).await;
            left = None;
            for name in thing.names() {
                match timeout(patience, (self.ways.remove)(&name).try_send()).await {
                    Ok(Ok(reply)) if (200..300).contains(&reply.status()) || reply.status() == 410 => return None,
                    Ok(Ok(reply)) if reply.status() == 404 => {} // perhaps by its other name
                    Ok(Ok(reply)) => left = Some(format!("{name} (its DELETE is answered {})", reply.status())),
                    Ok(Err(_)) | Err(_) => left = Some(format!("{name} (its DELETE is not answered)")),
                }
            }
            let unheard = left.is_none() && !thing.answered; // it may yet be made
            if !unheard && (left.is_none() || !thing.certain) {
                return None;
            }
        }
        self.given_up.fetch_or(left.is_some(), Ordering::Relaxed);
        left
    }
}

/// Ids are texts or whole numbers.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn path(url: &str) -> &str {
    url.split('?').next().unwrap_or_default().trim_end_matches('/')
}
