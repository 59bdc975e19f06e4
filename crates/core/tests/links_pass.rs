//! The links of a pass, as a portal gets them.
#![cfg(feature = "relay")]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::fs;
use std::path::Path;

use consolepass::{Code, Issuer, Options, Pass, PassKey};

async fn pass(name: &str, public_url: &str) -> Pass {
    let key = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jwk"));
    fs::write(&key, PassKey::generate().unwrap().expose()).unwrap();
    let options = Options::new().set("public_url", public_url).set("pass_key_file", key.to_str().unwrap());
    let issuer = Issuer::new(&options).unwrap();
    fs::remove_file(&key).unwrap();
    issuer.issue("dc1", "qemu/101", &Options::new()).await.unwrap()
}

/// `name` in the link's fragment, decoded once, as noVNC reads it.
fn parameter(link: &str, name: &str) -> Option<String> {
    let (_, fragment) = link.split_once('#')?;
    let pairs = url::form_urlencoded::parse(fragment.as_bytes());
    pairs.into_iter().find_map(|(found, value)| (found == name).then(|| value.into_owned()))
}

#[tokio::test]
async fn a_novnc_page_of_any_origin_opens_the_websocket_of_a_pass() {
    let pass = pass("any_origin", "https://portal.example.com/console").await;
    let page = "https://static.example.com/novnc/vnc.html";

    let link = pass.novnc_url(page, &Options::new()).unwrap();

    let path = parameter(&link, "path").unwrap();
    assert!(link.starts_with(&format!("{page}#")), "{link}");
    assert_eq!(format!("wss://portal.example.com/{path}"), pass.url());
    assert_eq!(parameter(&link, "port").as_deref(), Some("443"));
    assert_eq!(parameter(&link, "encrypt").as_deref(), Some("1"));
    assert_eq!(parameter(&link, "reconnect").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_pass_gives_rfb_its_url_and_no_password() {
    let pass = pass("bare", "http://localhost:8700").await;

    let bare = pass.rfb_parameters();

    assert_eq!((bare.url(), bare.password()), (pass.url().as_str(), None));
    assert!(!format!("{bare:?}").contains("pass="), "a pass is as good as a key");
}

#[tokio::test]
async fn a_page_that_is_none_is_refused_without_the_pass_in_the_error() {
    let pass = pass("refused", "https://portal.example.com").await;
    let url = pass.url();
    let (_, text) = url.split_once("pass=").unwrap();

    let error = pass.novnc_url("https://portal.example.com/index.html", &Options::new()).unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(!format!("{error:?}").contains(text));
}
