//! The `consolepass` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    consolepass_cli::run(std::env::args_os()).into()
}
