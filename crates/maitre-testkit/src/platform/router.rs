//! Which code answers which path.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{delete, get, post, put},
};

use super::{Platform, addons, apps, auth, inventory, oauth, webhooks::routes as webhooks};

/// Heroku's hosts on one router: `api.heroku.com`, `id.heroku.com` and `addons.heroku.com` have no path in common.
pub(super) fn router(platform: &Platform) -> Router {
    with_token()
        .route_layer(from_fn_with_state(platform.clone(), auth::token))
        .route("/oauth/tokens", post(oauth::nested))
        .route_layer(from_fn_with_state(platform.clone(), auth::version))
        .route("/oauth/token", post(oauth::form))
        .route("/vendor/resources/{uuid}/oauth-grant", get(oauth::backfill))
        .route("/api/v3/apps", get(inventory::list))
        .with_state(platform.clone())
}

/// What a vendor's token opens.
fn with_token() -> Router<Platform> {
    Router::new()
        .route("/account/rate-limits", get(auth::rate_limits))
        .route("/addons", get(addons::list))
        .route("/addons/{addon}", get(addons::get))
        .route("/addons/{addon}/actions/deprovision", post(addons::deprovision))
        .route("/addons/{addon}/actions/provision", post(addons::provision))
        .route("/addons/{addon}/addon-attachments", get(apps::attachments))
        .route("/addons/{addon}/config", get(addons::config).patch(addons::change_config))
        .route("/addons/{addon}/log-drains", get(apps::drains))
        .route("/addons/{addon}/log-drains/{drain}", put(apps::move_drain))
        .route("/addons/{addon}/webhook-deliveries", get(webhooks::deliveries))
        .route("/addons/{addon}/webhook-deliveries/{delivery}", get(webhooks::delivery))
        .route("/addons/{addon}/webhook-events", get(webhooks::events))
        .route("/addons/{addon}/webhook-events/{event}", get(webhooks::event))
        .route("/addons/{addon}/webhooks", get(webhooks::list).post(webhooks::subscribe))
        .route(
            "/addons/{addon}/webhooks/{webhook}",
            get(webhooks::get).patch(webhooks::change).delete(webhooks::unsubscribe),
        )
        .route("/apps", get(apps::list))
        .route("/apps/{app}", get(apps::get))
        .route("/apps/{app}/addon-attachments", get(apps::attachments_of_app))
        .route("/apps/{app}/addons", get(addons::of_app))
        .route("/apps/{app}/collaborators", get(apps::collaborators))
        .route("/apps/{app}/domains", get(apps::domains))
        .route("/apps/{app}/log-drains", post(apps::add_drain))
        .route("/apps/{app}/log-drains/{drain}", delete(apps::remove_drain))
        .route("/filters/apps", post(apps::filter))
        .route("/teams/{team}/members", get(apps::members))
}
