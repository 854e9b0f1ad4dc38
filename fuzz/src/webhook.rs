//! Webhooks: a delivery is accepted only with its HMAC, and once.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maitre_core::{
    AddonId, BoxFuture, ConfigVars, Job, PlatformStore, ResourceId, ResourceSummary, Result, StoredValue,
};
use maitre_heroku::{Client, Event, Platform, Received, WebhookReceiver, WebhookSecret};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::runtime::{Builder, Runtime};

const SECRETS: [&str; 2] =
    ["lantern-webhook-secret", "a secret longer than one block of SHA-256, which HMAC hashes first"];

static STORE: LazyLock<Arc<Store>> = LazyLock::new(Arc::default);

static RECEIVER: LazyLock<WebhookReceiver> = LazyLock::new(|| {
    let client = Client::builder("client secret").base_url("http://localhost:1").build().expect("a client");
    let platform = Platform::builder("lantern", client, STORE.clone()).build();
    platform.webhook_receiver(SECRETS.map(|secret| WebhookSecret::new(secret).expect("a secret")))
});

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Checks a delivery. The first line is the signature, or `{0}` or `{1}` for the correct one by a secret.
pub fn check(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (signature, body) = (&data[..line], data.get(line + 1..).unwrap_or_default());
    let Ok(signature) = std::str::from_utf8(signature) else { return };
    let correct = SECRETS.map(|secret| BASE64_STANDARD.encode(hmac(secret.as_bytes(), body)));
    let signature = signature.replace("{0}", &correct[0]).replace("{1}", &correct[1]);
    let accepted = correct.contains(&signature);

    STORE.0.lock().expect("one thread").clear();
    let receive = |signature: &str| RUNTIME.block_on(RECEIVER.receive(Some(signature), body));
    match receive(&signature) {
        Received::Accepted => assert!(accepted, "accepted with a wrong signature"),
        Received::InvalidSignature => assert!(!accepted, "rejected with the correct signature"),
        other => panic!("{other:?}"),
    }
    assert_eq!(STORE.0.lock().expect("one thread").len(), usize::from(accepted));
    if accepted {
        // another secret's signature does not make it another event
        assert!(matches!(receive(&correct[0]), Received::Duplicate));
        assert!(matches!(receive(&correct[1]), Received::Duplicate));
        assert!(matches!(RUNTIME.block_on(RECEIVER.receive(None, body)), Received::InvalidSignature));
        check_job(body);
    }
}

/// Checks that the job contains the unchanged body, and is named after the event's id.
fn check_job(body: &[u8]) {
    let jobs = STORE.0.lock().expect("one thread");
    let job = &jobs[0];
    assert_eq!(job.payload, body);
    assert!(!job.name.is_empty() && job.name.len() <= 200);
    if let Ok(event) = serde_json::from_slice::<Event>(body) {
        // without `json`, the text of an ignored field is not valid: serde_json does not decode it
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            assert_eq!(json["id"], event.id);
        }
        let hash = format!("sha256:{}", hex::encode(Sha256::digest(body)));
        assert!(job.name == event.id || job.name == hash, "{}", job.name);
        assert!(
            job.name == event.id || event.id.is_empty() || event.id.len() > 200 || event.id.contains(char::is_control)
        );
    }
}

/// Computes the HMAC-SHA256 by its definition in RFC 2104.
fn hmac(secret: &[u8], body: &[u8]) -> Vec<u8> {
    let mut key = [0; 64];
    if secret.len() > key.len() {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(body).finalize();
    Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// Store in memory, which has no values, locks and resources.
#[derive(Default)]
struct Store(Mutex<Vec<Job>>);

impl PlatformStore for Store {
    fn read<'a>(&'a self, _: &'a AddonId, _: &'a ResourceId, _: &'a str) -> BoxFuture<'a, Result<Option<StoredValue>>> {
        Box::pin(async { Ok(None) })
    }

    fn write<'a>(
        &'a self,
        _: &'a AddonId,
        _: &'a ResourceId,
        _: &'a str,
        _: &'a [u8],
        _: i64,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    fn try_lock<'a>(
        &'a self,
        _: &'a AddonId,
        _: &'a ResourceId,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    fn unlock<'a>(&'a self, _: &'a AddonId, _: &'a ResourceId, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn enqueue<'a>(&'a self, _: &'a AddonId, job: Job) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async {
            let mut jobs = self.0.lock().expect("one thread");
            let new = jobs.iter().all(|other| other.name != job.name);
            if new {
                jobs.push(job);
            }
            Ok(new)
        })
    }

    fn update_config<'a>(
        &'a self,
        _: &'a AddonId,
        _: &'a ResourceId,
        _: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    fn resources<'a>(
        &'a self,
        _: &'a AddonId,
        _: Option<&'a str>,
        _: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
