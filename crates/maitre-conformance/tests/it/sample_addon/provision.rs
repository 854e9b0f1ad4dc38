//! Provisions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{DELAY, Fault, Resource, SALT, SampleAddon, Unread, answer, internal_error, read, refusal};

const FIELDS: [&str; 11] = [
    "uuid",
    "name",
    "plan",
    "region",
    "callback_url",
    "oauth_grant",
    "options",
    "log_input_url",
    "log_drain_token",
    "heroku_id",
    "logplex_token",
];

pub(super) async fn provision(addon: SampleAddon, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let early =
        matches!(addon.fault, Fault::PlanBeforePassword | Fault::BodyBeforePassword | Fault::LargeUnauthenticatedIs500);
    let refused = if addon.is(Fault::ProvisionIsOpen) { None } else { addon.refuses(&parts.headers) };
    let refused = match refused {
        Some(refusal) if !early => return refusal,
        later => later,
    };
    let bytes = match read(&addon, body).await {
        Ok(bytes) => bytes,
        Err(unread) => return unreadable(&addon, &unread, refused.is_some()),
    };
    let body = parse(&addon, &bytes);
    if let Some(unauthorized) = refused {
        return match body {
            Err(error) if addon.is(Fault::BodyBeforePassword) => *error,
            Ok(body) if addon.is(Fault::PlanBeforePassword) && !sold(&body) => refusal(422, "Unknown plan."),
            _ => unauthorized,
        };
    }
    match body {
        Ok(body) => match validate(&addon, &body, &bytes, &parts.headers) {
            Some(refusal) => refusal,
            None => create(addon, body).await,
        },
        Err(error) => *error,
    }
}

fn unreadable(addon: &SampleAddon, unread: &Unread, refused: bool) -> Response {
    match unread {
        Unread::TooLong if addon.is(Fault::LargeIs500) => internal_error(),
        Unread::TooLong if refused => internal_error(), // only read under that fault
        Unread::TooLong => refusal(413, "The body is too large."),
        Unread::TooSlow => refusal(408, "The body took too long."),
        Unread::Broken => {
            addon.store().poisoned = addon.is(Fault::HalfPoisons);
            refusal(400, "The body is incomplete.")
        }
    }
}

fn parse(addon: &SampleAddon, bytes: &[u8]) -> Result<Map<String, Value>, Box<Response>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) if addon.is(Fault::ListIs500) => Err(internal_error().into()),
        Ok(_) => Err(refusal(400, "The body is not an object.").into()),
        Err(error) => {
            let empty = bytes.trim_ascii().is_empty();
            let deep = bytes.windows(4).any(|window| window == b"[[[[");
            let refusal = match addon.fault {
                Fault::EmptyIs500 if empty => internal_error(),
                Fault::DeepIs500 if deep => internal_error(),
                Fault::BadJsonIs500 if !empty && !deep => internal_error(),
                Fault::StackTrace => {
                    refusal(400, "Traceback (most recent call last):\n  File \"/app/lantern.py\", line 7")
                }
                Fault::SilentRefusal => axum::http::StatusCode::BAD_REQUEST.into_response(),
                _ => refusal(400, &format!("The body is not JSON: {error}.")),
            };
            Err(refusal.into())
        }
    }
}

fn sold(body: &Map<String, Value>) -> bool {
    matches!(body.get("plan").and_then(Value::as_str), Some("basic" | "premium"))
}

