//! Routes of the API.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{delete, get, post, put},
};

use super::{
    super::state::shared::SharedState, addons, auth, callback, customer_apps, inventory, log_drains, oauth, webhooks,
};

/// Returns a router with all of Heroku's hosts: `api.heroku.com`, `id.heroku.com` and `addons.heroku.com` have
/// different paths.
pub(crate) fn router(state: &SharedState) -> Router {
    with_token()
        .route_layer(from_fn_with_state(state.clone(), auth::token))
        .route("/oauth/tokens", post(oauth::nested))
        .route_layer(from_fn_with_state(state.clone(), auth::version))
        .route("/oauth/token", post(oauth::form))
        .route("/vendor/apps/{uuid}", put(callback::put))
        .route("/vendor/resources/{uuid}/oauth-grant", get(oauth::backfill))
        .route("/api/v3/apps", get(inventory::list))
        .with_state(state.clone())
}

/// Routes that need a vendor's token.
fn with_token() -> Router<SharedState> {
    Router::new()
        .route("/account/rate-limits", get(auth::rate_limits))
        .route("/addons", get(addons::list))
        .route("/addons/{addon}", get(addons::get))
        .route("/addons/{addon}/actions/deprovision", post(addons::deprovision))
        .route("/addons/{addon}/actions/provision", post(addons::provision))
        .route("/addons/{addon}/addon-attachments", get(customer_apps::attachments))
        .route("/addons/{addon}/config", get(addons::config).patch(addons::change_config))
        .route("/addons/{addon}/log-drains", get(log_drains::list))
        .route("/addons/{addon}/log-drains/{drain}", put(log_drains::change))
        .route("/addons/{addon}/webhook-deliveries", get(webhooks::deliveries))
        .route("/addons/{addon}/webhook-deliveries/{delivery}", get(webhooks::delivery))
        .route("/addons/{addon}/webhook-events", get(webhooks::events))
        .route("/addons/{addon}/webhook-events/{event}", get(webhooks::event))
        .route("/addons/{addon}/webhooks", get(webhooks::list).post(webhooks::subscribe))
        .route(
            "/addons/{addon}/webhooks/{webhook}",
            get(webhooks::get).patch(webhooks::change).delete(webhooks::unsubscribe),
        )
        .route("/apps", get(customer_apps::list))
        .route("/apps/{app}", get(customer_apps::get))
        .route("/apps/{app}/addon-attachments", get(customer_apps::attachments_of_app))
        .route("/apps/{app}/addons", get(addons::of_app))
        .route("/apps/{app}/collaborators", get(customer_apps::collaborators))
        .route("/apps/{app}/domains", get(customer_apps::domains))
        .route("/apps/{app}/log-drains", post(log_drains::add))
        .route("/apps/{app}/log-drains/{drain}", delete(log_drains::remove))
        .route("/filters/apps", post(customer_apps::filter))
        .route("/teams/{team}/members", get(customer_apps::members))
}
