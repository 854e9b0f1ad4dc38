//! Rotation of credentials: two steps with an overlap of hours, and one restart of the customer's app.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre::platform::Rotate;
use maitre_core::{ConfigVars, Failure, ResourceId, Result};
use maitre_testkit::platform::Fault;

use super::World;
use super::setup::id;
use crate::ledger::support::{Database, until};

/// Records its calls, and fails the first attempt of each step.
#[derive(Clone, Default)]
struct Passwords(Arc<Mutex<Vec<String>>>);

impl Passwords {
    fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, what: String) -> Result<()> {
        let mut asked = self.0.lock().unwrap();
        let again = asked.contains(&what);
        asked.push(what);
        if again { Ok(()) } else { Err(Failure::unavailable("the first time it fails")) }
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
        let world = World::new(database).await;
        let passwords = Passwords::default();
        let rotating = |platform: maitre::platform::PlatformBuilder| platform.rotation(passwords.clone());
        let key = {
            let house = world.house_with(world.options(), rotating).await;
            let install = world.ordered(&house).await;
            // the patch is applied, and its response is lost
            world.heroku.inject_fault(Fault::drop_connection().after_work().on("PATCH", "/addons/*/config"));
            assert!(house.platform.rotate(&id(&install), "2026-11").await.unwrap());
            assert!(!house.platform.rotate(&id(&install), "2026-11").await.unwrap(), "it is the same one");
            let new = format!("https://2026-11.example.org/{}", install.uuid());
            until("the config is changed", || async { install.config()["WIDGET_URL"] == new }).await;
            until("the first step is written", || async {
                let replay = house.market.provision("basic").install(&install).send().await;
                replay.expect(200).json()["config"]["WIDGET_URL"] == *new
            })
            .await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(install.call_counts().restarts, 2, "one for the provision and one for the change");
            assert!(passwords.asked().iter().all(|asked| asked.starts_with("add ")), "{:?}", passwords.asked());
            assert_eq!(house.ledger.stats().await.unwrap().open_jobs, 1);
            install.uuid().to_owned()
        };
        let later = world.options().clock_offset(Duration::from_hours(2) + Duration::from_mins(1));
        let house = world.house_with(later, rotating).await;
        house.errands_done().await;
        let asked = passwords.asked();
        assert_eq!(asked[asked.len() - 2..], [format!("drop 2026-11 {key}"), format!("drop 2026-11 {key}")]);
        world.is_content();
    }

    async fn rotate_all_skips_deprovisioned_resources(database: Database) {
        let world = World::new(database).await;
        let passwords = Passwords::default();
        let rotating =
            |platform: maitre::platform::PlatformBuilder| platform.rotation(passwords.clone()).overlap(Duration::from_millis(1));
        let house = world.house_with(world.options(), rotating).await;
        let mut installs = Vec::new();
        for _ in 0..6 {
            installs.push(world.ordered(&house).await);
        }
        let gone = installs.pop().unwrap();
        house.remove(&gone).await.expect(204);
        let pause = Duration::from_millis(1);
        assert_eq!(house.platform.rotate_all("2026-11", pause).await.unwrap(), 5);
        house.errands_done().await;
        assert_eq!(house.platform.rotate_all("2026-11", pause).await.unwrap(), 0, "they have been changed");
        for install in &installs {
            assert!(install.config()["WIDGET_URL"].starts_with("https://2026-11."));
            assert_eq!(install.call_counts().config_patches, 1);
        }
        assert_eq!(gone.call_counts().calls_after_deprovision, 0);
        assert_eq!(house.platform.rotate_all("2026-12", pause).await.unwrap(), 5);
        house.errands_done().await;
        world.is_content();
    }

    async fn a_deprovision_ends_a_rotation(database: Database) {
        let world = World::new(database).await;
        let passwords = Passwords::default();
        let rotating = |platform: maitre::platform::PlatformBuilder| platform.rotation(passwords.clone());
        let house = world.house_with(world.options(), rotating).await;
        let install = world.ordered(&house).await;
        house.platform.rotate(&id(&install), "2026-11").await.unwrap();
        until("it has begun", || async { install.call_counts().config_patches == 1 }).await;
        house.remove(&install).await.expect(204);
        house.errands_done().await;
        world.is_content();
    }
}
