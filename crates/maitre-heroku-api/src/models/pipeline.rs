use serde::Deserialize;

use super::ObjectRef;

/// Apps that stand for the stages of one product.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Pipeline {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An app in a pipeline.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct PipelineCoupling {
    /// Its id.
    pub id: String,
    /// The app.
    pub app: ObjectRef,
    /// The pipeline.
    pub pipeline: ObjectRef,
    /// `test`, `review`, `development`, `staging` or `production`.
    pub stage: Option<String>,
}
