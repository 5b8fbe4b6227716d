//! Who a caller is and what he may do: known by a client certificate, an API token or a JWT, of
//! files that are read again while it runs.
//!
//! What is shown is believed or refused, never passed over. Where nobody is asked who he is,
//! a request passes through without a look.

pub mod callers;
mod jwt;
mod rate;
pub mod roles;

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use hyper::service::Service;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::Status;
use tonic::body::Body as AnswerBody;
use tonic::codegen::BoxFuture;

use callers::{Callers, Digest256, Known, Named, TOKEN_PREFIX, digest};
use jwt::Issuer;
use rate::Rates;
use roles::{Access, Role, access};

use super::counts::Counts;
use super::now;
use super::peer::PeerIdentity;
use crate::config::{self, Limits};
use crate::domain::message::Refusal;
use crate::grpc::allowance::Allowance;
use crate::grpc::caller::{Caller, Disbelieved, Unwelcome};
use crate::grpc::status;

/// Why callers cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The callers file has lines that are none.
    #[error("{file}: {}", .problems.iter().map(|(line, problem)| format!("line {line}: {problem}")).collect::<Vec<_>>().join("; "))]
    Callers {
        /// Which.
        file: PathBuf,
        /// Line, from 1, and what is wrong with it.
        problems: Vec<(usize, &'static str)>,
    },
    /// The keys of an issuer cannot be used.
    #[error("{file}: {problem}")]
    Keys {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// SIGHUP cannot be caught.
    #[error("SIGHUP cannot be caught: {0}")]
    Signal(std::io::Error),
}

/// The files as they were read.
#[derive(PartialEq, Eq)]
struct Files {
    callers: Option<String>,
    jwks: Option<String>,
}

/// Everybody who is known, at one time.
struct Book {
    callers: Callers,
    issuer: Option<Issuer>,
}

/// Who is known at an address.
pub(super) struct Identity {
    settings: config::Identity,
    current: ArcSwap<Book>,
    counts: Arc<Counts>,
}

/// Whether the files of these settings can be used.
///
/// # Errors
/// They cannot.
pub fn check(settings: &config::Identity) -> Result<(), IdentityError> {
    build(settings, &read(settings)?).map(drop)
}

fn read(settings: &config::Identity) -> Result<Files, IdentityError> {
    let text = |file: &PathBuf| {
        std::fs::read_to_string(file)
            .map_err(|error| IdentityError::Read { file: file.clone(), error })
    };
    Ok(Files {
        callers: settings.callers.as_ref().map(text).transpose()?,
        jwks: settings.jwks.as_ref().map(text).transpose()?,
    })
}

fn build(settings: &config::Identity, files: &Files) -> Result<Book, IdentityError> {
    let named = |file: &Option<PathBuf>| file.clone().unwrap_or_default();
    let callers = Callers::read(files.callers.as_deref().unwrap_or_default());
    let callers = callers
        .map_err(|problems| IdentityError::Callers { file: named(&settings.callers), problems })?;
    let issuer = files.jwks.as_deref().map(|text| Issuer::read(text, settings)).transpose();
    let issuer =
        issuer.map_err(|problem| IdentityError::Keys { file: named(&settings.jwks), problem })?;
    Ok(Book { callers, issuer })
}

impl Identity {
    /// Reads the files; `None` if nobody is asked who he is. What is returned beside it keeps
    /// them up to date for as long as it is polled.
    ///
    /// # Errors
    /// They cannot be used.
    pub(super) fn open(
        settings: &config::Identity,
        counts: Arc<Counts>,
    ) -> Result<Option<(Arc<Self>, Reload)>, IdentityError> {
        if !settings.is_asked() {
            return Ok(None);
        }
        let seen = read(settings)?;
        let book = build(settings, &seen)?;
        tell(&book);
        let hang_up = signal(SignalKind::hangup()).map_err(IdentityError::Signal)?;
        let current = ArcSwap::from_pointee(book);
        let identity = Arc::new(Self { settings: settings.clone(), current, counts });
        let reload = Reload { identity: Arc::clone(&identity), hang_up, seen, told: None };
        Ok(Some((identity, reload)))
    }

    /// Who asks, if he may; nobody for what is open to everybody.
    fn admit(
        &self,
        last: &ArcSwapOption<Recognized>,
        rates: &Rates,
        (path, headers): (&str, &HeaderMap),
        peer: Option<&PeerIdentity>,
    ) -> Result<Option<Arc<Recognized>>, Unwelcome> {
        let role = match access(path).ok_or(Unwelcome::MethodUnknown)? {
            Access::Open => return Ok(None),
            Access::Reflection if self.settings.open_reflection => return Ok(None),
            Access::Reflection => Role::Read,
            Access::Needs(role) => role,
        };
        let recognized = self.recognize(last, rates, headers, peer)?;
        if recognized.known.roles.has(role) {
            Ok(Some(recognized))
        } else {
            Err(Unwelcome::RoleMissing { role: role.word() })
        }
    }

    /// Who asks. A connection hardly ever changes what it shows, so what was found out last is
    /// kept with it, until a file changes or a token ends.
    fn recognize(
        &self,
        last: &ArcSwapOption<Recognized>,
        rates: &Rates,
        headers: &HeaderMap,
        peer: Option<&PeerIdentity>,
    ) -> Result<Arc<Recognized>, Unwelcome> {
        let bearer = bearer(headers)?;
        let shown = bearer.map(digest);
        let book = self.current.load();
        if let Some(last) = last.load().as_ref().filter(|last| last.holds(&book, shown)) {
            return Ok(Arc::clone(last));
        }
        let (mut known, mut until) = (None, None);
        if let Some(peer) = peer.filter(|_| book.callers.has_names()) {
            known = Some(match book.callers.of_certificate(peer) {
                Named::One(caller) => Arc::clone(caller),
                Named::Several => return Err(Disbelieved::CertificateAmbiguous.into()),
                Named::Nobody => return Err(Disbelieved::CertificateUnknown.into()),
            });
        }
        if let (Some(token), Some(hash)) = (bearer, shown) {
            let by_token = if token.starts_with(TOKEN_PREFIX.as_bytes()) {
                Arc::clone(book.callers.of_token(&hash).ok_or(Disbelieved::TokenUnknown)?)
            } else {
                let issuer = book.issuer.as_ref().ok_or(Disbelieved::JwtUnwanted)?;
                let believed = issuer.verify(token)?;
                until = Some(believed.until);
                Arc::new(believed.known)
            };
            known = Some(match known {
                None => by_token,
                Some(by_name) if by_name.name == by_token.name => {
                    // What only one of them allows, a thief of that one alone could do.
                    let roles = by_name.roles.and(by_token.roles);
                    Arc::new(Known { name: Arc::clone(&by_name.name), roles })
                }
                Some(_) => return Err(Disbelieved::Contradictory.into()),
            });
        }
        let known = known.ok_or(Unwelcome::Missing)?;
        let allowance = rates.of_caller(&known.name);
        let book = Arc::clone(&book);
        let found = Arc::new(Recognized { book, shown, known, until, allowance });
        last.store(Some(Arc::clone(&found)));
        Ok(found)
    }
}

impl From<Disbelieved> for Unwelcome {
    fn from(disbelieved: Disbelieved) -> Self {
        Self::Invalid(disbelieved)
    }
}

/// The token of `authorization`, if there is one.
fn bearer(headers: &HeaderMap) -> Result<Option<&[u8]>, Disbelieved> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(Disbelieved::Several);
    }
    let (scheme, token) = first.as_bytes().split_at_checked("Bearer ".len()).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"Bearer ") || token.is_empty() {
        return Err(Disbelieved::NotBearer);
    }
    Ok(Some(token))
}

