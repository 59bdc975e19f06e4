//! Bad pointers and bad text in every place of every function that takes one, one at a time, in programs made from the header.

use std::fmt::Write as _;
use std::process::Command;

use super::header::{Function, functions};
use super::installed::{SANITIZED, compile, file, succeed};
use super::programs::key_file;

/// What is wrong with one argument.
#[derive(Clone, Copy)]
enum Bad {
    Null,
    /// A text as C writes it, and what is said of it.
    Text {
        literal: &'static str,
        length: Option<&'static str>,
        why: &'static str,
    },
}

/// Text that is none, but for its pointer.
const BAD_TEXTS: &[Bad] = &[
    Bad::Text { literal: r#""ab\0c""#, length: None, why: "byte 2 is a NUL" },
    Bad::Text { literal: r#""abc""#, length: Some("4"), why: "byte 3 is a NUL" },
    Bad::Text { literal: r#""ab\xff""#, length: None, why: "not UTF-8 at byte 2" },
    // Half of a pair of surrogates, as some languages would write it; a NUL of two bytes; a text cut in the middle of a letter.
    Bad::Text { literal: r#""\xed\xa0\x80""#, length: None, why: "not UTF-8 at byte 0" },
    Bad::Text { literal: r#""a\xc0\x80""#, length: None, why: "not UTF-8 at byte 1" },
    Bad::Text { literal: r#""gr\xc3""#, length: None, why: "not UTF-8 at byte 2" },
    Bad::Text { literal: r#""abc""#, length: Some("(size_t)-1"), why: "a length of" },
    Bad::Text { literal: r#""abc""#, length: Some("SIZE_MAX / 2 + 1"), why: "a length of" },
];

/// Pointers that may be left out, as the header says.
fn is_optional(function: &Function, parameter: &str) -> bool {
    let takes_defaults = function.name.ends_with("_issue") || function.name.ends_with("_novnc_url");
    matches!(parameter, "length" | "found") || (parameter == "options" && takes_defaults)
}

/// A call with one bad argument, and the program's own handles for all others.
fn call(function: &Function, place: usize, bad: Bad) -> String {
    let (mut before, mut after) = (String::new(), String::new());
    let argument = |(index, (kind, name)): (usize, &(String, String))| {
        match bad {
            Bad::Null if index == place => return "NULL".to_owned(),
            Bad::Text { literal, .. } if index == place => return literal.to_owned(),
            Bad::Text { literal, length, .. } if index == place + 1 => {
                return length.map_or_else(|| format!("sizeof({literal}) - 1"), str::to_owned);
            }
            _ => {}
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
    let parameter = &function.parameters[place].1;
    let judged = match (function.result.as_str(), bad) {
        ("void", _) => call,
        ("cpass_error *", Bad::Text { why, .. }) => {
            format!("refused({call}, CPASS_INVALID_ARGUMENT, \"{parameter}: {why}\")")
        }
        ("cpass_error *", Bad::Null) if is_optional(function, parameter) => format!("cpass_error_free({call})"),
        ("cpass_error *", Bad::Null) => format!("refused({call}, CPASS_INVALID_ARGUMENT, \"{parameter}: it is NULL\")"),
        // What is said of a handle that is there does not depend on who asks for the length.
        _ if is_optional(function, parameter) => format!("(void)!{call}"),
        _ => format!("check(!{call})"),
    };
    format!("{{\n{before}    {judged};\n{after}}}\n")
}

/// Runs a program with all those calls; there are at least so many.
fn run(name: &str, calls: impl Iterator<Item = String>, fewest: usize) {
    let calls: Vec<String> = calls.collect();
    assert!(calls.len() > fewest, "only {} calls", calls.len());
    file(&format!("{name}_generated.h"), &calls.concat());
    let define = format!("-DCALLS=\"{name}_generated.h\"");

    let program = compile(name, "gcc", &[SANITIZED, &[define.as_str()]].concat(), &["tests/c/places.c"]);

    succeed(Command::new(program).env("PASS_KEY_FILE", key_file(&format!("{name}.jwk"))));
}

/// The places of a function whose type is one of pointers, or of text.
fn places(function: &Function, is_one: impl Fn(&str) -> bool) -> Vec<usize> {
    let kinds = function.parameters.iter().enumerate();
    kinds.filter(|(_, (kind, _))| is_one(kind)).map(|(place, _)| place).collect()
}

#[test]
fn null_in_any_place_is_an_error_and_no_crash() {
    let functions = functions();
    let calls = functions.iter().flat_map(|function| {
        let places = places(function, |kind| kind.ends_with('*'));
        places.into_iter().map(|place| call(function, place, Bad::Null))
    });

    run("nulls", calls, 150);
}

#[test]
fn text_that_is_none_is_refused_in_any_place() {
    let functions = functions();
    let calls = functions.iter().flat_map(|function| {
        let places = places(function, |kind| kind == "const char *");
        places.into_iter().flat_map(move |place| BAD_TEXTS.iter().map(move |bad| call(function, place, *bad)))
    });

    run("texts", calls, 150);
}
