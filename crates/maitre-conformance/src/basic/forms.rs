//! Sign-on forms and links, and refusals of them.

use maitre_testkit::{Call, SignOn, SignedForm};

use super::contract::SsoContract;
use crate::response::Response;
use crate::url;

/// Form or link of a sign-on.
pub(super) type Form = Call<SignOn<SignedForm>>;

/// Returns the value of a field.
pub(super) fn field(form: &Form, name: &str) -> String {
    form.fields().into_iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default()
}

/// Forges the token, in the right length.
pub(super) fn forged(token: &str, form: Form) -> Form {
    let forged = "0".repeat(field(&form, token).len());
    form.set(token, forged)
}

/// Returns whether a sign-on is refused, by its status or by a redirect to the marketplace.
pub(super) fn is_refused(contract: &SsoContract, response: &Response) -> bool {
    contract.refused.contains(&response.status()) || (contract.refused_by_redirect && leads_away(response))
}

/// Returns whether a response redirects to another host and sets no cookie.
fn leads_away(response: &Response) -> bool {
    let own = url::split(response.request().url()).map(|parts| parts.authority.to_owned());
    let other = response.location().and_then(url::split).map(|parts| parts.authority.to_owned());
    (300..400).contains(&response.status()) && other.is_some() && own != other && response.cookies().next().is_none()
}
