//! Trial of a single sign-on: sends the form and follows the redirect as a browser that comes from the marketplace does.

use std::time::Instant;

use maitre_conformance::split_origin;
use maitre_testkit::{Browser, Error, Reply, platform::Install};

use crate::{
    Sandbox,
    entry::{Completion, Direction, Finding, Head, Kind, Message},
    events::PageEvent,
    trial::Trial,
};

/// Maximum number of redirects to follow.
const MAX_REDIRECTS: usize = 5;

impl Sandbox {
    /// Signs the app's owner in to the add-on, and records each response.
    pub(crate) async fn try_sign_on(&self, install: &Install) -> Trial {
        let sign_on = self.sign(install, None);
        let form = &sign_on.form;
        let origin = split_origin(&form.action).0.to_owned();
        let mut browser = Browser::new(&origin);
        let entry = self.record_sign_on(install, &sign_on, "Single sign-on, tried");
        let started = Instant::now();
        let reply = match form.method {
            "POST" => browser.post_form(&form.action, form.fields.clone()).try_send().await,
            _ => browser.get(&form.action).try_send().await,
        };
        self.complete_visit(entry, &reply, started);
        let mut replies: Vec<_> = reply.into_iter().collect();
        while let Some(target) = replies.last().and_then(redirect_target) {
            if replies.len() > MAX_REDIRECTS {
                break;
            }
            let head = Head {
                uuid: Some(install.uuid().to_owned()),
                method: "GET".to_owned(),
                url: target,
                ..Head::new(self.platform().clock().now(), Direction::ToAddon, Kind::SignOn, "Page after the sign-on")
            };
            let (id, started) = (self.journal().begin(head, &Message::default()), Instant::now());
            let Some(last) = replies.last() else { break };
            let reply = browser.follow(last).try_send().await;
            self.complete_visit(id, &reply, started);
            let Ok(reply) = reply else { break };
            replies.push(reply);
        }
        let trial = judge(&replies, sign_on.fault.is_some(), entry);
        if let Some(check) = self.profile().sign_on_check.filter(|_| !trial.is_signed_in) {
            self.journal().add_finding(entry, Finding::new(check, trial.text.clone()));
        }
        self.trials().insert(install.uuid().to_owned(), trial.clone());
        self.publish(PageEvent::Installs);
        trial
    }

    fn complete_visit(&self, id: i64, reply: &Result<Reply, Error>, started: Instant) {
        let reply = reply.as_ref().ok();
        let completion = Completion {
            status: reply.map(Reply::status),
            duration_ms: Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
            response: reply.map(|reply| Message::new(reply.headers(), reply.body())),
            ..Completion::default()
        };
        self.journal().complete(id, completion);
    }
}

/// Returns the URL that a reply redirects to, unless it is on another machine, which a local sandbox does not call.
fn redirect_target(reply: &Reply) -> Option<String> {
    let location = reply.location().filter(|_| (300..400).contains(&reply.status()))?;
    let here = split_origin(reply.request().url()).0;
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(format!("{here}{location}"));
    }
    let host = split_origin(location).0.split_once("://")?.1;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_called = split_origin(location).0 == here || ["localhost", "127.0.0.1", "[::1]"].contains(&name);
    is_called.then(|| location.to_owned())
}

/// Describes the replies. `is_stale` is whether the form had an expired token on purpose.
fn judge(replies: &[Reply], is_stale: bool, entry: i64) -> Trial {
    let (Some(first), Some(last)) = (replies.first(), replies.last()) else {
        return Trial { text: "The add-on does not respond.".to_owned(), is_signed_in: false, entry };
    };
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status().to_string()).collect();
    let statuses = statuses.join(" → ");
    let is_accepted = matches!(first.status(), 200 | 301..=303 | 307 | 308);
    let (text, is_signed_in) = match last.status() {
        401 | 403 if is_stale && !is_accepted => (format!("{statuses}, as it must be for an expired token"), true),
        _ if is_stale && is_accepted => (format!("{statuses}: an expired token was accepted."), false),
        _ if !is_accepted => {
            (format!("{statuses}: the form was not accepted. Compare the salt and the formula of the token."), false)
        }
        200..=399 => (statuses, true),
        status => {
            let strict = replies
                .iter()
                .flat_map(Reply::cookies)
                .find(|cookie| cookie.same_site().is_some_and(|policy| policy.eq_ignore_ascii_case("strict")));
            let reason = match strict {
                Some(cookie) => format!(
                    "the cookie {} is SameSite=Strict, which a browser does not send after a form of another site. Use Lax.",
                    cookie.name()
                ),
                None => "the session was not stored, or its cookie was not sent. Check its Path.".to_owned(),
            };
            (format!("{statuses}: accepted, but the page answers {status}: {reason}"), false)
        }
    };
    Trial { text, is_signed_in, entry }
}
