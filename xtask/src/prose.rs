//! Comments of the headers, from the comments of the source.

const WIDTH: usize = 100;

/// The text of a file's `//!` lines.
pub(crate) fn introduction(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// A C comment of `text`, whose paragraphs are filled anew. A line that begins with a space continues the one before.
pub(crate) fn comment(text: &str) -> String {
    let mut out = "/*\n".to_owned();
    for (number, paragraph) in text.split("\n\n").enumerate() {
        if number > 0 {
            out.push_str(" *\n");
        }
        for line in filled(paragraph) {
            out.push_str(" * ");
            out.push_str(&line);
            out.push('\n');
        }
    }
    out.push_str(" */\n");
    out
}

/// One item of a list: its lines after the first are indented.
pub(crate) fn sentence(name: &str, meaning: &str) -> String {
    format!("{ITEM}{name}: {meaning}")
}

/// Before each item of a list, so that it is not joined to the line before.
const ITEM: &str = "- ";

fn filled(paragraph: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in paragraph.lines() {
        let item = line.starts_with(ITEM);
        for (number, word) in line.split_whitespace().enumerate() {
            let indent = if lines.last().is_some_and(|last| last.starts_with(ITEM) || last.starts_with("  ")) {
                "  "
            } else {
                ""
            };
            match lines.last_mut() {
                Some(last) if !(item && number == 0) && last.len() + 1 + word.len() <= WIDTH => {
                    last.push(' ');
                    last.push_str(word);
                }
                _ if item && number == 0 => lines.push(word.to_owned()),
                _ => lines.push(format!("{indent}{word}")),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_filled_and_items_are_indented() {
        let long = "word ".repeat(25);

        let text = comment(&format!("one\ntwo\n\n{}", sentence("name", &long)));

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[..3], ["/*", " * one two", " *"]);
        assert!(lines[3].starts_with(" * - name: word") && lines[4].starts_with(" *   word"), "{text}");
    }
}