/// Returns the refusal of an invalid provision.
fn validate(addon: &SampleAddon, body: &Map<String, Value>, bytes: &[u8], headers: &HeaderMap) -> Option<Response> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let no_grant = body.get("oauth_grant").is_none_or(Value::is_null);
    let options = body.get("options").unwrap_or(&Value::Null);
    let refusal = match addon.fault {
        Fault::ProvisionIs500 => internal_error(),
        Fault::OnlyKnownFields if body.keys().any(|name| !FIELDS.contains(&name.as_str())) => {
            refusal(400, "Unknown field.")
        }
        Fault::NeedsGrant | Fault::NeedsVersion3 if no_grant => refusal(400, "The grant is missing."),
        Fault::StrictTimes if !no_grant && !is_rfc_3339(&body["oauth_grant"]["expires_at"]) => {
            refusal(400, "Invalid expires_at.")
        }
        Fault::NeedsName if text("name").is_empty() => refusal(400, "The name is missing."),
        Fault::OnlyKnownOptions if options.as_object().is_some_and(|it| !it.is_empty()) => {
            refusal(422, "Unknown option.")
        }
        Fault::NegotiatesAccept if !header("accept").ends_with("addons+json; version=3") => {
            refusal(406, "Not acceptable.")
        }
        Fault::ExactContentType if header("content-type") != "application/json" => {
            refusal(415, "The content type is not JSON.")
        }
        Fault::OneRegion if text("region") != "amazon-web-services::us-east-1" => internal_error(),
        Fault::OddUuidIs500 if !text("uuid").is_empty() && text("uuid").len() != 36 => internal_error(),
        Fault::TypesAre500 if !options.is_object() && !options.is_null() => internal_error(),
        Fault::NulIs500 if bytes.windows(6).any(|window| window == br"\u0000") => internal_error(),
        _ if text("uuid").is_empty() && !addon.is(Fault::NoUuidIsTaken) => refusal(400, "The uuid is missing."),
        _ if text("plan").is_empty() && !addon.is(Fault::NoPlanIsTaken) => refusal(400, "The plan is missing."),
        _ if text("plan").is_empty() || sold(body) => return None,
        Fault::RefusesWith400 => refusal(400, "Unknown plan."),
        Fault::RefusesWithError => answer(422, &json!({ "error": "Unknown plan." })),
        Fault::RefusesWithoutMessage => answer(422, &json!({})),
        _ => refusal(422, "Unknown plan: choose basic or premium."),
    };
    Some(refusal)
}

fn is_rfc_3339(expires_at: &Value) -> bool {
    let text = expires_at.as_str().unwrap_or_default();
    text.ends_with('Z') || text.len() >= 6 && text[text.len() - 3..].starts_with(':')
}

async fn create(addon: SampleAddon, body: Map<String, Value>) -> Response {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut uuid = text("uuid");
    if uuid.is_empty() {
        uuid = addon.unique();
    }
    let plan = if text("plan").is_empty() { "basic".to_owned() } else { text("plan") };
    if std::mem::take(&mut addon.store().poisoned) {
        return internal_error();
    }
    if addon.store().early.contains(&uuid) {
        return internal_error();
    }
    match addon.fault {
        Fault::Slow => tokio::time::sleep(Duration::from_millis(3_200)).await,
        Fault::NeverAnswers => std::future::pending().await,
        _ => {}
    }
    if let Some(answer) = replay(&addon, &uuid, &plan, &body) {
        return answer;
    }
    let id = match addon.fault {
        _ if addon.has_integer_ids => (4_000 + addon.counter.fetch_add(1, Ordering::Relaxed)).to_string(),
        Fault::OneIdForAll => "lamp".to_owned(),
        Fault::IdIsTheName => text("name"),
        Fault::IdHoldsTheGrant => format!("lamp-{}", body["oauth_grant"]["code"].as_str().unwrap_or_default()),
        Fault::IdHoldsTheApp => text("heroku_id").split('@').next().unwrap_or_default().to_owned(),
        Fault::IdOfItsOwn => addon.unique(),
        Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects => format!("{uuid}-{}", addon.unique()),
        Fault::CountedIds => addon.created().to_string(),
        Fault::ReusesIds => {
            let store = addon.store();
            let is_free = |id: &String| store.resources.iter().all(|resource| resource.id != *id);
            (1..=1_000_u32).map(|number| number.to_string()).find(is_free).unwrap()
        }
        _ => uuid.clone(),
    };
    let token = if addon.is(Fault::OneSecretForAll) {
        "lt_the-same-for-everyone".to_owned()
    } else {
        format!("lt_{}", addon.unique())
    };
    let resource = Resource {
        uuid,
        id,
        provisioned_plan: plan.clone(),
        plan,
        last_change: None,
        token,
        grant: body.get("oauth_grant").cloned().unwrap_or_default(),
        callback_url: text("callback_url"),
        removed: false,
        rows: 1,
        done: false,
    };
    store_resource(&addon, resource).await
}

