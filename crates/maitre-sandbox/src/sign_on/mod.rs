//! Single sign-on: the form that a browser posts to the add-on.

mod trial;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use maitre_testkit::platform::Install;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{
    Fault, Sandbox,
    entry::{Completion, Direction, Head, Kind, Message},
};

/// Age of a stale sign-on, which every add-on has to reject.
const STALE_AGE: Duration = Duration::minutes(10);

/// Signed sign-on form.
pub(crate) struct Form {
    /// `POST`, or `GET` for legacy sign-on with the fields in the URL.
    pub(crate) method: &'static str,
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    /// Description of the injected fault.
    fault: Option<&'static str>,
}

impl Sandbox {
    /// Creates and records the form that signs the app's owner in to the add-on, coming from `context_app`. The entry is
    /// completed, because a browser posts the form and the sandbox does not see the response.
    pub(crate) fn sign_on(&self, install: &Install, context_app: Option<&str>) -> Form {
        let form = self.sign(install, context_app);
        let id = self.record_sign_on(install, &form, Kind::SignOn.title());
        self.journal().complete(id, Completion::default());
        form
    }

    /// Signs a form with the real time, because the add-on's clock is not moved.
    fn sign(&self, install: &Install, context_app: Option<&str>) -> Form {
        let fault = self.inner().faults.next(Kind::SignOn);
        let at = OffsetDateTime::now_utc() - if fault == Some(Fault::StaleToken) { STALE_AGE } else { Duration::ZERO };
        let app = install.app();
        let owner = &self.platform().app(&app).json()["owner"];
        let text = |field: &str| owner[field].as_str().unwrap_or_default().to_owned();
        let id = install.provider_id().unwrap_or_else(|| install.uuid().to_owned());
        let (heroku, path) = match &self.addon().sso {
            Some((heroku, path)) => (heroku, Some(path)),
            None => (&self.addon().heroku, None),
        };
        let call =
            heroku.single_sign_on(install.uuid()).provider_id(id).user_id(text("id")).email(text("email")).at(at);
        let call = call.set("app", app.as_str()).set("nav-data", self.nav_data(&app));
        let fault = fault.map(|_| "signed for ten minutes ago: the add-on must answer 403");
        match path {
            Some(path) => {
                let call = call.set("context_app", context_app.unwrap_or(&app)).path(path.as_str());
                Form { method: "POST", action: call.url(), fields: call.fields(), fault }
            }
            None => Form { method: "GET", action: call.by_get().request().url().to_owned(), fields: Vec::new(), fault },
        }
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
    fn record_sign_on(&self, install: &Install, form: &Form, title: &str) -> i64 {
        let head = Head {
            uuid: Some(install.uuid().to_owned()),
            method: form.method.to_owned(),
            url: form.action.clone(),
            fault: form.fault.map(str::to_owned),
            ..Head::new(self.platform().clock().now(), Direction::ToAddon, Kind::SignOn, title)
        };
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.journal().start_operation(install.uuid());
        self.journal().begin(head, &Message::new(headers.into_iter(), body.as_bytes()))
    }
}
