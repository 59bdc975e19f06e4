use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use reqwest::Method;

use super::*;
use crate::Options;
use crate::net::http::{Answer, ApiClient, Request};
use crate::net::testing::{Act, TestServer, self_signed, signed, trust};

async fn server() -> TestServer {
    TestServer::start(|_| Act::Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_owned())).await
}

/// Asks `server` by `name` with the trust of `options`.
async fn ask(server: &TestServer, name: &str, options: &Options) -> Result<Answer> {
    let client = ApiClient::new(&trust(options)?, Duration::from_secs(20))?;
    let authority = format!("{name}:{}", server.address.port());
    let request = Request {
        method: Method::GET,
        url: format!("https://{authority}/"),
        server: authority,
        headers: Vec::new(),
        form: None,
    };
    client.send(request).await.map_err(|unanswered| unanswered.error)
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_in_every_spelling_of_the_pin() {
    let server = server().await;
    let pin = &server.fingerprint;

    for spelling in [pin.clone(), pin.to_lowercase(), pin.replace(':', ""), format!("sha256:{pin}")] {
        let options = Options::new().set("fingerprint", spelling);

        assert!(ask(&server, "127.0.0.1", &options).await.is_ok());
    }
}

#[tokio::test]
async fn one_of_several_pins_is_enough() {
    let (server, other) = (server().await, server_pin().await);
    let options = Options::new().set("fingerprint", format!("{other},{}", server.fingerprint));

    assert!(ask(&server, "127.0.0.1", &options).await.is_ok());
}

async fn server_pin() -> String {
    server().await.fingerprint.clone()
}

#[tokio::test]
async fn a_wrong_pin_names_both_fingerprints() {
    let (server, other) = (server().await, server_pin().await);
    let options = Options::new().set("fingerprint", other.as_str());

    let error = ask(&server, "127.0.0.1", &options).await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(server.fingerprint.as_str()));
    let shown = error.to_string();
    assert!(shown.contains(&server.fingerprint) && shown.contains(&other), "{shown}");
    assert!(error.hint().contains("renewed"), "{}", error.hint());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_systems_authorities_refuse_a_private_one_and_say_what_they_saw() {
    let server = server().await;

    let error = ask(&server, "127.0.0.1", &Options::new()).await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(server.fingerprint.as_str()));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_ca_file_is_trusted_for_the_names_in_the_certificate() {
    let server = server().await;
    let file = server.ca_file();
    let options = Options::new().set("ca_file", file.path());

    assert!(ask(&server, "127.0.0.1", &options).await.is_ok());
    assert!(ask(&server, "localhost", &options).await.is_ok());
}

#[tokio::test]
async fn another_ca_file_is_refused_with_the_fingerprint_seen() {
    let (server, other) = (server().await, server().await);
    let file = other.ca_file();
    let options = Options::new().set("ca_file", file.path());

    let error = ask(&server, "127.0.0.1", &options).await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(server.fingerprint.as_str()));
}

#[tokio::test]
async fn a_name_that_is_not_in_the_certificate_is_refused_with_a_hint() {
    let server = server().await;
    let file = server.ca_file();
    let options = Options::new().set("ca_file", file.path());

    // Another address of this machine, which the certificate does not name; Linux answers on all of 127/8.
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let forward = async {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(server.address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    };
    let request = Request {
        method: Method::GET,
        url: format!("https://127.0.0.2:{port}/"),
        server: "node".to_owned(),
        headers: Vec::new(),
        form: None,
    };
    let client = ApiClient::new(&trust(&options).unwrap(), Duration::from_secs(20)).unwrap();

    let (outcome, ()) = tokio::join!(client.send(request), forward);

    let error = outcome.unwrap_err().error;
    assert_eq!(error.code(), Code::TlsUntrusted);
    assert!(error.hint().contains("stands in the certificate"), "{}", error.hint());
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_called_by_what_is_wrong_with_it() {
    let in_the_past = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2025, 3, 1);
    };
    let in_the_future = |params: &mut CertificateParams| params.not_before = date_time_ymd(2999, 1, 1);
    let of_others = |params: &mut CertificateParams| {
        params.subject_alt_names = CertificateParams::new(vec!["pve.example.com".to_owned(), "192.0.2.1".to_owned()])
            .unwrap()
            .subject_alt_names;
    };
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (certificate, is_given, words, cure) in [
        (signed(|_| ()), false, "no trusted authority signed it", "pve-root-ca.pem"),
        (self_signed(|_| ()), false, "it is self-signed", "pin the fingerprint"),
        (self_signed(authority), false, "it is self-signed", "pin the fingerprint"),
        (self_signed(authority), true, "it is self-signed", "pin the fingerprint"),
        (signed(in_the_past), true, "it expired on 2025-03-01", "renew"),
        (signed(in_the_future), true, "it is valid from 2999-01-01 on", "clocks"),
        (
            signed(of_others),
            true,
            "it is not for 127.0.0.1, but for pve.example.com, 192.0.2.1",
            "stands in the certificate",
        ),
    ] {
        let server = TestServer::with_certificate(certificate).await;
        let file = server.ca_file();
        let options = if is_given { Options::new().set("ca_file", file.path()) } else { Options::new() };

        let error = ask(&server, "127.0.0.1", &options).await.unwrap_err();

        let expected = format!(
            "127.0.0.1:{}: its certificate is not trusted: {words}; its fingerprint is {}",
            server.address.port(),
            server.fingerprint
        );
        assert_eq!((error.code(), error.to_string()), (Code::TlsUntrusted, expected));
        assert!(error.hint().contains(cure), "{words}: {}", error.hint());
    }
}

#[tokio::test]
async fn insecure_trusts_anything_when_it_is_said() {
    let server = server().await;

    assert!(ask(&server, "127.0.0.1", &Options::new().set("insecure", true)).await.is_ok());
    assert!(trust(&Options::new().set("insecure", true)).unwrap().is_insecure());
    assert!(!trust(&Options::new()).unwrap().is_insecure());
}

#[test]
fn two_kinds_of_trust_are_one_too_many() {
    let pin = "00".repeat(32);
    for (options, named) in [
        (Options::new().set("insecure", true).set("fingerprint", &*pin), "fingerprint"),
        (Options::new().set("insecure", true).set("ca_file", "/x"), "ca_file"),
        (Options::new().set("ca_file", "/x").set("fingerprint", &*pin), "fingerprint"),
    ] {
        let error = trust(&options).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().starts_with(&format!("proxmox: {named}")), "{error}");
        assert!(error.to_string().contains("together"), "{error}");
    }
}

#[test]
fn a_malformed_fingerprint_is_named_with_what_is_accepted() {
    let error = trust(&Options::new().set("fingerprint", "AB:CD")).unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("\"AB:CD\"") && error.to_string().contains("64 hexadecimal"), "{error}");
}

#[tokio::test]
async fn a_ca_file_that_is_missing_empty_or_garbage_is_named() {
    let server = server().await;
    let file = server.ca_file();
    let path = file.path().to_owned();
    let pem = std::fs::read_to_string(&path).unwrap();
    let cut = pem.replacen("\nMII", "\nAAA", 1);
    for (text, words) in [
        (None, "cannot be read"),
        (Some(String::new()), "holds no certificate"),
        (Some("no PEM at all".to_owned()), "holds no certificate"),
        (Some("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_owned()), "no PEM"),
        (Some(cut), "cannot be used"),
    ] {
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }

        let error = trust(&Options::new().set("ca_file", &*path)).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(&path) && error.to_string().contains(words), "{error}");
    }
}
