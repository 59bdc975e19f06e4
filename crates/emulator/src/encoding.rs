//! Reading query strings and form bodies the way pve-http-server reads them, oddities included.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// One parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, or a JSON number.
    Text(String),
    /// A JSON boolean, which a form cannot carry.
    Boolean(bool),
    /// A name given more than once, or a JSON array or object: never what a schema here wants.
    List(Vec<String>),
}

/// Parameters by name.
pub(crate) type Parameters = BTreeMap<String, Value>;

/// Decodes `%XX` once. Whatever is no UTF-8 afterwards becomes the replacement character, so it matches nothing.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits on `&` **and** `;`, turns `+` into a space, decodes once, and cuts a value at its second raw `=`
/// (pve-http-server AnyEvent.pm). `_dc`, the web interface's cache breaker, is the one name that is dropped.
pub(crate) fn parse_urlencoded(text: &str) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in text.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let mut parts = pair.split('=');
        let name = decode_urlencoded(parts.next().unwrap_or_default());
        let value = decode_urlencoded(parts.next().unwrap_or_default());
        if name == "_dc" {
            continue;
        }
        match parameters.get_mut(&name) {
            None => {
                parameters.insert(name, Value::Text(value));
            }
            Some(Value::List(values)) => values.push(value),
            Some(single) => {
                let first = if let Value::Text(first) = single { std::mem::take(first) } else { String::new() };
                *single = Value::List(vec![first, value]);
            }
        }
    }
    parameters
}

fn decode_urlencoded(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn a_query_is_split_at_semicolons_and_a_value_is_cut_at_its_second_equals_sign() {
        let parameters = parse_urlencoded("c=x==&d=1;e=2");
        assert_eq!(parameters, [("c".into(), text("x")), ("d".into(), text("1")), ("e".into(), text("2"))].into());
    }

    #[test]
    fn a_plus_is_a_space_and_an_escape_is_decoded_once() {
        assert_eq!(parse_urlencoded("a=1+2%2B3%252B")["a"], text("1 2+3%2B"));
    }

    #[test]
    fn a_name_given_twice_is_a_list_and_the_cache_breaker_is_dropped() {
        let parameters = parse_urlencoded("a=1&a=2&_dc=99");
        assert_eq!(parameters["a"], Value::List(vec!["1".into(), "2".into()]));
        assert_eq!(parameters.len(), 1);
    }
}
