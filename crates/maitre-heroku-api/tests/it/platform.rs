//! End-to-end tests against the test kit's fake of Heroku.

use std::{collections::BTreeMap, time::Duration};

use maitre_heroku_api::{
    AddOn, AddOnState, Client, ConfigVar, DeliveryStatus, Entity, Error, Event, EventAction, OauthGrant, Token,
    WebhookSecret, WebhookSettings,
};
use maitre_testkit::platform::{Fault, Install, Platform, PlatformServer, RefreshTokens, Rule, State, Violation};

use crate::support::{header, requests, server_with, status};

const SECRET: &str = "client s3cr3t";

async fn heroku() -> (Platform, PlatformServer, Client) {
    let platform = Platform::new("lantern", "p4ss", SECRET);
    let serving = platform.serve().await.expect("a free port");
    let clock = platform.clock().clone();
    let client = Client::builder(SECRET).base_url(serving.url()).user_agent("lantern/2.1").no_proxy();
    let client = client.backoff(Duration::from_millis(1), Duration::from_millis(5)).clock(move || clock.now());
    (platform, serving, client.build().expect("a client"))
}

async fn exchange(client: &Client, install: &Install) -> Result<Token, Error> {
    client.exchange(&OauthGrant::new(install.grant().code(), install.grant().expires_at())).await
}

