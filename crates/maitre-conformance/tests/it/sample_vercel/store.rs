//! State of the integration.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Store {
    pub(super) installations: BTreeMap<String, Installation>,
    pub(super) resources: Vec<Resource>,
    /// Provisions by installation and key.
    pub(super) keys: BTreeMap<(String, String), Provision>,
    /// Secrets of rotations by resource and key.
    pub(super) rotations: BTreeMap<(String, String), String>,
    /// Requests that are being handled, for faults of concurrency.
    pub(super) in_progress: BTreeSet<String>,
    pub(super) events: BTreeSet<String>,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) next: usize,
    /// Credits by installation.
    pub(super) credits: BTreeMap<String, Credits>,
    pub(super) claims: BTreeMap<String, Claim>,
}

#[derive(Default)]
pub(super) struct Credits {
    pub(super) invoices: BTreeSet<String>,
    pub(super) cents: u64,
}

/// A transfer that was requested.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) resources: Vec<String>,
    pub(super) target: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Finalizing,
    Gone,
}

pub(super) struct Installation {
    pub(super) token: String,
    pub(super) state: State,
}

/// A provision that was answered.
pub(super) struct Provision {
    pub(super) body: Value,
    pub(super) resource: String,
}

#[derive(Clone)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) installation: String,
    pub(super) product: String,
    pub(super) name: String,
    pub(super) metadata: Value,
    pub(super) plan: String,
    pub(super) secret: String,
    pub(super) is_changed: bool,
    pub(super) is_removed: bool,
    pub(super) is_pending: bool,
}

impl Resource {
    /// Returns the resource in Vercel's form.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "productId": self.product,
            "name": self.name,
            "metadata": self.metadata,
            "status": if self.is_pending { "pending" } else { "ready" },
            "billingPlan": super::plans::plan(&self.plan),
        })
    }

    pub(super) fn secrets(&self) -> Value {
        json!([{ "name": "POMELO_URL", "value": self.secret }])
    }
}

impl Store {
    /// Finds a resource that is not removed.
    pub(super) fn find(&mut self, installation: Option<&str>, id: &str) -> Option<&mut Resource> {
        let is_found = |resource: &&mut Resource| {
            resource.id == id && !resource.is_removed && installation.is_none_or(|of| resource.installation == of)
        };
        self.resources.iter_mut().find(is_found)
    }

    pub(super) fn is_known(&self, id: &str) -> bool {
        self.resources.iter().any(|resource| resource.id == id)
    }

    /// Returns a number that no other has.
    pub(super) fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    pub(super) fn new_secret(&mut self) -> String {
        format!("https://u:{}@pomelo.example", self.number())
    }

    pub(super) fn remove_all(&mut self, is_removed: impl Fn(&Resource) -> bool) {
        let removed = self.resources.iter_mut().filter(|resource| is_removed(resource));
        removed.for_each(|resource| resource.is_removed = true);
    }
}
