//! Provision requests and their responses.

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Map, Value, json};

use super::citation;
use super::target::{Target, must_be_deprovisioned};
use crate::check::{Capability, Case};
use crate::response::Response;
use crate::rules::{self, id_text};
use crate::run::CheckTarget as _;
use crate::verdict::{Stop, Verdict};

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.provision.succeeds",
        "A provision is answered 200, or 202 by an add-on that completes it later.",
        citation::reference("200 when it is done, 202 when it is done later, 422 when it cannot be done"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::info(
        "heroku.provision.status",
        "A completed provision is answered 200, not 201.",
        citation::reference("version 3 only names 200 and 202"),
        |target| Box::pin(status(target)),
    ),
    Case::must(
        "heroku.provision.json",
        "The response is a JSON object.",
        citation::reference_v1("the body of a response is valid JSON"),
        |target| Box::pin(is_json(target)),
    ),
    Case::should(
        "heroku.provision.content-type",
        "The content type of the response is JSON.",
        citation::reference_v1("responses are of type application/json"),
        |target| Box::pin(content_type(target)),
    ),
    Case::must(
        "heroku.provision.id",
        "The response contains the add-on's id of the resource, a string or an integer.",
        citation::reference("id is required with 200 and with 202"),
        |target| Box::pin(id(target)),
    ),
    Case::must(
        "heroku.provision.id-works",
        "Later requests reach the resource by the id in the response.",
        citation::reference("plan changes and deprovisions go to base_url and the id"),
        |target| Box::pin(id_works(target)),
    ),
    Case::must(
        "heroku.provision.ids-differ",
        "Two resources have different ids.",
        citation::reference_v1("id is unique across the service"),
        |target| Box::pin(ids_differ(target)),
    )
    .alone(),
    Case::must(
        "heroku.provision.ids-stay-unique",
        "The id of a deprovisioned resource is not used again.",
        citation::reference_v1("id is unique across the service"),
        |target| Box::pin(ids_stay_unique(target)),
    )
    .alone(),
    Case::must(
        "heroku.provision.id-of-its-own",
        "The id is not derived from any field of the request except the uuid.",
        citation::best_practices("names and URLs of Heroku change; use the uuid, or an id of your own"),
        |target| Box::pin(id_of_its_own(target)),
    ),
    Case::info(
        "heroku.provision.id-is-the-uuid",
        "The id is Heroku's uuid.",
        citation::best_practices("using the uuid as id is the recommendation"),
        |target| Box::pin(id_is_uuid(target)),
    ),
    Case::must(
        "heroku.provision.message",
        "The message, if there is one, is a string.",
        citation::reference_v1("message is shown to the user who installs the add-on"),
        |target| Box::pin(message(target)),
    ),
    Case::must(
        "heroku.provision.log-drain-url",
        "An add-on that requires syslog_drain sends the URL of its log drain.",
        citation::log_drains("the response carries log_drain_url, https:// or syslog://"),
        |target| Box::pin(log_drain_url(target)),
    )
    .needs(&[Capability::LogDrain, Capability::Synchronous]),
    Case::must(
        "heroku.provision.unknown-fields",
        "Unknown fields are ignored.",
        citation::reference_v1("unknown fields are accepted and ignored"),
        |target| Box::pin(unknown_fields(target)),
    ),
    Case::should(
        "heroku.provision.no-grant",
        "A provision succeeds without a grant and with a null grant.",
        citation::vendor_code("fission-suite/web-api", "oauth_grant may be null, and is absent in local tests"),
        |target| Box::pin(no_grant(target)),
    )
    .needs(&[Capability::Version3]),
    Case::should(
        "heroku.provision.grant-times",
        "The expiry of a grant is accepted in every format that Heroku has used.",
        citation::vendor_code("fission-suite/web-api", "expires_at has an offset without a colon"),
        |target| Box::pin(grant_times(target)),
    )
    .needs(&[Capability::Version3]),
    Case::should(
        "heroku.provision.version-1",
        "A provision as sent by kensa, without name and grant, succeeds.",
        citation::kensa("heroku_id, plan, callback_url, logplex_token null, region, options and uuid"),
        |target| Box::pin(version_1(target)),
    )
    .needs(&[Capability::Version3]),
    Case::should(
        "heroku.provision.options",
        "The customer's options are accepted, known or unknown, in any script.",
        citation::options("Heroku validates nothing; ignore what you do not know"),
        |target| Box::pin(options(target)),
    ),
    Case::should(
        "heroku.provision.any-accept",
        "The response does not depend on the Accept header.",
        citation::kensa("Accept: application/json"),
        |target| Box::pin(any_accept(target)),
    ),
    Case::should(
        "heroku.provision.content-type-parameters",
        "A content type with a charset is accepted.",
        citation::rfc(9110, "a media type may have parameters"),
        |target| Box::pin(content_type_parameters(target)),
    ),
    Case::must(
        "heroku.provision.other-region",
        "A provision in another region succeeds, or is refused with 422 and a message.",
        citation::private_spaces("an unsupported region is a 422 with an explanation"),
        |target| Box::pin(other_region(target)),
    ),
    Case::must(
        "heroku.provision.refusal",
        "An unknown plan is refused with 422 and a message for the customer.",
        citation::reference("a request that cannot be served is answered 422 with message"),
        |target| Box::pin(refusal(target)),
    ),
    Case::should(
        "heroku.provision.prompt",
        "A provision is answered within three seconds.",
        citation::reference_v1("answer within 3 s; after 25 s the request has failed"),
        |target| Box::pin(prompt(target)),
    )
    .alone(),
];

