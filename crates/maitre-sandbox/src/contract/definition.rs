//! Contract of a marketplace with the add-on.

use std::collections::BTreeMap;

use axum::Router;
use maitre_conformance::Marketplace;
use maitre_testkit::{Call, Form, Reply, Request, SignOn, platform::Install};
use time::{Duration, OffsetDateTime};

use crate::{entry::Kind, retry::Lifecycle};

/// Calls of a marketplace to the add-on, its reading of the responses, and its API.
pub(crate) trait Contract: Send + Sync {
    fn profile(&self) -> &'static Profile;

    /// Returns the statuses of a successful call of this kind.
    fn successes(&self, kind: Kind) -> &'static [u16];

    fn provision(&self, install: &Install) -> Request;

    fn plan_change(&self, install: &Install, plan: &str) -> Request;

    fn deprovision(&self, install: &Install) -> Request;

    /// Returns the form or the link that opens the dashboard.
    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm;

    /// Returns a new form or link in place of a recorded one, whose signature has expired. `None` if it cannot be created.
    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm>;

    /// Records a successful or refused provision.
    fn record_provision(&self, install: &Install, reply: &Reply);

    /// Records the response to a plan change.
    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply);

    /// Records the response to a deprovision.
    fn record_deprovision(&self, install: &Install, reply: &Reply) {
        install.record_deprovision(reply);
    }

    /// Returns the title and the request of a notification that the add-on gets after a failed deprovision.
    fn failed_deprovision(&self, _install: &Install) -> Option<(&'static str, Request)> {
        None
    }

    /// Returns the request for the state of the operation that is pending, if the marketplace polls.
    fn poll(&self, _install: &Install) -> Option<Poll> {
        None
    }

    /// Records the state of the pending operation. Returns the call that follows if the operation failed.
    fn record_poll(&self, _install: &Install, _reply: &Reply) -> Option<Lifecycle> {
        None
    }

    /// Returns a valid `Authorization` header in place of a recorded one. `None` if calls have Basic credentials.
    fn renew_token(&self, _recorded: &str) -> Option<String> {
        None
    }

    /// Returns an `Authorization` header with an invalid token. `None` if calls have Basic credentials.
    fn invalid_token(&self) -> Option<String> {
        None
    }

    /// Returns the title and the request of a call that precedes provisions, if it has not succeeded yet.
    fn preparation(&self, _install: &Install) -> Option<(String, Request)> {
        None
    }

    /// Records that the call before provisions succeeded.
    fn record_preparation(&self, _install: &Install, _reply: &Reply) {}

    /// Sets the URL of the API.
    fn serve_at(&self, _url: &str) {}

    /// Returns names and values that the add-on needs to call the API at `url`.
    fn settings(&self, _url: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns the calls that a customer can cause besides those above, for an install in its current state.
    fn actions(&self, _install: &Install) -> Vec<Action> {
        Vec::new()
    }

    /// Returns the request of an action. `value` is the text of its field.
    fn act(&self, _install: &Install, _action: &str, _value: &str) -> Option<Request> {
        None
    }

    /// Records a successful action.
    fn record_action(&self, _install: &Install, _action: &str, _reply: &Reply) {}

    /// Returns the call that follows a failed action. `status` is `None` if no response arrived.
    fn after_failed_action(&self, _install: &Install, _action: &str, _status: Option<u16>) -> Option<Lifecycle> {
        None
    }

    /// Whether the dashboard of an install can be opened.
    fn has_dashboard(&self, _install: &Install) -> bool {
        true
    }

    /// Returns the API that add-ons call.
    fn api(&self) -> Option<Router> {
        None
    }

    /// Updates the install in the API after a change.
    fn update_api(&self, _install: &Install) {}

    /// Applies what the add-on has reported about a live install by calling the API.
    fn apply_reports(&self, _install: &Install) {}

    /// Ends the add-on's access tokens for an install.
    fn revoke_tokens(&self, _install: &Install) {}
}

/// Properties of a marketplace, which decide what the page shows.
pub(crate) struct Profile {
    pub(crate) marketplace: Marketplace,
    /// Label of the customer's level that holds installs.
    pub(crate) customer: &'static str,
    /// Label of the options of a provision, if there are any.
    pub(crate) options: Option<&'static str>,
    pub(crate) regions: &'static [&'static str],
    /// Whether a customer's app can have the add-on only once, unless the manifest requires `many_per_app`.
    pub(crate) is_one_per_app: bool,
    /// Addresses that the sandbox's API is used in place of.
    pub(crate) api: Option<&'static str>,
    /// Name, method and path of the add-on's calls to the API that a fault can be limited to.
    pub(crate) api_calls: &'static [(&'static str, &'static str, &'static str)],
    /// Whether the add-on has access tokens.
    pub(crate) has_tokens: bool,
    /// Conformance check that explains a sign-on that does not work. `None` if users are not signed on.
    pub(crate) sign_on_check: Option<&'static str>,
    /// Whether a failed provision is deprovisioned. Otherwise it is repeated, like a failed plan change.
    pub(crate) deletes_orphans: bool,
}

/// Call besides provision, plan change, deprovision and sign-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Name in the path of its form.
    pub(crate) name: &'static str,
    /// Label of the button, and title in the timeline.
    pub(crate) label: &'static str,
    /// Label of the text that the customer enters, if there is one.
    pub(crate) field: Option<&'static str>,
}

impl Action {
    pub(super) const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, field: None }
    }
}

/// Request for the state of a pending operation.
pub(crate) struct Poll {
    pub(crate) title: &'static str,
    pub(crate) request: Request,
    /// Time until it is sent, by the marketplace's clock.
    pub(crate) delay: Duration,
}

/// User who opens the dashboard, and the time of the signature.
pub(crate) struct Visit {
    pub(crate) at: OffsetDateTime,
    pub(crate) user_id: String,
    pub(crate) email: String,
    /// App that the user comes from.
    pub(crate) context_app: Option<String>,
    pub(crate) nav_data: String,
}

/// Signed sign-on form.
pub(crate) struct SignOnForm {
    /// `POST`, or `GET` for a link with the fields in the URL.
    pub(crate) method: &'static str,
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl SignOnForm {
    pub(super) fn of<F: Form>(call: &Call<SignOn<F>>) -> Self {
        let request = call.request();
        match request.method() {
            "GET" => Self::link(request.url()),
            _ => Self { method: "POST", action: call.url(), fields: call.fields() },
        }
    }

    /// Returns the body of a post.
    pub(crate) fn body(&self) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish().into_bytes()
    }

    pub(super) fn link(url: &str) -> Self {
        Self { method: "GET", action: url.to_owned(), fields: Vec::new() }
    }
}
