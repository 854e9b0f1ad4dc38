//! Reconciliation: differences between ledger and Heroku that persist in two snapshots a day apart.

use std::time::Duration;

use maitre::platform::Action;

use super::World;
use crate::ledger::support::{Database, basic};
use crate::support::PASSWORD;

on_both_databases! {
    async fn resources_missing_in_two_snapshots_are_deprovisioned_on_request(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| settings.inventory_page_size = 3);
        let house = world.house_with(world.options(), |platform| platform.password(PASSWORD)).await;
        let mut installs = Vec::new();
        for _ in 0..8 {
            installs.push(world.ordered(&house).await);
        }
        assert!(house.platform.compare().await.unwrap().is_empty());

        // one deprovision and one plan change get lost, and one install was never provisioned here
        let (lost, changed) = (&installs[0], &installs[1]);
        lost.remove_silently();
        house.market.plan_change(changed.uuid(), "premium").send().await.expect(200);
        let stranger = world.heroku.install("basic");
        let first = house.platform.compare().await.unwrap();
        let uuids = |differences: &[maitre::platform::Difference]| {
            differences.iter().map(|difference| difference.uuid.clone()).collect::<Vec<_>>()
        };
        assert_eq!(uuids(&first.missing_at_heroku), [lost.uuid()]);
        assert_eq!(uuids(&first.plan_mismatch), [changed.uuid()]);
        assert_eq!(uuids(&first.missing_in_ledger), [stranger.uuid()]);
        assert_eq!(first.plan_mismatch[0].plan.as_deref(), Some("premium"));
        assert_eq!(first.plan_mismatch[0].heroku_plan.as_deref(), Some("basic"));

        // a difference caused by a running operation is gone a day later
        let brief = &installs[2];
        brief.remove_silently();
        let early = house.platform.compare().await.unwrap();
        assert!(early.persisting_since(&first).is_err(), "two looks on one day are one");
        world.heroku.clock().advance(Duration::from_hours(24));
        house.market.deprovision(brief.uuid()).send().await.expect(204);
        let second = house.platform.compare().await.unwrap();
        let confirmed = second.persisting_since(&early).unwrap();
        assert_eq!(uuids(&confirmed.missing_at_heroku), [lost.uuid()]);

        // dry run first
        let dry_run = house.platform.deprovision_missing(&confirmed, &house.addon, false).await;
        assert_eq!(dry_run, [Action::WouldDeprovision(lost.uuid().to_owned())]);
        assert!(world.vendor.widget(lost.uuid()).await.is_some());
        let did = house.platform.deprovision_missing(&confirmed, &house.addon, true).await;
        assert_eq!(did, [Action::Deprovisioned(lost.uuid().to_owned())]);
        assert_eq!(world.vendor.widget(lost.uuid()).await, None);
        assert_eq!(world.vendor.widgets().await.len(), 6);
        assert!(house.platform.compare().await.unwrap().missing_at_heroku.is_empty());
    }

    async fn a_running_provision_is_not_a_difference(database: Database) {
        let world = World::new(database).await;
        let house = world.house_with(world.options(), |platform| platform.password(PASSWORD)).await;
        let install = world.heroku.install("basic");
        let gate = world.vendor.stop_at(install.uuid());
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        assert!(house.platform.compare().await.unwrap().is_empty());
        gate.open();
        house.all_done().await;
        // resources of other marketplaces are ignored
        let other = maitre_core::AddonId::new("elsewhere", "lantern");
        let mut request = basic("k1");
        request.addon = other;
        maitre_core::Backend::provision(&house.ledger.wrap(world.vendor.clone()), request).await.unwrap();
        assert!(house.platform.compare().await.unwrap().is_empty());
        world.is_content();
    }

    async fn reconciliation_requires_the_password(database: Database) {
        let world = World::new(database).await;
        let house = world.front(world.options(), |platform| platform).await;
        let error = house.platform.compare().await.unwrap_err().to_string();
        assert!(error.contains("PlatformBuilder::password"), "{error}");
    }
}