async fn succeeds(target: &Target) -> Verdict {
    target.wire.send(target.provision()).await?.require(rules::provision_succeeded)
}

async fn status(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let advice =
        "Answer 200. Heroku currently accepts other success statuses, but its documentation does not guarantee it.";
    resource.response.must_be(&[200, 202], advice).map(drop)
}

/// Provisions; skips the check unless the status is a success.
async fn success(target: &Target) -> Result<Response, Stop> {
    let response = target.wire.send(target.provision()).await?;
    if response.require(rules::provision_succeeded).is_ok() {
        return Ok(response);
    }
    let status = response.status();
    let cause = if matches!(status, 401 | 403) { "heroku.auth.right-credentials" } else { "heroku.provision.succeeds" };
    Err(Stop::skipped(format!("a provision is answered {status} (see {cause})")))
}

/// Provisions; skips the check unless the response is a JSON object.
async fn object(target: &Target) -> Result<Response, Stop> {
    let response = success(target).await?;
    match response.object() {
        Ok(_) => Ok(response),
        Err(_) => Err(Stop::skipped("the response is not a JSON object (see heroku.provision.json)")),
    }
}

async fn is_json(target: &Target) -> Verdict {
    success(target).await?.object().map(drop)
}

async fn content_type(target: &Target) -> Verdict {
    object(target).await?.require(rules::has_json_type)
}

async fn id(target: &Target) -> Verdict {
    object(target).await?.require(rules::has_id)
}

async fn id_works(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let advice = "Find the resource by the id that you sent, whether it is a string, a uuid or a number, as it is in the \
                  path.";
    let change = target.probe(&resource).await?;
    if target.lacks(Capability::PlanChange).is_none() && matches!(change.status(), 404 | 410) {
        return Err(change.to("a plan change by the id").wrong_status("a success or 422", advice));
    }
    let deprovision = target.wire.send(target.deprovision(&resource)).await?;
    if matches!(deprovision.status(), 404 | 410) {
        return Err(deprovision.to("a deprovision by the id").wrong_status("204", advice));
    }
    must_be_deprovisioned(&deprovision)
}

async fn ids_differ(target: &Target) -> Verdict {
    let (one, other) = target.two_resources().await?;
    if one.id == other.id {
        return Err(other.response.fault(
            format!("Two provisions with different uuids got the same id, {}.", one.id),
            "Create a separate resource with a separate id for every uuid.",
        ));
    }
    Ok(())
}

async fn ids_stay_unique(target: &Target) -> Verdict {
    let (removed, other) = target.two_resources().await?;
    if removed.id == other.id {
        return Err(Stop::skipped("two resources have the same id (see heroku.provision.ids-differ)"));
    }
    must_be_deprovisioned(&target.wire.send(target.deprovision(&removed)).await?)?;
    let next = target.create_from(target.provision()).await?;
    let earlier = match &next.id {
        id if *id == removed.id => "a deprovisioned resource",
        id if *id == other.id => "another resource",
        _ => return Ok(()),
    };
    Err(next.response.fault(
        format!("A new resource got the id {}, which belongs to {earlier}.", next.id),
        "Never reuse an id: a late deprovision or an old dashboard link would reach another customer's resource.",
    ))
}

async fn id_of_its_own(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let fields: Map<String, Value> = resource.provision.fields().into_iter().collect();
    let field = |name: &'static str| (name, fields.get(name).and_then(id_text));
    let grant = fields.get("oauth_grant").and_then(|grant| id_text(&grant["code"]));
    let app = fields.get("heroku_id").and_then(id_text).map(|id| id.chars().filter(char::is_ascii_digit).collect());
    let equal = ["plan", "region", "callback_url", "name"].map(field);
    let contained = [field("name"), field("log_drain_token"), ("oauth_grant.code", grant), ("heroku_id", app)];
    let is_equal = |(_, sent): &(_, Option<String>)| sent.as_deref() == Some(&resource.id);
    let is_contained =
        |(_, sent): &(_, Option<String>)| sent.as_ref().is_some_and(|sent| resource.id.contains(sent.as_str()));
    let source = equal.into_iter().find(is_equal).or_else(|| contained.into_iter().find(is_contained));
    match source {
        Some((name, _)) => Err(resource.response.fault(
            format!("The id is derived from the request's {name}, which may change or is secret."),
            "Use the uuid, or generate an id.",
        )),
        None => Ok(()),
    }
}

