//! The installation in the path and the one of the token.

use maitre_testkit::{Call, Json};

use super::citation::{authentication, practice, reference};
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const OWN: Citation = authentication("installation_id is the installation that the token is for");
const UNDER: Citation = reference("a resource is under its installation");
const REFUSED: Citation = practice("vendors in production answer 400 or 403");

const ADVICE: &str =
    "Compare the installation in the path with installation_id of the token, and answer 403 if they differ.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.path.reads", "A token of another installation reads nothing.", OWN, |target| {
        Box::pin(foreign_token(target, Target::read))
    }),
    Case::should(
        "vercel.path.provisions",
        "A token of another installation is refused for a provision.",
        REFUSED,
        |target| Box::pin(foreign_token(target, |target, resource| target.provision(&resource.installation))),
    ),
    Case::should(
        "vercel.path.installs",
        "A token of another installation is refused for an installation.",
        REFUSED,
        |target| Box::pin(foreign_token(target, |target, resource| target.vercel.install(&resource.installation))),
    ),
    Case::must("vercel.path.updates", "A token of another installation changes nothing.", OWN, |target| {
        Box::pin(foreign_token(target, |target, resource| target.rename(resource, "renamed")))
    }),
    Case::must("vercel.path.rotates", "A token of another installation rotates nothing.", OWN, |target| {
        Box::pin(foreign_token(target, Target::rotate))
    }),
    Case::must("vercel.path.deprovisions", "A token of another installation deprovisions nothing.", OWN, |target| {
        Box::pin(no_effect(target, Target::deprovision))
    }),
    Case::must("vercel.path.uninstalls", "A token of another installation uninstalls nothing.", OWN, |target| {
        Box::pin(no_effect(target, |target, resource| target.vercel.uninstall(&resource.installation)))
    }),
    Case::should(
        "vercel.path.no-installation",
        "A token without an installation is refused for one.",
        practice("installation_id may be null"),
        |target| Box::pin(no_installation(target)),
    ),
    Case::must("vercel.path.foreign-read", "A resource is not read under another installation.", UNDER, |target| {
        Box::pin(foreign_resource(target, Target::read))
    }),
    Case::must(
        "vercel.path.foreign-update",
        "A resource is not changed under another installation.",
        UNDER,
        |target| Box::pin(foreign_resource(target, |target, resource| target.rename(resource, "renamed"))),
    ),
    Case::must(
        "vercel.path.foreign-rotate",
        "A resource is not rotated under another installation.",
        UNDER,
        |target| Box::pin(foreign_resource(target, Target::rotate)),
    ),
    Case::must(
        "vercel.path.foreign-deprovision",
        "A resource is not deprovisioned under another installation.",
        UNDER,
        |target| Box::pin(foreign_deprovision(target)),
    ),
];

async fn foreign_token(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    let (resource, other) = (target.new_resource().await?, target.installed().await?);
    let call = call(target, &resource).bearer(&target.token(&other).sign());
    target.wire.send(call).await?.must_be_refused(ADVICE)
}

async fn no_effect(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    let (resource, other) = (target.new_resource().await?, target.installed().await?);
    target.wire.send(call(target, &resource).bearer(&target.token(&other).sign())).await?;
    target.must_exist(&resource, true, "after a request with a token of another installation").await
}

async fn no_installation(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let token = target.platform.system_token(&resource.installation).without_claim("installation_id").sign();
    let call = target.read(&resource).bearer(&token).header("x-vercel-auth", "system");
    target.wire.send(call).await?.must_be_refused(ADVICE)
}

/// Returns a resource in the path of another installation, whose token is right.
async fn moved(target: &Target) -> Result<(Resource, Resource), crate::verdict::Stop> {
    let (resource, other) = (target.new_resource().await?, target.installed().await?);
    let moved = Resource { installation: other, id: resource.id.clone(), body: resource.body.clone() };
    Ok((resource, moved))
}

async fn foreign_resource(target: &Target, call: fn(&Target, &Resource) -> Call<Json>) -> Verdict {
    let (_, moved) = moved(target).await?;
    let response = target.wire.send(call(target, &moved)).await?;
    response.must_be_refused("Find a resource by its installation and its id, and answer 404.")
}

async fn foreign_deprovision(target: &Target) -> Verdict {
    let (resource, moved) = moved(target).await?;
    target.wire.send(target.deprovision(&moved)).await?;
    target.must_exist(&resource, true, "after its deprovision under another installation").await
}
