//! The authorities that sign certificates.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::{Code, Error, Result, small_file};

/// The authorities of a PEM file, or what is wrong with the file.
pub(super) fn of_file(path: &str) -> Result<RootCertStore, String> {
    let text = small_file::read(Path::new(path)).map_err(|error| format!("it cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| format!("it is no PEM file: {error}"))?;
        roots.add(certificate).map_err(|error| format!("it holds a certificate that cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate; accepted is PEM, as in /etc/pve/pve-root-ca.pem".to_owned());
    }
    Ok(roots)
}

/// The authorities that the operating system trusts.
pub(super) fn of_system() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        return Err(Error::new(Code::InvalidArgument, "tls: this system has no trusted authorities").with_hint(
            "give fingerprint or ca_file, or install the system's certificates (on Debian the package ca-certificates)",
        ));
    }
    Ok(roots)
}
