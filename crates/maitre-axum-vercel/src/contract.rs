//! Authentication and permissions of each route, and the status and body of each error.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use maitre_axum::core::{Failure, FailureKind, OperationKind};
use maitre_axum::{Accepted, Call, Contract, ErrorReply, Head, json, no_content};
use serde_json::{Map, Value, json};

use crate::Vercel;
use crate::token::{Purpose, Refusal, VercelCaller};

impl Contract for Vercel {
    type Caller = VercelCaller;

    async fn authenticate(&self, head: &Head<Self>) -> Result<VercelCaller, ErrorReply> {
        let Some(token) = bearer(head) else { return Err(self.refuse("missing token")) };
        let verified = self.verify(token, head.now().unix_timestamp(), Purpose::Api).await;
        let caller = match verified.and_then(|claims| claims.caller()) {
            Ok(caller) => caller,
            Err(Refusal::NoKeys) => return Err(ErrorReply::unavailable()),
            Err(refusal) => return Err(self.refuse(&format!("{refusal:?}"))),
        };
        self.authorize(head, &caller).map_err(|reason| self.refuse(reason)).map(|()| caller)
    }

    /// An uninstallation has a body.
    fn reads_body(&self, method: &Method) -> bool {
        !matches!(*method, Method::GET | Method::HEAD)
    }

    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        use OperationKind::{Deprovision, OpenAccount, Provision};
        match (operation, failure) {
            (Deprovision, FailureKind::Unknown | FailureKind::Gone) => StatusCode::NO_CONTENT,
            (Provision | OpenAccount, FailureKind::Gone)
            | (_, FailureKind::Conflict | FailureKind::Concurrent | FailureKind::AsyncRequired) => StatusCode::CONFLICT,
            (_, FailureKind::Refused) => StatusCode::BAD_REQUEST,
            (_, FailureKind::Unknown | FailureKind::Gone) => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The listener's message is for the customer.
    fn failure(&self, operation: OperationKind, failure: &Failure) -> ErrorReply {
        let error = ErrorReply::from_failure(self.status(operation, failure.kind()), failure);
        match failure.message() {
            Some(message) => error.with_detail("user", json!({ "message": message })),
            None => error,
        }
    }

    fn error(&self, error: &ErrorReply) -> Response {
        if error.status() == StatusCode::NO_CONTENT {
            return no_content();
        }
        let mut body = Map::new();
        body.insert("code".to_owned(), error.code().unwrap_or_else(|| code(error.status())).into());
        body.insert("message".to_owned(), error.message().into());
        body.extend(error.details().clone());
        json(error.status(), &json!({ "error": body }))
    }

    fn accepted(&self, _: &Call<Self>, accepted: &Accepted<'_>) -> Response {
        match accepted.kind {
            OperationKind::Rotate => json(self.accepted_rotation, &json!({ "sync": false })),
            _ => no_content(),
        }
    }
}

/// Returns the code of an error that has none of its own.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "validation_error",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::CONFLICT => "conflict",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ => "bad_request",
    }
}

/// Returns a 400 that marks an input of the form.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> ErrorReply {
    let message = message.into();
    let user = json!({ "message": message });
    let fields: Value = json!([{ "key": field, "message": message }]);
    ErrorReply::bad_request(message).with_detail("user", user).with_detail("fields", fields)
}

/// Returns the token of the header, whose scheme may be in any case.
fn bearer(head: &Head<Vercel>) -> Option<&str> {
    let (scheme, token) = head.header(AUTHORIZATION.as_str())?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}

fn is_transfer(head: &Head<Vercel>) -> bool {
    head.parameter("claim").is_some()
        || (head.parameter("rid").is_none()
            && head.path().trim_end_matches('/').ends_with("/resource-transfer-requests"))
}

impl Vercel {
    /// Returns the answer to an invalid token. The reason is only logged.
    fn refuse(&self, reason: &str) -> ErrorReply {
        tracing::warn!(reason, "refused a token");
        let error = ErrorReply::new(self.refused_token, "The token is missing or not valid for this request.");
        match self.refused_token {
            StatusCode::UNAUTHORIZED => error.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => error,
        }
    }

    /// Checks the kind of the token, the role of the user, and the installation in the path.
    fn authorize(&self, head: &Head<Self>, caller: &VercelCaller) -> Result<(), &'static str> {
        // the header is not signed, so it can only contradict
        let contradicts = match head.header("x-vercel-auth") {
            Some("user") => caller.user.is_none(),
            Some("system") => caller.user.is_some(),
            _ => false,
        };
        if contradicts {
            return Err("X-Vercel-Auth contradicts the token");
        }
        let is_change = !matches!(*head.method(), Method::GET | Method::HEAD);
        match &caller.user {
            None if self.needs_user(head) => return Err("a user is needed"),
            Some(_) if is_transfer(head) => return Err("only Vercel itself transfers resources"),
            Some(user) if is_change && !user.is_admin => return Err("the user may not change anything"),
            _ => {}
        }
        let is_of_installation = head.path().trim_start_matches('/').starts_with("v1/installations/");
        let is_same = head.parameter("iid").is_some_and(|id| caller.installation.as_deref() == Some(id));
        if is_of_installation && !is_same {
            return Err("the path is of another installation");
        }
        Ok(())
    }

    /// Whether only users send this request: installing, updating, provisioning and commands in the console.
    fn needs_user(&self, head: &Head<Self>) -> bool {
        match *head.method() {
            Method::PUT => true,
            Method::PATCH => head.parameter("rid").is_none() || !self.system_updates,
            Method::POST => {
                let path = head.path().trim_end_matches('/');
                path.ends_with("/resources") || path.ends_with("/repl")
            }
            _ => false,
        }
    }
}
