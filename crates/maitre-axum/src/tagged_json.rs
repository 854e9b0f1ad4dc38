//! JSON with an entity tag.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

/// JSON that seldom changes, such as a catalog, with an `ETag`: a caller that has it is answered 304.
///
/// ```
/// use axum::http::HeaderMap;
/// use maitre_axum::TaggedJson;
///
/// let plans = TaggedJson::new(&["basic", "premium"]);
/// let response = plans.response(&HeaderMap::new());
/// assert_eq!(response.status(), 200);
///
/// let known = HeaderMap::from_iter([("if-none-match".parse()?, response.headers()["etag"].clone())]);
/// assert_eq!(plans.response(&known).status(), 304);
/// # Ok::<(), axum::http::header::InvalidHeaderName>(())
/// ```
#[derive(Debug, Clone)]
pub struct TaggedJson {
    body: Bytes,
    tag: HeaderValue,
}

impl TaggedJson {
    /// Serializes a value. The tag is a hash of the JSON.
    #[must_use]
    pub fn new(value: &impl Serialize) -> Self {
        // serialization fails only for maps with keys that are not text
        let body = serde_json::to_vec(value).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let tag = HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()));
        Self { body: body.into(), tag: tag.unwrap_or(HeaderValue::from_static("\"\"")) }
    }

    /// Answers a request with these headers: 200 with the JSON, or 304 if `If-None-Match` has the tag.
    #[must_use]
    pub fn response(&self, request: &HeaderMap) -> Response {
        let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
        let mut known = known.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        let is_known = known.any(|tag| tag == "*" || tag == self.tag);
        let mut response =
            if is_known { Response::new(Body::empty()) } else { Response::new(self.body.clone().into()) };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response.headers_mut().insert(ETAG, self.tag.clone());
        response
    }
}
