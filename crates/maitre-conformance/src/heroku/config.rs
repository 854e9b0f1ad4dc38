//! The config vars of an answer.

use serde_json::{Map, Value};

use super::{Subject, clause};
use crate::check::{Capability, Case};
use crate::rules::{are_listed, are_texts, config};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.config.object",
        "Config vars are a JSON object of texts.",
        clause::reference_v1("config is an object of names and texts; numbers and null are refused"),
        |it| Box::pin(object(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::must(
        "heroku.config.listed",
        "Config vars are those that the manifest lists.",
        clause::kensa("every name is one of api.config_vars"),
        |it| Box::pin(listed(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::must(
        "heroku.config.urls",
        "A config var whose name ends in _URL is a URL with scheme and host.",
        clause::kensa("values of names that end in _URL have scheme and host"),
        |it| Box::pin(urls(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
    Case::info(
        "heroku.config.complete",
        "Every config var that the manifest lists is set.",
        clause::kensa("a listed name that is missing is a warning"),
        |it| Box::pin(complete(it)),
    )
    .needs(&[Capability::AnswersWhenDone, Capability::ConfigVars]),
    Case::must(
        "heroku.config.plan-change",
        "Config vars of a plan change keep the same rules.",
        clause::reference_v1("a plan change may answer config, under the rules of a provision"),
        |it| Box::pin(plan_change(it)),
    )
    .needs(&[Capability::AnswersWhenDone, Capability::SecondPlan]),
    Case::should(
        "heroku.config.apart",
        "Two customers do not get the same secrets.",
        clause::practice("what one customer was given must not open another's resource"),
        |it| Box::pin(apart(it)),
    )
    .needs(&[Capability::AnswersWhenDone]),
];

fn are_urls(seen: &Seen) -> Verdict {
    let config = config(seen)?;
    let mut texts = config.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    match texts.find(|(name, value)| name.ends_with("_URL") && !is_url(value)) {
        None => Ok(()),
        Some((name, _)) => Err(seen.fault(
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

async fn object(it: &Subject) -> Verdict {
    are_texts(&it.ordered().await?.seen)
}

async fn listed(it: &Subject) -> Verdict {
    are_listed(&it.config_vars, &it.ordered().await?.seen)
}

async fn urls(it: &Subject) -> Verdict {
    are_urls(&it.ordered().await?.seen)
}

async fn complete(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let config = config(&resource.seen)?;
    let missing: Vec<_> = it.config_vars.iter().filter(|name| !config.contains_key(*name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(resource.seen.fault(
        format!("The manifest lists {}, and the answer does not set it.", missing.join(", ")),
        "Nothing has to be done if it is set later, or on other plans. Else take it out of the manifest.",
    ))
}

async fn plan_change(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let seen = it.wire.send(it.plan_change(&resource, it.other_plan()?)).await?;
    if !seen.is_success() {
        let status = seen.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    if seen.body().is_empty() {
        return Ok(()); // see heroku.plan-change.json
    }
    are_texts(&seen)?;
    are_listed(&it.config_vars, &seen)?;
    are_urls(&seen)
}

async fn apart(it: &Subject) -> Verdict {
    let (one, other) = (it.ordered().await?, it.ordered().await?);
    let (first, second) = (config(&one.seen)?, config(&other.seen)?);
    let secret = |config: &Map<String, Value>| config.values().any(|value| value.as_str().is_some_and(looks_secret));
    if first == second && secret(&first) {
        return Err(other.seen.fault(
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
