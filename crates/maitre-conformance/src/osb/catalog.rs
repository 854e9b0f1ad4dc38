//! The catalog.

use std::collections::BTreeSet;

use serde_json::Value;

use super::citation;
use super::offer::{plans, services};
use super::rules;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// Maximum size of a schema, in bytes.
const MAX_SCHEMA: usize = 64 * 1024;

const FIELDS: Citation = citation::catalog("the fields with an asterisk are required, and every field has its type");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.catalog.succeeds",
        "GET /v2/catalog is answered 200 with a list of services.",
        citation::catalog("200 OK must be returned upon successful processing"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::should(
        "osb.catalog.content-type",
        "The catalog has the content type application/json.",
        citation::content_type("responses with bodies should have Content-Type: application/json"),
        |target| Box::pin(content_type(target)),
    ),
    Case::must(
        "osb.catalog.services",
        "Every service has an id, a name, a description, bindable and at least one plan.",
        FIELDS,
        |target| Box::pin(service_fields(target)),
    ),
    Case::must("osb.catalog.plans", "Every plan has an id, a name and a description.", FIELDS, |target| {
        Box::pin(plan_fields(target))
    }),
    Case::must("osb.catalog.types", "Every optional field of the catalog has its type.", FIELDS, |target| {
        Box::pin(types(target))
    }),
    Case::must(
        "osb.catalog.ids-unique",
        "No id of a service or plan occurs twice.",
        citation::catalog("ids must be globally unique"),
        |target| Box::pin(ids_are_unique(target)),
    ),
    Case::must(
        "osb.catalog.names-unique",
        "Names of services are unique, and names of plans within their service.",
        citation::catalog("names must be unique in the response, names of plans in the service"),
        |target| Box::pin(names_are_unique(target)),
    ),
    Case::should(
        "osb.catalog.names-cli",
        "Names consist of letters, digits, periods and hyphens.",
        citation::catalog("using a CLI-friendly name is recommended"),
        |target| Box::pin(names_are_cli_friendly(target)),
    ),
    Case::should(
        "osb.catalog.spelling",
        "The field plan_updateable is spelt as in the specification.",
        citation::catalog("the attribute is intentionally misspelled as plan_updateable"),
        |target| Box::pin(spelling(target)),
    ),
    Case::must(
        "osb.catalog.requires",
        "The permissions in requires are syslog_drain, route_forwarding or volume_mount.",
        citation::catalog("the only permissions currently supported are these three"),
        |target| Box::pin(requires(target)),
    ),
    Case::must(
        "osb.catalog.schemas",
        "Every parameter schema has $schema, at most 64 kB and no external reference.",
        citation::catalog("rules for parameters in the schemas object"),
        |target| Box::pin(schemas(target)),
    ),
    Case::must(
        "osb.catalog.maintenance-info",
        "The version of every maintenance_info is a semantic version.",
        citation::catalog("maintenance_info.version must be a string conforming to a semantic version"),
        |target| Box::pin(maintenance_info(target)),
    ),
    Case::must(
        "osb.catalog.dashboard-client",
        "Every dashboard_client has an id, a secret and a redirect_uri.",
        citation::profile("dashboard client object: id and secret are required"),
        |target| Box::pin(dashboard_client(target)),
    ),
    Case::must(
        "osb.catalog.stable",
        "A second request returns the same ids.",
        citation::catalog("a broker must not change the id of a resource across queries"),
        |target| Box::pin(stable(target)),
    ),
    Case::should(
        "osb.catalog.etag",
        "A request with the catalog's ETag in If-None-Match is answered 304.",
        citation::rfc(9110, "If-None-Match: 304 if the entity tag matches"),
        |target| Box::pin(etag(target)),
    ),
];

/// Returns the catalog, or skips the check.
async fn catalog(target: &Target) -> Result<(Response, Value), Stop> {
    let response = target.wire.send(target.osb.catalog()).await?;
    let catalog = response.json().filter(|body| response.status() == 200 && body["services"].is_array());
    match catalog {
        Some(catalog) => Ok((response, catalog)),
        None => Err(Stop::skipped("there is no list of services (see osb.catalog.succeeds)")),
    }
}

async fn succeeds(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog()).await?;
    response.must_be(&[200], "Answer GET /v2/catalog with {\"services\": […]}.")?;
    if rules::object(&response)?.get("services").is_some_and(Value::is_array) {
        return Ok(());
    }
    Err(response
        .fault("services is not a list.", "Answer with {\"services\": […]}, a list of services that may be empty."))
}

async fn content_type(target: &Target) -> Verdict {
    let (response, _) = catalog(target).await?;
    response.require(crate::rules::has_json_type)
}

