use std::{collections::BTreeMap, fmt, path::PathBuf};

use maitre_conformance::Marketplace;

use crate::{
    Chaos, ParseError, Plan, Sandbox, SetupError,
    addon::{Addon, AddressOptions},
    journal::Store,
    listing::Listing,
    sandbox::Access,
};

const JOURNAL_LIMIT: usize = 250_000;

/// Builder of a [`Sandbox`], returned by [`Sandbox::builder`].
///
/// ```
/// use maitre_sandbox::Sandbox;
///
/// let manifest = r#"{ "id": "lantern", "api": { "version": "3", "password": "development-password",
///     "sso_salt": "development-salt", "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" } } }"#;
/// let sandbox = Sandbox::builder(manifest)?.plans(["basic", "premium=900"])?.client_secret("development only").open()?;
/// assert_eq!(sandbox.platform().installs().len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `Debug` shows neither the manifest nor the secrets.
#[derive(Clone)]
#[must_use = "call open() to open the sandbox"]
pub struct SandboxBuilder {
    listing: Listing,
    overrides: AddressOptions,
    plans: Vec<Plan>,
    options: BTreeMap<String, String>,
    state_file: Option<PathBuf>,
    journal_limit: usize,
    chaos: Chaos,
    seed: u64,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    pub(crate) hosts: Vec<String>,
}

impl Sandbox {
    /// Creates a builder of a sandbox that sells on Heroku, from the text of the add-on's manifest.
    ///
    /// # Errors
    /// Returns an error if the manifest cannot be parsed.
    pub fn builder(manifest: &str) -> Result<SandboxBuilder, SetupError> {
        Self::builder_for(Marketplace::Heroku, manifest)
    }

    /// Creates a builder of a sandbox that sells on Heroku, DigitalOcean, Clever Cloud or Scalingo. The manifest has the form
    /// of the marketplace; for DigitalOcean it is the JSON file with `app_slug`, `password`, `salt` and `client_secret`.
    ///
    /// ```
    /// use maitre_sandbox::{Marketplace, Sandbox};
    ///
    /// let settings = r#"{ "app_slug": "tamarind", "password": "development-password", "salt": "kelp-salt" }"#;
    /// let sandbox = Sandbox::builder_for(Marketplace::DigitalOcean, settings)?.url("http://127.0.0.1:8300").open()?;
    /// assert_eq!(sandbox.addon_url(), "http://127.0.0.1:8300/digitalocean/resources");
    /// # Ok::<(), maitre_sandbox::SetupError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the manifest cannot be parsed, or if the sandbox does not sell on this marketplace by a manifest.
    pub fn builder_for(marketplace: Marketplace, manifest: &str) -> Result<SandboxBuilder, SetupError> {
        Ok(SandboxBuilder::new(Listing::from_manifest(marketplace, manifest)?))
    }

    /// Creates a builder of a sandbox that sells on QuickNode. The user and the password are those that QuickNode issues;
    /// the vendor chooses the JWT secret.
    ///
    /// ```
    /// use maitre_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::quicknode_builder("pomelo", "development-password", "jwt-secret");
    /// assert_eq!(builder.url("http://127.0.0.1:8300").open()?.addon_url(), "http://127.0.0.1:8300/quicknode/provision");
    /// # Ok::<(), maitre_sandbox::SetupError>(())
    /// ```
    pub fn quicknode_builder(user: &str, password: &str, jwt_secret: &str) -> SandboxBuilder {
        let (user, password, jwt_secret) = (user.to_owned(), password.to_owned(), jwt_secret.to_owned());
        SandboxBuilder::new(Listing::QuickNode { user, password, jwt_secret })
    }

    /// Creates a builder of a sandbox that sells a product on Vercel. The integration's id is also called client id.
    ///
    /// ```
    /// use maitre_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::vercel_builder("oac_pomelo", "pomelo").client_secret("development only");
    /// assert_eq!(builder.url("http://127.0.0.1:8300").open()?.addon_url(), "http://127.0.0.1:8300/vercel/v1");
    /// # Ok::<(), maitre_sandbox::SetupError>(())
    /// ```
    pub fn vercel_builder(integration: &str, product: &str) -> SandboxBuilder {
        let (integration, product) = (integration.to_owned(), product.to_owned());
        SandboxBuilder::new(Listing::Vercel { integration, product })
    }

