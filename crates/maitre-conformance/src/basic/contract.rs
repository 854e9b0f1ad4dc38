//! Description of a marketplace: its fields, its statuses, and the source of each rule.

use maitre_testkit::{Call, Json, SignOn, SignedForm};

use crate::check::{Citation, Source};
use crate::level::Level;
use crate::marketplace::Marketplace;

/// A marketplace, as the client that sends its requests.
pub(crate) trait BasicMarketplace: Clone + Send + Sync + 'static {
    const CONTRACT: Contract;

    /// Returns the client of an add-on at this root.
    fn connect(root: &str, user: &str, password: &str, salt: &str) -> Self;

    fn provision(&self, plan: &str) -> Call<Json>;

    fn plan_change(&self, id: &str, plan: &str) -> Call<Json>;

    fn deprovision(&self, id: &str) -> Call<Json>;

    fn single_sign_on(&self, id: &str) -> Call<SignOn<SignedForm>>;

    /// Returns a new key of a resource.
    fn new_key(&self) -> String;

    /// Returns a provision with the required fields only.
    fn minimal_provision(&self, plan: &str) -> Call<Json>;

    /// Returns provisions with documented variations, each with its description.
    fn documented_provisions(&self, plan: &str) -> Vec<(&'static str, Call<Json>)>;
}

/// Fields and statuses of a marketplace, and its rules.
pub(crate) struct Contract {
    pub(crate) marketplace: Marketplace,
    /// Field of a provision that holds the marketplace's key of the resource.
    pub(super) key: &'static str,
    /// Field without which a provision is refused.
    pub(super) required: &'static str,
    /// Field of a provision that holds the customer's choices.
    pub(super) parameters: &'static str,
    /// Field of a provision and of a plan change that holds the plan.
    pub(super) plan: &'static str,
    /// Whether paths and sign-on name a resource by the marketplace's key, and not by the id in the response.
    pub(super) by_key: bool,
    /// Statuses of a successful provision.
    pub(super) provisioned: &'static [u16],
    /// Statuses of a successful plan change.
    pub(super) plan_changed: &'static [u16],
    /// Statuses of a plan change without a plan.
    pub(super) without_plan: &'static [u16],
    /// Statuses of a successful deprovision.
    pub(super) deprovisioned: &'static [u16],
    /// Statuses of a deprovision of a resource that does not exist.
    pub(super) gone: &'static [u16],
    /// Fields of an error that may hold the reason.
    pub(super) reasons: &'static [&'static str],
    pub(super) sso: SsoContract,
    pub(super) clauses: Clauses,
}

/// Sign-on of a marketplace.
pub(super) struct SsoContract {
    /// Field with the id of the resource.
    pub(super) id: &'static str,
    /// Field with the token.
    pub(super) token: &'static str,
    /// Whether sign-on is a link with the fields in the query.
    pub(super) is_link: bool,
    /// Age after which a token must be refused, in seconds.
    pub(super) max_age: i64,
    /// Statuses of a refused sign-on.
    pub(super) refused: &'static [u16],
    /// Whether a refused sign-on may also redirect to the marketplace.
    pub(super) refused_by_redirect: bool,
    /// Whether a timestamp may have a fraction.
    pub(super) fractions: bool,
    /// Formula of the token, as advice.
    pub(super) formula: &'static str,
}

/// Source of a rule, and its level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clause {
    pub(super) level: Level,
    pub(super) citation: Citation,
}

/// Rules of the contract that common checks cite.
pub(super) struct Clauses {
    pub(super) authentication: Clause,
    pub(super) unauthorized: Clause,
    pub(super) challenge: Clause,
    pub(super) provisioned: Clause,
    pub(super) body: Clause,
    pub(super) id: Clause,
    pub(super) config: Clause,
    pub(super) message: Clause,
    pub(super) fields: Clause,
    pub(super) minimal: Clause,
    pub(super) malformed: Clause,
    pub(super) missing_plan: Clause,
    pub(super) refusal: Clause,
    pub(super) repeated: Clause,
    pub(super) plan_changed: Clause,
    pub(super) change_body: Clause,
    pub(super) change_missing_plan: Clause,
    pub(super) change_refusal: Clause,
    pub(super) change_unknown: Clause,
    pub(super) deprovisioned: Clause,
    pub(super) delete_body: Clause,
    pub(super) gone: Clause,
    pub(super) sign_on: Clause,
    pub(super) token: Clause,
    pub(super) age: Clause,
}

impl Clause {
    /// A rule of the marketplace's documentation.
    pub(super) const fn documented(document: &'static str, summary: &'static str) -> Self {
        Self { level: Level::Must, citation: Citation { source: Source::Document(document), summary } }
    }

    /// A rule of the marketplace's own code, such as its sample vendor.
    pub(super) const fn code(repository: &'static str, summary: &'static str) -> Self {
        Self { level: Level::Must, citation: Citation { source: Source::Code(repository), summary } }
    }

    /// A rule that is not written anywhere.
    pub(super) const fn practice(summary: &'static str) -> Self {
        Self { level: Level::Should, citation: Citation { source: Source::Practice, summary } }
    }

    pub(super) const fn rfc(number: u16, summary: &'static str) -> Self {
        Self { level: Level::Should, citation: Citation { source: Source::Rfc(number), summary } }
    }

    /// Returns the rule as a recommendation.
    pub(super) const fn advised(self) -> Self {
        Self { level: Level::Should, ..self }
    }
}
