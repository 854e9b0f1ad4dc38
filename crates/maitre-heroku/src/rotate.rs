use maitre_core::{BoxFuture, ConfigVars, ResourceId, Result};

/// Replacement of a resource's credentials, in two steps that are hours apart (Heroku's article on rolling credentials).
///
/// A step may run again with the same arguments, for example after a crash, and must then lead to the same state. A
/// round is the vendor's name of one replacement, such as `2026-11`.
///
/// ```
/// use maitre_core::{ConfigVars, ResourceId, Result};
/// use maitre_heroku::Rotate;
///
/// struct Passwords;
///
/// impl Rotate for Passwords {
///     async fn add(&self, resource: ResourceId, round: &str) -> maitre_core::Result<ConfigVars> {
///         // get or create the password of this resource and round, beside the old one
///         let mut config = ConfigVars::default();
///         config.set("LANTERN_URL", format!("https://u4:pw-of-{round}@lantern.example/{resource}"));
///         Ok(config)
///     }
///     async fn drop_old(&self, resource: ResourceId, round: &str) -> maitre_core::Result<()> {
///         println!("revoked the credentials of {resource} that are older than {round}");
///         Ok(())
///     }
/// }
/// # let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let config = rt.block_on(Passwords.add("7b0c".into(), "2026-11")).unwrap();
/// # assert_eq!(config.iter().len(), 1);
/// # assert!(rt.block_on(Passwords.drop_old("7b0c".into(), "2026-11")).is_ok());
/// ```
pub trait Rotate: Send + Sync + 'static {
    /// Creates new credentials beside the old ones, which stay valid, and returns the config vars that contain them.
    /// Returns the same config vars when it runs again for the same round.
    fn add(&self, resource: ResourceId, round: &str) -> impl Future<Output = maitre_core::Result<ConfigVars>> + Send;

    /// Revokes all credentials except those of this round.
    fn drop_old(&self, resource: ResourceId, round: &str) -> impl Future<Output = maitre_core::Result<()>> + Send;
}

/// Dyn-compatible form of [`Rotate`].
pub(crate) trait DynRotate: Send + Sync {
    fn add<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<ConfigVars>>;
    fn drop_old<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<()>>;
}

impl<R: Rotate> DynRotate for R {
    fn add<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<ConfigVars>> {
        Box::pin(Rotate::add(self, resource, round))
    }
    fn drop_old<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(Rotate::drop_old(self, resource, round))
    }
}
