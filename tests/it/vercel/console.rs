//! The console in the dashboard.

use std::sync::{Arc, Mutex};

use maitre::{Failure, Vercel, VercelCommand, VercelOutput, VercelText};
use serde_json::json;

use super::{error, market, market_with};

fn with_console(commands: &Arc<Mutex<Vec<VercelCommand>>>) -> impl FnOnce(Vercel) -> Vercel {
    let commands = commands.clone();
    move |vercel| {
        vercel.with_console(move |command| {
            commands.lock().unwrap().push(command.clone());
            async move {
                match (command.input.as_str(), command.read_only) {
                    ("list", _) => Ok(VercelOutput::new()
                        .with_paragraph([VercelText::from("2 lanterns").with_bold()])
                        .with_table(["name"], [["red"], ["green"]])),
                    ("light", false) => Ok(VercelOutput::new().with_paragraph(["Lit."])),
                    ("light", true) => Ok(VercelOutput::error("This console is read-only.")),
                    ("locked", _) => Err(Failure::refused("The lanterns are locked.")),
                    ("broken", _) => panic!("a defect"),
                    _ => Err(Failure::unavailable("the cluster is down")),
                }
            }
        })
    }
}

#[tokio::test]
async fn a_command_is_answered_with_blocks() {
    let commands = Arc::default();
    let market = market_with(with_console(&commands)).await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let run = |input: &str| market.client.repl(&installation, &id, input);
    let text = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(
        run("list").await.expect(200).json(),
        json!([
            { "type": "paragraph", "children": [{ "type": "text", "text": "2 lanterns", "bold": true }] },
            { "type": "table", "header": [text("name")], "rows": [[text("red")], [text("green")]] },
        ])
    );
    run("light").await.expect(200);
    let refused = run("light").set("readOnly", true).await.expect(400).json();
    assert_eq!(refused, json!([{ "type": "paragraph", "children": [text("This console is read-only.")] }]));
    let command = commands.lock().unwrap()[0].clone();
    assert_eq!(command.resource, market.vendor.provisions()[0].resource, "the key, not the vendor's id");
    assert_eq!((command.account.as_str(), command.user_id.as_str()), (installation.id(), installation.user_id()));
    assert!(!format!("{command:?}").contains("list"));
    run("list").without("readOnly").await.expect(200);
    assert!(!commands.lock().unwrap().last().unwrap().read_only);

    assert_eq!(error(&run("locked").await.expect(400).json()).0, "validation_error");
    assert_eq!(error(&run("broken").await.expect(503).json()).0, "unavailable");
    assert_eq!(error(&run("other").await.expect(503).json()).0, "unavailable");
    assert_eq!(error(&run("x").without("input").await.expect(400).json()).0, "validation_error");
}

#[tokio::test]
async fn only_an_administrator_of_the_installation_runs_commands() {
    let commands = Arc::default();
    let market = market_with(with_console(&commands)).await;
    let (installation, other) = (market.installed().await, market.installed().await);
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let run = || market.client.repl(&installation, &id, "list").without_header("x-vercel-auth");
    run().bearer(&market.platform.system_token(&installation).sign()).await.expect(403);
    run().bearer(&market.platform.user_token(&installation).claim("user_role", "USER").sign()).await.expect(403);
    run().bearer(&market.platform.user_token(&other).sign()).await.expect(403);
    market.client.repl(&other, &id, "list").await.expect(404);
    market.client.repl(&installation, "unknown", "list").await.expect(404);
    market.client.deprovision(&installation, &id).await.expect(204);
    run().await.expect(404);
    assert!(commands.lock().unwrap().is_empty());
}

#[tokio::test]
async fn routes_that_are_not_offered_do_not_exist() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    market.client.repl(&installation, &id, "list").await.expect(404);
    market.client.purchase(&installation, "mi_1").await.expect(404);
    market.client.request_transfer(&installation, &[&id]).await.expect(404);
    market.client.verify_transfer(&installation, "c").await.expect(404);
    market.client.accept_transfer(&installation, "c").await.expect(404);
}
