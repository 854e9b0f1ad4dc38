//! Sources of the rules.

use crate::check::{Citation, Source};

const fn document(name: &'static str, summary: &'static str) -> Citation {
    Citation { source: Source::Document(name), summary }
}

/// A rule of the reference of the partner API.
pub(super) const fn reference(summary: &'static str) -> Citation {
    document("Vercel: Partner API reference", summary)
}

/// A rule about tokens.
pub(super) const fn authentication(summary: &'static str) -> Citation {
    document("Vercel: Partner API, authentication", summary)
}

/// A rule of the guide to the REST API, which describes single sign-on and secrets.
pub(super) const fn rest(summary: &'static str) -> Citation {
    document("Vercel: Using the Integrations REST API", summary)
}

/// A rule about the life of an installation.
pub(super) const fn concepts(summary: &'static str) -> Citation {
    document("Vercel: Native integration concepts", summary)
}

/// A rule about rotations.
pub(super) const fn rotation(summary: &'static str) -> Citation {
    document("Vercel: Implementing secrets rotation", summary)
}

/// A rule about webhooks.
pub(super) const fn webhooks(summary: &'static str) -> Citation {
    document("Vercel: Webhooks API reference", summary)
}

/// A rule about invoices and refunds.
pub(super) const fn billing(summary: &'static str) -> Citation {
    document("Vercel: Manage billing and refunds", summary)
}

/// A condition of the review before the listing.
pub(super) const fn checklist(summary: &'static str) -> Citation {
    document("Vercel: Native integrations, approval checklist", summary)
}

/// A rule of Vercel's example, which works in production.
pub(super) const fn example(summary: &'static str) -> Citation {
    Citation { source: Source::Code("vercel/example-marketplace-integration"), summary }
}

/// A rule that is not written anywhere.
pub(super) const fn practice(summary: &'static str) -> Citation {
    Citation { source: Source::Practice, summary }
}
