//! Asynchronous provisioning, as seen by Heroku.

use std::time::Duration;

use maitre_testkit::platform::{Fault, State};

use super::Fixture;
use super::setup::{id, wait_for_state};
use crate::ledger::support::{Act, Database, Gate, until};

on_both_databases! {
    async fn a_fast_provision_is_200_and_its_grant_is_exchanged(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let (install, reply) = fixture.install(&app).await;
        assert_eq!(reply.expect(200).json()["id"], install.uuid());
        app.wait_until_idle().await;
        let counts = install.call_counts();
        assert_eq!((counts.exchanges, counts.config_patches, counts.provisioned), (1, 0, 0));
        let uuid = install.uuid();
        let add_on = app.platform.call(&id(&install), |api| async move { api.add_on(uuid).await }).await;
        assert_eq!(add_on.unwrap().name, install.name());
        fixture.assert_no_violations();
    }

    async fn a_slow_provision_is_202_and_heroku_is_notified_once(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.heroku.install("basic");
        let gate = Gate::new();
        fixture.vendor.script(install.uuid(), [Act::Wait(gate.clone())]);
        let reply = app.accepting.provision("basic").install(&install).send().await;
        install.record_provision(&reply);
        let body = reply.expect(202).json();
        assert_eq!(body["id"], install.uuid());
        assert_eq!(body.get("config"), None);
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));

        // the exchange does not wait for the provision
        until("the grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        assert_eq!(install.state(), State::Provisioning);
        // a repeated request joins the same operation
        app.accepting.provision("basic").install(&install).send().await.expect(202);

        gate.open();
        wait_for_state(&install, State::Provisioned).await;
        app.wait_until_idle().await;
        let counts = install.call_counts();
        assert_eq!((counts.config_patches, counts.provisioned, counts.restarts), (1, 1, 1));
        assert!(install.config()["WIDGET_URL"].starts_with("https://"));
        assert_eq!(fixture.vendor.calls(install.uuid()).await.len(), 1);
        // a completed provision is replayed
        let again = app.client.provision("basic").install(&install).send().await;
        assert_eq!(again.expect(200).json()["config"]["WIDGET_URL"], *install.config()["WIDGET_URL"]);
        fixture.assert_no_violations();
    }

    async fn a_refusal_after_202_is_reported_as_deprovisioned(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.heroku.install("basic");
        let gate = Gate::new();
        fixture.vendor.script(install.uuid(), [Act::Wait(gate.clone()), Act::Refuse("Sold out.")]);
        let reply = app.accepting.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        gate.open();
        wait_for_state(&install, State::Deprovisioned).await;
        app.wait_until_idle().await;
        assert_eq!(install.call_counts().deprovisioned, 1);
        fixture.assert_no_violations();
    }

    async fn api_faults_and_lost_responses_are_retried(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
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
            let install = fixture.heroku.install("basic");
            let gate = fixture.vendor.stop_at(install.uuid());
            fixture.heroku.inject_fault(fault);
            let reply = app.accepting.provision("basic").install(&install).send().await;
            install.record_provision(reply.expect(202));
            gate.open();
            wait_for_state(&install, State::Provisioned).await;
            app.wait_until_idle().await;
            fixture.heroku.clear_faults();
            let counts = install.call_counts();
            assert_eq!((counts.provisioned, counts.restarts), (1, 1), "fault {number}");
            assert_eq!(fixture.vendor.calls(install.uuid()).await.len(), 1, "fault {number}");
        }
        fixture.assert_no_violations();
    }

    async fn a_deprovision_during_a_provision_stops_further_api_calls(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.heroku.install("basic");
        let gate = fixture.vendor.stop_at(install.uuid());
        let reply = app.accepting.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        until("the grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        let deprovisioning = app.deprovision(&install);
        let (deprovisioning, ()) = tokio::join!(deprovisioning, async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            gate.open();
        });
        deprovisioning.expect(204);
        app.wait_until_idle().await;
        assert_eq!(fixture.vendor.widget(install.uuid()).await, None);
        let counts = install.call_counts();
        assert_eq!((counts.provisioned, counts.calls_after_deprovision), (0, 0));
        fixture.assert_no_violations();
    }

    async fn a_slow_plan_change_patches_the_config_on_completion(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        let gate = fixture.vendor.stop_at(install.uuid());
        app.change_plan(&app.accepting, &install, "premium").await.expect(202);
        gate.open();
        app.wait_until_idle().await;
        assert_eq!(install.config()["A_FIRST"], "premium");
        assert_eq!(install.call_counts().config_patches, 1);
        app.change_plan(&app.client, &install, "premium").await.expect(200);
        fixture.assert_no_violations();
    }

    async fn a_slow_deprovision_is_reported_to_heroku(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        let gate = fixture.vendor.stop_at(install.uuid());
        app.deprovision_by(&app.accepting, &install).await.expect(202);
        gate.open();
        wait_for_state(&install, State::Deprovisioned).await;
        app.wait_until_idle().await;
        assert_eq!((install.call_counts().deprovisioned, install.call_counts().calls_after_deprovision), (1, 0));
        assert_eq!(fixture.vendor.widget(install.uuid()).await, None);
        fixture.assert_no_violations();
    }

    async fn a_deprovision_completed_before_heroku_reads_the_202_is_reported_again(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        let gate = fixture.vendor.stop_at(install.uuid());
        let reply = app.accepting.deprovision(install.uuid()).send().await;
        gate.open();
        let refused = || install.exchanges().iter().any(|exchange| exchange.status() == Some(422));
        until("Heroku rejects the early notification", || async { refused() }).await;
        install.record_deprovision(reply.expect(202));
        wait_for_state(&install, State::Deprovisioned).await;
        app.wait_until_idle().await;
        assert_eq!((install.call_counts().deprovisioned, install.call_counts().calls_after_deprovision), (1, 0));
        assert_eq!(app.ledger.stats().await.unwrap().parked_operations, 0);
        fixture.assert_no_violations();
    }

    async fn a_deprovision_needs_no_token(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        // Heroku's token endpoint fails, and the token has expired
        fixture.heroku.inject_fault(Fault::status(503).always());
        fixture.heroku.clock().advance(Duration::from_hours(9));
        app.deprovision(&install).await.expect(204);
        app.wait_until_idle().await;
    }

    async fn a_provision_that_heroku_gave_up_is_deprovisioned(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.heroku.install("basic");
        let gate = fixture.vendor.stop_at(install.uuid());
        let reply = app.accepting.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(202));
        until("the grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        app.wait_for_jobs().await;
        let late = Duration::from_hours(12) + Duration::from_mins(1);
        fixture.heroku.clock().advance(late);
        assert_eq!(install.state(), State::Deprovisioned);
        gate.open();
        until("the work is done too late", || async { fixture.vendor.widget(install.uuid()).await.is_some() }).await;
        drop(app);

        let app = fixture.start_app_with(fixture.options().clock_offset(late), |platform| platform).await;
        until("the resource is deprovisioned", || async { fixture.vendor.widget(install.uuid()).await.is_none() })
            .await;
        app.wait_until_idle().await;
        app.client.provision("basic").install(&install).send().await.expect(410);
        assert_eq!(install.call_counts().provisioned, 0);
    }

    async fn a_slow_deprovision_without_a_token_ends_at_the_completion_deadline(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.async_deprovisioning = true);
        let app = fixture.start_app().await;
        fixture.heroku.inject_fault(Fault::status(401).on("POST", "/oauth/token"));
        let (install, reply) = fixture.install(&app).await;
        reply.expect(200);
        until("the grant is lost", || async { app.ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let gate = fixture.vendor.stop_at(install.uuid());
        app.deprovision_by(&app.accepting, &install).await.expect(202);
        gate.open();
        until("the operation is finished", || async { fixture.vendor.widget(install.uuid()).await.is_none() }).await;
        drop(app);

        let late = Duration::from_hours(12) + Duration::from_mins(1);
        fixture.heroku.clock().advance(late);
        let app = fixture.start_app_with(fixture.options().clock_offset(late), |platform| platform).await;
        app.wait_until_idle().await;
        app.client.deprovision(install.uuid()).send().await.expect(410);
    }
}
