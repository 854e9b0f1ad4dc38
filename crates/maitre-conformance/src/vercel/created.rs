//! Installations and resources that a run created.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maitre_testkit::vercel::{Installation, Vercel};
use maitre_testkit::{Call, Json, Reply, Request};
use serde_json::Value;
use tokio::time::timeout;

use super::events::Webhooks;
use crate::abbreviate::abbreviated;
use crate::tracker::{LeftBehind, Tracker};

/// Installations that were sent, with their resources. Tracks what the suite's own requests created.
pub(super) struct Created {
    vercel: Vercel,
    webhooks: Webhooks,
    product: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// All installations, by their ids.
    known: BTreeMap<String, Installation>,
    /// Installations that were sent, and whether a request of each succeeded.
    sent: BTreeMap<String, bool>,
    /// Resources by installation.
    resources: BTreeSet<(String, String)>,
}

impl Created {
    pub(super) fn new(vercel: Vercel, webhooks: Webhooks, product: &str) -> Self {
        Self { vercel, webhooks, product: product.to_owned(), state: Mutex::default() }
    }

    /// Returns a new installation, which is not sent yet.
    pub(super) fn new_installation(&self) -> Installation {
        let installation = self.vercel.platform().new_installation();
        self.state().known.insert(installation.id().to_owned(), installation.clone());
        installation
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes an installation and its resources. Returns a description of what could not be removed.
    async fn remove(
        &self,
        installation: Installation,
        resources: Vec<String>,
        is_confirmed: bool,
        request_timeout: Duration,
    ) -> Vec<String> {
        let mut left = Vec::new();
        for resource in resources {
            let delete = self.vercel.deprovision(&installation, &resource);
            if let Err(failure) = send(delete, request_timeout).await {
                left.push(format!("{} ({failure})", abbreviated(&resource)));
            }
        }
        match send(self.vercel.uninstall(&installation), request_timeout).await {
            Ok(reply) => {
                let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
                if body["finalized"] == false {
                    // the end of the time for final invoices
                    let removed = self.webhooks.removed(&installation);
                    let _ = timeout(request_timeout, removed.try_send()).await;
                }
            }
            Err(failure) if is_confirmed => left.push(format!("{} ({failure})", installation.id())),
            Err(_) => {}
        }
        left
    }
}

async fn send(call: Call<Json>, request_timeout: Duration) -> Result<Reply, String> {
    match timeout(request_timeout, call.try_send()).await {
        Ok(Ok(reply)) if matches!(reply.status(), 200..=299 | 404 | 410) => Ok(reply),
        Ok(Ok(reply)) => Err(format!("DELETE was answered {}", reply.status())),
        _ => Err("DELETE was not answered".to_owned()),
    }
}

/// Returns the installation of a request that creates something.
fn installation(request: &Request) -> Option<&str> {
    if !matches!(request.method(), "PUT" | "POST") {
        return None;
    }
    let (_, path) = request.url().split_once("/v1/installations/")?;
    path.split(['/', '?']).next()
}

impl Tracker for Created {
    fn register(&self, request: &Request) {
        if let Some(id) = installation(request) {
            self.state().sent.entry(id.to_owned()).or_default();
        }
    }

    fn record(&self, reply: &Reply) {
        let Some(id) = installation(reply.request()).filter(|_| (200..300).contains(&reply.status())) else { return };
        let is_provision = reply.request().url().ends_with("/resources");
        let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let mut state = self.state();
        state.sent.insert(id.to_owned(), true);
        let Some(resource) = body["id"].as_str().filter(|_| is_provision) else { return };
        let is_new = state.resources.insert((id.to_owned(), resource.to_owned()));
        if let Some(installation) = state.known.get(id).filter(|_| is_new) {
            // Vercel knows the resource from the response
            self.vercel.platform().add_resource(installation, resource, &self.product);
        }
    }

    fn record_unanswered(&self, _: &Request) {}

    fn keep(&self, _: &str) {}

    fn release_kept(&self) {}

    fn remove_all(&self, request_timeout: Duration) -> LeftBehind<'_> {
        let state = std::mem::take(&mut *self.state());
        Box::pin(async move {
            let removals = state.sent.iter().filter_map(|(id, is_confirmed)| {
                let installation = state.known.get(id)?.clone();
                let of_it = state.resources.iter().filter(|(of, _)| of == id);
                let resources = of_it.map(|(_, resource)| resource.clone()).collect();
                Some(self.remove(installation, resources, *is_confirmed, request_timeout))
            });
            futures_util::future::join_all(removals).await.concat()
        })
    }
}
