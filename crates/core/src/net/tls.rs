//! Which certificates are trusted.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use http::Uri;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring as provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, ProtocolVersion, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authorities;
use super::failure::{self, NO_TLS, find};
use super::fingerprint::Fingerprint;
use super::untrusted::Untrusted;
use crate::options::Checked;
use crate::{Code, Error, Result};

/// The trust that one backend was configured with, ready to be used by every connection of it.
#[derive(Clone)]
pub(crate) struct Trust {
    config: Arc<ClientConfig>,
    check: Arc<Check>,
}

/// A connection whose handshake was made.
pub(crate) struct Secured {
    pub(crate) version: &'static str,
    /// Of the server's certificate.
    pub(crate) fingerprint: String,
}

impl Trust {
    /// Reads the options `fingerprint`, `ca_file` and `insecure`; with none of them the system's authorities are trusted.
    ///
    /// At most one may be given: two would leave open which of them a connection has to satisfy.
    pub(crate) fn from_options(options: &Checked) -> Result<Self> {
        let pins = options.list("fingerprint");
        let ca_file = options.text("ca_file");
        let clash = |first: &str, second: &str| {
            options.wrong(
                first,
                "…",
                format_args!("it cannot be given together with {second}; one of them must decide"),
            )
        };
        match (pins, ca_file, options.boolean("insecure")) {
            ([_, ..], _, true) => Err(clash("fingerprint", "insecure")),
            (_, Some(_), true) => Err(clash("ca_file", "insecure")),
            ([_, ..], Some(_), false) => Err(clash("fingerprint", "ca_file")),
            (pins @ [_, ..], None, false) => {
                let read = |pin: &String| {
                    Fingerprint::parse(pin).ok_or_else(|| options.wrong("fingerprint", pin, Fingerprint::ACCEPTED))
                };
                Self::new(Check::Pins(pins.iter().map(read).collect::<Result<_>>()?))
            }
            ([], Some(path), false) => {
                let roots = authorities::of_file(path).map_err(|reason| options.wrong("ca_file", path, reason))?;
                Self::new(chain(roots)?)
            }
            ([], None, true) => Self::new(Check::Nothing),
            ([], None, false) => Self::new(chain(authorities::of_system()?)?),
        }
    }

    /// For `tokio-rustls` and `reqwest`.
    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Whether anyone on the path could take the place of the server.
    pub(crate) fn is_insecure(&self) -> bool {
        matches!(*self.check, Check::Nothing)
    }

    /// Why it trusts a certificate, as a clause; `None` if it trusts any.
    pub(crate) fn words(&self) -> Option<&'static str> {
        match *self.check {
            Check::Chain(_) => Some("a trusted authority signed its certificate, for this name"),
            Check::Pins(_) => Some("its certificate is pinned"),
            Check::Nothing => None,
        }
    }

    /// Begins TLS with the host of `url`, to look at it and nothing more.
    pub(crate) async fn examine(&self, server: &str, url: &str, socket: TcpStream) -> Result<Secured> {
        let uri = url.parse().map_err(|_| Error::new(Code::Internal, format!("{server}: this is no host name")))?;
        let stream = self.secure(server, &uri, socket).await?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        Ok(Secured {
            version: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS 1.2",
            },
            fingerprint: Fingerprint::of(certificate.map_or(&[], |certificate| certificate.as_ref())).to_string(),
        })
    }

    /// Begins TLS with the host of `uri`, which errors call `server`.
    pub(crate) async fn secure(&self, server: &str, uri: &Uri, socket: TcpStream) -> Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host(uri).to_owned())
            .map_err(|_| Error::new(Code::Internal, format!("{server}: this is no host name")))?;
        let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(name, socket);
        connecting.await.map_err(|error| failure::connecting(server, &error))
    }

    fn new(check: Check) -> Result<Self> {
        let check = Arc::new(check);
        let verifier = Verifier {
            check: Arc::clone(&check),
            algorithms: provider::default_provider().signature_verification_algorithms,
        };
        // Never `install_default`: the process belongs to the program that embeds this library.
        let mut config = ClientConfig::builder_with_provider(crypto())
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::new(Code::Internal, "tls: no protocol version").with_source(cause))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // pveproxy selects no protocol, and the upgrade to a websocket exists in HTTP/1.1 alone.
        config.alpn_protocols = Vec::new();
        // Each connection proves the certificate anew, and no lock is shared with the threads of a forked parent.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), check })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trust").field(&self.check).finish()
    }
}

/// The host without the brackets of an IPv6 address.
pub(super) fn host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or("");
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Makes an error of a failed handshake with `server`, if TLS is why it failed.
pub(crate) fn handshake_error(server: &str, error: &(dyn StdError + 'static)) -> Option<Error> {
    let cause: &rustls::Error = find(error)?;
    let failed = match cause {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            match other.downcast_ref::<Untrusted>() {
                Some(untrusted) => return Some(untrusted.error(server)),
                None => Error::new(Code::TlsUntrusted, format!("{server}: its certificate is not trusted: {other}")),
            }
        }
        rustls::Error::InvalidCertificate(reason) => {
            Error::new(Code::TlsUntrusted, format!("{server}: its certificate is not trusted: {reason}"))
        }
        rustls::Error::InvalidMessage(_) => {
            Error::new(Code::Protocol, format!("{server}: it does not speak TLS")).with_hint(NO_TLS)
        }
        other => Error::new(Code::Protocol, format!("{server}: TLS failed: {other}")),
    };
    Some(failed.with_source(cause.clone()))
}

/// What a certificate must be.
enum Check {
    /// Signed by a trusted authority, for the host's name.
    Chain(Arc<WebPkiServerVerifier>),
    /// One of these. Name and dates do not matter: whoever has the key of a pinned certificate is the server.
    Pins(Vec<Fingerprint>),
    /// Anything.
    Nothing,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(_) => f.write_str("authorities"),
            Self::Pins(pins) => f.debug_list().entries(pins).finish(),
            Self::Nothing => f.write_str("insecure"),
        }
    }
}

/// Decides about certificates, and notes the fingerprint of each that it refuses: the person who reads the error can
/// compare it with the hypervisor's and pin it.
#[derive(Debug)]
struct Verifier {
    check: Arc<Check>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = Fingerprint::of(certificate);
        let refuse = |why: Untrusted| Err(CertificateError::Other(OtherError(Arc::new(why))).into());
        match &*self.check {
            Check::Nothing => Ok(ServerCertVerified::assertion()),
            Check::Pins(pins) if pins.contains(&seen) => Ok(ServerCertVerified::assertion()),
            Check::Pins(pins) => refuse(Untrusted::not_pinned(seen, pins)),
            Check::Chain(chain) => {
                chain.verify_server_cert(certificate, intermediates, name, ocsp, now).or_else(|error| match error {
                    rustls::Error::InvalidCertificate(reason) => refuse(Untrusted::chain(certificate, reason)),
                    other => Err(other),
                })
            }
        }
    }

    // The signatures prove that the server has the certificate's key: without them a pinned certificate would prove
    // nothing, for anyone can send a copy of it.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn crypto() -> Arc<CryptoProvider> {
    Arc::new(provider::default_provider())
}

fn chain(roots: RootCertStore) -> Result<Check> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto())
        .build()
        .map(Check::Chain)
        .map_err(|cause| Error::new(Code::Internal, "tls: the trusted authorities cannot be used").with_source(cause))
}

#[cfg(test)]
mod tests;
