//! Errors on their way to JavaScript.

use std::error::Error as _;

use consolepass::Error;
use serde_json::json;

/// An error whose message is everything that `ConsolepassError` is made of, as JSON. The JavaScript half makes it, so that it
/// has the caller's stack and is of the class that the caller knows.
pub(crate) fn refused(error: &Error) -> napi::Error {
    let causes: Vec<String> =
        std::iter::successors(error.source(), |cause| (*cause).source()).map(ToString::to_string).collect();
    let members = json!({
        "code": error.code().name(),
        "message": error.to_string(),
        "hint": error.hint(),
        "retryable": error.is_retryable(),
        "httpStatus": error.http_status(),
        "fingerprint": error.fingerprint(),
        "reference": error.reference().map(ToString::to_string),
        "causes": causes,
    });
    napi::Error::from_reason(members.to_string())
}
