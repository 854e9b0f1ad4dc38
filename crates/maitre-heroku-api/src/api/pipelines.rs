use super::{Api, path};
use crate::{Error, List, Pipeline, PipelineCoupling};

/// Pipelines of the apps that the token gives access to.
///
/// ```no_run
/// # async fn example(api: maitre_heroku_api::Api) -> Result<(), maitre_heroku_api::Error> {
/// let coupling = api.coupling_of_app("shop-staging").await?;
/// assert_eq!(coupling.stage.as_deref(), Some("staging"));
/// let siblings = api.couplings_of_pipeline(&coupling.pipeline.id).all().await?;
/// assert!(siblings.iter().any(|sibling| sibling.app.id == coupling.app.id));
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `GET /pipelines`: lists pipelines.
    pub fn pipelines(&self) -> List<Pipeline> {
        self.get("/pipelines").list()
    }

    /// `GET /pipelines/{pipeline}`: returns a pipeline, by id or name.
    pub async fn pipeline(&self, pipeline: &str) -> Result<Pipeline, Error> {
        self.get(path(["pipelines", pipeline])).read().await
    }

    /// `GET /pipelines/{pipeline}/pipeline-couplings`: lists the apps of a pipeline.
    pub fn couplings_of_pipeline(&self, pipeline: &str) -> List<PipelineCoupling> {
        self.get(path(["pipelines", pipeline, "pipeline-couplings"])).list()
    }

    /// `GET /pipeline-couplings`: lists the couplings of apps with pipelines.
    pub fn couplings(&self) -> List<PipelineCoupling> {
        self.get("/pipeline-couplings").list()
    }

    /// `GET /pipeline-couplings/{coupling}`: returns a coupling.
    pub async fn coupling(&self, coupling: &str) -> Result<PipelineCoupling, Error> {
        self.get(path(["pipeline-couplings", coupling])).read().await
    }

    /// `GET /apps/{app}/pipeline-couplings`: returns the coupling of an app with its pipeline.
    pub async fn coupling_of_app(&self, app: &str) -> Result<PipelineCoupling, Error> {
        self.get(path(["apps", app, "pipeline-couplings"])).read().await
    }
}
