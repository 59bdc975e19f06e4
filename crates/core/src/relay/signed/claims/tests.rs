use super::*;
use serde_json::{Value, json};

const AUDIENCE: &str = "https://portal.example.com/console";

/// For each algorithm the key of the portal, and that of the relay.
fn keys() -> [(PassKey, PassKey); 2] {
    let shared = PassKey::generate().unwrap();
    let (private, public) = PassKey::generate_pair().unwrap();
    let read = |text: &str| PassKey::from_jwk(text).unwrap();
    [(read(shared.expose()), read(shared.expose())), (read(private.expose()), read(&public))]
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn grant() -> Grant {
    Grant {
        reference: Reference::random().unwrap(),
        backend: "dc1".into(),
        machine: "pve1/qemu/101".parse().unwrap(),
        kind: Kind::Vnc,
        user: Some("42".into()),
        expires_at: now() + Duration::from_secs(60),
    }
}

/// A token with a right signature over whatever `header` and `claims` say.
fn forge(key: &PassKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.signature(signed.as_bytes()).unwrap()))
}

fn header(key: &PassKey) -> Value {
    json!({"alg": key.algorithm(), "kid": key.id(), "typ": TYPE})
}

fn claims() -> Value {
    json!({"aud": AUDIENCE, "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_060,
           "jti": "0123456789", "backend": "dc1", "machine": "qemu/101", "kind": "vnc"})
}

fn code(result: Result<Verified>) -> Option<Code> {
    result.err().map(|error| error.code())
}

#[test]
fn a_pass_reads_back_as_it_was_signed() {
    for (portal, relay) in keys() {
        let grant = grant();

        let text = portal.sign(&grant, AUDIENCE, now()).unwrap();
        let verified = relay.verify(&text, AUDIENCE, now()).unwrap();

        assert_eq!(format!("{:?}", verified.grant), format!("{grant:?}"));
        assert_eq!(verified.issued_at, now());
    }
}

#[test]
fn whole_seconds_are_accepted_too_as_other_libraries_write_them() {
    for (portal, relay) in keys() {
        let verified = relay.verify(&forge(&portal, &header(&portal), &claims()), AUDIENCE, now()).unwrap();

        assert_eq!(verified.grant.machine.to_string(), "qemu/101");
    }
}

/// A time of day has no exact number; the difference of two has to be exact all the same.
#[test]
fn the_longest_life_is_accepted_at_any_time_of_day() {
    for (portal, relay) in keys() {
        for step in 0..1000 {
            let now = now() + Duration::from_nanos(step * 1_234_567);
            let grant = Grant { expires_at: now + LONGEST_LIFE, ..grant() };

            let text = portal.sign(&grant, AUDIENCE, now).unwrap();

            assert_eq!(code(relay.verify(&text, AUDIENCE, now)), None, "{now:?}");
        }
    }
}

#[test]
fn no_changed_character_passes() {
    for (portal, relay) in keys() {
        let text = portal.sign(&grant(), AUDIENCE, now()).unwrap();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();

            assert_eq!(code(relay.verify(&changed, AUDIENCE, now())), Some(Code::PassInvalid), "at {at}");
        }
    }
}

#[test]
fn the_tokens_own_word_on_algorithm_type_key_or_more_counts_for_nothing() {
    for (portal, relay) in keys() {
        let (alg, kid) = (portal.algorithm(), portal.id());
        let changes = [
            json!({"alg": "none", "kid": kid, "typ": TYPE}),
            json!({"alg": "HS512", "kid": kid, "typ": TYPE}),
            json!({"alg": if alg == "HS256" { "EdDSA" } else { "HS256" }, "kid": kid, "typ": TYPE}),
            json!({"alg": alg, "kid": "other", "typ": TYPE}),
            json!({"alg": alg, "kid": kid, "typ": "JWT"}),
            json!({"alg": alg, "kid": kid, "typ": TYPE, "crit": ["x"]}),
            json!({"alg": alg, "kid": kid}),
        ];
        for header in changes {
            let text = forge(&portal, &header, &claims());

            assert_eq!(code(relay.verify(&text, AUDIENCE, now())), Some(Code::PassInvalid), "{header}");
        }
        for text in ["", ".", "..", "a.b", "e30.e30.", "e30.e30.AAAA"] {
            assert_eq!(code(relay.verify(text, AUDIENCE, now())), Some(Code::PassInvalid), "{text:?}");
        }
    }
}

/// Whoever knows a public half must not be able to use it as a shared key, which is what a verifier that believes the
/// token's header makes of it.
#[test]
fn a_public_half_is_no_shared_key() {
    let (_, public) = PassKey::generate_pair().unwrap();
    let jwk: Value = serde_json::from_str(&public).unwrap();
    let relay = PassKey::from_jwk(&public).unwrap();
    let forger = json!({"kty": "oct", "alg": "HS256", "kid": jwk["kid"], "k": jwk["x"]});
    let forger = PassKey::from_jwk(&forger.to_string()).unwrap();

    let text = forger.sign(&grant(), AUDIENCE, now()).unwrap();

    assert_eq!(code(relay.verify(&text, AUDIENCE, now())), Some(Code::PassInvalid));
}

#[test]
fn times_audience_and_claims_each_have_their_refusal() {
    for (portal, relay) in keys() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            code(relay.verify(&forge(&portal, &header(&portal), &claims), AUDIENCE, now()))
        };

        assert_eq!(with("aud", json!("https://other.example")), Some(Code::PassForeign));
        assert_eq!(with("exp", json!(1_799_999_999)), Some(Code::PassInvalid), "it ends before it begins");
        assert_eq!(with("exp", json!(1_800_000_301)), Some(Code::PassInvalid));
        assert_eq!(with("exp", json!(1_800_000_300)), None);
        assert_eq!(with("nbf", json!(1_800_000_006)), Some(Code::PassInvalid));
        assert_eq!(with("nbf", json!(1_800_000_005)), None);
        assert_eq!(with("iat", json!(1_800_000_006)), Some(Code::PassInvalid));
        assert_eq!(with("admin", json!(true)), Some(Code::PassInvalid), "an unknown claim");
        assert_eq!(with("jti", json!("../../etc")), Some(Code::PassInvalid));
        assert_eq!(with("kind", json!("root")), Some(Code::PassInvalid));
        assert_eq!(with("machine", json!("qemu/../1")), Some(Code::PassInvalid));
        assert_eq!(with("iat", Value::Null), Some(Code::PassInvalid));
    }
}

#[test]
fn a_pass_ends_with_five_seconds_of_leeway() {
    for (portal, relay) in keys() {
        let text = portal.sign(&grant(), AUDIENCE, now()).unwrap();

        let at = |seconds| code(relay.verify(&text, AUDIENCE, now() + Duration::from_secs(seconds)));

        assert_eq!(at(64), None);
        assert_eq!(at(65), Some(Code::PassExpired));
    }
}
