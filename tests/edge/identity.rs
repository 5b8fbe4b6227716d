//! Who is let in, and to what.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clearlist::grpc::proto::DESCRIPTORS;
use clearlist::grpc::status;
use clearlist::server::identity::roles::{Access, METHODS, Role, access};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic_types::StatusExt;

use super::asking;
use super::authorities::{Authority, Pair, TlsFiles};
use super::credentials::{
    AUDIENCE, ISSUER, Signer, bearer, call, claims, eventually, jwks, put, reason, seconds, token,
    unsigned,
};
use super::support::ceremony::Place;
use super::support::server::{Server, program};

const CHECK: &str = "/clearlist.v1.ClearanceService/CheckClearance";
const GET: &str = "/clearlist.v1.RegisterService/GetRegister";
const BROKER: &str = "spiffe://customs.example/broker";

/// A server that knows callers of a file, and says everything it does.
struct Guarded {
    place: Place,
    callers: PathBuf,
    jwks: PathBuf,
}

impl Guarded {
    fn new(lines: &[&str]) -> Self {
        let place = asking::place();
        let (callers, jwks) = (place.path().join("callers"), place.path().join("jwks.json"));
        put(&callers, &lines.join("\n"));
        Self { place, callers, jwks }
    }

    fn settings(&self) -> Vec<String> {
        vec![
            format!("identity.callers={}", self.callers.display()),
            "identity.reload_interval=100ms".into(),
            "telemetry.filter=trace".into(),
        ]
    }

    /// With JWTs of these signers.
    fn with_jwks(&self, signers: &[&Signer]) -> Vec<String> {
        put(&self.jwks, &jwks(signers));
        let mut settings = self.settings();
        settings.push(format!("identity.jwks={}", self.jwks.display()));
        settings.push(format!("identity.jwt_issuer={ISSUER}"));
        settings.push(format!("identity.jwt_audience={AUDIENCE}"));
        settings
    }

    fn serve(&self, settings: &[String]) -> Server {
        Server::with(&self.place.register(), settings)
    }
}

/// Nothing of a secret stands in the log, and neither its hash.
fn is_silent(server: &Server, secrets: &[&str]) {
    let said = server.said();
    assert!(said.len() > 1_000, "the log says nothing at all");
    for secret in secrets {
        assert!(!said.contains(secret), "the log holds a secret");
        let middle = secret.get(secret.len() / 3..secret.len() * 2 / 3).expect("ASCII");
        assert!(!said.contains(middle), "the log holds a part of a secret");
    }
}

