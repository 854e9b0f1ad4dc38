use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use crate::{
    error::Error,
    models::{ImportedResource, InstallationUpdate, Resource, ResourceUpdate, Secrets},
};

#[derive(Deserialize)]
struct Resources {
    resources: Vec<Resource>,
}

/// Resources, their secrets, and events.
///
/// Every method returns an [`Error`] if the call fails.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::{Client, Notification, ResourceStatus, ResourceUpdate, Secrets, connect};
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # vercel.add_resource(&installation, "ltn_1", "lantern");
/// let client = Client::new("oac_lantern", "client secret", connect().url(server.url()).build()?)?;
/// let api = client.installation(installation.id(), installation.access_token().into());
///
/// let notice = Notification::warn("Almost full").with_message("90 % of 1 GB are used.");
/// api.update_resource("ltn_1", ResourceUpdate::new().status(ResourceStatus::Ready).notification(notice)).await?;
/// assert_eq!(api.resource("ltn_1").await?.status, Some(ResourceStatus::Ready));
///
/// api.set_secrets("ltn_1", &Secrets::all([("LANTERN_URL", "https://u4:pw@eu1.lantern.example")])).await?;
/// api.resource_updated("ltn_1").await?;
/// # assert_eq!(vercel.secrets(&installation, "ltn_1").len(), 1);
/// # assert!(vercel.problems().is_empty());
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `PUT …/resources/{id}/secrets`: replaces the secrets, or some of them. The environment variables of connected projects
    /// change, and take effect with the next deployment.
    pub async fn set_secrets(&self, resource: &str, secrets: &Secrets) -> Result<(), Error> {
        let call = self.call(Method::PUT, &["resources", resource, "secrets"]);
        Ok(call.body(secrets.to_json()).send().await?)
    }

    /// `PATCH …/resources/{id}`: reports the state of a resource, for example that a pending one is ready.
    pub async fn update_resource(&self, resource: &str, update: ResourceUpdate) -> Result<(), Error> {
        Ok(self.call(Method::PATCH, &["resources", resource]).body(update.into_json()).send().await?)
    }

    /// `PUT …/resources/{id}`: creates a resource that Vercel does not know yet, for a customer who had it before.
    pub async fn import_resource(&self, resource: &str, imported: ImportedResource) -> Result<(), Error> {
        Ok(self.call(Method::PUT, &["resources", resource]).body(imported.into_json()).send().await?)
    }

    /// `GET …/resources/{id}`: returns a resource as Vercel knows it.
    pub async fn resource(&self, resource: &str) -> Result<Resource, Error> {
        Ok(self.get(&["resources", resource]).read().await?)
    }

    /// `GET …/resources`: returns all resources of the installation, to compare them with the vendor's own.
    pub async fn resources(&self) -> Result<Vec<Resource>, Error> {
        Ok(self.get(&["resources"]).read::<Resources>().await?.resources)
    }

    /// `DELETE …/resources/{id}`: removes a resource at Vercel.
    pub async fn delete_resource(&self, resource: &str) -> Result<(), Error> {
        Ok(self.call(Method::DELETE, &["resources", resource]).send().await?)
    }

    /// `POST …/events` with `resource.updated`: Vercel then reads the resource from the vendor.
    pub async fn resource_updated(&self, resource: &str) -> Result<(), Error> {
        let event = json!({ "event": { "type": "resource.updated", "resourceId": resource } });
        Ok(self.call(Method::POST, &["events"]).body(event).repeatable().send().await?)
    }

    /// `POST …/events` with `installation.updated`: Vercel then reads the installation from the vendor.
    pub async fn installation_updated(&self) -> Result<(), Error> {
        let event = json!({ "event": { "type": "installation.updated" } });
        Ok(self.call(Method::POST, &["events"]).body(event).repeatable().send().await?)
    }

    /// `PATCH /v1/installations/{id}`: reports the state of the installation.
    pub async fn update_installation(&self, update: InstallationUpdate) -> Result<(), Error> {
        Ok(self.call(Method::PATCH, &[]).body(update.into_json()).send().await?)
    }
}
