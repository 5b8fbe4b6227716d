//! How often each method was called, with which code it ended and how long it took. The methods
//! are those of the descriptors, and one more for every path that is none: what a caller sends
//! never becomes a name.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::counts::Count;

/// Upper bounds of the durations that are told apart, in microseconds: a lookup takes some tens,
/// a proposal a second.
pub(super) const BOUNDS_MICROSECONDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];
/// gRPC has so many codes.
const CODES: usize = 17;
/// The name of every path that is no method.
const OTHER: &str = "other";

/// Names of the codes, by number.
const CODE_NAMES: [&str; CODES] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a code.
pub(super) fn code_name(code: Code) -> &'static str {
    usize::try_from(code as i32).ok().and_then(|n| CODE_NAMES.get(n)).copied().unwrap_or("UNKNOWN")
}

/// One method.
#[derive(Debug)]
pub(super) struct Method {
    /// `/package.Service/Method`.
    path: String,
    begun: Count,
    ended: [Count; CODES],
    /// How many took at most each bound, and longer than the one before; the last, longer.
    durations: [Count; BOUNDS_MICROSECONDS.len() + 1],
    nanoseconds: Count,
}

impl Method {
    fn new(path: String) -> Self {
        Self {
            path,
            begun: Count::default(),
            ended: Default::default(),
            durations: std::array::from_fn(|_| Count::default()),
            nanoseconds: Count::default(),
        }
    }

    /// A call has begun.
    pub(super) fn begin(&self) {
        self.begun.add();
    }

    /// It ended.
    pub(super) fn end(&self, code: Code, took: Duration) {
        let code = usize::try_from(code as i32).ok();
        if let Some(count) = code.and_then(|code| self.ended.get(code)) {
            count.add();
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let within = |bound: &u64| nanoseconds <= *bound * 1_000;
        let place = BOUNDS_MICROSECONDS.iter().position(within);
        if let Some(count) = self.durations.get(place.unwrap_or(BOUNDS_MICROSECONDS.len())) {
            count.add();
        }
        self.nanoseconds.add_many(nanoseconds);
    }

    /// `package.Service/Method`.
    pub(super) fn name(&self) -> &str {
        self.path.strip_prefix('/').unwrap_or(&self.path)
    }

    /// Whether it is a method, and not the name of all paths that are none.
    pub(super) fn is_known(&self) -> bool {
        self.path.starts_with('/')
    }

    /// Calls that have not ended.
    pub(super) fn open(&self) -> u64 {
        // In this order: one that ends in between is not counted twice.
        let ended: u64 = self.ended.iter().map(Count::get).sum();
        self.begun.get().saturating_sub(ended)
    }

    /// Every code it ended with, and how often; OK in any case.
    pub(super) fn codes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = CODE_NAMES.into_iter().zip(self.ended.iter().map(Count::get));
        counts.enumerate().filter(|(nth, (_, count))| *nth == 0 || *count > 0).map(|(_, it)| it)
    }

    /// Durations by bound, and their sum in nanoseconds.
    pub(super) fn durations(&self) -> (Vec<u64>, u64) {
        (self.durations.iter().map(Count::get).collect(), self.nanoseconds.get())
    }
}

/// Every method.
#[derive(Debug)]
pub(super) struct Methods {
    known: Vec<Arc<Method>>,
    other: Arc<Method>,
}

impl Methods {
    /// The methods of descriptors.
    ///
    /// # Errors
    /// They are none.
    pub(super) fn of(descriptors: &[&[u8]]) -> Result<Self, prost::DecodeError> {
        let mut known = Vec::new();
        for bytes in descriptors {
            for file in FileDescriptorSet::decode(*bytes)?.file {
                for service in &file.service {
                    for method in &service.method {
                        let (package, service) = (file.package(), service.name());
                        let path = format!("/{package}.{service}/{}", method.name());
                        known.push(Arc::new(Method::new(path)));
                    }
                }
            }
        }
        Ok(Self { known, other: Arc::new(Method::new(OTHER.into())) })
    }

    /// The method of a path. A dozen lengths are compared, and one text.
    pub(super) fn find(&self, path: &str) -> &Arc<Method> {
        self.known.iter().find(|method| method.path == path).unwrap_or(&self.other)
    }

    /// All of them.
    pub(super) fn each(&self) -> impl Iterator<Item = &Method> {
        self.known.iter().chain([&self.other]).map(|method| &**method)
    }
}
