//! What one transaction stores: its answers together, as protobuf in an LZ4 frame with a checksum
//! over the content (docs/formats.md#decision-log). Answers resemble each other: together they
//! take a fraction of the room, and of the disk's time.

use std::io::{self, Read, Write};

use lz4_flex::frame::{FrameDecoder, FrameEncoder, FrameInfo};
use prost::Message;

use super::Answered;

/// No group is so large, unpacked, in bytes; what is, is damaged and read no further.
const BYTES_MAX: u64 = 1 << 30;

/// An answer as it is stored.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Stored {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    /// Microseconds since 1970.
    #[prost(int64, tag = "2")]
    pub(super) decide_time: i64,
    #[prost(string, tag = "3")]
    pub(super) caller: String,
    #[prost(string, tag = "4")]
    pub(super) end_user: String,
    #[prost(string, tag = "5")]
    pub(super) hs_code: String,
    #[prost(string, tag = "6")]
    pub(super) verdict: String,
    #[prost(uint64, tag = "7")]
    pub(super) revision: u64,
    #[prost(string, tag = "8")]
    pub(super) correlation_id: String,
    #[prost(string, tag = "9")]
    pub(super) answer: String,
}

impl Stored {
    pub(super) fn new(id: i64, record: Answered) -> Self {
        Self {
            id,
            decide_time: record.decide_time.as_microsecond(),
            caller: record.caller.into(),
            end_user: record.end_user.map_or_else(String::new, |uscc| uscc.as_str().to_owned()),
            hs_code: record.hs_code.as_str().to_owned(),
            verdict: record.verdict.name().to_owned(),
            revision: record.revision,
            correlation_id: record.correlation_id.into(),
            answer: record.answer,
        }
    }
}

/// The answers of one transaction, at least one, in order of their ids.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Group {
    #[prost(message, repeated, tag = "1")]
    pub(super) answers: Vec<Stored>,
}

impl Group {
    /// Its stored form.
    ///
    /// # Errors
    /// None that memory can give; the packer has the type.
    pub(super) fn pack(&self) -> io::Result<Vec<u8>> {
        let info = FrameInfo::new().content_checksum(true);
        let mut packer = FrameEncoder::with_frame_info(info, Vec::new());
        packer.write_all(&self.encode_to_vec())?;
        Ok(packer.finish()?)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn unpack(bytes: &[u8]) -> io::Result<Self> {
        let mut plain = Vec::new();
        let unpacked = FrameDecoder::new(bytes).take(BYTES_MAX).read_to_end(&mut plain);
        let read = unpacked.and_then(|_bytes| Self::decode(&*plain).map_err(io::Error::other));
        let problem = match read {
            Ok(group) if !group.answers.is_empty() => return Ok(group),
            Ok(_nothing) => "it is empty".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(io::Error::other(format!("a group of answers is damaged: {problem}")))
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on says so")]
mod tests {
    use prost::Message;

    use super::{Group, Stored};

    fn group() -> Group {
        let answer = |id| Stored { id, answer: "恩替卡韦 ".repeat(30), ..Stored::default() };
        Group { answers: (1..=50).map(answer).collect() }
    }

    #[test]
    fn a_group_is_read_as_it_was_packed_and_small() {
        for answers in [1, 50] {
            let mut group = group();
            group.answers.truncate(answers);
            let packed = group.pack().expect("packed");
            assert_eq!(Group::unpack(&packed).expect("as packed"), group);
            assert!(packed.len() < 60 + group.encoded_len() / 4, "{}", packed.len());
        }
    }

    #[test]
    fn no_byte_of_a_group_changes_unnoticed() {
        let packed = group().pack().expect("packed");
        for at in 0..packed.len() {
            for flip in [1, 0x80] {
                let mut damaged = packed.clone();
                damaged[at] ^= flip;
                let read = Group::unpack(&damaged);
                assert!(read.is_err() || read.is_ok_and(|read| read == group()), "byte {at}");
            }
        }
        for length in 0..packed.len() {
            let read = Group::unpack(&packed[..length]);
            // Without its last eight bytes, an end and a checksum, it is still whole.
            assert!(read.is_err() || read.is_ok_and(|read| read == group()), "{length} bytes");
        }
    }
}
