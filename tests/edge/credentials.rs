//! What callers show: API tokens, JWTs and the keys they are signed with.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clearlist::server::identity::callers::new_token;
use clearlist::server::identity::roles::Roles;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pkcs8::PrivateKeyInfoRef;
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use serde_json::{Value, json};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "clearlist.example";

/// A token and its line.
pub(crate) fn token(name: &str, roles: &str) -> (String, String) {
    let roles = Roles::parse(roles).expect("words of roles");
    let (token, line) = new_token(name, roles).expect("randomness");
    (token.to_string(), line)
}

/// Puts a file in its place, whole.
pub(crate) fn put(file: &Path, text: &str) {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text).expect("it can be written");
    std::fs::rename(&fresh, file).expect("it can be renamed");
}

/// Calls a method with an empty message; what came of it before any answer.
pub(crate) async fn call(
    channel: &Channel,
    path: &'static str,
    shown: &[&str],
) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let mut request = Request::new(tokio_stream::once(()));
    for shown in shown {
        let value = MetadataValue::try_from(*shown).expect("it can be sent");
        request.metadata_mut().append("authorization", value);
    }
    let path = http::uri::PathAndQuery::from_static(path);
    client.streaming(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}

/// `Bearer` and a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The reason of a refusal; `-` if there was none of identity.
pub(crate) fn reason(outcome: &Result<(), Status>) -> String {
    let reason = outcome.as_ref().err().and_then(clearlist::grpc::status::reason);
    let ours = ["CREDENTIAL_", "ROLE_", "METHOD_", "RATE_"];
    reason.filter(|found| ours.iter().any(|own| found.starts_with(own))).unwrap_or("-".into())
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whoever signs JWTs.
pub(crate) struct Signer {
    pair: KeyPair,
    id: &'static str,
    algorithm: Algorithm,
}

impl Signer {
    pub(crate) fn ed25519(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        Self { pair, id, algorithm: Algorithm::EdDSA }
    }

    pub(crate) fn p256(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        Self { pair, id, algorithm: Algorithm::ES256 }
    }

    pub(crate) fn p384(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
        Self { pair, id, algorithm: Algorithm::ES384 }
    }

    /// With RSA a key signs in several ways.
    pub(crate) fn rsa(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key");
        Self { pair, id, algorithm: Algorithm::RS256 }
    }

    fn key(&self) -> EncodingKey {
        let der = self.pair.serialize_der();
        match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            Algorithm::RS256 => {
                let key = PrivateKeyInfoRef::try_from(&*der).expect("PKCS #8");
                EncodingKey::from_rsa_der(key.private_key.as_bytes())
            }
            _ => EncodingKey::from_ec_der(&der),
        }
    }

    /// Its public key, as a JWKS file has it.
    pub(crate) fn jwk(&self) -> Value {
        if self.algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(self.pair.public_key_raw());
            return json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": x});
        }
        let mut jwk = Jwk::from_encoding_key(&self.key(), self.algorithm).expect("a key");
        jwk.common.key_id = Some(self.id.into());
        if self.algorithm == Algorithm::RS256 {
            // For whatever the kind of key can do.
            jwk.common.key_algorithm = None;
        }
        serde_json::to_value(jwk).expect("JSON")
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.pair.public_key_raw().to_vec()
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.id, claims)
    }

    /// The same, and says it were signed by the key of another id.
    pub(crate) fn sign_as(&self, id: &str, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(id.to_owned());
        self.sign_with(&header, claims)
    }

    pub(crate) fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key()).expect("a token")
    }
}

/// Keys of a JWKS file.
pub(crate) fn jwks(signers: &[&Signer]) -> String {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()}).to_string()
}

/// Seconds since 1970, so many from now.
pub(crate) fn seconds(from_now: i64) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a time") + from_now
}

/// Claims of a good token, with one of them another, or missing if it is null.
pub(crate) fn claims(name: &str, value: Value) -> Value {
    let mut claims = json!({
        "sub": "erp-4", "iss": ISSUER, "aud": AUDIENCE, "exp": seconds(600), "roles": ["lookup"],
    });
    let object = claims.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.into(), value);
    }
    claims
}

/// A token whose header and signature are just written, not made.
pub(crate) fn unsigned(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (header, claims) = (header.to_string(), claims.to_string());
    format!("{}.{}.{}", text(header.as_bytes()), text(claims.as_bytes()), text(signature))
}
