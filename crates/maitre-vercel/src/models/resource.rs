use maitre_http::open_enum;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{notification::Notification, secrets::Secrets};

open_enum! {
    /// State of a resource, as the vendor reports it.
    pub enum ResourceStatus {
        /// Ready.
        Ready = "ready",
        /// Not ready yet.
        Pending = "pending",
        /// The customer has to complete the setup.
        Onboarding = "onboarding",
        /// Suspended by the vendor.
        Suspended = "suspended",
        /// Usable again after a suspension.
        Resumed = "resumed",
        /// Uninstalled.
        Uninstalled = "uninstalled",
        /// Not usable because of an error.
        Error = "error",
    }
}

/// Owner of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ownership {
    /// Sold by Vercel.
    Owned,
    /// Sold by the vendor; Vercel does not deprovision it.
    Linked,
    /// For trying out.
    Sandbox,
}

impl Ownership {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Linked => "linked",
            Self::Sandbox => "sandbox",
        }
    }
}

/// Resource as Vercel knows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resource {
    /// The vendor's id.
    #[serde(alias = "partnerId")]
    pub id: String,
    /// Vercel's id.
    pub internal_id: String,
    /// The user's name of it.
    pub name: String,
    /// The vendor's id of the product.
    pub product_id: String,
    /// State.
    pub status: Option<ResourceStatus>,
    /// Id of the plan.
    pub billing_plan_id: Option<String>,
    /// Values of the form.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

macro_rules! setters {
    ($type:ident { $( $(#[$about:meta])* $setter:ident($argument:ident: $kind:ty) = $name:literal: $value:expr; )* }) => {
        impl $type {
            $( $(#[$about])*
            #[must_use]
            pub fn $setter(mut self, $argument: $kind) -> Self {
                self.0.insert($name.to_owned(), $value);
                self
            } )*

            pub(crate) fn into_json(self) -> Value {
                self.0.into()
            }
        }
    };
}

/// Changes of a resource; the other fields keep their values.
#[derive(Clone, Default)]
pub struct ResourceUpdate(Map<String, Value>);

impl ResourceUpdate {
    /// Creates an update without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Clears the notice to the customer.
    #[must_use]
    pub fn clear_notification(mut self) -> Self {
        self.0.insert("notification".to_owned(), Value::Null);
        self
    }
}

setters!(ResourceUpdate {
    /// Sets the state.
    status(status: ResourceStatus) = "status": status.as_str().into();
    /// Sets the name.
    name(name: &str) = "name": name.into();
    /// Sets the values of the form.
    metadata(metadata: Map<String, Value>) = "metadata": metadata.into();
    /// Sets the plan, in the form of the vendor's list of plans.
    billing_plan(plan: Value) = "billingPlan": plan;
    /// Sets the notice to the customer.
    notification(notification: Notification) = "notification": json!(notification);
    /// Sets the owner.
    ownership(ownership: Ownership) = "ownership": ownership.as_str().into();
    /// Sets the secrets.
    secrets(secrets: &Secrets) = "secrets": secrets.to_json();
});

impl std::fmt::Debug for ResourceUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Resource that Vercel does not know yet.
///
/// ```
/// use maitre_vercel::{ImportedResource, Ownership, ResourceStatus};
///
/// let imported = ImportedResource::new("lantern", "orders", &ResourceStatus::Ready).ownership(Ownership::Linked);
/// assert_eq!(format!("{imported:?}"), r#"{"name", "ownership", "productId", "status"}"#);
/// ```
#[derive(Clone)]
pub struct ImportedResource(Map<String, Value>);

impl ImportedResource {
    /// Creates a resource of a product, with the user's name of it.
    #[must_use]
    pub fn new(product: &str, name: &str, status: &ResourceStatus) -> Self {
        let fields = [("productId", product), ("name", name), ("status", status.as_str())];
        Self(fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect())
    }
}

setters!(ImportedResource {
    /// Sets the values of the form.
    metadata(metadata: Map<String, Value>) = "metadata": metadata.into();
    /// Sets the plan, in the form of the vendor's list of plans.
    billing_plan(plan: Value) = "billingPlan": plan;
    /// Sets the owner.
    ownership(ownership: Ownership) = "ownership": ownership.as_str().into();
    /// Sets the secrets.
    secrets(secrets: &Secrets) = "secrets": secrets.to_json();
});

impl std::fmt::Debug for ImportedResource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<_> = self.0.keys().collect();
        names.sort(); // the order of a map is the build's choice
        f.debug_set().entries(names).finish()
    }
}

/// Changes of an installation; the other fields keep their values.
///
/// ```
/// use maitre_vercel::{InstallationUpdate, Notification};
///
/// let update = InstallationUpdate::new().notification(Notification::info("Scheduled maintenance"));
/// assert_eq!(format!("{update:?}"), r#"{"notification"}"#);
/// ```
#[derive(Clone, Default)]
pub struct InstallationUpdate(Map<String, Value>);

impl InstallationUpdate {
    /// Creates an update without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Clears the notice to the customer.
    #[must_use]
    pub fn clear_notification(mut self) -> Self {
        self.0.insert("notification".to_owned(), Value::Null);
        self
    }
}

setters!(InstallationUpdate {
    /// Sets the state.
    status(status: ResourceStatus) = "status": status.as_str().into();
    /// Sets the vendor's id of the installation.
    external_id(id: &str) = "externalId": id.into();
    /// Sets the plan, in the form of the vendor's list of plans.
    billing_plan(plan: Value) = "billingPlan": plan;
    /// Sets the notice to the customer.
    notification(notification: Notification) = "notification": json!(notification);
});

impl std::fmt::Debug for InstallationUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
