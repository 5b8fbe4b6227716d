//! Reads a register file from its first byte to its last, and compares it with the mark.
//!
//! What the mark counts must be there, unchanged. Behind it there may be what one interrupted
//! append leaves, and nothing else: the mark is moved after every append.

use std::io::{self, BufRead, BufReader, Read};

use sha2::Digest;

use super::chain::{Chain, ChainValue, HEADER_BYTES, MAGIC, Place};
use super::disk::Disk;
use super::mark::Mark;
use super::opening::OpenError;
use crate::store::BODY_BYTES_MAX;

/// Bytes read at once. Bodies are hashed piece by piece, so this is all the memory they take.
const PIECE_BYTES: usize = 1024 * 1024;

/// What follows the last whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// The end of the file.
    Nothing,
    /// A frame as an append leaves it that was interrupted.
    Torn {
        /// Its length, in bytes.
        bytes: u64,
    },
    /// Something that no append leaves.
    Damaged,
}

/// What a register file holds.
#[derive(Debug)]
pub(super) struct Contents {
    /// Its whole frames.
    pub(super) chain: Chain,
    pub(super) tail: Tail,
}

impl Contents {
    /// Reads the file.
    pub(super) fn of(disk: &dyn Disk) -> Result<Self, OpenError> {
        let mut chain = Chain::default();
        let length = disk.length().map_err(OpenError::disk("look at the register"))?;
        let mut reader =
            BufReader::with_capacity(PIECE_BYTES, Stretch { disk, at: 0, end: length });
        let magic = begins_with_magic(&mut reader);
        if !magic.map_err(|source| OpenError::Unreadable { number: 0, source })? {
            return Err(OpenError::NotARegister);
        }
        loop {
            let (start, number) = (chain.last(), chain.next_number());
            let frame = read_frame(&mut reader, start, number, length.saturating_sub(start.end));
            match frame.map_err(|source| OpenError::Unreadable { number, source })? {
                Ok(place) => chain.push(place),
                Err(tail) => return Ok(Self { chain, tail }),
            }
        }
    }

    /// What the mark counts is there, and is what the mark was made of.
    pub(super) fn hold(&self, mark: &Mark) -> Result<(), OpenError> {
        let Self { chain, tail } = self;
        let held = chain.size();
        match chain.end_of(mark.size) {
            Some(place) if place.value == mark.value => Ok(()),
            Some(_) => Err(OpenError::Rewritten { marked: mark.size }),
            None if *tail == Tail::Nothing && chain.next_number() > 0 => {
                Err(OpenError::Missing { held, marked: mark.size })
            }
            None => Err(self.damaged()),
        }
    }

    /// What is there beyond the mark is what one interrupted append leaves.
    pub(super) fn end_at(&self, mark: &Mark) -> Result<(), OpenError> {
        let held = self.chain.size();
        match (held.saturating_sub(mark.size), self.tail) {
            (_, Tail::Damaged) => Err(self.damaged()),
            (0, _) | (1, Tail::Nothing) => Ok(()),
            _ => Err(OpenError::MarkBehind { held, marked: mark.size }),
        }
    }

    /// The first frame that is not whole.
    pub(super) fn damaged(&self) -> OpenError {
        OpenError::Damaged { number: self.chain.next_number(), offset: self.chain.last().end }
    }
}

fn begins_with_magic(reader: &mut impl BufRead) -> io::Result<bool> {
    let mut magic = Vec::new();
    reader.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    Ok(magic == MAGIC)
}

/// Frame `number`, which begins at `start`, `left` bytes before the end of the file; or what is
/// there instead.
fn read_frame(
    reader: &mut impl BufRead,
    start: Place,
    number: u64,
    left: u64,
) -> io::Result<Result<Place, Tail>> {
    let torn = Tail::Torn { bytes: left };
    let Some(rest) = left.checked_sub(HEADER_BYTES) else {
        return Ok(Err(if left == 0 { Tail::Nothing } else { torn }));
    };
    let (mut length, mut value) = ([0; 8], ChainValue::default());
    reader.read_exact(&mut length)?;
    reader.read_exact(&mut value)?;
    let length = u64::from_be_bytes(length);
    if length > BODY_BYTES_MAX as u64 {
        return Ok(Err(Tail::Damaged));
    }
    if length > rest {
        return Ok(Err(torn));
    }
    let mut hash = start.hash(number, length);
    let mut unread = length;
    while unread > 0 {
        let piece = reader.fill_buf()?;
        let piece = match usize::try_from(unread) {
            Ok(unread) => piece.get(..unread).unwrap_or(piece),
            Err(_more_than_memory) => piece,
        };
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(piece);
        let read = piece.len();
        unread -= read as u64;
        reader.consume(read);
    }
    if ChainValue::from(hash.finalize()) == value {
        return Ok(Ok(Place { end: start.body() + length, value }));
    }
    // After a loss of power, parts of the last write may read as zeros: a body, and then it is
    // the last thing in the file, or the header before a body.
    let header_lost = length == 0 && value == ChainValue::default();
    Ok(Err(if length == rest || header_lost { torn } else { Tail::Damaged }))
}

/// A part of the register file, as a reader.
struct Stretch<'a> {
    disk: &'a dyn Disk,
    at: u64,
    end: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let count = left.min(out.len());
        if let Some(out) = out.get_mut(..count) {
            self.disk.read_at(self.at, out)?;
        }
        self.at += count as u64;
        Ok(count)
    }
}
