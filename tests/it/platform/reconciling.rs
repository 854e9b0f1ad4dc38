//! Reconciliation: differences between ledger and Heroku that persist in two snapshots a day apart.

use std::collections::BTreeMap;
use std::time::Duration;

use maitre::platform::{Action, Difference, Reconcile, Reconciliation};
use maitre_testkit::platform::Install;
use sqlx::{AnyPool, Executor};

use super::Fixture;
use super::setup::App;
use crate::ledger::support::{Database, RandomNumbers, basic};
use crate::support::PASSWORD;

const PLANS: [&str; 3] = ["basic", "premium", "gold"];

/// Resource as the two sides know it.
#[derive(Debug, Clone, PartialEq)]
struct Sides {
    ledger: Known,
    heroku: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Known {
    Provisioned(&'static str),
    Deprovisioned,
    Missing,
}

/// Event that one side or both learn of.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    PlanChange(&'static str),
    /// Heroku does not record its own request, as if it had timed out.
    PlanChangeInLedger(&'static str),
    Deprovision,
    /// The `DELETE` is lost.
    DeprovisionAtHeroku,
    DeprovisionInLedger,
    /// The ledger is restored from a backup without the resource.
    Lost,
}

impl Event {
    fn any(numbers: &mut RandomNumbers) -> Self {
        let plan = PLANS[numbers.below(PLANS.len())];
        match numbers.below(8) {
            0 => Self::PlanChange(plan),
            1 => Self::PlanChangeInLedger(plan),
            2 => Self::Deprovision,
            3 => Self::DeprovisionAtHeroku,
            4 => Self::DeprovisionInLedger,
            5 => Self::Lost,
            _ => Self::Nothing,
        }
    }

    /// Lets the event happen to a resource that both sides know. Returns what they know afterwards.
    async fn happen(self, app: &App, pool: &AnyPool, install: &Install, before: Sides) -> Sides {
        if !matches!(before, Sides { ledger: Known::Provisioned(_), heroku: Some(_) }) {
            return before;
        }
        let uuid = install.uuid();
        match self {
            Self::Nothing => before,
            Self::PlanChange(plan) => {
                app.change_plan(&app.client, install, plan).await.expect(200);
                Sides { ledger: Known::Provisioned(plan), heroku: Some(plan) }
            }
            Self::PlanChangeInLedger(plan) => {
                app.client.plan_change(uuid, plan).send().await.expect(200);
                Sides { ledger: Known::Provisioned(plan), ..before }
            }
            Self::Deprovision => {
                app.deprovision(install).await.expect(204);
                Sides { ledger: Known::Deprovisioned, heroku: None }
            }
            Self::DeprovisionAtHeroku => {
                install.remove_silently();
                Sides { heroku: None, ..before }
            }
            Self::DeprovisionInLedger => {
                app.client.deprovision(uuid).send().await.expect(204);
                Sides { ledger: Known::Deprovisioned, ..before }
            }
            Self::Lost => {
                let delete = "DELETE FROM maitre_resources WHERE key = $1";
                pool.execute(sqlx::query(delete).bind(uuid)).await.expect("a lost row");
                Sides { ledger: Known::Missing, ..before }
            }
        }
    }
}

/// Keys that the three lists of a reconciliation must have.
fn expected(scenarios: &BTreeMap<String, Sides>) -> [Vec<String>; 3] {
    let keys = |is_in: fn(&Sides) -> bool| {
        scenarios.iter().filter(|(_, sides)| is_in(sides)).map(|(uuid, _)| uuid.clone()).collect()
    };
    [
        keys(|sides| sides.heroku.is_some() && !matches!(sides.ledger, Known::Provisioned(_))),
        keys(|sides| sides.heroku.is_none() && matches!(sides.ledger, Known::Provisioned(_))),
        keys(|sides| matches!(sides, Sides { ledger: Known::Provisioned(plan), heroku: Some(other) } if plan != other)),
    ]
}

fn found(reconciliation: &Reconciliation) -> [Vec<String>; 3] {
    [&reconciliation.missing_in_ledger, &reconciliation.missing_at_marketplace, &reconciliation.plan_mismatch]
        .map(|list: &Vec<Difference>| list.iter().map(|difference| difference.key.clone()).collect())
}

on_both_databases! {
    async fn two_hundred_scenarios_are_reconciled_as_a_model_says(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_with(fixture.options(), |platform| platform.password(PASSWORD)).await;
        let pool = fixture.database.pool().await;
        let mut numbers = RandomNumbers::seeded(23);
        let (mut installs, mut scenarios) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..200 {
            let plan = PLANS[numbers.below(PLANS.len())];
            let install = fixture.heroku.install(plan);
            let reply = app.client.provision(plan).install(&install).send().await;
            install.record_provision(reply.expect(200));
            scenarios.insert(install.uuid().to_owned(), Sides { ledger: Known::Provisioned(plan), heroku: Some(plan) });
            installs.insert(install.uuid().to_owned(), install);
        }
        app.wait_for_jobs().await;
        let mut snapshots = Vec::new();
        let mut models = Vec::new();
        for _ in 0..2 {
            for (uuid, sides) in &mut scenarios {
                let event = Event::any(&mut numbers);
                *sides = event.happen(&app, &pool, &installs[uuid], sides.clone()).await;
            }
            let snapshot = app.platform.compare().await.unwrap();
            assert_eq!(found(&snapshot), expected(&scenarios));
            models.push(expected(&scenarios));
            snapshots.push(snapshot);
            fixture.heroku.clock().advance(Duration::from_hours(24));
        }
        let persisting = snapshots[1].persisting_since(&snapshots[0]).unwrap();
        let in_both = [0, 1, 2].map(|list: usize| {
            models[1][list].iter().filter(|uuid| models[0][list].contains(uuid)).cloned().collect::<Vec<_>>()
        });
        assert!(in_both.iter().all(|list| !list.is_empty()), "the seed covers every list");
        assert_eq!(found(&persisting), in_both);

        let before = fixture.vendor.widgets().await;
        let actions = app.platform.deprovision_missing(&persisting, &app.addon, true).await;
        assert_eq!(actions, in_both[1].iter().cloned().map(Action::Deprovisioned).collect::<Vec<_>>());
        let mut remaining = before;
        remaining.retain(|uuid| !in_both[1].contains(uuid));
        assert_eq!(fixture.vendor.widgets().await, remaining, "nothing else was deprovisioned");
    }

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
            differences.iter().map(|difference| difference.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(uuids(&first.missing_at_marketplace), [lost.uuid()]);
        assert_eq!(uuids(&first.plan_mismatch), [changed.uuid()]);
        assert_eq!(uuids(&first.missing_in_ledger), [stranger.uuid()]);
        assert_eq!(first.plan_mismatch[0].plan.as_deref(), Some("premium"));
        assert_eq!(first.plan_mismatch[0].marketplace_plan.as_deref(), Some("basic"));

        // a difference caused by a running operation is gone a day later
        let brief = &installs[2];
        brief.remove_silently();
        let early = app.platform.compare().await.unwrap();
        assert!(early.persisting_since(&first).is_err(), "two snapshots on one day are too close");
        fixture.heroku.clock().advance(Duration::from_hours(24));
        app.client.deprovision(brief.uuid()).send().await.expect(204);
        let second = app.platform.compare().await.unwrap();
        let confirmed = second.persisting_since(&early).unwrap();
        assert_eq!(uuids(&confirmed.missing_at_marketplace), [lost.uuid()]);

        // dry run first
        let dry_run = app.platform.deprovision_missing(&confirmed, &app.addon, false).await;
        assert_eq!(dry_run, [Action::WouldDeprovision(lost.uuid().to_owned())]);
        assert!(fixture.vendor.widget(lost.uuid()).await.is_some());
        let did = app.platform.deprovision_missing(&confirmed, &app.addon, true).await;
        assert_eq!(did, [Action::Deprovisioned(lost.uuid().to_owned())]);
        assert_eq!(fixture.vendor.widget(lost.uuid()).await, None);
        assert_eq!(fixture.vendor.widgets().await.len(), 6);
        assert!(app.platform.compare().await.unwrap().missing_at_marketplace.is_empty());
    }

    async fn a_running_provision_is_not_a_difference(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_with(fixture.options(), |platform| platform.password(PASSWORD)).await;
        let install = fixture.heroku.install("basic");
        let gate = fixture.vendor.stop_at(install.uuid());
        let reply = app.accepting.provision("basic").install(&install).send().await;
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
