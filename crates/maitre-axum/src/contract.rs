//! The contract of a marketplace: authentication, bodies and responses.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maitre_core::sso::{TokenError, Window};
use maitre_core::{
    AddonId, Deprovisioned, Failure, FailureKind, Marketplace, Notice, NoticeKind, PlanChange, PlanChanged, Provision,
    Provisioned, ResourceId, SignOn,
};
use time::OffsetDateTime;

use crate::cookie::Cookie;
use crate::error_response::{ErrorResponse, public_message};
use crate::form::Form;
use crate::payload::Payload;
use crate::rejection::BodyRejection;
use crate::reply::{ConfigJson, ReplyBody, json, no_content};

/// The contract of a marketplace: authenticates callers, parses bodies and writes responses.
///
/// The methods are pure functions. [`lifecycle`](crate::lifecycle()) builds the routes.
///
/// ```
/// use axum::body::Body;
/// use axum::http::{HeaderMap, Request, StatusCode};
/// use axum::response::Response;
/// use maitre_axum::core::{self, AddonId, Addon, Credentials, Marketplace, ResourceId};
/// use maitre_axum::{BodyRejection, Contract, Payload, json, lifecycle, verify_basic};
/// use tower::ServiceExt;
///
/// struct Bazaar(Credentials);
///
/// impl Marketplace for Bazaar {
///     fn name(&self) -> std::borrow::Cow<'static, str> {
///         "bazaar".into()
///     }
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
/// }
///
/// # use core::doctest::Widgets as Stalls;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let addon = Addon::new(Bazaar(Credentials::new("lamps", "sesame", "salt")?), Stalls);
/// let router = lifecycle::<_, ()>(&addon, "/orders").into_router();
/// let order = Request::post("/orders").header("authorization", "Basic bGFtcHM6c2VzYW1l");
/// let reply = router.oneshot(order.body(Body::from(r#"{"stall":"12","plan":"brass"}"#))?).await?;
/// assert_eq!(reply.status(), StatusCode::CREATED);
/// # Ok(())
/// # }
/// ```
pub trait Contract: Marketplace + Sized {
    /// `WWW-Authenticate` header of a 401.
    const CHALLENGE: &'static str;

    /// Returns whether the caller has the add-on's credentials. Called before the body is read.
    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool;

    /// Parses the body of a provision. `now` is for fields with a lifetime.
    ///
    /// # Errors
    /// Returns an error if the body is invalid.
    fn provision(&self, addon: AddonId, body: &Payload, now: OffsetDateTime) -> Result<Provision, BodyRejection>;

    /// Parses the body of a plan change of the resource `id`, which is the id in the path, regardless of the body.
    ///
    /// # Errors
    /// Returns an error if the body is invalid.
    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection>;

    /// Parses the body of a notification about the resource `id`. The default is a plan warning, and ignores the body.
    ///
    /// # Errors
    /// Returns an error if the body is invalid.
    fn notice(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<Notice, BodyRejection> {
        let _ = body;
        Ok(Notice::new(addon, id, NoticeKind::PlanWarning))
    }

    /// Writes the response to a completed provision.
    fn provisioned(&self, reply: &Provisioned) -> Response;

    /// Writes the response to a completed plan change. The default is 200 with `config` and `message`, each of which is
    /// omitted if it is empty.
    fn plan_changed(&self, reply: &PlanChanged) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { config, message: reply.message(), ..ReplyBody::default() })
    }

    /// Writes the response to a completed deprovision. The default is 204.
    fn deprovisioned(&self, reply: &Deprovisioned) -> Response {
        let _ = reply;
        no_content()
    }

    /// Writes the response to an accepted operation; `resource` is the key in a provision, and `None` otherwise. The
    /// default is 503, for marketplaces without asynchronous replies.
    fn accepted(&self, resource: Option<&ResourceId>, message: &str) -> Response {
        let _ = (resource, message);
        tracing::error!("an operation was accepted, which this marketplace does not support");
        failure_response::<Self>(Failure::unavailable("accepted")).into_response()
    }

    /// Returns the status of a failure: 422 if the listener declined, 404, 410, and 503 for temporary failures.
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

/// Builds the response to a failure of a listener.
#[expect(clippy::needless_pass_by_value, reason = "used in `map_err`")]
pub(crate) fn failure_response<M: Contract>(failure: Failure) -> ErrorResponse {
    ErrorResponse::new(M::status(failure.kind()), public_message(&failure).to_owned())
}

/// A contract with single sign-on.
pub trait SingleSignOn: Contract {
    /// Verifies the token of a form. The user only sees that it failed.
    ///
    /// # Errors
    /// Returns the reason for the log.
    fn sign_on(&self, addon: AddonId, form: Form, window: Window, now: OffsetDateTime) -> Result<SignOn, TokenError>;

    /// Verifies the token of a legacy request: a `GET` on the resource, with the fields in the query.
    ///
    /// # Errors
    /// Returns the reason for the log.
    fn sign_on_by_get(
        &self,
        addon: AddonId,
        id: ResourceId,
        query: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError>;

    /// Returns a cookie to set in addition to the session. `host` is the host in the browser's request.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie>;
}
