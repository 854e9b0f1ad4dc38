//! What may be asked in a provision, and how it is answered.

use std::time::Duration;

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::citation;
use super::resource::Resource;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::cleanup::id_text;
use crate::response::Response;
use crate::rules::{must_be_refused_with_message, must_have_an_id, must_have_json_type};
use crate::run::CheckTarget as _;
use crate::verdict::{Stop, Verdict};

/// Heroku asks for an answer within this time, and gives up after 25 s.
const PROMPT: Duration = Duration::from_secs(3);

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.provision.succeeds",
        "A provision is answered 200, or 202 by an add-on that finishes later.",
        citation::reference("200 when it is done, 202 when it is done later, 422 when it cannot be done"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::info(
        "heroku.provision.status",
        "A provision that is done is answered 200, not 201.",
        citation::reference("version 3 names 200 and 202 alone"),
        |target| Box::pin(status(target)),
    ),
    Case::must(
        "heroku.provision.json",
        "The answer is a JSON object.",
        citation::reference_v1("the body of an answer is valid JSON"),
        |target| Box::pin(is_json(target)),
    ),
    Case::should(
        "heroku.provision.content-type",
        "The answer is called JSON.",
        citation::reference_v1("answers are of type application/json"),
        |target| Box::pin(content_type(target)),
    ),
    Case::must(
        "heroku.provision.id",
        "The answer holds the add-on's id of the resource, a text or a whole number.",
        citation::reference("id is required with 200 and with 202"),
        |target| Box::pin(id(target)),
    ),
    Case::must(
        "heroku.provision.id-works",
        "Later calls reach the resource by the id of the answer.",
        citation::reference("plan changes and deprovisions go to base_url and the id"),
        |target| Box::pin(id_works(target)),
    ),
    Case::must(
        "heroku.provision.ids-differ",
        "Two resources have two ids.",
        citation::reference_v1("id is unique across the service"),
        |target| Box::pin(ids_differ(target)),
    ),
    Case::must(
        "heroku.provision.id-of-its-own",
        "The id is made of nothing that Heroku sent but the uuid.",
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
        "The message, where there is one, is a text.",
        citation::reference_v1("message is printed to who installs the add-on"),
        |target| Box::pin(message(target)),
    ),
    Case::must(
        "heroku.provision.log-drain-url",
        "An add-on that requires syslog_drain answers where the logs go.",
        citation::log_drains("the answer carries log_drain_url, https:// or syslog://"),
        |target| Box::pin(log_drain_url(target)),
    )
    .needs(&[Capability::LogDrain, Capability::Synchronous]),
    Case::must(
        "heroku.provision.unknown-fields",
        "Fields that are not known are no reason to refuse.",
        citation::reference_v1("unknown fields are accepted and ignored"),
        |target| Box::pin(unknown_fields(target)),
    ),
    Case::should(
        "heroku.provision.no-grant",
        "A provision without a grant, or with null in its place, succeeds.",
        citation::vendor_code("fission-suite/web-api", "oauth_grant may be null, and is absent in local tests"),
        |target| Box::pin(no_grant(target)),
    ),
    Case::should(
        "heroku.provision.grant-times",
        "The end of a grant is read in each form in which Heroku has printed it.",
        citation::vendor_code("fission-suite/web-api", "expires_at has an offset without a colon"),
        |target| Box::pin(grant_times(target)),
    ),
    Case::should(
        "heroku.provision.version-1",
        "A provision as kensa sends it, without name and grant, succeeds.",
        citation::kensa("heroku_id, plan, callback_url, logplex_token null, region, options and uuid"),
        |target| Box::pin(version_1(target)),
    ),
    Case::should(
        "heroku.provision.options",
        "Options of the customer are accepted, known or not, in any script.",
        citation::options("Heroku validates nothing; ignore what you do not know"),
        |target| Box::pin(options(target)),
    ),
    Case::should(
        "heroku.provision.any-accept",
        "The answer does not depend on the Accept header.",
        citation::kensa("Accept: application/json"),
        |target| Box::pin(any_accept(target)),
    ),
    Case::should(
        "heroku.provision.content-type-parameters",
        "A charset behind the content type changes nothing.",
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
        "A plan that is not sold is refused with 422 and a message for the customer.",
        citation::reference("what cannot be served is answered 422 with message"),
        |target| Box::pin(refusal(target)),
    ),
    Case::should(
        "heroku.provision.prompt",
        "A provision is answered within three seconds.",
        citation::reference_v1("answer within 3 s; after 25 s the request has failed"),
        |target| Box::pin(prompt(target)),
    ),
];

async fn succeeds(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision()).await?;
    must_succeed(&response)
}

