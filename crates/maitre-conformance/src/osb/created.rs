//! Tracks the instances and bindings that a run created, so that they can be deleted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use maitre_testkit::osb::InstanceId;
use maitre_testkit::{Osb, Reply, Request};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::abbreviate::abbreviated;
use crate::tracker::{LeftBehind, Tracker};

const INSTANCES: &str = "/v2/service_instances/";
const BINDINGS: &str = "/service_bindings/";

/// Delay before a DELETE or a poll is repeated.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Number of DELETEs that may fail. The delay after each is three times the one before.
const MAX_FAILURES: u32 = 4;

/// Instances and bindings created by a run, by the paths of their requests.
pub(crate) struct Created {
    osb: Osb,
    root: String,
    /// Time that an asynchronous DELETE has to complete.
    async_timeout: Duration,
    /// Service and plan for the DELETE of something that was provisioned without them.
    fallback: OnceLock<(String, String)>,
    entries: Mutex<Vec<Entry>>,
    /// Whether a DELETE failed for good. Further ones get a single attempt.
    failed: AtomicBool,
}

/// Response to a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Creation {
    /// There is none, or a server error: the broker may have created it, or may still do so.
    Unknown,
    /// A client error. The broker may have created it anyway.
    Refused,
    /// A success.
    Confirmed,
}

#[derive(Clone)]
struct Entry {
    /// Path below the root, as it was sent.
    path: String,
    ids: Option<(String, String)>,
    creation: Creation,
    /// Whether a check deleted it, or may have done so.
    deleted: bool,
    kept: bool,
}

impl Created {
    pub(super) fn new(osb: Osb, root: &str, async_timeout: Duration) -> Self {
        let (root, fallback) = (root.to_owned(), OnceLock::new());
        Self { osb, root, async_timeout, fallback, entries: Mutex::default(), failed: AtomicBool::new(false) }
    }

    /// Sets service and plan for things that were provisioned without them.
    pub(super) fn set_fallback(&self, service_id: &str, plan_id: &str) {
        let _ = self.fallback.set((service_id.to_owned(), plan_id.to_owned())); // set only once
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the path below the root if the request is about one instance or binding.
    fn path<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let path = request.url().strip_prefix(&self.root)?.split('?').next()?;
        let rest = path.strip_prefix(INSTANCES)?;
        let (instance, binding) = rest.split_once(BINDINGS).unwrap_or((rest, "-"));
        (!instance.is_empty() && !binding.is_empty() && !instance.contains('/') && !binding.contains('/'))
            .then_some(path)
    }

    /// Deletes one thing; returns a description of what is left of it.
    async fn remove(&self, entry: &Entry, request_timeout: Duration) -> Option<String> {
        let deadline = Instant::now() + self.async_timeout;
        let max_failures = if self.failed.load(Ordering::Relaxed) { 1 } else { MAX_FAILURES };
        let mut failures = 0;
        let mut settled = 0;
        loop {
            let (problem, operation) = match timeout(request_timeout, self.delete(entry).try_send()).await {
                Ok(Ok(reply)) if matches!(reply.status(), 200 | 410) => {
                    settled += 1;
                    if entry.creation != Creation::Unknown || settled > 1 {
                        return None;
                    }
                    sleep(RETRY_DELAY).await; // it may still appear
                    continue;
                }
                Ok(Ok(reply)) if reply.status() == 404 && entry.deleted => return None,
                Ok(Ok(reply)) if reply.status() == 202 => ("DELETE does not complete".to_owned(), Some(reply)),
                Ok(Ok(reply)) => (format!("DELETE was answered {}", reply.status()), None),
                Ok(Err(_)) | Err(_) => ("DELETE was not answered".to_owned(), None),
            };
            let is_concurrent = problem.ends_with(" 422");
            if let Some(reply) = operation {
                if self.poll_until_gone(entry, &reply, deadline, request_timeout).await {
                    return None;
                }
            } else if !is_concurrent {
                failures += 1;
            }
            if failures >= max_failures || Instant::now() >= deadline {
                let is_confirmed = entry.creation == Creation::Confirmed;
                self.failed.fetch_or(is_confirmed, Ordering::Relaxed);
                return is_confirmed.then(|| format!("{} ({problem})", abbreviated(&entry.path)));
            }
            sleep(RETRY_DELAY * 3_u32.pow(failures.saturating_sub(1))).await;
        }
    }

