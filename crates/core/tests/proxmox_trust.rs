//! Whom the client trusts, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use consolepass::{Code, Console, Kind, Options, Proxmox};
use consolepass_emulator::proxmox::{Emulator, Settings};

async fn start() -> Emulator {
    Emulator::start(Settings::default()).await.unwrap()
}

async fn open(emulator: &Emulator, host: &str, trust: Options) -> consolepass::Result<Console> {
    let options = trust
        .set("host", format!("{host}:{}", emulator.address().port()))
        .set("token_id", "portal@pve!console")
        .set("token_secret", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a");
    Proxmox::new(&options)?.open("pve1/qemu/101", Kind::Vnc).await
}

/// A file that goes with its value.
struct File(PathBuf);

impl File {
    fn with(text: &str, port: u16) -> Self {
        let name = format!("consolepass-trust-{}-{port}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_systems_authorities_refuse_a_cluster_and_the_error_says_what_to_pin() {
    let emulator = start().await;

    let error = open(&emulator, "127.0.0.1", Options::new()).await.unwrap_err();
    let pin = Options::new().set("fingerprint", error.fingerprint().unwrap());
    let pinned = open(&emulator, "127.0.0.1", pin).await;

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(emulator.fingerprint()));
    assert!(pinned.is_ok());
    assert_eq!(emulator.requests().len(), 1, "a server that is not trusted is asked nothing");
}

#[tokio::test]
async fn the_clusters_own_authority_is_trusted_by_name_and_by_address() {
    let emulator = start().await;
    let file = File::with(emulator.ca_pem(), emulator.address().port());
    for host in ["127.0.0.1", "localhost"] {
        let trust = Options::new().set("ca_file", file.0.to_str().unwrap());

        assert!(open(&emulator, host, trust).await.is_ok(), "{host}");
    }
}

#[tokio::test]
async fn another_pin_is_refused_and_both_fingerprints_are_named() {
    let (emulator, other) = (start().await, start().await);

    let pin = Options::new().set("fingerprint", other.fingerprint());
    let error = open(&emulator, "127.0.0.1", pin).await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert!(error.to_string().contains(emulator.fingerprint()), "{error}");
    assert!(error.to_string().contains(other.fingerprint()), "{error}");
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn a_list_of_pins_serves_a_list_of_nodes() {
    let (first, second) = (start().await, start().await);
    let pins = [first.fingerprint(), second.fingerprint()];
    for emulator in [&first, &second] {
        let trust = Options::new().set("fingerprint", pins);

        assert!(open(emulator, "127.0.0.1", trust).await.is_ok());
    }
}

#[tokio::test]
async fn insecure_must_be_said_in_words() {
    let emulator = start().await;

    let said = open(&emulator, "127.0.0.1", Options::new().set("insecure", true)).await;
    let not_said = open(&emulator, "127.0.0.1", Options::new().set("insecure", false)).await;

    assert!(said.is_ok());
    assert_eq!(not_said.unwrap_err().code(), Code::TlsUntrusted);
}
