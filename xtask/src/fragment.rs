//! One file's types and functions in C, as cbindgen writes them.

use std::path::Path;

use cbindgen::{Builder, Config, DocumentationLength, DocumentationStyle, Language, Layout, Style};

/// Who reads it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum For {
    C,
    Php,
}

pub(crate) fn of(path: &Path, reader: For) -> Result<String, String> {
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        no_includes: true,
        documentation: reader == For::C,
        documentation_style: DocumentationStyle::Doxy,
        documentation_length: DocumentationLength::Full,
        usize_is_size_t: true,
        line_length: 100,
        tab_width: 4,
        ..Config::default()
    };
    config.function.args = Layout::Auto;
    if reader == For::C {
        config.function.must_use = Some("CPASS_MUST_USE".to_owned());
    }
    let bindings = Builder::new()
        .with_config(config)
        .with_src(path)
        .generate()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).map_err(|error| format!("{}: {error}", path.display()))
}
