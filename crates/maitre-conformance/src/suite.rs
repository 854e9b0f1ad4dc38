//! What is to be checked, and how.

use std::fmt;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use maitre_core::{ExposeSecret, Manifest};
use serde_json::Value;

use crate::address::Named;
use crate::check::Check;
use crate::error::CannotRun;
use crate::marketplace::Marketplace;
use crate::report::{Finding, Report};
use crate::run::{Watcher, run};
use crate::select::Selection;
use crate::{cloudcontrol, heroku, opperator};

/// Heroku counts a request as failed when no answer came within this time.
const PATIENCE: Duration = Duration::from_secs(25);

/// How long an add-on that answers 202 may take to finish. Heroku waits twelve hours.
const FINISHED: Duration = Duration::from_mins(1);

/// A run to be made: an add-on, where it is, and which checks.
///
/// ```
/// use axum::Router;
/// use maitre_conformance::{Level, Suite};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), maitre_conformance::CannotRun> {
/// // A vendor's own app would pass; this one knows no route at all.
/// let app: Router = Router::new();
/// let manifest = r#"{ "id": "lantern", "api": { "password": "s3cr3t-example", "sso_salt": "0f1e2d3c4b5a6978",
///     "test": { "base_url": "http://localhost:5000/heroku/resources", "sso_url": "http://localhost:5000/sso" } } }"#;
///
/// let report = Suite::heroku(manifest)?.plans(["basic", "premium"]).only(["provision"]).service(app).run().await?;
/// assert!(!report.is_conformant(false));
/// assert_eq!(report.failed(Level::Must).next().unwrap().check.id, "heroku.provision.succeeds");
/// # Ok(())
/// # }
/// ```
///
/// Without [`url`](Self::url) or `service`, the add-on is looked for at the manifest's `api.test` addresses.
#[must_use = "a suite does nothing until it is run"]
pub struct Suite {
    who: Who,
    url: Option<String>,
    sso_url: Option<String>,
    service: Option<crate::serve::Service>,
    stage: Option<(TcpListener, String)>,
    finish_within: Duration,
    plans: Vec<String>,
    selection: Selection,
    production: bool,
    patience: Duration,
    watcher: Arc<dyn Watcher + Send + Sync>,
}

enum Who {
    Heroku(Box<Given>),
    CloudControl(Box<Given>),
    Opperator { shared_secret: String },
}

/// A manifest as it was written and as it was read.
pub(crate) struct Given {
    pub(crate) manifest: Manifest,
    pub(crate) written: Value,
}

impl Given {
    fn parse(text: &str) -> Result<Self, CannotRun> {
        let manifest = Manifest::parse(text)?;
        let written = serde_json::from_str(text).unwrap_or_default();
        Ok(Self { manifest, written })
    }

    fn read(path: &Path) -> Result<Self, CannotRun> {
        let manifest = Manifest::read(path)?;
        let written = std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok());
        Ok(Self { manifest, written: written.unwrap_or_default() })
    }

    pub(crate) fn password(&self) -> Result<String, CannotRun> {
        Ok(self.manifest.password()?.expose_secret().to_owned())
    }

    pub(crate) fn salt(&self) -> String {
        self.manifest.api.sso_salt.as_ref().map(|salt| salt.expose_secret().to_owned()).unwrap_or_default()
    }
}

struct Quiet;

impl Watcher for Quiet {
    fn begins(&self, _: &'static Check) {}
    fn ends(&self, _: &Finding) {}
}

struct Watching<B, E>(B, E);

impl<B: Fn(&'static Check), E: Fn(&Finding)> Watcher for Watching<B, E> {
    fn begins(&self, check: &'static Check) {
        (self.0)(check);
    }
    fn ends(&self, finding: &Finding) {
        (self.1)(finding);
    }
}

impl Suite {
    fn new(who: Who) -> Self {
        Self {
            who,
            url: None,
            sso_url: None,
            service: None,
            stage: None,
            finish_within: FINISHED,
            plans: vec!["test".to_owned()],
            selection: Selection::default(),
            production: false,
            patience: PATIENCE,
            watcher: Arc::new(Quiet),
        }
    }

    /// Heroku's contract, with the text of the add-on's manifest.
    ///
    /// # Errors
    /// [`CannotRun`] when it cannot be read as one.
    pub fn heroku(manifest: &str) -> Result<Self, CannotRun> {
        Ok(Self::new(Who::Heroku(Box::new(Given::parse(manifest)?))))
    }

    /// Heroku's contract, with the add-on's manifest file.
    ///
    /// # Errors
    /// [`CannotRun`] when it is not there or cannot be read as one.
    pub fn heroku_file(path: impl AsRef<Path>) -> Result<Self, CannotRun> {
        Ok(Self::new(Who::Heroku(Box::new(Given::read(path.as_ref())?))))
    }

    /// cloudControl's contract, with the text of the add-on's manifest.
    ///
    /// # Errors
    /// [`CannotRun`] when it cannot be read as one.
    pub fn cloudcontrol(manifest: &str) -> Result<Self, CannotRun> {
        Ok(Self::new(Who::CloudControl(Box::new(Given::parse(manifest)?))))
    }

    /// cloudControl's contract, with the add-on's manifest file.
    ///
    /// # Errors
    /// [`CannotRun`] when it is not there or cannot be read as one.
    pub fn cloudcontrol_file(path: impl AsRef<Path>) -> Result<Self, CannotRun> {
        Ok(Self::new(Who::CloudControl(Box::new(Given::read(path.as_ref())?))))
    }

    /// Opperator's contract, which has no manifest: it is the URL above `/instances` that has to be named by
    /// [`url`](Self::url), and the secret that the two sides share.
    pub fn opperator(shared_secret: &str) -> Self {
        Self::new(Who::Opperator { shared_secret: shared_secret.to_owned() })
    }

