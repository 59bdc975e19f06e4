//! The command has every option and code of the two tables, in its own case, and nothing else. The tables are read from the
//! file that the other languages read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Folder, json, run};

fn tables() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/tables.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Names and types of one scope's options.
fn options(scope: &str) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let tables = tables();
    let rows = tables["options"].as_array().unwrap().iter().filter(|row| row["scope"] == scope);
    let rows: Vec<_> = rows.map(|row| (text(row, "name"), text(row, "type"))).collect();
    assert!(!rows.is_empty(), "the table has no {scope}");
    rows
}

/// How an argument is spelt: a secret is never one itself.
fn flag(prefix: &str, name: &str, kind: &str) -> String {
    let file = if kind == "secret" { "-file" } else { "" };
    format!("--{prefix}{}{file}", name.replace('_', "-"))
}

fn flags_of_help(command: &str) -> BTreeSet<String> {
    let help = run(&[command, "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    // An option's line begins with it; in an example it does not.
    let lines = help.lines().take_while(|line| !line.starts_with("Example"));
    let flags = lines.filter_map(|line| line.trim().trim_start_matches("-h, ").split([' ', '\t']).next());
    flags.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn the_arguments_are_the_options_of_the_table_and_the_commands_own() {
    let page = ["--novnc"];
    let backend = ["--kind", "--config", "--backend"];
    let key = ["--new-key", "--public-key", "--config", "--backend", "--machine"];
    let cases: [(&str, &[&str], Vec<&str>); 3] = [
        ("open", &["proxmox", "page"], [&backend[..], &page, &["--show-secrets"]].concat()),
        ("doctor", &["proxmox"], backend.to_vec()),
        ("pass", &["issuer", "pass", "page"], [&key[..], &page].concat()),
    ];
    for (command, scopes, own) in cases {
        let mut expected: BTreeSet<String> = own.into_iter().chain(["--json", "--help"]).map(str::to_owned).collect();
        for scope in scopes {
            let prefix = if *scope == "page" { "page-" } else { "" };
            expected.extend(options(scope).iter().map(|(name, kind)| flag(prefix, name, kind)));
        }

        assert_eq!(flags_of_help(command), expected, "{command}");
    }
}

/// What the command says of a file whose table has one line more.
fn refused(folder: &Folder, table: &str, line: &str) -> String {
    let (before, after) = match table {
        "relay" => ("[relay]\npublic_url = \"https://h\"\n", "[backend.x]\ntype = \"vnc\"\nhost = \"h\"\n"),
        "proxmox" => ("[backend.x]\ntype = \"proxmox\"\n", "[relay]\npublic_url = \"https://h\"\n"),
        _ => ("[backend.x]\ntype = \"vnc\"\n", "[relay]\npublic_url = \"https://h\"\n"),
    };
    let config = folder.file("consolepass.toml", &format!("{before}{line}\n{after}"));
    let output = run(&["relay", "--config", &config, "--json"]);
    assert_eq!(output.status.code(), Some(2), "{table}: {line}: {output:?}");
    json(&output)["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn the_files_tables_take_the_options_of_the_table_and_no_other() {
    let folder = Folder::new("parity-names");
    for table in ["relay", "proxmox", "vnc"] {
        let message = refused(&folder, table, "no_such_option = 1");

        let (_, listed) = message.split_once("the options are ").unwrap_or_else(|| panic!("{message}"));
        let listed: BTreeSet<&str> = listed.split(", ").collect();
        let expected = options(table);
        let expected: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(listed, expected, "{table}");
    }
}

#[test]
fn every_option_of_a_file_is_read_with_its_type() {
    let folder = Folder::new("parity-types");
    for table in ["relay", "proxmox", "vnc"] {
        for (name, kind) in options(table).iter().filter(|(name, _)| !(table == "relay" && name == "public_url")) {
            // A value that no option of this type takes, and for a secret where it is not.
            let lines = match kind.as_str() {
                "integer" | "seconds" => vec![format!("{name} = \"many\"")],
                "boolean" => vec![format!("{name} = \"perhaps\"")],
                "secret" => vec![format!("{name}_env = \"NOT_SET_HERE\""), format!("{name}_file = \"/nonexistent\"")],
                _ => vec![format!("{name} = true")],
            };
            for line in lines {
                let message = refused(&folder, table, &line);

                let key = line.split(' ').next().unwrap();
                assert!(message.contains(key) && !message.contains("unknown"), "{table}: {line}: {message}");
            }
        }
    }
}

#[test]
fn every_code_stands_in_the_manual_page_with_its_number_and_no_other() {
    let page = String::from_utf8(run(&["man"]).stdout).unwrap();
    let (_, errors) = page.split_once(".SH ERRORS").unwrap();
    let listed: Vec<String> =
        errors.lines().filter_map(|line| line.strip_prefix("\\fB")).map(|line| line.replace("\\fR", "")).collect();

    let tables = tables();
    let codes = tables["codes"].as_array().unwrap().iter();
    let expected: Vec<String> =
        codes.map(|code| format!("{}, {}", code["name"].as_str().unwrap(), code["number"])).collect();
    assert!(!expected.is_empty());
    assert_eq!(listed, expected);
}
