//! HTTPS with an additional root certificate.

use std::sync::Arc;

use maitre_heroku_api::{Client, ClientBuilder, Token};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

const ROOT: &[u8] = include_bytes!("tls/root.pem");
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");
const KEY: &[u8] = include_bytes!("tls/server.key");

/// Starts an HTTPS server for 127.0.0.1 that answers every request with an empty list.
async fn serve() -> String {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]").await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

fn builder(url: &str) -> ClientBuilder {
    Client::builder("client secret").base_url(url).no_proxy().attempts(1)
}

#[tokio::test]
async fn only_configured_root_certificates_are_trusted() {
    let url = serve().await;
    let untrusting = builder(&url).build().expect("a client");
    let error = untrusting.api(&Token::new("t")).apps().all().await.expect_err("an untrusted certificate");
    assert!(error.is_connect(), "{error:?}");

    let client = builder(&url).root_certificates(ROOT).build().expect("a client");
    assert_eq!(client.api(&Token::new("t")).apps().all().await.expect("a list").len(), 0);
}

#[test]
fn an_invalid_root_certificate_is_a_builder_error() {
    let pem = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let error = builder("https://heroku.invalid").root_certificates(pem).build().expect_err("no certificate");
    assert!(error.is_builder() && error.to_string().contains("invalid root certificate"), "{error:?}");
}
