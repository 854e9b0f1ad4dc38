//! Transfers of resources to another team, in the form of the reference.

use maitre_testkit::vercel::Installation;

use super::citation::{example, reference};
use super::rules::REFUSED;
use super::skip_if_absent;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const CREATE: Citation = reference("200 with {\"providerClaimId\": \"…\"}; 403, 404, 409, 422");
const VERIFY: Citation = reference("200 with {} or {\"newBillingPlan\": …}");
const ACCEPT: Citation = reference("204 without a body");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.transfer.create", "A transfer is answered 200 with a claim.", CREATE, |target| {
        Box::pin(create(target))
    }),
    Case::must("vercel.transfer.verify", "The target can verify a transfer.", VERIFY, |target| {
        Box::pin(verify(target))
    }),
    Case::must("vercel.transfer.accept", "An accepted transfer is answered 204.", ACCEPT, |target| {
        Box::pin(accept(target))
    }),
    Case::must("vercel.transfer.moves", "The resource moves when the transfer is accepted.", MOVES, |target| {
        Box::pin(moves(target))
    }),
    Case::must("vercel.transfer.repeated", "The same target may accept again.", AGAIN, |target| {
        Box::pin(repeated(target))
    }),
    Case::must("vercel.transfer.other-target", "Another target cannot accept it afterwards.", WINNER, |target| {
        Box::pin(other_target(target))
    }),
    Case::must("vercel.transfer.unknown-claim", "An unknown claim is answered 404.", CREATE, |target| {
        Box::pin(unknown_claim(target))
    }),
    Case::must("vercel.transfer.foreign", "A resource of another installation is not transferred.", CREATE, |target| {
        Box::pin(foreign(target))
    }),
    Case::should("vercel.transfer.user", "A token of a user is refused.", SYSTEM, |target| Box::pin(user(target))),
];

const MOVES: Citation = reference("the resource belongs to the target afterwards");
const AGAIN: Citation = example("answers a repetition by the same target like the first");
const WINNER: Citation = reference("409 if the transfer is done or has expired");
const SYSTEM: Citation = reference("only system tokens transfer resources");

/// A transfer that was requested.
struct Requested {
    resource: Resource,
    target: Installation,
    response: Response,
}

impl Requested {
    /// Returns the id of the claim; skips the check without one.
    fn claim(&self) -> Result<String, Stop> {
        let body = self.response.json().unwrap_or_default();
        let claim = body["providerClaimId"].as_str().map(str::to_owned);
        claim.ok_or_else(|| Stop::skipped("a transfer is answered without a claim (see vercel.transfer.create)"))
    }
}

/// Requests a transfer; skips the check if the add-on offers none.
async fn requested(target: &Target) -> Result<Requested, Stop> {
    let resource = target.new_resource().await?;
    let call = target.vercel.request_transfer(&resource.installation, &[&resource.id]);
    let response = target.wire.send(call).await?.to("a request to transfer a resource");
    skip_if_absent(&response, "POST …/resource-transfer-requests")?;
    Ok(Requested { resource, target: target.installed().await?, response })
}

/// Requests and accepts a transfer; skips the check if that fails.
async fn accepted(target: &Target) -> Result<(Requested, String), Stop> {
    let requested = requested(target).await?;
    let claim = requested.claim()?;
    let response = target.wire.send(target.vercel.accept_transfer(&requested.target, &claim)).await?;
    super::skip_unless_ok(&response, "an accepted transfer", "transfer.accept")?;
    Ok((requested, claim))
}

async fn create(target: &Target) -> Verdict {
    let Requested { response, .. } = requested(target).await?;
    let advice = "Answer 200 with {\"providerClaimId\": \"…\"}.";
    response.must_be(&[200], advice)?;
    if response.json().unwrap_or_default()["providerClaimId"].as_str().is_some_and(|claim| !claim.is_empty()) {
        return Ok(());
    }
    Err(response.fault("The response has no providerClaimId.", advice))
}

async fn verify(target: &Target) -> Verdict {
    let requested = requested(target).await?;
    let call = target.vercel.verify_transfer(&requested.target, &requested.claim()?);
    let response = target.wire.send(call).await?.to("the verification of a transfer");
    response.must_be(&[200], "Answer 200 with {}, or with newBillingPlan.")?;
    match response.object()?.get("newBillingPlan").and_then(super::rules::plan_problem) {
        None => Ok(()),
        Some(problem) => Err(response.fault(format!("newBillingPlan is not a plan: {problem}."), "Send a plan.")),
    }
}

async fn accept(target: &Target) -> Verdict {
    let requested = requested(target).await?;
    let call = target.vercel.accept_transfer(&requested.target, &requested.claim()?);
    target.wire.send(call).await?.must_be(&[204], "Answer 204.").map(drop)
}

async fn moves(target: &Target) -> Verdict {
    let (Requested { resource, target: team, .. }, _) = accepted(target).await?;
    target.must_exist(&resource, false, "in the installation that has transferred it").await?;
    let moved = Resource { installation: team, ..resource };
    target.must_exist(&moved, true, "in the installation that has accepted it").await?;
    let response = target.wire.send(target.deprovision(&moved)).await?;
    response.must_be(&[204], "Let the new owner delete the resource.").map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let (requested, claim) = accepted(target).await?;
    let response = target.wire.send(target.vercel.accept_transfer(&requested.target, &claim)).await?;
    response.must_be(&[204], "Record the target with the claim, and answer a repetition like the first.").map(drop)
}

async fn other_target(target: &Target) -> Verdict {
    let (_, claim) = accepted(target).await?;
    let other = target.installed().await?;
    let response = target.wire.send(target.vercel.accept_transfer(&other, &claim)).await?;
    response.must_be_refused("Answer 409: another team has accepted the transfer.")
}

async fn unknown_claim(target: &Target) -> Verdict {
    let requested = requested(target).await?;
    let (team, claim) = (&requested.target, "an-unknown-claim");
    for call in [target.vercel.verify_transfer(team, claim), target.vercel.accept_transfer(team, claim)] {
        target.wire.send(call).await?.must_be(&[404], "Answer 404.")?;
    }
    Ok(())
}

async fn foreign(target: &Target) -> Verdict {
    let Requested { resource, target: other, .. } = requested(target).await?;
    let response = target.wire.send(target.vercel.request_transfer(&other, &[&resource.id])).await?;
    response.must_be_refused("Answer 404: the resource belongs to another installation.")
}

async fn user(target: &Target) -> Verdict {
    let Requested { resource, .. } = requested(target).await?;
    let call = target.vercel.request_transfer(&resource.installation, &[&resource.id]);
    let call = call.bearer(&target.token(&resource.installation).sign()).header("x-vercel-auth", "user");
    target.wire.send(call).await?.must_be(REFUSED, "Answer 403 to a token of a user.").map(drop)
}
