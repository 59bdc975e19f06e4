//! The certificate of an emulated host: a leaf signed by an authority of its own, as a fresh cluster has it.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use ring::digest;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// Names the leaf is good for. A real leaf also has the node's name and address; the double is only met on loopback.
const SUBJECT_NAMES: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// What a host shows of itself during the TLS handshake, and what a client needs to trust it.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
    pub(crate) fingerprint: String,
}

impl Identity {
    pub(crate) fn new() -> io::Result<Self> {
        let (ca, issuer) = authority().map_err(io::Error::other)?;
        let leaf_key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = leaf_parameters()
            .and_then(|parameters| parameters.signed_by(&leaf_key, &issuer))
            .map_err(io::Error::other)?;
        let fingerprint = fingerprint(leaf.der());
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der()).map_err(io::Error::other)?;
        // No ALPN: pveproxy offers none, so that a client that insists on HTTP/2 fails here as it would there.
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: ca, fingerprint })
    }
}

/// The authority's certificate as PEM, and its signing half.
fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, "Emulated Virtual Environment");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(parameters, key)))
}

fn leaf_parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(SUBJECT_NAMES.map(String::from).to_vec())?;
    parameters.distinguished_name.push(DnType::CommonName, "localhost");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

/// SHA-256 over the certificate's DER, as the vendor's interface prints it: upper-case hex with colons.
fn fingerprint(der: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
