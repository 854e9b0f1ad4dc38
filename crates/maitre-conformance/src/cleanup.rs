//! Tracks the resources that a run created at a marketplace like Heroku, so that they can be deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maitre_testkit::{Call, Json, Kind, Reply, Request};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::abbreviate::abbreviated;
use crate::rules::id_text;
use crate::tracker::{LeftBehind, Tracker};

/// Delays before each attempt to deprovision a resource.
const RETRY_DELAYS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1)];

/// Upper limit of the number of DELETEs for one resource.
const MAX_DUPLICATES: usize = 64;

type Deprovision = Box<dyn Fn(&str) -> Call<Json> + Send + Sync>;
type ChangePlan<K> = Box<dyn Fn(&str) -> Call<K> + Send + Sync>;

/// Requests that create and delete resources. `K` is the kind of a plan change.
pub(crate) struct Routes<K: Kind> {
    /// URL that a `POST` creates resources at. Resources are deleted by `DELETE` on URLs below it.
    pub(crate) collection: String,
    /// Field of the provision request that holds the marketplace's key.
    pub(crate) key: Option<&'static str>,
    pub(crate) deprovision: Deprovision,
    /// Change to the plan that was provisioned.
    pub(crate) plan_change: ChangePlan<K>,
}

/// Resources created by a run.
pub(crate) struct Created<K: Kind> {
    routes: Routes<K>,
    resources: Mutex<Vec<Resource>>,
    /// Whether a deprovision failed for good. Further ones get a single attempt.
    failed: AtomicBool,
    /// Number of resources that no request can name.
    unnamed: AtomicUsize,
    ids: Ids,
}

/// Keys of the resources that were created with each id, by all workers of a run.
#[derive(Clone, Default)]
pub(crate) struct Ids(Arc<Mutex<BTreeMap<String, BTreeSet<Option<String>>>>>);

impl Ids {
    fn record(&self, id: &str, key: Option<String>) {
        self.lock().entry(id.to_owned()).or_default().insert(key);
    }

