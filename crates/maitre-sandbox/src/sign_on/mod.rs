//! Single sign-on: the form that a browser posts to the add-on.

mod trial;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use maitre_testkit::platform::Install;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{
    Fault, Sandbox,
    contract::{SignOnForm, Visit},
    entry::{Completion, Direction, Head, Kind, Message},
};

/// Age of a stale sign-on, which every add-on has to reject.
const STALE_AGE: Duration = Duration::minutes(11);

/// Form or link that opens the dashboard.
pub(crate) struct SignOn {
    pub(crate) form: SignOnForm,
    /// Description of the injected fault.
    fault: Option<&'static str>,
}

impl Sandbox {
    /// Creates and records the form or link that opens the dashboard for the app's owner, coming from `context_app`. The entry is
    /// completed, because a browser sends the form and the sandbox does not see the response.
    pub(crate) fn sign_on(&self, install: &Install, context_app: Option<&str>) -> SignOnForm {
        let sign_on = self.sign(install, context_app);
        let title = self.profile().sign_on_check.map_or("Dashboard", |_| Kind::SignOn.title());
        let id = self.record_sign_on(install, &sign_on, title);
        self.journal().complete(id, Completion::default());
        sign_on.form
    }

    /// Signs a form with the real time, because the add-on's clock is not moved.
    fn sign(&self, install: &Install, context_app: Option<&str>) -> SignOn {
        let fault = self.next_fault(Kind::SignOn);
        let at = OffsetDateTime::now_utc() - if fault == Some(Fault::StaleToken) { STALE_AGE } else { Duration::ZERO };
        let app = install.app();
        let owner = &self.platform().app(&app).json()["owner"];
        let text = |field: &str| owner[field].as_str().unwrap_or_default().to_owned();
        let visit = Visit {
            at,
            user_id: text("id"),
            email: text("email"),
            context_app: context_app.map(str::to_owned),
            nav_data: self.nav_data(&app),
        };
        let form = self.contract().sign_on(install, &visit);
        SignOn { form, fault: fault.map(|_| "signed for eleven minutes ago: the add-on must refuse it") }
    }

    /// Returns the data of Heroku's former navigation header.
    fn nav_data(&self, app: &str) -> String {
        let addons = self.live_installs().into_iter().filter(|install| install.app() == app);
        let addons: Vec<_> = addons
            .map(|install| json!({ "slug": self.addon().slug, "name": install.name(), "current": true }))
            .collect();
        let data = json!({ "addon": self.addon().slug, "appname": app, "addons": addons });
        BASE64_URL_SAFE_NO_PAD.encode(data.to_string())
    }

    /// Records the form, and returns the entry id.
    fn record_sign_on(&self, install: &Install, sign_on: &SignOn, title: &str) -> i64 {
        let form = &sign_on.form;
        let head = Head {
            uuid: Some(install.uuid().to_owned()),
            method: form.method.to_owned(),
            url: form.action.clone(),
            fault: sign_on.fault.map(str::to_owned),
            ..Head::new(self.platform().clock().now(), Direction::ToAddon, Kind::SignOn, title)
        };
        let headers = (form.method == "POST").then_some(("content-type", "application/x-www-form-urlencoded"));
        self.journal().start_operation(install.uuid());
        self.journal().begin(head, &Message::new(headers.into_iter(), &form.body()))
    }
}
