//! Throttling of callers with wrong credentials, per peer.

use axum::Router;
use maitre::{Addon, Heroku};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::ledger::support::soon;
use crate::support::{PASSWORD, SALT, SLUG, Vendor};

#[tokio::test]
async fn wrong_credentials_are_throttled_and_correct_ones_are_not() {
    let addon = Addon::new(Heroku::new(SLUG, PASSWORD, SALT).unwrap(), Vendor::default());
    let app = Router::new().nest("/heroku", maitre::heroku(addon));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/heroku", socket.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(maitre::serve(socket, app).until(async { drop(stopped.await) }));

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let heroku = maitre_testkit::Heroku::new(&url, SLUG, PASSWORD, SALT);
    let mut throttled = 0;
    for _ in 0..500 {
        let request = client.delete(format!("{url}/resources/7b0c")).basic_auth(SLUG, Some("wrong"));
        let reply = soon("a reply", request.send()).await.unwrap();
        let (status, retry_after) = (reply.status().as_u16(), reply.headers().get("retry-after").cloned());
        assert!(matches!((status, &retry_after), (401, None) | (429, Some(_))), "{status} {retry_after:?}");
        if status == 429 {
            throttled += 1;
            let body = reply.text().await.unwrap();
            assert_eq!(body, r#"{"message":"Too many requests with wrong credentials."}"#);
            if throttled % 10 == 1 {
                heroku.provision("basic").send().await.expect(200);
            }
        }
    }
    assert!(throttled > 100, "{throttled}");
    drop(stop);
    soon("the shutdown", serving).await.unwrap().unwrap();
}
