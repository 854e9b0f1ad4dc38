//! Provisions.

use maitre_testkit::{Call, Json};
use serde_json::{Value, json};

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::resource::Resource;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

/// Number of concurrent provisions.
const MANY: usize = 16;

const REFUSAL: &str = "Answer 422 with {\"message\": \"…\"}, which the customer sees.";

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let clauses = &M::CONTRACT.clauses;
    let tolerant = Clause::practice("a marketplace adds fields at any time");
    vec![
        case("provision.succeeds", "A provision succeeds.", clauses.provisioned, |target| Box::pin(succeeds(target))),
        case("provision.json", "The response to a provision is a JSON object.", clauses.body, |target| {
            Box::pin(is_json(target))
        }),
        case(
            "provision.content-type",
            "The response to a provision has the content type application/json.",
            clauses.body.advised(),
            |target| Box::pin(content_type(target)),
        ),
        case("provision.id", "The response has an id: a string that is not empty.", clauses.id, |target| {
            Box::pin(id(target))
        }),
        case("provision.id-works", "Later requests find the resource.", clauses.id, |target| {
            Box::pin(id_works(target))
        }),
        case("provision.ids-differ", "Different resources have different ids.", clauses.id, |target| {
            Box::pin(ids_differ(target))
        }),
        case("provision.config-strings", "Names and values of config vars are strings.", clauses.config, |target| {
            Box::pin(config_strings(target))
        })
        .needs(&[Capability::Synchronous]),
        case("provision.message", "The message, if there is one, is a string.", clauses.message, |target| {
            Box::pin(message(target))
        }),
        case(
            "provision.documented-fields",
            "Documented variations of a provision succeed.",
            clauses.fields,
            |target| Box::pin(documented_fields(target)),
        ),
        case(
            "provision.required-fields-only",
            "A provision with the required fields only succeeds.",
            clauses.minimal,
            |target| Box::pin(required_fields_only(target)),
        ),
        case("provision.unknown-fields", "Unknown fields are ignored.", tolerant, |target| {
            Box::pin(unknown_fields(target))
        }),
        case("provision.charset", "A content type with a charset is accepted.", CHARSET, |target| {
            Box::pin(charset(target))
        }),
        case("provision.unknown-plan", "An unknown plan is answered 422 with a message.", clauses.refusal, |target| {
            Box::pin(unknown_plan(target))
        }),
        case(
            "provision.missing-plan",
            "A provision without a plan is answered with a client error.",
            clauses.missing_plan,
            |target| Box::pin(missing_plan(target)),
        ),
        case(
            "provision.missing-key",
            "A provision without a required field is answered with a client error.",
            Clause::practice("a request that cannot be attributed is refused"),
            |target| Box::pin(missing_key(target)),
        ),
        case(
            "provision.many-at-once",
            "Sixteen different provisions succeed concurrently, each with its own id.",
            Clause::practice("customers provision concurrently"),
            |target| Box::pin(many_at_once(target)),
        ),
    ]
}

const CHARSET: Clause = Clause::rfc(9110, "a media type may have parameters");

/// Requires one of the statuses of a successful provision.
pub(super) fn must_succeed<M: BasicMarketplace>(response: &Response, advice: &str) -> Verdict {
    let advice = match response.status() {
        404 | 405 => "Check the registered base URL and your routes: provisions are posted to exactly this URL.",
        500.. => "Look in the add-on's log for the error behind this response.",
        _ => advice,
    };
    response.must_be(M::CONTRACT.provisioned, advice).map(drop)
}

async fn succeeds<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = target.send(target.provision()).await?;
    must_succeed::<M>(&response, "All fields of this request are documented. Ignore those that you do not need.")
}

/// Returns the successful response to a provision; skips the check otherwise.
async fn success<M: BasicMarketplace>(target: &Target<M>) -> Result<Response, Stop> {
    let response = target.send(target.provision()).await?;
    if response.is_success() {
        return Ok(response);
    }
    let (status, marketplace) = (response.status(), M::CONTRACT.marketplace);
    Err(Stop::skipped(format!("a provision is answered {status} (see {marketplace}.provision.succeeds)")))
}

async fn is_json<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    success(target).await?.object().map(drop)
}

async fn content_type<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    success(target).await?.require(rules::has_json_type)
}

async fn id<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = success(target).await?;
    let advice = "Send an id that later requests can use, as a string.";
    match response.object()?.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        Some(Value::String(_)) => Err(response.fault("The id is empty.", advice)),
        Some(other) => Err(response.fault(format!("The id is {other}, which is not a string."), advice)),
        None => Err(response.fault("The response has no id.", advice)),
    }
}

