//! The vectors in `tests/vectors/links-*.json`, which every language runs.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::console;
use crate::links::{PublicUrl, page_link};
use crate::{
    CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, Error, Options, Secret, cloudtower_direct, cloudtower_via,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    console: Option<ConsoleGiven>,
    pass: Option<PassGiven>,
    call: Call,
    result: Option<Value>,
    error: Option<ErrorWanted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleGiven {
    host: String,
    port: u16,
    ticket: String,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PassGiven {
    public_url: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Call {
    WebsocketUrl {},
    RfbParameters {},
    NovncUrl {
        page: String,
        #[serde(default)]
        options: serde_json::Map<String, Value>,
    },
    CloudtowerDirect {
        cluster_ip: String,
        vm_uuid: String,
        host_ip: String,
        raw_token: String,
    },
    CloudtowerVia {
        cloudtower: String,
        vm_uuid: String,
        host_ip: String,
        token: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorWanted {
    code: String,
    message_contains: Option<String>,
    hint_contains: Option<String>,
}

#[test]
fn every_vector_of_the_links_comes_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if !file.starts_with("links-") || path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let vectors: Vec<Vector> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for vector in &vectors {
            check(vector, &format!("{file}: {}", vector.name));
            played += 1;
        }
    }
    assert!(played >= 40, "only {played} vectors were found");
}

fn check(vector: &Vector, name: &str) {
    match (play(vector), &vector.result, &vector.error) {
        (Ok(result), Some(wanted), None) => assert_eq!(&result, wanted, "{name}"),
        (Err(error), None, Some(wanted)) => {
            assert_eq!(error.code().name(), wanted.code, "{name}: {error}");
            let contains = |text: &str, part: &Option<String>| part.as_ref().is_none_or(|part| text.contains(part));
            assert!(contains(&error.to_string(), &wanted.message_contains), "{name}: {error}");
            assert!(contains(error.hint(), &wanted.hint_contains), "{name}: {}", error.hint());
            if let Some(console) = &vector.console {
                let shown = format!("{error} {error:?} {}", error.hint());
                assert!(!shown.contains(&console.ticket), "{name}: {shown}");
            }
        }
        (outcome, wanted, error) => {
            panic!("{name}: {outcome:?} where {wanted:?} or {:?} was wanted", error.as_ref().map(|error| &error.code))
        }
    }
}

fn play(vector: &Vector) -> Result<Value, Error> {
    let text = |secret: Secret| Value::from(secret.expose());
    if let Some(given) = &vector.pass {
        let websocket = PublicUrl::parse(&given.public_url)?.websocket_with(&given.text);
        return match &vector.call {
            Call::WebsocketUrl {} => Ok(websocket.into()),
            Call::NovncUrl { page, options } => {
                let target = page_link::PageTarget { websocket: &websocket, password: None, is_hypervisor: false };
                page_link(page, &read(options), &target).map(text)
            }
            _ => panic!("{}: this is no call of a pass", vector.name),
        };
    }
    let open = || {
        let given = vector.console.as_ref().expect("a console");
        console(&given.host, given.port, &given.ticket, given.password.as_deref())
    };
    match &vector.call {
        Call::WebsocketUrl {} => Ok(open().websocket_url().into()),
        Call::RfbParameters {} => {
            let parameters = open().rfb_parameters()?;
            Ok(serde_json::json!({ "url": parameters.url(), "password": parameters.password() }))
        }
        Call::NovncUrl { page, options } => open().novnc_url(page, &read(options)).map(text),
        Call::CloudtowerDirect { cluster_ip, vm_uuid, host_ip, raw_token } => {
            let token = CloudTowerRawToken(Secret::new(raw_token.as_str()));
            cloudtower_direct(cluster_ip, CloudTowerMachine { vm_uuid, host_ip }, &token).map(text)
        }
        Call::CloudtowerVia { cloudtower, vm_uuid, host_ip, token } => {
            let token = CloudTowerToken(Secret::new(token.as_str()));
            cloudtower_via(cloudtower, CloudTowerMachine { vm_uuid, host_ip }, &token).map(text)
        }
    }
}

fn read(options: &serde_json::Map<String, Value>) -> Options {
    options
        .iter()
        .map(|(name, value)| match value {
            Value::Bool(value) => (name.as_str(), crate::options::Value::from(*value)),
            Value::String(text) => (name.as_str(), crate::options::Value::from(text.as_str())),
            other => panic!("{name}: {other} is neither text nor true or false"),
        })
        .collect()
}
