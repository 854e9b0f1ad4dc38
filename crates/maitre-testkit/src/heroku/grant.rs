//! OAuth grants in a provision request.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};

/// The lifetime of a grant at Heroku.
pub(super) const LIFETIME: Duration = Duration::minutes(5);

pub(crate) fn grant_json(code: &str, expires_at: OffsetDateTime) -> Value {
    json!({ "code": code, "type": "authorization_code", "expires_at": heroku_time(expires_at) })
}

/// Formats a time as Heroku does in a grant: in Pacific time and with an offset without a colon.
fn heroku_time(time: OffsetDateTime) -> String {
    let pacific = UtcOffset::from_hms(-8, 0, 0).unwrap_or(UtcOffset::UTC);
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]");
    time.to_offset(pacific).format(&format).unwrap_or_default()
}
