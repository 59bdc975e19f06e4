//! `cargo run -p xtask -- header|abi|tables [--check]`

use std::process::ExitCode;

#[allow(clippy::print_stderr, reason = "this is a command")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["header"] => xtask::header::write(),
        ["header", "--check"] => xtask::header::check(),
        ["abi"] => xtask::abi::write(),
        ["abi", "--check"] => xtask::abi::check(),
        ["tables"] => xtask::tables::write(),
        ["tables", "--check"] => xtask::tables::check(),
        _ => Err("usage: cargo run -p xtask -- header|abi|tables [--check]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
