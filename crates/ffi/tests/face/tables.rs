//! The two tables in C: each code and option is there, spelled as everywhere, and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::installed::{SANITIZED, compile, prefix, root, succeed};
use super::programs::key_file;

/// The scopes of options, in the words of the header.
const SCOPES: &[(&str, &str)] = &[
    ("proxmox", "a backend of type proxmox"),
    ("vnc", "a backend of type vnc"),
    ("relay", "a relay"),
    ("issuer", "an issuer"),
    ("pass", "a pass"),
    ("page", "a page"),
];

fn rows(table: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/tables.json")).unwrap();
    let mut tables: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(tables[table].take()).unwrap()
}

/// The names of each scope, in the table's order.
fn names() -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows("options") {
        let text = |member: &str| row[member].as_str().unwrap().to_owned();
        names.entry(text("scope")).or_default().push(text("name"));
    }
    names
}

fn installed(header: &str) -> String {
    fs::read_to_string(prefix().join("include").join(header)).unwrap()
}

/// The constants of the enum with `CPASS_OK`, by name.
fn codes(header: &str) -> BTreeMap<String, u64> {
    let listed = header.split_once("CPASS_OK = 0,").unwrap().1.split('}').next().unwrap();
    let constants = listed.lines().filter_map(|line| line.trim().strip_prefix("CPASS_")?.split_once(" = "));
    constants.map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap())).collect()
}

/// What the header says of each option of a scope: its name, and all of the rest on one line.
fn listed(header: &str, scope: &str) -> Vec<(String, String)> {
    let list = header.split_once(&format!("/*\n * The options of {scope}:\n")).unwrap().1.split("*/").next().unwrap();
    let text: Vec<&str> = list.lines().map(|line| line.trim_start_matches([' ', '*'])).collect();
    let items = text.join(" ");
    let items = items.trim().split("- ").map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| item.split_once(' ').unwrap()).map(|(name, rest)| (name.into(), rest.into())).collect()
}

#[test]
fn both_headers_have_every_code_with_its_number_and_no_other() {
    let should: BTreeMap<String, u64> = rows("codes")
        .iter()
        .map(|row| (row["name"].as_str().unwrap().to_uppercase(), row["number"].as_u64().unwrap()))
        .collect();

    for header in ["consolepass.h", "consolepass.ffi.h"] {
        assert_eq!(codes(&installed(header)), should, "{header}");
    }
}

#[test]
fn the_header_explains_every_option_of_every_scope_and_no_other() {
    let header = installed("consolepass.h");
    let scopes: Vec<String> = names().into_keys().collect();
    let mut known: Vec<&str> = SCOPES.iter().map(|(scope, _)| *scope).collect();
    known.sort_unstable();
    assert_eq!(scopes, known);
    assert_eq!(header.matches("* The options of ").count(), SCOPES.len());

    for (scope, of) in SCOPES {
        let should: Vec<Value> = rows("options").into_iter().filter(|row| row["scope"] == *scope).collect();
        let is = listed(&header, of);
        assert_eq!(is.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names()[*scope], "{scope}");
        for (row, (name, said)) in should.iter().zip(&is) {
            let meaning = row["meaning"].as_str().unwrap();
            assert!(said.ends_with(&format!("): {meaning}")), "{name}: {said}");
            for fact in [&row["min"], &row["max"], &row["default"]].into_iter().filter(|fact| !fact.is_null()) {
                let fact = fact.as_str().map_or_else(|| fact.to_string(), str::to_owned);
                assert!(said.split("): ").next().unwrap().contains(&fact), "{name} {fact}: {said}");
            }
        }
    }
}

#[test]
fn each_object_takes_the_options_of_its_scope_and_no_others() {
    let program = compile("options", "gcc", SANITIZED, &["tests/c/options.c"]);

    let told = succeed(Command::new(program).env("PASS_KEY_FILE", key_file("options.jwk"))).stdout;

    let told = String::from_utf8(told).unwrap();
    let taken = told.lines().map(|line| {
        let (scope, rest) = line.split_once(": unknown option \"no_such_option\"").unwrap();
        let names = rest.split_once("the options are ").unwrap().1.split(", ");
        (scope.to_owned(), names.map(str::to_owned).collect())
    });
    assert_eq!(taken.collect::<BTreeMap<String, Vec<String>>>(), names());
}
