//! Marketplaces and their capabilities.

use std::borrow::Cow;

use crate::manifest::{Manifest, ManifestError};
use crate::sso::Window;

/// A marketplace as configured for one add-on: the add-on's credentials and the settings of the contract.
///
/// Each contract is a type of its own, so that the credentials of one cannot be passed to the router of another. A
/// contract that several marketplaces have in common has a value for each of them, with a name of its own.
///
/// ```
/// use maitre_core::{Credentials, Marketplace};
///
/// struct Bazaar(Credentials);
///
/// impl Marketplace for Bazaar {
///     fn name(&self) -> std::borrow::Cow<'static, str> {
///         "bazaar".into()
///     }
///     fn slug(&self) -> &str {
///         self.0.user()
///     }
/// }
/// assert_eq!(Bazaar(Credentials::new("lantern", "p", "s")?).slug(), "lantern");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
pub trait Marketplace: Send + Sync + 'static {
    /// Returns the name of the marketplace in logs and in the ledger, lowercase. It must not change.
    fn name(&self) -> Cow<'static, str>;

    /// Returns the add-on's name at this marketplace.
    fn slug(&self) -> &str;

    /// Returns the default time window of single sign-on tokens; see [`Addon::with_sso_window`](crate::Addon::with_sso_window).
    fn sso_window(&self) -> Window {
        Window::default()
    }
}

/// A [`Marketplace`] that accepts asynchronous replies: "accepted" first, and a notification on completion.
pub trait SupportsAsync: Marketplace {}

/// A [`Marketplace`] that can be configured from a manifest file.
pub trait FromManifest: Marketplace + Sized {
    /// Reads the credentials and settings from a manifest.
    ///
    /// # Errors
    /// Returns an error that names the missing key.
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError>;
}
