//! The kinds of tokens: a user's, with a role, and Vercel's own.

use maitre_testkit::{Call, Json};

use super::citation::{authentication, practice, reference, rotation};
use super::rules::{PROVISIONED, REFUSED};
use super::skip_if_absent;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const READ_ONLY: Citation = authentication("the role USER is for billing and viewers, which is read-only");
const EITHER: Citation = reference("a token of a user or of the system");
const KIND: Citation = reference("X-Vercel-Auth is optional");

const ADVICE: &str = "Answer 403 to a request that changes something, unless user_role is ADMIN.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.role.viewer-provisions", "A user with the role USER provisions nothing.", READ_ONLY, |target| {
        Box::pin(viewer(target, |target, resource| target.provision(&resource.installation)))
    }),
    Case::must(
        "vercel.role.viewer-deprovisions",
        "A user with the role USER deprovisions nothing.",
        READ_ONLY,
        |target| Box::pin(viewer(target, Target::deprovision)),
    ),
    Case::must("vercel.role.viewer-uninstalls", "A user with the role USER uninstalls nothing.", READ_ONLY, |target| {
        Box::pin(viewer(target, |target, resource| target.vercel.uninstall(&resource.installation)))
    }),
    Case::must("vercel.role.viewer-updates", "A user with the role USER changes nothing.", READ_ONLY, |target| {
        Box::pin(viewer_of_optional(target, |target, resource| target.rename(resource, "renamed")))
    }),
    Case::must(
        "vercel.role.viewer-rotates",
        "A user with the role USER rotates nothing.",
        rotation("only an administrator or the system"),
        |target| Box::pin(viewer_of_optional(target, Target::rotate)),
    ),
    Case::must("vercel.role.viewer-reads", "A user with the role USER reads a resource.", READ_ONLY, |target| {
        Box::pin(viewer_reads(target))
    }),
    Case::must("vercel.role.system-deprovisions", "The system deprovisions a resource.", EITHER, |target| {
        Box::pin(system_deprovisions(target))
    }),
    Case::must("vercel.role.system-uninstalls", "The system uninstalls.", EITHER, |target| {
        Box::pin(system_uninstalls(target))
    }),
    Case::must("vercel.role.system-rotates", "The system rotates secrets.", EITHER, |target| {
        Box::pin(system_rotates(target))
    }),
    Case::should(
        "vercel.role.system-provisions",
        "The system provisions nothing.",
        reference("a provision has a token of a user"),
        |target| Box::pin(system_provisions(target)),
    ),
    Case::should(
        "vercel.role.either-reads",
        "Resources are read with a token of a user or of the system.",
        practice("Vercel does not name the kind of the token of a read"),
        |target| Box::pin(either_reads(target)),
    ),
    Case::must("vercel.role.no-kind", "A request without X-Vercel-Auth is accepted.", KIND, |target| {
        Box::pin(no_kind(target))
    }),
];

fn as_viewer(target: &Target, resource: &Resource, call: Call<Json>) -> Call<Json> {
    call.bearer(&target.token(&resource.installation).claim("user_role", "USER").sign())
}

fn as_system(target: &Target, resource: &Resource, call: Call<Json>) -> Call<Json> {
    call.bearer(&target.platform.system_token(&resource.installation).sign()).header("x-vercel-auth", "system")
}

async fn viewer(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    let resource = target.new_resource().await?;
    let call = as_viewer(target, &resource, call(target, &resource));
    target.wire.send(call).await?.must_be(REFUSED, ADVICE).map(drop)
}

async fn viewer_of_optional(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(as_viewer(target, &resource, call(target, &resource))).await?;
    skip_if_absent(&response, "this route")?;
    response.must_be(REFUSED, ADVICE).map(drop)
}

async fn viewer_reads(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(as_viewer(target, &resource, target.read(&resource))).await?;
    response.must_be(&[200], "Check the role of requests that change something only.").map(drop)
}

async fn system_deprovisions(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(as_system(target, &resource, target.deprovision(&resource))).await?;
    response.must_succeed("204", "Accept a token without a user for a deprovision.")
}

async fn system_uninstalls(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let call = as_system(target, &resource, target.vercel.uninstall(&resource.installation));
    target.wire.send(call).await?.must_succeed("200 or 204", "Accept a token without a user for an uninstallation.")
}

async fn system_rotates(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    super::rotate::rotated(target, &resource, "a-first-key").await?;
    let response = target.wire.send(as_system(target, &resource, target.rotate(&resource))).await?;
    response.must_succeed("200 or 202", "Accept a token without a user for a rotation.")
}

async fn system_provisions(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let call = as_system(target, &resource, target.provision(&resource.installation));
    target.wire.send(call).await?.must_be(REFUSED, "Require a user_id for a provision.").map(drop)
}

async fn either_reads(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    for call in [target.read(&resource), as_system(target, &resource, target.read(&resource))] {
        target.wire.send(call).await?.must_be(&[200], "Accept both kinds of tokens for a read.")?;
    }
    Ok(())
}

async fn no_kind(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    target.resource_of(&installation).await?;
    let response = target.wire.send(target.provision(&installation).without_header("x-vercel-auth")).await?;
    response.must_be(PROVISIONED, "Take the kind of the token from its claims.").map(drop)
}
