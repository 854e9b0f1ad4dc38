//! The config vars of an answer.

use serde_json::{Map, Value};

use super::citation;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::response::Response;
use crate::rules::{config, config_must_be_listed, config_must_be_strings};
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.config.object",
        "Config vars are a JSON object of texts.",
        citation::reference_v1("config is an object of names and texts; numbers and null are refused"),
        |target| Box::pin(object(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.listed",
        "Config vars are those that the manifest lists.",
        citation::kensa("every name is one of api.config_vars"),
        |target| Box::pin(listed(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.urls",
        "A config var whose name ends in _URL is a URL with scheme and host.",
        citation::kensa("values of names that end in _URL have scheme and host"),
        |target| Box::pin(urls(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::info(
        "heroku.config.complete",
        "Every config var that the manifest lists is set.",
        citation::kensa("a listed name that is missing is a warning"),
        |target| Box::pin(complete(target)),
    )
    .needs(&[Capability::Synchronous, Capability::ConfigVars]),
    Case::must(
        "heroku.config.plan-change",
        "Config vars of a plan change keep the same rules.",
        citation::reference_v1("a plan change may answer config, under the rules of a provision"),
        |target| Box::pin(plan_change(target)),
    )
    .needs(&[Capability::Synchronous, Capability::SecondPlan]),
    Case::should(
        "heroku.config.apart",
        "Two customers do not get the same secrets.",
        citation::practice("what one customer was input must not open another's resource"),
        |target| Box::pin(apart(target)),
    )
    .needs(&[Capability::Synchronous]),
];

fn config_must_be_urls(response: &Response) -> Verdict {
    let config = config(response)?;
    let mut texts = config.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    match texts.find(|(name, value)| name.ends_with("_URL") && !is_url(value)) {
        None => Ok(()),
        Some((name, _)) => Err(response.fault(
            format!("The value of {name} is no URL with scheme and host."),
            "Write the whole URL, or choose a name that does not end in _URL.",
        )),
    }
}

/// A scheme and a host, whatever else: URLs of databases are of all kinds.
fn is_url(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(plain)
        && !host.is_empty()
        && !host.starts_with(':')
}

async fn object(target: &Target) -> Verdict {
    config_must_be_strings(&target.new_resource().await?.response)
}

async fn listed(target: &Target) -> Verdict {
    config_must_be_listed(&target.config_vars, &target.new_resource().await?.response)
}

async fn urls(target: &Target) -> Verdict {
    config_must_be_urls(&target.new_resource().await?.response)
}

async fn complete(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let config = config(&resource.response)?;
    let missing: Vec<_> = target.config_vars.iter().filter(|name| !config.contains_key(*name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(resource.response.fault(
        format!("The manifest lists {}, and the answer does not set it.", missing.join(", ")),
        "Nothing has to be done if it is set later, or on other plans. Else take it out of the manifest.",
    ))
}

async fn plan_change(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response = target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?;
    if !response.is_success() {
        let status = response.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    if response.body().is_empty() {
        return Ok(()); // see heroku.plan-change.json
    }
    config_must_be_strings(&response)?;
    config_must_be_listed(&target.config_vars, &response)?;
    config_must_be_urls(&response)
}

async fn apart(target: &Target) -> Verdict {
    let (one, other) = (target.new_resource().await?, target.new_resource().await?);
    let (first, second) = (config(&one.response)?, config(&other.response)?);
    let secret = |config: &Map<String, Value>| config.values().any(|value| value.as_str().is_some_and(looks_secret));
    if first == second && secret(&first) {
        return Err(other.response.fault(
            "Two resources have the same config vars, to the last character.",
            "Draw credentials for every resource: else removing one customer does not lock them out.",
        ));
    }
    Ok(())
}

/// Whether this is likely to open something: a URL with a user in it, or a long text that is no URL.
pub(super) fn looks_secret(value: &str) -> bool {
    match value.split_once("://") {
        Some((_, rest)) => rest.split('/').next().unwrap_or_default().contains('@'),
        None => value.len() >= 16 && !value.contains(char::is_whitespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_scheme_and_host() {
        for good in ["https://x.example", "postgres://u:p%23@db.example:5432/a?b", "redis+tls://h", "http://[::1]:80/"]
        {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "x.example/a", "https://", "https:///a", "://x", "1a://x", "https://u:p@/a", "http://:80"] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn what_opens_something_looks_like_it() {
        assert!(looks_secret("lt_9f2b4c6d8e0a1b3c") && looks_secret("https://u4:pw@eu1.lantern.example/t4"));
        assert!(
            !looks_secret("https://tally.example/counters")
                && !looks_secret("eu-1")
                && !looks_secret("for a good long time")
        );
    }
}
