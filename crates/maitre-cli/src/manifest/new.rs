//! `maitre manifest new`

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use maitre_conformance::{Level, Marketplace, lint};
use serde::Serialize;
use uuid::Uuid;

use super::file;
use super::own_forms::{CleverCloudApi, CleverCloudManifest, ScalingoManifest, ScalingoPlan, Urls};
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::{print_ignoring_pipe, println_ignoring_pipe, quoted};

/// File that the other commands read by default.
const DEFAULT_FILE: &str = "addon-manifest.json";

#[derive(Args)]
pub(super) struct New {
    /// Slug of the add-on: lower-case letters, digits and hyphens
    slug: String,
    /// Display name. Defaults to the slug
    #[arg(long)]
    name: Option<String>,
    /// Config var that the add-on sets. May be repeated. Clever Cloud and Scalingo require one, by default the slug and "URL"
    #[arg(long = "config-var", value_name = "NAME")]
    config_vars: Vec<String>,
    /// Region where the add-on is offered. May be repeated. Defaults to us, at Clever Cloud to eu
    #[arg(long = "region", value_name = "NAME")]
    regions: Vec<String>,
    #[arg(
        long = "requires",
        value_name = "FEATURE",
        help = "Heroku feature that the add-on requires, such as many_per_app. May be repeated"
    )]
    requires: Vec<String>,
    /// Origin of the add-on during development
    #[arg(long, value_name = "ORIGIN", default_value = "http://localhost:8300")]
    url: String,
    #[arg(long, value_name = "ORIGIN", help = "Origin of the add-on in production. Defaults to https://SLUG.example")]
    production_url: Option<String>,
    /// Path of single sign-on. Defaults to a path below the resources
    #[arg(long, value_name = "PATH")]
    sso_path: Option<String>,
    /// Marketplace of the manifest: heroku, clevercloud, scalingo or cloudcontrol
    #[arg(long, value_name = "NAME", default_value = "heroku")]
    marketplace: Marketplace,
    #[arg(
        long = "plan",
        value_name = "NAME[=CENTS]",
        value_delimiter = ',',
        default_value = "test",
        env = "MAITRE_PLANS",
        help = "Plan of the add-on, for the printed commands only, as a manifest does not list plans. May be repeated"
    )]
    plans: Vec<String>,
    /// File to create; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = DEFAULT_FILE)]
    output: PathBuf,
}

