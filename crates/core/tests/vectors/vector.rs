//! What the runners of vectors share: reading them, playing their server, and looking at what came out. The form is told
//! in `tests/vectors/README.md`.

use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use consolepass::options::{Kind as OptionKind, TABLE, Value as OptionValue};
use consolepass::{Error, Options};
use consolepass_emulator::script::{Options as PlayerOptions, Player, Script};
use serde_json::Value;

/// All vectors of the files whose name begins with `prefix`. Fewer than there once were are a failure: a folder that
/// lost its files must not pass.
pub(crate) fn read(prefix: &str, fewest: usize) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut vectors = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(prefix) && path.extension().is_some_and(|extension| extension == "json") {
            let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            vectors.extend(list);
        }
    }
    assert!(vectors.len() >= fewest, "only {} vectors of {prefix}", vectors.len());
    vectors
}

/// Plays all vectors of the files whose name begins with `prefix`, and fails with every reason there is.
#[expect(clippy::print_stderr, reason = "what is left out is said")]
pub(crate) async fn play_all(prefix: &str, fewest: usize, play: impl AsyncFn(&Value) -> Result<(), String>) {
    let vectors = read(prefix, fewest);
    let mut failures = Vec::new();
    for vector in &vectors {
        if !can_be_played(vector) {
            eprintln!("left out, for this machine has no {}: {}", vector["listen"], vector["name"]);
        } else if let Err(reason) = play(vector).await {
            failures.push(format!("{}: {reason}", vector["name"]));
        }
    }
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), vectors.len(), failures.join("\n"));
}

/// What a vector's placeholders stand for.
pub(crate) struct Place {
    pub(crate) address: String,
    port: String,
    pub(crate) fingerprint: String,
}

impl Place {
    /// That of a vector that asks no server.
    pub(crate) fn nowhere() -> Self {
        Self { address: String::new(), port: String::new(), fingerprint: String::new() }
    }

    pub(crate) fn of(player: &Player) -> Self {
        Self {
            address: player.address().to_string(),
            port: player.address().port().to_string(),
            fingerprint: player.fingerprint().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn fill(&self, text: &str) -> String {
        let text = text.replace("{address}", &self.address).replace("{port}", &self.port);
        text.replace("{fingerprint}", &self.fingerprint)
    }

    /// Options that are written in a vector, without any that is added to them.
    pub(crate) fn options(&self, given: &Value) -> Options {
        let given = given.as_object().into_iter().flatten();
        given.map(|(name, value)| (name.clone(), self.option(value))).collect()
    }

    fn option(&self, value: &Value) -> OptionValue {
        match value {
            Value::String(text) => OptionValue::from(self.fill(text)),
            Value::Bool(value) => OptionValue::from(*value),
            Value::Number(number) => OptionValue::from(number.as_i64().unwrap()),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.fill(item.as_str().unwrap())).collect();
                OptionValue::from(items)
            }
            other => panic!("an option cannot be {other}"),
        }
    }
}

/// The server of a vector.
pub(crate) async fn player(vector: &Value) -> Result<Player, String> {
    let exchanges = vector.get("exchanges").map_or_else(|| "[]".to_owned(), Value::to_string);
    let script = Script::from_json(&exchanges).map_err(|error| error.to_string())?;
    let tls = vector["tls"] != "none";
    let options = PlayerOptions { listen: (listen(vector), 0).into(), tls, ..PlayerOptions::default() };
    Player::start_with(script, options).await.map_err(|error| error.to_string())
}

fn listen(vector: &Value) -> IpAddr {
    vector["listen"].as_str().map_or(Ipv4Addr::LOCALHOST.into(), |text| text.parse().unwrap())
}

/// Whether the machine has the address where a vector's server listens.
pub(crate) fn can_be_played(vector: &Value) -> bool {
    std::net::TcpListener::bind((listen(vector), 0)).is_ok()
}

/// The options of a vector's backend: where the player is, and that it is trusted, unless the vector says other.
pub(crate) fn backend_options(vector: &Value, place: &Place) -> Options {
    let given = vector["options"].as_object().unwrap();
    let mut options = place.options(&vector["options"]);
    if !given.contains_key("host") {
        options = options.set("host", place.address.as_str());
    }
    let trusts = ["fingerprint", "ca_file", "insecure"].iter().any(|name| given.contains_key(*name));
    if vector["tls"].as_str().unwrap_or("pinned") == "pinned" && !trusts {
        options = options.set("fingerprint", place.fingerprint.as_str());
    }
    options
}

/// Everything in a vector that nobody may see: secret options, keys and tokens, and what the server hands out.
pub(crate) fn secrets(vector: &Value) -> Vec<String> {
    let call = &vector["call"];
    let mut places =
        vec![&vector["pass_key"]["k"], &call["cloudtower_direct"]["raw_token"], &call["cloudtower_via"]["token"]];
    let secret_options = TABLE.iter().filter(|option| option.kind == OptionKind::Secret);
    places.extend(secret_options.map(|option| &vector["options"][option.name]));
    for exchange in vector["exchanges"].as_array().into_iter().flatten() {
        let data = &exchange["response"]["json"]["data"];
        places.extend(["ticket", "password", "CSRFPreventionToken"].map(|name| &data[name]));
    }
    // Shorter ones are found in any sentence.
    places.into_iter().filter_map(Value::as_str).filter(|text| text.len() >= 8).map(str::to_owned).collect()
}

/// Fails if one of the secrets can be read in what is shown to everybody.
pub(crate) fn nothing_secret(secrets: &[String], shown: &str) -> Result<(), String> {
    match secrets.iter().find(|secret| shown.contains(secret.as_str())) {
        Some(secret) => Err(format!("the secret {secret} is shown in {shown}")),
        None => Ok(()),
    }
}

/// All that an error says, in every way it can be asked.
pub(crate) fn shown(error: &Error) -> String {
    format!("{error} {error:?} {} {:?}", error.hint(), error.source().map(ToString::to_string))
}

pub(crate) fn check_error(expected: &Value, error: &Error, place: &Place) -> Result<(), String> {
    let said = || format!("{} (HTTP {:?}): {error} [{}]", error.code(), error.http_status(), error.hint());
    if expected["code"] != error.code().name() {
        return Err(format!("the code should be {}: {}", expected["code"], said()));
    }
    let status = expected["http_status"].as_u64();
    if status.is_some() && error.http_status().map(u64::from) != status {
        return Err(format!("the status should be {status:?}: {}", said()));
    }
    let texts = [("message_contains", error.to_string()), ("hint_contains", error.hint().to_owned())];
    for (member, text) in texts {
        for part in expected[member].as_array().into_iter().flatten() {
            if !text.contains(&place.fill(part.as_str().unwrap())) {
                return Err(format!("{member} {part}: {}", said()));
            }
        }
    }
    let fingerprint = expected["fingerprint"].as_str().map(|text| place.fill(text));
    if fingerprint.is_some() && error.fingerprint() != fingerprint.as_deref() {
        return Err(format!("the fingerprint should be the one seen: {:?}", error.fingerprint()));
    }
    Ok(())
}