    /// Returns whether several resources have this id, so that a DELETE by the id may reach another one.
    fn is_shared(&self, id: &str) -> bool {
        self.lock().get(id).is_some_and(|keys| keys.len() > 1)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<Option<String>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Response to a provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provision {
    /// There is none: the add-on may still be working on it.
    Unanswered,
    /// It is not a success. The add-on may have created the resource anyway.
    Refused,
    /// It is a success.
    Confirmed,
}

struct Resource {
    key: Option<String>,
    provider_id: Option<String>,
    /// Number of provision requests with its key. Each may have created a resource.
    posts: usize,
    /// Whether a check deprovisioned it, or may have done so.
    deleted: bool,
    provision: Provision,
    kept: bool,
}

impl Resource {
    fn new(key: Option<String>, provider_id: Option<String>, provision: Provision) -> Self {
        Self { key, provider_id, posts: 1, deleted: false, provision, kept: false }
    }

    fn has_duplicates(&self) -> bool {
        self.posts > 1
    }

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

impl<K> Created<K>
where
    K: Kind + Send + Sync + 'static,
    K::Value: Send + Sync,
{
    pub(crate) fn new(routes: Routes<K>, ids: Ids) -> Self {
        let (failed, unnamed) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { routes, resources: Mutex::default(), failed, unnamed, ids }
    }

    fn resources(&self) -> MutexGuard<'_, Vec<Resource>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed_id<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let id = path(request.url()).strip_prefix(&self.routes.collection)?.strip_prefix('/')?;
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        (["PUT", "PATCH"].contains(&request.method()) && is_plain).then_some(id)
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

    fn has_shared_id(&self, resource: &Resource) -> bool {
        resource.provider_id.as_deref().is_some_and(|id| self.ids.is_shared(id))
    }

    /// Returns whether a successful DELETE does not settle it: there may be duplicates, or its provision is in progress.
    fn needs_proof(&self, resource: &Resource) -> bool {
        resource.has_duplicates() || resource.provision == Provision::Unanswered || self.has_shared_id(resource)
    }

    /// Deprovisions a resource; returns a description of what is left of it.
    async fn remove(&self, resource: &Resource, request_timeout: Duration) -> Option<String> {
        let is_shared = self.has_shared_id(resource);
        let mut ids = resource.ids();
        if is_shared {
            ids.reverse();
        }
        let is_confirmed = resource.provision == Provision::Confirmed;
        let Some(name) = ids.first() else { return is_confirmed.then(|| self.unnamed()) };
        let mut failure = None;
        // after a DELETE whose result is unknown, a 404 is expected
        let mut deleted = resource.deleted;
        let attempts = if self.failed.load(Ordering::Relaxed) { 1 } else { RETRY_DELAYS.len() };
        for delay in &RETRY_DELAYS[..attempts] {
            sleep(*delay).await;
            let mut seen = Seen::default();
            let mut is_settled = !is_shared;
            for id in &ids {
                if !seen.is_gone() {
                    self.delete_until_gone(resource, id, request_timeout, &mut seen).await;
                } else if resource.has_duplicates() {
                    // the others may only be known by this id; the add-on need not find resources by it
                    self.delete_until_gone(resource, id, request_timeout, &mut Seen::default()).await;
                }
                is_settled |= seen.is_gone() && resource.key.as_ref() == Some(id);
            }
            failure = seen.failure.take();
            if failure.is_some() {
                deleted = true;
                if is_confirmed {
                    continue;
                }
                break; // the add-on refused both requests
            }
            if !is_settled {
                failure = Some("its id is that of another resource, which DELETE may have reached instead".to_owned());
                break;
            }
            if seen.deleted || deleted {
                failure = self.proof_of_existence(resource, &seen, request_timeout).await;
                break;
            }
            // each DELETE was answered 404
            match resource.provision {
                Provision::Confirmed => {
                    failure = Some("DELETE was answered 404, but the provision had succeeded".to_owned());
                }
                Provision::Refused => break,
                Provision::Unanswered => {} // it may still appear
            }
        }
        let failure = failure.filter(|_| is_confirmed)?;
        self.failed.store(true, Ordering::Relaxed);
        let requests = match resource.posts {
            0 | 1 => String::new(),
            posts => format!("; it was provisioned by {posts} requests"),
        };
        Some(format!("{} ({failure}{requests})", abbreviated(name)))
    }

    /// Sends DELETE once, or, after duplicates, until the add-on answers 404 or 410: each of them may have made a resource
    /// under the same id.
    async fn delete_until_gone(&self, resource: &Resource, id: &str, request_timeout: Duration, seen: &mut Seen) {
        let attempts = if resource.has_duplicates() { resource.posts.min(MAX_DUPLICATES) + 1 } else { 1 };
        for _ in 0..attempts {
            match timeout(request_timeout, (self.routes.deprovision)(id).try_send()).await {
                Ok(Ok(reply)) if (200..300).contains(&reply.status()) => {
                    seen.deleted = true;
                    seen.is_pending |= reply.status() == 202;
                    if seen.is_pending {
                        return;
                    }
                }
                Ok(Ok(reply)) if reply.status() == 410 => {
                    seen.is_refused = true;
                    seen.deleted = true;
                    return;
                }
                Ok(Ok(reply)) if reply.status() == 404 => {
                    seen.is_refused = true; // the add-on may know it by its other id
                    return;
                }
                Ok(Ok(reply)) => {
                    seen.failure = Some(format!("DELETE was answered {}", reply.status()));
                    return;
                }
                Ok(Err(_)) | Err(_) => {
                    seen.failure = Some("DELETE was not answered".to_owned());
                    return;
                }
            }
        }
    }

    /// Tests by a plan change whether a resource with duplicates still exists. A single one is gone after its DELETE.
    async fn proof_of_existence(&self, resource: &Resource, seen: &Seen, request_timeout: Duration) -> Option<String> {
        if !resource.has_duplicates() || seen.is_pending {
            return None;
        }
        for (position, id) in resource.ids().into_iter().enumerate() {
            match timeout(request_timeout, (self.routes.plan_change)(&id).try_send()).await {
                Ok(Ok(reply)) if (200..300).contains(&reply.status()) => {
                    return Some("a plan change still succeeds after its DELETE".to_owned());
                }
                Ok(Ok(reply)) if reply.status() < 500 || seen.is_refused || position > 0 => {}
                Ok(Ok(reply)) => {
                    let status = reply.status();
                    return Some(format!("not known whether it still exists: a plan change is answered {status}"));
                }
                Ok(Err(_)) | Err(_) if position > 0 => {}
                Ok(Err(_)) | Err(_) => {
                    return Some("not known whether it still exists: a plan change is not answered".to_owned());
                }
            }
        }
        None
    }

    /// Returns the name of a resource that no request can name.
    fn unnamed(&self) -> String {
        let number = self.unnamed.fetch_add(1, Ordering::Relaxed) + 1;
        format!("unnamed resource {number} (a provision without a uuid succeeded, and its response has no id)")
    }
}

impl<K> Tracker for Created<K>
where
    K: Kind + Send + Sync + 'static,
    K::Value: Send + Sync,
{
    fn register(&self, request: &Request) {
        if self.is_provision(request)
            && let Some(key) = self.key(request)
        {
            let mut resources = self.resources();
            match resources.iter_mut().find(|resource| resource.is_named(&key)) {
                Some(resource) => resource.posts += 1,
                None => resources.push(Resource::new(Some(key), None, Provision::Unanswered)),
            }
        }
    }

    fn record(&self, reply: &Reply) {
        let succeeded = (200..300).contains(&reply.status());
        let request = reply.request();
        if self.is_provision(request) && succeeded {
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let (key, provider_id) = (self.key(request), id_text(&body["id"]));
            if let Some(id) = &provider_id {
                self.ids.record(id, key.clone());
            }
            let mut resources = self.resources();
            match resources.iter_mut().find(|resource| resource.key.is_some() && resource.key == key) {
                Some(resource) if resource.provider_id.is_none() || resource.provider_id == provider_id => {
                    resource.provider_id = provider_id;
                    resource.provision = Provision::Confirmed;
                }
                _ => resources.push(Resource::new(key, provider_id, Provision::Confirmed)),
            }
        } else if self.is_provision(request) {
            let key = self.key(request);
            let mut resources = self.resources();
            let unanswered = |it: &&mut Resource| it.key == key && it.provision == Provision::Unanswered;
            resources.iter_mut().filter(unanswered).for_each(|resource| resource.provision = Provision::Refused);
        } else if let Some(id) = self.deprovisioned_id(request) {
            if reply.status() >= 500 {
                self.record_unanswered(request);
            }
            // a 404 does not show that it was deleted, and one DELETE does not show that its duplicates were
            if succeeded || reply.status() == 410 {
                let mut resources = self.resources();
                resources.retain(|resource| resource.kept || !resource.is_named(&id) || self.needs_proof(resource));
                resources.iter_mut().filter(|resource| resource.is_named(&id)).for_each(|it| it.deleted = true);
            }
        } else if let (true, Some(id)) = (succeeded, self.changed_id(request)) {
            // a deprovisioned resource whose plan can be changed exists again
            let mut resources = self.resources();
            if !resources.iter().any(|resource| resource.is_named(id)) {
                resources.push(Resource::new(None, Some(id.to_owned()), Provision::Confirmed));
            }
        }
    }

    fn record_unanswered(&self, request: &Request) {
        if let Some(id) = self.deprovisioned_id(request) {
            self.resources().iter_mut().filter(|resource| resource.is_named(&id)).for_each(|it| it.deleted = true);
        }
    }

    fn keep(&self, id: &str) {
        self.resources().iter_mut().filter(|resource| resource.is_named(id)).for_each(|resource| resource.kept = true);
    }

    fn release_kept(&self) {
        self.resources().iter_mut().for_each(|resource| resource.kept = false);
    }

    fn remove_all(&self, request_timeout: Duration) -> LeftBehind<'_> {
        let resources: Vec<_> = self.resources().extract_if(.., |resource| !resource.kept).collect();
        Box::pin(async move {
            let removals = resources.iter().map(|resource| self.remove(resource, request_timeout));
            futures_util::future::join_all(removals).await.into_iter().flatten().collect()
        })
    }
}

/// Result of the DELETEs of a resource so far.
#[derive(Default)]
struct Seen {
    /// Whether a DELETE succeeded, or was answered 410.
    deleted: bool,
    /// Whether a DELETE was answered 404 or 410.
    is_refused: bool,
    /// Whether a DELETE was answered 202.
    is_pending: bool,
    failure: Option<String>,
}

impl Seen {
    fn is_gone(&self) -> bool {
        self.deleted && self.failure.is_none()
    }
}

fn path(url: &str) -> &str {
    url.split('?').next().unwrap_or_default().trim_end_matches('/')
}
