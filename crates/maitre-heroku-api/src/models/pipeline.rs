use serde::Deserialize;

use super::ObjectRef;

/// A pipeline: apps that are the stages of one product.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Pipeline {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Membership of an app in a pipeline.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct PipelineCoupling {
    /// Id.
    pub id: String,
    /// App.
    pub app: ObjectRef,
    /// Pipeline.
    pub pipeline: ObjectRef,
    /// Stage: `test`, `review`, `development`, `staging` or `production`.
    pub stage: Option<String>,
}
