//! The header: what it may be compiled with, and whether it says what the library has.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::installed::{C11, compile, prefix, root, succeed, tool};

/// One function of the header.
pub(crate) struct Function {
    pub(crate) result: String,
    pub(crate) name: String,
    /// Type and name of each.
    pub(crate) parameters: Vec<(String, String)>,
}

/// Every function of the header, from its plain twin for PHP.
pub(crate) fn functions() -> Vec<Function> {
    let text = fs::read_to_string(prefix().join("include/consolepass.ffi.h")).unwrap();
    let joined = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    let prototypes = joined.split(';').filter(|part| part.contains("cpass_") && part.contains('('));
    prototypes.map(|prototype| read(prototype.rsplit("*/").next().unwrap())).collect()
}

fn read(prototype: &str) -> Function {
    let (head, rest) = prototype.split_once('(').unwrap();
    let (result, name) = typed(head);
    let inside = rest.split_once(')').unwrap().0;
    let parameters = inside.split(',').filter(|one| one.trim() != "void").map(typed).collect();
    Function { result, name, parameters }
}

/// `const char *name` is a type and a name.
fn typed(declaration: &str) -> (String, String) {
    let declaration = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = declaration.rfind([' ', '*']).unwrap() + 1;
    (declaration[..start].trim().to_owned(), declaration[start..].to_owned())
}

#[test]
fn the_library_exports_what_the_header_names_and_nothing_else() {
    let library = prefix().join("lib/libconsolepass.so");

    let symbols = succeed(tool("nm", "binutils").args(["-D", "--defined-only"]).arg(library)).stdout;

    let symbols = String::from_utf8(symbols).unwrap();
    let exported: BTreeSet<String> = symbols.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    let named: BTreeSet<String> = functions().into_iter().map(|function| function.name).collect();
    assert_eq!(exported, named);
    assert!(named.len() > 60, "{named:?}");
}

#[test]
fn the_header_names_the_same_functions_to_c_as_to_php() {
    let text = fs::read_to_string(root().join("include/consolepass.h")).unwrap();
    let code: String = text.split("/*").map(|part| part.rsplit("*/").next().unwrap()).collect();

    let of_c: BTreeSet<&str> = code
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_' && character != '(')
        .filter_map(|word| word.split_once('('))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("cpass_"))
        .collect();

    let named: Vec<Function> = functions();
    assert_eq!(of_c, named.iter().map(|function| function.name.as_str()).collect());
}

#[test]
fn the_library_has_its_name_and_stays_in_memory() {
    let library = prefix().join("lib/libconsolepass.so");

    let dynamic = succeed(tool("readelf", "binutils").arg("-d").arg(library)).stdout;

    let dynamic = String::from_utf8(dynamic).unwrap();
    let version: Vec<&str> = env!("CARGO_PKG_VERSION").split('.').collect();
    let soname = format!("[libconsolepass.so.{}.{}]", version[0], version[1]);
    assert!(dynamic.contains(&soname) && dynamic.contains("NODELETE"), "{dynamic}");
    assert!(prefix().join("lib").join(&soname[1..soname.len() - 1]).exists());
}

#[test]
fn two_units_of_one_program_may_include_it() {
    let program = compile("two_units", "cc", C11, &["tests/c/two_units.c", "tests/c/other_unit.c"]);

    succeed(&mut Command::new(program));
}

#[test]
fn it_is_cpp_as_well() {
    let flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    let program = compile("plus_plus", "g++", &flags, &["tests/c/plus_plus.cpp"]);

    succeed(&mut Command::new(program));
}

#[test]
fn the_header_for_php_needs_no_preprocessor() {
    let text = fs::read_to_string(root().join("include/consolepass.ffi.h")).unwrap();

    let directives: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();

    let first: Vec<&str> = text.lines().take(2).collect();
    assert_eq!(directives, first, "FFI::load() reads two lines at the beginning, and no others");
    assert!(!text.contains("CPASS_MUST_USE") && !text.contains("__attribute__"));
}

#[test]
fn an_error_that_is_dropped_is_a_warning() {
    let source =
        super::installed::file("dropped.c", "#include <consolepass.h>\nint main(void) { cpass_relay_start(0); }\n");

    let output = tool("cc", "gcc")
        .args(["-Wall", "-c", "-o", "/dev/null", "-I"])
        .arg(prefix().join("include"))
        .arg(source)
        .output()
        .unwrap();

    assert!(String::from_utf8_lossy(&output.stderr).contains("unused-result"), "{output:?}");
}
