//! Accounts that a run created. A deprovision of an account removes all of its endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maitre_testkit::{QuickNode, Reply, Request};
use serde_json::Value;
use tokio::time::timeout;

use crate::abbreviate::abbreviated;
use crate::tracker::{LeftBehind, Tracker};

/// Accounts that were sent, and whether a provision of each succeeded.
pub(super) struct Created {
    quicknode: QuickNode,
    accounts: Mutex<BTreeMap<String, bool>>,
    kept: Mutex<BTreeSet<String>>,
}

impl Created {
    pub(super) fn new(quicknode: QuickNode) -> Self {
        Self { quicknode, accounts: Mutex::default(), kept: Mutex::default() }
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn remove(&self, account: &str, is_confirmed: bool, request_timeout: Duration) -> Option<String> {
        let failure = match timeout(request_timeout, self.quicknode.deprovision(account).try_send()).await {
            Ok(Ok(reply)) if matches!(reply.status(), 200..=299 | 404 | 410) => return None,
            Ok(Ok(reply)) => format!("DELETE was answered {}", reply.status()),
            _ => "DELETE was not answered".to_owned(),
        };
        is_confirmed.then(|| format!("{} ({failure})", abbreviated(account)))
    }
}

/// Returns the account of a provision.
fn provisioned_account(request: &Request) -> Option<String> {
    let body: Value = serde_json::from_slice(request.body()).ok()?;
    let account = body["quicknode-id"].as_str().filter(|account| !account.is_empty())?;
    (request.method() == "POST").then(|| account.to_owned())
}

impl Tracker for Created {
    fn register(&self, request: &Request) {
        if let Some(account) = provisioned_account(request) {
            self.accounts().entry(account).or_default();
        }
    }

    fn record(&self, reply: &Reply) {
        if let Some(account) = provisioned_account(reply.request()).filter(|_| (200..300).contains(&reply.status())) {
            self.accounts().insert(account, true);
        }
    }

    fn record_unanswered(&self, _: &Request) {}

    fn keep(&self, id: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    fn release_kept(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remove_all(&self, request_timeout: Duration) -> LeftBehind<'_> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let removed: Vec<_> = self.accounts().extract_if(.., |account, _| !kept.contains(account)).collect();
        Box::pin(async move {
            let removals =
                removed.iter().map(|(account, is_confirmed)| self.remove(account, *is_confirmed, request_timeout));
            futures_util::future::join_all(removals).await.into_iter().flatten().collect()
        })
    }
}
