//! An examination while it runs: the notes of those who take the steps.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::report::{Examined, Outcome, Report, Step};
use crate::links::ApiAddress;
use crate::{Kind, Machine, Result};

/// What an observer is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A step begins.
    Begins(Step),
    /// A step has ended.
    Ended(&'a Examined),
}

/// A step failed, and with it the examination, which holds the error.
#[derive(Debug)]
pub struct Stopped(());

/// What is known so far. A backend writes down in it what the steps to its tickets come to.
pub struct Examination<'a> {
    planned: &'static [Step],
    ended: Vec<Examined>,
    current: Option<Current>,
    observer: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

/// A step that is being taken.
struct Current {
    step: Step,
    since: Instant,
    facts: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Examination<'a> {
    pub(super) fn new(observer: &'a mut (dyn FnMut(Progress<'_>) + Send)) -> Self {
        Self { planned: &[], ended: Vec::new(), current: None, observer }
    }

    /// Says which steps there are, so that a report can name those that were not reached.
    pub(crate) fn plan(&mut self, steps: &'static [Step]) {
        self.planned = steps;
    }

    /// Begins a step.
    pub(crate) fn begin(&mut self, step: Step) {
        self.current = Some(Current { step, since: Instant::now(), facts: Vec::new(), warnings: Vec::new() });
        (self.observer)(Progress::Begins(step));
    }

    /// Notes what was found in this step. The same again says nothing new.
    pub(crate) fn note(&mut self, fact: impl Into<String>) {
        let fact = fact.into();
        if let Some(current) = self.current.as_mut().filter(|current| !current.facts.contains(&fact)) {
            current.facts.push(fact);
        }
    }

    /// Notes what does no harm yet.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        if let Some(current) = &mut self.current {
            current.warnings.push(warning.into());
        }
    }

    /// Notes what a host's name came to.
    pub(crate) fn name(&mut self, host: &ApiAddress, found: &Result<Vec<SocketAddr>>) {
        match found {
            Ok(found) if host.host().parse::<IpAddr>().is_ok() => {
                let address = found.first().map_or_else(|| host.authority(), ToString::to_string);
                self.note(format!("{address} is an address already"));
            }
            Ok(found) => {
                let addresses: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
                self.note(format!("{} has {}", host.host(), addresses.join(", ")));
            }
            Err(error) => self.warn(error.to_string()),
        }
    }

    /// Ends this step, and keeps the error if there is one.
    pub(crate) fn end<T>(&mut self, outcome: Result<T>) -> Result<T, Stopped> {
        let (value, outcome) = match outcome {
            Ok(value) => (Ok(value), Outcome::Fine),
            Err(error) => (Err(Stopped(())), Outcome::Failed(error)),
        };
        if let Some(Current { step, since, facts, mut warnings }) = self.current.take() {
            if let Outcome::Failed(error) = &outcome {
                // What did harm after all stands in the error.
                let message = error.to_string();
                warnings.retain(|warning| !message.contains(warning));
            }
            let examined = Examined { step, took: since.elapsed(), outcome, facts, warnings };
            (self.observer)(Progress::Ended(&examined));
            self.ended.push(examined);
        }
        value
    }

    /// Whether the set-up failed from the ticket on, and another ticket may do.
    pub(super) fn is_worth_another_ticket(&self) -> bool {
        let failed = self.ended.last().filter(|_| self.planned.contains(&Step::Ticket));
        failed.is_some_and(|examined| match &examined.outcome {
            Outcome::Failed(error) => examined.step >= Step::Ticket && error.is_worth_another_attempt(),
            Outcome::Fine | Outcome::NotReached => false,
        })
    }

    pub(super) fn report(self, backend: &'static str, machine: Machine, kind: Kind) -> Report {
        let mut steps = self.ended;
        let last = steps.last().map(|examined| examined.step);
        let missed = self.planned.iter().filter(|step| last.is_none_or(|last| **step > last));
        steps.extend(missed.map(|step| Examined {
            step: *step,
            took: Duration::ZERO,
            outcome: Outcome::NotReached,
            facts: Vec::new(),
            warnings: Vec::new(),
        }));
        Report { backend, machine, kind, steps }
    }
}

impl fmt::Debug for Examination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examination").field("ended", &self.ended).finish_non_exhaustive()
    }
}
