use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{AddonId, PlatformStore, ResourceId, Secret};

use crate::{Api, Client, Error, Event, Rotate, rotation::DynRotate, webhooks::Handler};

/// How long credentials that were changed stay good beside the new ones (Heroku's article on credential rolls: one to two
/// hours).
const OVERLAP: Duration = Duration::from_hours(2);

/// One add-on at Heroku's API, with its tokens in a ledger.
///
/// Given to a ledger it does what a slow provision needs; in the vendor's hands it is the way to the API for each
/// resource. A clone is the same.
///
/// ```no_run
/// # async fn run(records: std::sync::Arc<dyn maitre_core::PlatformStore>) -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_heroku::{Client, Platform};
///
/// let client = Client::builder(std::env::var("HEROKU_CLIENT_SECRET")?).build()?;
/// let platform = Platform::new("lantern", client, records); // ledger.store()
/// // ledger.wrap(lanterns).with_platform(platform.clone())
///
/// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
/// let add_on = platform.call(&lantern, |api| async move { api.add_on("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21").await }).await?;
/// println!("it is called {}", add_on.name);
/// # Ok(())
/// # }
/// ```
///
/// `Debug` shows which add-on it is.
#[derive(Clone)]
pub struct Platform(pub(crate) Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) addon: AddonId,
    pub(crate) client: Client,
    pub(crate) records: Arc<dyn PlatformStore>,
    pub(crate) password: Option<Secret>,
    pub(crate) lost_grants: bool,
    pub(crate) on_event: Option<Handler>,
    pub(crate) rotate: Option<Arc<dyn DynRotate>>,
    pub(crate) overlap: Duration,
}

impl Platform {
    /// The add-on of this slug, the manifest's `id`. The records are the ledger's.
    pub fn new(slug: &str, client: Client, records: Arc<dyn PlatformStore>) -> Self {
        Self(Arc::new(Inner {
            addon: AddonId::new("heroku", slug),
            client,
            records,
            password: None,
            lost_grants: false,
            on_event: None,
            rotate: None,
            overlap: OVERLAP,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// With the manifest's `api.password`, by which Heroku lists the installs: for [`sighting`](Self::sighting).
    #[must_use]
    pub fn password(self, password: impl Into<Secret>) -> Self {
        self.with(|inner| inner.password = Some(password.into()))
    }

    /// Asks for a new grant where one was lost, which Heroku turns on for a vendor who asks for it by ticket. It takes the
    /// [password](Self::password).
    ///
    /// A grant is lost when nobody exchanged it within its five minutes, or when a process died between Heroku's answer
    /// and the record of it.
    #[must_use]
    pub fn replaces_lost_grants(self) -> Self {
        self.with(|inner| inner.lost_grants = true)
    }

    /// Runs this for each event of a [webhook](Self::webhooks) that was recorded, by a worker, in any order, and again if
    /// it fails: go by [`Event::changed_at`].
    ///
    /// Say it before the platform is given to `follow`: who has a clone keeps it as it was.
    ///
    /// ```
    /// # fn of(platform: maitre_heroku::Platform) -> maitre_heroku::Platform {
    /// use maitre_heroku::api::{AddOn, Entity, EventAction};
    ///
    /// platform.on_event(|event| async move {
    ///     if (&event.resource, &event.action) == (&Entity::AddOn, &EventAction::Update) {
    ///         let add_on: AddOn = event.data_as()?;
    ///         println!("{} is called {} since {:?}", add_on.id, add_on.name, event.changed_at());
    ///     }
    ///     Ok(())
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn on_event<F, O>(self, handler: F) -> Self
    where
        F: Fn(Event) -> O + Send + Sync + 'static,
        O: Future<Output = maitre_core::Result<()>> + Send + 'static,
    {
        self.with(|inner| inner.on_event = Some(Arc::new(move |event| Box::pin(handler(event)))))
    }

    /// Changes credentials by these two steps; see [`rotate`](Self::rotate). Say it before the platform is given to
    /// `follow`.
    #[must_use]
    pub fn rotates_by(self, rotate: impl Rotate) -> Self {
        self.with(|inner| inner.rotate = Some(Arc::new(rotate)))
    }

    /// How long the old credentials stay good beside the new ones; two hours if not set.
    #[must_use]
    pub fn overlap(self, overlap: Duration) -> Self {
        self.with(|inner| inner.overlap = overlap)
    }

    /// Which add-on this is.
    #[must_use]
    pub fn addon(&self) -> &AddonId {
        &self.0.addon
    }

    /// The client without a token.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The API with the token of this resource, which is refreshed if it is due.
    ///
    /// Within one piece of work; for later ask again, as tokens change. [`call`](Self::call) also minds a token that ended
    /// sooner than it should.
    ///
    /// # Errors
    /// [`Error::NoToken`], and whatever befalls a refresh.
    pub async fn api(&self, resource: &ResourceId) -> Result<Api, Error> {
        let token = self.token(resource).await?;
        Ok(self.0.client.api(&token.token))
    }

    /// Asks something with the token of this resource, and once more with a new one where Heroku says 401.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-call-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let client = maitre_heroku::Client::builder("client secret").build()?;
    /// # let platform = maitre_heroku::Platform::new("lantern", client, ledger.store());
    /// use maitre_heroku::Error;
    ///
    /// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
    /// let owner = platform.call(&lantern, |api| async move { api.app("lantern-shop").await.map(|app| app.owner) }).await;
    /// assert!(matches!(owner, Err(Error::NoToken(_))), "nobody has ordered it");
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the API said, [`Error::NoToken`], and whatever befalls a refresh.
    pub async fn call<T, F>(&self, resource: &ResourceId, ask: impl Fn(Api) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, crate::api::Error>>,
    {
        let held = self.token(resource).await?;
        match ask(self.0.client.api(&held.token)).await {
            Err(error) if error.is_unauthorized() => {
                let held = self.refresh(resource, held.version).await?;
                Ok(ask(self.0.client.api(&held.token)).await?)
            }
            result => Ok(result?),
        }
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}
