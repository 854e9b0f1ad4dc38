//! Bodies of errors.

use super::citation;
use super::rules;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const FIELDS: Citation = citation::errors("error and description are non-empty strings, if they are present");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.errors.fields",
        "The fields error and description of an error are non-empty strings, or absent.",
        FIELDS,
        |target| Box::pin(fields(target)),
    ),
    Case::should("osb.errors.json", "An error has a body that is a JSON object.", FIELDS, |target| {
        Box::pin(json(target))
    }),
    Case::should(
        "osb.errors.description",
        "A malformed provision and a conflict are answered with a description.",
        citation::errors("a user-facing error message explaining why the request failed"),
        |target| Box::pin(description(target)),
    ),
    Case::should(
        "osb.errors.no-inner-life",
        "Errors do not contain a stack trace or the password.",
        citation::practice("errors are shown to users of the platform"),
        |target| Box::pin(no_inner_life(target)),
    ),
];

/// Returns errors of several kinds.
async fn errors(target: &Target) -> Result<Vec<Response>, Stop> {
    let (osb, wire) = (&target.osb, &target.wire);
    let instance = target.new_instance().await?;
    let other = osb.provision(&instance).set("space_guid", "another-space");
    let responses = vec![
        wire.send(osb.provision(&target.instance()?).without("plan_id")).await?.to("a provision without plan_id"),
        wire.send(osb.provision(&target.instance()?).body("{")).await?.to("a provision that is not JSON"),
        wire.send(other).await?.to("a provision in another space"),
        wire.send(osb.deprovision(&target.instance()?)).await?.to("a DELETE of an unknown instance"),
        wire.send(osb.catalog().without_credentials()).await?.to("a request without credentials"),
    ];
    Ok(responses.into_iter().filter(|response| (400..500).contains(&response.status())).collect())
}

async fn fields(target: &Target) -> Verdict {
    for response in errors(target).await? {
        if response.json().is_some_and(|body| body.is_object()) {
            rules::error(&response)?;
        }
    }
    Ok(())
}

async fn json(target: &Target) -> Verdict {
    for response in errors(target).await? {
        if response.json().is_none_or(|body| !body.is_object()) {
            return Err(response.fault(
                format!("The body of the {} is not a JSON object.", response.status()),
                "Answer errors with {\"description\": \"…\"}, or {} for a 410.",
            ));
        }
    }
    Ok(())
}

async fn description(target: &Target) -> Verdict {
    for response in errors(target).await?.iter().filter(|response| matches!(response.status(), 400 | 409)) {
        if response.json().is_none_or(|body| body["description"].as_str().is_none_or(str::is_empty)) {
            return Err(response.fault(
                format!("The {} has no description.", response.status()),
                "Explain in description what is wrong: platforms show it to the user.",
            ));
        }
    }
    Ok(())
}

async fn no_inner_life(target: &Target) -> Verdict {
    let traces = [
        "Traceback (most recent",
        "\n    at ",
        "stack backtrace",
        "panicked at",
        "SQLSTATE",
        "\"stack\":",
        "\"trace\":",
    ];
    for response in errors(target).await? {
        let text = response.text();
        if traces.iter().any(|trace| text.contains(trace)) || text.contains(&target.password) {
            return Err(response.fault(
                "The error contains a stack trace or the password.",
                "Log details, and answer with a sentence for the user.",
            ));
        }
    }
    Ok(())
}
