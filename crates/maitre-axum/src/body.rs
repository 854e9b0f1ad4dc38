//! Reads the body of a request.

use std::error::Error;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use maitre_core::{Addon, Marketplace};
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

use crate::error_reply::ErrorReply;
use crate::payload::Payload;

/// Rejects a body whose declared length exceeds the add-on's limit, before it is read.
pub(crate) fn check_length<M: Marketplace>(addon: &Addon<M>, headers: &HeaderMap) -> Result<(), ErrorReply> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match declared {
        Some(length) if addon.body_limit() < length => Err(ErrorReply::too_large(addon.body_limit())),
        _ => Ok(()),
    }
}

/// Reads a body, which must arrive within the add-on's answer budget.
pub(crate) async fn read<M: Marketplace>(
    addon: &Addon<M>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Payload, ErrorReply> {
    let limit = addon.body_limit();
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ErrorReply::encoded());
    }
    match timeout(addon.answer_budget(), Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(Payload::with_headers(body.to_bytes(), headers, limit)),
        Ok(Err(error)) if has_source::<LengthLimitError>(&*error) => Err(ErrorReply::too_large(limit)),
        Ok(Err(error)) if has_source::<TimeoutError>(&*error) => Err(ErrorReply::timed_out()),
        Ok(Err(_)) => Err(ErrorReply::bad_request("The body ended before its declared length.")),
        Err(_) => Err(ErrorReply::timed_out()),
    }
}

fn has_source<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<E>)
}
