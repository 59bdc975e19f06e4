//! A server's words in an error or a log line: one short line, without any secret that it may have repeated.

use percent_encoding::percent_decode_str;

/// Words are quoted so far, in characters: a reason is a sentence.
const LONGEST: usize = 160;

/// A secret that is shorter can be guessed from the words around it, so that nothing is quoted where one stands, in bytes.
const SHORTEST: usize = 4;

/// What the tickets of Proxmox VE have in them.
const LOGIN_TICKET: &str = "PVE:";
const CONSOLE_TICKET: &str = "PVEVNC:";

/// Quotes `words`, in which none of `secrets` may be seen, nor anything that looks like a ticket.
pub(crate) fn quote(words: &str, secrets: &[&str]) -> String {
    let words = visible(words);
    let mut secrets: Vec<String> = secrets.iter().copied().flat_map(values).map(visible).collect();
    secrets.retain(|secret| !secret.is_empty());
    // One may be a part of another, whose rest would stay.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    if secrets.iter().any(|secret| secret.len() < SHORTEST && words.contains(secret.as_str())) {
        return "…".to_owned();
    }
    // In the whole text, before it is taken apart: a password may hold spaces.
    let masked = secrets.iter().fold(words, |text, secret| text.replace(secret, "…"));
    let line: Vec<String> = masked.split_whitespace().map(|word| quote_word(word, &secrets)).collect();
    let line = line.join(" ");
    if line.chars().count() > LONGEST {
        return line.chars().take(LONGEST).chain(['…']).collect();
    }
    line
}

/// A secret, and of a header, `PVEAPIToken=…=SECRET` or `PVEAuthCookie=…`, its value as well.
fn values(secret: &str) -> [&str; 2] {
    let is_header = secret.starts_with("PVEAPIToken=") || secret.starts_with("PVEAuthCookie=");
    [secret, secret.rsplit_once('=').filter(|_| is_header).map_or(secret, |(_, value)| value)]
}

/// Without what shows as nothing: a secret may be written with it, and would be whole again once it is taken out.
fn visible(text: &str) -> String {
    text.chars().filter(|character| character.is_whitespace() || !character.is_control()).collect()
}

fn quote_word(word: &str, secrets: &[String]) -> String {
    if readings(word).iter().any(|text| is_secret(text, secrets)) { "…".to_owned() } else { word.to_owned() }
}

/// A word as it is, and as what was encoded for a URL once or twice, or for a form.
fn readings(word: &str) -> [String; 4] {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (once, form) = (decoded(word), decoded(&word.replace('+', " ")));
    [word.to_owned(), decoded(&once), once, form]
}

fn is_secret(text: &str, secrets: &[String]) -> bool {
    let text = visible(text);
    let in_capitals = text.to_ascii_uppercase();
    // A node's name may stand before a colon as well, but only a ticket has its signature behind two.
    let is_login = in_capitals.contains(LOGIN_TICKET) && in_capitals.contains("::");
    let is_ticket = is_login || in_capitals.contains(CONSOLE_TICKET);
    is_ticket || secrets.iter().any(|secret| text.contains(secret.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_quoted_however_it_is_spelt() {
        for words in [
            "no user 1 with password Zq+9x k/7y=1 here",
            "blocked: password=Zq%2B9x%20k%2F7y%3D1&x",
            "blocked: password=Zq%2b9x%20k%2f7y%3d1&x",
            "blocked: password=Zq%2B9x+k%2F7y%3D1&x",
            "blocked: password=Zq%2b9x+k%2f7y%3d1&x",
            "blocked: password=Zq%252B9x%2520k%252F7y%253D1&x",
            "blocked: password=%5a%71%2b%39%78%20%6b%2f%37%79%3d%31&x",
        ] {
            let quoted = quote(words, &["Zq+9x k/7y=1"]);

            assert!(!quoted.contains("9x") && !quoted.contains("7y") && !quoted.contains("%79"), "{quoted}");
            assert!(quoted.contains('…'), "{quoted}");
        }
    }

    #[test]
    fn a_secret_is_not_put_together_from_its_parts() {
        for words in ["H\0U\0N\0T\0E\0R\0\x32\0", "say H\u{1b}UNTER2", "x=H%1BUNTER2", "H\u{7f}UNTER2"] {
            let quoted = quote(words, &["HUNTER2"]);

            assert!(!quoted.contains("HUNTER2") && quoted.contains('…'), "{words:?}: {quoted}");
        }
        assert_eq!(quote("xabcdefgh", &["abcd", "xabcdefgh"]), "…");
    }

    #[test]
    fn a_secret_that_could_be_guessed_from_the_rest_leaves_nothing_of_it() {
        assert_eq!(quote("Authentication failed", &["a"]), "…");
        assert_eq!(quote("Too busy", &["a"]), "Too busy");
    }

    #[test]
    fn a_node_that_is_called_as_nodes_are_is_quoted() {
        for words in ["cannot connect to pve:8006: connection refused", "user portal@pve: account expired"] {
            assert_eq!(quote(words, &["HUNTER2"]), words);
        }
    }

    #[test]
    fn what_looks_like_a_ticket_is_not_quoted_whoever_it_belongs_to() {
        for words in [
            "ticket F(KCGEI#:PVEVNC:6B0261D7::HUNTER2== is odd",
            "cookie PVE:portal@pve:6B::HUNTER2== is odd",
            "no such url /vncwebsocket?port=5900&vncticket=SECRETPW%3aPVEVNC%3a6B0261D7%3a%3aHUNTER2 here",
            "cookie pve%3aportal%40pve%3A6B%3A%3AHUNTER2 is odd",
        ] {
            let quoted = quote(words, &[]);

            assert!(!quoted.contains("HUNTER2") && !quoted.contains("SECRETPW") && quoted.contains('…'), "{quoted}");
        }
    }

    #[test]
    fn long_and_many_lined_words_become_one_short_line() {
        let quoted = quote(&format!("first\r\nsecond\u{7}\u{1b}[31m {}", "long ".repeat(100)), &[]);

        assert!(quoted.starts_with("first second[31m long") && quoted.chars().count() == LONGEST + 1, "{quoted}");
        assert!(!quoted.contains(char::is_control), "{quoted:?}");
    }
}
