//! Typed views of the fields that only one marketplace sends.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::account::{AccountNotice, CloseAccount, OpenAccount};
use crate::fields::Fields;
use crate::ids::AddonId;
use crate::requests::{Bind, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend, Unbind, Update};

/// Typed view of the fields of a request that only one marketplace sends, such as Heroku's `log_input_url`.
///
/// The crate of a marketplace defines its views; a listener reads them with [`Provision::view`] and the methods of the
/// same name of other requests.
///
/// ```
/// use maitre_core::{AddonId, Provision, View};
///
/// #[derive(serde::Deserialize)]
/// struct BazaarProvision {
///     stall: Option<String>,
/// }
///
/// impl View for BazaarProvision {
///     const MARKETPLACE: &'static str = "bazaar";
/// }
///
/// let mut request = Provision::new(AddonId::new("bazaar", "lantern"), "7b0c9c1e", "basic");
/// request.details.insert("stall", "12");
/// assert_eq!(request.view::<BazaarProvision>()?.stall.as_deref(), Some("12"));
///
/// let other = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// assert!(other.view::<BazaarProvision>().is_err());
/// # Ok::<(), maitre_core::ViewError>(())
/// ```
pub trait View: DeserializeOwned {
    /// Name of the marketplace.
    const MARKETPLACE: &'static str;

    /// Returns whether requests for this add-on have these fields. The default compares the marketplace's name; a
    /// contract that serves marketplaces of several names overrides it.
    #[must_use]
    fn applies_to(addon: &AddonId) -> bool {
        addon.marketplace() == Self::MARKETPLACE
    }
}

/// Error of reading a [`View`] of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewError {
    addon: AddonId,
    marketplace: &'static str,
    is_malformed: bool,
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { addon, marketplace, is_malformed } = self;
        if *is_malformed {
            write!(f, "the details of a request for {addon} have another form than those of {marketplace}")
        } else {
            write!(f, "a request for {addon} has no details of {marketplace}")
        }
    }
}

impl std::error::Error for ViewError {}

/// The cause is dropped, as it quotes a value.
fn read<V: View>(addon: &AddonId, details: &Fields) -> Result<V, ViewError> {
    let error = |is_malformed| ViewError { addon: addon.clone(), marketplace: V::MARKETPLACE, is_malformed };
    if !V::applies_to(addon) {
        return Err(error(false));
    }
    details.read().map_err(|_| error(true))
}

macro_rules! viewable {
    ($($request:ident)*) => {$(
        impl $request {
            /// Reads the fields that only one marketplace sends.
            ///
            /// # Errors
            /// Returns an error if the request is of another marketplace.
            pub fn view<V: View>(&self) -> Result<V, ViewError> {
                read(&self.addon, &self.details)
            }
        }
    )*};
}

viewable!(Provision PlanChange Update Bind Unbind Rotate Suspend Reinstate Notice OpenAccount CloseAccount AccountNotice);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[expect(dead_code, reason = "only the errors are inspected")]
    struct Stall {
        stall: u32,
    }

    impl View for Stall {
        const MARKETPLACE: &'static str = "bazaar";
    }

    #[test]
    fn an_error_names_the_marketplaces_and_quotes_no_value() {
        let mut request = Provision::new(AddonId::new("bazaar", "lantern"), "7b0c", "basic");
        request.details.insert("stall", "s3cr3t");
        let malformed = request.view::<Stall>().unwrap_err().to_string();
        assert_eq!(malformed, "the details of a request for bazaar/lantern have another form than those of bazaar");
        request.addon = AddonId::new("heroku", "lantern");
        let foreign = request.view::<Stall>().unwrap_err().to_string();
        assert_eq!(foreign, "a request for heroku/lantern has no details of bazaar");
    }
}
