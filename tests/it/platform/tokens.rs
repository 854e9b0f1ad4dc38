//! Tokens: exchanged in time, refreshed by one task at a time, deleted with their resource.

use std::time::Duration;

use maitre::platform::Error;
use maitre_testkit::platform::{Fault, Install, RefreshTokens, Rule};

use super::setup::id;
use super::{App, Fixture};
use crate::ledger::support::{Database, until};

/// Returns the add-on's name by an API call that needs a token.
async fn name(app: &App, install: &Install) -> Result<String, Error> {
    let uuid = install.uuid();
    let add_on = app.platform.call(&id(install), |api| async move { api.add_on(uuid).await }).await?;
    Ok(add_on.name)
}

on_both_databases! {
    async fn a_token_near_expiry_is_refreshed_before_use(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        fixture.heroku.clock().advance(Duration::from_secs(28_800 - 89));
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        let counts = install.call_counts();
        assert_eq!((counts.refreshes, counts.expired_tokens), (1, 0));
        fixture.assert_no_violations();
    }

    async fn a_revoked_token_is_refreshed_on_the_first_401(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        install.revoke_tokens();
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        assert_eq!(install.call_counts().refreshes, 1);
    }

    async fn a_refresh_response_may_lack_expiry_and_refresh_token(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        fixture.heroku.update_settings(|settings| {
            settings.refresh_includes_expiry = false;
            settings.refresh_includes_refresh_token = false;
            settings.refresh_status = 200;
        });
        for round in 1..=3 {
            // the expiry is unknown until the first 401
            fixture.heroku.clock().advance(Duration::from_hours(9));
            assert_eq!(name(&app, &install).await.unwrap(), install.name());
            assert_eq!(install.call_counts().refreshes, round);
        }
    }

    async fn a_rotated_refresh_token_is_stored(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        fixture.heroku.update_settings(|settings| settings.refresh_tokens = RefreshTokens::Rotated);
        for _ in 0..3 {
            fixture.heroku.clock().advance(Duration::from_hours(9));
            assert_eq!(name(&app, &install).await.unwrap(), install.name());
        }
        assert_eq!(install.call_counts().refreshes, 3);
    }

    async fn a_lost_grant_is_replaced_if_requested(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.grant_backfill = true);
        let app = fixture
            .start_app_with(fixture.options(), |platform| {
                platform.password(crate::support::PASSWORD).request_replacement_grants()
            })
            .await;
        // the response to the exchange is lost, and the grant is used up
        fixture.heroku.inject_fault(Fault::drop_connection().after_work().on("POST", "/oauth/token"));
        let (install, reply) = fixture.install(&app).await;
        reply.expect(200);
        app.wait_for_jobs().await;
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        assert_eq!(install.call_counts().grants, 2);
        assert_eq!(app.ledger.stats().await.unwrap().parked_jobs, 0);
    }

    async fn a_lost_grant_is_parked_if_replacement_is_not_enabled(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        fixture.heroku.inject_fault(Fault::drop_connection().after_work().on("POST", "/oauth/token"));
        let (install, reply) = fixture.install(&app).await;
        reply.expect(200);
        until("an entry is parked", || async { app.ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let parked = app.ledger.parked_jobs().await.unwrap();
        assert_eq!((parked[0].kind.as_str(), parked[0].resource.as_deref()), ("grant", Some(install.uuid())));
        assert!(parked[0].last_error.as_deref().unwrap().contains("401"), "{parked:?}");
        assert!(matches!(name(&app, &install).await, Err(Error::NoToken(_))));
        // the test kit permits a retry after a response that it dropped
        assert!(fixture.heroku.violations().iter().all(|violation| violation.rule() != Rule::RepeatedExchange));
    }

    async fn a_newer_grant_is_exchanged_only_without_a_token(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        fixture.heroku.inject_fault(Fault::status(401).on("POST", "/oauth/token"));
        let (install, reply) = fixture.install(&app).await;
        reply.expect(200);
        until("an entry is parked", || async { app.ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let _newer = install.issue_grant();
        app.client.provision("basic").install(&install).send().await.expect(200);
        app.wait_for_jobs().await;
        assert_eq!(name(&app, &install).await.unwrap(), install.name());
        // not exchanged if there is a token
        let _newest = install.issue_grant();
        app.client.provision("basic").install(&install).send().await.expect(200);
        app.wait_for_jobs().await;
        assert_eq!(install.call_counts().exchanges, 1);
    }

    async fn a_token_is_deleted_with_its_resource(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.installed(&app).await;
        app.deprovision(&install).await.expect(204);
        assert!(matches!(name(&app, &install).await, Err(Error::NoToken(_))));
        fixture.assert_no_violations();
    }
}
