//! What a marketplace crate says of its contract; all the rest is done here, the same for every marketplace.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;
use maitre_core::sso::{TokenError, Window};
use maitre_core::{
    AddonId, Deprovisioned, Failure, FailureKind, Marketplace, PlanChange, PlanChanged, PlanWarning, Provision,
    Provisioned, ResourceId, SignOn,
};
use time::OffsetDateTime;

use crate::payload::{BodyRejection, Payload};
use crate::reply::ErrorResponse;
use crate::sso::Form;

/// A marketplace's contract: who may call, what the bodies mean, and how answers are written down.
///
/// The methods are pure: same input, same bytes. [`lifecycle`](crate::lifecycle()) makes routes of it.
///
/// ```
/// use axum::body::Body;
/// use axum::http::{HeaderMap, Request, StatusCode};
/// use axum::response::Response;
/// use maitre_axum::core::{self, AddonId, Addon, Credentials, Marketplace, ResourceId};
/// use maitre_axum::{Contract, BodyRejection, Payload, verify_basic, json, lifecycle, no_content};
/// use tower::ServiceExt;
///
/// struct Bazaar(Credentials);
///
/// impl Marketplace for Bazaar {
///     const NAME: &'static str = "bazaar";
///     fn slug(&self) -> &str {
///         self.0.user()
///     }
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     stall: String,
///     plan: String,
/// }
///
/// impl Contract for Bazaar {
///     const CHALLENGE: &'static str = r#"Basic realm="Bazaar""#;
///     fn authenticate(&self, headers: &HeaderMap, now: time::OffsetDateTime) -> bool {
///         verify_basic(headers, &self.0, now)
///     }
///     fn provision(&self, addon: AddonId, body: &Payload, _: time::OffsetDateTime) -> Result<core::Provision, BodyRejection> {
///         let order = body.json::<Order>()?.fields;
///         Ok(core::Provision::new(addon, order.stall, order.plan))
///     }
///     fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<core::PlanChange, BodyRejection> {
///         Ok(core::PlanChange::new(addon, id, body.json::<Order>()?.fields.plan))
///     }
///     fn provisioned(&self, reply: &core::Provisioned) -> Response {
///         json(StatusCode::CREATED, &serde_json::json!({ "id": reply.id().as_str() }))
///     }
///     fn plan_changed(&self, _: &core::PlanChanged) -> Response {
///         no_content()
///     }
///     fn deprovisioned(&self, _: &core::Deprovisioned) -> Response {
///         no_content()
///     }
/// }
///
/// # struct Stalls;
/// # impl core::Listener for Stalls {
/// #     async fn provision(&self, r: core::Provision) -> core::Result<core::Provisioned> { Ok(core::Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: core::PlanChange) -> core::Result<core::PlanChanged> { Ok(core::PlanChanged::new()) }
/// #     async fn deprovision(&self, _: core::Deprovision) -> core::Result<core::Deprovisioned> { Ok(core::Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: core::SignOn) -> core::Result<core::SignedOn> { Ok(core::SignedOn::redirect("/")) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let addon = Addon::new(Bazaar(Credentials::new("lamps", "sesame", "salt")?), Stalls);
/// let router = lifecycle::<_, ()>(&addon, "/orders");
/// let order = Request::post("/orders").header("authorization", "Basic bGFtcHM6c2VzYW1l");
/// let reply = router.oneshot(order.body(Body::from(r#"{"stall":"12","plan":"brass"}"#))?).await?;
/// assert_eq!(reply.status(), StatusCode::CREATED);
/// # Ok(())
/// # }
/// ```
pub trait Contract: Marketplace + Sized {
    /// The `WWW-Authenticate` of a 401.
    const CHALLENGE: &'static str;

    /// Whether the caller may ask for anything; decided before the body is read.
    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool;

    /// Reads the body of a provision. `now` is for what a marketplace tells by its age.
    ///
    /// # Errors
    /// [`BodyRejection`], answered with its status and sentence.
    fn provision(&self, addon: AddonId, body: &Payload, now: OffsetDateTime) -> Result<Provision, BodyRejection>;

    /// Reads the body of a plan change of the resource `id`, which is the path's, whatever the body says.
    ///
    /// # Errors
    /// [`BodyRejection`], answered with its status and sentence.
    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection>;

    /// Reads the body of a plan warning; a marketplace without any need not say how.
    ///
    /// # Errors
    /// [`BodyRejection`], answered with its status and sentence.
    fn plan_warning(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanWarning, BodyRejection> {
        let _ = body;
        Ok(PlanWarning::new(addon, id))
    }

    /// Writes down that the resource is there.
    fn provisioned(&self, reply: &Provisioned) -> Response;

    /// Writes down that the plan has changed.
    fn plan_changed(&self, reply: &PlanChanged) -> Response;

    /// Writes down that the resource is removed.
    fn deprovisioned(&self, reply: &Deprovisioned) -> Response;

    /// Writes down that it is accepted and done later; `resource` is the key of one that is being provisioned, and nothing
    /// otherwise. A marketplace that cannot be told so says that it is unavailable.
    fn accepted(&self, resource: Option<&ResourceId>, message: &str) -> Response {
        let _ = (resource, message);
        tracing::error!("an operation was accepted, which this marketplace does not know");
        ErrorResponse::of::<Self>(Failure::unavailable("accepted")).into_response()
    }

    /// The status of a failure: 422 where the listener decided, 404, 410, and 503 for all that may pass.
    #[must_use]
    fn status(failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unknown => StatusCode::NOT_FOUND,
            FailureKind::Gone => StatusCode::GONE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A contract with single sign-on.
pub trait SingleSignOn: Contract {
    /// Checks the token and says who came; no user of this is told more than that it failed.
    ///
    /// # Errors
    /// [`TokenError`], for the log.
    fn sign_on(&self, addon: AddonId, form: Form, window: Window, now: OffsetDateTime) -> Result<SignOn, TokenError>;

    /// The legacy form, a `GET` on the resource: the fields stand in the query, the id in the path.
    ///
    /// # Errors
    /// [`TokenError`], for the log.
    fn sign_on_by_get(
        &self,
        addon: AddonId,
        id: ResourceId,
        query: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError>;

    /// A cookie that the browser gets beside the session; `host` is what the browser asked for.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie<'static>>;
}
