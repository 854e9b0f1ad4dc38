//! Sources of the rules of the Open Service Broker API.

use crate::check::{Citation, Source};

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident: $section:literal;)*) => {$(
        $(#[$doc])*
        pub(super) const fn $name(summary: &'static str) -> Citation {
            Citation { source: Source::Document(concat!("OSB 2.17: ", $section)), summary }
        }
    )*};
}

sections! {
    headers: "Headers";
    extensions: "Vendor Extension Fields";
    authentication: "Platform to Service Broker Authentication";
    url_properties: "URL Properties";
    errors: "Service Broker Errors";
    content_type: "Content Type";
    catalog: "Catalog Management";
    profile: "Profile";
    asynchronous: "Asynchronous Operations";
    blocking: "Blocking Operations";
    polling: "Polling Last Operation";
    provisioning: "Provisioning";
    fetching: "Fetching a Service Instance";
    fetching_binding: "Fetching a Service Binding";
    updating: "Updating a Service Instance";
    binding: "Binding";
    unbinding: "Unbinding";
    deprovisioning: "Deprovisioning";
    orphans: "Orphan Mitigation";
}

/// A rule without a document of the standard.
pub(super) const fn practice(summary: &'static str) -> Citation {
    Citation { source: Source::Practice, summary }
}

pub(super) const fn rfc(number: u16, summary: &'static str) -> Citation {
    Citation { source: Source::Rfc(number), summary }
}

/// The checker that brokers for Cloud Foundry are tested with.
pub(super) const fn kotlin_checker(summary: &'static str) -> Citation {
    Citation { source: Source::Code("evoila/osb-checker-kotlin"), summary }
}

/// The client that IBM publishes for its extension.
pub(super) const fn ibm_client(summary: &'static str) -> Citation {
    Citation { source: Source::Code("IBM/platform-services-node-sdk"), summary }
}
