//! The table of the marketplaces in the documentation, from the routes that their crates declare.

use std::marker::PhantomData;

use maitre::{
    Addon, Catalog, CleverCloud, CloudControl, DigitalOcean, Heroku, Opperator, Osb, QuickNode, Scalingo, Vercel,
    catalog,
};
use maitre_axum::{Contract, Routes};
use maitre_core::SupportsAsync;

use crate::support::Vendor;

/// Columns, and the operations of each.
const COLUMNS: [(&str, &[&str]); 9] = [
    ("provision", &["provision"]),
    ("plan change", &["plan_change", "change"]),
    ("update", &["update", "change"]),
    ("deprovision", &["deprovision"]),
    ("suspend, reinstate", &["suspend", "reinstate"]),
    ("bind, unbind", &["bind", "unbind"]),
    ("notice", &["notice"]),
    ("accounts", &["close_account"]),
    ("single sign-on", &["single_sign_on"]),
];

/// Whether a type implements `SupportsAsync`: the inherent method is preferred where its bound holds.
struct Probe<M>(PhantomData<M>);

impl<M: SupportsAsync> Probe<M> {
    #[expect(clippy::unused_self, reason = "a method, so that the trait below is the second choice")]
    fn is_async(&self) -> bool {
        true
    }
}

trait NotAsync {
    fn is_async(&self) -> bool;
}

impl<M> NotAsync for Probe<M> {
    fn is_async(&self) -> bool {
        false
    }
}

fn row<M: Contract>(name: &str, routes: &Routes<M>, is_async: bool) -> String {
    let mut row = format!("| {name} |");
    for (_, operations) in COLUMNS {
        let mut methods = Vec::new();
        for (method, _, declared) in routes.list() {
            if declared.iter().any(|operation| operations.contains(operation)) && !methods.contains(&method.as_str()) {
                methods.push(method.as_str());
            }
        }
        let cell = if methods.is_empty() { "–".to_owned() } else { methods.join(", ") };
        row += &[" ", &cell, " |"].concat();
    }
    row + if is_async { " yes |" } else { " – |" }
}

/// Builds the row of a marketplace from its crate.
macro_rules! row {
    ($name:literal, $marketplace:ident = $value:expr, $module:ident) => {
        row(
            $name,
            &maitre::$module::routes(Addon::<$marketplace>::new($value.expect("credentials"), Vendor::default())),
            Probe::<$marketplace>(PhantomData).is_async(),
        )
    };
}

fn table() -> String {
    let plan = catalog::Plan::new("p", "basic", "A plan");
    let catalog =
        Catalog::new([catalog::Service::new("s", "lantern", "A service").with_plan(plan)]).expect("a catalog");
    let head = COLUMNS.map(|(column, _)| format!("{column} | ")).concat();
    let line = "--- | ".repeat(COLUMNS.len() + 2);
    [
        format!("| marketplace | {head}asynchronous |"),
        format!("| {}", line.trim_end()),
        row!("[Clever Cloud](clever-cloud.md)", CleverCloud = CleverCloud::new("a", "b", "c"), clevercloud),
        row!("cloudControl", CloudControl = CloudControl::new("a", "b", "c"), cloudcontrol),
        row!("[DigitalOcean](digitalocean.md)", DigitalOcean = DigitalOcean::new("a", "b", "c"), digitalocean),
        row!("[Heroku](ten-minutes.md)", Heroku = Heroku::new("a", "b", "c"), heroku),
        row!("[Open Service Broker](open-service-broker.md)", Osb = Osb::new("a", "b", catalog.clone()), osb),
        row!("Opperator", Opperator = Opperator::new("a", "b", |_| None), opperator),
        row!("[QuickNode](quicknode.md)", QuickNode = QuickNode::new("a", "b", "c"), quicknode),
        row!("[Scalingo](scalingo.md)", Scalingo = Scalingo::new("a", "b", "c"), scalingo),
        row!("[Vercel](vercel.md)", Vercel = Vercel::new("a", "b", catalog), vercel),
    ]
    .join("\n")
}

#[test]
fn the_page_of_marketplaces_has_the_table_that_the_routes_declare() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/marketplaces.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let start = page.find("| marketplace |").expect("a table");
    let end = start + page[start..].find("\n\n").expect("text after the table");
    let generated = format!("{}{}{}", &page[..start], table(), &page[end..]);
    if std::env::var_os("MAITRE_WRITE").is_some() {
        std::fs::write(&file, &generated).unwrap();
    }
    assert_eq!(page, generated, "outdated: run this test with MAITRE_WRITE=1");
}