/// Insists on 200, 201 or 202.
pub(super) fn must_succeed(response: &Response) -> Verdict {
    let advice = match response.status() {
        200..=202 => return Ok(()),
        401 | 403 => "Compare the credentials with those of the manifest: see heroku.auth.right-credentials.",
        404 | 405 => "Look at the manifest's base_url and at your routes: provisions are posted to exactly this URL.",
        300..=399 => "Answer here: Heroku does not follow redirects of a POST.",
        400 | 406 | 415 | 422 => {
            "This is what Heroku sends: every field in it is documented. Read what you need, and ignore the rest."
        }
        500.. => "Look into the add-on's log for the error behind this answer.",
        _ => "Answer 200 with a body that holds id, config and message, or 202 if your add-on is registered for that.",
    };
    Err(response.wrong_status("200 (or 202)", advice))
}

async fn status(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let advice = "Answer 200. Heroku takes other successes for the same today, and its text does not promise it.";
    resource.response.must_be(&[200, 202], advice).map(drop)
}

/// A success, with whatever body, or nothing to look at.
async fn success(target: &Target) -> Result<Response, Stop> {
    let response = target.wire.send(target.provision()).await?;
    if response.is_success() {
        return Ok(response);
    }
    let status = response.status();
    Err(Stop::skipped(format!("a provision is answered {status} (see heroku.provision.succeeds)")))
}

async fn is_json(target: &Target) -> Verdict {
    success(target).await?.object().map(drop)
}

async fn content_type(target: &Target) -> Verdict {
    must_have_json_type(&success(target).await?)
}

async fn id(target: &Target) -> Verdict {
    must_have_an_id(&success(target).await?)
}

async fn id_works(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let advice =
        "Find the resource by the id that you answered: texts, uuids and numbers alike, as they stand in the path.";
    let change = target.probe(&resource).await?;
    if target.lacks(Capability::PlanChange).is_none() && matches!(change.status(), 404 | 405 | 410) {
        return Err(change.to("a plan change at the id").wrong_status("a success or 422", advice));
    }
    let removal = target.wire.send(target.deprovision(&resource)).await?;
    if matches!(removal.status(), 404 | 405 | 410) {
        return Err(removal.to("a deprovision at the id").wrong_status("204", advice));
    }
    Ok(())
}

async fn ids_differ(target: &Target) -> Verdict {
    let (one, other) = (target.new_resource().await?, target.new_resource().await?);
    if one.id == other.id {
        return Err(other.response.fault(
            format!("Two provisions with two uuids have got the same id, {}.", one.id),
            "Give every uuid a resource and an id of its own.",
        ));
    }
    Ok(())
}

async fn id_of_its_own(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let fields: serde_json::Map<String, Value> = resource.provision.fields().into_iter().collect();
    let exact = ["plan", "region", "callback_url", "name"].map(|name| (name, text(&fields, name)));
    let parts = [("name", text(&fields, "name")), ("log_drain_token", text(&fields, "log_drain_token"))];
    let grant = fields.get("oauth_grant").and_then(|grant| id_text(&grant["code"]));
    let found = exact
        .into_iter()
        .find(|(_, sent)| sent.as_deref() == Some(&resource.id))
        .or_else(|| {
            let mut parts = parts.into_iter().chain([("oauth_grant.code", grant)]);
            parts.find(|(_, sent)| sent.as_ref().is_some_and(|sent| resource.id.contains(sent.as_str())))
        })
        .map(|(name, _)| name);
    match found {
        Some(name) => Err(resource.response.fault(
            format!("The id is made of the request's {name}, which may change or is secret."),
            "Answer the uuid, or an id that you draw yourself.",
        )),
        None => Ok(()),
    }
}

fn text(fields: &serde_json::Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(id_text)
}

async fn id_is_uuid(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.id.eq_ignore_ascii_case(&resource.uuid) {
        return Ok(());
    }
    Err(resource.response.fault(
        "The id is another one than the uuid of the request.",
        "Nothing has to be done. With the uuid as id, calls that name either find the resource.",
    ))
}

async fn message(target: &Target) -> Verdict {
    let response = success(target).await?;
    match response.object()?.get("message") {
        None | Some(Value::String(_) | Value::Null) => Ok(()),
        Some(_) => Err(response.fault("The message is no text.", "Answer one sentence as a JSON string.")),
    }
}

