use std::fmt;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::address::{Address, AddressOptions, check_url};
use crate::basic::{self, BasicMarketplace};
use crate::check::{Case, Check};
use crate::error::SetupError;
use crate::heroku::{self, FakePlatform, TargetOptions};
use crate::manifest_input::ManifestInput;
use crate::marketplace::Marketplace;
use crate::osb;
use crate::quicknode::{self, Secrets};
use crate::registry::checks;
use crate::report::{CheckResult, Report};
use crate::run::Observer;
use crate::schedule::run;
use crate::select::Selection;
use crate::serve::{ServedService, Service};
use crate::subject::{Credentials, Subject, SubjectSource};
use crate::vercel::{self, Integration};

/// Plan that Heroku asks every add-on to start with.
const DEFAULT_PLAN: &str = "test";

/// Default time for an asynchronous operation to complete. Heroku waits twelve hours.
const ASYNC_TIMEOUT: Duration = Duration::from_mins(1);

/// Default number of checks that run concurrently.
const JOBS: usize = 8;

/// Conformance suite for one add-on.
///
/// ```
/// use axum::Router;
/// use maitre_conformance::{Level, Suite};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), maitre_conformance::SetupError> {
/// // A vendor's own app would pass; this one answers every request with the same text.
/// let app: Router = Router::new().fallback(|| async { "OK" });
/// let manifest = r#"{ "id": "lantern", "api": { "password": "s3cr3t-example", "sso_salt": "0f1e2d3c4b5a6978",
///     "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" } } }"#;
///
/// let suite = Suite::builder(manifest).plans(["basic", "premium"]).only(["provision"]).service(app).build()?;
/// let report = suite.run().await?;
/// assert!(!report.is_conformant(false));
/// assert_eq!(report.failed(Level::Must).next().unwrap().check.id, "heroku.provision.json");
/// # Ok(())
/// # }
/// ```
#[must_use = "a suite does nothing until it is run"]
pub struct Suite {
    subject: Subject,
    options: Options,
}

/// Builder of a [`Suite`].
///
/// Without [`url`](Self::url) or [`service`](Self::service), the suite calls the manifest's `api.test` addresses.
#[must_use = "a builder does nothing until it is built"]
pub struct SuiteBuilder {
    subject: SubjectSource,
    options: Options,
}

struct Options {
    url: Option<String>,
    sso_url: Option<String>,
    webhook_url: Option<String>,
    service: Option<Service>,
    platform: Option<(TcpListener, String)>,
    async_timeout: Duration,
    plans: Vec<String>,
    provision_fields: Vec<(String, String)>,
    jobs: usize,
    selection: Selection,
    allow_remote: bool,
    timeout: Option<Duration>,
    observer: Observer,
}

impl Suite {
    /// Begins a suite for Heroku's contract from the text of the add-on's manifest.
    pub fn builder(manifest: impl Into<String>) -> SuiteBuilder {
        Self::builder_for(Marketplace::Heroku, manifest)
    }

    /// Begins a suite for a marketplace's contract from the text of the add-on's manifest. See
    /// [`parse_manifest`](crate::parse_manifest) for its form.
    ///
    /// ```
    /// use maitre_conformance::{Marketplace, Suite};
    ///
    /// let settings = r#"{ "app_slug": "tamarind", "password": "s3cr3t-example", "salt": "kelp-salt" }"#;
    /// let suite = Suite::builder_for(Marketplace::DigitalOcean, settings).only(["notifications"]);
    /// assert_eq!(suite.checks()?[0].id, "digitalocean.notifications.suspended");
    /// # Ok::<(), maitre_conformance::SetupError>(())
    /// ```
    pub fn builder_for(marketplace: Marketplace, manifest: impl Into<String>) -> SuiteBuilder {
        SuiteBuilder::new(SubjectSource::ManifestText(marketplace, manifest.into()))
    }

    /// Begins a suite for Heroku's contract from the add-on's manifest file.
    pub fn builder_from_file(path: impl AsRef<Path>) -> SuiteBuilder {
        Self::builder_from_file_for(Marketplace::Heroku, path)
    }

    /// Begins a suite for a marketplace's contract from the add-on's manifest file.
    pub fn builder_from_file_for(marketplace: Marketplace, path: impl AsRef<Path>) -> SuiteBuilder {
        SuiteBuilder::new(SubjectSource::ManifestFile(marketplace, path.as_ref().to_owned()))
    }