    /// The add-on is here: the URL that provisions are posted to, with or without its usual end (`/heroku/resources`).
    /// Single sign-on is looked for at the manifest's path of the same host, or at [`sso_url`](Self::sso_url).
    pub fn url(mut self, base_url: impl Into<String>) -> Self {
        self.url = Some(base_url.into());
        self
    }

    /// Single sign-on is posted here.
    pub fn sso_url(mut self, sso_url: impl Into<String>) -> Self {
        self.sso_url = Some(sso_url.into());
        self
    }

    /// The add-on is this service of the same process, with the manifest's paths. It is served on a loopback port of
    /// its own while the run lasts, so that callers can be slow, and hang up.
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<axum::extract::Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.service = Some(crate::serve::Service::new(service));
        self
    }

    /// Plays Heroku's Platform API and its token endpoint on this socket, for an add-on that was started with its address
    /// in the place of `https://api.heroku.com` and `https://id.heroku.com`, and with this client secret. Without it,
    /// what an add-on does after it has answered 202 cannot be seen.
    ///
    /// ```
    /// use std::net::TcpListener;
    ///
    /// use maitre_conformance::Suite;
    ///
    /// let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    /// let api = format!("http://{}", socket.local_addr().unwrap()); // to be given to the add-on
    /// let suite = Suite::heroku(r#"{ "id": "lantern", "api": {} }"#)?.platform(socket, "client secret");
    /// # let _ = (suite, api);
    /// # Ok::<(), maitre_conformance::CannotRun>(())
    /// ```
    pub fn platform(mut self, socket: TcpListener, client_secret: &str) -> Self {
        self.stage = Some((socket, client_secret.to_owned()));
        self
    }

    /// How long an add-on that answers 202 may take to finish; a minute if not set.
    pub fn finish_within(mut self, time: Duration) -> Self {
        self.finish_within = time;
        self
    }

    /// Plans that the add-on sells: the first is ordered, the second is changed to. `test` alone if not set, the plan
    /// that Heroku asks every add-on to begin with.
    ///
    /// Opperator has no plans; what is named here stands in a feature `plan`.
    pub fn plans<P: Into<String>>(mut self, plans: impl IntoIterator<Item = P>) -> Self {
        self.plans = plans.into_iter().map(Into::into).collect();
        self
    }

    /// Tries these checks alone: ids, or groups such as `heroku.sso`.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.only = names.into_iter().map(Into::into).collect();
        self
    }

    /// Leaves these checks out.
    pub fn skip<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.skip = names.into_iter().map(Into::into).collect();
        self
    }

    /// Tries the checks that wait for time to pass, too.
    pub fn slow(mut self, wanted: bool) -> Self {
        self.selection.slow = wanted;
        self
    }

    /// Whether another machine than this one may be called. Checks order, change and remove, some 150 times; they
    /// touch nothing but what they made.
    pub fn production(mut self, allowed: bool) -> Self {
        self.production = allowed;
        self
    }

    /// How long an answer may take; the 25 s after which Heroku counts a request as failed if not set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Called with every check before it is tried, and with what came of it.
    pub fn watch(
        mut self,
        begins: impl Fn(&'static Check) + Send + Sync + 'static,
        ends: impl Fn(&Finding) + Send + Sync + 'static,
    ) -> Self {
        self.watcher = Arc::new(Watching(begins, ends));
        self
    }

    /// Tries the checks, and removes all that was made.
    ///
    /// # Errors
    /// [`CannotRun`] when the add-on is not there, sells none of the plans, or something is missing in what was given.
    pub async fn run(self) -> Result<Report, CannotRun> {
        self.run_until(std::future::pending()).await
    }

    /// The same, until `stop` is done: then no other check is begun, what was made is removed, and the report holds
    /// what was found by then.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<Report, CannotRun> {
        let stage = self.stage.take();
        let served = match &self.service {
            Some(service) => Some(service.serve().await?),
            None => None,
        };
        let origin = served.as_ref().map(crate::serve::Served::origin);

        let named =
            Named { url: self.url.as_deref(), sso_url: self.sso_url.as_deref(), origin, production: self.production };
        let (plans, patience, selection) = (self.plans.clone(), self.patience, &self.selection);
        selection.validate(self.marketplace())?;
        match &self.who {
            Who::Heroku(given) => {
                let address = named.find(Marketplace::Heroku, Some(&given.manifest))?;
                let stage =
                    stage.map(|(socket, secret)| heroku::Stage::open(given, socket, &secret, self.finish_within));
                let subject = heroku::Subject::new(given, address, plans, patience, stage.transpose()?)?;
                run(&subject, selection, &*self.watcher, stop).await
            }
            Who::CloudControl(given) => {
                let address = named.find(Marketplace::CloudControl, Some(&given.manifest))?;
                let subject = cloudcontrol::Subject::new(given, address, plans, patience)?;
                run(&subject, selection, &*self.watcher, stop).await
            }
            Who::Opperator { shared_secret } => {
                let address = named.find(Marketplace::Opperator, None)?;
                let subject = opperator::Subject::new(&address.root, shared_secret, plans, patience)?;
                run(&subject, selection, &*self.watcher, stop).await
            }
        }
    }

    fn marketplace(&self) -> Marketplace {
        match self.who {
            Who::Heroku(_) => Marketplace::Heroku,
            Who::CloudControl(_) => Marketplace::CloudControl,
            Who::Opperator { .. } => Marketplace::Opperator,
        }
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marketplace = self.marketplace();
        f.debug_struct("Suite").field("marketplace", &marketplace).field("plans", &self.plans).finish_non_exhaustive()
    }
}