/// Requires non-empty strings in these fields.
fn has_texts(response: &Response, object: &Value, kind: &str, names: &[&str]) -> Verdict {
    for name in names {
        if object[*name].as_str().is_none_or(str::is_empty) {
            let of = object["name"].as_str().or_else(|| object["id"].as_str()).unwrap_or("without a name");
            return Err(response.fault(
                format!("{name} of the {kind} {of} is missing, empty or not a string."),
                format!("Add {name} as a non-empty string to every {kind}."),
            ));
        }
    }
    Ok(())
}

async fn service_fields(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    for service in services(&catalog) {
        has_texts(&response, service, "service", &["name", "id", "description"])?;
        let name = service["name"].as_str().unwrap_or_default();
        if !service["bindable"].is_boolean() {
            return Err(response.fault(
                format!("bindable of the service {name} is missing or not a boolean."),
                "Add bindable, which states whether apps can be bound.",
            ));
        }
        if plans(service).next().is_none() {
            return Err(response.fault(format!("The service {name} has no plans."), "Add at least one plan."));
        }
    }
    Ok(())
}

async fn plan_fields(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    for plan in services(&catalog).flat_map(plans) {
        has_texts(&response, plan, "plan", &["name", "id", "description"])?;
    }
    Ok(())
}

type Test = fn(&Value) -> bool;

/// Optional fields of services, with the test of their type and its name.
const SERVICE_TYPES: [(&str, Test, &str); 7] = [
    ("tags", is_strings, "a list of strings"),
    ("requires", is_strings, "a list of strings"),
    ("plan_updateable", Value::is_boolean, "a boolean"),
    ("instances_retrievable", Value::is_boolean, "a boolean"),
    ("bindings_retrievable", Value::is_boolean, "a boolean"),
    ("allow_context_updates", Value::is_boolean, "a boolean"),
    ("metadata", Value::is_object, "an object"),
];

/// Optional fields of plans.
const PLAN_TYPES: [(&str, Test, &str); 8] = [
    ("bindable", Value::is_boolean, "a boolean"),
    ("free", Value::is_boolean, "a boolean"),
    ("plan_updateable", Value::is_boolean, "a boolean"),
    ("binding_rotatable", Value::is_boolean, "a boolean"),
    ("schemas", Value::is_object, "an object"),
    ("maintenance_info", Value::is_object, "an object"),
    ("metadata", Value::is_object, "an object"),
    ("maximum_polling_duration", Value::is_u64, "an integer"),
];

fn is_strings(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

async fn types(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    let of_services = services(&catalog).map(|service| (service, &SERVICE_TYPES[..]));
    let of_plans = services(&catalog).flat_map(plans).map(|plan| (plan, &PLAN_TYPES[..]));
    for (object, types) in of_services.chain(of_plans) {
        for (name, is_valid, expected) in types {
            if object.get(*name).is_some_and(|value| !is_valid(value)) {
                let of = object["name"].as_str().unwrap_or_default();
                return Err(response.fault(
                    format!("{name} of {of} is not {expected}."),
                    format!("Send {name} as {expected}, or omit it."),
                ));
            }
        }
    }
    Ok(())
}

/// Returns the first text that occurs twice.
fn duplicate<'v>(texts: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let mut seen = BTreeSet::new();
    let mut texts = texts;
    texts.find(|text| !seen.insert(*text))
}

fn ids(catalog: &Value) -> impl Iterator<Item = &str> {
    services(catalog)
        .flat_map(|service| std::iter::once(service).chain(plans(service)))
        .filter_map(|it| it["id"].as_str())
}

async fn ids_are_unique(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    match duplicate(ids(&catalog)) {
        None => Ok(()),
        Some(id) => Err(response.fault(
            format!("The id {id} occurs twice."),
            "Give every service and every plan its own random UUID, which never changes.",
        )),
    }
}

async fn names_are_unique(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    let names = services(&catalog).filter_map(|service| service["name"].as_str());
    let of_plans =
        services(&catalog).find_map(|service| duplicate(plans(service).filter_map(|plan| plan["name"].as_str())));
    match duplicate(names).or(of_plans) {
        None => Ok(()),
        Some(name) => Err(response.fault(format!("The name {name} occurs twice."), "Rename one of them.")),
    }
}

async fn names_are_cli_friendly(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    let all = services(&catalog).flat_map(|service| std::iter::once(service).chain(plans(service)));
    let mut names = all.filter_map(|it| it["name"].as_str());
    let is_friendly = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    match names.find(|name| !is_friendly(name)) {
        None => Ok(()),
        Some(name) => Err(response.fault(
            format!("The name {name:?} is hard to type in a terminal."),
            "Use lower-case letters, digits, periods and hyphens; put the readable name into metadata.displayName.",
        )),
    }
}

async fn spelling(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    let mut all = services(&catalog).flat_map(|service| std::iter::once(service).chain(plans(service)));
    let is_misspelt = |it: &Value| {
        ["plan_updatable", "planUpdateable", "plan_updateable?"].iter().any(|name| it.get(*name).is_some())
    };
    match all.find(|it| is_misspelt(it)) {
        None => Ok(()),
        Some(it) => Err(response.fault(
            format!("{} has the field plan_updatable, which platforms ignore.", it["name"]),
            "Write plan_updateable, with an e.",
        )),
    }
}

