//! Reports of accepted operations.

use std::time::Duration;

use maitre_core::{Backend as _, Completion, ConfigVars, FailureKind, Outcome, PlatformHooks as _, Provision, Rotate};
use maitre_vercel::Platform;
use serde_json::json;

use crate::support::{Store, Vendor, addon};

const KEY: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

struct Fixture {
    vendor: Vendor,
    store: Store,
    platform: Platform,
    /// The id by which Vercel knows the resource.
    id: String,
}

impl Fixture {
    async fn new() -> Self {
        let (vendor, store) = (Vendor::new().await, Store::new().await);
        let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
        let account = store.open(&vendor.installation).await;
        for key in [KEY, "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e20", "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e2f"] {
            let mut request = Provision::new(addon(), key, "basic");
            request.account = Some(account.clone());
            store.listener.provision(request).await.expect("provisioned");
        }
        let id = format!("ltn_{KEY}");
        vendor.vercel.add_resource(&vendor.installation, &id, "lantern");
        Self { vendor, store, platform, id }
    }

    async fn notify(&self, completion: Completion<'_>) {
        self.platform.notify(&addon(), &KEY.into(), completion).await.expect("reported");
    }
}

#[tokio::test]
async fn an_accepted_rotation_replaces_the_secret_at_vercel() {
    let fixture = Fixture::new().await;
    let listener = fixture.store.listener.clone().with_platform(fixture.platform.clone());
    let mut request = Rotate::new(addon(), KEY);
    request.context.async_after = Some(Duration::from_millis(1));
    assert!(matches!(listener.rotate(request).await, Ok(Outcome::Accepted { .. })));
    let secrets = || fixture.vendor.vercel.secrets(&fixture.vendor.installation, &fixture.id);
    fixture.store.work_until(&fixture.platform, async || !secrets().is_empty()).await;
    assert_eq!(secrets(), [("LANTERN_URL".to_owned(), "https://u4:new1@eu1.lantern.example".to_owned())]);
    assert_eq!(fixture.vendor.vercel.problems(), []);
    fixture.store.close().await;
}

#[tokio::test]
async fn results_become_states_secrets_and_events() {
    let fixture = Fixture::new().await;
    let mut config = ConfigVars::default();
    config.set("LANTERN_URL", "https://u4:pw@eu1.lantern.example");
    let field = |name: &str| {
        fixture.vendor.vercel.resource(&fixture.vendor.installation, &fixture.id).expect("a resource")[name].clone()
    };

    fixture.notify(Completion::Provisioned(&config)).await;
    assert_eq!(field("status"), "ready");
    assert_eq!(fixture.vendor.vercel.secrets(&fixture.vendor.installation, &fixture.id).len(), 1);
    fixture.notify(Completion::PlanChanged(&ConfigVars::default())).await;
    let event = json!({ "type": "resource.updated", "resourceId": fixture.id });
    assert_eq!(fixture.vendor.vercel.events(&fixture.vendor.installation), std::slice::from_ref(&event));
    fixture.notify(Completion::PlanChangeFailed(FailureKind::Refused)).await;
    assert_eq!(fixture.vendor.vercel.events(&fixture.vendor.installation), [event.clone(), event]);
    fixture.notify(Completion::RotationFailed(FailureKind::Refused)).await;
    assert_eq!((field("status"), field("notification")["level"].clone()), (json!("ready"), json!("error")));
    fixture.notify(Completion::ProvisionFailed(FailureKind::Refused)).await;
    assert_eq!(field("status"), "error");
    assert_eq!(fixture.vendor.vercel.problems(), []);

    let calls = fixture.vendor.call_count();
    fixture.notify(Completion::Deprovisioned).await;
    assert_eq!(fixture.vendor.call_count(), calls, "Vercel knows");
    fixture.vendor.vercel.remove(&fixture.vendor.installation);
    fixture.notify(Completion::Rotated(&config)).await; // nothing is left to report to
    let other = maitre_core::AddonId::new("vercel", "oac_other");
    assert!(fixture.platform.notify(&other, &KEY.into(), Completion::Deprovisioned).await.is_err());
    fixture.store.close().await;
}
