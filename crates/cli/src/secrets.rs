//! Secrets come from a file, an environment variable or standard input, never from the command line, which every process
//! of the machine can read.

use std::io::Read;
use std::{env, fs, io};

use consolepass::{Code, Error, Result, Secret};

/// The environment variable of a secret option.
pub(crate) fn variable(option: &str) -> String {
    format!("CONSOLEPASS_{}", option.to_uppercase())
}

/// The secret for `option` from `file`, or from its environment variable; `None` if there is neither.
pub(crate) fn read(option: &str, file: Option<&str>) -> Result<Option<Secret>> {
    match file {
        Some(path) => from_file(&format!("{option}_file"), path).map(Some),
        None => Ok(env::var(variable(option)).ok().filter(|value| !value.is_empty()).map(Secret::new)),
    }
}

/// The content of a file, or of standard input for `-`, without the newline at its end.
pub(crate) fn from_file(key: &str, path: &str) -> Result<Secret> {
    let text = if path == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = text.map_err(|error| Error::invalid(key, path, error))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Error::invalid(key, path, "it is empty"));
    }
    Ok(Secret::new(secret))
}

/// The value of an environment variable that a configuration file names.
pub(crate) fn from_variable(key: &str, name: &str) -> Result<Secret> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
        _ => Err(Error::invalid(key, name, "this environment variable is not set")),
    }
}

/// A secret for an account that lives as long as this process.
pub(crate) fn random_secret() -> Result<Secret> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the operating system gave no random numbers"))?;
    Ok(Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat()))
}