#[tokio::test]
async fn an_asynchronous_provision_is_completed() {
    let (platform, _serving, client) = heroku().await;
    let install = platform.install("basic");
    let token = exchange(&client, &install).await.expect("a token");
    let api = client.api(&token);

    let vars = [ConfigVar::set("LANTERN_URL", "https://u:p@lantern.example"), ConfigVar::set("LANTERN_OLD", "x")];
    api.set_config(install.uuid(), &vars).await.expect("config");
    let left = api.set_config(install.uuid(), &[ConfigVar::unset("LANTERN_OLD")]).await.expect("config");
    let value = left[0].value.as_ref().expect("a value");
    let shown = (left.len(), left[0].name.as_str(), value.expose());
    assert_eq!(shown, (1, "LANTERN_URL", "https://u:p@lantern.example"));
    let add_on = api.mark_provisioned(install.uuid()).await.expect("an add-on");
    assert_eq!((add_on.state, add_on.id.as_str()), (AddOnState::Provisioned, install.uuid()));
    assert!(add_on.created_at.is_some());

    assert_eq!(install.call_counts().restarts, 1);
    assert_eq!(api.remaining_requests(), Some(4_497));
    assert_eq!(api.rate_limits().await.expect("limits").remaining, 4_497);
    assert_eq!(platform.violations().len(), 0, "{:#?}", platform.violations());
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_a_new_refresh_token_is_kept() {
    let (platform, _serving, client) = heroku().await;
    platform.update_settings(|settings| {
        settings.refresh_tokens = RefreshTokens::Rotated;
        settings.refresh_status = 201;
    });
    let install = platform.install("basic");
    let mut token = exchange(&client, &install).await.expect("a token");
    let api = client.api(&token);
    api.set_config(install.uuid(), &[ConfigVar::set("LANTERN_URL", "x")]).await.expect("config");
    api.mark_provisioned(install.uuid()).await.expect("an add-on"); // otherwise it would be removed after twelve hours
    for _ in 0..3 {
        assert!(!token.needs_refresh(platform.clock().now()));
        platform.clock().advance(Duration::from_hours(8));
        assert!(token.needs_refresh(platform.clock().now()));
        let error = client.api(&token).add_on(install.uuid()).await.expect_err("an error");
        assert!(error.is_unauthorized());
        token = client.refresh(&token).await.expect("a token");
        client.api(&token).add_on(install.uuid()).await.expect("an add-on");
    }
    assert_eq!((install.call_counts().refreshes, install.call_counts().expired_tokens), (3, 3));
    assert_eq!(platform.violations().len(), 0, "{:#?}", platform.violations());
}

#[tokio::test]
async fn a_token_is_invalid_after_the_deprovision() {
    let (platform, _serving, client) = heroku().await;
    let install = platform.install("basic");
    let token = exchange(&client, &install).await.expect("a token");
    let api = client.api(&token);
    assert_eq!(api.mark_deprovisioned(install.uuid()).await.expect("an add-on").state, AddOnState::Deprovisioned);
    assert!(api.add_on(install.uuid()).await.expect_err("an error").is_unauthorized());
    assert!(client.refresh(&token).await.expect_err("an error").is_unauthorized());
    let broken: Vec<_> = platform.violations().iter().map(Violation::rule).collect();
    assert_eq!(broken, [Rule::CallAfterDeprovision; 2]);
}

#[tokio::test]
async fn a_subscription_delivers_events_with_a_valid_signature() {
    let (platform, _serving, client) = heroku().await;
    let install = platform.install("basic");
    let api = client.api(&exchange(&client, &install).await.expect("a token"));
    let receiver = server_with([status(204)]).await;
    let settings =
        WebhookSettings::new([Entity::AddOn], format!("{}/hooks", receiver.uri())).with_authorization("Bearer ours");
    let subscription = api.subscribe(install.uuid(), &settings).await.expect("a webhook");
    let secret = WebhookSecret::new(subscription.secret.expect("a secret")).expect("a secret");

    install.rename("lantern-main");
    let mut deliveries = Vec::new();
    for _ in 0..200 {
        deliveries = api.webhook_deliveries(install.uuid()).all().await.expect("deliveries");
        if deliveries.iter().any(|delivery| delivery.status == DeliveryStatus::Succeeded) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let delivery = &deliveries[0];
    assert_eq!((&delivery.status, delivery.num_attempts), (&DeliveryStatus::Succeeded, 1));
    assert_eq!(delivery.last_attempt.as_ref().and_then(|attempt| attempt.code), Some(204));
    assert_eq!(delivery.event.include, Some(Entity::AddOn));

    let sent = requests(&receiver).await;
    assert_eq!(header(&sent[0], "authorization"), Some("Bearer ours"));
    let signature = header(&sent[0], maitre_heroku_api::WEBHOOK_SIGNATURE).expect("a signature");
    assert!(secret.verifies(signature, &sent[0].body));
    assert!(!secret.verifies(signature, &[&sent[0].body[..], b" "].concat()));
    let event: Event = serde_json::from_slice(&sent[0].body).expect("an event");
    assert_eq!((&event.action, &event.resource), (&EventAction::Update, &Entity::AddOn));
    assert_eq!(event.data_as::<AddOn>().expect("an add-on").name, "lantern-main");
    assert!(event.extra.is_empty() && event.changed_at().is_some());
    assert_eq!(api.webhook_event(install.uuid(), &event.id).await.expect("an event").payload.id, event.id);

    let settings = WebhookSettings::default().with_include([Entity::App, Entity::Collaborator]);
    let changed = api.update_webhook(install.uuid(), &subscription.webhook.id, &settings).await.expect("a webhook");
    assert_eq!(changed.include, [Entity::App, Entity::Collaborator]);
    api.unsubscribe(install.uuid(), &changed.id).await.expect("an end");
    assert_eq!(api.webhooks(install.uuid()).all().await.expect("none").len(), 0);
}

#[tokio::test]
async fn long_lists_are_read_completely() {
    let (platform, serving, _) = heroku().await;
    platform.update_settings(|settings| settings.inventory_page_size = 7);
    let client = Client::builder(SECRET).base_url(serving.url()).no_proxy().page_size(3).build().expect("a client");
    let installs: Vec<_> = (0..20).map(|_| platform.install("basic")).collect();
    for number in 0..10 {
        installs[0].attach(&format!("app-{number}"), &format!("LANTERN_{number}"));
    }
    let api = client.api(&exchange(&client, &installs[0]).await.expect("a token"));
    assert_eq!(api.attachments(installs[0].uuid()).all().await.expect("a list").len(), 11);
    assert_eq!(api.apps().all().await.expect("a list").len(), 11);

    let listed = client.installs("lantern", &"p4ss".into()).all().await.expect("a list");
    let listed: BTreeMap<_, _> = listed.into_iter().map(|install| (install.uuid, install.name)).collect();
    let expected = installs.iter().map(|install| (install.uuid().to_owned(), Some(install.name()))).collect();
    assert_eq!(listed, expected);
    let error = client.installs("lantern", &"guessed".into()).all().await.expect_err("an error");
    assert!(error.is_unauthorized());
}

#[tokio::test]
async fn each_add_on_is_provisioned_once_despite_network_faults() {
    let (platform, _serving, client) = heroku().await;
    platform.set_seed(4);
    let often = |fault: Fault| platform.inject_fault(fault.always().chance(0.12));
    often(Fault::status(503));
    often(Fault::drop_connection());
    often(Fault::status(429).header("retry-after", "0"));
    // a lost response to an exchange loses the grant, so responses are only dropped for other calls
    for (method, path) in [("PATCH", "/addons/*/config"), ("POST", "/addons/*/actions/provision")] {
        often(Fault::drop_connection().after_work().on(method, path));
        often(Fault::cut_body().on(method, path));
    }
    for number in 0..25 {
        let install = platform.install("basic");
        let url = format!("https://lantern.example/{number}");
        let token = retry(|| exchange(&client, &install)).await;
        let (api, vars) = (client.api(&token), [ConfigVar::set("LANTERN_URL", url.as_str())]);
        retry(|| api.set_config(install.uuid(), &vars)).await;
        retry(|| api.mark_provisioned(install.uuid())).await;
        assert_eq!((install.state(), &install.config()["LANTERN_URL"]), (State::Provisioned, &url));
        assert_eq!((install.call_counts().provisioned, install.call_counts().exchanges), (1, 1));
    }
    let faulty = platform.exchanges().iter().filter(|exchange| exchange.fault().is_some()).count();
    assert!(faulty > 25, "{faulty}");
    assert_eq!(platform.violations().len(), 0, "{:#?}", platform.violations());
}

/// Repeats a call after a transient error, in addition to the retries of the client.
async fn retry<T, F: Future<Output = Result<T, Error>>>(call: impl Fn() -> F) -> T {
    for _ in 0..20 {
        match call().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    }
    panic!("twenty attempts failed");
}
