use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::capabilities::Capability;

fn catalog() -> Value {
    json!({ "services": [{
        "id": "s-1", "name": "lantern", "description": "Lanterns", "bindable": true, "plan_updateable": true,
        "instances_retrievable": true, "bindings_retrievable": true, "tags": ["light"], "requires": ["syslog_drain"],
        "metadata": { "displayName": "Lantern" },
        "plans": [
            { "id": "p-1", "name": "basic", "description": "Three", "free": true, "bindable": false },
            { "id": "p-2", "name": "premium", "description": "Fifty", "free": false, "maximum_polling_duration": 600,
                "maintenance_info": { "version": "2.1.0", "description": "Faster" },
                "metadata": { "costs": [{ "amount": { "eur": 29.99, "usd": 35.0 }, "unit": "MONTHLY" }, { "unit": 1 }] },
                "schemas": { "service_instance": { "create": { "parameters": {
                    "$schema": "http://json-schema.org/draft-04/schema#", "required": ["zone"] } } } } }
        ]
    }] })
}

/// Parses the catalog with one value replaced, or removed if it is `None`.
fn parse_with(pointer: &str, value: Option<Value>) -> Result<Catalog, CatalogError> {
    let mut catalog = catalog();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match (catalog.pointer_mut(parent).expect("a parent"), value) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(name.to_owned(), value)),
        (Value::Object(fields), None) => drop(fields.remove(name)),
        _ => panic!("{parent} is not an object"),
    }
    Catalog::parse(&catalog.to_string())
}

