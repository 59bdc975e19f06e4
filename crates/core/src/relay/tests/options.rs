//! Options that are refused before anything is started.

use std::sync::atomic::AtomicUsize;

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
        (good().set("listen", "localhost"), "listen"),
        (good().set("listen", "127.0.0.1:99999"), "listen"),
        (Options::new(), "public_url"),
        (good().set("public_url", "portal"), "public_url"),
        (good().set("allowed_origins", "https://*.example.com"), "allowed_origins"),
        (good().set("allowed_origins", "null"), "allowed_origins"),
        (good().set("frame_ancestors", "portal.example.com"), "frame_ancestors"),
        (good().set("store", "redis://localhost"), "store"),
        (good().set("pass_key_file", "/nonexistent/pass.jwk"), "pass_key_file"),
        (good().set("handshake_timeout", 0), "handshake_timeout"),
        (good().set("Listen", "x"), "Listen"),
    ];
    for (options, name) in cases {
        let error = Relay::new(backend(), &options).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(name), "{name}: {error}");
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
}

#[tokio::test]
async fn a_relay_is_started_once_and_never_again_after_its_stop() {
    let rig = rig(vec![Mood::Echo]).await;

    assert!(rig.relay.start().await.unwrap_err().to_string().contains("already started"));
    rig.relay.stop().await;
    assert!(rig.relay.start().await.unwrap_err().to_string().contains("stopped"));
    assert_eq!(rig.relay.address(), None);
}
