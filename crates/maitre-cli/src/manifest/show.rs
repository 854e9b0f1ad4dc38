//! `maitre manifest show`

use std::path::Path;

use comfy_table::Table;
use maitre_core::manifest::Endpoints;
use maitre_core::{Manifest, Secret, mask_urls};
use serde_json::{Value, json};

use super::OutputFormat;
use crate::exit::ExitStatus;
use crate::output::{borderless, println_ignoring_pipe};

pub(super) fn show(file: &Path, format: OutputFormat) -> anyhow::Result<ExitStatus> {
    let manifest = Manifest::read(file)?;
    let api = &manifest.api;
    let urls = |endpoints: Option<&Endpoints>| match endpoints {
        Some(urls) => {
            let sso_url = urls.sso_url.as_deref().map(mask_urls);
            json!({ "base_url": mask_urls(&urls.base_url), "sso_url": sso_url, "legacy": urls.legacy })
        }
        None => Value::Null,
    };
    if format == OutputFormat::Json {
        let object = json!({
            "id": manifest.id,
            "name": manifest.name,
            "version": api.version,
            "password": masked(api.password.as_ref()),
            "sso_salt": masked(api.sso_salt.as_ref()),
            "config_vars_prefix": manifest.config_vars_prefix(),
            "config_vars": api.config_vars,
            "regions": api.regions,
            "requires": api.requires,
            "production": urls(api.production.as_ref()),
            "test": urls(api.test.as_ref()),
        });
        println_ignoring_pipe!("{object}");
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new();
    let join = |values: &[String]| if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    let or_none = |text: Option<&String>| text.map_or("none", String::as_str).to_owned();
    table.add_row(["id", &manifest.id]);
    table.add_row(["name", &or_none(manifest.name.as_ref())]);
    table.add_row(["version", &or_none(api.version.as_ref())]);
    table.add_row(["password", &masked(api.password.as_ref())]);
    table.add_row(["sso_salt", &masked(api.sso_salt.as_ref())]);
    table.add_row(["config vars", &join(&api.config_vars)]);
    table.add_row(["regions", &join(&api.regions)]);
    table.add_row(["requires", &join(&api.requires)]);
    for (name, endpoints) in [("production", api.production.as_ref()), ("test", api.test.as_ref())] {
        let base = endpoints.map(|urls| mask_urls(&urls.base_url));
        table.add_row([format!("{name} base_url"), or_none(base.as_ref())]);
        let sso = endpoints.and_then(|urls| urls.sso_url.as_deref()).map(mask_urls);
        table.add_row([format!("{name} sso_url"), or_none(sso.as_ref())]);
    }
    println_ignoring_pipe!("{}", borderless(&mut table));
    Ok(ExitStatus::Success)
}

fn masked(secret: Option<&Secret>) -> String {
    match secret.map(|secret| secret.expose().chars().count()) {
        None => "none".to_owned(),
        Some(0) => "empty".to_owned(),
        Some(length) => format!("set, {length} characters"),
    }
}