async fn log_drain_url(target: &Target) -> Verdict {
    let response = success(target).await?;
    let body = response.object()?;
    let url = body.get("log_drain_url").or_else(|| body.get("syslog_drain_url")).and_then(Value::as_str);
    let advice = "Answer log_drain_url with the address that is to receive the app's logs, https preferred.";
    match url {
        Some(url) if url.starts_with("https://") || url.starts_with("syslog://") => Ok(()),
        Some(_) => Err(response.fault("log_drain_url begins neither with https:// nor with syslog://.", advice)),
        None => {
            Err(response.fault("The manifest requires syslog_drain, and the answer holds no log_drain_url.", advice))
        }
    }
}

/// Orders what is out of the common, and insists on success.
async fn must_work(target: &Target, provision: Call<Provision>, what: &str, advice: &str) -> Verdict {
    let response = target.wire.send(provision).await?.to(what);
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("a success", advice)) }
}

/// Before a check blames a variant, the plain provision has to work.
async fn works(target: &Target) -> Result<Resource, Stop> {
    target.new_resource().await
}

async fn unknown_fields(target: &Target) -> Verdict {
    works(target).await?;
    let provision = target.provision().set("feature_of_next_year", json!({"on": [true, null, 1.5]})).set("zone", "b");
    must_work(
        target,
        provision,
        "a field that nobody knows",
        "Ignore what you do not know: Heroku adds fields when it likes.",
    )
    .await
}

async fn no_grant(target: &Target) -> Verdict {
    works(target).await?;
    let advice = "Treat oauth_grant as optional: without it there is no token to fetch, and all else goes on.";
    must_work(target, target.provision().set("oauth_grant", Value::Null), "a grant that is null", advice).await?;
    must_work(target, target.provision().without("oauth_grant"), "a provision without a grant", advice).await
}

async fn grant_times(target: &Target) -> Verdict {
    target.create_from(target.provision().without("oauth_grant")).await?; // the plain provision's own grant ends in one of these forms
    let advice = "Read the offset with and without a colon; a time that cannot be read means five minutes from now.";
    for expires_at in ["2036-03-04T05:11:07-0800", "2036-03-04T05:11:07+00:00", "2036-03-04T05:11:07.123Z"] {
        let grant = json!({ "code": target.heroku.new_uuid(), "type": "authorization_code", "expires_at": expires_at });
        let what = format!("a grant that ends {expires_at}");
        must_work(target, target.provision().set("oauth_grant", grant), &what, advice).await?;
    }
    Ok(())
}

async fn version_1(target: &Target) -> Verdict {
    works(target).await?;
    let provision = target.heroku.provision(target.plan()).legacy();
    must_work(
        target,
        provision,
        "kensa's provision",
        "Need nothing but uuid and plan: all else may be missing or null.",
    )
    .await
}

async fn options(target: &Target) -> Verdict {
    works(target).await?;
    let advice = "Options are what the customer typed: take those you know, and ignore the others.";
    for (what, options) in [
        ("options that nobody knows", json!({ "retention": "7d", "trace": "true" })),
        ("an option in another script", json!({ "label": "Zürich ☃ 東京" })),
    ] {
        must_work(target, target.provision().set("options", options), what, advice).await?;
    }
    must_work(target, target.provision().without("options"), "a provision without options", advice).await
}

async fn any_accept(target: &Target) -> Verdict {
    works(target).await?;
    let advice = "Do not look at Accept: answer JSON, whatever is asked for.";
    for accept in ["application/json", "*/*", "application/vnd.heroku-addons+json; version=4"] {
        must_work(target, target.provision().header("accept", accept), &format!("Accept: {accept}"), advice).await?;
    }
    Ok(())
}

async fn content_type_parameters(target: &Target) -> Verdict {
    works(target).await?;
    let provision = target.provision().header("content-type", "application/json; charset=utf-8");
    must_work(target, provision, "a charset behind the content type", "Compare the media type without its parameters.")
        .await
}

async fn other_region(target: &Target) -> Verdict {
    works(target).await?;
    let provision = target.provision().set("region", "amazon-web-services::eu-central-1");
    let response = target.wire.send(provision).await?.to("an provision from eu-central-1");
    if response.is_success() { Ok(()) } else { must_be_refused_with_message(&response) }
}

async fn refusal(target: &Target) -> Verdict {
    works(target).await?;
    let response =
        target.wire.send(target.provision().set("plan", target.unknown_plan())).await?.to("a plan that nobody sells");
    if response.is_success() {
        return Err(Stop::skipped("the add-on takes any plan, so that no refusal could be response"));
    }
    must_be_refused_with_message(&response)
}

async fn prompt(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.response.duration() <= PROMPT {
        return Ok(());
    }
    Err(resource.response.fault(
        format!("The answer took {:.1} s.", resource.response.duration().as_secs_f32()),
        "Answer 202 and finish later, if your add-on is registered for that; else move slow work out of the request.",
    ))
}
