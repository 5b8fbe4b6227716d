//! TLS: who is let in, and certificates that change while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clearlist::server::peer::{PeerIdentity, PeerName};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::asking::{self, ask};
use super::authorities::{Authority, Pair, TlsFiles};
use super::support::server::{Launched, Server, program};

const BROKER: &str = "spiffe://customs.example/broker";

/// Connects and asks once; what is wrong is said as text, in the words of whoever found it.
async fn ask_once(server: &Server, tls: ClientTlsConfig) -> Result<Channel, String> {
    let channel = endpoint(server, tls).connect().await.map_err(|error| format!("{error:?}"))?;
    ask(&channel).await.map_err(|error| format!("{error:?}"))?;
    Ok(channel)
}

fn endpoint(server: &Server, tls: ClientTlsConfig) -> Endpoint {
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address()));
    endpoint.expect("a URL").tls_config(tls).expect("good certificates")
}

/// Waits until something is so.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn times(server: &Server, line: &str) -> usize {
    server.said().matches(line).count()
}

const REFUSED_FILES: &str = "new TLS files cannot be used; those before stay";

#[tokio::test]
async fn only_who_shows_a_certificate_of_a_believed_authority_in_its_time_is_answered() {
    let (place, ours, theirs) = (asking::place(), Authority::new("ours"), Authority::new("theirs"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let server = Server::with(&place.register(), &files.settings("required"));
    let with = |pair: &Pair| ours.believed().identity(pair.identity());
    ask_once(&server, with(&ours.client(BROKER))).await.expect("one of ours");
    let cases = [
        ("no certificate", ours.believed()),
        ("of another authority", with(&theirs.client(BROKER))),
        ("expired", with(&ours.expired_client(BROKER))),
        ("for servers", with(&ours.server("one"))),
        ("a client that believes another authority", theirs.believed()),
    ];
    for (what, tls) in cases {
        let refused = ask_once(&server, tls).await;
        assert!(refused.is_err(), "{what} was answered");
    }
    // Without TLS there is nothing to talk to.
    let plain = Endpoint::from_shared(format!("http://{}", server.address())).expect("a URL");
    let plain = plain.connect().await;
    let answered = match plain {
        Ok(channel) => ask(&channel).await.is_ok(),
        Err(_refused) => false,
    };
    assert!(!answered, "answered without TLS");
    ask_once(&server, with(&ours.client(BROKER))).await.expect("the next is answered");
}

#[tokio::test]
async fn where_certificates_are_optional_a_wrong_one_is_still_refused() {
    let (place, ours, theirs) = (asking::place(), Authority::new("ours"), Authority::new("theirs"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let server = Server::with(&place.register(), &files.settings("optional"));
    let with = |pair: &Pair| ours.believed().identity(pair.identity());
    ask_once(&server, ours.believed()).await.expect("without certificate");
    ask_once(&server, with(&ours.client(BROKER))).await.expect("with one of ours");
    ask_once(&server, with(&theirs.client(BROKER))).await.expect_err("with one of theirs");
    ask_once(&server, with(&ours.expired_client(BROKER))).await.expect_err("with an old one");
}

#[tokio::test]
async fn a_new_certificate_is_served_under_load_and_no_request_fails() {
    let (place, old, new) = (asking::place(), Authority::new("old"), Authority::new("new"));
    let files = TlsFiles::write(place.path(), &old.server("one"), &old.pem());
    let server = Arc::new(Server::with(&place.register(), &files.settings("none")));
    let both = old.believed().ca_certificate(Certificate::from_pem(new.pem()));
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let long_lived = ask_once(&server, both.clone()).await.expect("an answer");
    let callers: Vec<_> = (0..4)
        .map(|nth| {
            let (server, both, channel) = (Arc::clone(&server), both.clone(), long_lived.clone());
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    // Half of them connect anew each time.
                    if nth % 2 == 0 {
                        ask(&channel).await.expect("on a connection from before");
                    } else {
                        ask_once(&server, both.clone()).await.expect("on a new connection");
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    ask_once(&server, new.believed()).await.expect_err("the new one is not there yet");
    for round in 0..5 {
        let (next, believed) = match round % 2 {
            0 => (&new, new.believed()),
            _ => (&old, old.believed()),
        };
        files.replace(&next.server("next"));
        eventually("the other certificate", async || {
            ask_once(&server, believed.clone()).await.is_ok()
        })
        .await;
    }
    ask_once(&server, old.believed()).await.expect_err("the old one is served no more");
    let before = answered.load(Ordering::Relaxed);
    eventually("more answers", async || answered.load(Ordering::Relaxed) > before + 20).await;
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no request failed");
    }
    println!("{} requests while five certificates came", answered.load(Ordering::Relaxed));
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing_and_are_told_of_once() {
    let (place, first, second) = (asking::place(), Authority::new("1"), Authority::new("2"));
    let good = first.server("one");
    let files = TlsFiles::write(place.path(), &good, &first.pem());
    let server = Server::with(&place.register(), &files.settings("none"));
    let torn: String = good.certificate.lines().take(5).collect::<Vec<_>>().join("\n");
    let bad: [(&str, String, String); 5] = [
        ("no PEM", "garbage".into(), good.key.clone()),
        ("an empty file", String::new(), good.key.clone()),
        ("half a file", torn, good.key.clone()),
        ("another key", good.certificate.clone(), second.server("two").key),
        ("a certificate for a key", good.certificate.clone(), good.certificate.clone()),
    ];
    for (told, (what, certificate, key)) in bad.into_iter().enumerate() {
        // In one step, as far as the server can see: the key of before fits neither.
        std::fs::write(&files.certificate, &certificate).expect("written");
        std::fs::write(&files.key, &key).expect("written");
        eventually(what, async || times(&server, REFUSED_FILES) > told).await;
        ask_once(&server, first.believed()).await.expect(what);
    }
    // Some looks more: nothing new to tell.
    eventually("quiet", async || {
        let before = times(&server, REFUSED_FILES);
        tokio::time::sleep(Duration::from_millis(700)).await;
        times(&server, REFUSED_FILES) == before
    })
    .await;
    let told = times(&server, REFUSED_FILES);
    server.signal("HUP");
    eventually("told again when asked", async || times(&server, REFUSED_FILES) > told).await;
    std::fs::remove_file(&files.certificate).expect("removed");
    eventually("the missing file", async || server.said().contains("cannot read")).await;
    ask_once(&server, first.believed()).await.expect("still the first");
    files.replace(&second.server("two"));
    eventually("the good one", async || ask_once(&server, second.believed()).await.is_ok()).await;
}

#[tokio::test]
async fn an_authority_that_is_added_counts_without_a_restart_and_at_once_with_a_signal() {
    let (place, ours, theirs) = (asking::place(), Authority::new("ours"), Authority::new("theirs"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let slow = vec!["tls.reload_interval=1h".to_owned()];
    let server = Server::with(&place.register(), &[files.settings("required"), slow].concat());
    let with = || ours.believed().identity(theirs.client(BROKER).identity());
    ask_once(&server, with()).await.expect_err("not yet");
    std::fs::write(&files.client_ca, ours.pem() + &theirs.pem()).expect("written");
    server.signal("HUP");
    eventually("theirs too", async || ask_once(&server, with()).await.is_ok()).await;
    std::fs::write(&files.client_ca, ours.pem()).expect("written");
    server.signal("HUP");
    eventually("no more", async || ask_once(&server, with()).await.is_err()).await;
}

#[tokio::test]
async fn both_versions_are_spoken_with_http_2_inside() {
    let (place, ours) = (asking::place(), Authority::new("ours"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let server = Server::with(&place.register(), &files.settings("none"));
    let mut roots = RootCertStore::empty();
    let pem = ours.pem();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("an authority");
    let cases: [(&SupportedProtocolVersion, _); 2] =
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)];
    for (offered, agreed) in cases {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[offered])
            .expect("a version")
            .with_root_certificates(roots.clone());
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(server.address()).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.expect("a handshake");
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(agreed));
        assert_eq!(session.alpn_protocol(), Some(b"h2".as_slice()));
    }
}

#[tokio::test]
async fn a_server_with_files_it_cannot_use_does_not_start() {
    let (place, ours) = (asking::place(), Authority::new("ours"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    std::fs::write(&files.key, ours.server("two").key).expect("written");
    // And nobody was told that it listens.
    let launched = Launched::with(&place.register(), &files.settings("none"));
    let ended = launched.listening().expect_err("it does not listen");
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("certificate or its key cannot be used"), "{}", ended.said);
}

#[tokio::test]
async fn the_command_line_asks_over_tls_and_says_why_it_could_not() {
    let (place, ours, theirs) = (asking::place(), Authority::new("ours"), Authority::new("theirs"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let server = Server::with(&place.register(), &files.settings("required"));
    let file = |name: &str, pem: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, pem).expect("written");
        path.display().to_string()
    };
    let pair = ours.client(BROKER);
    let (ca, other) = (file("ca.pem", &ours.pem()), file("other.pem", &theirs.pem()));
    let (certificate, key) = (file("client.pem", &pair.certificate), file("client.key", &pair.key));
    let (_, port) = server.address().rsplit_once(':').expect("a port");
    let url = format!("https://localhost:{port}");
    let show = |tls: &[&str]| {
        let args = [&["register", "show", "--server", &url], tls].concat();
        let output = program(&args).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let client = ["--client-certificate", &certificate, "--client-key", &key];
    assert_eq!(show(&[&["--ca", ca.as_str()][..], &client].concat()), (Some(0), String::new()));
    let cases = [
        (vec![], Some(2), "--ca FILE"),
        (vec!["--ca", ca.as_str(), "--client-key", &key], Some(2), "--client-certificate"),
        (vec!["--ca", "nowhere.pem"], Some(2), "cannot read nowhere.pem"),
        ([&["--ca", other.as_str()][..], &client].concat(), Some(3), "UnknownIssuer"),
        (vec!["--ca", ca.as_str()], Some(3), ""),
    ];
    for (tls, code, said) in cases {
        let ended = show(&tls);
        assert_eq!(ended.0, code, "{tls:?}: {}", ended.1);
        assert!(ended.1.contains(said), "{tls:?}: {}", ended.1);
    }
}

#[test]
fn the_names_of_a_certificate_are_read_as_they_stand() {
    let pair = Authority::new("ours").client(BROKER);
    let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("PEM");
    let identity = PeerIdentity::of(Some(&[der])).expect("there is a certificate");
    assert_eq!(identity.names, [PeerName::Uri(BROKER.into())]);
    assert_eq!(PeerIdentity::of(None), None);
    let garbage = CertificateDer::from(vec![1, 2, 3]);
    assert_eq!(PeerIdentity::of(Some(&[garbage])).map(|identity| identity.names), Some(vec![]));
}
