//! Reconciliation: differences between ledger and Heroku that persist in two snapshots a day apart.

use std::time::Duration;

use maitre::platform::Action;

use super::Fixture;
use crate::ledger::support::{Database, basic};
use crate::support::PASSWORD;

on_both_databases! {
    async fn resources_missing_in_two_snapshots_are_deprovisioned_on_request(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.inventory_page_size = 3);
        let app = fixture.start_app_with(fixture.options(), |platform| platform.password(PASSWORD)).await;
        let mut installs = Vec::new();
        for _ in 0..8 {
            installs.push(fixture.installed(&app).await);
        }
        assert!(app.platform.compare().await.unwrap().is_empty());

        // one deprovision and one plan change get lost, and one install was never provisioned here
        let (lost, changed) = (&installs[0], &installs[1]);
        lost.remove_silently();
        app.client.plan_change(changed.uuid(), "premium").send().await.expect(200);
        let stranger = fixture.heroku.install("basic");
        let first = app.platform.compare().await.unwrap();
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
        let early = app.platform.compare().await.unwrap();
        assert!(early.persisting_since(&first).is_err(), "two snapshots on one day are too close");
        fixture.heroku.clock().advance(Duration::from_hours(24));
        app.client.deprovision(brief.uuid()).send().await.expect(204);
        let second = app.platform.compare().await.unwrap();
        let confirmed = second.persisting_since(&early).unwrap();
        assert_eq!(uuids(&confirmed.missing_at_heroku), [lost.uuid()]);

        // dry run first
        let dry_run = app.platform.deprovision_missing(&confirmed, &app.addon, false).await;
        assert_eq!(dry_run, [Action::WouldDeprovision(lost.uuid().to_owned())]);
        assert!(fixture.vendor.widget(lost.uuid()).await.is_some());
        let did = app.platform.deprovision_missing(&confirmed, &app.addon, true).await;
        assert_eq!(did, [Action::Deprovisioned(lost.uuid().to_owned())]);
        assert_eq!(fixture.vendor.widget(lost.uuid()).await, None);
        assert_eq!(fixture.vendor.widgets().await.len(), 6);
        assert!(app.platform.compare().await.unwrap().missing_at_heroku.is_empty());
    }

    async fn a_running_provision_is_not_a_difference(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_with(fixture.options(), |platform| platform.password(PASSWORD)).await;
        let install = fixture.heroku.install("basic");
        let gate = fixture.vendor.stop_at(install.uuid());
        let reply = app.client.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        assert!(app.platform.compare().await.unwrap().is_empty());
        gate.open();
        app.wait_until_idle().await;
        // resources of other marketplaces are ignored
        let other = maitre_core::AddonId::new("elsewhere", "lantern");
        let mut request = basic("k1");
        request.addon = other;
        maitre_core::Backend::provision(&app.ledger.wrap(fixture.vendor.clone()), request).await.unwrap();
        assert!(app.platform.compare().await.unwrap().is_empty());
        fixture.assert_no_violations();
    }

    async fn reconciliation_requires_the_password(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let error = app.platform.compare().await.unwrap_err().to_string();
        assert!(error.contains("PlatformBuilder::password"), "{error}");
    }
}
