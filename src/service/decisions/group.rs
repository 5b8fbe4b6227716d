//! What one transaction stores: its answers together, as protobuf in an LZ4 frame with a checksum
//! over the content (docs/formats.md#decision-log). Answers resemble each other: together they
//! take a fraction of the room, and of the disk's time.

use std::io::{self, Read, Write};

use lz4_flex::frame::{FrameDecoder, FrameEncoder, FrameInfo};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::Answered;

/// No group is so large, unpacked, in bytes; what is, is damaged and read no further.
const BYTES_MAX: u64 = 1 << 30;

/// What the fields of an answer take besides its text, in bytes, usually.
const ROOM_BYTES: usize = 128;
/// Room beyond this is given back, in bytes: some batches made it.
const KEPT_BYTES_MAX: usize = 1 << 20;

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

/// The answers of one transaction, at least one, in order of their ids.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Group {
    #[prost(message, repeated, tag = "1")]
    pub(super) answers: Vec<Stored>,
}

impl Group {
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

/// Tags of [`Group`] and [`Stored`], which are what is read.
mod tag {
    pub(super) const ANSWERS: u32 = 1;

    pub(super) const ID: u32 = 1;
    pub(super) const DECIDE_TIME: u32 = 2;
    pub(super) const CALLER: u32 = 3;
    pub(super) const END_USER: u32 = 4;
    pub(super) const HS_CODE: u32 = 5;
    pub(super) const VERDICT: u32 = 6;
    pub(super) const REVISION: u32 = 7;
    pub(super) const CORRELATION_ID: u32 = 8;
    pub(super) const ANSWER: u32 = 9;
}

/// Answers that are to be stored, each as it will be but for its id. They are written down by
/// who asks, one behind the other: what one thread makes and another takes apart costs both.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    bytes: Vec<u8>,
    answers: Vec<Written>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// Microseconds since 1970.
    decide_time: i64,
    start: usize,
    end: usize,
}

/// Answers in their stored form.
#[derive(Debug)]
pub(super) struct Packed<'a> {
    /// The id of the first.
    pub(super) first_id: i64,
    /// The id of the last.
    pub(super) last_id: i64,
    /// All of them.
    pub(super) bytes: &'a [u8],
}

impl Unstored {
    /// Answers, to be stored together.
    pub(super) fn new(answers: &[Answered]) -> Self {
        let mut out = Self::default();
        out.add(answers);
        out
    }

    /// Adds answers.
    pub(super) fn add(&mut self, answers: &[Answered]) {
        let usual = |answered: &Answered| answered.answer.len() + ROOM_BYTES;
        self.bytes.reserve(answers.iter().map(usual).sum());
        self.answers.reserve(answers.len());
        for answered in answers {
            let start = self.bytes.len();
            answered.write(&mut self.bytes);
            let decide_time = answered.decide_time.as_microsecond();
            self.answers.push(Written { decide_time, start, end: self.bytes.len() });
        }
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.answers.len()
    }

    /// When the first was decided, in microseconds since 1970; `None` of none.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.answers.iter().map(|written| written.decide_time).min()
    }

    /// Adds others.
    pub(super) fn append(&mut self, others: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&others.bytes);
        self.answers.extend(others.answers.iter().map(|written| Written {
            start: before + written.start,
            end: before + written.end,
            ..*written
        }));
    }

    /// Leaves nothing but the room for as much again, unless that is unusually much.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > KEPT_BYTES_MAX {
            *self = Self::default();
        }
        self.bytes.clear();
        self.answers.clear();
    }
}

/// Gives answers their stored form. What it needs for that it keeps: new memory for each group
/// takes longer than filling it.
#[derive(Debug)]
pub(super) struct Packer {
    plain: Vec<u8>,
    frame: FrameEncoder<Vec<u8>>,
}

impl Packer {
    /// One that has packed nothing.
    pub(super) fn new() -> Self {
        let info = FrameInfo::new().content_checksum(true);
        Self { plain: Vec::new(), frame: FrameEncoder::with_frame_info(info, Vec::new()) }
    }

    /// Answers in their stored form, in order of time. The id of each is its time in
    /// microseconds, or one more than the id before. `None` of none.
    ///
    /// # Errors
    /// None that memory can give; the encoder has the type.
    pub(super) fn pack(
        &mut self,
        unstored: &mut Unstored,
        mut newest_id: i64,
    ) -> io::Result<Option<Packed<'_>>> {
        if self.plain.capacity() > KEPT_BYTES_MAX {
            *self = Self::new();
        }
        self.plain.clear();
        // Decided at the same time by many threads, they come nearly in order.
        unstored.answers.sort_by_key(|written| written.decide_time);
        let mut first_id = None;
        for Written { decide_time, start, end } in &unstored.answers {
            newest_id = newest_id.saturating_add(1).max(*decide_time);
            first_id.get_or_insert(newest_id);
            let rest = unstored.bytes.get(*start..*end).unwrap_or_default();
            let id = newest_id.cast_unsigned();
            encode_key(tag::ANSWERS, WireType::LengthDelimited, &mut self.plain);
            encode_varint((1 + encoded_len_varint(id) + rest.len()) as u64, &mut self.plain);
            push_number(&mut self.plain, tag::ID, id);
            self.plain.extend_from_slice(rest);
        }
        let Some(first_id) = first_id else { return Ok(None) };
        self.frame.get_mut().clear();
        self.frame.write_all(&self.plain)?;
        self.frame.try_finish()?;
        Ok(Some(Packed { first_id, last_id: newest_id, bytes: self.frame.get_ref() }))
    }
}

