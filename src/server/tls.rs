//! TLS: certificate, key and client authorities, read again while it runs. What is good takes
//! the place of what was, for new connections; what is not is told of, and what was there stays.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::counts::Counts;
use crate::config::{self, ClientCertificates};

/// What is spoken inside, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate, key or authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file holds no PEM of the kind it should.
    #[error("{file} holds no {what} in PEM")]
    Content {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The certificate and the key do not fit, or one of them is of no use.
    #[error("the certificate or its key cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// The authorities cannot be used.
    #[error("the authorities of clients cannot be used: {0}")]
    Authorities(#[from] rustls::server::VerifierBuilderError),
    /// SIGHUP cannot be caught.
    #[error("SIGHUP cannot be caught: {0}")]
    Signal(io::Error),
}

/// The files as they were read.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

/// TLS of one listener.
pub(super) struct Tls {
    settings: config::Tls,
    current: ArcSwap<ServerConfig>,
    counts: Arc<Counts>,
}

impl Tls {
    /// Reads the files; `None` if no certificate is set. What is returned beside it keeps them
    /// up to date for as long as it is polled.
    ///
    /// # Errors
    /// They cannot be used.
    pub(super) fn open(
        settings: &config::Tls,
        counts: Arc<Counts>,
    ) -> Result<Option<(Arc<Self>, Reload)>, TlsError> {
        let Some(files) = read(settings)? else { return Ok(None) };
        let config = build(settings, &files)?;
        tell(&files);
        let hang_up = signal(SignalKind::hangup()).map_err(TlsError::Signal)?;
        let current = ArcSwap::from_pointee(config);
        let tls = Arc::new(Self { settings: settings.clone(), current, counts });
        let seen = Seen::Good(files);
        Ok(Some((Arc::clone(&tls), Reload { tls, hang_up, seen })))
    }

    /// What the next connection is accepted with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

/// Whether the files of these settings can be used.
///
/// # Errors
/// They cannot.
pub fn check(settings: &config::Tls) -> Result<(), TlsError> {
    match read(settings)? {
        Some(files) => build(settings, &files).map(drop),
        None => Ok(()),
    }
}

/// What was found when the files were last looked at.
enum Seen {
    Good(Files),
    /// Told of; told of again only when it changes.
    Bad(Files),
    Unreadable(String),
}

/// Looks at the files again and again.
pub(super) struct Reload {
    tls: Arc<Tls>,
    hang_up: Signal,
    seen: Seen,
}

impl Reload {
    pub(super) async fn run(mut self) {
        loop {
            let waited = tokio::time::sleep(self.tls.settings.reload_interval);
            let asked = tokio::select! {
                () = waited => false,
                hung_up = self.hang_up.recv() => hung_up.is_some(),
            };
            self.look(asked);
        }
    }

    /// Three small files: read where it is called.
    fn look(&mut self, asked: bool) {
        let settings = &self.tls.settings;
        let files = match read(settings) {
            Ok(Some(files)) => files,
            Ok(None) => return,
            Err(error) => {
                let said = error.to_string();
                if asked || !matches!(&self.seen, Seen::Unreadable(before) if *before == said) {
                    self.fail(&error);
                }
                self.seen = Seen::Unreadable(said);
                return;
            }
        };
        match &self.seen {
            Seen::Good(before) if *before == files => return,
            Seen::Bad(before) if *before == files && !asked => return,
            _ => {}
        }
        match build(settings, &files) {
            Ok(config) => {
                self.tls.current.store(Arc::new(config));
                self.tls.counts.tls_reloads.add();
                tell(&files);
                self.seen = Seen::Good(files);
            }
            Err(error) => {
                self.fail(&error);
                self.seen = Seen::Bad(files);
            }
        }
    }

    fn fail(&self, error: &TlsError) {
        self.tls.counts.tls_reload_failures.add();
        tracing::error!(%error, "new TLS files cannot be used; those before stay");
    }
}

fn read(settings: &config::Tls) -> Result<Option<Files>, TlsError> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Ok(None);
    };
    let bytes = |file: &Path| {
        std::fs::read(file).map_err(|error| TlsError::Read { file: file.to_owned(), error })
    };
    Ok(Some(Files {
        certificate: bytes(certificate)?,
        key: bytes(key)?.into(),
        client_ca: settings.client_ca.as_deref().map(bytes).transpose()?,
    }))
}

fn certificates(
    pem: &[u8],
    file: Option<&PathBuf>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| TlsError::Content {
        file: file.cloned().unwrap_or_default(),
        what: "certificate",
    })
}

fn build(settings: &config::Tls, files: &Files) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate, settings.certificate.as_ref())?;
    let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|_malformed| {
        TlsError::Content { file: settings.key.clone().unwrap_or_default(), what: "private key" }
    })?;
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let begun = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut config = match (&files.client_ca, settings.client_certificates) {
        (Some(pem), asked @ (ClientCertificates::Optional | ClientCertificates::Required)) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(pem, settings.client_ca.as_ref())? {
                roots.add(authority)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match asked {
                ClientCertificates::Required => verifier,
                _ => verifier.allow_unauthenticated(),
            };
            let mut config =
                begun.with_client_cert_verifier(verifier.build()?).with_single_cert(chain, key)?;
            // A resumed session would bring its certificate back without looking at its dates.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            config
        }
        _ => begun.with_no_client_auth().with_single_cert(chain, key)?,
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

/// Says which certificate is shown from now on, and until when it is good.
fn tell(files: &Files) {
    let first = CertificateDer::pem_slice_iter(&files.certificate).next().and_then(Result::ok);
    let until = first.and_then(|certificate| {
        let (_, parsed) = X509Certificate::from_der(&certificate).ok()?;
        let second = parsed.validity().not_after.timestamp();
        jiff::Timestamp::from_second(second).ok()
    });
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    tracing::info!(until, "the TLS certificate is loaded");
}