async fn requires(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    let mut all = services(&catalog).flat_map(|service| service["requires"].as_array().into_iter().flatten());
    let known = ["syslog_drain", "route_forwarding", "volume_mount"];
    match all.find(|permission| permission.as_str().is_none_or(|name| !known.contains(&name))) {
        None => Ok(()),
        Some(permission) => {
            Err(response.fault(format!("requires contains {permission}."), "Remove it: platforms refuse the catalog."))
        }
    }
}

async fn schemas(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    for plan in services(&catalog).flat_map(plans) {
        let schemas = &plan["schemas"];
        let (instance, binding) = (&schemas["service_instance"], &schemas["service_binding"]);
        for schema in [&instance["create"], &instance["update"], &binding["create"]] {
            let Some(schema) = schema.get("parameters") else { continue };
            schema_is_valid(&response, plan["name"].as_str().unwrap_or_default(), schema)?;
        }
    }
    Ok(())
}

fn schema_is_valid(response: &Response, plan: &str, schema: &Value) -> Verdict {
    let fault =
        |problem: &str, advice: &str| Err(response.fault(format!("A schema of the plan {plan} {problem}."), advice));
    if !schema.is_object() {
        return fault("is not an object", "Send a JSON schema of an object.");
    }
    if !schema["$schema"].is_string() {
        return fault("has no $schema", "Add \"$schema\": \"http://json-schema.org/draft-04/schema#\".");
    }
    if schema.to_string().len() > MAX_SCHEMA {
        return fault("has more than 64 kB", "Describe the parameters more briefly.");
    }
    if has_external_reference(schema) {
        return fault("has an external $ref", "Use references within the schema only, such as #/definitions/zone.");
    }
    Ok(())
}

fn has_external_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            (name == "$ref" && value.as_str().is_some_and(|target| !target.starts_with('#')))
                || has_external_reference(value)
        }),
        Value::Array(items) => items.iter().any(has_external_reference),
        _ => false,
    }
}

async fn maintenance_info(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    for plan in services(&catalog).flat_map(plans) {
        let Some(info) = plan.get("maintenance_info") else { continue };
        if !info["version"].as_str().is_some_and(is_semantic_version) {
            return Err(response.fault(
                format!("maintenance_info.version of the plan {} is {}.", plan["name"], info["version"]),
                "Use a semantic version, such as 1.0.0, or omit maintenance_info.",
            ));
        }
    }
    Ok(())
}

fn is_semantic_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').collect();
    let is_number = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    let rest_is_plain = text[core.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte));
    numbers.len() == 3 && numbers.iter().all(is_number) && rest_is_plain && !text.ends_with(['-', '+', '.'])
}

async fn dashboard_client(target: &Target) -> Verdict {
    let (response, catalog) = catalog(target).await?;
    for client in services(&catalog).filter_map(|service| service.get("dashboard_client")) {
        for name in ["id", "secret", "redirect_uri"] {
            if client[name].as_str().is_none_or(str::is_empty) {
                return Err(response.fault(
                    format!("{name} of a dashboard_client is missing, empty or not a string."),
                    "Add id, secret and redirect_uri, or omit dashboard_client.",
                ));
            }
        }
    }
    Ok(())
}

async fn stable(target: &Target) -> Verdict {
    let (_, first) = catalog(target).await?;
    let (response, second) = catalog(target).await?;
    let (first, second): (BTreeSet<_>, BTreeSet<_>) = (ids(&first).collect(), ids(&second).collect());
    match first.symmetric_difference(&second).next() {
        None => Ok(()),
        Some(id) => Err(response.fault(
            format!("The id {id} is not in both of two catalogs."),
            "Store ids, for example in the source: platforms treat a new id as another service.",
        )),
    }
}

async fn etag(target: &Target) -> Verdict {
    let (response, _) = catalog(target).await?;
    let Some(etag) = response.header("etag").map(ToOwned::to_owned) else {
        return Err(Stop::skipped("the catalog has no ETag"));
    };
    let second = target.wire.send(target.osb.catalog().header("if-none-match", etag)).await?;
    second.must_be(&[304], "Compare If-None-Match with the ETag, or do not send an ETag.")?;
    if second.body().is_empty() {
        return Ok(());
    }
    Err(second.fault("The 304 has a body.", "Send a 304 without a body."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_versions_are_recognized() {
        for version in ["0.0.0", "1.2.3", "10.20.30-rc.1+build.5", "2.1.1+abcdef"] {
            assert!(is_semantic_version(version), "{version}");
        }
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.x", "1.2.3-", "1.2.3 "] {
            assert!(!is_semantic_version(text), "{text}");
        }
    }
}
