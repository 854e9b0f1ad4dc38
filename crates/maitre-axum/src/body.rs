//! Reads the body of a request.

use std::error::Error;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use maitre_core::Marketplace;
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

use crate::error_reply::ErrorReply;
use crate::incoming::Incoming;
use crate::payload::Payload;

/// Reads the body of a request, which must arrive within the add-on's answer budget. Of a request whose body is not read,
/// only the declared length is checked.
pub(crate) async fn read<M: Marketplace, C>(
    request: &mut Incoming<M, C>,
    body: Body,
    reads_body: bool,
) -> Result<(), ErrorReply> {
    let (limit, budget) = (request.addon().body_limit(), request.addon().answer_budget());
    check_length(request.headers(), limit)?;
    if !reads_body {
        return Ok(());
    }
    let mut encodings = request.headers().get_all(CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ErrorReply::encoded());
    }
    let body = match timeout(budget, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if has_source::<LengthLimitError>(&*error) => return Err(ErrorReply::too_large(limit)),
        Ok(Err(error)) if has_source::<TimeoutError>(&*error) => return Err(ErrorReply::timed_out()),
        Ok(Err(_)) => return Err(ErrorReply::bad_request("The body ended before its declared length.")),
        Err(_) => return Err(ErrorReply::timed_out()),
    };
    request.set_body(Payload::with_headers(body, request.headers(), limit));
    Ok(())
}

/// Rejects a body whose declared length exceeds the limit, before it is read.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), ErrorReply> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match declared {
        Some(length) if limit < length => Err(ErrorReply::too_large(limit)),
        _ => Ok(()),
    }
}

fn has_source<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<E>)
}