    /// Creates a builder of a sandbox that is a platform of the Open Service Broker API, and calls a broker with these
    /// credentials. [`plans`](SandboxBuilder::plans) are the names of plans in the catalog.
    ///
    /// ```
    /// use maitre_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::osb_builder("lantern", "development-password").plans(["basic"])?;
    /// assert_eq!(builder.url("http://127.0.0.1:8300/osb").open()?.addon_url(), "http://127.0.0.1:8300/osb/v2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn osb_builder(user: &str, password: &str) -> SandboxBuilder {
        let (user, password) = (user.to_owned(), password.to_owned());
        SandboxBuilder::new(Listing::Osb { user, password })
    }
}

impl SandboxBuilder {
    fn new(listing: Listing) -> Self {
        Self {
            listing,
            overrides: AddressOptions::default(),
            plans: Vec::new(),
            options: BTreeMap::new(),
            state_file: None,
            journal_limit: JOURNAL_LIMIT,
            chaos: Chaos::default(),
            seed: 0,
            client_secret: "development-only-client-secret".to_owned(),
            api_key: "sandbox".to_owned(),
            hosts: Vec::new(),
        }
    }

    /// Sets the URL of the add-on, such as `http://127.0.0.1:8300`. Defaults to the manifest's `api.test`; a URL without
    /// a path gets the manifest's path.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.overrides.url = Some(url.into());
        self
    }

    /// Sets the URL that single sign-on forms are posted to. Defaults to the manifest's path on the host of the add-on.
    pub fn sso_url(mut self, url: impl Into<String>) -> Self {
        self.overrides.sso_url = Some(url.into());
        self
    }

    /// Sets whether the add-on may run on another machine. Defaults to `false`.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.overrides.allow_remote = allow;
        self
    }

    /// Sets the plans on sale, in the syntax of [`Plan`]. The first one is the default plan. Defaults to `test`, the plan
    /// that Heroku requires of every new add-on.
    ///
    /// # Errors
    /// Returns an error if a plan cannot be parsed.
    pub fn plans<'a>(mut self, plans: impl IntoIterator<Item = &'a str>) -> Result<Self, ParseError> {
        self.plans = plans.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Adds an option to every provision, for an add-on that needs one. A customer's option of the same name replaces it.
    ///
    /// ```
    /// # use maitre_sandbox::Sandbox;
    /// # let manifest = r#"{ "id": "lantern", "api": { "password": "development-password",
    /// #     "test": { "base_url": "http://localhost:8300/heroku/resources" } } }"#;
    /// let sandbox = Sandbox::builder(manifest)?.option("retention", "7d").open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Keeps the journal and the state of the marketplace in this SQLite file, so that they survive a restart. The file
    /// contains secrets; on Unix it is created with mode 0600. Defaults to a temporary database.
    pub fn state_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.state_file = Some(file.into());
        self
    }

    /// Sets the number of journal entries to keep; older entries are deleted. Defaults to 250 000.
    pub fn journal_limit(mut self, entries: usize) -> Self {
        self.journal_limit = entries;
        self
    }

    /// Sets the rate of random faults, and the seed they are drawn from: the same calls in the same order meet the same
    /// faults. Defaults to no faults.
    pub fn chaos(mut self, chaos: Chaos, seed: u64) -> Self {
        (self.chaos, self.seed) = (chaos, seed);
        self
    }

    /// Sets the OAuth client secret of the add-on. Defaults to `development-only-client-secret`. The settings of
    /// DigitalOcean have their own.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = secret.into();
        self
    }

    /// Sets the bearer token of the customer's client, the value of `HEROKU_API_KEY`. Defaults to `sandbox`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = key.into();
        self
    }

    /// Also accepts requests under this host name, such as `host.docker.internal` for an add-on in a container. The
    /// loopback names of this machine are always accepted.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Opens the sandbox, and restores its state from the state file if there is one.
    ///
    /// # Errors
    /// Returns an error if the manifest is incomplete, if the add-on's URL is invalid or is on another machine without
    /// [`allow_remote`](Self::allow_remote), or if the state file cannot be used.
    pub fn open(self) -> Result<Sandbox, SetupError> {
        let mut addon = Addon::read(&self.listing, &self.overrides, &self.client_secret, self.plans.clone())?;
        addon.options = self.options;
        let store = Store::open(self.state_file.as_deref(), self.journal_limit)?;
        let sandbox = Sandbox::new(addon, store, Access { api_key: self.api_key, hosts: self.hosts });
        if let Some(contents) = self.listing.heroku_manifest() {
            sandbox.inner().manifests.push(contents, sandbox.platform().clock().now());
        }
        sandbox.load_state()?;
        sandbox.set_chaos(self.chaos, self.seed);
        Ok(sandbox)
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("url", &self.overrides.url)
            .field("plans", &self.plans)
            .finish_non_exhaustive()
    }
}
