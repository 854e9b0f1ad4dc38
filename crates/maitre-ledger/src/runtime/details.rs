//! Record of a resource, as a marketplace reads it.

use maitre_core::{ResourceDetails, ResourceStatus};

use crate::engine::{Readiness, Record, State, StoredReply};

/// Returns the record of a live resource, with the values of its request if its marketplace reads them back.
pub(super) fn details(record: Record) -> ResourceDetails {
    let Record { resource, reply, suspended, account } = record;
    let status = match resource.state {
        State::Provisioning => ResourceStatus::Provisioning,
        State::ChangingPlan => ResourceStatus::Updating,
        State::Deprovisioning => ResourceStatus::Deprovisioning,
        _ => ResourceStatus::Provisioned,
    };
    let mut details = ResourceDetails::new(resource.plan.unwrap_or_default(), status);
    details.suspended = suspended;
    details.account = account.map(Into::into);
    let Some(StoredReply::Provisioned { page, attributes, readiness, .. }) = reply else { return details };
    match readiness {
        Some(_) if resource.state == State::Deprovisioning => {}
        Some(Readiness::Pending(_)) => details.status = ResourceStatus::Pending,
        Some(Readiness::Failed(_)) => details.status = ResourceStatus::Failed,
        None => {}
    }
    details.provider_id = Some(resource.provider_id.as_ref().unwrap_or(&resource.key).as_str().into());
    (details.dashboard_url, details.notice) = (page.dashboard_url(), page.notice());
    if let Some(attributes) = attributes {
        (details.parameters, details.details) = (attributes.parameters(), attributes.details());
        (details.service, details.name, details.region) = (attributes.service, attributes.name, attributes.region);
    }
    details
}
