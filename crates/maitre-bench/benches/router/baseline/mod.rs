//! The baseline: a marketplace's calls as a careful engineer writes them with plain axum.
//!
//! It does the minimum that is correct on the wire: typed fields, authentication before the body is read, both sides hashed
//! and compared in constant time, a body limit, the time window, and a cookie that outside data cannot break. It omits the
//! rest of what `maitre` does (work that survives a disconnect, an answer budget, request ids and spans, panics as 503,
//! errors that name the field, unknown fields, several active passwords and salts, every other route), so that the cost of
//! all that shows. Its routes are not nested, as those of an app with `maitre` are. Bodies are parsed by axum's extractors,
//! whose rejections name the field, as `maitre`'s do.

mod heroku;
mod osb;
mod vercel;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use headers::Authorization;
use headers::authorization::Basic;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Credentials of the manifest, hashed once.
struct Secrets {
    user: [u8; 32],
    password: [u8; 32],
    salt: String,
}

pub(crate) fn app(user: &str, password: &str, salt: &str) -> Router {
    let secrets = Secrets { user: sha256(user), password: sha256(password), salt: salt.to_owned() };
    Router::new()
        .merge(heroku::routes())
        .merge(osb::routes())
        .merge(vercel::routes())
        .layer(DefaultBodyLimit::max(256 * 1024))
        .with_state(Arc::new(secrets))
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Marketplace with the add-on's credentials, authenticated before the body is read.
struct Caller;

impl FromRequestParts<Arc<Secrets>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, secrets: &Arc<Secrets>) -> Result<Self, Response> {
        let sent = TypedHeader::<Authorization<Basic>>::from_request_parts(parts, secrets).await;
        let admitted = sent.is_ok_and(|TypedHeader(Authorization(sent))| {
            let user = secrets.user.ct_eq(&sha256(sent.username()));
            let password = secrets.password.ct_eq(&sha256(sent.password()));
            (user & password).into()
        });
        let challenge = [(WWW_AUTHENTICATE, r#"Basic realm="Add-on API""#)];
        if admitted { Ok(Self) } else { Err((StatusCode::UNAUTHORIZED, challenge).into_response()) }
    }
}
