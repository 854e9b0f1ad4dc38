//! `maitre ledger reconcile`

use std::path::PathBuf;

use clap::Args;
use maitre_core::{AddonId, Manifest};
use maitre_heroku::{Client, Difference, Platform, Reconciliation};
use maitre_ledger::{Adoption, Ledger, Operator};
use serde_json::json;

use super::act::OperatorArgs;
use super::text::{clean, optional, table, time};
use super::{CommonArgs, OutputFormat};
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Compares the ledger with Heroku's list of installs, and stores the comparison in the ledger. With --adopt and
/// --deprovision, differences that a comparison of at least 24 hours ago has found as well are resolved. The exit status
/// is 1 if there are differences
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger reconcile
  maitre ledger reconcile --deprovision --reason 'not billed'")]
pub(super) struct Reconcile {
    /// Manifest of the add-on, for its id and password
    #[arg(long, value_name = "FILE", default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    manifest: PathBuf,

    /// Address of a sandbox, in place of Heroku's API
    #[arg(long, value_name = "URL", env = "HEROKU_API")]
    api_url: Option<String>,

    /// Adopt resources that only Heroku knows
    #[arg(long, requires = "reason")]
    adopt: bool,

    /// Deprovision resources that Heroku does not know
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
        let manifest = Manifest::read(&self.manifest)?;
        let ledger = self.common.database.open().await?;
        let platform = self.platform(&manifest, &ledger)?;
        let reconciled = platform.reconcile().await?;
        let actions = match &reconciled.persisting {
            None => Actions::default(),
            Some(persisting) => self.resolve(&ledger, platform.addon(), persisting).await?,
        };
        ledger.close().await;
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
            OutputFormat::Human => print(current, persisting, &actions, palette),
        }
        Ok(if current.is_empty() { ExitStatus::Success } else { ExitStatus::ProblemsFound })
    }

    fn platform(&self, manifest: &Manifest, ledger: &Ledger) -> anyhow::Result<Platform> {
        // the list of installs needs the password only
        let client = Client::builder("not used");
        let client = match &self.api_url {
            Some(url) => client.base_url(url).no_proxy(),
            None => client,
        };
        let platform = Platform::builder(&manifest.id, client.build()?, ledger.store());
        Ok(platform.password(manifest.password()?.expose()).build())
    }

    async fn resolve(&self, ledger: &Ledger, addon: &AddonId, persisting: &Reconciliation) -> anyhow::Result<Actions> {
        let operator = ledger.operator(&self.operator.name).with_reason(self.reason.as_deref().unwrap_or_default());
        let mut actions = Actions::default();
        if self.adopt {
            for difference in &persisting.missing_in_ledger {
                if adopt(&operator, addon, difference).await? {
                    actions.adopted.push(difference.uuid.clone());
                }
            }
        }
        if self.deprovision {
            for Difference { uuid, .. } in &persisting.missing_at_heroku {
                if operator.deprovision(addon, uuid).await? {
                    actions.deprovisioned.push(uuid.clone());
                }
            }
        }
        Ok(actions)
    }
}

/// Adopts a resource. Returns whether it was adopted; one that was deprovisioned is not.
async fn adopt(operator: &Operator, addon: &AddonId, difference: &Difference) -> anyhow::Result<bool> {
    let mut adoption = Adoption::new(addon.clone(), &difference.uuid, difference.plan.as_deref().unwrap_or_default());
    if let Some(id) = &difference.provider_id {
        adoption = adoption.with_provider_id(id);
    }
    Ok(operator.adopt([adoption]).await?.adopted == 1)
}

/// One kind of differences of a comparison.
type Differences = fn(&Reconciliation) -> &Vec<Difference>;

fn print(current: &Reconciliation, persisting: Option<&Reconciliation>, actions: &Actions, palette: Palette) {
    if current.is_empty() {
        return println_ignoring_pipe!("The ledger and Heroku agree.");
    }
    let row = |what: &str, difference: &Difference, is_persisting: bool| {
        let Difference { uuid, plan, heroku_plan, .. } = difference;
        let plan = match heroku_plan {
            Some(heroku_plan) => format!("{}, at Heroku {}", optional(plan.as_deref()), clean(heroku_plan)),
            None => optional(plan.as_deref()),
        };
        let since = if is_persisting { "yes" } else { "no" };
        vec![clean(uuid), what.to_owned(), plan, since.to_owned()]
    };
    let kinds: [(&str, Differences); 3] = [
        ("only at Heroku", |all| &all.missing_in_ledger),
        ("only in the ledger", |all| &all.missing_at_heroku),
        ("other plan", |all| &all.plan_mismatch),
    ];
    let rows = kinds.into_iter().flat_map(|(what, of)| {
        of(current).iter().map(move |difference| {
            let is_persisting =
                persisting.is_some_and(|persisting| of(persisting).iter().any(|one| one.uuid == difference.uuid));
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
