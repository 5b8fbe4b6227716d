//! Tokens that somebody else issues: signed by a key of a JWKS file, for us, with an end.

use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::callers::{Known, is_name};
use super::roles::{Role, Roles};
use crate::config;
use crate::grpc::caller::Disbelieved;

/// Claims without which nothing is believed.
const CLAIMS: [&str; 4] = ["exp", "iss", "aud", "sub"];

/// Whose tokens are believed.
pub(super) struct Issuer {
    keys: Vec<Key>,
    roles_claim: String,
    leeway_seconds: u64,
}

/// A public key, and what a token it signed must be.
struct Key {
    id: Option<String>,
    public: DecodingKey,
    algorithms: Vec<Algorithm>,
    validation: Validation,
}

/// A token that is believed.
pub(super) struct Believed {
    pub(super) known: Known,
    /// The second from which on it is not, since 1970.
    pub(super) until: u64,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// One text: the library would let a list pass if one of it is right.
    #[serde(rename = "iss")]
    _issuer: String,
    exp: u64,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Issuer {
    /// # Errors
    /// What is wrong with the keys.
    pub(super) fn read(text: &str, settings: &config::Identity) -> Result<Self, String> {
        let set: JwkSet =
            serde_json::from_str(text).map_err(|error| format!("not a JWK set: {error}"))?;
        let leeway_seconds = settings.jwt_leeway.as_secs();
        let mut keys: Vec<Key> = Vec::new();
        for (at, jwk) in set.keys.iter().enumerate() {
            let number = at + 1;
            if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
                return Err(format!(
                    "key {number} is symmetric: whoever can check its tokens can make them"
                ));
            }
            let Some(algorithms) = algorithms(jwk) else { continue };
            let id = jwk.common.key_id.clone();
            if keys.iter().any(|key| key.id == id) {
                return Err(format!("key {number} has the kid of another, or neither has one"));
            }
            let public = DecodingKey::from_jwk(jwk)
                .map_err(|error| format!("key {number} cannot be read: {error}"))?;
            let mut validation = Validation::default();
            validation.algorithms.clone_from(&algorithms);
            validation.leeway = leeway_seconds;
            validation.validate_nbf = true;
            validation.set_required_spec_claims(&CLAIMS);
            validation.set_issuer(&[&settings.jwt_issuer]);
            validation.set_audience(&[&settings.jwt_audience]);
            keys.push(Key { id, public, algorithms, validation });
        }
        if keys.is_empty() {
            return Err("no key of it can check signatures".into());
        }
        Ok(Self { keys, roles_claim: settings.jwt_roles_claim.clone(), leeway_seconds })
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whose token it is.
    pub(super) fn verify(&self, token: &[u8]) -> Result<Believed, Disbelieved> {
        // `none` is no algorithm to the library, and so no header.
        let header = decode_header(token).map_err(|_not_a_jwt| Disbelieved::JwtUnreadable)?;
        if header.crit.is_some() {
            return Err(Disbelieved::JwtUnreadable);
        }
        // What a token says of its own key (`jwk`, `jku`, `x5c`) is not looked at.
        let key = match (&header.kid, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (id, keys) => keys.iter().find(|key| key.id == *id),
        };
        let key = key.ok_or(Disbelieved::JwtKeyUnknown)?;
        if !key.algorithms.contains(&header.alg) {
            return Err(Disbelieved::JwtAlgorithm);
        }
        let decoded = decode::<Claims>(token, &key.public, &key.validation);
        let claims = decoded.map_err(|error| disbelieved(error.kind()))?.claims;
        if !is_name(&claims.sub) {
            return Err(Disbelieved::JwtSubject);
        }
        let roles = claims.others.get(&self.roles_claim).map(roles).unwrap_or_default();
        let known = Known { name: Arc::from(claims.sub), roles };
        Ok(Believed { known, until: claims.exp.saturating_add(self.leeway_seconds) })
    }
}

/// What a key may sign with; `None` for a key that is for something else, or of a kind nobody
/// here can check.
fn algorithms(jwk: &Jwk) -> Option<Vec<Algorithm>> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
        return None;
    }
    let mut possible = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => vec![ES256],
            EllipticCurve::P384 => vec![ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![EdDSA]
        }
        _ => return None,
    };
    if let Some(named) = jwk.common.key_algorithm {
        possible.retain(|possible| KeyAlgorithm::from(*possible) == named);
    }
    (!possible.is_empty()).then_some(possible)
}

fn disbelieved(kind: &ErrorKind) -> Disbelieved {
    let claim = |name: &str| match name {
        "iss" => Disbelieved::JwtIssuer,
        "aud" => Disbelieved::JwtAudience,
        "sub" => Disbelieved::JwtSubject,
        "exp" => Disbelieved::JwtEndless,
        _ => Disbelieved::JwtUnreadable,
    };
    match kind {
        ErrorKind::InvalidSignature => Disbelieved::JwtSignature,
        ErrorKind::InvalidAlgorithm => Disbelieved::JwtAlgorithm,
        ErrorKind::InvalidIssuer => Disbelieved::JwtIssuer,
        ErrorKind::InvalidAudience => Disbelieved::JwtAudience,
        ErrorKind::ExpiredSignature => Disbelieved::JwtExpired,
        ErrorKind::ImmatureSignature => Disbelieved::JwtEarly,
        ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => claim(name),
        // A missing `sub`, `iss` or `exp` already fails to be read as claims.
        ErrorKind::Json(error) => ["iss", "sub", "exp"]
            .into_iter()
            .find(|name| error.to_string().contains(&format!("`{name}`")))
            .map_or(Disbelieved::JwtUnreadable, claim),
        _ => Disbelieved::JwtUnreadable,
    }
}

/// Roles of a claim: a list of words, or one text with spaces, as `scope` is. Words of others
/// are passed over.
fn roles(claim: &Value) -> Roles {
    let words: Vec<&str> = match claim {
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        Value::String(words) => words.split(' ').collect(),
        _ => Vec::new(),
    };
    words.into_iter().filter_map(Role::of).fold(Roles::default(), Roles::with)
}
