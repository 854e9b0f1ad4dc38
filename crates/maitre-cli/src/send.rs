//! `maitre send`

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use futures_util::{StreamExt as _, stream};
use maitre_testkit::{Call, Kind, Reply};
use serde_json::{Value, json};

use crate::answer::{Answer, Fault, Format};
use crate::edit::{Editable, Edits};
use crate::given::{Given, Market, Marketing, Place};
use crate::out::line;
use crate::paint::Paint;

/// Sends one call of the marketplace, changed at will, and prints what was sent and what came back.
///
/// What it makes stays, until it is removed by `maitre send deprovision ID`.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre send provision --plan basic
  maitre send provision --plan basic --set oauth_grant=null --add zone=b
  maitre send provision --plan basic --repeat 32 --parallel 32
  maitre send plan-change 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --plan premium
  maitre send sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --set email=mallory@example.org
  maitre send deprovision 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21

Exit status: 0 every answer is a success or a redirect; 1 one is not; 2 it could not be sent, or nobody answered.")]
pub(crate) struct Send {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A customer installs the add-on
    #[command(
        after_help = "Example:\n  maitre send provision --plan basic --set region=amazon-web-services::eu-west-1"
    )]
    Provision {
        /// The plan that is ordered
        #[arg(long, default_value = "test")]
        plan: String,
        #[command(flatten)]
        how: How,
    },
    /// The customer moves to another plan
    #[command(after_help = "Example:\n  maitre send plan-change 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --plan premium")]
    PlanChange {
        /// The id that the provision answered
        id: String,
        /// The new plan
        #[arg(long)]
        plan: String,
        #[command(flatten)]
        how: How,
    },
    /// The customer removes the add-on
    #[command(after_help = "Example:\n  maitre send deprovision 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21")]
    Deprovision {
        /// The id that the provision answered
        id: String,
        #[command(flatten)]
        how: How,
    },
    /// A person opens the dashboard
    #[command(
        after_help = "Example:\n  maitre send sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --unset user_scoped_resource_token"
    )]
    Sso {
        /// The marketplace's id of the resource: Heroku's uuid
        id: String,
        /// The id that the provision answered, if it is another one
        #[arg(long, value_name = "ID")]
        provider_id: Option<String>,
        /// Sign for this second since 1970, in place of now
        #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
        at: Option<String>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Args)]
struct How {
    #[command(flatten)]
    given: Given,

    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    edits: Edits,

    /// Send it this often
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,

    /// Send as many at the same time
    #[arg(long, value_name = "CALLS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    parallel: u32,

    /// Print credentials, tokens and config vars as they are
    #[arg(long)]
    show_secrets: bool,

    /// For whom the output is
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Human,
    Json,
}

impl Send {
    fn how(&self) -> &How {
        match &self.what {
            What::Provision { how, .. }
            | What::PlanChange { how, .. }
            | What::Deprovision { how, .. }
            | What::Sso { how, .. } => how,
        }
    }

    pub(crate) fn format(&self) -> Format {
        if self.how().format == Output::Json { Format::Json } else { Format::Human }
    }

    pub(crate) async fn run(self, paint: Paint) -> Result<Answer, Fault> {
        let how = self.how();
        let marketing = how.given.market(&how.place)?;
        match (&self.what, &marketing.market) {
            (What::Provision { plan, .. }, Market::Heroku(heroku)) => {
                let mut call = heroku.provision(plan);
                for (required, field) in [("log_input", "log_input_url"), ("syslog_drain", "log_drain_token")] {
                    if !marketing.requires.iter().any(|known| known == required) {
                        call = call.without(field);
                    }
                }
                how.send(call, paint).await
            }
            (What::Provision { plan, .. }, Market::CloudControl(it)) => how.send(it.provision(plan), paint).await,
            (What::Provision { plan, .. }, Market::Opperator(it)) => {
                how.send(it.provision(json!({ "plan": plan })), paint).await
            }
            (What::PlanChange { id, plan, .. }, Market::Heroku(it)) => how.send(it.plan_change(id, plan), paint).await,
            (What::PlanChange { id, plan, .. }, Market::CloudControl(it)) => {
                how.send(it.plan_change(id, plan), paint).await
            }
            (What::PlanChange { id, plan, .. }, Market::Opperator(it)) => {
                how.send(it.plan_change(id, json!({ "plan": plan })), paint).await
            }
            (What::Deprovision { id, .. }, Market::Heroku(it)) => how.send(it.deprovision(id), paint).await,
            (What::Deprovision { id, .. }, Market::CloudControl(it)) => how.send(it.deprovision(id), paint).await,
            (What::Deprovision { id, .. }, Market::Opperator(it)) => how.send(it.deprovision(id), paint).await,
            (What::Sso { id, provider_id, at, .. }, _) => {
                sign_on(how, &marketing, id, provider_id.as_deref(), at.as_deref(), paint).await
            }
        }
    }
}

