//! The callers file: who is known by which token or certificate, and may do what.
//!
//! One line a credential: name, roles, credential. `#` begins a comment.
//!
//! ```text
//! broker-17  lookup       sha256:4f0c…
//! customs    lookup,read  uri:spiffe://customs.example/desk
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::roles::Roles;
use crate::server::peer::{PeerIdentity, PeerName};

/// How every API token begins, so that one that lies around is recognized by people and by tools
/// that look for secrets.
pub const TOKEN_PREFIX: &str = "clearlist_";
/// Random bytes of a token: so many that its plain hash can be kept without salt.
const TOKEN_BYTES: usize = 32;
/// Longest name of a caller.
const NAME_BYTES_MAX: usize = 128;
/// How the hash of a token begins.
const HASH_PREFIX: &str = "sha256:";

/// SHA-256 of something secret.
pub(super) type Digest256 = [u8; 32];

/// The hash a credential is kept and compared as.
pub(super) fn digest(bytes: &[u8]) -> Digest256 {
    Sha256::digest(bytes).into()
}

/// A name that may stand in logs and files: visible ASCII, so that no two look alike.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: Arc<str>,
    pub(super) roles: Roles,
}

/// A new token, and the line that makes it known.
///
/// # Errors
/// The system has no randomness.
pub fn new_token(
    name: &str,
    roles: Roles,
) -> Result<(Zeroizing<String>, String), getrandom::Error> {
    let mut random = Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(random.as_mut_slice())?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
    let token = Zeroizing::new(format!("{TOKEN_PREFIX}{}", text.as_str()));
    let line = format!("{name} {roles} {HASH_PREFIX}{}", hex(&digest(token.as_bytes())));
    Ok((token, line))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        // Writing to a text cannot fail.
        let _written = write!(out, "{byte:02x}");
    }
    out
}

fn unhex(text: &str) -> Option<Digest256> {
    let mut out = Digest256::default();
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != out.len() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(pairs) {
        let pair = str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(out)
}

/// What a line says a caller is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Credential {
    Token(Digest256),
    Name(PeerName),
}

impl Credential {
    fn parse(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(':')?;
        if value.is_empty() {
            return None;
        }
        Some(match kind {
            "sha256" => Self::Token(unhex(value)?),
            "uri" => Self::Name(PeerName::Uri(value.to_owned())),
            "dns" => Self::Name(PeerName::Dns(value.to_owned())),
            "email" => Self::Name(PeerName::Email(value.to_owned())),
            "ip" => Self::Name(PeerName::Ip(value.parse().ok()?)),
            _ => return None,
        })
    }
}

/// Everybody in the file.
#[derive(Debug, Default)]
pub(super) struct Callers {
    tokens: Vec<(Digest256, Arc<Known>)>,
    names: HashMap<PeerName, Arc<Known>>,
}

/// What the names of a certificate say.
pub(super) enum Named<'a> {
    /// One caller.
    One(&'a Arc<Known>),
    /// Several, and nobody can say which.
    Several,
    /// None of them.
    Nobody,
}

impl Callers {
    /// # Errors
    /// Every line that is none, with its number. What stands in it is not repeated: it may be a
    /// token in the wrong place.
    pub(super) fn read(text: &str) -> Result<Self, Vec<(usize, &'static str)>> {
        let (mut callers, mut problems) = (Self::default(), Vec::new());
        let mut by_name: HashMap<&str, Arc<Known>> = HashMap::new();
        let mut seen: HashMap<Credential, usize> = HashMap::new();
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let mut add = || {
                let mut words = line.split_whitespace();
                let fields = (words.next(), words.next(), words.next(), words.next());
                let (Some(name), Some(roles), Some(credential), None) = fields else {
                    return Err("a line is a name, roles and a credential");
                };
                if !is_name(name) || name.starts_with(TOKEN_PREFIX) {
                    return Err("the name is not 1 to 128 visible ASCII characters");
                }
                let roles = Roles::parse(roles)
                    .ok_or("roles are some of lookup, read, submit, operate, with commas")?;
                let credential = Credential::parse(credential).ok_or(
                    "the credential is not sha256: and 64 hex digits, uri:, dns:, email: or ip: and a name",
                )?;
                if seen.insert(credential.clone(), number).is_some() {
                    return Err("the credential stands on another line too");
                }
                let known = by_name
                    .entry(name)
                    .or_insert_with(|| Arc::new(Known { name: name.into(), roles }));
                if known.roles != roles {
                    return Err("the name has other roles on another line");
                }
                match credential {
                    Credential::Token(hash) => callers.tokens.push((hash, Arc::clone(known))),
                    Credential::Name(name) => drop(callers.names.insert(name, Arc::clone(known))),
                }
                Ok(())
            };
            if let Err(problem) = add() {
                problems.push((number, problem));
            }
        }
        if problems.is_empty() { Ok(callers) } else { Err(problems) }
    }

    /// How many credentials there are.
    pub(super) fn len(&self) -> usize {
        self.tokens.len() + self.names.len()
    }

    /// Whether certificates say who somebody is. If not, they only let him connect.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whose token it is. Every hash is compared whole: the time it takes tells nothing.
    pub(super) fn of_token(&self, given: &Digest256) -> Option<&Arc<Known>> {
        let mut found = None;
        for (hash, known) in &self.tokens {
            if bool::from(hash.ct_eq(given)) {
                found = Some(known);
            }
        }
        found
    }

    /// Whose certificate it is.
    pub(super) fn of_certificate(&self, peer: &PeerIdentity) -> Named<'_> {
        let mut known = peer.names.iter().filter_map(|name| self.names.get(name));
        match known.next() {
            Some(first) if known.all(|other| other == first) => Named::One(first),
            Some(_) => Named::Several,
            None => Named::Nobody,
        }
    }
}