/// Every method that somebody serves here.
fn served() -> BTreeSet<String> {
    let sets = [
        DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let mut out = BTreeSet::new();
    for set in sets {
        let pool = DescriptorPool::decode(set).expect("descriptors");
        for service in pool.services() {
            for method in service.methods() {
                out.insert(format!("/{}/{}", service.full_name(), method.name()));
            }
        }
    }
    out
}

#[test]
fn every_method_is_in_the_table_and_the_table_has_no_other() {
    let listed: BTreeSet<String> = METHODS.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(listed.len(), METHODS.len(), "one stands there twice");
    assert_eq!(served(), listed);
    for path in ["", "/", "/clearlist.v1.ClearanceService/", "/clearlist.v1.ClearanceService/X"] {
        assert_eq!(access(path), None, "{path}");
    }
    assert_eq!(access(&CHECK.to_lowercase()), None);
    // Whatever is ours has a role.
    for (path, access) in METHODS.iter().filter(|(path, _)| path.starts_with("/clearlist.")) {
        assert!(matches!(access, Access::Needs(_)), "{path}");
    }
}

#[tokio::test]
async fn each_role_opens_its_methods_and_no_other() {
    let words = Role::ALL.map(Role::word);
    let made: Vec<_> = words.iter().map(|word| token(&format!("only-{word}"), word)).collect();
    let (all, all_line) = token("everything", "lookup,read,submit,operate");
    let lines: Vec<&str> = made.iter().map(|(_, line)| line.as_str()).chain([&*all_line]).collect();
    let guarded = Guarded::new(&lines);
    let server = guarded.serve(&guarded.settings());
    let channel = server.connect().await;
    for (path, access) in METHODS {
        let outcome = call(&channel, path, &[]).await;
        let expected = match access {
            Access::Needs(_) => (Code::Unauthenticated, "CREDENTIAL_MISSING"),
            Access::Open | Access::Reflection => (Code::Ok, "-"),
        };
        assert_eq!(reason(&outcome), expected.1, "{path} by nobody");
        if let (Err(refused), Access::Needs(_)) = (&outcome, access) {
            assert_eq!(refused.code(), expected.0, "{path}");
            let details = refused.get_error_details();
            assert_eq!(details.error_info().map(|info| info.domain.as_str()), Some("clearlist"));
            assert!(status::chinese(refused).is_some_and(|text| text.contains("身份")), "{path}");
        }
        for (role, (token, _)) in Role::ALL.into_iter().zip(&made) {
            let outcome = call(&channel, path, &[&bearer(token)]).await;
            match access {
                Access::Needs(needed) if needed != role => {
                    let refused = outcome.expect_err(path);
                    assert_eq!(refused.code(), Code::PermissionDenied, "{path} {role:?}");
                    assert_eq!(status::reason(&refused).as_deref(), Some("ROLE_MISSING"));
                    assert!(refused.message().contains(needed.word()), "{}", refused.message());
                    assert!(!refused.message().contains(token.as_str()));
                }
                _ => assert_eq!(reason(&outcome), "-", "{path} {role:?}: {outcome:?}"),
            }
        }
        assert_eq!(reason(&call(&channel, path, &[&bearer(&all)]).await), "-", "{path}");
    }
    for shown in [vec![], vec![bearer(&all)]] {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        for path in ["/clearlist.v1.ClearanceService/Nothing", "/clearlist.v2.X/Y"] {
            let refused = call(&channel, path, &shown).await.expect_err("there is none");
            assert_eq!(refused.code(), Code::Unimplemented);
            assert_eq!(status::reason(&refused).as_deref(), Some("METHOD_UNKNOWN"));
        }
    }
    let secrets: Vec<&str> = made.iter().map(|(token, _)| token.as_str()).chain([&*all]).collect();
    is_silent(&server, &secrets);
}

#[tokio::test]
async fn reflection_may_be_closed_to_those_without_the_role_read() {
    let ((lookup, one), (read, two)) = (token("a", "lookup"), token("b", "read"));
    let guarded = Guarded::new(&[&one, &two]);
    let closed = [guarded.settings(), vec!["identity.open_reflection=false".into()]].concat();
    let server = guarded.serve(&closed);
    let channel = server.connect().await;
    for (path, _) in METHODS.iter().filter(|(_, access)| *access == Access::Reflection) {
        assert_eq!(reason(&call(&channel, path, &[]).await), "CREDENTIAL_MISSING");
        assert_eq!(reason(&call(&channel, path, &[&bearer(&lookup)]).await), "ROLE_MISSING");
        assert_eq!(reason(&call(&channel, path, &[&bearer(&read)]).await), "-");
    }
    assert_eq!(reason(&call(&channel, "/grpc.health.v1.Health/Check", &[]).await), "-");
}

#[tokio::test]
async fn a_token_whose_line_is_removed_is_refused_on_the_connection_it_was_used_on() {
    let ((kept, kept_line), (gone, gone_line)) = (token("kept", "lookup"), token("gone", "lookup"));
    let guarded = Guarded::new(&["# who", "", &kept_line, &gone_line]);
    let server = guarded.serve(&guarded.settings());
    let channel = server.connect().await;
    let outcome = async |token: &str| reason(&call(&channel, CHECK, &[&bearer(token)]).await);
    assert_eq!((outcome(&kept).await, outcome(&gone).await), ("-".into(), "-".into()));
    put(&guarded.callers, &kept_line);
    eventually("revoked", async || outcome(&gone).await == "CREDENTIAL_INVALID").await;
    assert_eq!(outcome(&kept).await, "-");
    // What cannot be read changes nothing, and is told of without what stands in it.
    let (next, next_line) = token("next", "read");
    put(&guarded.callers, &format!("{kept_line}\n{next} lookup {gone}\n{next_line}x"));
    eventually("told of", async || {
        server.said().contains("new callers or keys cannot be used; those before stay")
    })
    .await;
    let said = server.said();
    assert!(said.contains("line 2: ") && said.contains("line 3: "), "both are said");
    assert_eq!(
        (outcome(&kept).await, outcome(&gone).await),
        ("-".into(), "CREDENTIAL_INVALID".into())
    );
    // Other roles count at once as well.
    put(&guarded.callers, &kept_line.replace("lookup", "read"));
    eventually("another role", async || outcome(&kept).await == "ROLE_MISSING").await;
    assert_eq!(reason(&call(&channel, GET, &[&bearer(&kept)]).await), "-");
    std::fs::remove_file(&guarded.callers).expect("it was there");
    eventually("missing", async || server.said().contains("cannot read")).await;
    assert_eq!(reason(&call(&channel, GET, &[&bearer(&kept)]).await), "-");
    is_silent(&server, &[&kept, &gone, &next]);
}

#[tokio::test]
async fn what_is_shown_wrongly_is_refused_and_never_passed_over() {
    let (good, line) = token("a", "lookup");
    let (other, _) = token("a", "lookup");
    let guarded = Guarded::new(&[&line]);
    let server = guarded.serve(&guarded.settings());
    let channel = server.connect().await;
    let (shown, cut) = (bearer(&good), good.get(1..).expect("ASCII"));
    let upper = format!("BEARER {good}");
    assert_eq!(reason(&call(&channel, CHECK, &[&upper]).await), "-", "a scheme has no case");
    let cases = [
        vec![bearer(&other)],
        vec![bearer(cut)],
        vec![format!("{shown}A")],
        vec![bearer(&good.to_uppercase())],
        vec![shown.clone(), shown.clone()],
        vec![shown.clone(), bearer(&other)],
        vec![good.clone()],
        vec!["Bearer ".into()],
        vec!["Bearer".into()],
        vec![String::new()],
        vec![format!("Basic {good}")],
        vec![bearer("eyJhbGciOiJub25lIn0.e30.")],
    ];
    for shown in cases {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let refused = call(&channel, CHECK, &shown).await.expect_err("it is refused");
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert_eq!(status::reason(&refused).as_deref(), Some("CREDENTIAL_INVALID"), "{shown:?}");
        assert!(!refused.message().contains(cut) && !format!("{refused:?}").contains(cut));
    }
    assert_eq!(reason(&call(&channel, CHECK, &[&shown]).await), "-");
    is_silent(&server, &[&good, &other]);
}

async fn connect(server: &Server, tls: ClientTlsConfig) -> Channel {
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address())).expect("a URL");
    endpoint.tls_config(tls).expect("certificates").connect().await.expect("it is let in")
}

