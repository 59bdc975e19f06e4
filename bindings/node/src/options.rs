//! Options from JavaScript.

use std::collections::BTreeMap;

use consolepass::options::{Kind, Scope, Specification, TABLE, Value};
use consolepass::{Error, Options, Secret};
use napi::bindgen_prelude::Either4;

use crate::error::refused;

/// What an object of options comes as: by the names of the table, with values that are of no other type.
pub(crate) type Given = BTreeMap<String, Either4<bool, f64, String, Vec<String>>>;

/// The largest whole number that JavaScript's numbers hold exactly.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// The options as the core takes them. It checks them itself; only what it has no type for is refused here.
pub(crate) fn options(given: Given, scope: Scope) -> napi::Result<Options> {
    let mut options = Options::new();
    for (name, value) in given {
        let row = TABLE.iter().find(|row| row.scope == scope && row.name == name);
        let value = match (value, row.map(|row| row.kind)) {
            (Either4::A(value), _) => Value::Boolean(value),
            (Either4::B(number), _) => whole(number, row, scope)?,
            (Either4::C(text), Some(Kind::Secret)) => Value::Secret(Secret::new(text)),
            (Either4::C(text), _) => Value::String(text),
            (Either4::D(items), _) => Value::List(items),
        };
        options = options.set(name, value);
    }
    Ok(options)
}

fn whole(number: f64, row: Option<&Specification>, scope: Scope) -> napi::Result<Value> {
    if number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number of less than 54 bits")]
        return Ok(Value::Integer(number as i64));
    }
    let shown = format!("{number:?}");
    match row {
        // As text, which the core refuses with the range that the option has, as it does an option that it does not know.
        Some(Specification { kind: Kind::Integer { .. } | Kind::Seconds { .. }, .. }) | None => {
            Ok(Value::String(shown))
        }
        Some(row) => {
            let key = format!("{}: {}", scope.name(), row.name);
            Err(refused(&Error::invalid(&key, &shown, "must not be a number")))
        }
    }
}
