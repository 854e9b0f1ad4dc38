//! Creating installs.

use std::collections::BTreeMap;

use super::{super::state::addon::NewAddon, install::Install, platform::Platform};

/// Builder of an [`Install`]: see [`Platform::install_builder`].
///
/// ```
/// use maitre_testkit::platform::Platform;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let install = platform
///     .install_builder("premium")
///     .app("shop")
///     .name("tally-shop")
///     .region("amazon-web-services::eu-west-1")
///     .option("retention", "7d")
///     .create();
/// assert_eq!((install.name().as_str(), install.plan().as_str()), ("tally-shop", "premium"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "an install is created with create()"]
pub struct InstallBuilder {
    platform: Platform,
    plan: String,
    app: Option<String>,
    name: Option<String>,
    attached_as: Option<String>,
    region: String,
    options: BTreeMap<String, String>,
}

impl InstallBuilder {
    pub(super) fn new(platform: Platform, plan: &str) -> Self {
        Self {
            platform,
            plan: plan.to_owned(),
            app: None,
            name: None,
            attached_as: None,
            region: "amazon-web-services::us-east-1".to_owned(),
            options: BTreeMap::new(),
        }
    }

    /// Sets the app, which is created if it does not exist. Defaults to a new app.
    pub fn app(mut self, name: &str) -> Self {
        self.app = Some(name.to_owned());
        self
    }

    /// Sets the name. Defaults to a generated name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Sets the name of the attachment, which prefixes the config vars in the app. Defaults to the add-on's prefix, with
    /// a suffix if another attachment of the app has that name.
    pub fn attached_as(mut self, name: &str) -> Self {
        self.attached_as = Some(name.to_owned());
        self
    }

    /// Sets the region, as a provision request names it.
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// Adds an option of the command line.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Creates the install: it is `provisioning`, and has its first grant. The vendor is not called yet: send
    /// [`Heroku::provision`](crate::Heroku::provision) for that.
    #[must_use]
    pub fn create(self) -> Install {
        let Self { platform, plan, app, name, attached_as, region, options } = self;
        let uuid = platform.state().create_addon(NewAddon { plan, app, name, attached_as, region, options });
        Install::new(platform, uuid)
    }
}

impl Platform {
    /// Creates an install on this plan, a bare name such as `basic`, as a customer does.
    #[must_use]
    pub fn install(&self, plan: &str) -> Install {
        self.install_builder(plan).create()
    }

    /// Returns a builder of an install on this plan.
    pub fn install_builder(&self, plan: &str) -> InstallBuilder {
        InstallBuilder::new(self.clone(), plan)
    }
}
