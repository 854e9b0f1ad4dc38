//! Replays: repeated requests get the stored reply: later, after a restart, from another process, and concurrently.

use std::time::Duration;

use maitre_core::{Backend, FailureKind, OauthGrant, ResourceId};
use maitre_ledger::{State, UnknownPolicy};
use time::OffsetDateTime;

use super::support::{
    Answer, Database, Vendor, addon, basic, deprovision, key, plan_change, provision, replies, short_or_long, soon,
    until,
};

on_both_databases! {
    async fn the_first_reply_is_replayed_after_a_restart_and_by_another_process(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let first = Answer::from(ledger.wrap(vendor.clone()).provision(basic(&key)).await);
        assert!(first.is_done(), "{first:?}");

        let other = database.open().await;
        assert_eq!(Answer::from(other.wrap(vendor.clone()).provision(basic(&key)).await), first);
        soon("closing", ledger.close()).await;
        soon("closing", other.close()).await;
        drop((ledger, other));
        let reopened = database.open().await;
        assert_eq!(Answer::from(reopened.wrap(vendor.clone()).provision(basic(&key)).await), first);
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn a_refusal_is_replayed_with_its_message(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [super::support::Act::Refuse("Premium is sold out in Europe.")]);
        for _ in 0..2 {
            let failure = listener.provision(basic(&key)).await.expect_err("a refusal");
            assert_eq!(failure.kind(), FailureKind::Refused);
            assert_eq!(failure.message(), Some("Premium is sold out in Europe."));
        }
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn a_replay_after_a_plan_change_has_the_current_config(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let Answer::Done(first) = listener.provision(basic(&key)).await.into() else { panic!("no widget") };
        assert!(first.contains(r#"("A_FIRST", "basic")"#), "{first}");
        listener.plan_change(plan_change(&key, "premium")).await.expect("a plan change");
        let Answer::Done(today) = listener.provision(basic(&key)).await.into() else { panic!("no replay") };
        assert_eq!(today, first.replace(r#"("A_FIRST", "basic")"#, r#"("A_FIRST", "premium")"#));
    }

    async fn only_plan_region_and_parameters_make_a_provision_conflict(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let mut first = basic(&key);
        first.region = Some("amazon-web-services::eu-west-1".into());
        first.parameters.insert("retention", "7d");
        first.parameters.insert("backup", "yes");
        let answer = Answer::from(listener.provision(first.clone()).await);

        let mut again = first.clone();
        again.oauth_grant = Some(OauthGrant::new("another", OffsetDateTime::now_utc()));
        again.name = Some("renamed".into());
        again.details.insert("callback_url", "https://api.example.org/other");
        again.details.insert("log_drain_token", "d.other");
        assert_eq!(Answer::from(listener.provision(again).await), answer);

        let mut elsewhere = first.clone();
        elsewhere.region = Some("amazon-web-services::us-east-1".into());
        let mut other_parameter = first.clone();
        other_parameter.parameters.insert("retention", "8d");
        let mut less = first.clone();
        less.parameters.remove("backup");
        let mut other_plan = first;
        other_plan.plan = "premium".into();
        for otherwise in [elsewhere, other_parameter, less, other_plan] {
            let answer = Answer::from(listener.provision(otherwise).await);
            assert_eq!(answer, Answer::Failed(FailureKind::Conflict));
        }
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn resource_keys_are_separate_per_add_on(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let key = key();
        assert!(Answer::from(listener.provision(basic(&key)).await).is_done());
        let mut other = provision(&key, "premium");
        other.addon = maitre_core::AddonId::new("heroku", "candle");
        assert!(
            Answer::from(listener.provision(other).await).is_done(),
            "a provision of another add-on does not conflict"
        );
    }

    async fn a_resource_is_found_by_provider_id_too(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let id =
            listener.provision(basic(&key)).await.expect("a widget").done().expect("a reply").id().as_str().to_owned();
        assert_ne!(id, key);
        listener.plan_change(plan_change(&id, "premium")).await.expect("a plan change");
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("premium"), "the listener receives the key");
        listener.deprovision(deprovision(&id)).await.expect("a deprovision");
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Gone));
    }

    async fn a_deprovision_before_its_provision_leaves_a_tombstone(database: Database) {
        database.migrated().await;
        for (policy, calls) in [(UnknownPolicy::AskListener, 1), (UnknownPolicy::AnswerUnknown, 0)] {
            let ledger = database.options().unknown_policy(policy).open().await.expect("a ledger");
            let vendor = Vendor::new(database.pool().await).await;
            let listener = ledger.wrap(vendor.clone());
            let key = key();
            let unknown = Answer::Failed(FailureKind::Unknown);
            assert_eq!(Answer::from(listener.deprovision(deprovision(&key)).await), unknown);
            assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Gone));
            let state = ledger.resource(&key).await.unwrap().map(|resource| resource.state);
            assert_eq!(state, Some(State::Deprovisioned));

            for slip in ["641", "widgets", "", "7b0c9c1e-2f1d-4c58-9a57", &"x".repeat(1024)] {
                assert_eq!(Answer::from(listener.deprovision(deprovision(slip)).await), unknown);
                assert_eq!(ledger.resource(slip).await.unwrap(), None, "{slip:?} was recorded");
            }
            assert_eq!(vendor.calls(&key).await.len(), calls, "{policy:?}");
        }
    }

    async fn a_concurrent_deprovision_and_provision_leave_no_resource(database: Database) {
        let ledger = database.ledger().await;
        let other = database.open().await;
        let vendor = Vendor::new(database.pool().await).await;
        for _ in 0..short_or_long(40, 1000) {
            let key = key();
            let (one, two) = (ledger.wrap(vendor.clone()), other.wrap(vendor.clone()));
            let (request, deprovision_request) = (basic(&key), deprovision(&key));
            let provisioning = tokio::spawn(async move { one.provision(request).await });
            let deprovisioning = tokio::spawn(async move { two.deprovision(deprovision_request).await });
            let made = Answer::from(soon("provisioning", provisioning).await.unwrap());
            let removed = Answer::from(soon("deprovisioning", deprovisioning).await.unwrap());
            // whichever came first: a resource reported as deprovisioned or unknown does not exist
            assert_eq!(vendor.widget(&key).await, None, "{made:?} {removed:?}");
            assert_eq!(
                Answer::from(ledger.wrap(vendor.clone()).provision(basic(&key)).await),
                Answer::Failed(FailureKind::Gone)
            );
        }
    }

    async fn concurrent_duplicates_make_one_call_and_get_one_reply(database: Database) {
        let mut processes = vec![database.ledger().await];
        for _ in 0..2 {
            processes.push(database.open().await);
        }
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.work = Duration::from_millis(5);
        for _ in 0..short_or_long(20, 200) {
            let key = key();
            let calls = (0..64).map(|number: usize| {
                let listener = processes[number % 3].wrap(vendor.clone());
                let request = basic(&key);
                async move { listener.provision(request).await }
            });
            let answers = replies(calls).await;
            assert!(answers[0].is_done(), "{:?}", answers[0]);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            assert_eq!(vendor.calls(&key).await.len(), 1);
        }
        assert_eq!(vendor.duplicates().await, 0);
    }

    async fn concurrent_deprovisions_make_one_call(database: Database) {
        let processes = [database.ledger().await, database.open().await];
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        processes[0].wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let calls = (0..16).map(|number: usize| {
            let (listener, request) = (processes[number % 2].wrap(vendor.clone()), deprovision(&key));
            async move { listener.deprovision(request).await }
        });
        let answers = tokio::spawn(replies(calls.collect::<Vec<_>>()));
        gate.entered().await;
        gate.open();
        for answer in soon("all of them", answers).await.unwrap() {
            // a request after completion gets `Gone`
            assert!(matches!(answer, Answer::Done(_) | Answer::Failed(FailureKind::Gone)), "{answer:?}");
        }
        assert_eq!(vendor.calls(&key).await.len(), 2);
    }

    async fn the_fencing_token_grows_with_every_execution(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [super::support::Act::Fail("not yet"), super::support::Act::Fail("still not")]);
        until("the provision succeeds", || async { listener.provision(basic(&key)).await.is_ok() }).await;
        listener.plan_change(plan_change(&key, "premium")).await.expect("a plan change");
        listener.deprovision(deprovision(&key)).await.expect("a deprovision");
        let fences: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.fence).collect();
        assert_eq!(fences.len(), 5);
        assert!(fences[0] > 0 && fences.is_sorted_by(|one, next| one < next), "{fences:?}");
    }

    async fn ids_that_look_like_sql_are_treated_as_text(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        for id in ["'; DROP TABLE maitre_resources; --", "{now}", "$1", "{lock}", "%", "ü\u{1F4A1}"] {
            let resource = ResourceId::new(id);
            let request = maitre_core::Provision::new(addon(), resource, "{now}");
            let first = Answer::from(listener.provision(request.clone()).await);
            assert!(first.is_done(), "{id}: {first:?}");
            assert_eq!(Answer::from(listener.provision(request).await), first);
            assert!(Answer::from(listener.deprovision(deprovision(id)).await).is_done());
        }
    }
}
