//! `maitre manifest`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Table;
use maitre_conformance::Marketplace;
use maitre_core::manifest::{Endpoints, Level, lint};
use maitre_core::{ExposeSecret as _, Manifest, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Answer, Fault, Format};
use crate::out::{columns, line, put};
use crate::paint::Paint;

/// Writes, judges and shows an add-on's manifest.
#[derive(Args)]
pub(crate) struct ManifestArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writes a manifest with new secrets
    #[command(after_help = "Examples:
  maitre manifest new lantern --config-var LANTERN_URL
  maitre manifest new lantern --url http://localhost:5000 --production-url https://lantern.example --output -")]
    New(New),
    /// Judges a manifest by the marketplace's rules
    #[command(after_help = "Example:
  maitre manifest lint addon-manifest.json --strict

Exit status: 0 nothing that must be is amiss (with --strict: nor what should be); 1 something is; 2 it cannot be read.")]
    Lint {
        /// The manifest
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// Exit with 1 for what should be, too
        #[arg(long)]
        strict: bool,
        /// For whom the output is
        #[arg(long, value_enum, default_value_t)]
        format: Output,
    },
    /// Shows what a manifest says, without its secrets
    #[command(after_help = "Example:
  maitre manifest show addon-manifest.json --format json")]
    Show {
        /// The manifest
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// For whom the output is
        #[arg(long, value_enum, default_value_t)]
        format: Output,
    },
}

#[derive(Args)]
struct New {
    /// The add-on's slug: lower-case letters, digits and hyphens
    slug: String,
    /// Its display name; the slug if there is none
    #[arg(long)]
    name: Option<String>,
    /// A config var that the add-on sets; may be given several times
    #[arg(long = "config-var", value_name = "NAME")]
    config_vars: Vec<String>,
    /// A region where it is offered; may be given several times
    #[arg(long = "region", value_name = "NAME", default_values = ["us"])]
    regions: Vec<String>,
    #[arg(
        long = "requires",
        value_name = "WHAT",
        help = "Something it requires of Heroku, such as many_per_app; may be given several times"
    )]
    requires: Vec<String>,
    /// Where it runs while it is written
    #[arg(long, value_name = "ORIGIN", default_value = "http://localhost:5000")]
    url: String,
    /// Where the marketplace will call it
    #[arg(long, value_name = "ORIGIN")]
    production_url: Option<String>,
    /// The path of single sign-on; below the resources if not set
    #[arg(long, value_name = "PATH")]
    sso_path: Option<String>,
    /// Whose manifest it is: heroku or cloudcontrol
    #[arg(long, value_name = "NAME", default_value = "heroku")]
    marketplace: Marketplace,
    /// Where it is written to; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "addon-manifest.json")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Human,
    Json,
}

impl ManifestArgs {
    pub(crate) fn format(&self) -> Format {
        match &self.what {
            What::Lint { format: Output::Json, .. } | What::Show { format: Output::Json, .. } => Format::Json,
            _ => Format::Human,
        }
    }

    pub(crate) fn run(&self, paint: Paint) -> Result<Answer, Fault> {
        match &self.what {
            What::New(new) => new.run(),
            What::Lint { file, strict, format } => judge(file, *strict, *format, paint),
            What::Show { file, format } => {
                show(&Manifest::read(file)?, *format);
                Ok(Answer::Good)
            }
        }
    }
}

impl New {
    fn run(&self) -> Result<Answer, Fault> {
        let written = self.manifest()?;
        let text = format!("{}\n", serde_json::to_string_pretty(&written)?);
        let wrong = lint(&serde_json::to_value(&written)?).into_iter().find(|finding| finding.level == Level::Must);
        if let Some(finding) = wrong {
            bail!("{}: {}", finding.path, finding.why);
        }
        if self.output == Path::new("-") {
            put!("{text}");
            return Ok(Answer::Good);
        }
        write_new(&self.output, &text)?;
        line!("{} is written. It holds two secrets: keep it out of version control.", self.output.display());
        line!("Mount the add-on so that it answers at {}", written.api.test.base_url);
        line!("and opens its dashboard from {}", written.api.test.sso_url);
        line!("Then, with the plans that it sells:\n\n    maitre check --plans basic,premium");
        Ok(Answer::Good)
    }

