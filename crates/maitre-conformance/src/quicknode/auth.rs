//! Basic credentials.

use maitre_testkit::{Call, Json};
use serde_json::Value;

use super::target::{Endpoint, Target};
use super::{checker, guide, practice};
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const MISSING: Citation = checker("401 to a request without credentials, with empty values");
const WRONG: Citation = guide("Basic credentials, which QuickNode issues");

const ADVICE: &str = "Compare user and password on every route, and answer 401 before the body is parsed.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("quicknode.auth.right-credentials", "The issued credentials are accepted.", WRONG, |target| {
        Box::pin(right_credentials(target))
    }),
    Case::must("quicknode.auth.provision", "A provision without credentials is answered 401.", MISSING, |target| {
        Box::pin(probe(target, Target::provision))
    }),
    Case::must("quicknode.auth.update", "An update without credentials is answered 401.", MISSING, |target| {
        Box::pin(probe(target, Target::update))
    }),
    Case::must("quicknode.auth.deactivate", "A deactivation without credentials is answered 401.", MISSING, |target| {
        Box::pin(probe(target, Target::deactivate))
    }),
    Case::must("quicknode.auth.deprovision", "A deprovision without credentials is answered 401.", MISSING, |target| {
        Box::pin(probe(target, Target::deprovision))
    }),
    Case::must("quicknode.auth.wrong-password", "A wrong password is answered 401.", WRONG, |target| {
        Box::pin(refuses(target, |target, call| call.credentials(&target.user, "a-wrong-password")))
    }),
    Case::must("quicknode.auth.wrong-user", "A wrong user is answered 401.", WRONG, |target| {
        Box::pin(refuses(target, |target, call| call.credentials(&format!("not-{}", target.user), &target.password)))
    }),
    Case::must("quicknode.auth.no-scheme", "Credentials without the scheme Basic are answered 401.", WRONG, |target| {
        Box::pin(refuses(target, |_, call| {
            let header = call.request().header("authorization").unwrap_or_default().replace("Basic ", "");
            call.authorization(header)
        }))
    }),
    Case::should(
        "quicknode.auth.before-body",
        "A body that is not JSON is answered 401 without credentials.",
        practice("a caller without credentials learns nothing"),
        |target| Box::pin(refuses(target, |_, call| call.without_credentials().body("not JSON"))),
    ),
    Case::must("quicknode.auth.no-effect", "A deprovision with a wrong password has no effect.", WRONG, |target| {
        Box::pin(no_effect(target))
    }),
];

async fn right_credentials(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision(&target.new_ids())).await?;
    if response.status() == 401 {
        return Err(
            response.wrong_status("another status than 401", "Compare with the user and password of the portal.")
        );
    }
    Ok(())
}

/// Sends the request of the checker: without credentials, and with empty values.
async fn probe(target: &Target, call: fn(&Target, &Endpoint) -> Call<Json>) -> Verdict {
    let mut call = call(target, &target.new_ids()).without_credentials();
    for (name, value) in call.fields() {
        let empty = if value.is_array() { Value::Null } else { "".into() };
        call = call.set(name, empty);
    }
    target.wire.send(call).await?.must_be(&[401], ADVICE).map(drop)
}

async fn refuses(target: &Target, forge: fn(&Target, Call<Json>) -> Call<Json>) -> Verdict {
    let endpoint = target.new_endpoint().await?;
    for call in [target.update(&endpoint), target.deactivate(&endpoint), target.deprovision(&endpoint)] {
        target.wire.send(forge(target, call)).await?.must_be(&[401], ADVICE)?;
    }
    let response = target.wire.send(forge(target, target.provision(&target.new_ids()))).await?;
    response.must_be(&[401], ADVICE).map(drop)
}

async fn no_effect(target: &Target) -> Verdict {
    target.require_updates().await?;
    let endpoint = target.new_endpoint().await?;
    target.wire.send(target.deprovision(&endpoint).credentials(&target.user, "a-wrong-password")).await?;
    target.must_exist(&endpoint, true, "after a deprovision with a wrong password").await
}