#[tokio::test]
async fn a_certificate_is_who_its_names_are_listed_for_and_nobody_otherwise() {
    let ours = Authority::new("ours");
    let (named, line) = token("broker", "lookup,submit");
    let (other, other_line) = token("other", "lookup");
    let listed = format!("broker lookup,submit uri:{BROKER}");
    let guarded = Guarded::new(&[&listed, &line, &other_line]);
    let files = TlsFiles::write(guarded.place.path(), &ours.server("one"), &ours.pem());
    let server = guarded.serve(&[guarded.settings(), files.settings("optional")].concat());
    let with = |pair: &Pair| ours.believed().identity(pair.identity());
    let broker = connect(&server, with(&ours.client(BROKER))).await;
    let stranger = connect(&server, with(&ours.client(&format!("{BROKER}2")))).await;
    let nobody = connect(&server, ours.believed()).await;
    let cases = [
        (&broker, CHECK, None, "-"),
        (&broker, GET, None, "ROLE_MISSING"),
        (&broker, CHECK, Some(&named), "-"),
        (&broker, CHECK, Some(&other), "CREDENTIAL_CONTRADICTORY"),
        (&stranger, CHECK, None, "CREDENTIAL_INVALID"),
        (&stranger, CHECK, Some(&named), "CREDENTIAL_INVALID"),
        (&nobody, CHECK, None, "CREDENTIAL_MISSING"),
        (&nobody, CHECK, Some(&other), "-"),
    ];
    for (at, (channel, path, token, expected)) in cases.into_iter().enumerate() {
        let shown = token.map(|token| bearer(token));
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        assert_eq!(reason(&call(channel, path, &shown).await), expected, "case {at}");
    }
    put(&guarded.callers, &[&*line, &other_line].join("\n"));
    eventually("no certificate is listed", async || {
        reason(&call(&broker, CHECK, &[]).await) == "CREDENTIAL_MISSING"
    })
    .await;
    is_silent(&server, &[&named, &other]);
}

