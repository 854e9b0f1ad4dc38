//! The catalog of the sample broker.

use axum::response::Response;
use serde_json::{Value, json};

use super::reply::{answer, status};
use super::{Call, Fault, SampleBroker, Style};

pub(super) const SERVICE: &str = "6f1e6b8a-3b0c-4f5a-9d62-8a7c0f0e1d11";
pub(super) const BASIC: &str = "0c5a1f0e-7d34-4a8f-8f17-2f6b9c1d2e22";
pub(super) const PREMIUM: &str = "b7d9e3c2-51a6-4e0d-a3f8-6c4d8e2f3a33";
pub(super) const VERSION: &str = "1.2.0";

fn plan(style: Style, id: &str, name: &str) -> Value {
    let schema = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "object" });
    let mut plan = json!({
        "id": id, "name": name, "description": format!("The plan {name}."), "free": name == "basic",
        "maximum_polling_duration": 600,
        "schemas": { "service_instance": { "create": { "parameters": schema }, "update": { "parameters": schema } },
            "service_binding": { "create": { "parameters": schema } } },
    });
    if style.maintenance {
        plan["maintenance_info"] = json!({ "version": VERSION, "description": "A new version." });
    }
    plan
}

fn document(broker: &SampleBroker) -> Value {
    let style = broker.style;
    let mut service = json!({
        "id": SERVICE, "name": "tally", "description": "Counters.", "bindable": style.bindable,
        "plan_updateable": style.updates, "instances_retrievable": style.retrievable,
        "bindings_retrievable": style.retrievable && !broker.is(Fault::NotRetrievable), "tags": ["counter"], "requires": [],
        "metadata": { "displayName": "Tally" },
        "plans": [plan(style, BASIC, "basic"), plan(style, PREMIUM, "premium")],
    });
    let mut services = Vec::new();
    let third = |field: &str, value: Value| {
        let mut plan = plan(style, "f3a1c5d7-28b4-4e96-b0d1-9a8c7e6f4b44", "third");
        plan[field] = value;
        plan
    };
    let plans = |service: &mut Value, plan: Value| service["plans"].as_array_mut().unwrap().push(plan);
    match broker.fault {
        Fault::NoServiceDescription => service["description"] = "".into(),
        Fault::BindableIsMissing => {
            let mut other = service.clone();
            other["id"] = "service-2".into();
            other["name"] = "tally-2".into();
            other["plans"] = json!([{ "id": "plan-2", "name": "basic", "description": "A plan." }]);
            other.as_object_mut().unwrap().remove("bindable");
            services.push(other);
        }
        Fault::NoPlanDescription => plans(&mut service, third("description", Value::Null)),
        Fault::FreeIsText => plans(&mut service, third("free", "no".into())),
        Fault::SameIdTwice => plans(&mut service, third("id", BASIC.into())),
        Fault::SameNameTwice => plans(&mut service, third("name", "basic".into())),
        Fault::NameWithSpaces => plans(&mut service, third("name", "Very large".into())),
        Fault::PlanUpdatable => service["plan_updatable"] = true.into(),
        Fault::UnknownPermission => service["requires"] = json!(["internet"]),
        Fault::SchemaWithoutVersion => {
            plans(
                &mut service,
                third("schemas", json!({ "service_instance": { "create": { "parameters": { "type": "object" } } } })),
            );
        }
        Fault::ExternalReference => {
            let schema =
                json!({ "$schema": "a", "properties": { "zone": { "$ref": "https://schemas.example/zone" } } });
            plans(&mut service, third("schemas", json!({ "service_binding": { "create": { "parameters": schema } } })));
        }
        Fault::VersionNotSemantic => plans(&mut service, third("maintenance_info", json!({ "version": "v1" }))),
        Fault::DashboardClientWithoutSecret => {
            service["dashboard_client"] = json!({ "id": "a", "redirect_uri": "https://a" });
        }
        Fault::RandomIds => {
            let id = format!("plan-{}", broker.store().next());
            plans(&mut service, third("id", id.into()));
        }
        _ => {}
    }
    if broker.style.extra_fields {
        service["x_vendor"] = json!({ "a": 1 });
    }
    services.insert(0, service);
    json!({ "services": services })
}

pub(super) fn catalog(broker: &SampleBroker, call: &Call) -> Response {
    match broker.fault {
        Fault::CatalogIs500 => return status(500),
        Fault::CatalogIsAList => return answer(200, &json!([])),
        _ => {}
    }
    let etag = "\"7\"";
    if broker.style.etag && call.header("if-none-match") == Some(etag) && !broker.is(Fault::EtagIsIgnored) {
        return status(304);
    }
    let mut response = answer(200, &document(broker));
    if broker.style.etag {
        response.headers_mut().insert("etag", etag.parse().unwrap());
    }
    if broker.is(Fault::CatalogIsText) {
        response.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    }
    response
}
