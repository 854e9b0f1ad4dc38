//! `maitre manifest`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Table;
use maitre_conformance::{Level, Marketplace, lint};
use maitre_core::manifest::Endpoints;
use maitre_core::{Manifest as AddonManifest, Secret, mask_urls};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::color::Palette;
use crate::exit::{ExitStatus, Format};
use crate::output::{borderless, print_ignoring_pipe, println_ignoring_pipe};

/// Creates, validates and shows an add-on's manifest.
#[derive(Args)]
pub(crate) struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a manifest with new secrets
    #[command(after_help = "Examples:
  maitre manifest new lantern --config-var LANTERN_URL
  maitre manifest new lantern --production-url https://lantern.example
  maitre manifest new lantern --url http://localhost:8300 --output -")]
    New(New),
    /// Validate a manifest against the marketplace's rules
    #[command(after_help = "Example:
  maitre manifest lint addon-manifest.json --strict

Exit status: 0 ok, 1 problems found (with --strict also of level should), 2 could not read the manifest.")]
    Lint {
        /// Manifest of the add-on
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// Exit with status 1 also for problems of level should
        #[arg(long)]
        strict: bool,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Show a manifest without its secrets
    #[command(after_help = "Example:
  maitre manifest show addon-manifest.json --format json")]
    Show {
        /// Manifest of the add-on
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
}

#[derive(Args)]
struct New {
    /// Slug of the add-on: lower-case letters, digits and hyphens
    slug: String,
    /// Display name. Defaults to the slug
    #[arg(long)]
    name: Option<String>,
    /// Config var that the add-on sets. May be repeated
    #[arg(long = "config-var", value_name = "NAME")]
    config_vars: Vec<String>,
    /// Region where the add-on is offered. May be repeated
    #[arg(long = "region", value_name = "NAME", default_values = ["us"])]
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
    /// Marketplace of the manifest: heroku or cloudcontrol
    #[arg(long, value_name = "NAME", default_value = "heroku")]
    marketplace: Marketplace,
    /// File to create; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "addon-manifest.json")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[default]
    Human,
    Json,
}

impl Manifest {
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            Command::Lint { format: OutputFormat::Json, .. } | Command::Show { format: OutputFormat::Json, .. } => {
                Format::Json
            }
            _ => Format::Human,
        }
    }

    pub(crate) fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        match &self.command {
            Command::New(new) => new.run(),
            Command::Lint { file, strict, format } => lint_file(file, *strict, *format, palette),
            Command::Show { file, format } => {
                show(&AddonManifest::read(file)?, *format);
                Ok(ExitStatus::Success)
            }
        }
    }
}

impl New {
    fn run(&self) -> anyhow::Result<ExitStatus> {
        let manifest = self.manifest()?;
        let text = format!("{}\n", serde_json::to_string_pretty(&manifest)?);
        let error =
            lint::manifest(&serde_json::to_value(&manifest)?).into_iter().find(|finding| finding.level == Level::Must);
        if let Some(finding) = error {
            bail!("{}: {}", finding.path, finding.message);
        }
        if self.output == Path::new("-") {
            print_ignoring_pipe!("{text}");
            return Ok(ExitStatus::Success);
        }
        write_new(&self.output, &text)?;
        println_ignoring_pipe!(
            "Created {}. It contains two secrets: keep it out of version control.",
            self.output.display()
        );
        println_ignoring_pipe!("Mount the add-on at {}", manifest.api.test.base_url);
        println_ignoring_pipe!("and single sign-on at {}", manifest.api.test.sso_url);
        println_ignoring_pipe!("Then check it, with the names of its plans:\n\n    maitre check --plan basic,premium");
        Ok(ExitStatus::Success)
    }

    fn manifest(&self) -> anyhow::Result<NewManifest<'_>> {
        let (path, current) = match self.marketplace {
            Marketplace::Heroku => ("/heroku/resources", true),
            Marketplace::CloudControl => ("/cloudcontrol/resources", false),
            other => bail!("{other} has no manifest: it uses a shared secret"),
        };
        let sso_path = self.sso_path.clone().unwrap_or_else(|| format!("{path}/sso"));
        let urls = |origin: &str| {
            let origin = origin.trim_end_matches('/');
            Urls { base_url: format!("{origin}{path}"), sso_url: format!("{origin}{sso_path}") }
        };
        let slug = self.slug.as_str();
        let production = self.production_url.clone().unwrap_or_else(|| format!("https://{slug}.example"));
        Ok(NewManifest {
            id: slug,
            name: self.name.as_deref().unwrap_or(slug),
            api: NewApi {
                // cloudControl uses an older version of the format
                version: if current { "3" } else { "1" },
                password: secret(),
                sso_salt: secret(),
                config_vars_prefix: current.then(|| slug.to_uppercase().replace('-', "_")),
                config_vars: &self.config_vars,
                regions: &self.regions,
                requires: current.then_some(self.requires.as_slice()),
                production: urls(&production),
                test: urls(&self.url),
            },
        })
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
    regions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    requires: Option<&'a [String]>,
    production: Urls,
    test: Urls,
}

#[derive(Serialize)]
struct Urls {
    base_url: String,
    sso_url: String,
}

/// Returns 122 random bits in 32 characters, as Heroku's own generator does.
fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Creates a file that only its owner can read. Fails if the file exists.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = path.display();
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{name} already exists, and its secrets may be in use: rename it, or use --output")
        }
        _ => anyhow::Error::new(error).context(format!("cannot write {name}")),
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {name}"))
}

fn lint_file(file: &Path, strict: bool, format: OutputFormat, palette: Palette) -> anyhow::Result<ExitStatus> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let findings = lint::text(&text);
    let threshold = if strict { Level::Should } else { Level::Must };
    let has_problems = findings.iter().any(|finding| finding.level >= threshold);
    if format == OutputFormat::Json {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| {
                json!({
                    "path": finding.path,
                    "rule": finding.rule,
                    "level": finding.level.to_string(),
                    "message": finding.message,
                })
            })
            .collect();
        println_ignoring_pipe!(
            "{}",
            json!({ "file": file.display().to_string(), "ok": !has_problems, "findings": findings })
        );
        return Ok(if has_problems { ExitStatus::ProblemsFound } else { ExitStatus::Success });
    }
    let name = file.display().to_string();
    for finding in &findings {
        let level = match finding.level {
            Level::Must => palette.error("must  "),
            Level::Should => palette.warning("should"),
            _ => palette.dim("info  "),
        };
        println_ignoring_pipe!(
            "{level} {}: {} {}",
            palette.bold(if finding.path.is_empty() { &name } else { &finding.path }),
            finding.message,
            palette.dim(&format!("({})", finding.rule))
        );
    }
    if findings.is_empty() {
        println_ignoring_pipe!("{}", palette.success(&format!("No problems found in {}.", file.display())));
    }
    Ok(if has_problems { ExitStatus::ProblemsFound } else { ExitStatus::Success })
}

fn show(manifest: &AddonManifest, format: OutputFormat) {
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
        return;
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
}

fn masked(secret: Option<&Secret>) -> String {
    match secret.map(|secret| secret.expose().chars().count()) {
        None => "none".to_owned(),
        Some(0) => "empty".to_owned(),
        Some(length) => format!("set, {length} characters"),
    }
}
