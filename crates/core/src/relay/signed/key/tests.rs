use super::*;
use serde_json::{Value, json};

/// The key of RFC 8037, appendix A.1.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

fn private() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": X, "d": D})
}

fn public() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": X})
}

fn read(jwk: &Value) -> Result<PassKey, String> {
    PassKey::from_jwk(&jwk.to_string())
}

/// The message and signature of appendix A.4.
#[test]
fn the_signature_of_rfc_8037_is_made_and_is_verified_by_both_halves() {
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let (private, public) = (read(&private()).unwrap(), read(&public()).unwrap());

    let signature = private.signature(message).unwrap();

    assert_eq!(URL_SAFE_NO_PAD.encode(&signature), expected);
    for half in [&private, &public] {
        assert!(half.is_signature(message, &signature));
        assert!(!half.is_signature(b"another", &signature));
        assert_eq!(half.algorithm(), "EdDSA");
    }
}

#[test]
fn a_public_half_signs_nothing_and_says_what_it_is() {
    let error = read(&public()).unwrap().signature(b"x").unwrap_err();

    assert_eq!(error.code(), Code::Unsupported);
    assert!(error.to_string().contains("public half") && error.hint().contains("private half"), "{error}");
}

#[test]
fn a_new_pair_belongs_together_and_only_one_half_is_private() {
    let (private, public) = PassKey::generate_pair().unwrap();
    let other = PassKey::from_jwk(&PassKey::generate_pair().unwrap().1).unwrap();
    let (signer, verifier) = (PassKey::from_jwk(private.expose()).unwrap(), PassKey::from_jwk(&public).unwrap());

    let signature = signer.signature(b"message").unwrap();

    assert!(verifier.is_signature(b"message", &signature) && !other.is_signature(b"message", &signature));
    assert_eq!(signer.id(), verifier.id());
    let members: Value = serde_json::from_str(&public).unwrap();
    assert!(members.get("d").is_none() && matches!(verifier.key, Key::Public(_)), "{public}");
}

#[test]
fn a_new_shared_key_reads_back() {
    let key = PassKey::from_jwk(PassKey::generate().unwrap().expose()).unwrap();

    assert!(key.is_signature(b"message", &key.signature(b"message").unwrap()));
    assert_eq!(key.algorithm(), "HS256");
}

#[test]
fn a_key_file_that_is_none_says_what_it_should_be_and_not_what_it_holds() {
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let oct = json!({"kty": "oct", "alg": "HS256", "kid": "1", "k": "c2hvcnQ"});
    let cases = [
        (json!("hunter2"), "must be a JWK"),
        (json!({}), "must be a JWK"),
        (with(private(), "key_ops", json!(["hunter2"])), "must be a JWK"),
        (oct.clone(), "at least 32 bytes"),
        (with(oct.clone(), "k", json!("hunter2=")), "k must be base64url"),
        (with(oct.clone(), "crv", json!("Ed25519")), "accepted are"),
        (with(oct.clone(), "d", json!(D)), "type oct has the members"),
        (with(oct, "alg", json!("EdDSA")), "accepted are"),
        (json!({"kty": "RSA", "alg": "RS256", "kid": "1", "k": "c2hvcnQ"}), "\"RS256\""),
        (with(private(), "alg", json!("HS256")), "accepted are"),
        (with(private(), "crv", json!("X25519")), "\"X25519\""),
        (with(private(), "k", json!("c2hvcnQ")), "type OKP has the members"),
        (with(private(), "x", json!("c2hvcnQ")), "x must hold 32 bytes"),
        (with(private(), "d", json!("c2hvcnQ")), "d must hold 32 bytes"),
        (with(private(), "d", json!(X)), "x and d are no pair"),
        (with(private(), "d", json!("hunter2=")), "d must be base64url"),
    ];
    for (jwk, expected) in cases {
        let reason = read(&jwk).unwrap_err();

        assert!(reason.contains(expected), "{jwk}: {reason}");
        let secrets = ["hunter2", "c2hvcnQ", D];
        assert!(!secrets.iter().any(|secret| reason.contains(secret)), "{reason}");
    }
}

#[test]
fn a_key_is_not_in_its_debug_form() {
    let shown = format!("{:?}", read(&private()).unwrap());

    assert!(shown.contains("EdDSA") && !shown.contains(D) && !shown.contains(X), "{shown}");
}
