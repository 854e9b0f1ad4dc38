//! Add-ons that customers have provisioned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{call_counts::CallCounts, exchange::ExchangeNumber, install_state::State, tokens::Grant};

#[derive(Serialize, Deserialize)]
pub(crate) struct Addon {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) plan: String,
    pub(crate) plan_id: String,
    pub(crate) region: String,
    pub(crate) app: String,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) state: State,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) log_token: String,
    /// The newest grant. It is restored from the tokens.
    #[serde(skip)]
    pub(crate) grant: Option<Grant>,
    /// Status of the vendor's last reply to the provision.
    pub(crate) provision_status: Option<u16>,
    /// End of the window in which the vendor must complete the operation.
    pub(crate) deadline: Option<OffsetDateTime>,
    pub(crate) removal: Option<Removal>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
    pub(crate) pool: RequestPool,
    pub(crate) call_counts: CallCounts,
}

/// End of an add-on.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Removal {
    /// Number of the first exchange after the end.
    pub(crate) before: ExchangeNumber,
    pub(crate) cause: RemovalCause,
}

/// Cause of an add-on's end, which decides whether the vendor knows about it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum RemovalCause {
    /// The vendor's reply.
    Answer,
    /// This call of the vendor, unless a fault dropped its response.
    Call(ExchangeNumber),
    /// Heroku, without notifying the vendor.
    Heroku,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) app: String,
    pub(crate) created_at: OffsetDateTime,
}

/// Token bucket of the rate limit.
#[derive(Serialize, Deserialize)]
pub(crate) struct RequestPool {
    left: f64,
    at: OffsetDateTime,
}

impl RequestPool {
    pub(crate) fn full(size: u32, at: OffsetDateTime) -> Self {
        Self { left: size.into(), at }
    }

    /// Takes one token. Returns the number that is left, or `None` if there was none.
    pub(crate) fn take(&mut self, size: u32, refill: u32, now: OffsetDateTime) -> Option<u32> {
        let minutes = (now - self.at).as_seconds_f64().max(0.0) / 60.0;
        self.at = self.at.max(now);
        self.left = (self.left + minutes * f64::from(refill)).min(size.into());
        if self.left < 1.0 {
            return None;
        }
        self.left -= 1.0;
        Some(self.left())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a u32")]
    pub(crate) fn left(&self) -> u32 {
        self.left as u32
    }
}

impl Addon {
    /// Whether the add-on belongs to this app or is attached to it.
    pub(crate) fn is_visible_to(&self, app: &str) -> bool {
        self.app == app || self.attachments.iter().any(|attachment| attachment.app == app)
    }

    pub(crate) fn log_input_url(&self) -> String {
        format!("https://token:t.{}@1.us.logplex.io/logs", self.log_token)
    }

    pub(crate) fn log_drain_token(&self) -> String {
        format!("d.{}", self.log_token)
    }
}

/// A new add-on.
pub(crate) struct NewAddon {
    pub(crate) plan: String,
    pub(crate) app: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) attached_as: Option<String>,
    pub(crate) region: String,
    pub(crate) options: BTreeMap<String, String>,
}
