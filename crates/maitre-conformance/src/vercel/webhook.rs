//! Webhooks.

use maitre_testkit::{Call, Raw};
use serde_json::{Value, json};

use super::citation::{practice, webhooks};
use super::skip_unless_ok;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const SIGNED: Citation = webhooks("x-vercel-signature is the HMAC-SHA1 of the raw body; 403 otherwise");
const RECEIVED: Citation = webhooks("any 2xx within 30 s; other deliveries are repeated for 24 hours");

const ADVICE: &str =
    "Compute the HMAC-SHA1 of the raw body with the client secret, compare it in constant time, and answer 403.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.webhook.accepted", "A signed event is answered 2xx.", RECEIVED, |target| {
        Box::pin(accepted(target))
    }),
    Case::must(
        "vercel.webhook.kinds",
        "Events about invoices, members and projects are answered 2xx.",
        RECEIVED,
        |target| Box::pin(kinds(target)),
    ),
    Case::must("vercel.webhook.no-signature", "An event without a signature is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, _, call| call.without_header("x-vercel-signature")))
    }),
    Case::must(
        "vercel.webhook.other-key",
        "An event with the signature of another key is refused.",
        SIGNED,
        |target| {
            Box::pin(refused(target, |_, event, call| {
                let body = event.to_string();
                let signature = maitre_testkit::vercel::webhook_signature("another secret", body.as_bytes());
                call.header("x-vercel-signature", signature)
            }))
        },
    ),
    Case::must(
        "vercel.webhook.other-body",
        "An event with the signature of another body is refused.",
        SIGNED,
        |target| {
            Box::pin(refused(target, |_, event, call| {
                call.body(event.to_string().replace("invoice.paid", "invoice.owed"))
            }))
        },
    ),
    Case::must("vercel.webhook.part", "An event with a part of the signature is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, _, call| {
            let signature = call.request().header("x-vercel-signature").unwrap_or_default()[..20].to_owned();
            call.header("x-vercel-signature", signature)
        }))
    }),
    Case::should(
        "vercel.webhook.odd-signature",
        "An event with a text in place of the signature is refused.",
        practice("no input causes a server error"),
        |target| Box::pin(odd_signature(target)),
    ),
    Case::must("vercel.webhook.raw-body", "The signature is that of the raw body.", SIGNED, |target| {
        Box::pin(raw_body(target))
    }),
    Case::should(
        "vercel.webhook.unknown-kind",
        "An event of an unknown kind is answered 2xx.",
        practice("an event that is not needed is ignored"),
        |target| Box::pin(unknown_kind(target)),
    ),
    Case::should(
        "vercel.webhook.unknown-installation",
        "An event about an unknown installation is answered 2xx.",
        practice("Vercel would repeat it for 24 hours"),
        |target| Box::pin(unknown_installation(target)),
    ),
    Case::should("vercel.webhook.repeated", "A repeated event is answered 2xx.", RECEIVED, |target| {
        Box::pin(repeated(target))
    }),
    Case::should(
        "vercel.webhook.not-json",
        "A signed body that is not an event causes no server error.",
        practice("no input causes a server error"),
        |target| Box::pin(not_json(target)),
    ),
    Case::should(
        "vercel.webhook.removed",
        "The event of a removed installation removes its resources.",
        webhooks("integration-configuration.removed"),
        |target| Box::pin(removed(target)),
    ),
    Case::must("vercel.webhook.no-effect", "A forged event has no effect.", SIGNED, |target| {
        Box::pin(no_effect(target))
    }),
];

/// Returns the payload of an event about a paid invoice.
fn invoice() -> Value {
    json!({ "invoiceId": "mi_1", "externalInvoiceId": null, "invoiceDate": "2026-10-01T00:00:00.000Z",
            "invoiceTotal": "29.00",
            "period": { "start": "2026-09-01T00:00:00.000Z", "end": "2026-10-01T00:00:00.000Z" } })
}

async fn send(target: &Target, call: Call<Raw>) -> Verdict {
    let response = target.wire.send(call).await?;
    let advice =
        "Verify the signature, record the event, and answer 200. Pass the URL with --webhook-url if it is another one.";
    response.must_succeed("a success (2xx)", advice)
}

async fn accepted(target: &Target) -> Verdict {
    let installation = target.installed().await?;
    send(target, target.webhooks.event("marketplace.invoice.paid", installation.id(), invoice())).await
}

/// Returns an event that is accepted; skips the check if it is not.
async fn event(target: &Target) -> Result<Value, Stop> {
    let installation = target.installed().await?;
    let paid = target.webhooks.event("marketplace.invoice.paid", installation.id(), invoice());
    let response = target.wire.send(paid).await?;
    skip_unless_ok(&response, "an event", "webhook.accepted")?;
    let mut payload = invoice();
    payload["configuration"] = json!({ "id": installation.id() });
    payload["installationId"] = installation.id().into();
    Ok(target.webhooks.envelope("marketplace.invoice.paid", &payload))
}

