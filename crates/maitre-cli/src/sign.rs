//! `maitre sign`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use maitre_testkit::{Call, sign};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Fault, Format};
use crate::given::{Given, Market, Place};
use crate::out::line;

/// Signs what the marketplace signs, for tools of your own. What it prints is secret.
#[derive(Args)]
pub(crate) struct Sign {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The Authorization header of every call but single sign-on
    #[command(after_help = "Examples:
  curl -H \"$(maitre sign basic)\" -d '{\"uuid\":\"…\",\"plan\":\"basic\"}' http://localhost:5000/heroku/resources
  maitre sign basic --format curl")]
    Basic {
        #[command(flatten)]
        given: Given,
        #[command(flatten)]
        place: Place,
        /// As what it is printed
        #[arg(long, value_enum, default_value_t)]
        format: HeaderFormat,
    },
    /// The form of a single sign-on, good from now on for some minutes
    #[command(after_help = "Examples:
  maitre sign sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --format curl | sh
  maitre sign sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --format html > sign-on.html")]
    Sso {
        /// The marketplace's id of the resource: Heroku's uuid
        id: String,
        /// The id that the provision answered, if it is another one
        #[arg(long, value_name = "ID")]
        provider_id: Option<String>,
        /// Sign for this second since 1970, in place of now
        #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
        at: Option<String>,
        /// Who signs on
        #[arg(long, default_value = "ada+ops@example.org")]
        email: String,
        #[command(flatten)]
        given: Given,
        #[command(flatten)]
        place: Place,
        /// As what it is printed
        #[arg(long, value_enum, default_value_t)]
        format: FormFormat,
    },
    /// The signature header of a webhook's body
    #[command(after_help = "Example:
  MAITRE_WEBHOOK_SECRET=s3cr3t maitre sign webhook event.json")]
    Webhook {
        /// The file that holds the body; standard input if there is none
        file: Option<PathBuf>,
        /// The secret of the subscription
        #[arg(long, env = "MAITRE_WEBHOOK_SECRET", hide_env_values = true)]
        secret: String,
        /// As what it is printed
        #[arg(long, value_enum, default_value_t)]
        format: HeaderFormat,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum HeaderFormat {
    /// A line `Name: value`
    #[default]
    Header,
    /// A line for a shell
    Curl,
    /// A JSON object
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FormFormat {
    /// The body of a POST
    #[default]
    Form,
    /// A line for a shell
    Curl,
    /// A page that sends itself off
    Html,
    /// A JSON object
    Json,
}

impl Sign {
    pub(crate) fn format(&self) -> Format {
        let json = match &self.what {
            What::Basic { format, .. } | What::Webhook { format, .. } => *format == HeaderFormat::Json,
            What::Sso { format, .. } => *format == FormFormat::Json,
        };
        if json { Format::Json } else { Format::Human }
    }

    pub(crate) fn run(&self) -> Result<Answer, Fault> {
        match &self.what {
            What::Basic { given, place, format } => basic(given, place, *format)?,
            What::Sso { id, provider_id, at, email, given, place, format } => {
                let provider_id = provider_id.as_ref().unwrap_or(id);
                let (url, fields) = form(given, place, id, provider_id, at.as_deref(), email)?;
                line!("{}", written(&url, &fields, *format));
            }
            What::Webhook { file, secret, format } => {
                let body = read(file.as_deref())?;
                if secret.is_empty() {
                    bail!("the secret is empty: set MAITRE_WEBHOOK_SECRET to the one of the subscription");
                }
                let data = file.as_ref().map_or("@-".to_owned(), |file| format!("@{}", file.display()));
                let rest =
                    format!("-H 'Content-Type: application/json' --data-binary {} \"$WEBHOOK_URL\"", quoted(&data));
                print_header("Heroku-Webhook-Hmac-SHA256", &sign::webhook(secret, &body), &rest, *format);
            }
        }
        Ok(Answer::Good)
    }
}

/// A file's bytes, or those of standard input.
fn read(file: Option<&Path>) -> Result<Vec<u8>, Fault> {
    let Some(file) = file else {
        let mut body = Vec::new();
        std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
        return Ok(body);
    };
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn basic(given: &Given, place: &Place, format: HeaderFormat) -> Result<(), Fault> {
    let (manifest, password, _) = given.secrets()?;
    let header = sign::basic(&manifest.id, &password);
    let target = match format {
        HeaderFormat::Curl => {
            let (url, sso_url) = (place.url.as_deref(), place.sso_url.as_deref());
            let marketplace = given.marketplace;
            let find = maitre_conformance::Address::find(marketplace, Some(&manifest), url, sso_url, place.production);
            format!("{}/resources", find?.root)
        }
        _ => String::new(),
    };
    print_header("Authorization", &header, &quoted(&target), format);
    Ok(())
}

fn print_header(name: &str, value: &str, rest: &str, format: HeaderFormat) {
    match format {
        HeaderFormat::Header => line!("{name}: {value}"),
        HeaderFormat::Curl => line!("curl -i -H {} {rest}", quoted(&format!("{name}: {value}"))),
        HeaderFormat::Json => line!("{}", json!({ "name": name, "value": value })),
    }
}

type Fields = Vec<(String, String)>;

fn form(
    given: &Given,
    place: &Place,
    id: &str,
    provider_id: &str,
    at: Option<&str>,
    email: &str,
) -> Result<(String, Fields), Fault> {
    let marketing = given.market(place)?;
    let door = "there is nothing to sign with: the manifest needs api.sso_salt and an sso_url (or say --sso-url)";
    let (market, path) = marketing.door.context(door)?;
    Ok(match market {
        Market::Heroku(heroku) => {
            let form = heroku.single_sign_on(id).provider_id(provider_id).email(email).path(path);
            let form = at.into_iter().fold(form, Call::timestamp);
            (form.url(), form.fields())
        }
        Market::CloudControl(cloudcontrol) => {
            let form = cloudcontrol.single_sign_on(provider_id).path(path);
            let form = at.into_iter().fold(form, Call::timestamp);
            (form.url(), form.fields())
        }
        Market::Opperator(_) => bail!("Opperator has no single sign-on"),
    })
}

fn written(url: &str, fields: &Fields, format: FormFormat) -> String {
    match format {
        FormFormat::Form => encoded(fields),
        FormFormat::Curl => format!("curl -i --data {} {}", quoted(&encoded(fields)), quoted(url)),
        FormFormat::Html => page(url, fields),
        FormFormat::Json => {
            let fields: Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            json!({ "method": "post", "action": url, "params": fields }).to_string()
        }
    }
}

fn encoded(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn page(url: &str, fields: &Fields) -> String {
    let input = |(name, value): &(String, String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
    };
    let inputs: Vec<_> = fields.iter().map(input).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Sign on</title></head>\n\
         <body onload=\"document.forms[0].submit()\">\n<form method=\"post\" action=\"{}\">\n{}\n\
         <button>Sign on</button>\n</form>\n</body>\n</html>",
        escaped(url),
        inputs.join("\n")
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
