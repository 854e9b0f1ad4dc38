//! Reads of resources.

use super::citation::{example, practice, reference};
use super::rules;
use super::skip_unless_ok;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const READ: Citation = reference("GET of a resource is 200, with its fields");
const UNKNOWN: Citation = example("404 to a read of an unknown resource");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.resource.read", "A resource is read with 200.", READ, |target| Box::pin(read(target))),
    Case::must("vercel.resource.fields", "A read has the fields of a resource.", READ, |target| {
        Box::pin(fields(target))
    }),
    Case::must(
        "vercel.resource.same",
        "A read has the id, product, name and metadata of the provision.",
        READ,
        |target| Box::pin(same(target)),
    ),
    Case::must(
        "vercel.resource.no-secrets",
        "A read has no secrets.",
        reference("secrets are in the response to a provision only"),
        |target| Box::pin(no_secrets(target)),
    ),
    Case::must("vercel.resource.unknown", "A read of an unknown resource is answered 404.", UNKNOWN, |target| {
        Box::pin(unknown(target, "an-unknown-resource"))
    }),
    Case::should(
        "vercel.resource.odd-ids",
        "Reads with odd ids are answered 404.",
        practice("no input causes a server error"),
        |target| Box::pin(odd_ids(target)),
    ),
];

async fn read(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.read(&resource)).await?;
    response.must_be(&[200], "Serve GET …/resources/{id}, with the id of the provision.").map(drop)
}

async fn fields(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.read(&resource)).await?;
    skip_unless_ok(&response, "a read", "resource.read")?;
    rules::resource(&response).map(drop)
}

async fn same(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.read(&resource)).await?;
    skip_unless_ok(&response, "a read", "resource.read")?;
    let body = response.json().unwrap_or_default();
    match ["id", "productId", "name", "metadata"].into_iter().find(|field| body[field] != resource.body[field]) {
        None => Ok(()),
        Some(field) => {
            let message = format!("{field} differs from the response to the provision.");
            Err(response.fault(message, "Record what was sent: Vercel shows what is read."))
        }
    }
}

async fn no_secrets(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.read(&resource)).await?;
    skip_unless_ok(&response, "a read", "resource.read")?;
    rules::has_no_secrets(&response)
}

async fn unknown(target: &Target, id: &str) -> Verdict {
    let installation = target.new_resource().await?.installation;
    let unknown = Resource { installation, id: id.to_owned(), body: serde_json::Value::Null };
    target.wire.send(target.read(&unknown)).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn odd_ids(target: &Target) -> Verdict {
    let installation = target.new_resource().await?.installation;
    for id in ["%00", "..%2F..", "%FF", "%E6%9D%B1", "' OR 1=1 --", "-1", &"9".repeat(40), &"a".repeat(2_000)] {
        let path = format!("/v1/installations/{}/resources/{}", installation.id(), id.replace(' ', "%20"));
        let unknown =
            Resource { installation: installation.clone(), id: "a".to_owned(), body: serde_json::Value::Null };
        let response = target.wire.send(target.read(&unknown).path(path)).await?;
        response.to(format!("a read of {id}")).must_be(&[400, 403, 404, 414], "Answer 404.")?;
    }
    Ok(())
}
