//! Forms of Vercel's objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const STATUSES: [&str; 7] = ["ready", "pending", "onboarding", "suspended", "resumed", "uninstalled", "error"];

/// Statuses for a token that is not accepted: Vercel's reference has 403, and a sample 401.
pub(super) const REFUSED: &[u16] = &[401, 403];

/// Statuses of a provision: the reference has 200, and the example 201.
pub(super) const PROVISIONED: &[u16] = &[200, 201];

/// Statuses of an installation: the reference has 200 and 204, and the example 201.
pub(super) const INSTALLED: &[u16] = &[200, 201, 204];

/// Returns whether a plan of the list costs something. A payment method is required unless the plan says otherwise.
pub(super) fn is_paid(plan: &Value) -> bool {
    plan["paymentMethodRequired"] != false
}

/// Returns whether a plan can be chosen for a resource.
pub(super) fn is_of_resource(plan: &Value) -> bool {
    plan["scope"] != "installation" && plan["disabled"] != true
}

/// Returns the names and values of a list of secrets, or the problem with it.
pub(super) fn secrets(list: &Value) -> Result<BTreeMap<String, String>, String> {
    let list = list.as_array().ok_or("secrets is not a list")?;
    let text = |secret: &Value, field: &str| {
        let text = secret[field].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| format!("a secret has no {field} that is a non-empty text"))
    };
    list.iter().map(|secret| Ok((text(secret, "name")?, text(secret, "value")?))).collect()
}

/// Returns the problem with a plan, if there is one.
pub(super) fn plan_problem(plan: &Value) -> Option<String> {
    if let Some(field) = ["id", "name", "description"].into_iter().find(|field| !plan[field].is_string()) {
        return Some(format!("{field} is not a text"));
    }
    (!matches!(plan["type"].as_str(), Some("subscription" | "prepayment")))
        .then(|| "type is neither subscription nor prepayment".to_owned())
}

/// Field of a plan, and whether a value of it has Vercel's form.
type FieldRule<'a> = (&'a str, &'a dyn Fn(&Value) -> bool);

/// Returns the problem with an optional field of a plan, if there is one.
pub(super) fn optional_plan_problem(plan: &Value) -> Option<String> {
    let is_decimal = |value: &Value| value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    let is_list = |field: &'static str| {
        move |value: &Value| value.as_array().is_some_and(|list| list.iter().all(|entry| entry[field].is_string()))
    };
    let is_scope = |value: &Value| matches!(value.as_str(), Some("installation" | "resource"));
    let rules: [FieldRule<'_>; 11] = [
        ("scope", &is_scope),
        ("paymentMethodRequired", &Value::is_boolean),
        ("disabled", &Value::is_boolean),
        ("preauthorizationAmount", &Value::is_number),
        ("cost", &Value::is_string),
        ("initialCharge", &is_decimal),
        ("minimumAmount", &is_decimal),
        ("maximumAmount", &is_decimal),
        ("details", &is_list("label")),
        ("highlightedDetails", &is_list("label")),
        ("quote", &is_list("line")),
    ];
    let is_wrong = |(field, rule): &&FieldRule<'_>| plan.get(field).is_some_and(|value| !rule(value));
    rules.iter().find(is_wrong).map(|(field, _)| format!("{field} has another form than Vercel's"))
}

/// Returns the problem with a notification, if there is one.
pub(super) fn notification_problem(notification: &Value) -> Option<&'static str> {
    let is_link = |href: &str| ["http://", "https://", "sso:"].iter().any(|scheme| href.starts_with(scheme));
    if !matches!(notification["level"].as_str(), Some("info" | "warn" | "error")) {
        return Some("level is not info, warn or error");
    }
    if notification["title"].as_str().is_none_or(|title| title.is_empty() || title.chars().count() > 100) {
        return Some("title is not a text of at most 100 characters");
    }
    let href = notification["href"].as_str();
    href.is_some_and(|href| !is_link(href)).then_some("href begins with none of http://, https:// and sso:")
}

/// Requires the fields of a resource. Returns the body.
pub(super) fn resource(response: &Response) -> Result<Map<String, Value>, Stop> {
    let body = response.object()?;
    let field = |name: &str| body.get(name).unwrap_or(&Value::Null);
    for name in ["id", "productId", "name"] {
        if field(name).as_str().is_none_or(str::is_empty) {
            return Err(response.fault(format!("{name} is not a non-empty text."), "Send id, productId and name."));
        }
    }
    if !field("metadata").is_object() {
        return Err(response.fault("metadata is not an object.", "Send the metadata of the request, or {}."));
    }
    if !field("status").as_str().is_some_and(|status| STATUSES.contains(&status)) {
        let advice = format!("Send one of {}.", STATUSES.join(", "));
        return Err(response.fault("status is missing, or not one of Vercel's.", advice));
    }
    Ok(body)
}

/// Requires Vercel's form of an error. Returns the error.
pub(super) fn error(response: &Response) -> Result<Value, Stop> {
    let error = response.json().unwrap_or_default()["error"].clone();
    if error["code"].is_string() && error["message"].is_string() {
        return Ok(error);
    }
    Err(response.fault(
        format!("The body of the {} is not an error of Vercel's form.", response.status()),
        "Answer errors with {\"error\": {\"code\": \"…\", \"message\": \"…\"}}.",
    ))
}

/// Requires the body of a response to have no secrets.
pub(super) fn has_no_secrets(response: &Response) -> Verdict {
    if response.json().is_none_or(|body| body.get("secrets").is_none()) {
        return Ok(());
    }
    Err(response.fault("The response has secrets.", "Send secrets in responses to a provision and a rotation only."))
}
