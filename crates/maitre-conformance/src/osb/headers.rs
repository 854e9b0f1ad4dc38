//! Headers: the version of the API, and the identities of request and user.

use serde_json::json;

use super::citation;
use super::route::Route;
use super::rules;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const VERSION: Citation = citation::headers("a broker rejects versions that it does not support with 412");
const ECHO: Citation = citation::headers("a broker should include the request identity in the response");

const VERSION_HEADER: &str = "x-broker-api-version";
const REQUEST_IDENTITY: &str = "x-broker-api-request-identity";

const ADVICE: &str = "Answer 412 with a description that names the supported version.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "osb.headers.version-missing",
        "A request without the version header is answered 412 (or 400).",
        citation::headers("requests must contain the version header"),
        |target| Box::pin(missing(target)),
    ),
    Case::should(
        "osb.headers.version-empty",
        "A request with an empty version header is answered 412 (or 400).",
        citation::headers("the version is in the format MAJOR.MINOR"),
        |target| Box::pin(empty(target)),
    ),
    Case::should("osb.headers.version-unsupported", "Version 1.0 is answered 412.", VERSION, |target| {
        Box::pin(unsupported(target))
    }),
    Case::must(
        "osb.headers.version-newer",
        "A newer minor version is accepted.",
        citation::headers("minor API revisions will always be additive"),
        |target| Box::pin(accepted(target, &["2.18", "2.99"])),
    ),
    Case::should(
        "osb.headers.version-older",
        "Versions from 2.13 on are accepted.",
        citation::kotlin_checker("declares 2.13, 2.14 or 2.15; IBM Cloud declares 2.12"),
        |target| Box::pin(accepted(target, &["2.13", "2.14", "2.15", "2.16"])),
    ),
    Case::should(
        "osb.headers.version-before-the-body",
        "A provision without a body and without the version header is answered 412 (or 400), and without a server error.",
        citation::kotlin_checker("sends requests without body, content type and version, and requires 412"),
        |target| Box::pin(version_before_the_body(target)),
    ),
    Case::should(
        "osb.headers.version-description",
        "A 412 has a description.",
        citation::headers("a broker provides a message that informs the operator of the version to use"),
        |target| Box::pin(version_description(target)),
    ),
    Case::should(
        "osb.headers.request-identity",
        "The request identity is repeated in a successful response.",
        ECHO,
        |target| Box::pin(echo(target, false)),
    ),
    Case::should(
        "osb.headers.request-identity-on-errors",
        "The request identity is repeated in an error response.",
        ECHO,
        |target| Box::pin(echo(target, true)),
    ),
    Case::must(
        "osb.headers.originating-identity",
        "Requests with an originating identity of Cloud Foundry and of Kubernetes are accepted.",
        citation::headers("platforms may support the originating identity"),
        |target| Box::pin(originating_identity(target)),
    ),
    Case::should(
        "osb.headers.malformed-identity",
        "A malformed originating identity causes no server error.",
        citation::practice("no input causes a server error"),
        |target| Box::pin(malformed_identity(target)),
    ),
];

async fn missing(target: &Target) -> Verdict {
    for route in [Route::Catalog, Route::Provision, Route::Deprovision] {
        let call = route.call(target)?.without_header(VERSION_HEADER);
        target.wire.send(call).await?.must_be(&[400, 412], ADVICE)?;
    }
    Ok(())
}

async fn empty(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog().version("")).await?;
    response.must_be(&[400, 412], ADVICE).map(drop)
}

async fn unsupported(target: &Target) -> Verdict {
    for route in [Route::Catalog, Route::Provision] {
        let response = target.wire.send(route.call(target)?.version("1.0")).await?;
        response.must_be(&[412], ADVICE)?;
    }
    Ok(())
}

async fn accepted(target: &Target, versions: &[&str]) -> Verdict {
    for version in versions {
        let response = target.wire.send(target.osb.catalog().version(version)).await?;
        let advice = "Accept every minor version of 2: a newer platform only adds optional fields.";
        response.to(format!("version {version}")).must_be(&[200], advice)?;
    }
    Ok(())
}

async fn version_before_the_body(target: &Target) -> Verdict {
    let call = Route::Provision.call(target)?.without_header(VERSION_HEADER).without_header("content-type").body("");
    target.wire.send(call).await?.must_be(&[400, 412], ADVICE).map(drop)
}

async fn version_description(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog().version("1.0")).await?;
    if response.status() != 412 {
        return Err(Stop::skipped("version 1.0 is not answered 412 (see osb.headers.version-unsupported)"));
    }
    match rules::error(&response)?.get("description") {
        Some(_) => Ok(()),
        None => Err(response.fault("The 412 has no description.", ADVICE)),
    }
}

fn has_identity(response: &Response, identity: &str) -> Verdict {
    if response.header(REQUEST_IDENTITY) == Some(identity) {
        return Ok(());
    }
    Err(response.fault(
        "The response does not repeat X-Broker-API-Request-Identity.",
        "Copy the header of the request into every response, also into errors.",
    ))
}

async fn echo(target: &Target, of_error: bool) -> Verdict {
    let identity = "4f8a1c6e-0d2b-4a7e-9c35-b1f2e3d4c5a6";
    let call = if of_error { Route::Provision.call(target)?.without("plan_id") } else { target.osb.catalog() };
    let response = target.wire.send(call.request_identity(identity)).await?;
    if response.is_success() == of_error {
        let cause = if of_error { "osb.provision.missing-plan" } else { "osb.catalog.succeeds" };
        return Err(Stop::skipped(format!("the request is answered {} (see {cause})", response.status())));
    }
    has_identity(&response, identity)
}

async fn originating_identity(target: &Target) -> Verdict {
    let cloud_foundry = json!({ "user_id": "683ea748-3092-4ff4-b656-39cacc4d5360" });
    let kubernetes = json!({ "username": "duke", "uid": "c2dde242-5ce4-11e7-988c-000c2946f14f",
        "groups": ["admin"], "extra": { "mydata": ["data1"] } });
    for (platform, user) in [("cloudfoundry", cloud_foundry), ("kubernetes", kubernetes)] {
        let call = target.osb.catalog().originating_identity(platform, &user);
        let response = target.wire.send(call).await?.to(format!("an originating identity of {platform}"));
        response.must_be(&[200], "Ignore the header if you do not need it.")?;
    }
    Ok(())
}

async fn malformed_identity(target: &Target) -> Verdict {
    for value in ["cloudfoundry", "cloudfoundry %%%", "cloudfoundry e30=x", "cloudfoundry W10=", "", " "] {
        let call = target.osb.catalog().header("x-broker-api-originating-identity", value);
        rules::is_handled(&target.wire.send(call).await?.to(format!("the originating identity {value:?}")))?;
    }
    Ok(())
}
