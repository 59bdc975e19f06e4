//! `consolepass doctor`: which step on the way to a console fails, and how to mend it.

use std::io::{IsTerminal, stdout};
use std::mem;
use std::time::Duration;

use clap::ArgMatches;
use consolepass::doctor::{self, Examined, Outcome, Progress, Report};
use consolepass::{Error, Kind, Machine, Result};
use serde_json::{Value, json};

use crate::open::backend;
use crate::output::{DIM, GREEN, Output, PLAIN, RED, YELLOW, error_object, error_words, print, print_object};
use crate::{Status, log};

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<Status> {
    // Its warnings are the report's.
    log::show("error");
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    let machine: Machine = text("machine").unwrap_or_default().parse()?;
    let kind: Kind = text("kind").unwrap_or("vnc").parse()?;
    let backend = backend(matches)?;
    let report = if output.is_json() {
        let report = doctor::examine(backend.as_ref(), &machine, kind).await;
        print_object(&object(&report))?;
        report
    } else {
        let mut teller = Teller { on_terminal: stdout().is_terminal(), begun: false };
        let report = doctor::observe(backend.as_ref(), &machine, kind, &mut |progress| teller.hear(&progress)).await;
        teller.conclude(&report)?;
        report
    };
    Ok(if report.error().is_none() { Status::Fine } else { Status::Failed })
}

/// The report for a program.
fn object(report: &Report) -> Value {
    let steps: Vec<Value> = report.steps().iter().map(step_object).collect();
    json!({
        "machine": report.machine().to_string(),
        "kind": report.kind().as_str(),
        "backend": report.backend(),
        "steps": steps,
        "error": report.error().map(error_object),
    })
}

fn step_object(examined: &Examined) -> Value {
    // In thousandths of a millisecond: a look at a clock is no more exact than that.
    let took = (examined.took.as_secs_f64() * 1e6).round() / 1e3;
    let mut object = json!({
        "step": examined.step.as_str(),
        "outcome": examined.outcome.as_str(),
        "took_ms": took,
        "facts": examined.facts,
        "warnings": examined.warnings,
    });
    if let Outcome::Failed(error) = &examined.outcome {
        object["error"] = error_object(error);
    }
    object
}

/// Tells a person, line by line.
struct Teller {
    on_terminal: bool,
    /// Whether the line of a step that is being taken stands there, to be written over.
    begun: bool,
}

impl Teller {
    /// What comes before the words of a step: its name, how it ended, and its time.
    const INDENT: usize = 34;

    fn hear(&mut self, progress: &Progress<'_>) {
        match progress {
            // Whoever looks sees what takes so long; a file has no use for it.
            Progress::Begins(step) if self.on_terminal => {
                say(&format!("{step:<12}…"));
                self.begun = true;
            }
            Progress::Ended(examined) => self.step(examined),
            _ => {}
        }
    }

    fn step(&mut self, examined: &Examined) {
        let erase = if mem::take(&mut self.begun) { "\r\x1b[K" } else { "" };
        let (colour, word, time) = match &examined.outcome {
            Outcome::Fine => (GREEN, "ok", time(examined.took)),
            Outcome::Failed(_) => (RED, "failed", time(examined.took)),
            Outcome::NotReached => (DIM, "not reached", String::new()),
        };
        let mut words: Vec<String> = examined.facts.clone();
        words.extend(examined.warnings.iter().map(|warning| self.paint(YELLOW, &format!("warning: {warning}"))));
        if let Outcome::Failed(error) = &examined.outcome {
            words.push(self.paint(RED, error.code().name()));
        }
        let head = format!("{:<12}{}{time:>8}  ", examined.step, self.paint(colour, &format!("{word:<12}")));
        let next = format!("\n{:1$}", "", Self::INDENT);
        say(&format!("{erase}{}\n", (head + &words.join(&next)).trim_end()));
    }

    fn conclude(&mut self, report: &Report) -> Result<()> {
        for examined in report.steps().iter().filter(|examined| matches!(examined.outcome, Outcome::NotReached)) {
            self.step(examined);
        }
        match report.error() {
            None => print(&self.paint(GREEN, &format!("\n{} has its console.\n", report.machine()))),
            Some(error) => print(&format!("\n{}{}", error_words(error, self.on_terminal), pin(error))),
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.on_terminal { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// What to paste to trust the certificate that was seen.
fn pin(error: &Error) -> String {
    let Some(seen) = error.fingerprint() else { return String::new() };
    format!(
        "\nTo pin this certificate, once it is compared, in the backend's table of the configuration file:\n  \
         fingerprint = \"{seen}\"\nor as an argument:\n  --fingerprint {seen}\n"
    )
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// A step's words. If they cannot be printed, the conclusion cannot either, and that is told.
fn say(words: &str) {
    let _ = print(words);
}
