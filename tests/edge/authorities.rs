//! Certificates: of an authority, of another, expired, with names.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// For `localhost`.
    pub(crate) fn server(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new(vec!["localhost".into()]).expect("a name");
        params.distinguished_name = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// For a client with a URI as its name.
    pub(crate) fn client(&self, uri: &str) -> Pair {
        self.sign(&client(uri))
    }

    /// As [`Authority::client`], until the year 2020.
    pub(crate) fn expired_client(&self, uri: &str) -> Pair {
        let mut params = client(uri);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&params)
    }

    /// How a client connects that believes this authority.
    pub(crate) fn believed(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(self.pem()))
            .domain_name("localhost")
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut out = DistinguishedName::new();
    out.push(DnType::CommonName, name);
    out
}

fn client(uri: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("client");
    params.subject_alt_names = vec![SanType::URI(uri.try_into().expect("a URI"))];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Pair {
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

/// The files a server reads.
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) client_ca: PathBuf,
}

impl TlsFiles {
    pub(crate) fn write(folder: &Path, pair: &Pair, client_ca: &str) -> Self {
        let file = |name: &str| folder.join(name);
        let files = Self {
            certificate: file("server.pem"),
            key: file("server.key"),
            client_ca: file("clients.pem"),
        };
        files.replace(pair);
        std::fs::write(&files.client_ca, client_ca).expect("it can be written");
        files
    }

    /// Puts another certificate and key in their place. Each file whole, one after the other, as
    /// the tools that renew certificates do.
    pub(crate) fn replace(&self, pair: &Pair) {
        for (file, pem) in [(&self.key, &pair.key), (&self.certificate, &pair.certificate)] {
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, pem).expect("it can be written");
            std::fs::rename(&fresh, file).expect("it can be renamed");
        }
    }

    /// Settings of a server that reads them, and asks clients for certificates or not.
    pub(crate) fn settings(&self, client_certificates: &str) -> Vec<String> {
        let mut settings = vec![
            format!("tls.certificate={}", self.certificate.display()),
            format!("tls.key={}", self.key.display()),
            "tls.reload_interval=200ms".into(),
            format!("tls.client_certificates={client_certificates}"),
        ];
        if client_certificates != "none" {
            settings.push(format!("tls.client_ca={}", self.client_ca.display()));
        }
        settings
    }
}