    fn ids(&self, entry: &Entry) -> (String, String) {
        entry.ids.clone().or_else(|| self.fallback.get().cloned()).unwrap_or_default()
    }

    fn delete(&self, entry: &Entry) -> maitre_testkit::Call<maitre_testkit::osb::Operation> {
        let (service_id, plan_id) = self.ids(entry);
        let call = self.osb.deprovision(&InstanceId::new("-", &service_id, &plan_id));
        let query = call.url().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        call.path(format!("{}?{query}", entry.path))
    }

    /// Polls an asynchronous DELETE; returns whether it completed.
    async fn poll_until_gone(
        &self,
        entry: &Entry,
        reply: &Reply,
        deadline: Instant,
        request_timeout: Duration,
    ) -> bool {
        let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let (service_id, plan_id) = self.ids(entry);
        let call = self.osb.last_operation(&InstanceId::new("-", &service_id, &plan_id), body["operation"].as_str());
        let query = call.url().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let call = call.path(format!("{}/last_operation?{query}", entry.path));
        while Instant::now() < deadline {
            match timeout(request_timeout, call.clone().try_send()).await {
                Ok(Ok(reply)) if matches!(reply.status(), 404 | 410) => return true,
                Ok(Ok(reply)) if reply.status() == 200 => {
                    let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
                    match body["state"].as_str() {
                        Some("succeeded") => return true,
                        Some("failed") => return false,
                        _ => {}
                    }
                }
                _ => {}
            }
            sleep(RETRY_DELAY).await;
        }
        false
    }
}

impl Tracker for Created {
    fn register(&self, request: &Request) {
        let Some(path) = self.path(request).filter(|_| request.method() == "PUT") else { return };
        let mut entries = self.entries();
        if entries.iter().any(|entry| entry.path == path) {
            return;
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let ids = text("service_id").zip(text("plan_id"));
        entries.push(Entry { path: path.to_owned(), ids, creation: Creation::Unknown, deleted: false, kept: false });
    }

    fn record(&self, reply: &Reply) {
        let (request, status) = (reply.request(), reply.status());
        let Some(path) = self.path(request) else { return };
        let mut entries = self.entries();
        match request.method() {
            "PUT" => {
                for entry in entries.iter_mut().filter(|entry| entry.path == path) {
                    match status {
                        200..=299 => entry.creation = Creation::Confirmed,
                        400..=499 if entry.creation == Creation::Unknown => entry.creation = Creation::Refused,
                        _ => {}
                    }
                }
            }
            "PATCH" if (200..300).contains(&status) => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                for entry in entries.iter_mut().filter(|entry| entry.path == path) {
                    if let (Some((_, plan)), Some(new)) = (&mut entry.ids, body["plan_id"].as_str()) {
                        new.clone_into(plan);
                    }
                }
            }
            "DELETE" if matches!(status, 200 | 410) => {
                // bindings end with their instance
                entries.iter_mut().filter(|it| it.path.starts_with(path)).for_each(|entry| entry.deleted = true);
                // a provision whose response was lost may be completed later
                entries.retain(|entry| entry.path != path || entry.kept || entry.creation == Creation::Unknown);
            }
            "DELETE" if status == 202 || status >= 500 => {
                entries.iter_mut().filter(|entry| entry.path == path).for_each(|entry| entry.deleted = true);
            }
            _ => {}
        }
    }

    fn record_unanswered(&self, request: &Request) {
        let Some(path) = self.path(request).filter(|_| request.method() == "DELETE") else { return };
        self.entries().iter_mut().filter(|entry| entry.path == path).for_each(|entry| entry.deleted = true);
    }

    fn keep(&self, id: &str) {
        self.entries().iter_mut().filter(|entry| entry.path.ends_with(id)).for_each(|entry| entry.kept = true);
    }

    fn release_kept(&self) {
        self.entries().iter_mut().for_each(|entry| entry.kept = false);
    }

    fn remove_all(&self, request_timeout: Duration) -> LeftBehind<'_> {
        let removed: Vec<_> = self.entries().extract_if(.., |entry| !entry.kept).collect();
        let (bindings, instances): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|entry| entry.path.contains(BINDINGS));
        Box::pin(async move {
            let mut left = join_all(bindings.iter().map(|entry| self.remove(entry, request_timeout))).await;
            left.extend(join_all(instances.iter().map(|entry| self.remove(entry, request_timeout))).await);
            left.into_iter().flatten().collect()
        })
    }
}
