//! `maitre ledger reconcile`

use anyhow::bail;
use clap::Args;
use maitre_conformance::Marketplace;
use maitre_core::AddonId;
use maitre_ledger::{Adoption, Ledger, Operator};
use maitre_platform::{self as platform, Difference, Reconciliation};
use maitre_scalingo::JsonClientBuilder;
use serde_json::json;
use {maitre_clevercloud as clevercloud, maitre_heroku as heroku, maitre_scalingo as scalingo};

use super::act::OperatorArgs;
use super::text::{clean, optional, table, time};
use super::{CommonArgs, OutputFormat};
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;
use crate::target_args::MarketplaceArgs;

/// Compares the ledger with the list of a marketplace (heroku, clevercloud or scalingo), and stores the comparison in the
/// ledger. With --adopt and --deprovision, differences that a comparison of at least 24 hours ago has found as well are
/// resolved. The exit status is 1 if there are differences
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger reconcile
  maitre ledger reconcile --deprovision --reason 'not billed'
  maitre ledger reconcile --marketplace scalingo --manifest scalingo.json")]
pub(super) struct Reconcile {
    #[command(flatten)]
    marketplace_args: MarketplaceArgs,

    /// Address of the marketplace's API, such as a sandbox's. Defaults to the environment (`HEROKU_API`, `CLEVERCLOUD_API`,
    /// `SCALINGO_API`), and then to the marketplace's own
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,

    /// Region of Scalingo's API
    #[arg(long, value_name = "REGION", default_value = "osc-fr1")]
    region: String,

    /// Adopt resources that only the marketplace knows
    #[arg(long, requires = "reason")]
    adopt: bool,

    /// Deprovision resources that the marketplace does not know
    #[arg(long, requires = "reason")]
    deprovision: bool,

    /// Reason of the actions, for the timelines
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Actions on the differences that persist.
#[derive(Default)]
struct Actions {
    adopted: Vec<String>,
    deprovisioned: Vec<String>,
}

impl Reconcile {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let (manifest, password, _) = self.marketplace_args.read_manifest()?;
        let ledger = self.common.database.open().await?;
        let status = match self.marketplace_args.marketplace {
            Marketplace::Heroku => {
                // the list of installs needs the password only
                let client = heroku::Client::builder("not used");
                let client = match self.api_url("HEROKU_API") {
                    Some(url) => client.base_url(&url).no_proxy(),
                    None => client,
                };
                let platform = heroku::Platform::builder(&manifest.id, client.build()?, ledger.store());
                self.reconcile(&ledger, &platform.password(password).build(), palette).await
            }
            Marketplace::CleverCloud => {
                let http = self.at_api_url(clevercloud::connect(), "CLEVERCLOUD_API").build()?;
                let client = clevercloud::Client::new(&manifest.id, password, http);
                self.reconcile(&ledger, &clevercloud::Platform::new(client, ledger.store()), palette).await
            }
            Marketplace::Scalingo => {
                let http = self.at_api_url(scalingo::region(&self.region), "SCALINGO_API").build()?;
                let client = scalingo::Client::new(&manifest.id, password, http);
                self.reconcile(&ledger, &scalingo::Platform::new(client, ledger.store()), palette).await
            }
            other => bail!("{} has no list of resources for vendors", other.title()),
        };
        ledger.close().await;
        status
    }

    fn api_url(&self, variable: &str) -> Option<String> {
        self.api_url.clone().or_else(|| std::env::var(variable).ok())
    }

    fn at_api_url(&self, http: JsonClientBuilder, variable: &str) -> JsonClientBuilder {
        match self.api_url(variable) {
            Some(url) => http.url(&url).no_proxy(),
            None => http,
        }
    }