#[tokio::test]
async fn a_jwt_is_believed_in_every_algorithm_that_its_key_is_for_and_in_no_other() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let (rsa, p256, p384) = (Signer::rsa("rsa"), Signer::p256("p256"), Signer::p384("p384"));
    let (ed, stranger) = (Signer::ed25519("ed"), Signer::rsa("rsa"));
    let guarded = Guarded::new(&[]);
    let server = guarded.serve(&guarded.with_jwks(&[&rsa, &p256, &p384, &ed]));
    let channel = server.connect().await;
    let fine = claims("nothing", Value::Null);
    let signed = |signer: &Signer, algorithm, id: &str| {
        let mut header = Header::new(algorithm);
        header.kid = Some(id.into());
        signer.sign_with(&header, &fine)
    };
    for algorithm in [RS256, RS384, RS512, PS256, PS384, PS512] {
        let shown = bearer(&signed(&rsa, algorithm, "rsa"));
        assert_eq!(reason(&call(&channel, CHECK, &[&shown]).await), "-", "{algorithm:?}");
        let forged = bearer(&signed(&stranger, algorithm, "rsa"));
        let refused = call(&channel, CHECK, &[&forged]).await;
        assert_eq!(reason(&refused), "CREDENTIAL_INVALID", "{algorithm:?}");
        let elsewhere = bearer(&signed(&rsa, algorithm, "p256"));
        let refused = call(&channel, CHECK, &[&elsewhere]).await;
        assert_eq!(reason(&refused), "CREDENTIAL_INVALID", "{algorithm:?}");
    }
    for (signer, algorithm, id) in
        [(&p256, ES256, "p256"), (&p384, ES384, "p384"), (&ed, EdDSA, "ed")]
    {
        let shown = bearer(&signed(signer, algorithm, id));
        assert_eq!(reason(&call(&channel, CHECK, &[&shown]).await), "-", "{algorithm:?}");
        for other in ["rsa", "p256", "p384", "ed"].into_iter().filter(|other| *other != id) {
            let elsewhere = bearer(&signed(signer, algorithm, other));
            let refused = call(&channel, CHECK, &[&elsewhere]).await;
            assert_eq!(reason(&refused), "CREDENTIAL_INVALID", "{algorithm:?} for {other}");
        }
    }
}

