//! The console in Vercel's dashboard (REPL): commands of users, and what they print.

use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;
use maitre_axum::core::{AccountId, Result};
use maitre_axum::{Call, ErrorReply, ReadResult, json};
use serde::Deserialize;
use serde_json::Value;

use crate::Vercel;
use crate::optional::VercelCommand;
use crate::output::VercelOutput;
use crate::shared::{failed, find_resource, live_resources};

impl Vercel {
    /// Offers a console for each resource in Vercel's dashboard, whose commands this function runs. Without it, the route
    /// does not exist. A call outlives its request.
    ///
    /// ```
    /// # use maitre_axum::core::{Failure, catalog::Catalog};
    /// # use maitre_axum_vercel::{Vercel, VercelOutput};
    /// # let vercel = Vercel::new("oac_lantern", "s3cr3t-example", Catalog::default())?;
    /// let vercel = vercel.with_console(async |command| match command.input.trim() {
    ///     "status" => Ok(VercelOutput::new().with_paragraph(["All lanterns are lit."])),
    ///     _ => Ok(VercelOutput::error("Unknown command: try status.")),
    /// });
    /// # use maitre_axum::core::{Addon, doctest::Widgets};
    /// let routes = maitre_axum_vercel::routes::<()>(Addon::new(vercel, Widgets));
    /// assert!(routes.list().any(|(_, path, _)| path.ends_with("/repl")));
    /// # Ok::<(), maitre_axum_vercel::VercelError>(())
    /// ```
    #[must_use]
    pub fn with_console<F>(mut self, run: impl Fn(VercelCommand) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<VercelOutput>> + Send + 'static,
    {
        self.optional.console = Some(Arc::new(move |command| Box::pin(run(command))));
        self
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommandBody {
    input: String,
    read_only: Option<bool>,
}

/// Runs a command on a resource of the installation.
pub(crate) async fn run(call: Call<Vercel>) -> ReadResult {
    let body = call.json::<CommandBody>()?.fields;
    let account = AccountId::from(call.id("iid")?);
    let resource = find_resource(&live_resources(&call).await?, call.resource("rid")?.as_str())?;
    let handler = call.addon().marketplace().optional.console.clone();
    let (Some(handler), Some(user)) = (handler, call.caller().user.clone()) else {
        return Err(ErrorReply::not_found().into()); // unreachable: without a console there is no route
    };
    let read_only = body.read_only.unwrap_or_default();
    let command = VercelCommand {
        addon: call.addon_id(),
        account,
        resource,
        input: body.input,
        read_only,
        user_id: user.id,
        user_email: user.email,
    };
    let output = call.run_to_completion(handler(command)).await;
    let output = output.map_err(|failure| failed(&call, &failure, StatusCode::BAD_REQUEST))?;
    let status = if output.is_error() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(json(status, &Value::from(output.into_blocks())))
}
