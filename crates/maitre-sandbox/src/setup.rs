use std::{fmt, path::PathBuf};

use crate::{CannotOpen, Chaos, Plan, Sandbox, addon::AddOn, journal::Store};

/// So many entries of the journal are kept.
const KEPT: usize = 250_000;

/// What there is to say before a [`Sandbox`] opens: see [`Sandbox::of`].
///
/// ```
/// use maitre_sandbox::Sandbox;
///
/// let manifest = r#"{ "id": "lantern", "api": { "version": "3", "password": "nobody-guesses-this-one",
///     "sso_salt": "nor-would-they-guess-that", "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "test": { "base_url": "http://localhost:5000/heroku/resources", "sso_url": "http://localhost:5000/sso" } } }"#;
/// let sandbox = Sandbox::of(manifest)?.plans(["basic", "premium=900"])?.client_secret("development only").open()?;
/// assert_eq!(sandbox.platform().installs().len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `Debug` keeps the manifest and the secrets to itself.
#[derive(Clone)]
#[must_use = "it is opened with open()"]
pub struct Setup {
    manifest: String,
    url: Option<String>,
    sso_url: Option<String>,
    elsewhere: bool,
    plans: Vec<Plan>,
    file: Option<PathBuf>,
    kept: usize,
    chaos: Chaos,
    seed: u64,
    pub(crate) client_secret: String,
    pub(crate) customer_key: String,
    pub(crate) hosts: Vec<String>,
}

impl Setup {
    pub(crate) fn new(manifest: &str) -> Result<Self, CannotOpen> {
        maitre_core::Manifest::parse(manifest)?;
        Ok(Self {
            manifest: manifest.to_owned(),
            url: None,
            sso_url: None,
            elsewhere: false,
            plans: Vec::new(),
            file: None,
            kept: KEPT,
            chaos: Chaos::default(),
            seed: 0,
            client_secret: "development-only-client-secret".to_owned(),
            customer_key: "sandbox".to_owned(),
            hosts: Vec::new(),
        })
    }

    /// Where the add-on runs, in place of the manifest's `api.test`: `http://127.0.0.1:5000`, with or without its path.
    pub fn addon(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Where single sign-on is posted to, if not to the manifest's path at the same host.
    pub fn sso_url(mut self, url: impl Into<String>) -> Self {
        self.sso_url = Some(url.into());
        self
    }

    /// Whether the add-on may run on another machine than this one.
    pub fn production(mut self, may: bool) -> Self {
        self.elsewhere = may;
        self
    }

    /// The plans that are sold, the first being what a customer gets who names none; see [`Plan`]. Without any it is
    /// `test`, which Heroku asks every add-on to begin with.
    ///
    /// # Errors
    /// [`NoPlan`](crate::NoPlan) tells which of them is none.
    pub fn plans<'a>(mut self, plans: impl IntoIterator<Item = &'a str>) -> Result<Self, crate::NoPlan> {
        self.plans = plans.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Keeps journal and memory in this SQLite file, so that a restart changes nothing. It holds secrets: it is made
    /// for its owner's eyes alone.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// How many entries the journal keeps, the newest; 250 000 if nobody says.
    pub fn kept(mut self, entries: usize) -> Self {
        self.kept = entries;
        self
    }

    /// Faults by chance, drawn from a seed: the same for the same calls in the same order.
    pub fn chaos(mut self, chaos: Chaos, seed: u64) -> Self {
        (self.chaos, self.seed) = (chaos, seed);
        self
    }

    /// By what the add-on gets its tokens, `development-only-client-secret` if nobody says.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = secret.into();
        self
    }

    /// The bearer token by which a customer's client is known, `sandbox` if nobody says: the value of `HEROKU_API_KEY`.
    pub fn customer_key(mut self, key: impl Into<String>) -> Self {
        self.customer_key = key.into();
        self
    }

    /// Answers to this host name, too, beside those of this machine, as for an add-on in a container that says
    /// `host.docker.internal`.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Opens the sandbox, as its file says it was left if it has one.
    ///
    /// # Errors
    /// [`CannotOpen`] says what to do: the manifest lacks something, the add-on's address is none, or is not on this
    /// machine without consent, or the file cannot be used.
    pub fn open(self) -> Result<Sandbox, CannotOpen> {
        let (url, sso_url) = (self.url.as_deref(), self.sso_url.as_deref());
        let addon = AddOn::read(&self.manifest, url, sso_url, self.elsewhere, self.plans.clone())?;
        let store = Store::open(self.file.as_deref(), self.kept)?;
        let sandbox = Sandbox::new(addon, store, &self);
        sandbox.recall()?;
        sandbox.set_chaos(self.chaos, self.seed);
        Ok(sandbox)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("url", &self.url).field("plans", &self.plans).finish_non_exhaustive()
    }
}
