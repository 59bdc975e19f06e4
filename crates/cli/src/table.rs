//! Command-line arguments made from the library's table of options, so that there is no second list.

use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use consolepass::options::{Kind, Options, Scope, Specification, TABLE};
use consolepass::{Code, Error, Result, options::Value};

use crate::secrets;

/// The arguments for the options of `scope`.
pub(crate) fn arguments(scope: Scope) -> Vec<Arg> {
    rows(scope).map(argument).collect()
}

/// Whose a secret is. What lies in the environment for another account than the one that was named is not meant.
const OWNERS: [(&str, &str); 4] =
    [("token_secret", "token_id"), ("password", "username"), ("login_ticket", "username"), ("csrf_token", "username")];

fn is_meant(secret: &str, matches: &ArgMatches) -> bool {
    let given = |id: &str| matches.try_get_one::<String>(id).ok().flatten().is_some();
    let owner = OWNERS.iter().find(|(name, _)| *name == secret).map(|(_, owner)| *owner);
    let another = OWNERS.iter().any(|(name, owner)| *name != secret && given(owner));
    owner.is_none_or(given) || !another
}

/// Says where the secret of an account that was named comes from, if there is none: the library cannot know it.
fn needs_a_secret(scope: Scope, matches: &ArgMatches, found: &[&str]) -> Result<()> {
    let named = |owner: &str| matches.try_get_one::<String>(owner).ok().flatten().is_some();
    let Some((secret, owner)) = OWNERS.iter().find(|(_, owner)| scope == Scope::Proxmox && named(owner)) else {
        return Ok(());
    };
    if OWNERS.iter().any(|(secret, of)| of == owner && found.contains(secret)) {
        return Ok(());
    }
    let message = format!("{}: option {secret:?} is missing", scope.name());
    let flag = secret.replace('_', "-");
    let hint = format!("set ${}, or give --{flag}-file FILE, - for standard input", secrets::variable(secret));
    Err(Error::new(Code::InvalidArgument, message).with_hint(hint))
}

/// The options of `scope` that were given as arguments, with secrets from where the arguments or the environment say.
pub(crate) fn options(scope: Scope, matches: &ArgMatches) -> Result<Options> {
    let mut options = Options::new();
    let mut found = Vec::new();
    for row in rows(scope) {
        let given = |id: &str| matches.get_one::<String>(id).cloned();
        match row.kind {
            Kind::Secret => {
                let file = given(&format!("{}_file", row.name));
                if (file.is_some() || is_meant(row.name, matches))
                    && let Some(secret) = secrets::read(row.name, file.as_deref())?
                {
                    options = options.set(row.name, secret);
                    found.push(row.name);
                }
            }
            Kind::Boolean => {
                if matches.get_flag(row.name) {
                    options = options.set(row.name, true);
                }
            }
            Kind::List => {
                if let Some(items) = matches.get_many::<String>(row.name) {
                    options = options.set(row.name, Value::List(items.cloned().collect()));
                }
            }
            _ => {
                if let Some(text) = given(row.name) {
                    options = options.set(row.name, text);
                }
            }
        }
    }
    needs_a_secret(scope, matches, &found)?;
    Ok(options)
}

fn rows(scope: Scope) -> impl Iterator<Item = &'static Specification> {
    TABLE.iter().filter(move |row| row.scope == scope)
}

fn argument(row: &'static Specification) -> Arg {
    // The page's options have their own word before them: a page has a version and a password, and so have others.
    let prefix = if row.scope == Scope::Page { "page-" } else { "" };
    let flag = format!("{prefix}{}", row.name.replace('_', "-"));
    let help = match row.default {
        Some(default) if row.kind != Kind::Boolean => {
            format!("{} [default: {default}]", row.meaning)
        }
        _ => row.meaning.to_owned(),
    };
    let argument = Arg::new(row.name).long(flag.clone()).help(help);
    match row.kind {
        Kind::Boolean => argument.action(ArgAction::SetTrue),
        Kind::List => argument.value_name("VALUE").action(ArgAction::Append).value_delimiter(','),
        Kind::Integer { .. } => argument.value_name("NUMBER"),
        Kind::Seconds { .. } => argument.value_name("SECONDS"),
        Kind::Secret => {
            let file = Arg::new(format!("{}_file", row.name)).long(format!("{flag}-file"));
            file.value_name("FILE").value_hint(ValueHint::FilePath).help(format!(
                "{} Read from FILE, from standard input if FILE is -, or from ${}",
                row.meaning,
                secrets::variable(row.name)
            ))
        }
        _ if row.name.ends_with("_file") => argument.value_name("FILE").value_hint(ValueHint::FilePath),
        _ => argument.value_name("TEXT"),
    }
}
