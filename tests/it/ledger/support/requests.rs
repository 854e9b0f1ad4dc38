//! Shorthand for requests, and replies that can be compared.

use maitre_core::sso::{TokenKind, VerifiedToken, Window};
use maitre_core::{
    AddonId, Bind, Bound, Deprovision, Deprovisioned, FailureKind, Identity, Outcome, PlanChange, PlanChanged,
    Provision, Provisioned, Result, Rotated, Secret, SignOn, SignedOn, Unbind, Unbound, Update, Updated,
};
use maitre_ledger::Adoption;

pub(crate) fn addon() -> AddonId {
    AddonId::new("heroku", "lantern")
}

/// Returns an unused resource key.
pub(crate) fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

pub(crate) fn provision(key: &str, plan: &str) -> Provision {
    Provision::new(addon(), key, plan)
}

/// Returns a provision of the plan `basic`.
pub(crate) fn basic(key: &str) -> Provision {
    provision(key, "basic")
}

pub(crate) fn plan_change(key: &str, plan: &str) -> PlanChange {
    PlanChange::new(addon(), key, plan)
}

pub(crate) fn bind(key: &str, binding: &str) -> Bind {
    Bind::new(addon(), key, binding)
}

pub(crate) fn unbind(key: &str, binding: &str) -> Unbind {
    Unbind::new(addon(), key, binding)
}

/// Returns an update of the parameter `size`.
pub(crate) fn update(key: &str, size: &str) -> Update {
    let mut request = Update::new(addon(), key);
    request.parameters.insert("size", size);
    request
}

pub(crate) fn deprovision(key: &str) -> Deprovision {
    Deprovision::new(addon(), key)
}

/// Returns the key of the resource with this number, which was sold before the ledger.
pub(crate) fn sold_key(number: usize) -> String {
    uuid::Uuid::from_u128(0x5e11_0000_0000_4000_8000_0000_0000_0000 << 64 | number as u128).to_string()
}

/// Returns resources that were sold before the ledger.
pub(crate) fn adoptions(count: usize) -> impl Iterator<Item = Adoption> + Send {
    (0..count).map(|number| {
        let key = sold_key(number);
        let adoption = Adoption::new(addon(), &key, "basic").with_provider_id(format!("w-{key}"));
        adoption.with_config([("WIDGET_URL", format!("https://{number}.example.org"))])
    })
}

/// Returns a sign-on whose token has this kind and timestamp.
pub(crate) fn sign_on(key: &str, kind: TokenKind, issued_at: i64) -> SignOn {
    let identity = match kind {
        TokenKind::User => Identity::verified("c4b1f2d0", "ada@example.org"),
        _ => Identity::claimed(Some("c4b1f2d0".into()), Some("ada@example.org".into())),
    };
    let token = VerifiedToken::new(kind, &issued_at.to_string(), Window::default()).expect("a token");
    SignOn::new(addon(), key, identity, token)
}

/// Everything that a marketplace sees of a reply, including secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(String),
    Failed(FailureKind),
}

pub(crate) trait Describe {
    fn describe(&self) -> String;
}

impl Describe for Provisioned {
    fn describe(&self) -> String {
        let config: Vec<_> = self.config().iter().map(|(name, value)| (name, value.expose())).collect();
        let drain = self.log_drain_url().map(Secret::expose);
        format!("{} {config:?} {:?} {drain:?}", self.id().as_str(), self.message())
    }
}

impl Describe for PlanChanged {
    fn describe(&self) -> String {
        let config: Vec<_> = self.config().iter().map(|(name, value)| (name, value.expose())).collect();
        format!("{config:?} {:?}", self.message())
    }
}

impl Describe for Deprovisioned {
    fn describe(&self) -> String {
        format!("{:?}", self.message())
    }
}

impl Describe for Bound {
    fn describe(&self) -> String {
        format!("{:?} {:?}", self.credentials().as_map(), self.endpoints())
    }
}

impl Describe for Unbound {
    fn describe(&self) -> String {
        format!("{:?}", self.message())
    }
}

impl Describe for Updated {
    fn describe(&self) -> String {
        let config: Vec<_> = self.config().iter().map(|(name, value)| (name, value.expose())).collect();
        format!("{config:?} {:?}", self.message())
    }
}

impl Describe for Rotated {
    fn describe(&self) -> String {
        let config: Vec<_> = self.config().iter().map(|(name, value)| (name, value.expose())).collect();
        format!("{config:?} {:?}", self.message())
    }
}

impl Describe for SignedOn {
    fn describe(&self) -> String {
        format!("{} {:?}", self.location(), self.session())
    }
}

impl Answer {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl<T: Describe> Describe for Outcome<T> {
    fn describe(&self) -> String {
        match self {
            Self::Done(reply) | Self::Replayed(reply) => reply.describe(),
            Self::Accepted { message, .. } => format!("accepted: {message}"),
            _ => unreachable!("there are two outcomes"),
        }
    }
}

impl<T: Describe> From<Result<T>> for Answer {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(reply) => Self::Done(reply.describe()),
            Err(failure) => Self::Failed(failure.kind()),
        }
    }
}

/// Runs the calls concurrently and returns their replies.
pub(crate) async fn replies<T: Describe + Send + 'static>(
    calls: impl IntoIterator<Item: Future<Output = Result<T>> + Send + 'static>,
) -> Vec<Answer> {
    let calls: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(super::soon("a call", call).await.expect("a call").into());
    }
    answers
}