impl Answered {
    /// Adds it as [`Stored`], all but the id.
    fn write(&self, out: &mut Vec<u8>) {
        push_number(out, tag::DECIDE_TIME, self.decide_time.as_microsecond().cast_unsigned());
        push_text(out, tag::CALLER, &self.caller);
        push_text(out, tag::END_USER, self.end_user.as_ref().map_or("", |uscc| uscc.as_str()));
        push_text(out, tag::HS_CODE, self.hs_code.as_str());
        push_text(out, tag::VERDICT, self.verdict.name());
        push_number(out, tag::REVISION, self.revision);
        push_text(out, tag::CORRELATION_ID, &self.correlation_id);
        push_text(out, tag::ANSWER, &self.answer);
    }
}

/// A field, which is left out if it is zero.
fn push_number(out: &mut Vec<u8>, tag: u32, number: u64) {
    if number > 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(number, out);
    }
}

/// A field, which is left out if it is empty.
fn push_text(out: &mut Vec<u8>, tag: u32, text: &str) {
    if !text.is_empty() {
        encode_key(tag, WireType::LengthDelimited, out);
        encode_varint(text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on says so")]
mod tests {
    use jiff::Timestamp;
    use prost::Message;

    use super::{Group, Packer, Stored, Unstored};
    use crate::domain::clearance::Verdict;
    use crate::domain::hs_code::HsCode;
    use crate::domain::uscc;
    use crate::service::decisions::Answered;

    const ID: i64 = 1_790_000_000_000_000;

    /// Answers of one microsecond after another, the later first.
    fn answered(count: i64) -> Vec<Answered> {
        let answered = |nth: i64| Answered {
            decide_time: Timestamp::from_microsecond(ID + count - nth).expect("a time"),
            caller: if nth % 2 == 0 { "".into() } else { "broker".into() },
            end_user: (nth % 3 > 0)
                .then(|| uscc::from_exact("91110108551385082Q").expect("a USCC")),
            hs_code: HsCode::from_digits("2933599053").expect("a code"),
            verdict: Verdict::Listed,
            revision: nth.unsigned_abs(),
            correlation_id: "".into(),
            answer: "恩替卡韦 ".repeat(30),
        };
        (1..=count).map(answered).collect()
    }

    fn packed(count: i64) -> Vec<u8> {
        let mut packs = Packer::new();
        // One that has packed something else.
        for count in [1, 3_000, count] {
            packs.pack(&mut Unstored::new(&answered(count)), 0).expect("packed");
        }
        let mut unstored = Unstored::new(&answered(count));
        let packed = packs.pack(&mut unstored, 0).expect("packed");
        packed.expect("there are some").bytes.to_vec()
    }

    #[test]
    fn answers_are_read_as_they_were_given_in_order_of_time_and_small() {
        let mut packs = Packer::new();
        for count in [50, 1, 1_000] {
            // Handed over one by one.
            let mut unstored = Unstored::default();
            for one in answered(count) {
                unstored.append(&Unstored::new(&[one]));
            }
            assert_eq!(unstored.oldest(), Some(ID));
            // The second had the id that the first would have.
            let packed = packs.pack(&mut unstored, ID).expect("packed").expect("there are some");
            assert_eq!((packed.first_id, packed.last_id), (ID + 1, ID + count));
            let wanted = answered(count).into_iter().rev().zip(1..).map(|(one, nth)| Stored {
                id: ID + nth,
                decide_time: one.decide_time.as_microsecond(),
                caller: one.caller.into(),
                end_user: one.end_user.map_or_else(String::new, |uscc| uscc.to_string()),
                hs_code: one.hs_code.as_str().into(),
                verdict: one.verdict.name().into(),
                revision: one.revision,
                correlation_id: one.correlation_id.into(),
                answer: one.answer,
            });
            let group = Group { answers: wanted.collect() };
            assert_eq!(Group::unpack(packed.bytes).expect("as packed"), group);
            assert!(packed.bytes.len() < 90 + group.encoded_len() / 4, "{}", packed.bytes.len());
        }
        assert!(packs.pack(&mut Unstored::default(), ID).expect("nothing").is_none());
    }

    #[test]
    fn no_byte_of_a_group_changes_unnoticed() {
        let packed = packed(50);
        let group = Group::unpack(&packed).expect("as packed");
        for at in 0..packed.len() {
            for flip in [1, 0x80] {
                let mut damaged = packed.clone();
                damaged[at] ^= flip;
                let read = Group::unpack(&damaged);
                assert!(read.is_err() || read.is_ok_and(|read| read == group), "byte {at}");
            }
        }
        for length in 0..packed.len() {
            let read = Group::unpack(&packed[..length]);
            // Without its last eight bytes, an end and a checksum, it is still whole.
            assert!(read.is_err() || read.is_ok_and(|read| read == group), "{length} bytes");
        }
    }
}
