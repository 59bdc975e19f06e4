//! Links of tickets that no hypervisor gives: with a space, which the driver refuses, and which the links must still carry.
//!
//! The test in a real browser has these links printed for tickets of its own.

use std::env;

use serde::Deserialize;
use url::Url;

use super::console;
use super::pages::open;
use crate::Options;

/// One line of JSON for each link.
const VARIABLE: &str = "CONSOLEPASS_LINKS_WANTED";

const WITHOUT_VARIABLE: &str = r#"{"host":"pve","ticket":"a b%20c+d:PVEVNC:1:: /=","password":" 1 3 5 %","version":"1.3","page":"https://pve:8006/vnc.html"}
{"host":"pve","ticket":" ","password":"        ","version":"1.7","page":"https://pve:8006/vnc_lite.html"}"#;

#[derive(Deserialize)]
struct Wanted {
    host: String,
    ticket: String,
    password: String,
    version: String,
    page: String,
}

#[test]
fn a_ticket_with_a_space_is_linked_like_any_other() {
    let lines = env::var(VARIABLE).unwrap_or_else(|_| WITHOUT_VARIABLE.to_owned());
    for line in lines.lines() {
        let wanted: Wanted = serde_json::from_str(line).unwrap();
        let console = console(&wanted.host, 5900, &wanted.ticket, Some(&wanted.password));
        let options = Options::new().set("version", wanted.version.as_str()).set("with_password", true);

        let link = console.novnc_url(&wanted.page, &options).unwrap();
        let opened = open(link.expose(), &wanted.version);

        let websocket = Url::parse(console.websocket_url().unwrap()).unwrap();
        assert_eq!(opened.websocket, websocket);
        assert_eq!(opened.password, Some(wanted.password));
        println!("{}", serde_json::json!({ "novnc_url": link.expose() }));
    }
}
