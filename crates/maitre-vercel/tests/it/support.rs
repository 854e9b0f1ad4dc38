//! A vendor at a fake of Vercel.

use std::time::Duration;

use maitre_testkit::vercel::{Installation, Platform as Vercel, PlatformServer};
use maitre_vercel::{Api, Client};

pub(crate) struct Vendor {
    pub(crate) vercel: Vercel,
    pub(crate) server: PlatformServer,
    pub(crate) installation: Installation,
    pub(crate) client: Client,
}

impl Vendor {
    pub(crate) async fn new() -> Self {
        let vercel = Vercel::new("oac_lantern", "client s3cr3t");
        let server = vercel.serve().await.expect("a free port");
        let installation = vercel.new_installation();
        vercel.add_resource(&installation, "ltn_1", "lantern");
        let client = Client::builder("oac_lantern", "client s3cr3t")
            .api_url(server.url())
            .no_proxy()
            .backoff(Duration::from_millis(1), Duration::from_millis(5));
        let client = client.build().expect("a client");
        Self { vercel, server, installation, client }
    }

    pub(crate) fn api(&self) -> Api {
        self.client.installation(self.installation.id(), self.installation.access_token().into())
    }

    /// Returns the number of calls that have reached the API.
    pub(crate) fn call_count(&self) -> usize {
        self.vercel.calls().len()
    }
}