async fn kinds(target: &Target) -> Verdict {
    event(target).await?;
    let resource = target.new_resource().await?;
    let id = resource.installation.id();
    for kind in ["created", "paid", "notpaid", "overdue"] {
        send(target, target.webhooks.event(&format!("marketplace.invoice.{kind}"), id, invoice())).await?;
    }
    let refunded = json!({ "invoiceId": "mi_1", "externalInvoiceId": null, "amount": "9.00", "reason": "outage",
                           "period": invoice()["period"] });
    let member = json!({ "memberId": "m_1", "role": "NONE" });
    let project = json!({ "resourceId": resource.id, "projectId": "prj_1", "project": { "id": "prj_1", "name": "web" },
                          "targets": ["production"] });
    for (kind, payload) in [
        ("marketplace.invoice.refunded", refunded),
        ("marketplace.member.changed", member),
        ("integration-resource.project-connected", project.clone()),
        ("integration-resource.project-disconnected", project),
        ("integration-configuration.scope-change-confirmed", json!({})),
        ("integration-configuration.permission-upgraded", json!({})),
    ] {
        send(target, target.webhooks.event(kind, id, payload)).await?;
    }
    Ok(())
}

async fn refused(target: &Target, forge: fn(&Target, &Value, Call<Raw>) -> Call<Raw>) -> Verdict {
    let event = event(target).await?;
    let call = forge(target, &event, target.webhooks.signed(&event));
    target.wire.send(call).await?.must_be(&[401, 403], ADVICE).map(drop)
}

async fn odd_signature(target: &Target) -> Verdict {
    let event = event(target).await?;
    for signature in ["", "zz", "0", &"g".repeat(40), &"0".repeat(4_000)] {
        let call = target.webhooks.signed(&event).header("x-vercel-signature", signature);
        target.wire.send(call).await?.must_be(&[400, 401, 403, 431], ADVICE)?;
    }
    Ok(())
}

async fn raw_body(target: &Target) -> Verdict {
    let event = event(target).await?;
    let body = format!(" {}\n", event.to_string().replace(":{", " : {\n  ").replace("2026", "\\u0032026"));
    let signature = maitre_testkit::vercel::webhook_signature(&target.platform.client_secret(), body.as_bytes());
    let call = target.webhooks.signed(&event).header("x-vercel-signature", signature).body(body);
    let advice = "Compute the signature of the bytes as received, before they are parsed.";
    target.wire.send(call).await?.must_succeed("a success (2xx)", advice)
}

async fn unknown_kind(target: &Target) -> Verdict {
    event(target).await?;
    let installation = target.installed().await?;
    send(target, target.webhooks.event("a.later.event", installation.id(), json!({ "a": [1, null] }))).await?;
    let deployment = target.webhooks.envelope("deployment.created", &json!({ "deployment": { "id": "dpl_1" } }));
    send(target, target.webhooks.signed(&deployment)).await
}

async fn unknown_installation(target: &Target) -> Verdict {
    event(target).await?;
    let unknown = target.new_installation();
    send(target, target.webhooks.event("marketplace.invoice.paid", unknown.id(), invoice())).await
}

async fn repeated(target: &Target) -> Verdict {
    let event = event(target).await?;
    for _ in 0..2 {
        send(target, target.webhooks.signed(&event)).await?;
    }
    Ok(())
}

async fn not_json(target: &Target) -> Verdict {
    let event = event(target).await?;
    for body in ["", "{", "[]", "null", "{}", "{\"type\":7,\"payload\":[]}"] {
        let signature = maitre_testkit::vercel::webhook_signature(&target.platform.client_secret(), body.as_bytes());
        let call = target.webhooks.signed(&event).header("x-vercel-signature", signature).body(body);
        let response = target.wire.send(call).await?;
        if response.is_server_error() {
            return Err(response.wrong_status("400 or 200", "Answer 400."));
        }
    }
    Ok(())
}

async fn removed(target: &Target) -> Verdict {
    event(target).await?;
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.webhooks.removed(&resource.installation)).await?;
    skip_unless_ok(&response, "an event", "webhook.accepted")?;
    if target.eventually(async || Ok(!target.exists(&resource).await?.0)).await? {
        return Ok(());
    }
    target.must_exist(&resource, false, "after the event of its removed installation").await
}

async fn no_effect(target: &Target) -> Verdict {
    event(target).await?;
    let resource = target.new_resource().await?;
    let call = target.webhooks.removed(&resource.installation).header("x-vercel-signature", "0".repeat(40));
    target.wire.send(call).await?;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await; // events may be handled later
    target.must_exist(&resource, true, "after a forged event").await
}