    async fn reconcile(
        &self,
        ledger: &Ledger,
        platform: &impl platform::Reconcile,
        palette: Palette,
    ) -> anyhow::Result<ExitStatus> {
        let reconciled = platform.reconcile().await?;
        let actions = match &reconciled.persisting {
            None => Actions::default(),
            Some(persisting) => self.resolve(ledger, platform.addon(), persisting).await?,
        };
        let (current, persisting) = (&reconciled.current, reconciled.persisting.as_ref());
        match self.common.format {
            OutputFormat::Json => {
                let object = json!({
                    "current": current,
                    "persisting": persisting,
                    "adopted": actions.adopted,
                    "deprovisioned": actions.deprovisioned,
                });
                println_ignoring_pipe!("{object}");
            }
            OutputFormat::Human => {
                print(self.marketplace_args.marketplace.title(), current, persisting, &actions, palette);
            }
        }
        Ok(if current.is_empty() { ExitStatus::Success } else { ExitStatus::ProblemsFound })
    }

    async fn resolve(&self, ledger: &Ledger, addon: &AddonId, persisting: &Reconciliation) -> anyhow::Result<Actions> {
        let operator = ledger.operator(&self.operator.name).with_reason(self.reason.as_deref().unwrap_or_default());
        let mut actions = Actions::default();
        if self.adopt {
            for difference in &persisting.missing_in_ledger {
                if adopt(&operator, addon, difference).await? {
                    actions.adopted.push(difference.key.clone());
                }
            }
        }
        if self.deprovision {
            for Difference { key, .. } in &persisting.missing_at_marketplace {
                if operator.deprovision(addon, key).await? {
                    actions.deprovisioned.push(key.clone());
                }
            }
        }
        Ok(actions)
    }
}

/// Adopts a resource. Returns whether it was adopted; one that was deprovisioned is not.
async fn adopt(operator: &Operator, addon: &AddonId, difference: &Difference) -> anyhow::Result<bool> {
    let mut adoption = Adoption::new(addon.clone(), &difference.key, difference.plan.as_deref().unwrap_or_default());
    if let Some(id) = &difference.provider_id {
        adoption = adoption.with_provider_id(id);
    }
    Ok(operator.adopt([adoption]).await?.adopted == 1)
}

/// One kind of differences of a comparison.
type Differences = fn(&Reconciliation) -> &Vec<Difference>;

fn print(
    marketplace: &str,
    current: &Reconciliation,
    persisting: Option<&Reconciliation>,
    actions: &Actions,
    palette: Palette,
) {
    if current.is_empty() {
        return println_ignoring_pipe!("The ledger and {marketplace} agree.");
    }
    let only_there = format!("only at {marketplace}");
    let row = |what: &str, difference: &Difference, is_persisting: bool| {
        let Difference { key, plan, marketplace_plan, .. } = difference;
        let plan = match marketplace_plan {
            Some(other) => format!("{}, at {marketplace} {}", optional(plan.as_deref()), clean(other)),
            None => optional(plan.as_deref()),
        };
        let since = if is_persisting { "yes" } else { "no" };
        vec![clean(key), what.to_owned(), plan, since.to_owned()]
    };
    let kinds: [(&str, Differences); 3] = [
        (&only_there, |all| &all.missing_in_ledger),
        ("only in the ledger", |all| &all.missing_at_marketplace),
        ("other plan", |all| &all.plan_mismatch),
    ];
    let rows = kinds.into_iter().flat_map(|(what, of)| {
        of(current).iter().map(move |difference| {
            let is_persisting =
                persisting.is_some_and(|persisting| of(persisting).iter().any(|one| one.key == difference.key));
            row(what, difference, is_persisting)
        })
    });
    println_ignoring_pipe!("{}", table(&["key", "difference", "plan", "for 24 hours"], rows));
    for (done, keys) in [("adopted", &actions.adopted), ("deprovision requested", &actions.deprovisioned)] {
        for key in keys {
            println_ignoring_pipe!("{} {}", palette.success(done), clean(key));
        }
    }
    if persisting.is_none() {
        let at = time(current.compared_at);
        println_ignoring_pipe!("This is the first comparison, of {at}: compare again after 24 hours.");
    }
}