async fn sign_on(
    how: &How,
    marketing: &Marketing,
    id: &str,
    provider_id: Option<&str>,
    at: Option<&str>,
    paint: Paint,
) -> Result<Answer, Fault> {
    let door = "there is no door to knock at: the manifest needs api.sso_salt and an sso_url (or say --sso-url)";
    let (market, path) = marketing.door.as_ref().context(door)?;
    match market {
        Market::Heroku(heroku) => {
            let form = heroku.single_sign_on(id).provider_id(provider_id.unwrap_or(id)).path(path);
            how.send(at.into_iter().fold(form, Call::timestamp), paint).await
        }
        Market::CloudControl(cloudcontrol) => {
            let form = cloudcontrol.single_sign_on(provider_id.unwrap_or(id)).path(path);
            how.send(at.into_iter().fold(form, Call::timestamp), paint).await
        }
        Market::Opperator(_) => bail!("Opperator has no single sign-on"),
    }
}

impl How {
    async fn send<K>(&self, call: Call<K>, paint: Paint) -> Result<Answer, Fault>
    where
        K: Kind + Clone + std::marker::Send + Sync + 'static,
        K::Value: Editable + std::marker::Send + Sync,
    {
        let call = self.edits.apply(call)?;
        let start = Instant::now();
        let calls = stream::iter((0..self.repeat).map(|_| {
            let call = call.clone();
            async move {
                let start = Instant::now();
                (call.try_send().await, start.elapsed())
            }
        }));
        let mut answers = calls.buffered(usize::try_from(self.parallel).unwrap_or(1));
        let mut statuses: Vec<(u16, usize)> = Vec::new();
        while let Some((reply, took)) = answers.next().await {
            let reply = reply.context("it was not answered")?;
            match statuses.iter_mut().find(|(status, _)| *status == reply.status()) {
                Some((_, count)) => *count += 1,
                None => statuses.push((reply.status(), 1)),
            }
            self.print(&reply, took, paint);
        }
        if self.repeat > 1 && self.format == Output::Human {
            let counts: Vec<_> = statuses.iter().map(|(status, count)| format!("{status} ×{count}")).collect();
            line!("{} in {} ms", paint.strong(&counts.join(", ")), start.elapsed().as_millis());
        }
        let good = statuses.iter().all(|(status, _)| (200..400).contains(status));
        Ok(if good { Answer::Good } else { Answer::Bad })
    }

    fn print(&self, reply: &Reply, took: Duration, paint: Paint) {
        let shown = if self.show_secrets { bare(reply) } else { reply.to_string() };
        if self.format == Output::Json {
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let mut object = json!({
                "status": reply.status(),
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "id": body["id"],
                "message": body["message"],
                "exchange": shown,
            });
            if self.show_secrets {
                object["body"] = body;
            }
            line!("{object}");
            return;
        }
        for line in shown.lines() {
            match line.split_once(' ') {
                Some(("<", status)) if status == reply.status().to_string() => {
                    let good = (200..400).contains(&reply.status());
                    line!("< {}", if good { paint.good(status) } else { paint.bad(status) });
                }
                _ => line!("{line}"),
            }
        }
        line!("{}\n", paint.faint(&format!("{} ms", took.as_millis())));
    }
}

/// The exchange with its secrets, for whoever asks for them.
fn bare(reply: &Reply) -> String {
    let request = reply.request();
    let mut lines = vec![format!("> {} {}", request.method(), request.url())];
    lines.extend(request.headers().map(|(name, value)| format!("> {name}: {value}")));
    lines.extend(String::from_utf8_lossy(request.body()).lines().map(|line| format!("> {line}")));
    lines.push(String::new());
    lines.push(format!("< {}", reply.status()));
    lines.extend(reply.headers().map(|(name, value)| format!("< {name}: {value}")));
    lines.extend(reply.text().lines().map(|line| format!("< {line}")));
    lines.join("\n")
}
