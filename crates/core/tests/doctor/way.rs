//! The host's name, its port, its certificate.

use consolepass::doctor::Step;
use consolepass::{Code, Options};

use super::{
    ALL_FINE, TOKEN, TOKEN_SECRET, assert_fails_at, dead_address, examine, of, outcomes, server_that_says, start,
    token_at, with_token,
};

#[tokio::test]
async fn a_name_that_nobody_knows_and_a_port_where_nobody_listens() {
    let dead = dead_address().await;
    let options = token_at(dead, &"00".repeat(32));

    let no_name = examine(&options.clone().set("host", "no-such-host.invalid"), "qemu/101").await;
    let no_port = examine(&options, "qemu/101").await;

    assert_fails_at(&no_name, Step::Name, Code::Unreachable);
    let error = no_name.error().unwrap();
    assert!(error.to_string().starts_with("no-such-host.invalid:8006: its name cannot be looked up"), "{error}");
    assert!(error.hint().contains("getent hosts"), "{}", error.hint());
    assert_fails_at(&no_port, Step::Port, Code::Unreachable);
    assert_eq!(no_port.error().unwrap().to_string(), format!("{dead}: connection refused"));
    assert!(no_port.error().unwrap().hint().contains("pveproxy"));
    assert!(of(&no_port, Step::Port).warnings.is_empty(), "what the error says is not said twice");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_a_warning_while_another_does() {
    let emulator = start(|_| ()).await;
    let dead = dead_address().await;
    let hosts = format!("no-such-host.invalid,{dead},{}", emulator.address());

    let report = examine(&with_token(&emulator).set("host", hosts), "qemu/101").await;

    assert_eq!(outcomes(&report), ALL_FINE, "{:?}", report.error());
    assert!(of(&report, Step::Name).warnings[0].starts_with("no-such-host.invalid:8006: "));
    assert_eq!(of(&report, Step::Port).warnings, [format!("{dead}: connection refused")]);
    assert_eq!(of(&report, Step::Port).facts, [format!("{} answers", emulator.address())]);
}

#[tokio::test]
async fn of_several_hosts_that_answer_the_first_decides_and_the_others_are_warnings() {
    let (first, second) = (start(|_| ()).await, start(|_| ()).await);
    let hosts = format!("{},{}", first.address(), second.address());

    let fine = examine(&with_token(&first).set("host", hosts.as_str()), "qemu/101").await;
    let refused = examine(&with_token(&second).set("host", hosts), "qemu/101").await;

    assert_eq!(outcomes(&fine), ALL_FINE);
    let warning = &of(&fine, Step::Tls).warnings[0];
    assert!(warning.contains(&second.address().to_string()) && warning.contains(second.fingerprint()), "{warning}");
    assert_fails_at(&refused, Step::Tls, Code::TlsUntrusted);
    assert_eq!(refused.error().unwrap().fingerprint(), Some(first.fingerprint()));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_with_the_fingerprint_to_pin() {
    let (emulator, other) = (start(|_| ()).await, start(|_| ()).await);
    let unpinned = Options::new()
        .set("host", emulator.address().to_string())
        .set("token_id", TOKEN)
        .set("token_secret", TOKEN_SECRET);

    let unknown = examine(&unpinned, "qemu/101").await;
    let wrong_pin = examine(&unpinned.clone().set("fingerprint", other.fingerprint()), "qemu/101").await;
    let insecure = examine(&unpinned.clone().set("insecure", true), "qemu/101").await;
    let seen = unknown.error().unwrap().fingerprint().unwrap().to_owned();
    let pinned = examine(&unpinned.set("fingerprint", seen), "qemu/101").await;

    for report in [&unknown, &wrong_pin] {
        assert_fails_at(report, Step::Tls, Code::TlsUntrusted);
        assert_eq!(report.error().unwrap().fingerprint(), Some(emulator.fingerprint()));
    }
    assert!(unknown.error().unwrap().to_string().contains("no trusted authority signed it"));
    assert!(wrong_pin.error().unwrap().to_string().contains(other.fingerprint()));
    let line = format!("fingerprint = \"{}\"", emulator.fingerprint());
    assert!(of(&insecure, Step::Tls).warnings[0].ends_with(&line), "{insecure:?}");
    assert_eq!(outcomes(&pinned), ALL_FINE);
}

#[tokio::test]
async fn another_server_at_the_port_fails_where_tls_begins() {
    let pin = "00".repeat(32);
    let http = server_that_says("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
    let ssh = server_that_says("SSH-2.0-OpenSSH_9.2p1\r\n").await;
    let silent = server_that_says("").await;

    for address in [http, ssh] {
        let report = examine(&token_at(address, &pin), "qemu/101").await;

        assert_fails_at(&report, Step::Tls, Code::Protocol);
        let error = report.error().unwrap();
        assert!(error.to_string().contains("does not speak TLS") && error.hint().contains("8006"), "{error}");
    }
    let report = examine(&token_at(silent, &pin).set("timeout", 1), "qemu/101").await;
    assert_fails_at(&report, Step::Tls, Code::Timeout);
}
