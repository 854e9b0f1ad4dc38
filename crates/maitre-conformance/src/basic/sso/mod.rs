//! Single sign-on.

pub(super) mod session;
pub(super) mod tokens;
pub(super) mod window;

use super::contract::BasicMarketplace;
use super::forms::{Form, is_refused};
use super::target::Target;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const VERIFY: &str = "Compute the token yourself from the fields and the salt, compare in constant time, and refuse the sign-on \
                      if it differs.";

/// Requires that the sign-on is refused as the contract prescribes.
pub(super) fn must_be_refused<M: BasicMarketplace>(response: &Response, advice: &str) -> Verdict {
    let contract = M::CONTRACT.sso;
    if is_refused(&contract, response) { Ok(()) } else { response.must_be(contract.refused, advice).map(drop) }
}

/// Requires that the sign-on is refused with any client error.
pub(super) fn must_not_be_signed_in<M: BasicMarketplace>(response: &Response, advice: &str) -> Verdict {
    if (400..500).contains(&response.status()) {
        return Ok(());
    }
    must_be_refused::<M>(response, advice)
}

/// Requires a success or a redirect.
pub(super) fn must_be_accepted<M: BasicMarketplace>(response: &Response, advice: &str) -> Verdict {
    if is_refused(&M::CONTRACT.sso, response) || !(200..400).contains(&response.status()) {
        return Err(response.wrong_status("302", advice));
    }
    Ok(())
}

/// Sends a forged form that must be refused.
pub(super) async fn forgery<M: BasicMarketplace>(
    target: &Target<M>,
    change: impl FnOnce(Form) -> Form,
    description: &str,
) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let response = target.post(change(target.sign_on_to(&resource))).await?.to(description);
    must_be_refused::<M>(&response, VERIFY)
}

/// Sends a changed form that must still be accepted.
pub(super) async fn variation<M: BasicMarketplace>(
    target: &Target<M>,
    change: impl FnOnce(Form) -> Form,
    description: &str,
    advice: &str,
) -> Result<Response, Stop> {
    let resource = target.resource_to_sign_on().await?;
    let response = target.post(change(target.sign_on_to(&resource))).await?.to(description);
    must_be_accepted::<M>(&response, advice)?;
    Ok(response)
}
