//! NULL in every place of every function that takes a pointer, one at a time, in a program made from the header.

use std::fmt::Write as _;
use std::process::Command;

use super::header::{Function, functions};
use super::installed::{SANITIZED, compile, file, succeed};
use super::programs::key_file;

/// Pointers that may be left out, as the header says.
fn is_optional(function: &Function, parameter: &str) -> bool {
    let takes_defaults = function.name.ends_with("_issue") || function.name.ends_with("_novnc_url");
    matches!(parameter, "length" | "found") || (parameter == "options" && takes_defaults)
}

/// A call with NULL for one parameter, and the program's own handles for all others.
fn call(function: &Function, null: usize) -> String {
    let (mut before, mut after) = (String::new(), String::new());
    let argument = |(index, (kind, name)): (usize, &(String, String))| {
        if index == null {
            return "NULL".to_owned();
        }
        match kind.as_str() {
            "const char *" => "\"x\"".to_owned(),
            "const uint8_t *" => "(const uint8_t *)\"x\"".to_owned(),
            "size_t *" => "&length".to_owned(),
            "bool *" => "&found".to_owned(),
            kind if kind.ends_with("**") => {
                let handle = kind.trim_end_matches('*').trim();
                writeln!(before, "    {handle} *{name} = NULL;").unwrap();
                writeln!(after, "    {handle}_free({name});").unwrap();
                format!("&{name}")
            }
            kind if kind.ends_with('*') => kind.trim_start_matches("const ").replace("cpass_", "").replace(" *", ""),
            _ => "1".to_owned(),
        }
    };
    let arguments: Vec<String> = function.parameters.iter().enumerate().map(argument).collect();
    let call = format!("{}({})", function.name, arguments.join(", "));
    let parameter = &function.parameters[null].1;
    let judged = match function.result.as_str() {
        "void" => call,
        "cpass_error *" if is_optional(function, parameter) => format!("cpass_error_free({call})"),
        "cpass_error *" => format!("refused({call}, CPASS_INVALID_ARGUMENT, \"{parameter}: it is NULL\")"),
        // What is said of a handle that is there does not depend on who asks for the length.
        _ if is_optional(function, parameter) => format!("(void)!{call}"),
        _ => format!("check(!{call})"),
    };
    format!("{{\n{before}    {judged};\n{after}}}\n")
}

#[test]
fn null_in_any_place_is_an_error_and_no_crash() {
    let mut calls = String::new();
    let mut count = 0;
    for function in &functions() {
        for (index, (kind, _)) in function.parameters.iter().enumerate() {
            if kind.ends_with('*') {
                calls.push_str(&call(function, index));
                count += 1;
            }
        }
    }
    assert!(count > 100, "only {count} places were found");
    file("nulls_generated.h", &calls);

    let program = compile("nulls", "gcc", SANITIZED, &["tests/c/nulls.c"]);

    succeed(Command::new(program).env("PASS_KEY_FILE", key_file("nulls.jwk")));
}