/// Who a connection's last request came from.
struct Recognized {
    book: Arc<Book>,
    shown: Option<Digest256>,
    known: Arc<Known>,
    /// The second from which on a JWT is not believed, since 1970.
    until: Option<u64>,
    /// None: it may ask as much as it likes.
    allowance: Option<Arc<Allowance>>,
}

impl Recognized {
    /// Whether the same is shown, to the same readers, in its time. Hashes are compared: how
    /// far two are alike tells nothing of what they are of.
    fn holds(&self, book: &Arc<Book>, shown: Option<Digest256>) -> bool {
        let in_time = || {
            let second = u64::try_from(now().as_second()).unwrap_or(u64::MAX);
            self.until.is_none_or(|until| second < until)
        };
        Arc::ptr_eq(&self.book, book) && self.shown == shown && in_time()
    }
}

/// Methods that count the questions in them, by the allowance in their request's extensions.
const COUNTING: [&str; 2] = [
    "/clearlist.v1.ClearanceService/BatchCheckClearance",
    "/clearlist.v1.ClearanceService/StreamCheckClearance",
];

/// What is asked of every connection of an address: who it is, and not to ask too much.
pub(super) struct Desk {
    /// None: nobody is asked.
    identity: Option<Arc<Identity>>,
    rates: Rates,
    counts: Arc<Counts>,
}

impl Desk {
    pub(super) fn new(
        identity: Option<Arc<Identity>>,
        limits: &Limits,
        counts: Arc<Counts>,
    ) -> Self {
        Self { identity, rates: Rates::new(limits), counts }
    }
}

