//! Comparing a request with what is expected.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::exchange::{Expected, Like, Text};
use crate::encoding::{Parameters, Value, parse_urlencoded};
use crate::http::{Body, Request};

/// Every difference, in words; none means that the request is the expected one.
pub(super) fn differences(expected: &Expected, request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, wanted: &str, got: &str| {
        if wanted != got {
            found.push(format!("{what} is `{got}` instead of `{wanted}`"));
        }
    };
    if let Some(method) = &expected.method {
        compare("method", method, &request.method);
    }
    if let Some(path) = &expected.path {
        compare("path", path, &request.path());
    }
    if let Some(query) = &expected.query {
        found.extend(parameter_differences("query", query, &parse_urlencoded(request.query())));
    }
    for (name, wanted) in &expected.headers {
        match request.headers.joined(name) {
            Some(got) if wanted.fits(&got) => {}
            Some(got) => found.push(format!("header {name} is `{got}` instead of {wanted}")),
            None => found.push(format!("header {name} is missing")),
        }
    }
    for name in &expected.absent_headers {
        if let Some(got) = request.headers.joined(name) {
            found.push(format!("header {name} is `{got}` and should not be there"));
        }
    }
    let body = match &request.body {
        Body::Read(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Refused(refusal) => {
            found.push(format!("the body was not read: {}", refusal.reason));
            return found;
        }
    };
    if let Some(form) = &expected.form {
        found.extend(parameter_differences("form", form, &parse_urlencoded(&body)));
    }
    if let Some(json) = &expected.json {
        match serde_json::from_str::<Json>(&body) {
            Ok(got) if got == *json => {}
            _ => found.push(format!("the body is `{body}` instead of the JSON `{json}`")),
        }
    }
    if let Some(wanted) = expected.body.as_ref().filter(|wanted| !wanted.fits(&body)) {
        found.push(format!("the body is `{body}` instead of {wanted}"));
    }
    found
}

fn parameter_differences(what: &str, wanted: &BTreeMap<String, Text>, got: &Parameters) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in wanted {
        match got.get(name) {
            Some(Value::Text(value)) if text.fits(value) => {}
            Some(value) => found.push(format!("{what} {name} is {value:?} instead of {text}")),
            None => found.push(format!("{what} {name} is missing")),
        }
    }
    found.extend(
        got.keys().filter(|name| !wanted.contains_key(*name)).map(|name| format!("{what} {name} is unexpected")),
    );
    found
}

impl Text {
    fn fits(&self, got: &str) -> bool {
        match self {
            Self::Equal(wanted) => got == wanted,
            Self::Like(Like::StartsWith(start)) => got.starts_with(start),
            Self::Like(Like::Contains(part)) => got.contains(part),
        }
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Equal(wanted) => write!(formatter, "`{wanted}`"),
            Self::Like(Like::StartsWith(start)) => {
                write!(formatter, "something that starts with `{start}`")
            }
            Self::Like(Like::Contains(part)) => {
                write!(formatter, "something that contains `{part}`")
            }
        }
    }
}
