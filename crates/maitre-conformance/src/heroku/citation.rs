//! Sources of Heroku's rules.

use crate::check::{Citation, Source};

const fn article(article: &'static str, summary: &'static str) -> Citation {
    Citation { source: Source::DevCenter(article), summary }
}

const fn code(repository: &'static str, summary: &'static str) -> Citation {
    Citation { source: Source::Code(repository), summary }
}

/// A rule without a document of Heroku.
pub(super) const fn practice(summary: &'static str) -> Citation {
    Citation { source: Source::Practice, summary }
}

pub(super) const fn rfc(number: u16, summary: &'static str) -> Citation {
    Citation { source: Source::Rfc(number), summary }
}

/// The Partner API reference, version 3.
pub(super) const fn reference(summary: &'static str) -> Citation {
    article("add-on-partner-api-reference", summary)
}

/// The Partner API reference, version 1. Used where version 3 does not contradict it.
pub(super) const fn reference_v1(summary: &'static str) -> Citation {
    article("legacy-add-on-partner-api-reference", summary)
}

pub(super) const fn manifest(summary: &'static str) -> Citation {
    article("add-on-manifest", summary)
}

pub(super) const fn config_vars(summary: &'static str) -> Citation {
    article("config-vars", summary)
}

pub(super) const fn best_practices(summary: &'static str) -> Citation {
    article("add-on-partner-technical-best-practices", summary)
}

pub(super) const fn options(summary: &'static str) -> Citation {
    article("accepting-custom-options-on-provision", summary)
}

pub(super) const fn private_spaces(summary: &'static str) -> Citation {
    article("supporting-private-spaces", summary)
}

pub(super) const fn log_drains(summary: &'static str) -> Citation {
    article("accessing-app-logs", summary)
}

pub(super) const fn single_sign_on(summary: &'static str) -> Citation {
    article("add-on-single-sign-on", summary)
}

/// Heroku's own checker, now retired.
pub(super) const fn kensa(summary: &'static str) -> Citation {
    code("heroku/kensa", summary)
}

/// Requests or responses in the public code of a vendor.
pub(super) const fn vendor_code(repository: &'static str, summary: &'static str) -> Citation {
    code(repository, summary)
}

pub(super) const fn asynchronous(summary: &'static str) -> Citation {
    article("getting-started-with-asynchronous-provisioning", summary)
}

pub(super) const fn oauth(summary: &'static str) -> Citation {
    article("oauth", summary)
}

pub(super) const fn platform_api(summary: &'static str) -> Citation {
    article("platform-api-reference", summary)
}
