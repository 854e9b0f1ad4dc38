//! Ids that a platform chooses.

use crate::generate;

/// Service instance, as a platform names it: its id, its service and its plan.
///
/// ```
/// use maitre_testkit::osb::InstanceId;
///
/// let instance = InstanceId::new("a/b", "tally-service", "tally-basic");
/// assert_eq!(instance.with_plan("tally-premium").plan_id(), "tally-premium");
/// assert_eq!(instance.new_binding().instance(), &instance);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceId {
    id: String,
    service_id: String,
    plan_id: String,
}

impl InstanceId {
    /// Returns an instance with this id. It may have any characters.
    #[must_use]
    pub fn new(id: &str, service_id: &str, plan_id: &str) -> Self {
        Self { id: id.to_owned(), service_id: service_id.to_owned(), plan_id: plan_id.to_owned() }
    }

    /// Returns the same instance after a change to this plan.
    #[must_use]
    pub fn with_plan(&self, plan_id: &str) -> Self {
        Self { plan_id: plan_id.to_owned(), ..self.clone() }
    }

    /// Returns a new binding of this instance, with a random id. The broker does not know it yet.
    #[must_use]
    pub fn new_binding(&self) -> BindingId {
        self.binding(&generate::new_uuid())
    }

    /// Returns the binding of this instance with this id.
    #[must_use]
    pub fn binding(&self, id: &str) -> BindingId {
        BindingId { id: id.to_owned(), instance: self.clone() }
    }

    /// Returns the id that the platform chose.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id of the service in the broker's catalog.
    #[must_use]
    pub fn service_id(&self) -> &str {
        &self.service_id
    }

    /// Returns the id of the plan in the broker's catalog.
    #[must_use]
    pub fn plan_id(&self) -> &str {
        &self.plan_id
    }
}

/// Service binding, as a platform names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingId {
    id: String,
    instance: InstanceId,
}

impl BindingId {
    /// Returns the id that the platform chose.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the instance that is bound.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }
}
