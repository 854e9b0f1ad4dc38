//! Adoption in bulk: resources that were sold before the ledger was there.

use std::time::{Duration, Instant};

use maitre_core::sso::TokenKind;
use maitre_core::{Backend, FailureKind};
use maitre_ledger::{Adoption, ContradictionKind, Ledger, ResourceFilter, State};
use sqlx::{AnyPool, Executor, Row};
use tokio::task::JoinSet;

use super::support::{
    Answer, Database, Gate, Vendor, addon, adoptions, basic, deprovision, key, plan_change, provision, short_or_long,
    sign_on, sold_key, soon, start_process, until,
};

const COUNT: usize = 10_000;

async fn resources(pool: &AnyPool) -> i64 {
    let count = "SELECT CAST(count(*) AS BIGINT) FROM maitre_resources";
    pool.fetch_one(count).await.expect("the resources").get(0)
}

/// Sends every kind of request to a resource that was adopted on the plan `basic`.
async fn check_requests(ledger: &Ledger, vendor: &Vendor, number: usize) {
    let listener = ledger.wrap(vendor.clone());
    let key = sold_key(number);
    // both ids identify it
    let id = if number.is_multiple_of(2) { key.clone() } else { format!("w-{key}") };
    let replay = Answer::from(listener.provision(basic(&key)).await);
    let config = format!(r#"[("WIDGET_URL", "https://{number}.example.org")]"#);
    assert_eq!(replay, Answer::Done(format!("w-{key} {config} None None")));
    let other = Answer::from(listener.provision(provision(&key, "gold")).await);
    assert_eq!(other, Answer::Failed(FailureKind::Conflict));
    assert!(Answer::from(listener.single_sign_on(sign_on(&id, TokenKind::User, 1_772_000_000)).await).is_done());
    if number.is_multiple_of(3) {
        assert!(Answer::from(listener.plan_change(plan_change(&id, "basic")).await).is_done());
        assert!(Answer::from(listener.plan_change(plan_change(&id, "premium")).await).is_done());
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("premium"));
        let Answer::Done(replay) = listener.provision(basic(&key)).await.into() else { return };
        panic!(
            "a provision of another plan than the current one is a conflict, as the first one is not known: {replay}"
        );
    }
    if number.is_multiple_of(5) {
        assert!(Answer::from(listener.deprovision(deprovision(&id)).await).is_done());
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(Answer::from(listener.deprovision(deprovision(&key)).await), Answer::Failed(FailureKind::Gone));
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Gone));
    }
}

