//! Lists of plans: of a product, an installation and a resource.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::catalog::Plan;
use maitre_axum::core::{Backend, Fetch};
use maitre_axum::{Call, ErrorReply, ReadResult, json};
use serde_json::{Map, Value, json};

use crate::Vercel;
use crate::plan::{PlanBody, is_of_installation};

fn list<'p>(plans: impl Iterator<Item = &'p Plan>) -> Response {
    json(StatusCode::OK, &json!({ "plans": plans.map(PlanBody).collect::<Vec<_>>() }))
}

/// Answers with the plans of a product. Asked at every change of the form, also before the installation.
pub(crate) async fn of_product(call: Call<Vercel>) -> ReadResult {
    check_metadata(&call)?;
    let product = call.addon().marketplace().product(call.id("slug")?).ok_or_else(no_product)?;
    Ok(list(product.plans().iter()))
}

/// Answers with the plans of an installation.
pub(crate) async fn of_installation(call: Call<Vercel>) -> ReadResult {
    Ok(list(call.addon().marketplace().installation_plans()))
}

/// Answers with the plans that a resource may change to.
pub(crate) async fn of_resource(call: Call<Vercel>) -> ReadResult {
    check_metadata(&call)?;
    let mut fetch = Fetch::new(call.addon_id(), call.resource("rid")?);
    fetch.account = Some(call.id("iid")?.into());
    let details = call.addon().fetch(fetch).await?;
    let vercel = call.addon().marketplace();
    let offer = vercel.offer(details.service.as_deref(), &details.plan).ok_or_else(ErrorReply::unavailable)?;
    Ok(list(offer.service.plans().iter().filter(|plan| !is_of_installation(plan))))
}

/// Checks the values of the form in the query, on which this router's plans do not depend.
fn check_metadata(call: &Call<Vercel>) -> Result<(), ErrorReply> {
    match call.query_value("metadata") {
        Some(text) if !text.is_empty() && serde_json::from_str::<Map<String, Value>>(&text).is_err() => {
            Err(ErrorReply::bad_request("The metadata in the query must be a JSON object."))
        }
        _ => Ok(()),
    }
}

fn no_product() -> ErrorReply {
    ErrorReply::new(StatusCode::NOT_FOUND, "This product does not exist.")
}
