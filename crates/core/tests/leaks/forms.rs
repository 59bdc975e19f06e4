//! How a secret may be written when it leaves by mistake. The library's own encoders are not asked about themselves.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Every form in which to look for `secret`: as it is, between the quotes of JSON and of `Debug`, and in base64, also as a URL
/// has it, wherever it begins within a group of three.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let quoted = [serde_json::to_string(secret).unwrap_or_default(), format!("{secret:?}")];
    let mut forms = vec![secret.to_owned()];
    forms.extend(quoted.map(|text| text[1..text.len() - 1].to_owned()));
    for text in [secret.to_owned(), encoded(secret)] {
        for skipped in 0..3 {
            let shifted = [&[0; 2][..skipped], text.as_bytes()].concat();
            // The characters at both ends depend on what stands around the secret.
            let whole = if skipped == 0 { 0 } else { 4 }..shifted.len() / 3 * 4;
            forms.extend([&STANDARD, &URL_SAFE].map(|engine| engine.encode(&shifted)[whole.clone()].to_owned()));
        }
    }
    forms.sort();
    forms.dedup();
    // Shorter ones are found in any text.
    forms.retain(|form| form.len() >= 8);
    forms
}

/// What was said as it is, and with its percent-encoding taken off once and twice, where a plus may be a space: whatever an
/// encoder leaves alone, it is found below.
pub(crate) fn layers(said: &str) -> Vec<String> {
    let peel = |text: &String| [decoded(text), decoded(&text.replace('+', " "))];
    let mut layers = vec![said.to_owned()];
    layers.extend(peel(&layers[0]));
    layers.extend(layers[1..].iter().flat_map(peel).collect::<Vec<_>>());
    layers.sort();
    layers.dedup();
    layers
}

/// As a URL holds it: all but the unreserved characters are written in hex.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let hex = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|digits| !digits.starts_with('+')).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::line_with;

    /// One of eight characters, as the shortest there are, with all that is written in another way somewhere.
    const SECRETS: [&str; 2] = ["a\"%+&\\=?", "Zq+9x k/7\"y\\=1&;%~"];

    fn is_found(secret: &str, text: &str) -> bool {
        layers(text).iter().any(|text| forms(secret).iter().any(|form| line_with(text, form).is_some()))
    }

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        for secret in SECRETS {
            let form = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let strict = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
            };
            let writings = [
                secret.to_owned(),
                format!("{secret:?}"),
                serde_json::json!({ "password": secret }).to_string(),
                form(secret),
                form(&form(secret)),
                strict(secret),
                strict(&strict(secret)),
                strict(&form(secret)),
                strict(secret).to_lowercase().replace("zq", "Zq"),
                strict(&serde_json::json!({ "password": secret }).to_string()),
                STANDARD.encode(format!("username=portal&password={}&x", encoded(secret))),
            ];
            for writing in writings {
                assert!(is_found(secret, &format!("before {writing} after")), "{writing}");
            }
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        for secret in SECRETS {
            for before in ["", "a", "ab", "abc", "user:", "portal@pve!console="] {
                let writing = STANDARD.encode(format!("{before}{secret} after"));

                assert!(is_found(secret, &writing), "{before}{secret} is {writing}");
                assert!(is_found(secret, &writing.replace('+', "-").replace('/', "_")), "{before}{secret} in a URL");
                assert!(
                    is_found(secret, &writing.replace('+', "%2B").replace('/', "%2F")),
                    "{before}{secret} in a form"
                );
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_not_found() {
        for secret in SECRETS {
            assert!(!is_found(secret, "an ordinary line: 100% of https://h/x?y=%2B&z=a%20b%2 YSBvcmRpbmFyeSBsaW5l%"));
        }
    }
}
