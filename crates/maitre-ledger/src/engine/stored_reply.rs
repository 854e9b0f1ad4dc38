//! Replies as they are stored, encrypted.

use std::time::Duration;

use maitre_core::{ConfigVars, CustomerNotice, Failure, FailureKind, Fields, NoticeLevel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) fn config_of(config: &ConfigVars) -> Vec<(String, String)> {
    config.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

/// Reply to be returned again.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) enum StoredReply {
    Provisioned {
        id: String,
        /// Vendor's id of the resource, where the marketplace was given another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        own: Option<String>,
        config: Vec<(String, String)>,
        message: Option<String>,
        log_drain_url: Option<String>,
        #[serde(default, skip_serializing_if = "Page::is_empty")]
        page: Page,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Box<Attributes>>,
        /// Absent if the resource is ready.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        readiness: Option<Readiness>,
    },
    /// Reply to a plan change or an update.
    PlanChanged {
        config: Vec<(String, String)>,
        message: Option<String>,
        #[serde(default, skip_serializing_if = "Page::is_empty")]
        page: Page,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Box<Attributes>>,
    },
    /// Reply to a deprovision or an unbind.
    Deprovisioned {
        message: Option<String>,
    },
    Bound(Box<StoredBound>),
    Failed {
        kind: StoredKind,
        message: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
}

/// Dashboard URL and notice that a marketplace shows beside a resource.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Page {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dashboard_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<StoredNotice>,
}

#[derive(Serialize, Deserialize, Clone)]
struct StoredNotice {
    level: StoredLevel,
    title: String,
    message: Option<String>,
    url: Option<String>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredLevel {
    Info,
    Warning,
    Error,
}

impl Page {
    fn is_empty(&self) -> bool {
        self.dashboard_url.is_none() && self.notice.is_none()
    }

    pub(crate) fn new(dashboard_url: Option<&str>, notice: Option<&CustomerNotice>) -> Self {
        let notice = notice.map(|notice| StoredNotice {
            level: match notice.level() {
                NoticeLevel::Info => StoredLevel::Info,
                NoticeLevel::Error => StoredLevel::Error,
                _ => StoredLevel::Warning,
            },
            title: notice.title().to_owned(),
            message: notice.message().map(ToOwned::to_owned),
            url: notice.url().map(ToOwned::to_owned),
        });
        Self { dashboard_url: dashboard_url.map(ToOwned::to_owned), notice }
    }

    pub(crate) fn dashboard_url(&self) -> Option<String> {
        self.dashboard_url.clone()
    }

    pub(crate) fn notice(&self) -> Option<CustomerNotice> {
        let StoredNotice { level, title, message, url } = self.notice.clone()?;
        let level = match level {
            StoredLevel::Info => NoticeLevel::Info,
            StoredLevel::Warning => NoticeLevel::Warning,
            StoredLevel::Error => NoticeLevel::Error,
        };
        let mut notice = CustomerNotice::new(level, title);
        if let Some(message) = message {
            notice = notice.with_message(message);
        }
        Some(match url {
            Some(url) => notice.with_url(url),
            None => notice,
        })
    }

    fn changed_by(self, change: &Self) -> Self {
        Self {
            dashboard_url: change.dashboard_url.clone().or(self.dashboard_url),
            notice: change.notice.clone().or(self.notice),
        }
    }
}

/// Readiness of a resource that is not simply ready, as it is stored with its reply.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) enum Readiness {
    /// Milliseconds after which the listener is asked again.
    Pending(u64),
    /// The listener's message for the customer.
    Failed(Option<String>),
}

impl Readiness {
    pub(crate) fn pending(check_after: Duration) -> Self {
        Self::Pending(u64::try_from(check_after.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Request's own values, for marketplaces that read the record of a resource.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) service: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) details: Map<String, Value>,
}

impl Attributes {
    /// Returns the attributes after a change, which sends only what changes.
    fn changed_by(mut self, change: &Self) -> Self {
        self.parameters.extend(change.parameters.clone());
        Self { service: change.service.clone().or(self.service), name: change.name.clone().or(self.name), ..self }
    }

    pub(crate) fn parameters(&self) -> Fields {
        self.parameters.clone().into()
    }

    pub(crate) fn details(&self) -> Fields {
        self.details.clone().into()
    }
}

/// Reply to a bind.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct StoredBound {
    pub(crate) credentials: Map<String, Value>,
    pub(crate) endpoints: Vec<StoredEndpoint>,
    pub(crate) syslog_drain_url: Option<String>,
    pub(crate) route_service_url: Option<String>,
    pub(crate) volume_mounts: Vec<Map<String, Value>>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) renew_before: Option<i64>,
}

#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct StoredEndpoint {
    pub(crate) host: String,
    pub(crate) ports: Vec<String>,
    pub(crate) protocol: Option<String>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredKind {
    Refused,
    Conflict,
    Unknown,
    Gone,
    Unavailable,
    Concurrent,
    AsyncRequired,
}

const KINDS: [(StoredKind, FailureKind); 7] = [
    (StoredKind::Refused, FailureKind::Refused),
    (StoredKind::Conflict, FailureKind::Conflict),
    (StoredKind::Unknown, FailureKind::Unknown),
    (StoredKind::Gone, FailureKind::Gone),
    (StoredKind::Unavailable, FailureKind::Unavailable),
    (StoredKind::Concurrent, FailureKind::Concurrent),
    (StoredKind::AsyncRequired, FailureKind::AsyncRequired),
];

impl From<FailureKind> for StoredKind {
    fn from(kind: FailureKind) -> Self {
        KINDS.iter().find(|(_, other)| *other == kind).map_or(Self::Unavailable, |(stored, _)| *stored)
    }
}

impl From<StoredKind> for FailureKind {
    fn from(stored: StoredKind) -> Self {
        KINDS.iter().find(|(kind, _)| *kind == stored).map_or(Self::Unavailable, |(_, kind)| *kind)
    }
}

impl StoredReply {
    pub(super) fn failure(kind: StoredKind) -> Self {
        Self::Failed { kind, message: None, code: None }
    }

