//! Unusual requests.

use std::time::Duration;

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::provision::must_succeed;
use super::target::Target;
use crate::check::Case;
use crate::verdict::Verdict;

const HANDLED: Clause = Clause::practice("no input causes a server error");

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    vec![
        case("robustness.odd-ids", "Unusual ids in a path cause no server error.", HANDLED, |target| {
            Box::pin(odd_ids(target))
        }),
        case(
            "robustness.other-methods",
            "Other methods are answered with a client error.",
            Clause::rfc(9110, "405 is the status of a method that the target resource does not support"),
            |target| Box::pin(other_methods(target)),
        ),
        case("robustness.unknown-path", "An unknown path is answered with a client error.", HANDLED, |target| {
            Box::pin(unknown_path(target))
        }),
        case(
            "robustness.slow-caller",
            "A provision whose body takes half a second succeeds.",
            Clause::practice("marketplaces are far away"),
            |target| Box::pin(slow_caller(target)),
        ),
    ]
}

async fn odd_ids<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let long = "a".repeat(1_000);
    for id in [long.as_str(), "a b", "ä-日本", "100%25", "a/b", "..", "a?b#c", "a\0b", "a\r\nb", "\u{1b}[31m"] {
        for call in [target.market().plan_change(id, target.plan()), target.market().deprovision(id)] {
            let response = target.send(call).await?.to("an unusual id");
            if response.is_server_error() {
                return Err(response.wrong_status("404", "Answer 404 to every id that you did not send."));
            }
        }
    }
    Ok(())
}

async fn other_methods<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.shared_resource().await?;
    let call = target.market().plan_change(&resource.name, target.plan());
    for call in [target.provision().method("DELETE"), call.method("POST")] {
        target.send(call).await?.must_be_refused("Answer 405 with an Allow header.")?;
    }
    Ok(())
}

async fn unknown_path<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    for path in ["/resourcez", "/resources/7/extra/path"] {
        let response = target.send(target.provision().path(path)).await?.to(format!("a POST to {path}"));
        response.must_be_refused("Answer 404.")?;
    }
    Ok(())
}

async fn slow_caller<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let response = target.send(target.provision().slow_body(5, Duration::from_millis(100))).await?;
    must_succeed::<M>(&response.to("a provision whose body arrives slowly"), "Wait some seconds for the body.")
}
