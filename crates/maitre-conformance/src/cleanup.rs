//! Tracks the resources a run created so that they can be deleted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maitre_testkit::{Call, Json, Reply, Request};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::rules::id_text;

/// Delays before each attempt to deprovision a resource.
const RETRY_DELAYS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1)];

type Deprovision = Box<dyn Fn(&str) -> Call<Json> + Send + Sync>;

/// Requests that create and delete resources.
pub(crate) struct Routes {
    /// URL that a `POST` creates resources at. Resources are deleted by `DELETE` on URLs below it.
    pub(crate) collection: String,
    /// Field of the provision request that holds the marketplace's key.
    pub(crate) key: Option<&'static str>,
    pub(crate) deprovision: Deprovision,
}

/// Resources created by a run.
pub(crate) struct Created {
    routes: Routes,
    resources: Mutex<Vec<Resource>>,
    in_flight: watch::Sender<usize>,
    /// Whether a deprovision failed for good. Further ones get a single attempt.
    failed: AtomicBool,
}

struct Resource {
    key: Option<String>,
    provider_id: Option<String>,
    /// Whether the add-on reported that it created the resource. Otherwise it may have created it anyway.
    confirmed: bool,
    /// Whether the provision was answered. Otherwise the add-on may still be working on it.
    answered: bool,
    kept: bool,
}

impl Resource {
    fn is_named(&self, id: &str) -> bool {
        self.key.as_deref() == Some(id) || self.provider_id.as_deref() == Some(id)
    }

    /// Returns the ids to delete it by, the most likely one first.
    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = [&self.provider_id, &self.key].into_iter().flatten().cloned().collect();
        ids.dedup();
        ids
    }
}

/// Guard of a request that may create something and was not answered yet.
pub(crate) struct InFlight(Arc<Created>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|count| *count -= 1);
    }
}

impl Created {
    pub(crate) fn new(routes: Routes) -> Self {
        let (in_flight, _) = watch::channel(0);
        Self { routes, resources: Mutex::default(), in_flight, failed: AtomicBool::new(false) }
    }

    fn resources(&self) -> MutexGuard<'_, Vec<Resource>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a request before it is sent.
    pub(crate) fn register(self: &Arc<Self>, request: &Request) -> InFlight {
        if self.is_provision(request)
            && let Some(key) = self.key(request)
        {
            let mut resources = self.resources();
            if !resources.iter().any(|resource| resource.is_named(&key)) {
                let (key, provider_id) = (Some(key), None);
                resources.push(Resource { key, provider_id, confirmed: false, answered: false, kept: false });
            }
        }
        self.in_flight.send_modify(|count| *count += 1);
        InFlight(self.clone())
    }

    /// Records the response to a request.
    pub(crate) fn record(&self, reply: &Reply) {
        let succeeded = (200..300).contains(&reply.status());
        let request = reply.request();
        if self.is_provision(request) && succeeded {
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let (key, provider_id) = (self.key(request), id_text(&body["id"]));
            let mut resources = self.resources();
            match resources.iter_mut().find(|resource| resource.key.is_some() && resource.key == key) {
                Some(resource) if resource.provider_id.is_none() || resource.provider_id == provider_id => {
                    resource.provider_id = provider_id;
                    (resource.confirmed, resource.answered) = (true, true);
                }
                _ => resources.push(Resource { key, provider_id, confirmed: true, answered: true, kept: false }),
            }
        } else if self.is_provision(request) {
            let key = self.key(request);
            let mut resources = self.resources();
            resources.iter_mut().filter(|resource| resource.key == key).for_each(|resource| resource.answered = true);
        } else if let Some(id) = self.deprovisioned_id(request) {
            let is_gone = succeeded || matches!(reply.status(), 404 | 410);
            if is_gone {
                self.resources().retain(|resource| resource.kept || !resource.is_named(&id));
            }
        } else if let (true, Some(id)) = (succeeded, self.changed_id(request)) {
            // a deprovisioned resource whose plan can be changed exists again
            let mut resources = self.resources();
            if !resources.iter().any(|resource| resource.is_named(id)) {
                let (key, provider_id) = (None, Some(id.to_owned()));
                resources.push(Resource { key, provider_id, confirmed: true, answered: true, kept: false });
            }
        }
    }

    fn changed_id<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let id = path(request.url()).strip_prefix(&self.routes.collection)?.strip_prefix('/')?;
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        (request.method() == "PUT" && is_plain).then_some(id)
    }

    fn is_provision(&self, request: &Request) -> bool {
        request.method() == "POST" && path(request.url()) == self.routes.collection
    }

    fn key(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        id_text(&body[self.routes.key?]).filter(|key| !key.is_empty())
    }

    fn deprovisioned_id(&self, request: &Request) -> Option<String> {
        let resources = self.resources();
        let mut ids = resources.iter().flat_map(Resource::ids);
        let is_target = |id: &String| (self.routes.deprovision)(id).url() == request.url();
        (request.method() == "DELETE").then(|| ids.find(is_target)).flatten()
    }

    /// Keeps a resource for the next checks, until [`Created::release_kept`].
    pub(crate) fn keep(&self, id: &str) {
        self.resources().iter_mut().filter(|resource| resource.is_named(id)).for_each(|resource| resource.kept = true);
    }

    pub(crate) fn release_kept(&self) {
        self.resources().iter_mut().for_each(|resource| resource.kept = false);
    }

    /// Waits until all requests are answered, then deprovisions everything that is not kept. Returns a description of
    /// each resource that could not be deprovisioned.
    pub(crate) async fn remove_all(&self, request_timeout: Duration) -> Vec<String> {
        let mut in_flight = self.in_flight.subscribe();
        let _ = timeout(request_timeout, in_flight.wait_for(|count| *count == 0)).await;
        let resources: Vec<_> = self.resources().extract_if(.., |resource| !resource.kept).collect();
        let removals = resources.iter().map(|resource| self.remove(resource, request_timeout));
        futures_util::future::join_all(removals).await.into_iter().flatten().collect()
    }

    /// Deprovisions a resource; returns a description of the failure.
    async fn remove(&self, resource: &Resource, request_timeout: Duration) -> Option<String> {
        let mut failure = None;
        let attempts = if self.failed.load(Ordering::Relaxed) { 1 } else { RETRY_DELAYS.len() };
        for delay in &RETRY_DELAYS[..attempts] {
            sleep(*delay).await;
            failure = None;
            for id in resource.ids() {
                match timeout(request_timeout, (self.routes.deprovision)(&id).try_send()).await {
                    Ok(Ok(reply)) if (200..300).contains(&reply.status()) || reply.status() == 410 => return None,
                    Ok(Ok(reply)) if reply.status() == 404 => {} // the add-on may know it by its other id
                    Ok(Ok(reply)) => failure = Some(format!("{id} (DELETE was answered {})", reply.status())),
                    Ok(Err(_)) | Err(_) => failure = Some(format!("{id} (DELETE was not answered)")),
                }
            }
            let may_still_appear = failure.is_none() && !resource.answered;
            if !may_still_appear && (failure.is_none() || !resource.confirmed) {
                return None;
            }
        }
        self.failed.fetch_or(failure.is_some(), Ordering::Relaxed);
        failure
    }
}

fn path(url: &str) -> &str {
    url.split('?').next().unwrap_or_default().trim_end_matches('/')
}
