//! Where Heroku's rules stand.

use crate::check::{Clause, Source};

const fn article(article: &'static str, says: &'static str) -> Clause {
    Clause { source: Source::DevCenter(article), says }
}

const fn code(repository: &'static str, says: &'static str) -> Clause {
    Clause { source: Source::Code(repository), says }
}

/// What no text of Heroku's asks for.
pub(super) const fn practice(says: &'static str) -> Clause {
    Clause { source: Source::Practice, says }
}

pub(super) const fn rfc(number: u16, says: &'static str) -> Clause {
    Clause { source: Source::Rfc(number), says }
}

/// The partner API reference of version 3.
pub(super) const fn reference(says: &'static str) -> Clause {
    article("add-on-partner-api-reference", says)
}

/// The reference of version 1, where version 3 says nothing else.
pub(super) const fn reference_v1(says: &'static str) -> Clause {
    article("legacy-add-on-partner-api-reference", says)
}

pub(super) const fn manifest(says: &'static str) -> Clause {
    article("add-on-manifest", says)
}

pub(super) const fn best_practices(says: &'static str) -> Clause {
    article("add-on-partner-technical-best-practices", says)
}

pub(super) const fn options(says: &'static str) -> Clause {
    article("accepting-custom-options-on-provision", says)
}

pub(super) const fn private_spaces(says: &'static str) -> Clause {
    article("supporting-private-spaces", says)
}

pub(super) const fn log_drains(says: &'static str) -> Clause {
    article("accessing-app-logs", says)
}

pub(super) const fn single_sign_on(says: &'static str) -> Clause {
    article("add-on-single-sign-on", says)
}

/// Heroku's own checker, which it retired.
pub(super) const fn kensa(says: &'static str) -> Clause {
    code("heroku/kensa", says)
}

/// What vendors were seen to send or answer.
pub(super) const fn seen_at(repository: &'static str, says: &'static str) -> Clause {
    code(repository, says)
}

pub(super) const fn asynchronous(says: &'static str) -> Clause {
    article("getting-started-with-asynchronous-provisioning", says)
}

pub(super) const fn oauth(says: &'static str) -> Clause {
    article("oauth", says)
}

pub(super) const fn platform_api(says: &'static str) -> Clause {
    article("platform-api-reference", says)
}
