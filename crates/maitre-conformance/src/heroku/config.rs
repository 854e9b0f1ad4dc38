//! Config vars of a response.

use serde_json::{Map, Value};

use super::citation;
use super::resource::Resource;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::rules;
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.config.object",
        "Config vars are a JSON object of strings.",
        citation::reference_v1("config is an object of names and strings; numbers and null are rejected"),
        |target| Box::pin(object(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.listed",
        "All config vars are listed in the manifest.",
        citation::kensa("every name is one of api.config_vars"),
        |target| Box::pin(listed(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.urls",
        "A config var whose name ends with _URL is a URL with scheme and host.",
        citation::kensa("values of names that end with _URL have scheme and host"),
        |target| Box::pin(urls(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.size",
        "Names and values of the config vars have at most 32 kB in total.",
        citation::config_vars("names and values of all config vars of an app have at most 32 kB in total"),
        |target| Box::pin(size(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::must(
        "heroku.config.no-nul",
        "No config var contains U+0000.",
        citation::config_vars("config vars are environment variables, which cannot contain U+0000"),
        |target| Box::pin(no_nul(target)),
    )
    .needs(&[Capability::Synchronous]),
    Case::should(
        "heroku.config.public-urls",
        "No config var of a remote add-on is a URL of localhost.",
        citation::practice("on the customer's dyno, localhost is the dyno itself"),
        |target| Box::pin(public_urls(target)),
    )
    .needs(&[Capability::Synchronous, Capability::Remote]),
    Case::info(
        "heroku.config.complete",
        "Every config var listed in the manifest is set.",
        citation::kensa("a listed name that is missing is a warning"),
        |target| Box::pin(complete(target)),
    )
    .needs(&[Capability::Synchronous, Capability::ConfigVars]),
    Case::must(
        "heroku.config.plan-change",
        "Config vars in the response to a plan change follow the same rules.",
        citation::reference_v1("a plan change may send config, under the rules of a provision"),
        |target| Box::pin(plan_change(target)),
    )
    .needs(&[Capability::Synchronous, Capability::PlanChange, Capability::SecondPlan]),
    Case::should(
        "heroku.config.apart",
        "Two customers get different secrets.",
        citation::practice("one customer's credentials must not give access to another's resource"),
        |target| Box::pin(apart(target)),
    )
    .needs(&[Capability::Synchronous]),
];

/// Creates a resource; skips the check unless its config vars are an object of strings.
async fn resource_with_config(target: &Target) -> Result<Resource, Stop> {
    let resource = target.new_resource().await?;
    match resource.response.require(rules::config_is_strings) {
        Ok(()) => Ok(resource),
        Err(_) => Err(Stop::skipped("the config vars are not an object of strings (see heroku.config.object)")),
    }
}

async fn object(target: &Target) -> Verdict {
    target.new_resource().await?.response.require(rules::config_is_strings)
}

async fn listed(target: &Target) -> Verdict {
    let resource = resource_with_config(target).await?;
    resource.response.require(|parts| rules::config_is_listed(&target.config_vars, parts))
}

async fn urls(target: &Target) -> Verdict {
    resource_with_config(target).await?.response.require(rules::config_has_valid_urls)
}

async fn size(target: &Target) -> Verdict {
    resource_with_config(target).await?.response.require(rules::config_fits)
}

async fn no_nul(target: &Target) -> Verdict {
    resource_with_config(target).await?.response.require(rules::config_is_without_nul)
}

async fn public_urls(target: &Target) -> Verdict {
    resource_with_config(target).await?.response.require(rules::config_has_public_urls)
}

async fn complete(target: &Target) -> Verdict {
    let resource = resource_with_config(target).await?;
    let config = resource.response.require(rules::config)?;
    let missing: Vec<_> = target.config_vars.iter().filter(|name| !config.contains_key(*name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(resource.response.fault(
        format!("The manifest lists {}, but the response does not set it.", missing.join(", ")),
        "No action is required if it is set later, or on other plans. Otherwise remove it from the manifest.",
    ))
}

async fn plan_change(target: &Target) -> Verdict {
    let resource = resource_with_config(target).await?;
    let response = target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?;
    if !response.is_success() {
        let status = response.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    if response.body().is_empty() {
        return Ok(()); // see heroku.plan-change.json
    }
    response.require(rules::config_is_strings)?;
    response.require(|parts| rules::config_is_listed(&target.config_vars, parts))?;
    response.require(rules::config_has_valid_urls)?;
    response.require(rules::config_fits)?;
    response.require(rules::config_is_without_nul)
}

async fn apart(target: &Target) -> Verdict {
    let (one, other) = (resource_with_config(target).await?, resource_with_config(target).await?);
    let (first, second) = (one.response.require(rules::config)?, other.response.require(rules::config)?);
    let has_secret =
        |config: &Map<String, Value>| config.values().any(|value| value.as_str().is_some_and(looks_secret));
    if first == second && has_secret(&first) {
        return Err(other.response.fault(
            "Two resources have identical config vars.",
            "Generate credentials for every resource: otherwise a deprovisioned customer keeps access.",
        ));
    }
    Ok(())
}

/// Returns whether a value is likely to be a secret: a URL with a user, or a long text that is not a URL.
pub(super) fn looks_secret(value: &str) -> bool {
    match value.split_once("://") {
        Some((_, rest)) => rest.split('/').next().unwrap_or_default().contains('@'),
        None => value.len() >= 16 && !value.contains(char::is_whitespace),
    }
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn tokens_and_urls_with_a_user_look_secret() {
        assert!(looks_secret("lt_9f2b4c6d8e0a1b3c") && looks_secret("https://u4:pw@eu1.lantern.example/t4"));
        assert!(
            !looks_secret("https://counts.example/counters")
                && !looks_secret("eu-1")
                && !looks_secret("for a good long time")
        );
    }
}