on_both_databases! {
    async fn ten_thousand_resources_are_adopted_although_the_process_is_killed(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let keys: Vec<_> = (0..COUNT).map(sold_key).collect();
        vendor.sell(&keys, "basic").await;
        let began = Instant::now();
        assert_eq!(ledger.adopt_dry_run(adoptions(COUNT)).await.unwrap().adopted, COUNT as u64);
        assert_eq!(resources(&vendor.pool).await, 0, "a dry run changes nothing");
        println!("dry run of {COUNT} resources: {:?}", began.elapsed());

        let process = start_process(&database).await;
        let adopting = tokio::spawn({
            let process = process.clone();
            async move { process.send(&format!("adopt {COUNT}")).await }
        });
        until("some of them are adopted", || async { resources(&vendor.pool).await > 0 }).await;
        process.signal("KILL").await;
        let killed = soon("the process dies", adopting).await.unwrap();
        let before = u64::try_from(resources(&vendor.pool).await).unwrap();
        println!("killed after {before} resources; it had {}", killed.map_or("not answered".into(), |reply| reply));

        let began = Instant::now();
        let report = ledger.adopt(adoptions(COUNT)).await.unwrap();
        println!("the rest: {:?}", began.elapsed());
        assert_eq!((report.unchanged, report.adopted), (before, COUNT as u64 - before));
        assert_eq!(report.contradictions, []);
        let report = ledger.adopt(adoptions(COUNT)).await.unwrap();
        assert_eq!((report.unchanged, report.adopted), (COUNT as u64, 0), "it can be repeated");

        let mut requests = JoinSet::new();
        let checked = short_or_long(600, COUNT);
        for number in (0..COUNT).step_by(COUNT / checked) {
            let (ledger, vendor) = (ledger.clone(), vendor.clone());
            requests.spawn(async move { check_requests(&ledger, &vendor, number).await });
            if requests.len() >= 32 {
                requests.join_next().await.expect("a request").expect("the right answers");
            }
        }
        while let Some(result) = requests.join_next().await {
            result.expect("the right answers");
        }
    }

    async fn exactly_the_contradictions_of_an_import_are_listed(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let count = 1_000;
        let mut import: Vec<_> = adoptions(count).collect();
        let (taken, gone, refused) = (key(), key(), key());
        for key in [&taken, &gone] {
            listener.provision(basic(key)).await.expect("a widget");
        }
        listener.deprovision(deprovision(&gone)).await.expect("a deprovision");
        vendor.script(&refused, [super::support::Act::Refuse("No such plan.")]);
        let _ = listener.provision(basic(&refused)).await;

        // one percent of the import
        let contradicting = [
            (103, Adoption::new(addon(), &taken, "premium"), ContradictionKind::Plan(Some("basic".into()))),
            (204, Adoption::new(addon(), &taken, "basic").with_provider_id("641"), ContradictionKind::ProviderId(Some(format!("w-{taken}")))),
            (305, Adoption::new(addon(), &taken, "basic").with_config([("A", "b")]), ContradictionKind::Config),
            (406, Adoption::new(addon(), &gone, "basic"), ContradictionKind::State(State::Deprovisioned)),
            (507, Adoption::new(addon(), &refused, "basic"), ContradictionKind::State(State::Refused)),
            (608, Adoption::new(addon(), key(), "basic").with_provider_id(format!("w-{taken}")), ContradictionKind::IdTaken(taken.clone())),
            (709, Adoption::new(addon(), sold_key(5), "gold"), ContradictionKind::Duplicate(6)),
            (810, Adoption::new(addon(), key(), "basic").with_provider_id(format!("w-{}", sold_key(7))), ContradictionKind::IdTaken(sold_key(7))),
            (911, Adoption::new(addon(), key(), "ba\nsic"), ContradictionKind::Invalid("plan")),
            (1_000, Adoption::new(addon(), "", "basic"), ContradictionKind::Invalid("key")),
        ];
        // entries 204 and 305 repeat the key of entry 103 with other values
        let expected: Vec<_> = contradicting
            .iter()
            .map(|(position, _, kind)| match position {
                204 | 305 => (*position, ContradictionKind::Duplicate(103)),
                _ => (*position, kind.clone()),
            })
            .collect();
        for (position, adoption, _) in &contradicting {
            import[position - 1] = adoption.clone();
        }
        for dry_run in [true, false] {
            let report = if dry_run {
                ledger.adopt_dry_run(import.clone()).await.unwrap()
            } else {
                ledger.adopt(import.clone()).await.unwrap()
            };
            let listed: Vec<_> =
                report.contradictions.iter().map(|found| (found.position, found.kind.clone())).collect();
            assert_eq!(listed, expected, "dry run: {dry_run}");
            assert_eq!(report.adopted, 990);
        }
        for (_, adoption, kind) in contradicting.into_iter().take(3) {
            let report = ledger.adopt([adoption]).await.unwrap();
            assert_eq!(report.contradictions.first().map(|found| &found.kind), Some(&kind), "without the others");
        }
        let known = Adoption::new(addon(), &taken, "basic").with_provider_id(format!("w-{taken}"));
        assert_eq!(ledger.adopt([known]).await.unwrap().unchanged, 1);
        assert_eq!(Answer::from(listener.provision(basic(&gone)).await), Answer::Failed(FailureKind::Gone));
    }

    async fn a_resource_about_which_the_listener_was_asked_is_completed(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let (known, called, gone) = (sold_key(0), sold_key(1), sold_key(2));
        let by_provider_id = [format!("w-{called}"), format!("w-{gone}")];
        vendor.sell(std::slice::from_ref(&known), "basic").await;
        vendor.sell(&by_provider_id, "basic").await;
        listener.plan_change(plan_change(&known, "premium")).await.expect("a plan change");
        listener.plan_change(plan_change(&by_provider_id[0], "premium")).await.expect("a plan change");
        listener.deprovision(deprovision(&by_provider_id[1])).await.expect("a deprovision");

        let report = ledger.adopt(adoptions(3)).await.unwrap();
        let kinds: Vec<_> = report.contradictions.into_iter().map(|found| found.kind).collect();
        let premium = ContradictionKind::Plan(Some("premium".into()));
        assert_eq!(kinds, [premium.clone(), premium, ContradictionKind::State(State::Deprovisioned)]);

        let premium = |key: &str| {
            let adoption = Adoption::new(addon(), key, "premium").with_provider_id(format!("w-{key}"));
            adoption.with_config([("WIDGET_URL", "https://u:p@example.org")])
        };
        assert_eq!(ledger.adopt([premium(&known), premium(&called)]).await.unwrap().adopted, 2);
        assert_eq!(ledger.adopt([premium(&known), premium(&called)]).await.unwrap().unchanged, 2);
        for key in [&known, &called] {
            let answer = Answer::from(listener.provision(provision(key, "premium")).await);
            assert!(matches!(&answer, Answer::Done(text) if text.starts_with(&format!("w-{key} "))), "{answer:?}");
        }
        let resource = ledger.resource(&by_provider_id[0]).await.unwrap().expect("the renamed resource");
        assert_eq!((&resource.key, resource.timeline.len()), (&called, 1));
        assert!(resource.adopted_at.is_some());
    }

    async fn an_operation_in_progress_is_not_adopted(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let (listener, key) = (ledger.wrap(vendor.clone()), sold_key(0));
        vendor.sell(std::slice::from_ref(&key), "basic").await;
        let gate: Gate = vendor.stop_at(&key);
        let request = plan_change(&key, "premium");
        let asking = tokio::spawn(async move { Answer::from(listener.plan_change(request).await) });
        gate.entered().await;
        let report = ledger.adopt(adoptions(1)).await.unwrap();
        assert_eq!(report.contradictions[0].kind, ContradictionKind::InProgress);
        gate.open();
        assert!(soon("the answer", asking).await.unwrap().is_done());
    }

    async fn adopted_resources_are_listed_with_the_time_of_their_provision(database: Database) {
        let ledger = database.ledger().await;
        let created = time::OffsetDateTime::UNIX_EPOCH + Duration::from_hours(24);
        ledger.adopt(adoptions(5).map(|adoption| adoption.with_created_at(created))).await.unwrap();
        let listed = ledger.resources(ResourceFilter::new().with_addon(addon()).with_plan("basic")).await.unwrap();
        let keys: Vec<_> = listed.iter().map(|resource| resource.key.clone()).collect();
        assert_eq!(keys, (0..5).map(sold_key).collect::<Vec<_>>());
        assert!(listed.iter().all(|resource| resource.created_at == created));
        let view = ledger.resource(&keys[0]).await.unwrap().expect("a resource");
        assert!(view.created_at == created && view.adopted_at.is_some());
    }
}