    /// Begins a suite for the Open Service Broker API, with the Basic credentials that the broker accepts. It has no
    /// manifest: services and plans are taken from its catalog.
    ///
    /// ```
    /// use axum::Router;
    /// use maitre_conformance::Suite;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), maitre_conformance::SetupError> {
    /// let app = Router::new(); // a vendor's own broker
    /// let suite = Suite::broker("tally", "development-only-password").service(app).build()?;
    /// let error = suite.run().await.unwrap_err();
    /// assert!(error.to_string().contains("/v2/catalog"), "{error}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn broker(user: impl Into<String>, password: impl Into<String>) -> SuiteBuilder {
        let (user, password) = (user.into(), password.into());
        SuiteBuilder::new(SubjectSource::Broker(Credentials { user, password }))
    }

    /// Begins a suite for QuickNode's provisioning APIs, with the Basic credentials that QuickNode issued and the vendor's
    /// JWT secret. It has no manifest.
    ///
    /// ```
    /// use maitre_conformance::Suite;
    ///
    /// let suite = Suite::quicknode("tally", "development-only-password", "development-only-jwt-secret");
    /// assert!(suite.only(["sso"]).checks()?.iter().all(|check| check.id.starts_with("quicknode.sso.")));
    /// # Ok::<(), maitre_conformance::SetupError>(())
    /// ```
    pub fn quicknode(
        user: impl Into<String>,
        password: impl Into<String>,
        jwt_secret: impl Into<String>,
    ) -> SuiteBuilder {
        let secrets = Secrets { user: user.into(), password: password.into(), jwt_secret: jwt_secret.into() };
        SuiteBuilder::new(SubjectSource::QuickNode(secrets))
    }

    /// Begins a suite for an integration at Vercel, with its id (`oac_…`) and the slug of its product. It has no manifest:
    /// plans are taken from its lists.
    ///
    /// The suite owns Vercel's side, so a [`platform`](SuiteBuilder::platform) is required: the add-on must be started with
    /// its address as issuer, source of keys and API.
    ///
    /// ```
    /// use maitre_conformance::Suite;
    ///
    /// let suite = Suite::vercel("oac_lantern", "lantern");
    /// assert!(suite.only(["webhook"]).checks()?.iter().all(|check| check.id.starts_with("vercel.webhook.")));
    /// # Ok::<(), maitre_conformance::SetupError>(())
    /// ```
    pub fn vercel(integration: impl Into<String>, product: impl Into<String>) -> SuiteBuilder {
        SuiteBuilder::new(SubjectSource::Vercel(Integration { id: integration.into(), product: product.into() }))
    }

    /// Runs the checks and removes all created resources.
    ///
    /// # Errors
    /// Returns an error if the add-on is unreachable, sells none of the plans, or an option is missing or invalid.
    pub async fn run(self) -> Result<Report, SetupError> {
        self.run_until(std::future::pending()).await
    }

    /// Runs the checks until `stop` completes. Then no further check starts, the created resources are removed, and the
    /// report contains the results so far.
    ///
    /// # Errors
    /// Returns an error under the same conditions as [`run`](Self::run).
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<Report, SetupError> {
        let Self { subject, options } = self;
        let served = match &options.service {
            Some(service) => Some(service.serve().await?),
            None => None,
        };
        let address = AddressOptions {
            url: options.url.as_deref(),
            sso_url: options.sso_url.as_deref(),
            origin: served.as_ref().map(ServedService::origin),
            allow_remote: options.allow_remote,
        };
        match subject {
            Subject::Heroku(manifest) => {
                let address = address.resolve(Marketplace::Heroku, Some(&manifest.manifest))?;
                let platform = options
                    .platform
                    .map(|(socket, secret)| FakePlatform::start(&manifest, socket, &secret, options.async_timeout));
                let plans = plans_or_default(options.plans);
                let target_options = TargetOptions {
                    plans,
                    options: options.provision_fields,
                    timeout: options.timeout.unwrap_or(heroku::TIMEOUT),
                    allow_remote: options.allow_remote,
                };
                let target = heroku::Target::new(&manifest, address, target_options, platform.transpose()?)?;
                let cases = heroku::GROUPS.iter().copied().flatten();
                run(&target, cases, &options.selection, options.jobs, &options.observer, stop).await
            }
            Subject::QuickNode(secrets) => {
                let address = address.resolve(Marketplace::QuickNode, None)?;
                let timeout = options.timeout.unwrap_or(quicknode::TIMEOUT);
                let target = quicknode::Target::new(&secrets, &address.root, options.plans, timeout);
                run(
                    &target,
                    quicknode::GROUPS.iter().copied().flatten(),
                    &options.selection,
                    options.jobs,
                    &options.observer,
                    stop,
                )
                .await
            }
            Subject::Vercel(integration) => {
                let address = address.resolve(Marketplace::Vercel, None)?;
                let (socket, client_secret) = options.platform.ok_or_else(vercel::no_platform)?;
                let allow_remote = options.allow_remote;
                let target_options = vercel::TargetOptions {
                    sso_url: address.sso,
                    webhook_url: options.webhook_url.map(|url| check_url(&url, allow_remote)).transpose()?,
                    plans: options.plans,
                    metadata: options.provision_fields,
                    timeout: options.timeout.unwrap_or(vercel::TIMEOUT),
                    async_timeout: options.async_timeout,
                };
                let target =
                    vercel::Target::start(&integration, &client_secret, socket, &address.root, target_options)?;
                let cases = vercel::GROUPS.iter().copied().flatten();
                run(&target, cases, &options.selection, options.jobs, &options.observer, stop).await
            }
            Subject::Broker(credentials) => {
                let address = address.resolve(Marketplace::OpenServiceBroker, None)?;
                let timeout = options.timeout.unwrap_or(osb::TIMEOUT);
                let target =
                    osb::Target::new(&credentials, &address.root, options.plans, timeout, options.async_timeout);
                let cases = osb::GROUPS.iter().copied().flatten();
                run(&target, cases, &options.selection, options.jobs, &options.observer, stop).await
            }
            Subject::Basic(marketplace, manifest) => {
                let address = address.resolve(marketplace, Some(&manifest.manifest))?;
                match marketplace {
                    Marketplace::CleverCloud => {
                        run_basic(&basic::CLEVERCLOUD, &manifest, &address, options, stop).await
                    }
                    Marketplace::Scalingo => run_basic(&basic::SCALINGO, &manifest, &address, options, stop).await,
                    _ => run_basic(&basic::DIGITALOCEAN, &manifest, &address, options, stop).await,
                }
            }
        }
    }
}

