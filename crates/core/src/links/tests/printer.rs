//! Links of tickets that no hypervisor gives: with a space, which the driver refuses, and which the links must still carry.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

use super::console;
use crate::Options;

#[derive(Deserialize)]
struct Wanted {
    host: String,
    ticket: String,
    password: String,
    page: String,
    options: BTreeMap<String, String>,
}

#[test]
#[ignore = "tests/e2e/novnc-page.test.mjs runs it, and opens what it prints in a browser"]
fn prints_a_link_for_each_line_of_stdin() {
    for line in io::stdin().lines() {
        let wanted: Wanted = serde_json::from_str(&line.unwrap()).unwrap();
        let console = console(&wanted.host, 5900, &wanted.ticket, Some(&wanted.password));
        let link = console.novnc_url(&wanted.page, &Options::from_iter(wanted.options));
        println!(
            "{}",
            serde_json::json!({ "novnc_url": link.unwrap().expose() })
        );
    }
}
