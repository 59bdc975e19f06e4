//! `consolepass completion`: scripts for shells, made of the same command line.

use clap::ArgMatches;
use clap_complete::Shell;
use consolepass::Result;

use crate::command::command;
use crate::output::print;

/// The shells that are tested.
pub(crate) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

pub(crate) fn run(matches: &ArgMatches) -> Result<()> {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        // clap insists on one of the three.
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "consolepass", &mut script);
    print(&String::from_utf8_lossy(&script))
}
