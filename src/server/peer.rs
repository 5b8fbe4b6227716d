//! Who is at the other end, as far as TLS knows.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The names in a client's certificate that a believed authority signed. An
/// `Arc<PeerIdentity>` stands in the extensions of each request of a connection that showed one;
/// without certificate there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// Subject alternative names, as they stand in the certificate. The common name is not
    /// looked at: it says nothing about its kind.
    pub names: Vec<PeerName>,
}

/// A subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PeerName {
    /// A host.
    Dns(String),
    /// A URI, e.g. `spiffe://customs.example/broker`.
    Uri(String),
    /// A mail address.
    Email(String),
    /// An address.
    Ip(IpAddr),
}

impl PeerIdentity {
    /// The names of the first certificate of a chain that was verified. A name that cannot be
    /// read is none.
    #[must_use]
    pub fn of(chain: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let certificate = chain?.first()?;
        let parsed = X509Certificate::from_der(certificate);
        let names = parsed.ok().and_then(|(_, certificate)| {
            let found = certificate.subject_alternative_name().ok()??;
            Some(found.value.general_names.iter().filter_map(PeerName::of).collect())
        });
        Some(Self { names: names.unwrap_or_default() })
    }
}

impl PeerName {
    fn of(name: &GeneralName<'_>) -> Option<Self> {
        Some(match name {
            GeneralName::DNSName(name) => Self::Dns((*name).to_owned()),
            GeneralName::URI(name) => Self::Uri((*name).to_owned()),
            GeneralName::RFC822Name(name) => Self::Email((*name).to_owned()),
            GeneralName::IPAddress(bytes) => Self::Ip(match bytes.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                16 => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
                _ => return None,
            }),
            _ => return None,
        })
    }
}
