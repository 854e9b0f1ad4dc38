//! `maitre manifest diff`, `pull` and `push`: the manifest at Heroku, by the API of its add-ons-admin plugin.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_testkit::{Heroku, Reply};
use serde_json::{Value, json};

use super::diff::compare;
use super::file;
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Heroku, or a sandbox.
#[derive(Args)]
struct Service {
    /// Heroku's domain, or the URL of a sandbox
    #[arg(long, value_name = "HOST", env = "HEROKU_HOST", default_value = "heroku.com")]
    host: String,

    /// API key of the vendor's account at Heroku, or of the sandbox
    #[arg(long, value_name = "KEY", env = "HEROKU_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
}

/// Shows how a manifest differs from the one at Heroku or in a sandbox.
#[derive(Args)]
pub(super) struct Diff {
    /// Manifest of the add-on
    #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    file: PathBuf,
    #[command(flatten)]
    service: Service,
}

/// Writes the manifest at Heroku or in a sandbox to a file.
#[derive(Args)]
pub(super) struct Pull {
    /// Slug of the add-on
    slug: String,
    /// File to write
    #[arg(long, short, value_name = "FILE", default_value = "addon-manifest.json")]
    output: PathBuf,
    #[command(flatten)]
    service: Service,
}

/// Sends a manifest to Heroku or to a sandbox.
#[derive(Args)]
pub(super) struct Push {
    /// Manifest of the add-on
    #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    file: PathBuf,
    #[command(flatten)]
    service: Service,
}

impl Diff {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let ours = read(&self.file)?;
        let theirs = self.service.current(slug(&ours, &self.file)?).await?;
        let differences = compare(&theirs, &ours);
        for difference in &differences {
            println_ignoring_pipe!("{difference}");
        }
        if differences.is_empty() {
            let message = format!("{} equals the manifest at {}.", self.file.display(), self.service.origin());
            println_ignoring_pipe!("{}", palette.success(&message));
            return Ok(ExitStatus::Success);
        }
        Ok(ExitStatus::ProblemsFound)
    }
}

impl Pull {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let manifest = self.service.current(check_slug(&self.slug)?).await?;
        if self.output.exists() && compare(&manifest, &read(&self.output)?).is_empty() {
            println_ignoring_pipe!("{} is current.", self.output.display());
            return Ok(ExitStatus::Success);
        }
        file::create(&self.output, &format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
        println_ignoring_pipe!(
            "Created {}. It contains secrets: keep it out of version control.",
            self.output.display()
        );
        file::warn_if_committable(&self.output, palette);
        Ok(ExitStatus::Success)
    }
}

impl Push {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let ours = read(&self.file)?;
        let path = format!("/api/v3/addons/{}/manifests", slug(&ours, &self.file)?);
        let stored = self.service.call("POST", &path, Some(&json!({ "contents": ours }))).await?;
        let message = format!("{} is now the manifest at {}.", self.file.display(), self.service.origin());
        println_ignoring_pipe!("{}", palette.success(&message));
        let differences = compare(contents(&stored)?, &ours);
        if !differences.is_empty() {
            println_ignoring_pipe!("It was stored with differences:");
            for difference in differences {
                println_ignoring_pipe!("{difference}");
            }
        }
        Ok(ExitStatus::Success)
    }
}

impl Service {
    /// Returns the origin of the API: a URL as it is, and of a domain its host for add-ons.
    fn origin(&self) -> String {
        let host = self.host.trim_end_matches('/');
        if host.contains("://") { host.to_owned() } else { format!("https://addons.{host}") }
    }

    /// Returns the current manifest of an add-on.
    async fn current(&self, slug: &str) -> anyhow::Result<Value> {
        let reply = self.call("GET", &format!("/api/v3/addons/{slug}/current_manifest"), None).await?;
        contents(&reply).cloned()
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let key = self.api_key.as_deref().context(
            "set HEROKU_API_KEY to the key of your Heroku account (`heroku authorizations:create`), or of the sandbox",
        )?;
        let origin = self.origin();
        let call = Heroku::new(&origin, "", "", "").raw(method, &format!("{origin}{path}"));
        let call = call.authorization(format!("Bearer {key}")).header("accept", "application/json");
        let call = match body {
            Some(body) => call.header("content-type", "application/json").body(body.to_string()),
            None => call,
        };
        let reply = call.try_send().await.with_context(|| format!("cannot reach {origin}"))?;
        let json: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        if !(200..300).contains(&reply.status()) {
            bail!("{origin} answered {}: {}", reply.status(), error_text(&reply, &json));
        }
        Ok(json)
    }
}

/// Returns the messages of an error: `{"error": "text"}`, `{"error": {"base": ["text"]}}` or `{"message": "text"}`.
fn error_text(reply: &Reply, json: &Value) -> String {
    match (&json["error"], &json["message"]) {
        (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
        (Value::Object(fields), _) => {
            let lists = fields.values().filter_map(Value::as_array);
            lists.flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        _ if reply.status() == 401 => "the API key is not valid".to_owned(),
        _ => "the response has no message".to_owned(),
    }
}

fn contents(reply: &Value) -> anyhow::Result<&Value> {
    reply.get("contents").filter(|contents| contents.is_object()).context("the response contains no manifest")
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
}

/// Returns the id of a manifest, which is part of the URL.
fn slug<'a>(manifest: &'a Value, file: &Path) -> anyhow::Result<&'a str> {
    let id = manifest["id"].as_str().with_context(|| format!("{} has no `id`", file.display()))?;
    check_slug(id)
}

fn check_slug(slug: &str) -> anyhow::Result<&str> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if slug.is_empty() || !slug.chars().all(is_allowed) {
        bail!("{slug:?} is not the slug of an add-on");
    }
    Ok(slug)
}
