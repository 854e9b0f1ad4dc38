//! Single sign-on as a browser goes through it: the form, the redirect, the page.

use maitre_core::manifest::is_loopback;
use maitre_testkit::{Call, Form, SignOn, Visitor};

use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};
use crate::wire::Wire;

/// As many redirects are followed.
const REDIRECTS: usize = 5;

/// Where single sign-on is posted to.
pub(crate) struct Door {
    pub(crate) origin: String,
    pub(crate) path: String,
}

/// Somebody who came to the door, and the page they were led to.
pub(crate) struct Entered {
    pub(crate) visitor: Visitor,
    /// The answer to the form.
    pub(crate) answer: Seen,
    /// The last page; the answer itself if it leads nowhere, or to a machine that may not be called.
    pub(crate) page: Seen,
}

impl Door {
    pub(crate) fn at(url: &str) -> Self {
        let host = url.find("://").map_or(0, |place| place + 3);
        let (origin, path) = url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |place| host + place));
        Self { origin: origin.to_owned(), path: path.to_owned() }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.origin)
    }

    /// Posts the form as a browser does, and goes where it is led.
    pub(crate) async fn enter<F: Form>(
        &self,
        wire: &Wire,
        mut visitor: Visitor,
        form: &Call<SignOn<F>>,
    ) -> Result<Entered, Stop> {
        let answer = wire.visit(visitor.post_form(form.url(), form.fields())).await?;
        let mut page = answer.clone();
        for _ in 0..REDIRECTS {
            let Some(location) = page.location() else { break };
            if !(300..400).contains(&page.status()) || !self.may_follow(location) {
                break;
            }
            page = wire.visit(visitor.follow(&page)).await?;
        }
        Ok(Entered { visitor, answer, page })
    }

    /// To the same host and to this machine, and nowhere else.
    fn may_follow(&self, location: &str) -> bool {
        let Some((_, rest)) = location.split_once("://") else { return !location.starts_with("//") };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        is_loopback(host) || self.origin.ends_with(&format!("://{host}"))
    }
}

/// Insists that the sign-on led to a page for the customer.
pub(crate) fn must_be_in(entered: &Entered) -> Verdict {
    let (answer, page) = (&entered.answer, &entered.page);
    match answer.status() {
        200 | 301..=303 | 307 | 308 => {}
        403 => {
            return Err(answer.wrong_status(
                "302",
                "The form is signed as the manifest's salt demands. Hash the fields as they are after form decoding (the \
                 address has a +), joined by colons, and compare in lower-case hex.",
            ));
        }
        401 => {
            return Err(
                answer.wrong_status("302", "Ask for no password here: a browser comes, and the token is the key.")
            );
        }
        404 | 405 => {
            return Err(answer
                .wrong_status("302", "Look at the manifest's sso_url and at your routes: the form is posted there."));
        }
        _ => return Err(answer.wrong_status("302", "Let in whoever has a good token, and redirect to the dashboard.")),
    }
    if (300..400).contains(&answer.status()) && answer.location().is_none() {
        return Err(answer.fault("The redirect has no Location.", "Redirect to the dashboard of the resource."));
    }
    let followed = page.status();
    if (300..400).contains(&followed) || followed == 200 {
        return Ok(()); // a redirect is the last page where it leads to a machine that may not be called
    }
    let strict = answer.cookies().find(|cookie| cookie.same_site().is_some_and(|it| it.eq_ignore_ascii_case("strict")));
    let advice = match strict {
        Some(cookie) => format!(
            "The cookie {} is SameSite=Strict, and a browser that comes from Heroku does not send it along on the redirect: \
             make it Lax.",
            cookie.name()
        ),
        None => {
            "Look whether the session is saved before the redirect is answered, and its cookie has Path=/.".to_owned()
        }
    };
    Err(page.fault(format!("The form is accepted, and the page that it leads to answers {followed}."), advice))
}