/// Runs the checks of a marketplace with Basic credentials and a signed sign-on.
async fn run_basic<M: BasicMarketplace>(
    cases: &'static [Case<basic::Target<M>>],
    manifest: &ManifestInput,
    address: &Address,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<Report, SetupError> {
    let target_options = basic::TargetOptions {
        plans: plans_or_default(options.plans),
        options: options.provision_fields,
        timeout: options.timeout.unwrap_or(basic::TIMEOUT),
    };
    let target = basic::Target::new(manifest, address, target_options)?;
    run(&target, cases.iter(), &options.selection, options.jobs, &options.observer, stop).await
}

fn plans_or_default(plans: Vec<String>) -> Vec<String> {
    if plans.is_empty() { vec![DEFAULT_PLAN.to_owned()] } else { plans }
}

impl SuiteBuilder {
    fn new(subject: SubjectSource) -> Self {
        let options = Options {
            url: None,
            sso_url: None,
            webhook_url: None,
            service: None,
            platform: None,
            async_timeout: ASYNC_TIMEOUT,
            plans: Vec::new(),
            provision_fields: Vec::new(),
            jobs: JOBS,
            selection: Selection::default(),
            allow_remote: false,
            timeout: None,
            observer: Observer::default(),
        };
        Self { subject, options }
    }

    /// Sets the URL that provision requests are posted to, with or without its usual end (`/heroku/resources`); for a
    /// broker, the URL above `/v2`. Single sign-on uses the manifest's path on the same host, or
    /// [`sso_url`](Self::sso_url).
    pub fn url(mut self, base_url: impl Into<String>) -> Self {
        self.options.url = Some(base_url.into());
        self
    }

    /// Sets the URL that single sign-on forms are posted to.
    pub fn sso_url(mut self, sso_url: impl Into<String>) -> Self {
        self.options.sso_url = Some(sso_url.into());
        self
    }

    /// Sets the URL of an integration's webhooks. Defaults to `/webhooks` below the base URL.
    pub fn webhook_url(mut self, webhook_url: impl Into<String>) -> Self {
        self.options.webhook_url = Some(webhook_url.into());
        self
    }

    /// Checks a service of this process, at the manifest's paths. The suite serves it on its own loopback port, because
    /// slow callers and callers that hang up need a network.
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<axum::extract::Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.options.service = Some(Service::new(service));
        self
    }

    /// Serves the marketplace's own side on this socket: a fake Heroku Platform API and token endpoint, or Vercel's keys,
    /// token endpoint and API. Start the add-on with the socket's address in place of `https://api.heroku.com` and
    /// `https://id.heroku.com`, or of `https://marketplace.vercel.com` and `https://api.vercel.com`, and with this client
    /// secret. Without it, the suite cannot see what an add-on for Heroku does after it answers 202.
    ///
    /// ```
    /// use std::net::TcpListener;
    ///
    /// use maitre_conformance::Suite;
    ///
    /// let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    /// let api = format!("http://{}", socket.local_addr().unwrap()); // pass this address to the add-on
    /// let suite = Suite::builder(r#"{ "id": "lantern", "api": {} }"#).platform(socket, "client secret").build()?;
    /// # let _ = (suite, api);
    /// # Ok::<(), maitre_conformance::SetupError>(())
    /// ```
    pub fn platform(mut self, socket: TcpListener, client_secret: &str) -> Self {
        self.options.platform = Some((socket, client_secret.to_owned()));
        self
    }

    /// Sets how long an asynchronous operation may take to complete. Defaults to one minute.
    pub fn async_timeout(mut self, timeout: Duration) -> Self {
        self.options.async_timeout = timeout;
        self
    }

    /// Sets the plans that the add-on sells: the first to provision, the second to change to. Defaults to `test`, the
    /// plan that Heroku asks every add-on to start with; for a broker, to plans of its catalog.
    pub fn plans<P: Into<String>>(mut self, plans: impl IntoIterator<Item = P>) -> Self {
        self.options.plans = plans.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an option to every provision, for an add-on that needs one.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.provision_fields.push((key.into(), value.into()));
        self
    }

    /// Sets how many checks may run concurrently. Defaults to 8. The outcome does not depend on it.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.options.jobs = jobs.max(1);
        self
    }

    /// Runs only these checks: ids, or groups such as `heroku.sso`.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.options.selection.only = names.into_iter().map(Into::into).collect();
        self
    }

    /// Skips these checks: ids or groups.
    pub fn skip<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.options.selection.skip = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether to run the checks that wait for time to pass, too. Defaults to false.
    pub fn slow(mut self, include: bool) -> Self {
        self.options.selection.slow = include;
        self
    }

    /// Sets whether the suite may call another machine. Defaults to false. The checks provision, change and deprovision
    /// about 150 resources there; they touch only resources that they created.
    pub fn allow_remote(mut self, allowed: bool) -> Self {
        self.options.allow_remote = allowed;
        self
    }

    /// Sets the timeout of one request. Defaults to the time after which the marketplace counts a request as failed: 25 s
    /// for Heroku, 60 s for a broker.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sets a callback that is called before each check, and a second time for a check that runs again.
    pub fn on_start(mut self, callback: impl Fn(&'static Check) + Send + Sync + 'static) -> Self {
        self.options.observer.on_start = Box::new(callback);
        self
    }

    /// Sets a callback that is called with the result of each check, in the order of completion.
    pub fn on_result(mut self, callback: impl Fn(&CheckResult) + Send + Sync + 'static) -> Self {
        self.options.observer.on_result = Box::new(callback);
        self
    }

    /// Returns the selected checks, in the order of the report.
    ///
    /// # Errors
    /// Returns an error if [`only`](Self::only) or [`skip`](Self::skip) name an unknown check.
    ///
    /// ```
    /// use maitre_conformance::Suite;
    ///
    /// let checks = Suite::builder(r#"{ "id": "lantern", "api": {} }"#).only(["config"]).skip(["config.urls"]).checks()?;
    /// assert_eq!(checks[0].id, "heroku.config.object");
    /// assert!(checks.iter().all(|check| check.group() == "heroku.config" && check.id != "heroku.config.urls"));
    /// # Ok::<(), maitre_conformance::SetupError>(())
    /// ```
    pub fn checks(&self) -> Result<Vec<&'static Check>, SetupError> {
        let (selection, marketplace) = (&self.options.selection, self.subject.marketplace());
        selection.validate(marketplace, || checks(marketplace))?;
        Ok(checks(marketplace).filter(|check| selection.includes(check)).collect())
    }

    /// Reads the manifest and builds the suite.
    ///
    /// # Errors
    /// Returns an error if the manifest cannot be read, or if [`only`](Self::only) or [`skip`](Self::skip) name an unknown
    /// check.
    pub fn build(self) -> Result<Suite, SetupError> {
        self.checks()?;
        Ok(Suite { subject: self.subject.read()?, options: self.options })
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("plans", &self.options.plans).finish_non_exhaustive()
    }
}

impl fmt::Debug for SuiteBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiteBuilder").field("plans", &self.options.plans).finish_non_exhaustive()
    }
}
