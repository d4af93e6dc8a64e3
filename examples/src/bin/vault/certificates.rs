//! An authority, and what it issues: good enough to try mutual TLS, and for nothing else. An authority in
//! earnest keeps its own key somewhere else.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long everything that is issued is valid: 30 days.
const LIFE: Duration = Duration::from_hours(24 * 30);

/// Who issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = valid_from_now(CertificateParams::new([])?);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// What those trust who trust it, as PEM.
    pub(crate) fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A certificate for some names, host names or addresses.
    pub(crate) fn issue<const N: usize>(&self, names: [&str; N]) -> Result<Identity, rcgen::Error> {
        let params = valid_from_now(CertificateParams::new(names.map(String::from))?);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

fn valid_from_now(mut params: CertificateParams) -> CertificateParams {
    let now = SystemTime::now();
    (params.not_before, params.not_after) = (now.into(), (now + LIFE).into());
    params
}

impl Identity {
    /// Writes `name.pem` and `name.key`. A key that is there already is somebody's, and stays.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> io::Result<()> {
        // For its owner's eyes from the first byte on.
        let mut key = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(directory.join(format!("{name}.key")))?;
        key.write_all(self.key.as_bytes())?;
        fs::write(directory.join(format!("{name}.pem")), &self.certificate)
    }
}