    fn manifest(&self) -> Result<Written<'_>, Fault> {
        let (path, current) = match self.marketplace {
            Marketplace::Heroku => ("/heroku/resources", true),
            Marketplace::CloudControl => ("/cloudcontrol/resources", false),
            other => bail!("{other} has no manifest: its add-ons know a shared secret"),
        };
        let sso_path = self.sso_path.clone().unwrap_or_else(|| format!("{path}/sso"));
        let urls = |origin: &str| {
            let origin = origin.trim_end_matches('/');
            Urls { base_url: format!("{origin}{path}"), sso_url: format!("{origin}{sso_path}") }
        };
        let slug = self.slug.as_str();
        let production = self.production_url.clone().unwrap_or_else(|| format!("https://{slug}.example"));
        Ok(Written {
            id: slug,
            name: self.name.as_deref().unwrap_or(slug),
            api: WrittenApi {
                // cloudControl's is an older form of the same file
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

/// A manifest in the order in which its documentation tells of it.
#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    name: &'a str,
    api: WrittenApi<'a>,
}

#[derive(Serialize)]
struct WrittenApi<'a> {
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

/// 122 random bits in 32 characters, as Heroku's own generator draws them.
fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A file that was not there before, for the eyes of its owner alone.
fn write_new(path: &Path, text: &str) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = path.display();
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!(
                "{shown} is there, and its secrets are in use: move it away, or write elsewhere with --output"
            )
        }
        _ => anyhow::Error::new(error).context(format!("cannot write {shown}")),
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {shown}"))
}

fn judge(file: &Path, strict: bool, format: Output, paint: Paint) -> Result<Answer, Fault> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    let findings = lint(&manifest);
    let at_least = if strict { Level::Should } else { Level::Must };
    let bad = findings.iter().any(|finding| finding.level >= at_least);
    if format == Output::Json {
        let findings: Vec<_> = findings
            .iter()
            .map(|it| json!({ "path": it.path, "rule": it.rule, "level": it.level.to_string(), "why": it.why }))
            .collect();
        line!("{}", json!({ "file": file.display().to_string(), "good": !bad, "findings": findings }));
        return Ok(if bad { Answer::Bad } else { Answer::Good });
    }
    for finding in &findings {
        let level = match finding.level {
            Level::Must => paint.bad("must  "),
            Level::Should => paint.warning("should"),
            _ => paint.faint("info  "),
        };
        line!(
            "{level} {}: {} {}",
            paint.strong(&finding.path),
            finding.why,
            paint.faint(&format!("({})", finding.rule))
        );
    }
    if findings.is_empty() {
        line!("{}", paint.good(&format!("Nothing is amiss in {}.", file.display())));
    }
    Ok(if bad { Answer::Bad } else { Answer::Good })
}

fn show(manifest: &Manifest, format: Output) {
    let api = &manifest.api;
    let urls = |endpoints: Option<&Endpoints>| match endpoints {
        Some(urls) => json!({ "base_url": urls.base_url, "sso_url": urls.sso_url, "legacy": urls.legacy }),
        None => Value::Null,
    };
    if format == Output::Json {
        let object = json!({
            "id": manifest.id,
            "name": manifest.name,
            "version": api.version,
            "password": hidden(api.password.as_ref()),
            "sso_salt": hidden(api.sso_salt.as_ref()),
            "config_vars_prefix": manifest.config_vars_prefix(),
            "config_vars": api.config_vars,
            "regions": api.regions,
            "requires": api.requires,
            "production": urls(api.production.as_ref()),
            "test": urls(api.test.as_ref()),
        });
        line!("{object}");
        return;
    }
    let mut table = Table::new();
    let list = |values: &[String]| if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    let or_none = |text: Option<&String>| text.map_or("none", String::as_str).to_owned();
    table.add_row(["id", &manifest.id]);
    table.add_row(["name", &or_none(manifest.name.as_ref())]);
    table.add_row(["version", &or_none(api.version.as_ref())]);
    table.add_row(["password", &hidden(api.password.as_ref())]);
    table.add_row(["sso_salt", &hidden(api.sso_salt.as_ref())]);
    table.add_row(["config vars", &list(&api.config_vars)]);
    table.add_row(["regions", &list(&api.regions)]);
    table.add_row(["requires", &list(&api.requires)]);
    for (name, endpoints) in [("production", api.production.as_ref()), ("test", api.test.as_ref())] {
        let base = endpoints.map(|urls| &urls.base_url);
        table.add_row([format!("{name} base_url"), or_none(base)]);
        let sso = endpoints.and_then(|urls| urls.sso_url.as_ref());
        table.add_row([format!("{name} sso_url"), or_none(sso)]);
    }
    line!("{}", columns(&mut table));
}

fn hidden(secret: Option<&SecretString>) -> String {
    match secret.map(|secret| secret.expose_secret().chars().count()) {
        None => "none".to_owned(),
        Some(0) => "empty".to_owned(),
        Some(length) => format!("set, {length} characters"),
    }
}
