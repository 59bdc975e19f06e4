//! The control sub-protocol `consolepass.1`: small JSON texts beside the console's binary frames.
//!
//! | from | message | meaning |
//! |---|---|---|
//! | relay | `{"type":"step","step":"ticket","reference":"…"}` | what is being done: `ticket`, `connect`, `log_in`, `ready` |
//! | relay | `{"type":"warning","code":"idle","seconds":60}` | the console will end unless somebody uses it |
//! | relay | `{"type":"end","code":"…","sentence":"…","reference":"…"}` | why it ends; the close frame follows |
//! | browser | `{"type":"stay"}` | a person is there |
//!
//! A browser is told a code, a fixed sentence and the reference, never a host, a node or an upstream's words.

use serde::{Deserialize, Serialize};

use super::pipe::Control;
use crate::{Code, Reference};

/// The name that a browser offers to speak it.
pub(super) const SUB_PROTOCOL: &str = "consolepass.1";

/// What the relay is doing for a browser that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Asking the hypervisor for a ticket.
    Ticket,
    /// Connecting to the console.
    Connect,
    /// Logging in to it.
    LogIn,
    /// Everything is ready; the screen follows.
    Ready,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Say<'a> {
    Step { step: Step, reference: &'a str },
    Warning { code: &'a str, seconds: u64 },
    End { code: &'a str, sentence: &'a str, reference: Option<&'a str> },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Hear {
    Stay,
    #[serde(other)]
    Other,
}

pub(super) fn step(step: Step, reference: &Reference) -> String {
    text(&Say::Step { step, reference: reference.as_str() })
}

pub(super) fn end(code: Code, reference: Option<&Reference>) -> String {
    text(&Say::End { code: code.name(), sentence: code.sentence(), reference: reference.map(Reference::as_str) })
}

fn text(say: &Say<'_>) -> String {
    // Structures of text and numbers always have a JSON form.
    serde_json::to_string(say).unwrap_or_default()
}

/// How one browser is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// It speaks the control sub-protocol.
    Control,
    /// It speaks RFB alone.
    Plain,
}

impl Control for Dialect {
    fn heard(&mut self, text: &[u8]) -> bool {
        matches!(serde_json::from_slice(text), Ok(Hear::Stay))
    }

    fn warning(&mut self, seconds: u64) -> Option<String> {
        let warning = Say::Warning { code: Code::Idle.name(), seconds };
        (*self == Self::Control).then(|| text(&warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_written_as_documented() {
        let reference = Reference::from_bytes(&[1; 10]);

        assert_eq!(step(Step::LogIn, &reference), r#"{"type":"step","step":"log_in","reference":"1111111111"}"#);
        assert_eq!(
            end(Code::MachineNotRunning, Some(&reference)),
            r#"{"type":"end","code":"machine_not_running","sentence":"the machine is not running","reference":"1111111111"}"#
        );
        assert_eq!(Dialect::Control.warning(60).unwrap(), r#"{"type":"warning","code":"idle","seconds":60}"#);
        assert_eq!(Dialect::Plain.warning(60), None);
    }

    #[test]
    fn only_stay_says_that_a_person_is_there() {
        assert!(Dialect::Control.heard(br#"{"type":"stay"}"#));
        for text in [&br#"{"type":"resize","cols":80,"rows":24}"#[..], b"stay", b"{}", b"\xff", b"[]"] {
            assert!(!Dialect::Control.heard(text));
        }
    }
}