/// Requests of one connection, each of somebody who may, and not too many. A copy is of the same
/// connection.
#[derive(Clone)]
pub(super) struct Identified<S> {
    inner: S,
    desk: Arc<Desk>,
    last: Arc<ArcSwapOption<Recognized>>,
    /// Of its address, if nobody is asked who he is; none is no limit.
    allowance: Option<Arc<Allowance>>,
}

impl<S> Identified<S> {
    pub(super) fn new(inner: S, desk: &Arc<Desk>, address: IpAddr) -> Self {
        let anonymous = desk.identity.is_none();
        let allowance = anonymous.then(|| desk.rates.of_address(address)).flatten();
        Self { inner, desk: Arc::clone(desk), last: Arc::default(), allowance }
    }

    /// Lets a request in, with what services are told of its caller.
    fn admit<A>(&self, request: &mut Request<A>) -> Result<(), Status> {
        let path = request.uri().path();
        let mut counting = None;
        if let Some(identity) = &self.desk.identity {
            let peer = request.extensions().get::<Arc<PeerIdentity>>().map(AsRef::as_ref);
            let shown = (path, request.headers());
            let admitted = identity.admit(&self.last, &self.desk.rates, shown, peer);
            let admitted = admitted.map_err(|unwelcome| {
                self.desk.counts.callers_refused.add();
                tracing::debug!(reason = unwelcome.reason(), "a caller is refused");
                status::unwelcome(&unwelcome)
            })?;
            if let Some(recognized) = admitted {
                counting = self.charge(recognized.allowance.as_ref(), path)?;
                let name = Arc::clone(&recognized.known.name);
                request.extensions_mut().insert(Caller { name });
            }
            // Nobody behind this has any use for it.
            request.headers_mut().remove(AUTHORIZATION);
        } else if self.allowance.is_some() && matches!(access(path), Some(Access::Needs(_))) {
            counting = self.charge(self.allowance.as_ref(), path)?;
        }
        if let Some(allowance) = counting {
            request.extensions_mut().insert(allowance);
        }
        Ok(())
    }

    /// Takes the question that a call is. What counts its questions itself is told from what.
    fn charge(
        &self,
        allowance: Option<&Arc<Allowance>>,
        path: &str,
    ) -> Result<Option<Arc<Allowance>>, Status> {
        let Some(allowance) = allowance else { return Ok(None) };
        let counts = COUNTING.contains(&path);
        allowance.take(usize::from(!counts)).map_err(|wait| {
            self.desk.counts.rates_exceeded.add();
            status::rate_exceeded(wait)
        })?;
        Ok(counts.then(|| Arc::clone(allowance)))
    }
}

impl<S, A> Service<Request<A>> for Identified<S>
where
    S: Service<
            Request<A>,
            Response = Response<AnswerBody>,
            Error = Infallible,
            Future = BoxFuture<Response<AnswerBody>, Infallible>,
        >,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn call(&self, mut request: Request<A>) -> Self::Future {
        match self.admit(&mut request) {
            Ok(()) => self.inner.call(request),
            Err(refused) => Box::pin(std::future::ready(Ok(refused.into_http()))),
        }
    }
}

/// Looks at the files again and again.
pub(super) struct Reload {
    identity: Arc<Identity>,
    hang_up: Signal,
    /// What is in use.
    seen: Files,
    /// What was said of files that cannot be used, so that it is said once.
    told: Option<String>,
}

impl Reload {
    pub(super) async fn run(mut self) {
        loop {
            let waited = tokio::time::sleep(self.identity.settings.reload_interval);
            let asked = tokio::select! {
                () = waited => false,
                hung_up = self.hang_up.recv() => hung_up.is_some(),
            };
            self.look(asked);
        }
    }

    /// Two small files: read where it is called.
    fn look(&mut self, asked: bool) {
        let settings = &self.identity.settings;
        let files = match read(settings) {
            Ok(files) if files == self.seen => {
                self.told = None;
                return;
            }
            read => read,
        };
        match files.and_then(|files| Ok((build(settings, &files)?, files))) {
            Ok((book, files)) => {
                tell(&book);
                self.identity.current.store(Arc::new(book));
                self.identity.counts.identity_reloads.add();
                (self.seen, self.told) = (files, None);
            }
            Err(error) => {
                let said = error.to_string();
                if asked || self.told.as_ref() != Some(&said) {
                    self.identity.counts.identity_reload_failures.add();
                    tracing::error!(%error, "new callers or keys cannot be used; those before stay");
                }
                self.told = Some(said);
            }
        }
    }
}

fn tell(book: &Book) {
    let (credentials, keys) = (book.callers.len(), book.issuer.as_ref().map_or(0, Issuer::len));
    tracing::info!(credentials, keys, "callers are known");
}