#[tokio::test]
async fn a_jwt_is_believed_of_its_issuer_for_us_in_its_time_and_else_refused() {
    let (ed, ec, stranger) = (Signer::ed25519("ed"), Signer::p256("ec"), Signer::ed25519("ed"));
    let guarded = Guarded::new(&[]);
    let server = guarded.serve(&guarded.with_jwks(&[&ed, &ec]));
    let channel = server.connect().await;
    let fine = claims("nothing", Value::Null);
    let with = |name, value| ed.sign(&claims(name, value));
    let none = |alg: &str| json!({"alg": alg, "typ": "JWT", "kid": "ed"});
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some("ed".into());
    let symmetric =
        jsonwebtoken::encode(&hmac, &fine, &EncodingKey::from_secret(&ed.public())).expect("made");
    let critical = {
        let mut header = Header::new(Algorithm::EdDSA);
        (header.kid, header.crit) = (Some("ed".into()), Some(vec!["exp".into()]));
        ed.sign_with(&header, &fine)
    };
    let nameless = ed.sign_with(&Header::new(Algorithm::EdDSA), &fine);
    let good = [
        ed.sign(&fine),
        ec.sign(&fine),
        with("aud", json!(["else", AUDIENCE])),
        with("roles", json!("openid lookup")),
        with("roles", json!(["openid", "lookup"])),
        // Within what clocks may be off.
        with("exp", json!(seconds(-5))),
        with("nbf", json!(seconds(5))),
    ];
    for token in &good {
        let outcome = call(&channel, CHECK, &[&bearer(token)]).await;
        assert_eq!(reason(&outcome), "-", "{outcome:?}");
    }
    let bad: [(&str, String, &str, &str); 24] = [
        ("no audience", with("aud", Value::Null), "CREDENTIAL_INVALID", "audience"),
        ("another audience", with("aud", json!("else")), "CREDENTIAL_INVALID", "audience"),
        ("no one's audience", with("aud", json!([])), "CREDENTIAL_INVALID", "audience"),
        (
            "audience in other case",
            with("aud", json!("Clearlist.example")),
            "CREDENTIAL_INVALID",
            "audience",
        ),
        ("no issuer", with("iss", Value::Null), "CREDENTIAL_INVALID", "issuer"),
        (
            "another issuer",
            with("iss", json!("https://else.example")),
            "CREDENTIAL_INVALID",
            "issuer",
        ),
        ("several issuers", with("iss", json!([ISSUER])), "CREDENTIAL_INVALID", ""),
        ("expired", with("exp", json!(seconds(-60))), "CREDENTIAL_EXPIRED", "expired"),
        ("without end", with("exp", Value::Null), "CREDENTIAL_INVALID", "until when"),
        ("end is a text", with("exp", json!("2099")), "CREDENTIAL_INVALID", ""),
        ("not yet", with("nbf", json!(seconds(60))), "CREDENTIAL_INVALID", "not good yet"),
        ("no subject", with("sub", Value::Null), "CREDENTIAL_INVALID", "`sub`"),
        ("empty subject", with("sub", json!("")), "CREDENTIAL_INVALID", "`sub`"),
        ("subject in other letters", with("sub", json!("еrp")), "CREDENTIAL_INVALID", "`sub`"),
        ("alg none", unsigned(&none("none"), &fine, b""), "CREDENTIAL_INVALID", "algorithm"),
        ("alg None", unsigned(&none("None"), &fine, b""), "CREDENTIAL_INVALID", "algorithm"),
        ("no signature", unsigned(&none("EdDSA"), &fine, b""), "CREDENTIAL_INVALID", "signature"),
        ("signed with the public key", symmetric, "CREDENTIAL_INVALID", "algorithm"),
        ("by a stranger under a known id", stranger.sign(&fine), "CREDENTIAL_INVALID", "signature"),
        ("by the key of another id", ed.sign_as("ec", &fine), "CREDENTIAL_INVALID", "algorithm"),
        ("an unknown id", ed.sign_as("xx", &fine), "CREDENTIAL_INVALID", "no key"),
        ("no id, and two keys", nameless, "CREDENTIAL_INVALID", "no key"),
        ("critical header", critical, "CREDENTIAL_INVALID", ""),
        ("no roles", with("roles", json!(["openid", "LOOKUP"])), "ROLE_MISSING", "lookup"),
    ];
    for (what, token, expected, text) in &bad {
        let refused = call(&channel, CHECK, &[&bearer(token)]).await.expect_err(what);
        assert_eq!(status::reason(&refused).as_deref(), Some(*expected), "{what}: {refused:?}");
        assert!(refused.message().contains(text), "{what}: {}", refused.message());
        assert!(!refused.message().contains(token.as_str()), "{what}");
    }
    assert_eq!(reason(&call(&channel, CHECK, &[&bearer(&good[0])]).await), "-");
    let secrets: Vec<&str> =
        good.iter().chain(bad.iter().map(|(_, token, ..)| token)).map(String::as_str).collect();
    is_silent(&server, &secrets);
}

