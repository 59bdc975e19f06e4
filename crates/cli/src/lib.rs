//! The `consolepass` command, as a library, so that the packages of other languages can run it as their own.

mod command;
mod completion;
mod config;
mod demo;
mod doctor;
mod emulate;
mod log;
mod manual;
mod open;
mod output;
mod pass;
mod relay;
mod secrets;
mod table;
mod viewer;

use std::ffi::OsString;
use std::io::ErrorKind;

use consolepass::{Code, Error, Result};
use tokio::runtime::Builder;

use self::output::Output;

/// Runs the command with `arguments`, the first of which is the program's name. The exit status is 0, 1 if it failed, and
/// 2 if it was used in a wrong way.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = match command::command().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") => {
            Output::new(true).error(&wrong_usage(&error));
            return 2;
        }
        Err(error) => {
            // Help and version are errors to clap, with exit status 0.
            return match error.print() {
                Err(unwritten) if unwritten.kind() != ErrorKind::BrokenPipe => 1,
                _ => u8::try_from(error.exit_code()).unwrap_or(2),
            };
        }
    };
    let output = Output::new(matches.subcommand().is_some_and(|(_, matches)| is_json(matches)));
    let outcome = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Internal, format!("no runtime: {error}")))
        .and_then(|runtime| runtime.block_on(dispatch(&matches, &output)));
    match outcome {
        Ok(Status::Fine) => 0,
        Ok(Status::Failed) => 1,
        Err(error) => {
            output.error(&error);
            if error.code() == Code::InvalidArgument { 2 } else { 1 }
        }
    }
}

/// What clap says of a wrong usage, up to the first empty line: after it come the usage and tips.
fn wrong_usage(error: &clap::Error) -> Error {
    let words = error.to_string();
    let message: Vec<&str> = words.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let message = message.join(" ");
    Error::new(Code::InvalidArgument, message.trim_start_matches("error: "))
        .with_hint("the same with --help says what is accepted")
}

fn is_json(matches: &clap::ArgMatches) -> bool {
    let nested = matches.subcommand().is_some_and(|(_, nested)| is_json(nested));
    nested || matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or(false)
}

/// How a command ended that said all there is to say.
enum Status {
    Fine,
    Failed,
}

async fn dispatch(matches: &clap::ArgMatches, output: &Output) -> Result<Status> {
    match matches.subcommand() {
        Some(("doctor", matches)) => return doctor::run(matches, output).await,
        Some(("open", matches)) => open::run(matches, output).await,
        Some(("relay", matches)) => relay::run(matches, output).await,
        Some(("pass", matches)) => pass::run(matches, output).await,
        Some(("viewer", matches)) => viewer::run(matches, output),
        Some(("emulate", matches)) => emulate::run(matches, output).await,
        Some(("demo", matches)) => demo::run(matches, output).await,
        Some(("completion", matches)) => completion::run(matches),
        Some(("man", _)) => manual::run(),
        // clap insists on a subcommand.
        _ => Ok(()),
    }
    .map(|()| Status::Fine)
}
