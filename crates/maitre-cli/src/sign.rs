//! `maitre sign`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use html_escape::encode_double_quoted_attribute;
use maitre_conformance::{Address, Marketplace};
use maitre_testkit::{Call, Form, JwtLink, SignOn, sign};
use serde_json::{Map, Value, json};

use crate::exit::{ExitStatus, Format};
use crate::output::{println_ignoring_pipe, quoted};
use crate::target_args::{MarketplaceArgs, MarketplaceClient, TargetArgs, quicknode_link};

/// Prints the credentials and signatures of the marketplace, for use with other tools. The output is secret.
#[derive(Args)]
pub(crate) struct Sign {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the Authorization header of API requests
    #[command(after_help = "Examples:
  curl -H \"$(maitre sign basic)\" -X DELETE localhost:8300/heroku/resources/7
  maitre sign basic --format curl")]
    Basic {
        #[command(flatten)]
        marketplace_args: MarketplaceArgs,
        #[command(flatten)]
        target_args: TargetArgs,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: HeaderFormat,
    },
    /// Print a single sign-on form, which expires after some minutes
    #[command(after_help = "Examples:
  maitre sign sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --format curl | sh
  maitre sign sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --format html > sso.html
  maitre sign sso q-81 --marketplace clevercloud --manifest clever.json
  maitre sign sso qn-acc-1 --marketplace quicknode --user pomelo --format curl")]
    Sso {
        /// Resource key: the marketplace's id of the resource, on Heroku its uuid
        id: String,
        /// Provider id: the id in the response to the provision. Defaults to ID
        #[arg(long, value_name = "ID")]
        provider_id: Option<String>,
        /// Unix time of the signature; at Clever Cloud in milliseconds. Defaults to now
        #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
        at: Option<String>,
        /// Email address of the user
        #[arg(long, default_value = "ada+ops@example.org")]
        email: String,
        #[command(flatten)]
        marketplace_args: MarketplaceArgs,
        #[command(flatten)]
        target_args: TargetArgs,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: FormFormat,
    },
    /// Print the signature header of a webhook
    #[command(after_help = "Example:
  MAITRE_WEBHOOK_SECRET=s3cr3t maitre sign webhook event.json")]
    Webhook {
        /// File with the body. Defaults to standard input
        file: Option<PathBuf>,
        /// Secret of the webhook subscription
        #[arg(long, env = "MAITRE_WEBHOOK_SECRET", hide_env_values = true)]
        secret: String,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: HeaderFormat,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum HeaderFormat {
    /// `Name: value`
    #[default]
    Header,
    /// A curl command
    Curl,
    /// A JSON object
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FormFormat {
    /// The URL-encoded body of a POST
    #[default]
    Form,
    /// A curl command
    Curl,
    /// A page that submits the form
    Html,
    /// A JSON object
    Json,
}

impl Sign {
    pub(crate) fn format(&self) -> Format {
        let is_json = match &self.command {
            Command::Basic { format, .. } | Command::Webhook { format, .. } => *format == HeaderFormat::Json,
            Command::Sso { format, .. } => *format == FormFormat::Json,
        };
        if is_json { Format::Json } else { Format::Human }
    }

    pub(crate) fn run(&self) -> anyhow::Result<ExitStatus> {
        match &self.command {
            Command::Basic { marketplace_args, target_args, format } => basic(marketplace_args, target_args, *format)?,
            Command::Sso { id, provider_id, at, email, marketplace_args, target_args, format } => {
                let provider_id = provider_id.as_ref().unwrap_or(id);
                let signed = form(marketplace_args, target_args, id, provider_id, at.as_deref(), email)?;
                println_ignoring_pipe!("{}", signed.formatted(*format));
            }
            Command::Webhook { file, secret, format } => {
                let body = read(file.as_deref())?;
                if secret.is_empty() {
                    bail!("the secret is empty: set MAITRE_WEBHOOK_SECRET to the secret of the subscription");
                }
                let data = file.as_ref().map_or("@-".to_owned(), |file| format!("@{}", file.display()));
                let curl_args =
                    format!("-H 'Content-Type: application/json' --data-binary {} \"$WEBHOOK_URL\"", quoted(&data));
                print_header("Heroku-Webhook-Hmac-SHA256", &sign::webhook(secret, &body), &curl_args, *format);
            }
        }
        Ok(ExitStatus::Success)
    }
}

/// Reads a file, or standard input.
fn read(file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let Some(file) = file else {
        let mut body = Vec::new();
        std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
        return Ok(body);
    };
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn basic(marketplace_args: &MarketplaceArgs, target_args: &TargetArgs, format: HeaderFormat) -> anyhow::Result<()> {
    if marketplace_args.marketplace == Marketplace::QuickNode {
        return quicknode_basic(marketplace_args, target_args, format);
    }
    let (manifest, password, _) = marketplace_args.read_manifest()?;
    let header = sign::basic(&manifest.id, &password);
    let url = match format {
        HeaderFormat::Curl => {
            let (url, sso_url) = (target_args.url.as_deref(), target_args.sso_url.as_deref());
            let marketplace = marketplace_args.marketplace;
            let address = Address::resolve(marketplace, Some(&manifest), url, sso_url, target_args.allow_remote)?;
            format!("{}/resources", address.root)
        }
        _ => String::new(),
    };
    print_header("Authorization", &header, &quoted(&url), format);
    Ok(())
}

/// Prints the credentials of the calls at QuickNode, which has no manifest.
fn quicknode_basic(
    marketplace_args: &MarketplaceArgs,
    target_args: &TargetArgs,
    format: HeaderFormat,
) -> anyhow::Result<()> {
    let (user, password) = marketplace_args.credentials.basic()?;
    let url = match format {
        HeaderFormat::Curl => {
            let url = target_args.url.as_deref();
            let address = Address::resolve(Marketplace::QuickNode, None, url, None, target_args.allow_remote)?;
            format!("{}/provision", address.root)
        }
        _ => String::new(),
    };
    print_header("Authorization", &sign::basic(user, password), &quoted(&url), format);
    Ok(())
}

fn print_header(name: &str, value: &str, curl_args: &str, format: HeaderFormat) {
    match format {
        HeaderFormat::Header => println_ignoring_pipe!("{name}: {value}"),
        HeaderFormat::Curl => {
            println_ignoring_pipe!("curl -i -H {} {curl_args}", quoted(&format!("{name}: {value}")));
        }
        HeaderFormat::Json => println_ignoring_pipe!("{}", json!({ "name": name, "value": value })),
    }
}

type Fields = Vec<(String, String)>;

/// Signed form or link.
struct Signed {
    method: &'static str,
    url: String,
    fields: Fields,
}

impl Signed {
    fn new<F: Form>(form: &Call<SignOn<F>>) -> Self {
        let method = if form.request().method() == "GET" { "get" } else { "post" };
        Self { method, url: form.url(), fields: form.fields() }
    }

    fn link(link: &Call<JwtLink>) -> Self {
        let request = link.request();
        let (url, token) = request.url().rsplit_once("?jwt=").unwrap_or((request.url(), ""));
        Self { method: "get", url: url.to_owned(), fields: vec![("jwt".to_owned(), token.to_owned())] }
    }

    fn formatted(&self, format: FormFormat) -> String {
        let Self { method, url, fields } = self;
        match format {
            FormFormat::Form => encoded(fields),
            FormFormat::Curl if *method == "get" => {
                format!("curl -i {}", quoted(&format!("{url}?{}", encoded(fields))))
            }
            FormFormat::Curl => format!("curl -i --data {} {}", quoted(&encoded(fields)), quoted(url)),
            FormFormat::Html => page(method, url, fields),
            FormFormat::Json => {
                let fields: Map<_, _> =
                    fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
                json!({ "method": method, "action": url, "params": fields }).to_string()
            }
        }
    }
}

/// Returns the signed form or link of single sign-on.
fn form(
    marketplace_args: &MarketplaceArgs,
    target_args: &TargetArgs,
    id: &str,
    provider_id: &str,
    at: Option<&str>,
    email: &str,
) -> anyhow::Result<Signed> {
    let target = marketplace_args.target(target_args)?;
    if let MarketplaceClient::QuickNode(quicknode) = &target.client {
        let link = quicknode_link(quicknode, marketplace_args, target_args, id, at)?;
        return Ok(Signed::link(&link.set("email", email)));
    }
    let missing = "cannot sign: the manifest needs api.sso_salt and an sso_url (or use --sso-url)";
    let (client, path) = target.sso.context(missing)?;
    Ok(match client {
        MarketplaceClient::Heroku(heroku) => {
            let form = heroku.single_sign_on(id).provider_id(provider_id).email(email).path(path);
            Signed::new(&at.into_iter().fold(form, Call::timestamp))
        }
        MarketplaceClient::CloudControl(cloudcontrol) => {
            let form = cloudcontrol.single_sign_on(provider_id).path(path);
            Signed::new(&at.into_iter().fold(form, Call::timestamp))
        }
        MarketplaceClient::Basic(basic) => {
            let form = basic.single_sign_on(id, Some(provider_id)).email(email).path(path);
            Signed::new(&at.into_iter().fold(form, Call::timestamp))
        }
        MarketplaceClient::Opperator(_) | MarketplaceClient::QuickNode(_) => {
            bail!("{} has no signed form", marketplace_args.marketplace.title())
        }
    })
}

fn encoded(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn page(method: &str, url: &str, fields: &Fields) -> String {
    let input = |(name, value): &(String, String)| {
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            encode_double_quoted_attribute(name),
            encode_double_quoted_attribute(value)
        )
    };
    let inputs: Vec<_> = fields.iter().map(input).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Sign on</title></head>\n\
         <body onload=\"document.forms[0].submit()\">\n<form method=\"{method}\" action=\"{}\">\n{}\n\
         <button>Sign on</button>\n</form>\n</body>\n</html>",
        encode_double_quoted_attribute(url),
        inputs.join("\n")
    )
}