#[tokio::test]
async fn keys_of_an_issuer_change_while_it_runs_and_a_token_ends_on_an_open_connection() {
    let (old, new) = (Signer::ed25519("old"), Signer::p256("new"));
    let guarded = Guarded::new(&[]);
    let mut settings = guarded.with_jwks(&[&old]);
    settings.push("identity.jwt_leeway=0s".into());
    let server = guarded.serve(&settings);
    let channel = server.connect().await;
    let fine = claims("nothing", Value::Null);
    let (by_old, by_new) = (old.sign(&fine), new.sign(&fine));
    let outcome = async |token: &str| reason(&call(&channel, CHECK, &[&bearer(token)]).await);
    assert_eq!(
        (outcome(&by_old).await, outcome(&by_new).await),
        ("-".into(), "CREDENTIAL_INVALID".into())
    );
    put(&guarded.jwks, &jwks(&[&old, &new]));
    eventually("the new key", async || outcome(&by_new).await == "-").await;
    assert_eq!(outcome(&by_old).await, "-");
    put(&guarded.jwks, &jwks(&[&new]));
    eventually("the old key is gone", async || outcome(&by_old).await == "CREDENTIAL_INVALID")
        .await;
    // A symmetric key among them, or nothing that is a key: nothing changes.
    let secret = json!({"keys": [new.jwk(), {"kty": "oct", "kid": "s", "k": "c2VjcmV0"}]});
    for (bad, said) in [(secret.to_string(), "symmetric"), ("{}".into(), "not a JWK set")] {
        put(&guarded.jwks, &bad);
        eventually(said, async || server.said().contains(said)).await;
        assert_eq!(outcome(&by_new).await, "-");
    }
    let short = new.sign(&claims("exp", json!(seconds(3))));
    assert_eq!(outcome(&short).await, "-");
    eventually("its end", async || outcome(&short).await == "CREDENTIAL_EXPIRED").await;
    is_silent(&server, &[&by_old, &by_new, &short]);
}

#[tokio::test]
async fn the_command_line_makes_tokens_and_shows_them() {
    let made = program(&["token", "new", "--name", "desk", "--roles", "read"]).output();
    let made = made.expect("the program starts");
    assert_eq!(made.status.code(), Some(0));
    let printed = String::from_utf8(made.stdout).expect("text");
    let [token, line] = printed.lines().collect::<Vec<_>>()[..] else { panic!("two lines") };
    let guarded = Guarded::new(&[line]);
    let server = guarded.serve(&guarded.settings());
    let (url, file) = (format!("http://{}", server.address()), guarded.place.path().join("token"));
    std::fs::write(&file, format!("{token}\n")).expect("written");
    let show = |url: &str, variable: bool| {
        let mut command = program(&["register", "show", "--server", url]);
        if variable {
            command.env("CLEARLIST_TOKEN_FILE", &file);
        }
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let without = show(&url, false);
    assert!(without.0 == Some(3) && without.1.contains("[CREDENTIAL_MISSING]"), "{}", without.1);
    assert_eq!(show(&url, true), (Some(0), String::new()));
    let far = show("http://203.0.113.1:1", true);
    assert!(far.0 == Some(2) && far.1.contains("not sent without TLS"), "{}", far.1);
    let check = ["check", "--server", &url, "--hs", "2941.30.11.00", "--name", "x"];
    let flags = ["--token-file", &file.display().to_string()];
    let refused = program(&[&check[..], &flags[..]].concat()).output().expect("it starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("[ROLE_MISSING]"), "{said}");
    for bad in [["--name", "a b", "--roles", "read"], ["--name", "a", "--roles", "reed"]] {
        let output = program(&[&["token", "new"][..], &bad].concat()).output().expect("it starts");
        assert_eq!(output.status.code(), Some(2));
    }
    is_silent(&server, &[token]);
}
