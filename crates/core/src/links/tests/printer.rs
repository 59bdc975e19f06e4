//! Links of tickets that no hypervisor gives: with a space, which the driver refuses, and which the links must still carry.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::console;

#[derive(Deserialize)]
struct Wanted {
    host: String,
    ticket: String,
    password: String,
    page: String,
    options: BTreeMap<String, String>,
}

/// Without a file of wishes there is one sample, so that this is a test of its own as well.
const SAMPLE: &str = r#"{"host":"https://pve:8006","ticket":"a b+%&#","password":"12345678",
    "page":"https://pve:8006/novnc/vnc.html","options":{}}"#;

/// `tests/e2e/novnc-page.test.mjs` names a file, and opens what this prints in a browser.
#[test]
fn a_link_is_printed_for_each_wish() {
    let wishes = match std::env::var("CONSOLEPASS_LINK_WISHES") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => SAMPLE.replace('\n', ""),
    };
    for line in wishes.lines() {
        let wanted: Wanted = serde_json::from_str(line).unwrap();
        let console = console(&wanted.host, 5900, &wanted.ticket, Some(&wanted.password));
        let link = console
            .novnc_url(&wanted.page, &wanted.options.into_iter().collect())
            .unwrap();

        assert!(link.expose().starts_with(&wanted.page) && !link.expose().contains(' '));
        println!("{}", serde_json::json!({ "novnc_url": link.expose() }));
    }
}
