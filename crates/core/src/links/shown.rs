//! Addresses as errors show them.

/// `text` without what may be a password or a ticket in it: user information, query and fragment.
pub(crate) fn shown(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let (address, rest) = text.split_at(end);
    let tail = rest.chars().next().map(|mark| format!("{mark}…"));
    let tail = tail.unwrap_or_default();
    match address.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.find("://").map_or("", |at| &before[..at + 3]);
            format!("{scheme}…@{host}{tail}")
        }
        None => format!("{address}{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let cases = [
            ("https://pve:8006/x", "https://pve:8006/x"),
            ("https://root:hunter2@pve", "https://…@pve"),
            ("root:hunter2@pve", "…@pve"),
            ("https://root:hun@ter2@pve/x?hunter2", "https://…@pve/x?…"),
            ("https://pve/#hunter2", "https://pve/#…"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected);
        }
    }
}
