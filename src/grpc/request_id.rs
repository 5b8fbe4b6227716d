//! What a request is called in the log and in its answer: `x-request-id`, the caller's if it is
//! a plain word, else one of ours. It is known on whatever thread the request is worked on, for
//! as long as it is.

use std::cell::Cell;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use pin_project_lite::pin_project;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest that is taken from a caller, in bytes: a UUID has 36.
const BYTES_MAX: usize = 64;
/// Digits of one of ours.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

static NEXT: AtomicU64 = AtomicU64::new(0);
/// What makes ours differ from those of another process.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0_u8));

thread_local! {
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
}

/// Letters, digits, `-`, `_` and `.`, 1 to 64 of them: nothing that could begin another line or
/// field of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's, or a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).filter(|given| is_plain(given.as_bytes()));
        given.map_or_else(Self::new, |given| Self(given.clone()))
    }

    fn new() -> Self {
        // Odd, so that no two of 2^64 are the same; and neighbours look different.
        const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut rest = nth.wrapping_mul(STRIDE) ^ *PROCESS;
        let digits: [u8; 16] = std::array::from_fn(|_| {
            rest = rest.rotate_left(4);
            let nibble = usize::try_from(rest & 0xF).unwrap_or_default();
            DIGITS.get(nibble).copied().unwrap_or(b'0')
        });
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&digits));
        let mut value = value.unwrap_or(HeaderValue::from_static("0"));
        // It never comes again: in the table of a connection's headers it would only drive out
        // those that do.
        value.set_sensitive(true);
        Self(value)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is made of plain letters only.
        self.0.to_str().unwrap_or_default()
    }

    /// As a header.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_plain(given: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=BYTES_MAX).contains(&given.len()) && given.iter().all(plain)
}

/// The request that this thread works on.
#[must_use]
pub fn current() -> Option<RequestId> {
    let current = CURRENT.take();
    CURRENT.set(current.clone());
    current
}

/// The same as text, for logs.
#[must_use]
pub fn current_text() -> Option<String> {
    current().and_then(|id| id.0.to_str().map(ToOwned::to_owned).ok())
}

/// This thread works on a request until it is dropped.
#[derive(Debug)]
pub struct Working {
    before: Option<RequestId>,
}

impl Working {
    /// From now on.
    #[must_use]
    pub fn on(id: Option<RequestId>) -> Self {
        Self { before: CURRENT.replace(id) }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

pin_project! {
    /// Work that goes on elsewhere for the request it was begun for.
    #[derive(Debug)]
    pub struct Carried<F> { #[pin] work: F, id: Option<RequestId> }
}

/// Keeps the current request with work that goes on elsewhere.
pub fn carried<F: Future>(work: F) -> Carried<F> {
    Carried { work, id: current() }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _working = Working::on(this.id.clone());
        this.work.poll(context)
    }
}

/// The same for work that is no future.
pub fn carrying<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let id = current();
    move || {
        let _working = Working::on(id);
        work()
    }
}