/// Returns the response to a known uuid.
fn replay(addon: &SampleAddon, uuid: &str, plan: &str, body: &Map<String, Value>) -> Option<Response> {
    let mut store = addon.store();
    let resource = store.find(uuid)?;
    if resource.removed {
        return match addon.fault {
            Fault::Resurrects => None,
            Fault::RemovedIs500 => Some(internal_error()),
            Fault::RemovedIs404 => Some(refusal(404, "Resource not found.")),
            _ => Some(refusal(410, "The resource was deprovisioned.")),
        };
    }
    let grant = body.get("oauth_grant").cloned().unwrap_or_default();
    match addon.fault {
        Fault::RefusesCompleted if resource.done => return Some(refusal(409, "The resource is ready.")),
        Fault::SecondResource => return None,
        Fault::Conflict => return Some(refusal(409, "The resource exists.")),
        Fault::CrashOnDuplicate => return Some(internal_error()),
        Fault::RowPerPost => resource.rows += 1,
        Fault::SecondTenant => resource.token = format!("lt_{}", addon.unique()),
        Fault::OtherPlanIsAnother if resource.provisioned_plan != plan => return None,
        Fault::WholeBodyIsTheKey if resource.grant["code"] != grant["code"] => {
            return Some(refusal(422, "The uuid belongs to another provision."));
        }
        Fault::CurrentPlanIsTheKey if resource.plan != plan => {
            return Some(refusal(422, "The uuid belongs to another provision."));
        }
        _ if resource.provisioned_plan != plan => {
            return Some(refusal(422, "The resource was provisioned with another plan."));
        }
        _ => {}
    }
    let resource = resource.clone();
    drop(store);
    if let Some(heroku) = addon.heroku.as_ref().filter(|_| addon.is(Fault::ExchangesEachTime)) {
        super::completion::complete(addon, &resource, heroku);
    }
    Some(provisioned(addon, &resource, true))
}

/// Stores the resource, with the faults of concurrency.
async fn store_resource(addon: &SampleAddon, resource: Resource) -> Response {
    match addon.fault {
        Fault::NoConstraint => {
            tokio::time::sleep(DELAY).await;
            addon.store().resources.push(resource.clone());
            provisioned(addon, &resource, false)
        }
        Fault::StuckReservation => {
            if !addon.store().busy.insert(resource.uuid.clone()) {
                return refusal(409, "The provision is in progress.");
            }
            tokio::time::sleep(5 * DELAY).await;
            addon.store().busy.remove(&resource.uuid);
            insert_once(addon, resource)
        }
        Fault::BusyDuplicates | Fault::RemovalCollides | Fault::CountedIds => {
            if !addon.store().busy.insert(resource.uuid.clone()) && addon.is(Fault::BusyDuplicates) {
                return internal_error();
            }
            let addon = addon.clone();
            let work = tokio::spawn(async move {
                tokio::time::sleep(3 * DELAY).await;
                let answer = insert_once(&addon, resource.clone());
                addon.store().busy.remove(&resource.uuid);
                answer
            });
            work.await.unwrap()
        }
        _ => insert_once(addon, resource),
    }
}

/// Stores the resource, or returns the one stored by a concurrent request.
fn insert_once(addon: &SampleAddon, resource: Resource) -> Response {
    let has_duplicates = matches!(addon.fault, Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects);
    let mut store = addon.store();
    let existing = store
        .find(&resource.uuid)
        .filter(|existing| !has_duplicates && !existing.removed)
        .map(|existing| existing.clone());
    if existing.is_none() {
        store.resources.push(resource.clone());
    }
    drop(store);
    if let Some(heroku) = addon.heroku.as_ref().filter(|_| existing.is_none()) {
        super::completion::complete(addon, &resource, heroku);
    }
    provisioned(addon, &existing.unwrap_or(resource), false)
}

