use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{AddonId, PlatformStore, Replaceable, Secret};

use crate::{
    api::{Client, Event},
    platform::{Inner, Platform},
    rotate::Rotate,
};

/// Default time for which old credentials stay valid beside the new ones. Heroku's article on rolling credentials
/// recommends one to two hours.
const DEFAULT_OVERLAP: Duration = Duration::from_hours(2);

impl Platform {
    /// Starts a platform for the add-on with this slug, which is the `id` of its manifest. The store is the ledger's.
    pub fn builder(slug: &str, client: Client, store: Arc<dyn PlatformStore>) -> PlatformBuilder {
        PlatformBuilder(Inner {
            addon: AddonId::new("heroku", slug),
            client,
            store,
            password: Replaceable::new(None),
            replacement_grants: false,
            event_handler: None,
            rotation: None,
            overlap: DEFAULT_OVERLAP,
        })
    }
}

/// Builder of a [`Platform`].
#[must_use = "call build() to get the platform"]
pub struct PlatformBuilder(Inner);

impl PlatformBuilder {
    /// Sets the manifest's `api.password`. [`compare`](maitre_platform::Reconcile::compare) needs it to list Heroku's installs.
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.0.password = Replaceable::new(Some(password.into()));
        self
    }

    /// Requests a replacement when a grant was lost. Heroku enables this per vendor, on request by ticket. Requires the
    /// [password](Self::password).
    ///
    /// A grant is lost if it was not exchanged within its five minutes, or if the process died between Heroku's response
    /// and the commit of the token.
    pub fn request_replacement_grants(mut self) -> Self {
        self.0.replacement_grants = true;
        self
    }

    /// Sets the handler of the webhook events that a [receiver](Platform::webhook_receiver) accepted.
    ///
    /// A worker runs the handler, and runs it again after an error. Events are handled in no particular order: compare
    /// them by [`Event::changed_at`].
    ///
    /// ```
    /// # fn run(builder: maitre_heroku::PlatformBuilder) -> maitre_heroku::Platform {
    /// use maitre_heroku::api::{AddOn, Entity, EventAction};
    ///
    /// let builder = builder.on_event(|event| async move {
    ///     if (&event.resource, &event.action) == (&Entity::AddOn, &EventAction::Update) {
    ///         let add_on: AddOn = event.data_as()?;
    ///         println!("{} has been renamed to {} at {:?}", add_on.id, add_on.name, event.changed_at());
    ///     }
    ///     Ok(())
    /// });
    /// # builder.build()
    /// # }
    /// ```
    pub fn on_event<F, O>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> O + Send + Sync + 'static,
        O: Future<Output = maitre_core::Result<()>> + Send + 'static,
    {
        self.0.event_handler = Some(Arc::new(move |event| Box::pin(handler(event))));
        self
    }

    /// Sets the vendor's implementation of credential rotation, see [`Platform::rotate`].
    pub fn rotation(mut self, rotation: impl Rotate) -> Self {
        self.0.rotation = Some(Arc::new(rotation));
        self
    }

    /// Sets for how long old credentials stay valid beside the new ones. Defaults to two hours.
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.0.overlap = overlap;
        self
    }

    /// Builds the platform.
    #[must_use]
    pub fn build(self) -> Platform {
        Platform(Arc::new(self.0))
    }
}

impl fmt::Debug for PlatformBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformBuilder").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}
