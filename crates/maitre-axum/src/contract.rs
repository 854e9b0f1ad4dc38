//! The contract of a marketplace: authentication, errors, and the rules that hold for each of its routes.

use std::future::{Future, ready};

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use maitre_core::{Failure, FailureKind, Marketplace, OperationKind, ResourceId};
use serde_json::json;

use crate::error_reply::ErrorReply;
use crate::incoming::Incoming;
use crate::reply;

/// A request with its caller.
pub type Call<M> = Incoming<M, <M as Contract>::Caller>;

/// A request whose caller is not known: before authentication, or at a route without it.
///
/// Before authentication the body is empty, as it has not been read.
pub type Head<M> = Incoming<M, ()>;

/// The contract of a marketplace, without its operations: who may call, and the shape of errors.
///
/// A contract implements [`Handles`](crate::Handles) for each operation that the marketplace sends, and
/// [`SingleSignOn`](crate::SingleSignOn) if users come from there. [`Routes`](crate::Routes) connects them to paths.
///
/// The page [Writing a marketplace crate][page] has a complete example.
///
/// [page]: https://github.com/maitre-rs/maitre/blob/main/docs/writing-a-marketplace-crate.md
pub trait Contract: Marketplace + Sized {
    /// The caller, as found by authentication; `()` if the marketplace is the only one.
    type Caller: Send + Sync + 'static;

    /// Authenticates a request from its method, URI and headers, before the body is read.
    ///
    /// # Errors
    /// Returns the answer to a caller without valid credentials.
    fn authenticate(&self, head: &Head<Self>) -> impl Future<Output = Result<Self::Caller, ErrorReply>> + Send;

    /// Authenticates a request from its body, for marketplaces that sign it. Called after
    /// [`authenticate`](Self::authenticate) and before the body is parsed; it may replace the caller. The default
    /// accepts every body.
    ///
    /// # Errors
    /// Returns the answer to a caller without valid credentials.
    fn authenticate_body(&self, call: &mut Call<Self>) -> impl Future<Output = Result<(), ErrorReply>> + Send {
        let _ = call;
        ready(Ok(()))
    }

    /// Returns whether requests with this method have a body that is read. The default is `false` for `GET`, `HEAD` and
    /// `DELETE`.
    fn reads_body(&self, method: &Method) -> bool {
        !matches!(*method, Method::GET | Method::HEAD | Method::DELETE)
    }

    /// Returns headers for the response to a request with these headers, whether it succeeds or not. The default is
    /// none.
    fn response_headers(&self, request: &HeaderMap) -> HeaderMap {
        let _ = request;
        HeaderMap::new()
    }

    /// Returns the status of a failure. The default is 422 if the listener declined, 404, 410, and 503 for temporary
    /// failures.
    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        let _ = operation;
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unknown => StatusCode::NOT_FOUND,
            FailureKind::Gone => StatusCode::GONE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the answer to a failure. The default has the [status](Self::status) of its kind.
    fn failure(&self, operation: OperationKind, failure: &Failure) -> ErrorReply {
        ErrorReply::from_failure(self.status(operation, failure.kind()), failure)
    }

    /// Writes an error: of authentication, of the body, of the listener, or of a method that is not allowed. The
    /// default is a JSON object with the `message`. The error's headers are added to the response.
    fn error(&self, error: &ErrorReply) -> Response {
        reply::json(error.status(), &json!({ "message": error.message() }))
    }

    /// Writes the response to an accepted operation. The default is 503, for marketplaces without asynchronous replies.
    fn accepted(&self, call: &Call<Self>, accepted: &Accepted<'_>) -> Response {
        let _ = (call, accepted);
        tracing::error!("an operation was accepted, which this marketplace does not support");
        let failure = Failure::unavailable("accepted");
        self.error(&self.failure(accepted.kind, &failure))
    }
}

/// An operation that continues in the background.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Accepted<'a> {
    /// The kind of operation.
    pub kind: OperationKind,
    /// The resource: its key in a provision, and the id in the request otherwise.
    pub resource: &'a ResourceId,
    /// Id of the operation in the ledger.
    pub operation: i64,
    /// Sentence for the customer.
    pub message: &'a str,
}

/// Writes an error with its headers.
pub(crate) fn error_response<M: Contract>(contract: &M, error: &ErrorReply) -> Response {
    let mut response = contract.error(error);
    if !error.headers().is_empty() {
        response.headers_mut().extend(error.headers().clone());
    }
    response
}