async fn id_works<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let resource = target.new_resource().await?;
    let advice = "Find the resource by the id in the path.";
    let change = target.change(&resource, target.plan()).await?.to("a plan change");
    if matches!(change.status(), 404 | 410) {
        return Err(change.wrong_status("a success or 422", advice));
    }
    let removal = target.delete(&resource).await?.to("a deprovision");
    if matches!(removal.status(), 404 | 410) {
        return Err(removal.wrong_status("a success", advice));
    }
    Ok(())
}

async fn ids_differ<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let create = || target.create(target.provision());
    let (one, other) = tokio::join!(create(), create());
    let (one, other) = (one?, other?);
    if one.id == other.id {
        return Err(other.response.fault(
            format!("Two different provisions got the same id, {}.", one.id),
            "Create a separate resource with a separate id for every key.",
        ));
    }
    Ok(())
}

async fn config_strings<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    success(target).await?.require(rules::config_is_strings)
}

/// Requires that the manifest lists all config vars of a provision.
pub(super) async fn config_listed<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let response = success(target).await?;
    let config = response.require(rules::config)?;
    match config.keys().find(|name| !target.addon.config_vars.contains(name)) {
        None => Ok(()),
        Some(name) => Err(response.fault(
            format!("The response sets {name}, which is not listed in the manifest's config_vars."),
            format!("Add {name} to config_vars, or do not send it."),
        )),
    }
}

async fn message<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    success(target).await?.require(rules::message_is_string)
}

/// Sends an unusual provision and requires a success.
async fn must_work<M: BasicMarketplace>(
    target: &Target<M>,
    provision: Call<Json>,
    description: &str,
    advice: &str,
) -> Verdict {
    target.require_provision().await?;
    must_succeed::<M>(&target.send(provision).await?.to(description), advice)
}

async fn documented_fields<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    for (description, provision) in target.market().documented_provisions(target.plan()) {
        must_work(target, provision, description, "Accept all documented forms of a field.").await?;
    }
    Ok(())
}

async fn required_fields_only<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let provision = target.with_options(target.market().minimal_provision(target.plan()));
    must_work(target, provision, "a provision with the required fields only", "Treat all other fields as optional.")
        .await
}

async fn unknown_fields<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let provision = target.provision().set("feature_of_next_year", json!({ "on": [true, null, 1.5] })).set("zone", "b");
    must_work(target, provision, "unknown fields", "Ignore unknown fields.").await
}

async fn charset<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let provision = target.provision().header("content-type", "application/json; charset=utf-8");
    must_work(target, provision, "a content type with a charset", "Compare the media type without its parameters.")
        .await
}

/// Requires a refusal with a message that the customer sees.
pub(super) fn must_be_refused_with_message<M: BasicMarketplace>(response: &Response) -> Verdict {
    response.must_be(&[422], REFUSAL)?;
    let body = response.json().unwrap_or_default();
    let is_text = |name: &&str| body[*name].as_str().is_some_and(|text| !text.trim().is_empty());
    if M::CONTRACT.reasons.iter().any(is_text) {
        return Ok(());
    }
    Err(response.fault("The 422 has no message, so the customer does not see a reason.", REFUSAL))
}

async fn unknown_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let response = target.send(target.provision().set(M::CONTRACT.plan, target.unknown_plan())).await?;
    if response.is_success() {
        return Err(Stop::skipped("the add-on accepts any plan, so a refusal could not be observed"));
    }
    must_be_refused_with_message::<M>(&response.to("an unknown plan"))
}

async fn missing_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let response = target.send(target.provision().without(M::CONTRACT.plan)).await?.to("a provision without a plan");
    response.must_be_refused("Answer 400, or 422 with a message.")
}

async fn missing_key<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let field = M::CONTRACT.required;
    let response = target.send(target.provision().without(field)).await?.to(format!("a provision without {field}"));
    response.must_be_refused("Answer 400, or 422 with a message.")
}

async fn many_at_once<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let calls: Vec<_> = (0..MANY).map(|_| target.provision()).collect();
    let responses = target.wire.send_all(calls.clone()).await?;
    let mut ids = Vec::new();
    for (call, response) in calls.into_iter().zip(responses) {
        let response = response.to("one of sixteen concurrent provisions");
        must_succeed::<M>(&response, "Let provisions of different keys run concurrently.")?;
        let resource = Resource::from_response::<M>(call, response)?;
        if ids.contains(&resource.id) {
            return Err(resource.response.fault(
                format!("Two of sixteen concurrent provisions got the id {}.", resource.id),
                "Generate ids that are unique also under concurrency, or return the key.",
            ));
        }
        ids.push(resource.id);
    }
    Ok(())
}
