//! Conversions into an [`Addon`].

use crate::addon::Addon;
use crate::backend::Backend;
use crate::marketplace::Marketplace;

/// A listener with its own credentials, so that it can be passed to a router directly.
///
/// ```
/// # use maitre_core::doctest::Bazaar;
/// use maitre_core::{Addon, Credentialed, Credentials, IntoAddon};
///
/// struct Lanterns;
/// # use maitre_core::{Deprovision, Deprovisioned, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn, SignedOn};
/// # impl maitre_core::Listener for Lanterns {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
/// impl Credentialed for Lanterns {
///     type Marketplace = Bazaar;
///     fn credentials(&self) -> Bazaar {
///         Bazaar(Credentials::new("lantern", "s3cr3t-example", "0f1e2d3c").expect("no part is empty"))
///     }
/// }
/// let addon: Addon<Bazaar> = Lanterns.into_addon();
/// assert_eq!(addon.id().slug(), "lantern");
/// ```
pub trait Credentialed {
    /// The marketplace that sells the add-on.
    type Marketplace: Marketplace;

    /// Returns the add-on's credentials; called once, when the router is built.
    fn credentials(&self) -> Self::Marketplace;
}

/// A value that a router can be built from: an [`Addon`], a pair of credentials and listener, or a listener that is
/// [`Credentialed`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an add-on at `{M}`",
    label = "neither an `Addon<{M}>` nor a listener with credentials of `{M}`",
    note = "an `Addon` of another marketplace cannot be used here: create one for `{M}`, with the same listener",
    note = "wrap a listener: `Addon::from_manifest(\"addon-manifest.json\", listener)?`, or `Addon::new(credentials, listener)`",
    note = "or implement `Credentialed` for it, and pass it directly"
)]
pub trait IntoAddon<M: Marketplace> {
    /// Converts into an add-on.
    fn into_addon(self) -> Addon<M>;
}

impl<M: Marketplace> IntoAddon<M> for Addon<M> {
    fn into_addon(self) -> Addon<M> {
        self
    }
}

impl<M: Marketplace, B: Backend> IntoAddon<M> for (M, B) {
    fn into_addon(self) -> Addon<M> {
        Addon::new(self.0, self.1)
    }
}

impl<B: Backend + Credentialed> IntoAddon<B::Marketplace> for B {
    fn into_addon(self) -> Addon<B::Marketplace> {
        Addon::new(self.credentials(), self)
    }
}
