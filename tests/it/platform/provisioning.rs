//! Asynchronous provisioning, as seen by Heroku.

use std::time::Duration;

use maitre_testkit::platform::{Fault, State};

use super::World;
use super::setup::{becomes, id};
use crate::ledger::support::{Act, Database, Gate, until};

on_both_databases! {
    async fn a_fast_provision_is_200_and_its_grant_is_exchanged(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let (install, reply) = world.order(&house).await;
        assert_eq!(reply.expect(200).json()["id"], install.uuid());
        house.all_done().await;
        let tally = install.call_counts();
        assert_eq!((tally.exchanges, tally.config_patches, tally.provisioned), (1, 0, 0));
        let uuid = install.uuid();
        let add_on = house.platform.call(&id(&install), |api| async move { api.add_on(uuid).await }).await;
        assert_eq!(add_on.unwrap().name, install.name());
        world.is_content();
    }

    async fn a_slow_provision_is_202_and_heroku_is_notified_once(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.heroku.install("basic");
        let gate = Gate::new();
        world.vendor.tell(install.uuid(), [Act::Wait(gate.clone())]);
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(&reply);
        let body = reply.expect(202).json();
        assert_eq!(body["id"], install.uuid());
        assert_eq!(body.get("config"), None);
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));

        // the exchange does not wait for the provision
        until("its grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        assert_eq!(install.state(), State::Provisioning);
        // a repeated request joins the same operation
        house.market.provision("basic").install(&install).send().await.expect(202);

        gate.open();
        becomes(&install, State::Provisioned).await;
        house.all_done().await;
        let tally = install.call_counts();
        assert_eq!((tally.config_patches, tally.provisioned, tally.restarts), (1, 1, 1));
        assert!(install.config()["WIDGET_URL"].starts_with("https://"));
        assert_eq!(world.vendor.calls(install.uuid()).await.len(), 1);
        // a completed provision is replayed
        let again = house.market.provision("basic").install(&install).send().await;
        assert_eq!(again.expect(200).json()["config"]["WIDGET_URL"], *install.config()["WIDGET_URL"]);
        world.is_content();
    }

    async fn a_refusal_after_202_is_reported_as_deprovisioned(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.heroku.install("basic");
        let gate = Gate::new();
        world.vendor.tell(install.uuid(), [Act::Wait(gate.clone()), Act::Refuse("Sold out.")]);
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        gate.open();
        becomes(&install, State::Deprovisioned).await;
        house.all_done().await;
        assert_eq!(install.call_counts().deprovisioned, 1);
        world.is_content();
    }

    async fn api_faults_and_lost_responses_are_retried(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let (grant, config) = (("POST", "/oauth/token"), ("PATCH", "/addons/*/config"));
        let end = ("POST", "/addons/*/actions/provision");
        for (number, fault) in [
            Fault::status(503).on(grant.0, grant.1).times(6),
            Fault::status(429).header("retry-after", "0").on(config.0, config.1).times(6),
            Fault::status(500).on(config.0, config.1).times(6),
            Fault::not_json().on(config.0, config.1).times(2),
            Fault::drop_connection().after_work().on(config.0, config.1),
            Fault::drop_connection().after_work().on(end.0, end.1),
            Fault::cut_body().on(end.0, end.1),
            Fault::status(503).on(end.0, end.1).times(6),
        ]
        .into_iter()
        .enumerate()
        {
            let install = world.heroku.install("basic");
            let gate = world.vendor.stop_at(install.uuid());
            world.heroku.inject_fault(fault);
            let reply = house.market.provision("basic").install(&install).send().await;
            install.record_provision(reply.expect(202));
            gate.open();
            becomes(&install, State::Provisioned).await;
            house.all_done().await;
            world.heroku.clear_faults();
            let tally = install.call_counts();
            assert_eq!((tally.provisioned, tally.restarts), (1, 1), "fault {number}");
            assert_eq!(world.vendor.calls(install.uuid()).await.len(), 1, "fault {number}");
        }
        world.is_content();
    }

    async fn a_deprovision_during_a_provision_stops_further_api_calls(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.heroku.install("basic");
        let gate = world.vendor.stop_at(install.uuid());
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        until("its grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        let removal = house.remove(&install);
        let (removal, ()) = tokio::join!(removal, async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            gate.open();
        });
        removal.expect(204);
        house.all_done().await;
        assert_eq!(world.vendor.widget(install.uuid()).await, None);
        let tally = install.call_counts();
        assert_eq!((tally.provisioned, tally.calls_after_deprovision), (0, 0));
        world.is_content();
    }

    async fn a_slow_plan_change_patches_the_config_on_completion(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.ordered(&house).await;
        let gate = world.vendor.stop_at(install.uuid());
        house.change_plan(&install, "premium").await.expect(202);
        gate.open();
        house.all_done().await;
        assert_eq!(install.config()["A_FIRST"], "premium");
        assert_eq!(install.call_counts().config_patches, 1);
        house.change_plan(&install, "premium").await.expect(200);
        world.is_content();
    }

    async fn a_slow_deprovision_is_reported_to_heroku(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let house = world.house().await;
        let install = world.ordered(&house).await;
        let gate = world.vendor.stop_at(install.uuid());
        house.remove(&install).await.expect(202);
        gate.open();
        becomes(&install, State::Deprovisioned).await;
        house.all_done().await;
        assert_eq!((install.call_counts().deprovisioned, install.call_counts().calls_after_deprovision), (1, 0));
        assert_eq!(world.vendor.widget(install.uuid()).await, None);
        world.is_content();
    }

    async fn a_deprovision_completed_before_heroku_reads_the_202_is_reported_again(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let house = world.house().await;
        let install = world.ordered(&house).await;
        let gate = world.vendor.stop_at(install.uuid());
        let reply = house.market.deprovision(install.uuid()).send().await;
        gate.open();
        let refused = || install.exchanges().iter().any(|exchange| exchange.status() == Some(422));
        until("it is told too early", || async { refused() }).await;
        install.record_deprovision(reply.expect(202));
        becomes(&install, State::Deprovisioned).await;
        house.all_done().await;
        assert_eq!((install.call_counts().deprovisioned, install.call_counts().calls_after_deprovision), (1, 0));
        assert_eq!(house.ledger.stats().await.unwrap().parked_operations, 0);
        world.is_content();
    }

    async fn a_deprovision_needs_no_token(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.ordered(&house).await;
        // Heroku's token endpoint fails, and the token has expired
        world.heroku.inject_fault(Fault::status(503).always());
        world.heroku.clock().advance(Duration::from_hours(9));
        house.remove(&install).await.expect(204);
        house.all_done().await;
    }

    async fn a_provision_that_heroku_gave_up_is_deprovisioned(database: Database) {
        let world = World::new(database).await;
        let house = world.house().await;
        let install = world.heroku.install("basic");
        let gate = world.vendor.stop_at(install.uuid());
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        until("its grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        house.errands_done().await;
        let late = Duration::from_hours(12) + Duration::from_mins(1);
        world.heroku.clock().advance(late);
        assert_eq!(install.state(), State::Deprovisioned);
        gate.open();
        until("it is done, too late", || async { world.vendor.widget(install.uuid()).await.is_some() }).await;
        drop(house);

        let house = world.house_with(world.options().clock_offset(late), |platform| platform).await;
        until("it is taken down", || async { world.vendor.widget(install.uuid()).await.is_none() }).await;
        house.all_done().await;
        house.market.provision("basic").install(&install).send().await.expect(410);
        assert_eq!(install.call_counts().provisioned, 0);
    }

    async fn a_slow_deprovision_without_a_token_ends_at_the_completion_deadline(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let house = world.house().await;
        world.heroku.inject_fault(Fault::status(401).on("POST", "/oauth/token"));
        let (install, reply) = world.order(&house).await;
        reply.expect(200);
        until("its grant is lost", || async { house.ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let gate = world.vendor.stop_at(install.uuid());
        house.remove(&install).await.expect(202);
        gate.open();
        until("it is done", || async { world.vendor.widget(install.uuid()).await.is_none() }).await;
        drop(house);

        let late = Duration::from_hours(12) + Duration::from_mins(1);
        world.heroku.clock().advance(late);
        let house = world.house_with(world.options().clock_offset(late), |platform| platform).await;
        house.all_done().await;
        house.market.deprovision(install.uuid()).send().await.expect(410);
    }
}
