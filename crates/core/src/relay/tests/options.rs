//! Options that are refused before anything is started.

use std::sync::atomic::AtomicUsize;

use tokio::net::TcpListener;

use super::rig::{Fake, Mood, ORIGIN, rig};
use crate::relay::*;

#[tokio::test]
async fn bad_options_are_named_before_anything_is_started() {
    let backend = || -> [(&str, Arc<dyn Backend>); 1] {
        let fake = Fake {
            address: ([127, 0, 0, 1], 1).into(),
            opened: AtomicUsize::new(0),
            reason: None,
            refusal: None,
            turn: Arc::default(),
        };
        [("dc1", Arc::new(fake))]
    };
    let good = || Options::new().set("public_url", ORIGIN);
    let cases = [
        ("listen", "localhost"),
        ("listen", "127.0.0.1:99999"),
        ("public_url", "portal"),
        ("public_url", "ftp://portal.example.com"),
        ("public_url", "https://*"),
        ("frame_ancestors", "https://portal.example.com;script-src"),
        ("allowed_origins", "https://*.example.com"),
        ("allowed_origins", "https://portal.example.com/page"),
        ("allowed_origins", "null"),
        ("frame_ancestors", "portal.example.com"),
        ("store", "redis://localhost"),
        ("pass_key_file", "/nonexistent/pass.jwk"),
        ("handshake_timeout", "0"),
        ("max_sessions", "many"),
        ("allow_missing_origin", "perhaps"),
    ];
    for (name, value) in cases {
        let error = Relay::new(backend(), &good().set(name, value)).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        let said = error.to_string();
        assert!(said.contains(name) && said.contains(value), "{name} = {value}: {said}");
    }
    for (name, value) in [("store", "redis://:hunter2@localhost"), ("allowed_origins", "https://u:hunter2@a")] {
        let error = Relay::new(backend(), &good().set(name, value)).unwrap_err().to_string();

        assert!(error.contains(name) && error.contains("…@") && !error.contains("hunter2"), "{error}");
    }
    for (options, named) in [(Options::new(), "public_url"), (good().set("Listen", "x"), "Listen")] {
        let error = Relay::new(backend(), &options).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(named), "{error}");
    }
    let none: [(&str, Arc<dyn Backend>); 0] = [];
    assert!(Relay::new(none, &good()).is_err());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let rig = rig(vec![Mood::Echo]).await;
    let backend: Arc<dyn Backend> = Arc::clone(&rig.fake) as _;
    let options = Options::new().set("public_url", ORIGIN).set("listen", rig.address.to_string());

    let error = Relay::new([("dc1", backend)], &options).unwrap().start().await.unwrap_err();

    assert_eq!(error.code(), Code::ListenFailed);
    assert!(error.to_string().contains(&rig.address.to_string()), "{error}");
    assert!(error.hint().contains("another process"), "{}", error.hint());
}

#[tokio::test]
async fn an_address_that_this_machine_does_not_have_is_not_taken_for_a_taken_port() {
    let rig = rig(vec![Mood::Echo]).await;
    let backend: Arc<dyn Backend> = Arc::clone(&rig.fake) as _;
    // For documentation (RFC 5737): nobody has it.
    let options = Options::new().set("public_url", ORIGIN).set("listen", "192.0.2.1:0");

    let error = Relay::new([("dc1", backend)], &options).unwrap().start().await.unwrap_err();

    assert_eq!(error.code(), Code::ListenFailed);
    assert!(error.to_string().contains("192.0.2.1:0") && error.hint().contains("no such address"), "{error:?}");
}

#[tokio::test]
async fn a_relay_is_started_once_and_never_again_after_its_stop() {
    let rig = rig(vec![Mood::Echo]).await;

    assert!(rig.relay.start().await.unwrap_err().to_string().contains("already started"));
    rig.relay.stop().await;
    assert_eq!(rig.relay.start().await.unwrap_err().code(), Code::Closed);
    assert_eq!(rig.relay.address(), None);
}

#[tokio::test]
async fn from_the_moment_of_its_close_a_relay_issues_nothing_and_stops_all_the_same() {
    let rig = rig(vec![Mood::Echo]).await;
    assert!(rig.relay.check().is_ok());

    rig.relay.close();

    assert_eq!(rig.relay.address(), None);
    let refused = rig.relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap_err();
    assert_eq!((refused.code(), rig.relay.check().unwrap_err().code()), (Code::Closed, Code::Closed));
    assert!(!refused.is_retryable() && refused.hint() == "make a new relay", "{refused:?}");
    rig.relay.stop().await;
    assert_eq!(rig.relay.address(), None);
}

/// A new one before the same backend.
fn unstarted(fake: &Arc<Fake>) -> Arc<Relay> {
    let backend: Arc<dyn Backend> = Arc::clone(fake) as _;
    let options = Options::new().set("public_url", ORIGIN).set("listen", "127.0.0.1:0");
    Arc::new(Relay::new([("dc1", backend)], &options).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_starts_at_the_same_time_one_wins_and_its_address_stays() {
    let rig = rig(vec![Mood::Echo]).await;
    for _ in 0..200 {
        let relay = unstarted(&rig.fake);
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let relay = Arc::clone(&relay);
                tokio::spawn(async move { relay.start().await })
            })
            .collect();
        let mut addresses = Vec::new();
        for start in starts {
            match start.await.unwrap() {
                Ok(address) => addresses.push(address),
                Err(error) => assert_eq!(error.code(), Code::InvalidArgument, "{error}"),
            }
        }

        assert_eq!(addresses.len(), 1);
        assert_eq!(relay.address(), Some(addresses[0]));
        relay.stop().await;
        assert!(TcpListener::bind(addresses[0]).await.is_ok(), "the port is free");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_a_stop_overtakes_is_told_so_in_the_same_words() {
    let rig = rig(vec![Mood::Echo]).await;
    for _ in 0..200 {
        let relay = unstarted(&rig.fake);
        let start = tokio::spawn({
            let relay = Arc::clone(&relay);
            async move { relay.start().await }
        });
        relay.stop().await;

        if let Err(error) = start.await.unwrap() {
            assert_eq!((error.code(), error.is_retryable()), (Code::Closed, false), "{error}");
        }
        assert_eq!((relay.address(), relay.start().await.unwrap_err().code()), (None, Code::Closed));
    }
}