impl New {
    pub(super) fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let (text, urls) = self.text()?;
        let error = lint::text_for(self.marketplace, &text).into_iter().find(|finding| finding.level == Level::Must);
        if let Some(finding) = error {
            bail!("{}: {}", finding.path, finding.message);
        }
        if self.output == Path::new("-") {
            print_ignoring_pipe!("{text}");
            return Ok(ExitStatus::Success);
        }
        file::create(&self.output, &text)?;
        println_ignoring_pipe!(
            "Created {}. It contains two secrets: keep it out of version control.",
            self.output.display()
        );
        file::warn_if_committable(&self.output, palette);
        println_ignoring_pipe!("Mount the add-on at {}", urls.base_url);
        println_ignoring_pipe!("and single sign-on at {}", urls.sso_url);
        println_ignoring_pipe!("\n{}", self.next_steps());
        Ok(ExitStatus::Success)
    }

    /// Returns the commands that fit this manifest.
    fn next_steps(&self) -> String {
        let file = self.output.to_string_lossy();
        let manifest =
            if file == DEFAULT_FILE { String::new() } else { format!(" --manifest {}", quoted_if_needed(&file)) };
        let names: Vec<_> = self.plans.iter().map(|plan| plan.split('=').next().unwrap_or_default()).collect();
        let check = format!("maitre check{manifest} --plan {}", names.join(","));
        if self.marketplace != Marketplace::Heroku {
            return format!("When it is running, check it:\n\n    {check} --marketplace {}", self.marketplace);
        }
        let plans: Vec<_> = self.plans.iter().map(|plan| format!(" --plan {plan}")).collect();
        format!(
            "When it is running, try it in a local marketplace, and check it:\n\n    maitre sandbox{manifest}{}\n    \
             {check}",
            plans.concat()
        )
    }

    /// Returns the manifest and its addresses during development.
    fn text(&self) -> anyhow::Result<(String, Urls)> {
        let path = match self.marketplace {
            Marketplace::Heroku | Marketplace::CloudControl | Marketplace::CleverCloud | Marketplace::Scalingo => {
                format!("/{}/resources", self.marketplace)
            }
            Marketplace::DigitalOcean => bail!("DigitalOcean has no manifest: its portal shows the app's secrets"),
            other => bail!("{other} has no manifest: it uses a shared secret"),
        };
        let default_sso_path = match self.marketplace {
            Marketplace::CleverCloud | Marketplace::Scalingo => format!("/{}/sso", self.marketplace),
            _ => format!("{path}/sso"),
        };
        let sso_path = self.sso_path.clone().unwrap_or(default_sso_path);
        let urls = |origin: &str| {
            let origin = origin.trim_end_matches('/');
            Urls { base_url: format!("{origin}{path}"), sso_url: format!("{origin}{sso_path}") }
        };
        let production = self.production_url.clone().unwrap_or_else(|| format!("https://{}.example", self.slug));
        let (production, local) = (urls(&production), urls(&self.url));
        let text = match self.marketplace {
            Marketplace::CleverCloud => serde_json::to_string_pretty(&self.clevercloud(production, local.clone()))?,
            Marketplace::Scalingo => serde_json::to_string_pretty(&self.scalingo(production, local.clone()))?,
            _ => serde_json::to_string_pretty(&self.heroku(production, local.clone()))?,
        };
        Ok((format!("{text}\n"), local))
    }

    fn config_vars_prefix(&self) -> String {
        self.slug.to_uppercase().replace('-', "_")
    }

    /// Returns the config vars for a marketplace that requires at least one.
    fn required_config_vars(&self) -> Vec<String> {
        if self.config_vars.is_empty() {
            vec![format!("{}_URL", self.config_vars_prefix())]
        } else {
            self.config_vars.clone()
        }
    }

    fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.slug)
    }

    /// Returns the manifest for Heroku or cloudControl, which uses an older version of the format.
    fn heroku(&self, production: Urls, test: Urls) -> NewManifest<'_> {
        let current = self.marketplace == Marketplace::Heroku;
        NewManifest {
            id: &self.slug,
            name: self.display_name(),
            api: NewApi {
                version: if current { "3" } else { "1" },
                password: secret(),
                sso_salt: secret(),
                config_vars_prefix: current.then(|| self.config_vars_prefix()),
                config_vars: &self.config_vars,
                regions: self.regions("us"),
                requires: current.then_some(self.requires.as_slice()),
                production,
                test,
            },
        }
    }

    fn clevercloud(&self, production: Urls, test: Urls) -> CleverCloudManifest<'_> {
        // Clever Cloud advises at least 35 characters
        let long_secret = || format!("{}{}", secret(), &secret()[..8]);
        CleverCloudManifest {
            id: &self.slug,
            name: self.display_name(),
            api: CleverCloudApi {
                config_vars: self.required_config_vars(),
                regions: self.regions("eu"),
                password: long_secret(),
                sso_salt: long_secret(),
                production,
                test,
            },
        }
    }

    fn scalingo(&self, production: Urls, test: Urls) -> ScalingoManifest<'_> {
        let name = self.display_name();
        let origin = production.base_url.trim_end_matches("/scalingo/resources");
        ScalingoManifest {
            name,
            username: &self.slug,
            password: secret(),
            sso_salt: secret(),
            logo_url: format!("{origin}/logo.png"),
            short_description: format!("{name} as an add-on."),
            description: format!("{name} as an add-on."),
            log_drain: false,
            config_vars: self.required_config_vars(),
            plans: self.plans.iter().map(|plan| ScalingoPlan::parse(plan)).collect(),
            production,
            test,
        }
    }

    fn regions(&self, default: &str) -> Vec<String> {
        if self.regions.is_empty() { vec![default.to_owned()] } else { self.regions.clone() }
    }
}

/// New manifest, with its fields in the order of Heroku's documentation.
#[derive(Serialize)]
struct NewManifest<'a> {
    id: &'a str,
    name: &'a str,
    api: NewApi<'a>,
}

#[derive(Serialize)]
struct NewApi<'a> {
    version: &'a str,
    password: String,
    sso_salt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_vars_prefix: Option<String>,
    config_vars: &'a [String],
    regions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires: Option<&'a [String]>,
    production: Urls,
    test: Urls,
}

/// Returns 122 random bits in 32 characters, as Heroku's own generator does.
fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Quotes a file name for a shell unless it consists of harmless characters.
fn quoted_if_needed(file: &str) -> String {
    let is_harmless = |letter: char| letter.is_ascii_alphanumeric() || "./_-".contains(letter);
    if file.chars().all(is_harmless) { file.to_owned() } else { quoted(file) }
}
