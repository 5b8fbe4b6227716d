//! The two files of an embedded register, after each append of a small history, and whether they
//! open.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use clearlist::store::Store;
use clearlist::store::embedded::{Embedded, OpenError};

use super::{bodies, directory};

/// The two files of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) statements: Vec<u8>,
    pub(crate) mark: Vec<u8>,
}

impl Files {
    pub(crate) fn read(directory: &Path) -> Self {
        let read = |name: &str| fs::read(directory.join(name)).expect("the register has the file");
        Self { statements: read("statements"), mark: read("high-water") }
    }

    pub(crate) fn write(&self, directory: &Path) {
        fs::write(directory.join("statements"), &self.statements).expect("it can be written");
        fs::write(directory.join("high-water"), &self.mark).expect("it can be written");
    }

    /// Those of a new register, after each append: as many as there are bodies, and one more.
    pub(crate) fn history(genesis: &[u8], bodies: &[&[u8]]) -> Vec<Self> {
        let place = directory();
        Embedded::create(place.path(), genesis).expect("an empty directory takes a register");
        let mut history = vec![Self::read(place.path())];
        let store = Embedded::open(place.path()).expect("it is new").store;
        for (size, body) in (0..).zip(bodies) {
            store.append(size, body).expect("the size is right");
            history.push(Self::read(place.path()));
        }
        history
    }

    /// How opening refuses them, for writing and for reading; nothing may change by it.
    pub(crate) fn refusal(&self) -> OpenError {
        let place = directory();
        self.write(place.path());
        let reading = Embedded::open_read_only(place.path()).expect_err("it is damaged");
        let writing = Embedded::open(place.path()).expect_err("it is damaged");
        assert_eq!(reading.to_string(), writing.to_string());
        assert_eq!(Self::read(place.path()), *self, "refusing changed something");
        writing
    }

    /// The statements and the bytes cut off.
    pub(crate) fn opened(&self) -> (Vec<Vec<u8>>, u64) {
        let place = directory();
        self.write(place.path());
        let opened = Embedded::open(place.path()).expect("a crash leaves this");
        let found = (bodies(&opened.store), opened.cut_bytes);
        let next = opened.store.size();
        opened.store.append(next, b"next").expect("it goes on");
        drop(opened);
        let again = Embedded::open(place.path()).expect("it was mended");
        assert_eq!((again.store.size(), again.cut_bytes), (next + 1, 0));
        found
    }
}

pub(crate) const BODIES: [&[u8]; 4] =
    [b"", b"one", b"two two", b"a statement that is longer than a header is"];

/// Where each frame ends, the magic first.
pub(crate) fn ends(genesis: &[u8], bodies: &[&[u8]]) -> Vec<usize> {
    let lengths = [genesis].into_iter().chain(bodies.iter().copied()).map(<[u8]>::len);
    let mut ends = vec![22];
    ends.extend(lengths.scan(22, |end, length| {
        *end += 40 + length;
        Some(*end)
    }));
    ends
}

/// The history of [`BODIES`].
pub(crate) static HISTORY: LazyLock<Vec<Files>> =
    LazyLock::new(|| Files::history(b"genesis", &BODIES));

pub(crate) fn last(history: &[Files]) -> Files {
    history.last().expect("a history has a beginning").clone()
}
