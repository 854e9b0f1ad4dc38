use maitre_core::Secret;

use super::{Api, path};
use crate::{Error, List, Subscription, Webhook, WebhookDelivery, WebhookEvent, WebhookSettings};

/// Webhooks: to subscribe, and to see what became of events. How to know that one came from Heroku:
/// [`WebhookSecret`](crate::WebhookSecret).
impl Api {
    /// `POST /addons/{addon}/webhooks`: subscribes. Unless you chose a secret, Heroku draws one and tells it here, never
    /// again.
    ///
    /// It is not repeated after a fault: look at the [list](Self::webhooks).
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
    /// let order = WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks");
    /// let subscribed = api.subscribe(uuid, &order).await?;
    /// let secret = WebhookSecret::new(subscribed.secret.unwrap())?; // keep it sealed
    ///
    /// assert_eq!(api.webhook(uuid, &subscribed.webhook.id).await?.include, [Entity::AddOn]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subscribe(&self, add_on: &str, order: &WebhookSettings) -> Result<Subscription, Error> {
        let answer = self.post(path(["addons", add_on, "webhooks"])).json(&order.exposed()).send().await?;
        let secret = answer.header("heroku-webhook-secret").map(Secret::from);
        Ok(Subscription { webhook: answer.json()?, secret })
    }

    /// `GET /addons/{addon}/webhooks`: all subscriptions.
    pub fn webhooks(&self, add_on: &str) -> List<Webhook> {
        self.get(path(["addons", add_on, "webhooks"])).list()
    }

    /// `GET /addons/{addon}/webhooks/{webhook}`: one of them.
    pub async fn webhook(&self, add_on: &str, webhook: &str) -> Result<Webhook, Error> {
        self.get(path(["addons", add_on, "webhooks", webhook])).read().await
    }

    /// `PATCH /addons/{addon}/webhooks/{webhook}`: changes what the order names.
    pub async fn update_webhook(&self, add_on: &str, webhook: &str, order: &WebhookSettings) -> Result<Webhook, Error> {
        self.patch(path(["addons", add_on, "webhooks", webhook])).json(&order.exposed()).idempotent().read().await
    }

    /// `DELETE /addons/{addon}/webhooks/{webhook}`: ends a subscription.
    pub async fn unsubscribe(&self, add_on: &str, webhook: &str) -> Result<(), Error> {
        self.delete(path(["addons", add_on, "webhooks", webhook])).send().await.map(drop)
    }

    /// `GET /addons/{addon}/webhook-deliveries`: what was delivered, or not.
    pub fn webhook_deliveries(&self, add_on: &str) -> List<WebhookDelivery> {
        self.get(path(["addons", add_on, "webhook-deliveries"])).list()
    }

    /// `GET /addons/{addon}/webhook-deliveries/{delivery}`: one of them.
    pub async fn webhook_delivery(&self, add_on: &str, delivery: &str) -> Result<WebhookDelivery, Error> {
        self.get(path(["addons", add_on, "webhook-deliveries", delivery])).read().await
    }

    /// `GET /addons/{addon}/webhook-events`: what happened.
    pub fn webhook_events(&self, add_on: &str) -> List<WebhookEvent> {
        self.get(path(["addons", add_on, "webhook-events"])).list()
    }

    /// `GET /addons/{addon}/webhook-events/{event}`: one of them.
    pub async fn webhook_event(&self, add_on: &str, event: &str) -> Result<WebhookEvent, Error> {
        self.get(path(["addons", add_on, "webhook-events", event])).read().await
    }
}
