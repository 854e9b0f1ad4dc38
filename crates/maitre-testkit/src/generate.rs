//! Values that differ for each request.

use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
