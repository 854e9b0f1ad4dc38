//! The console in the dashboard (REPL).

use maitre_testkit::{Call, Json};
use serde_json::Value;

use super::citation::{practice, reference};
use super::rules::REFUSED;
use super::skip_if_absent;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const BLOCKS: Citation = reference("200 with a list of paragraphs and tables; 400 with the same if the command fails");

/// Command that no console needs to know.
const COMMAND: &str = "help";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.repl.blocks", "A command is answered with a list of blocks.", BLOCKS, |target| {
        Box::pin(blocks(target))
    }),
    Case::must(
        "vercel.repl.read-only",
        "A command of a read-only console is answered like others.",
        reference("readOnly is optional"),
        |target| Box::pin(read_only(target)),
    ),
    Case::should(
        "vercel.repl.no-input",
        "A request without a command is answered 400.",
        reference("input is required"),
        |target| Box::pin(no_input(target)),
    ),
    Case::should(
        "vercel.repl.unknown",
        "A command for an unknown resource is answered 404.",
        practice("404"),
        |target| Box::pin(unknown(target)),
    ),
    Case::must("vercel.repl.viewer", "A viewer runs no commands.", USERS, |target| Box::pin(viewer(target))),
    Case::must("vercel.repl.foreign", "A command for a resource of another installation is refused.", OWN, |target| {
        Box::pin(foreign(target))
    }),
];

const USERS: Citation = reference("user_role ADMIN is needed for changes");
const OWN: Citation = reference("the installation of the path is that of the token");

fn command(target: &Target, resource: &Resource) -> Call<Json> {
    target.vercel.repl(&resource.installation, &resource.id, COMMAND)
}

/// Runs a command; skips the check if the add-on has no console.
async fn ran(target: &Target) -> Result<(Resource, Response), Stop> {
    let resource = target.new_resource().await?;
    let response = target.wire.send(command(target, &resource)).await?.to("a command in the console");
    skip_if_absent(&response, "POST …/repl")?;
    Ok((resource, response))
}

/// Returns whether a list has texts only.
fn is_line(line: &Value) -> bool {
    let is_text = |text: &Value| text["type"] == "text" && text["text"].is_string();
    line.as_array().is_some_and(|texts| texts.iter().all(is_text))
}

fn is_block(block: &Value) -> bool {
    match block["type"].as_str() {
        Some("paragraph") => is_line(&block["children"]),
        Some("table") => {
            let has_header = block.get("header").is_none_or(is_line);
            has_header && block["rows"].as_array().is_some_and(|rows| rows.iter().all(is_line))
        }
        _ => false,
    }
}

/// Requires blocks: a list, or one per line.
fn must_have_blocks(response: &Response) -> Verdict {
    let advice = "Answer 200, or 400 if the command fails, with [{\"type\": \"paragraph\", \"children\": […]}].";
    response.must_be(&[200, 400], advice)?;
    let body = response.json().unwrap_or_default();
    if body.as_array().is_some_and(|blocks| blocks.iter().all(is_block)) {
        return Ok(());
    }
    Err(response.fault("The body is not a list of paragraphs and tables.", advice))
}

async fn blocks(target: &Target) -> Verdict {
    let (_, response) = ran(target).await?;
    must_have_blocks(&response)
}

async fn read_only(target: &Target) -> Verdict {
    let (resource, _) = ran(target).await?;
    for call in [command(target, &resource).set("readOnly", true), command(target, &resource).without("readOnly")] {
        must_have_blocks(&target.wire.send(call).await?)?;
    }
    Ok(())
}

async fn no_input(target: &Target) -> Verdict {
    let (resource, _) = ran(target).await?;
    let call = command(target, &resource).without("input");
    target.wire.send(call).await?.must_be(&[400], "Answer 400.").map(drop)
}

async fn unknown(target: &Target) -> Verdict {
    let (resource, _) = ran(target).await?;
    let unknown = Resource { id: "an-unknown-resource".to_owned(), ..resource };
    target.wire.send(command(target, &unknown)).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn viewer(target: &Target) -> Verdict {
    let (resource, _) = ran(target).await?;
    let token = target.token(&resource.installation).claim("user_role", "USER").sign();
    let response = target.wire.send(command(target, &resource).bearer(&token)).await?;
    response.must_be(REFUSED, "Answer 403 unless user_role is ADMIN.").map(drop)
}

async fn foreign(target: &Target) -> Verdict {
    let (resource, _) = ran(target).await?;
    let foreign = Resource { installation: target.installed().await?, ..resource };
    target.wire.send(command(target, &foreign)).await?.must_be_refused("Answer 404.")
}
