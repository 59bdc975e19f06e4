//! `consolepass man`: the manual page, made of the texts that the help, the options and the codes have anyway.

use std::io::Write;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use consolepass::options::{Kind, Scope, Specification, TABLE};
use consolepass::{Code, Error, Result};

use crate::command::command;
use crate::output::print;
use crate::{emulate, secrets};

pub(crate) fn run() -> Result<()> {
    let page = page().map_err(|error| Error::new(Code::Internal, format!("the manual page: {error}")))?;
    print(&page)
}

/// The whole page in roff, in ASCII: what lies beyond it is written as what every roff knows.
fn page() -> std::io::Result<String> {
    let mut command = without_help(command()).disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    // Without a date, so that the same version has the same page; and no word is cut or spread, for most of them are names.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, ".TH CONSOLEPASS 1 \"\" \"consolepass {version}\" \"User Commands\"\n.nh\n.ad l")?;
    let man = Man::new(command.clone());
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let mut roff = Roff::new();
    prose(&mut roff, &command);
    roff.control("SH", ["COMMANDS"]);
    roff.to_writer(&mut page)?;
    for subcommand in command.get_subcommands() {
        describe(subcommand, &mut page)?;
    }
    let mut roff = Roff::new();
    configuration_file(&mut roff);
    environment(&mut roff);
    exit_status(&mut roff);
    errors(&mut roff);
    roff.to_writer(&mut page)?;
    let text = String::from_utf8_lossy(&page).into_owned();
    Ok(text.chars().map(ascii).collect())
}

fn ascii(character: char) -> String {
    if character.is_ascii() { character.into() } else { format!("\\[u{:04X}]", u32::from(character)) }
}

/// `--help` of each command would be said again and again.
fn without_help(command: Command) -> Command {
    command.disable_help_flag(true).mut_subcommands(without_help)
}

/// One command, and those below it.
fn describe(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SS", [usage.trim_start_matches("Usage: ")]);
    if let Some(about) = command.get_about() {
        roff.text([roman(format!("{about}."))]);
    }
    roff.to_writer(page)?;
    if command.get_subcommands().next().is_none() {
        let mut options = Vec::new();
        Man::new(command.clone()).render_options_section(&mut options)?;
        page.extend(as_part(&String::from_utf8_lossy(&options), command).into_bytes());
    }
    let mut roff = Roff::new();
    prose(&mut roff, command);
    roff.to_writer(page)?;
    command.get_subcommands().try_for_each(|subcommand| describe(subcommand, page))
}

/// A section of options without its heading; one within it becomes a line, as it is spelt in the help.
fn as_part(section: &str, command: &Command) -> String {
    let headings: Vec<&str> = command.get_arguments().filter_map(|argument| argument.get_help_heading()).collect();
    let lines = section.lines().filter(|line| *line != ".SH OPTIONS");
    lines.fold(String::new(), |part, line| match line.strip_prefix(".SH ") {
        Some(heading) => {
            let heading = heading.trim_matches('"');
            let spelt = headings.iter().find(|spelt| spelt.to_uppercase() == heading).unwrap_or(&heading);
            part + ".PP\n" + spelt + ":\n"
        }
        None => part + line + "\n",
    })
}

/// What stands behind a command's options in its help. Lines that are indented there are shown as they are.
fn prose(roff: &mut Roff, command: &Command) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut is_block = false;
    for line in help.lines() {
        let block = line.strip_prefix("  ");
        match (block.is_some(), is_block) {
            (true, false) => {
                roff.control("PP", []).control("RS", ["4"]).control("nf", []);
            }
            (false, true) => {
                roff.control("fi", []).control("RE", []);
            }
            _ => {}
        }
        is_block = block.is_some();
        match block {
            Some(block) => roff.text([roman(block)]),
            None if line.is_empty() => roff,
            None => roff.control("PP", []).text([roman(line)]),
        };
    }
    if is_block {
        roff.control("fi", []).control("RE", []);
    }
}

fn configuration_file(roff: &mut Roff) {
    roff.control("SH", ["CONFIGURATION FILE"]);
    roff.text([roman(
        "A file in TOML with a table [relay], and for each hypervisor a table [backend.NAME] with its type. The names and meanings are \
         those of every language that consolepass is used from. A secret stands in a file of its own or in a variable of the \
         environment, which are named by its option with _file or _env at the end.",
    )]);
    for (table, scope) in [
        ("[relay]", Scope::Relay),
        ("[backend.NAME] of type proxmox", Scope::Proxmox),
        ("[backend.NAME] of type vnc", Scope::Vnc),
    ] {
        roff.control("SS", [table]);
        for row in TABLE.iter().filter(|row| row.scope == scope) {
            roff.control("TP", []);
            roff.text([bold(row.name), roman(", "), italic(kind(row))]);
            let default = row.default.map(|default| format!(" The default is {default}.")).unwrap_or_default();
            roff.text([roman(format!("{}{default}", row.meaning))]);
        }
    }
}

fn kind(row: &Specification) -> String {
    match row.kind {
        Kind::Integer { min, max } => format!("a number from {min} to {max}"),
        Kind::Seconds { min, max } => format!("seconds from {min} to {max}"),
        Kind::Boolean => "true or false".to_owned(),
        Kind::List => "a list of texts".to_owned(),
        Kind::Secret => "a secret".to_owned(),
        _ => "a text".to_owned(),
    }
}

fn environment(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    let mut variables: Vec<(String, String)> = Vec::new();
    for row in TABLE.iter().filter(|row| row.kind == Kind::Secret && row.scope == Scope::Proxmox) {
        variables.push((secrets::variable(row.name), row.meaning.to_owned()));
    }
    let log = "Which lines of the log are shown on standard error, such as debug, or consolepass=debug,info.";
    variables.push(("CONSOLEPASS_LOG".to_owned(), log.to_owned()));
    for (name, of) in [(emulate::PASSWORD, "user"), (emulate::TOKEN_SECRET, "token")] {
        variables.push((name.to_owned(), format!("The secret of the {of} that an emulated hypervisor has.")));
    }
    for (name, meaning) in variables {
        roff.control("TP", []);
        roff.text([bold(name)]);
        roff.text([roman(meaning)]);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in [
        ("0", "It was done."),
        ("1", "It failed; the reason is said, with its code and what to do."),
        ("2", "It was asked for in a wrong way, or an option is not valid."),
    ] {
        roff.control("TP", []);
        roff.text([bold(status)]);
        roff.text([roman(meaning)]);
    }
}

fn errors(roff: &mut Roff) {
    roff.control("SH", ["ERRORS"]);
    roff.text([roman(
        "Each has a code, the same in every language, in the log and in what a browser is told; a websocket is closed with 4000 plus the \
         code's number.",
    )]);
    for code in Code::ALL {
        roff.control("TP", []);
        roff.text([bold(code.name()), roman(format!(", {}", code.number()))]);
        roff.text([roman(format!("{}. What to do: {}.", capitalized(code.sentence()), code.hint()))]);
    }
}

fn capitalized(clause: &str) -> String {
    let mut characters = clause.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
