//! Routes of a broker, each with a correct request for something that does not exist.

use maitre_testkit::Call;
use maitre_testkit::osb::Operation;

use super::target::Target;
use crate::verdict::Stop;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Catalog,
    Provision,
    Fetch,
    Update,
    Deprovision,
    Poll,
    Bind,
    FetchBinding,
    Unbind,
    PollBinding,
}

impl Route {
    /// Returns a request about a new instance or binding.
    pub(super) fn call(self, target: &Target) -> Result<Call<Operation>, Stop> {
        let osb = &target.osb;
        if self == Self::Catalog {
            return Ok(osb.catalog());
        }
        let instance = target.instance()?;
        let binding = instance.new_binding();
        Ok(match self {
            Self::Catalog => osb.catalog(),
            Self::Provision => osb.provision(&instance),
            Self::Fetch => osb.fetch(&instance),
            Self::Update => osb.update(&instance, instance.plan_id()),
            Self::Deprovision => osb.deprovision(&instance),
            Self::Poll => osb.last_operation(&instance, None),
            Self::Bind => osb.bind(&binding),
            Self::FetchBinding => osb.fetch_binding(&binding),
            Self::Unbind => osb.unbind(&binding),
            Self::PollBinding => osb.last_binding_operation(&binding, None),
        })
    }
}
