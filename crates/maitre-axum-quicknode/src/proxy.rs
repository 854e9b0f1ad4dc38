//! Calls that QuickNode forwards to an add-on with methods of its own.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maitre_axum::core::{Addon, Backend, FailureKind, Fetch, ResourceDetails, ResourceId};
use maitre_axum::json;
use serde_json::json;

use crate::QuickNode;

/// Endpoint of a call that QuickNode forwards, from its four headers: an extractor for handlers of JSON-RPC or REST methods.
///
/// The call has no credentials: let only QuickNode reach the handler, for example by the addresses of its proxies.
///
/// ```
/// use axum::{Router, response::Response, routing::post};
/// use maitre_axum::core::Addon;
/// use maitre_axum_quicknode::{QuickNode, QuickNodeCall, RpcError};
///
/// fn rpc(addon: Addon<QuickNode>) -> Router {
///     Router::new().route("/rpc", post(async move |call: QuickNodeCall| -> Result<String, RpcError> {
///         let endpoint = call.active_endpoint(&addon).await?;
///         Ok(format!(r#"{{"id":1,"jsonrpc":"2.0","result":"plan {}"}}"#, endpoint.plan))
///     }))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuickNodeCall {
    /// Account (`X-QUICKNODE-ID`).
    pub account: String,
    /// Endpoint (`X-INSTANCE-ID`).
    pub endpoint: String,
    /// Blockchain (`X-QN-CHAIN`).
    pub chain: String,
    /// Network of the blockchain (`X-QN-NETWORK`).
    pub network: String,
}

impl QuickNodeCall {
    /// Returns the key of the endpoint's resource.
    #[must_use]
    pub fn resource(&self) -> ResourceId {
        key(&self.account, &self.endpoint)
    }

    /// Returns the record of the endpoint, from the ledger of the add-on.
    ///
    /// # Errors
    /// Returns an error if the endpoint is unknown or deactivated, or if the ledger fails.
    pub async fn active_endpoint(&self, addon: &Addon<QuickNode>) -> Result<ResourceDetails, RpcError> {
        addon.fetch(Fetch::new(addon.id().clone(), self.resource())).await.map_err(|failure| match failure.kind() {
            FailureKind::Unknown | FailureKind::Gone => {
                RpcError { status: StatusCode::NOT_FOUND, code: -32001, message: "This endpoint is not active.".into() }
            }
            _ => {
                tracing::warn!(%failure, "cannot read the endpoint of a call");
                let message = "The add-on cannot answer at the moment.".into();
                RpcError { status: StatusCode::SERVICE_UNAVAILABLE, code: -32000, message }
            }
        })
    }
}

impl<S: Sync> FromRequestParts<S> for QuickNodeCall {
    type Rejection = RpcError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, RpcError> {
        let header = |name: &str| {
            let mut values = parts.headers.get_all(name).iter();
            let value = values.next().filter(|value| !value.is_empty() && values.next().is_none());
            value.and_then(|value| Some(value.to_str().ok()?.to_owned())).ok_or_else(|| RpcError {
                status: StatusCode::BAD_REQUEST,
                code: -32600,
                message: format!("The header {name} is missing."),
            })
        };
        Ok(Self {
            account: header("X-QUICKNODE-ID")?,
            endpoint: header("X-INSTANCE-ID")?,
            chain: header("X-QN-CHAIN")?,
            network: header("X-QN-NETWORK")?,
        })
    }
}

/// Error of a forwarded call, as a JSON-RPC response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    status: StatusCode,
    code: i32,
    message: String,
}

impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message });
        json(self.status, &json!({ "id": null, "jsonrpc": "2.0", "error": error }))
    }
}

/// Returns the key of an endpoint's resource. The slash is unambiguous, as it is escaped in the account.
pub(crate) fn key(account: &str, endpoint: &str) -> ResourceId {
    format!("{}/{endpoint}", account.replace('%', "%25").replace('/', "%2F")).into()
}
