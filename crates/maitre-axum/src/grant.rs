//! The OAuth grant in a provision.

use maitre_core::{OauthGrant, parse_timestamp};
use serde::Deserialize;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// OAuth grant in the body of a provision: `code`, `type` and `expires_at`, as text or in seconds since 1970.
///
/// ```
/// use maitre_axum::GrantBody;
/// use time::OffsetDateTime;
///
/// let grant: GrantBody = serde_json::from_str(r#"{ "code": "c0de-1", "expires_at": 1700000300 }"#)?;
/// let grant = grant.into_grant(OffsetDateTime::UNIX_EPOCH).expect("it has a code");
/// assert_eq!((grant.kind.as_str(), grant.expires_at.unix_timestamp()), ("authorization_code", 1_700_000_300));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Deserialize)]
pub struct GrantBody {
    code: Option<maitre_core::Secret>,
    #[serde(rename = "type")]
    kind: Option<String>,
    expires_at: Option<Value>,
}

impl GrantBody {
    /// Converts to a grant. It expires after five minutes if the expiry cannot be parsed. Without a code there is no
    /// grant.
    #[must_use]
    pub fn into_grant(self, now: OffsetDateTime) -> Option<OauthGrant> {
        let end = match &self.expires_at {
            Some(Value::String(text)) => parse_timestamp(text),
            Some(Value::Number(seconds)) => {
                seconds.as_i64().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            }
            _ => None,
        };
        let mut grant = OauthGrant::new(self.code?, end.unwrap_or_else(|| now.saturating_add(Duration::minutes(5))));
        if let Some(kind) = self.kind {
            grant.kind = kind;
        }
        Some(grant)
    }
}