#[test]
fn the_json_form_is_read_and_written_without_a_change() {
    let parsed = Catalog::parse(&catalog().to_string()).unwrap();
    assert_eq!(serde_json::to_value(&parsed).unwrap(), catalog());
    let offer = parsed.find("s-1", "p-2").unwrap();
    let prices = offer.plan.prices();
    assert_eq!(prices, [Price::monthly(2999, "EUR"), Price::monthly(3500, "USD")]);
    assert_eq!(offer.plan.maximum_polling_duration(), Some(Duration::from_mins(10)));
    assert_eq!(offer.plan.maintenance_version(), Some("2.1.0"));
    assert_eq!(offer.service.requirements(), [Requirement::SyslogDrain]);
    assert_eq!(Catalog::parse(r#"{"services":[]}"#).unwrap().services().len(), 0);
}

#[test]
fn a_catalog_in_code_has_the_same_json_form() {
    let basic = Plan::new("p-1", "basic", "Three").with_bindable(false);
    let premium = Plan::new("p-2", "premium", "Fifty")
        .with_price(Price::monthly(2900, "EUR"))
        .with_price(Price::new(5, "USD", PriceUnit::Hour))
        .with_update_schema(json!({ "type": "object" }));
    let client: Fields = [("id", "c-1"), ("secret", "s3cr3t")].into_iter().collect();
    let service = Service::new("s-1", "lantern", "Lanterns").with_plan(basic).with_plan(premium);
    let catalog = Catalog::new([service.with_bindable(true).with_dashboard_client(client)]).unwrap();
    assert!(!format!("{catalog:?}").contains("s3cr3t"));
    let draft = "http://json-schema.org/draft-04/schema#";
    let expected = json!({ "services": [{
        "id": "s-1", "name": "lantern", "description": "Lanterns", "bindable": true, "plan_updateable": false,
        "instances_retrievable": false, "bindings_retrievable": false,
        "dashboard_client": { "id": "c-1", "secret": "s3cr3t" },
        "plans": [
            { "id": "p-1", "name": "basic", "description": "Three", "free": true, "bindable": false },
            { "id": "p-2", "name": "premium", "description": "Fifty", "free": false,
                "metadata": { "costs": [
                    { "amount": { "eur": 29.0 }, "unit": "MONTHLY" }, { "amount": { "usd": 0.05 }, "unit": "HOURLY" }
                ] },
                "schemas": { "service_instance": { "update": { "parameters": { "$schema": draft, "type": "object" } } } } }
        ]
    }] });
    assert_eq!(serde_json::to_value(&catalog).unwrap(), expected);
}

#[test]
fn an_error_names_the_path() {
    let plan = |index| format!("/services/0/plans/{index}");
    for (pointer, value, path, detail) in [
        ("/services/0/id".to_owned(), Some(json!("")), "services[0].id", "it is empty"),
        ("/services/0/name".to_owned(), Some(json!("lan tern")), "services[0].name", "only letters, digits"),
        ("/services/0/description".to_owned(), Some(json!("")), "services[0].description", "it is empty"),
        ("/services/0/plans".to_owned(), Some(json!([])), "services[0].plans", "at least one plan"),
        ("/services/0/bindable".to_owned(), None, "services[0]", "missing field `bindable`"),
        ("/services/0/plan_updatable".to_owned(), Some(json!(true)), "services[0].plan_updatable", "unknown field"),
        ("/services/0/requires".to_owned(), Some(json!(["root"])), "services[0].requires[0]", "unknown variant"),
        (plan(1) + "/id", Some(json!("p-1")), "services[0].plans[1].id", "the same id"),
        (plan(1) + "/id", Some(json!("s-1")), "services[0].plans[1].id", "the same id"),
        (plan(1) + "/id", Some(json!("a\nb")), "services[0].plans[1].id", "control character"),
        (plan(1) + "/id", Some(json!("x".repeat(256))), "services[0].plans[1].id", "255 characters"),
        (plan(1) + "/name", Some(json!("basic")), "services[0].plans[1].name", "the same name"),
        (plan(1) + "/free", Some(json!("no")), "services[0].plans[1].free", "expected a boolean"),
        (
            plan(1) + "/maximum_polling_duration",
            Some(json!(0)),
            "services[0].plans[1].maximum_polling_duration",
            "less than a second",
        ),
        (
            plan(1) + "/maintenance_info/version",
            Some(json!("2.1")),
            "services[0].plans[1].maintenance_info.version",
            "semantic version",
        ),
        (
            plan(1) + "/schemas/service_instance/create/parameters/properties",
            Some(json!({ "zone": { "pattern": "^a" } })),
            "services[0].plans[1].schemas.service_instance.create.parameters.properties.zone.pattern",
            "regular expressions",
        ),
    ] {
        let error = parse_with(&pointer, value).expect_err(&pointer);
        assert_eq!(error.path(), path, "{error}");
        assert!(error.detail().contains(detail), "{error}");
        assert_eq!(error.to_string(), format!("the catalog's {path}: {}", error.detail()));
    }
    assert_eq!(Catalog::parse("{").unwrap_err().path(), "");
    let missing = Catalog::read("no-such-file.json").unwrap_err().to_string();
    assert!(missing.starts_with("the catalog no-such-file.json cannot be read: "), "{missing}");
}

#[test]
fn two_services_may_have_plans_of_the_same_name() {
    let service = |id: &str| {
        let plan = Plan::new(format!("{id}-p"), "basic", "Three");
        Service::new(id, id, "Lanterns").with_plan(plan)
    };
    let catalog = Catalog::new([service("a"), service("b")]).unwrap();
    assert_eq!(catalog.find_named(Some("b"), "basic").unwrap().plan.id(), "b-p");
    assert_eq!(catalog.find_named(None, "basic").unwrap().plan.id(), "a-p");
    assert!(catalog.find_named(Some("c"), "basic").is_none());
    assert_eq!(catalog.find("a", "b-p").unwrap_err().kind(), RejectionKind::Plan);
    assert_eq!(catalog.find("c", "b-p").unwrap_err().kind(), RejectionKind::Service);
    assert_eq!(Catalog::new([service("a"), service("a")]).unwrap_err().path(), "services[1].id");
}

#[test]
fn a_plan_overrides_its_service() {
    let catalog = Catalog::parse(&catalog().to_string()).unwrap();
    let (basic, premium) = (catalog.find("s-1", "p-1").unwrap(), catalog.find("s-1", "p-2").unwrap());
    assert_eq!((basic.is_bindable(), premium.is_bindable()), (false, true));
    assert_eq!((basic.is_plan_updateable(), premium.is_plan_updateable()), (true, true));
}

#[test]
fn parameters_are_checked_by_the_schema_of_the_operation() {
    let catalog = Catalog::parse(&catalog().to_string()).unwrap();
    let (basic, premium) = (catalog.find("s-1", "p-1").unwrap(), catalog.find("s-1", "p-2").unwrap());
    let none = Fields::new();
    assert_eq!(basic.check_provision(&none), Ok(()));
    let rejection = premium.check_provision(&none).unwrap_err();
    assert_eq!((rejection.kind(), rejection.path()), (RejectionKind::Parameter, "zone"));
    assert_eq!(rejection.to_string(), "parameters.zone: it is required");
    assert_eq!(premium.check_provision(&[("zone", "b")].into_iter().collect()), Ok(()));
    assert_eq!((premium.check_update(&none), premium.check_bind(&none)), (Ok(()), Ok(())));
}

#[test]
fn a_catalog_offers_only_the_capabilities_of_the_listener() {
    let plan = |id: &str| {
        let plan = Plan::new(id, id, "Three").with_binding_rotatable(true).with_bind_schema(json!({}));
        plan.with_provision_schema(json!({})).with_update_schema(json!({}))
    };
    let service = Service::new("s-1", "lantern", "Lanterns").with_plan(plan("a").with_plan_updateable(true));
    let catalog = Catalog::new([service.with_plan(plan("b"))]).unwrap();
    let offers = |capabilities: &[Capability]| {
        let limited = catalog.clone().limited_to(capabilities.iter().copied().collect());
        let plans = limited.services()[0].plans().iter().map(|plan| {
            let schemas = [plan.provision_schema(), plan.update_schema(), plan.bind_schema()];
            (plan.binding_rotatable(), schemas.map(|schema| schema.is_some()))
        });
        plans.collect::<Vec<_>>()
    };
    assert_eq!(offers(&[]), [(false, [true, true, false]), (false, [true, false, false])]);
    assert_eq!(offers(&[Capability::Bind]), [(true, [true, true, true]), (true, [true, false, true])]);
    assert_eq!(offers(&[Capability::Update]), [(false, [true, true, false]), (false, [true, true, false])]);
}
