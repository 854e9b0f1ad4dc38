//! `maitre ledger list`

use clap::Args;
use maitre_core::AddonId;
use maitre_ledger::{ListedResource, ResourceFilter, State};
use serde_json::{Value, json};

use super::text::{clean, optional, table, time};
use super::{CommonArgs, OutputFormat};
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Lists resources in the order of their first requests
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger list --state parked
  maitre ledger list --addon heroku/tally --plan basic --format json")]
pub(super) struct List {
    /// Add-on, with its marketplace
    #[arg(long, value_name = "MARKETPLACE/SLUG")]
    addon: Option<AddonId>,
    /// State of the resource: provisioning, provisioned, `changing_plan`, deprovisioning, deprovisioned, refused or parked
    #[arg(long)]
    state: Option<State>,
    /// Plan of the resource
    #[arg(long)]
    plan: Option<String>,
    /// Place in the list after which to start: the number in the first column
    #[arg(long, value_name = "PLACE", default_value_t = 0)]
    after: i64,
    /// Maximum number of resources
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl List {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let resources = ledger.resources(self.filter()).await?;
        ledger.close().await;
        match self.common.format {
            OutputFormat::Json => {
                let list: Vec<_> = resources.iter().map(object).collect();
                println_ignoring_pipe!("{}", json!({ "resources": list }));
            }
            OutputFormat::Human if resources.is_empty() => println_ignoring_pipe!("No resources."),
            OutputFormat::Human => {
                let header = ["place", "add-on", "key", "state", "plan", "created"];
                println_ignoring_pipe!("{}", table(&header, resources.iter().map(row)));
            }
        }
        Ok(ExitStatus::Success)
    }

    fn filter(&self) -> ResourceFilter {
        let mut filter = ResourceFilter::new().with_after(self.after).with_limit(self.limit);
        if let Some(addon) = &self.addon {
            filter = filter.with_addon(addon.clone());
        }
        if let Some(state) = self.state {
            filter = filter.with_state(state);
        }
        if let Some(plan) = &self.plan {
            filter = filter.with_plan(plan);
        }
        filter
    }
}

fn row(resource: &ListedResource) -> Vec<String> {
    let ListedResource { id, addon, key, state, plan, created_at, .. } = resource;
    vec![id.to_string(), addon.to_string(), clean(key), state.to_string(), optional(plan.as_deref()), time(*created_at)]
}

fn object(resource: &ListedResource) -> Value {
    json!({
        "place": resource.id,
        "addon": resource.addon.to_string(),
        "key": resource.key,
        "provider_id": resource.provider_id,
        "state": resource.state.as_str(),
        "plan": resource.plan,
        "created_at": time(resource.created_at),
        "updated_at": time(resource.updated_at),
    })
}