fn provisioned(addon: &SampleAddon, resource: &Resource, again: bool) -> Response {
    let id = &resource.id;
    if addon.heroku.is_some() {
        let mut body = json!({ "id": id, "message": "Your resource is being provisioned." });
        if addon.is(Fault::ConfigInThe202) {
            body["config"] = config(resource);
        }
        return answer(202, &body);
    }
    let id = if addon.has_integer_ids { id.parse::<u64>().unwrap().into() } else { Value::from(id.as_str()) };
    let mut config = config(resource);
    let mut body =
        json!({ "id": id, "message": "Your resource is ready.", "log_drain_url": "https://logs.lantern.example/" });
    let status = match addon.fault {
        Fault::ProvisionIs201 => 201,
        _ => 200,
    };
    match addon.fault {
        Fault::ProvisionIs204 => return axum::http::StatusCode::NO_CONTENT.into_response(),
        Fault::ProvisionRedirects => {
            return (axum::http::StatusCode::TEMPORARY_REDIRECT, [("location", "/v2")]).into_response();
        }
        Fault::NotJson => return "OK".into_response(),
        Fault::JsonText => return answer(200, &json!("OK")),
        Fault::NoId => drop(body.as_object_mut().unwrap().remove("id")),
        Fault::EmptyId => body["id"] = "".into(),
        Fault::IdIsAnObject => body["id"] = json!({ "uuid": id }),
        Fault::MessageIsAList => body["message"] = json!(["Your resource is ready."]),
        Fault::OtherMessage if again => body["message"] = "Your resource was provisioned before.".into(),
        Fault::SecretInMessage => body["message"] = format!("Your token is {}.", resource.token).into(),
        Fault::NoDrainUrl => drop(body.as_object_mut().unwrap().remove("log_drain_url")),
        Fault::DrainUrlOverTls => body["log_drain_url"] = "syslog+tls://logs.lantern.example".into(),
        Fault::NumberInConfig => config["LANTERN_TOKEN"] = 7.into(),
        Fault::NullInConfig => config["LANTERN_TOKEN"] = Value::Null,
        Fault::UnlistedConfig => config["LANTERN_COLOR"] = "green".into(),
        Fault::UrlWithoutScheme => config["LANTERN_URL"] = "eu1.lantern.example/t4".into(),
        Fault::LargeConfig => config["LANTERN_TOKEN"] = "x".repeat(70_000).into(),
        Fault::NulInConfig => config["LANTERN_TOKEN"] = "a\0b".into(),
        Fault::LocalUrl => config["LANTERN_URL"] = "postgres://u:pw@localhost:5432/t4".into(),
        Fault::UrlWithoutHost => config["LANTERN_URL"] = "https:///t4".into(),
        Fault::IncompleteConfig => drop(config.as_object_mut().unwrap().remove("LANTERN_URL")),
        Fault::EchoesGrant => body["oauth_grant"] = resource.grant.clone(),
        _ => {}
    }
    body["config"] = if addon.is(Fault::ConfigIsAList) { json!([config]) } else { config };
    let mut response = answer(status, &body);
    let headers = response.headers_mut();
    match addon.fault {
        Fault::HtmlType => drop(headers.insert("content-type", "text/html".parse().unwrap())),
        Fault::NoContentType => drop(headers.remove("content-type")),
        Fault::EchoesSalt => drop(headers.insert("x-debug", SALT.parse().unwrap())),
        _ => {}
    }
    response
}

pub(super) fn config(resource: &Resource) -> Value {
    let url = if resource.token.ends_with("everyone") {
        "https://lantern.example".to_owned()
    } else {
        format!("https://u:pw@lantern.example/{}", resource.uuid)
    };
    json!({ "LANTERN_URL": url, "LANTERN_TOKEN": resource.token })
}