    /// Returns the reply of a provision with an id and config vars only.
    pub(super) fn provisioned(id: String, config: Vec<(String, String)>) -> Self {
        let (own, message, log_drain_url, page) = (None, None, None, Page::default());
        let (attributes, readiness) = (None, None);
        Self::Provisioned { id, own, config, message, log_drain_url, page, attributes, readiness }
    }

    /// Whether the reply is a failure that is not the operation's final reply.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { kind: StoredKind::Unavailable, .. })
    }

    /// Whether the listener did nothing because the request came at the wrong time or in the wrong form: it may succeed
    /// when it is sent again.
    pub(super) fn is_not_recorded(&self) -> bool {
        matches!(self, Self::Failed { kind: StoredKind::Concurrent | StoredKind::AsyncRequired, .. })
    }

    /// Returns the reply with the vendor's id of the resource, which differs from the one given to the marketplace.
    pub(crate) fn with_provider_id(mut self, provider_id: Option<String>) -> Self {
        if let Self::Provisioned { own, .. } = &mut self {
            *own = provider_id;
        }
        self
    }

    /// Returns the reply with the request's own values.
    pub(crate) fn with_attributes(mut self, values: Option<Attributes>) -> Self {
        if let Self::Provisioned { attributes, .. } | Self::PlanChanged { attributes, .. } = &mut self {
            *attributes = values.map(Box::new);
        }
        self
    }

    /// Returns a change of config vars only.
    pub(crate) fn config_change(config: Vec<(String, String)>) -> Self {
        Self::change(config, Page::default())
    }

    /// Returns a change of config vars and of the page.
    pub(crate) fn change(config: Vec<(String, String)>, page: Page) -> Self {
        Self::PlanChanged { config, message: None, page, attributes: None }
    }

    /// Returns the reply of a provision with another readiness.
    pub(super) fn with_readiness(mut self, value: Option<Readiness>) -> Self {
        if let Self::Provisioned { readiness, .. } = &mut self {
            *readiness = value;
        }
        self
    }

    pub(super) fn is_pending(&self) -> bool {
        self.check_after().is_some()
    }

    /// Returns the time after which the listener is asked again about a pending resource.
    pub(crate) fn check_after(&self) -> Option<Duration> {
        match self {
            Self::Provisioned { readiness: Some(Readiness::Pending(after)), .. } => Some(Duration::from_millis(*after)),
            _ => None,
        }
    }

    /// Returns the kind of the failure; `Unavailable` for a reply of the wrong type.
    pub(crate) fn failure_kind(&self) -> FailureKind {
        let Self::Failed { kind, .. } = self else { return FailureKind::Unavailable };
        (*kind).into()
    }

    /// Returns the reply to record if the marketplace no longer knows the resource: a provisioned resource is
    /// deprovisioned.
    pub(crate) fn for_missing_resource(self) -> Self {
        match self {
            Self::Provisioned { .. } => Self::failure(StoredKind::Unavailable),
            reply => reply,
        }
    }

    /// Returns the provision's reply with the values of a plan change or an update, because a replay returns the current
    /// ones.
    pub(super) fn changed_by(self, change: &Self) -> Self {
        let Self::PlanChanged { config: changed, page: new_page, attributes: new_attributes, .. } = change else {
            return self;
        };
        let Self::Provisioned { id, own, config, message, log_drain_url, page, attributes, readiness } = self else {
            return self;
        };
        let mut vars = ConfigVars::default();
        for (name, value) in config.into_iter().chain(changed.iter().cloned()) {
            vars.set(name, value);
        }
        let attributes = match (attributes, new_attributes) {
            (Some(attributes), Some(change)) => Some(Box::new(attributes.changed_by(change))),
            (attributes, _) => attributes,
        };
        let (config, page) = (config_of(&vars), page.changed_by(new_page));
        Self::Provisioned { id, own, config, message, log_drain_url, page, attributes, readiness }
    }
}

impl From<&Failure> for StoredReply {
    fn from(failure: &Failure) -> Self {
        let (message, code) = (failure.message().map(ToOwned::to_owned), failure.code().map(ToOwned::to_owned));
        Self::Failed { kind: failure.kind().into(), message, code }
    }
}
