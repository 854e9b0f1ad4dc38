use maitre_core::Secret;

use super::{Api, path};
use crate::{Error, List, Subscription, Webhook, WebhookDelivery, WebhookEvent, WebhookSettings};

/// Webhook subscriptions, events and deliveries. Received webhooks are verified with a
/// [`WebhookSecret`](crate::WebhookSecret).
impl Api {
    /// `POST /addons/{addon}/webhooks`: subscribes. If the settings contain no secret, Heroku generates one and returns it
    /// here, and never again.
    ///
    /// The call is not retried after a failure: check the [list](Self::webhooks) first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use maitre_core::OauthGrant;
    /// # use maitre_heroku_api::{Client, Entity, WebhookSettings, WebhookSecret};
    /// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
    /// # let heroku = platform.serve().await?;
    /// # let install = platform.install("basic");
    /// # let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at());
    /// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
    /// # let uuid = install.uuid();
    /// # let api = client.api(&client.exchange(&grant).await?);
    /// let settings = WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks");
    /// let subscription = api.subscribe(uuid, &settings).await?;
    /// let secret = WebhookSecret::new(subscription.secret.unwrap())?; // store it encrypted
    ///
    /// assert_eq!(api.webhook(uuid, &subscription.webhook.id).await?.include, [Entity::AddOn]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subscribe(&self, add_on: &str, settings: &WebhookSettings) -> Result<Subscription, Error> {
        let response = self.post(path(["addons", add_on, "webhooks"])).json(&settings.exposed()).send().await?;
        let secret = response.header("heroku-webhook-secret").map(Secret::from);
        Ok(Subscription { webhook: response.json()?, secret })
    }

    /// `GET /addons/{addon}/webhooks`: lists the subscriptions.
    pub fn webhooks(&self, add_on: &str) -> List<Webhook> {
        self.get(path(["addons", add_on, "webhooks"])).list()
    }

    /// `GET /addons/{addon}/webhooks/{webhook}`: returns a subscription.
    pub async fn webhook(&self, add_on: &str, webhook: &str) -> Result<Webhook, Error> {
        self.get(path(["addons", add_on, "webhooks", webhook])).read().await
    }

    /// `PATCH /addons/{addon}/webhooks/{webhook}`: changes the given settings of a subscription.
    pub async fn update_webhook(
        &self,
        add_on: &str,
        webhook: &str,
        settings: &WebhookSettings,
    ) -> Result<Webhook, Error> {
        self.patch(path(["addons", add_on, "webhooks", webhook])).json(&settings.exposed()).idempotent().read().await
    }

    /// `DELETE /addons/{addon}/webhooks/{webhook}`: deletes a subscription.
    pub async fn unsubscribe(&self, add_on: &str, webhook: &str) -> Result<(), Error> {
        self.delete(path(["addons", add_on, "webhooks", webhook])).send().await.map(drop)
    }

    /// `GET /addons/{addon}/webhook-deliveries`: lists the deliveries.
    pub fn webhook_deliveries(&self, add_on: &str) -> List<WebhookDelivery> {
        self.get(path(["addons", add_on, "webhook-deliveries"])).list()
    }

    /// `GET /addons/{addon}/webhook-deliveries/{delivery}`: returns a delivery.
    pub async fn webhook_delivery(&self, add_on: &str, delivery: &str) -> Result<WebhookDelivery, Error> {
        self.get(path(["addons", add_on, "webhook-deliveries", delivery])).read().await
    }

    /// `GET /addons/{addon}/webhook-events`: lists the events.
    pub fn webhook_events(&self, add_on: &str) -> List<WebhookEvent> {
        self.get(path(["addons", add_on, "webhook-events"])).list()
    }

    /// `GET /addons/{addon}/webhook-events/{event}`: returns an event.
    pub async fn webhook_event(&self, add_on: &str, event: &str) -> Result<WebhookEvent, Error> {
        self.get(path(["addons", add_on, "webhook-events", event])).read().await
    }
}
