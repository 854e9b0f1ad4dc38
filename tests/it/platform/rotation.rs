//! Rotation of credentials: two steps with an overlap of hours, and one restart of the customer's app.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre::platform::Rotate;
use maitre_core::{ConfigVars, Failure, ResourceId, Result};
use maitre_testkit::platform::Fault;

use super::Fixture;
use super::setup::id;
use crate::ledger::support::{Database, until};

/// Records its calls, and fails the first attempt of each step.
#[derive(Clone, Default)]
struct Passwords(Arc<Mutex<Vec<String>>>);

impl Passwords {
    fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, what: String) -> Result<()> {
        let mut calls = self.0.lock().unwrap();
        let again = calls.contains(&what);
        calls.push(what);
        if again { Ok(()) } else { Err(Failure::unavailable("the first attempt fails")) }
    }
}

impl Rotate for Passwords {
    async fn add(&self, resource: ResourceId, round: &str) -> Result<ConfigVars> {
        self.note(format!("add {round} {resource}"))?;
        let mut config = ConfigVars::default();
        config.set("WIDGET_URL", format!("https://{round}.example.org/{resource}"));
        Ok(config)
    }

    async fn drop_old(&self, resource: ResourceId, round: &str) -> Result<()> {
        self.note(format!("drop {round} {resource}"))
    }
}

on_both_databases! {
    async fn a_rotation_patches_once_and_keeps_old_credentials_for_the_overlap(database: Database) {
        let fixture = Fixture::new(database).await;
        let passwords = Passwords::default();
        let rotating = |platform: maitre::platform::PlatformBuilder| platform.rotation(passwords.clone());
        let key = {
            let app = fixture.start_app_with(fixture.options(), rotating).await;
            let install = fixture.installed(&app).await;
            // the patch is applied, and its response is lost
            fixture.heroku.inject_fault(Fault::drop_connection().after_work().on("PATCH", "/addons/*/config"));
            assert!(app.platform.rotate(&id(&install), "2026-11").await.unwrap());
            assert!(!app.platform.rotate(&id(&install), "2026-11").await.unwrap(), "the job is a duplicate");
            let new = format!("https://2026-11.example.org/{}", install.uuid());
            until("the config is changed", || async { install.config()["WIDGET_URL"] == new }).await;
            until("the first step is stored", || async {
                let replay = app.client.provision("basic").install(&install).send().await;
                replay.expect(200).json()["config"]["WIDGET_URL"] == *new
            })
            .await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(install.call_counts().restarts, 2, "one for the provision and one for the change");
            assert!(passwords.calls().iter().all(|calls| calls.starts_with("add ")), "{:?}", passwords.calls());
            assert_eq!(app.ledger.stats().await.unwrap().open_jobs, 1);
            install.uuid().to_owned()
        };
        let later = fixture.options().clock_offset(Duration::from_hours(2) + Duration::from_mins(1));
        let app = fixture.start_app_with(later, rotating).await;
        app.wait_for_jobs().await;
        let calls = passwords.calls();
        assert_eq!(calls[calls.len() - 2..], [format!("drop 2026-11 {key}"), format!("drop 2026-11 {key}")]);
        fixture.assert_no_violations();
    }

    async fn rotate_all_skips_deprovisioned_resources(database: Database) {
        let fixture = Fixture::new(database).await;
        let passwords = Passwords::default();
        let rotating = |platform: maitre::platform::PlatformBuilder| {
            platform.rotation(passwords.clone()).overlap(Duration::from_millis(1))
        };
        let app = fixture.start_app_with(fixture.options(), rotating).await;
        let mut installs = Vec::new();
        for _ in 0..6 {
            installs.push(fixture.installed(&app).await);
        }
        let gone = installs.pop().unwrap();
        app.deprovision(&gone).await.expect(204);
        let pause = Duration::from_millis(1);
        assert_eq!(app.platform.rotate_all("2026-11", pause).await.unwrap(), 5);
        app.wait_for_jobs().await;
        assert_eq!(app.platform.rotate_all("2026-11", pause).await.unwrap(), 0, "already rotated");
        for install in &installs {
            assert!(install.config()["WIDGET_URL"].starts_with("https://2026-11."));
            assert_eq!(install.call_counts().config_patches, 1);
        }
        assert_eq!(gone.call_counts().calls_after_deprovision, 0);
        assert_eq!(app.platform.rotate_all("2026-12", pause).await.unwrap(), 5);
        app.wait_for_jobs().await;
        fixture.assert_no_violations();
    }

    async fn a_deprovision_ends_a_rotation(database: Database) {
        let fixture = Fixture::new(database).await;
        let passwords = Passwords::default();
        let rotating = |platform: maitre::platform::PlatformBuilder| platform.rotation(passwords.clone());
        let app = fixture.start_app_with(fixture.options(), rotating).await;
        let install = fixture.installed(&app).await;
        app.platform.rotate(&id(&install), "2026-11").await.unwrap();
        until("the rotation has begun", || async { install.call_counts().config_patches == 1 }).await;
        app.deprovision(&install).await.expect(204);
        app.wait_for_jobs().await;
        fixture.assert_no_violations();
    }
}