async fn id_is_uuid(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.id.eq_ignore_ascii_case(&resource.uuid) {
        return Ok(());
    }
    Err(resource.response.fault(
        "The id differs from the uuid of the request.",
        "No action is required. With the uuid as id, requests with either of them find the resource.",
    ))
}

async fn message(target: &Target) -> Verdict {
    object(target).await?.require(rules::message_is_string)
}

async fn log_drain_url(target: &Target) -> Verdict {
    object(target).await?.require(rules::has_log_drain_url)
}

/// Sends an unusual provision and requires a success.
async fn must_work(target: &Target, provision: Call<Provision>, description: &str, advice: &str) -> Verdict {
    target.wire.send(provision).await?.to(description).must_succeed("a success", advice)
}

/// Sends unusual provisions concurrently and requires that each succeeds.
async fn must_all_work<D: Into<String>>(
    target: &Target,
    provisions: impl IntoIterator<Item = (D, Call<Provision>)>,
    advice: &str,
) -> Verdict {
    let (descriptions, provisions): (Vec<_>, Vec<_>) = provisions.into_iter().unzip();
    let responses = target.wire.send_all(provisions).await?;
    let mut described = responses.into_iter().zip(descriptions);
    described.try_for_each(|(response, description)| response.to(description).must_succeed("a success", advice))
}

/// Skips a check of a variant if an ordinary provision does not work.
async fn require_ordinary_provision(target: &Target) -> Result<(), Stop> {
    target.require_provision().await
}

async fn unknown_fields(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let provision = target.provision().set("feature_of_next_year", json!({"on": [true, null, 1.5]})).set("zone", "b");
    let advice = "Ignore unknown fields: Heroku adds fields at any time.";
    must_work(target, provision, "an unknown field", advice).await
}

async fn no_grant(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let advice = "Treat oauth_grant as optional: without it there is no token to request, but everything else works.";
    let null = target.provision().set("oauth_grant", Value::Null);
    let without = target.provision().without("oauth_grant");
    must_all_work(target, [("a null grant", null), ("a provision without a grant", without)], advice).await
}

async fn grant_times(target: &Target) -> Verdict {
    // the ordinary provision's grant has one of these formats, too
    target.create_from(target.provision().without("oauth_grant")).await?;
    let advice = "Parse the offset with and without a colon; if a time cannot be parsed, assume five minutes from now.";
    let times = ["2036-03-04T05:11:07-0800", "2036-03-04T05:11:07+00:00", "2036-03-04T05:11:07.123Z"];
    let provisions = times.map(|expires_at| {
        let code = target.heroku.new_uuid();
        let grant = json!({ "code": code, "type": "authorization_code", "expires_at": expires_at });
        (format!("a grant that expires at {expires_at}"), target.provision().set("oauth_grant", grant))
    });
    must_all_work(target, provisions, advice).await
}

async fn version_1(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let provision = target.provision_of_version_1();
    let advice = "Require only uuid and plan: all other fields may be missing or null.";
    must_work(target, provision, "kensa's provision", advice).await
}

async fn options(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let advice = "Options are the customer's input: use the ones you know, and ignore the others.";
    let mut provisions: Vec<_> = [
        ("unknown options", target.options_and([("retention", "7d"), ("trace", "true")])),
        ("an option in another script", target.options_and([("label", "Zürich ☃ 東京")])),
    ]
    .map(|(description, options)| (description, target.provision().set("options", options)))
    .into();
    if !target.needs_options() {
        provisions.push(("a provision without options", target.provision().without("options")));
    }
    must_all_work(target, provisions, advice).await
}

async fn any_accept(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let advice = "Ignore the Accept header, and always answer with JSON.";
    let accepted = ["application/json", "*/*", "application/vnd.heroku-addons+json; version=4"];
    let provisions = accepted.map(|accept| (format!("Accept: {accept}"), target.provision().header("accept", accept)));
    must_all_work(target, provisions, advice).await
}

async fn content_type_parameters(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let provision = target.provision().header("content-type", "application/json; charset=utf-8");
    let advice = "Compare the media type without its parameters.";
    must_work(target, provision, "a content type with a charset", advice).await
}

async fn other_region(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let provision = target.provision().set("region", "amazon-web-services::eu-central-1");
    let response = target.wire.send(provision).await?.to("a provision in eu-central-1");
    if response.is_success() { Ok(()) } else { response.require(rules::is_refused_with_message) }
}

async fn refusal(target: &Target) -> Verdict {
    require_ordinary_provision(target).await?;
    let provision = target.provision().set("plan", target.unknown_plan());
    let response = target.wire.send(provision).await?.to("an unknown plan");
    if response.is_success() {
        return Err(Stop::skipped("the add-on accepts any plan, so a refusal could not be observed"));
    }
    response.require(rules::is_refused_with_message)
}

async fn prompt(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    resource.response.require(|_| rules::is_prompt(resource.response.duration()))
}
