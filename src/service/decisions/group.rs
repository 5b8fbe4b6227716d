//! What one transaction stores: its answers together, as protobuf in an LZ4 frame with a checksum
//! over the content (docs/formats.md#decision-log). Answers resemble each other: together they
//! take a fraction of the room, and of the disk's time.

use std::io::{self, Read, Write};

use lz4_flex::frame::{FrameDecoder, FrameEncoder, FrameInfo};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::Answered;
use super::stored::{ANSWER_ID, GROUP_ANSWERS, Group};

/// No group is so large, unpacked, in bytes; what is, is damaged and read no further.
const BYTES_MAX: u64 = 1 << 30;

/// Room beyond this is given back, in bytes: some batches made it.
const KEPT_BYTES_MAX: usize = 1 << 20;

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
        self.bytes.reserve(answers.iter().map(|answered| answered.bytes.len()).sum());
        self.answers.reserve(answers.len());
        for Answered { decide_time, bytes } in answers {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            self.answers.push(Written { decide_time: *decide_time, start, end: self.bytes.len() });
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
            encode_key(GROUP_ANSWERS, WireType::LengthDelimited, &mut self.plain);
            let length = key_len(ANSWER_ID) + encoded_len_varint(id) + rest.len();
            encode_varint(length as u64, &mut self.plain);
            encode_key(ANSWER_ID, WireType::Varint, &mut self.plain);
            encode_varint(id, &mut self.plain);
            self.plain.extend_from_slice(rest);
        }
        let Some(first_id) = first_id else { return Ok(None) };
        self.frame.get_mut().clear();
        self.frame.write_all(&self.plain)?;
        self.frame.try_finish()?;
        Ok(Some(Packed { first_id, last_id: newest_id, bytes: self.frame.get_ref() }))
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on says so")]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use prost::Message;

    use super::{Group, Packer, Unstored};
    use crate::domain::clearance::Verdict;
    use crate::domain::finding::Reason;
    use crate::domain::material_name::NORMAL_FORM_VERSION;
    use crate::register::decision_text::{Amount, Asked, Compared, DecisionText, Matching, Source};
    use crate::service::decisions::Answered;

    const ID: i64 = 1_790_000_000_000_000;

    /// Decisions of one microsecond after another, the later first, and who asked.
    fn decided(count: i64) -> Vec<(DecisionText<'static>, &'static str)> {
        let decided = |nth: i64| {
            let number = nth.unsigned_abs();
            let quantity = match nth % 3 {
                0 => None,
                1 => Some(Amount { unit: "".into(), value: "".into() }),
                _ => Some(Amount { unit: "克".into(), value: nth.to_string().into() }),
            };
            let reasons =
                if nth % 2 == 0 { vec![] } else { vec![Reason::NoEntry, Reason::NameDiffers] };
            let decided = DecisionText {
                origin: "register.example/white-list".into(),
                question: Asked {
                    cas_number: "209216-23-9".into(),
                    correlation_id: nth.to_string().into(),
                    customs_district: "".into(),
                    declaration_date: "2026-11-22".into(),
                    end_user_uscc: "91110108551385082Q".into(),
                    hs_code: "2933.59.90.53".into(),
                    known_at_revision: number % 4,
                    manufacturer: "甲".repeat(300).into(),
                    material_name: " 恩替卡韦".into(),
                    min_revision: number % 5,
                    quantity: quantity.clone(),
                    scheme: "beijing".into(),
                    specification: "\u{0} \"1 g\"\n".into(),
                    intended_use: "RESEARCH".into(),
                },
                compared: Compared {
                    cas_number: "209216-23-9".into(),
                    customs_district: "0100".into(),
                    end_user_uscc: "91110108551385082Q".into(),
                    hs_code: "2933599053".into(),
                    manufacturer: "甲".into(),
                    material_name: "恩替卡韦".into(),
                    quantity,
                    scheme: "beijing".into(),
                    specification: "1g".into(),
                    intended_use: "RESEARCH".into(),
                },
                verdict: Verdict::Conditional,
                reasons: reasons.clone(),
                matches: vec![
                    Matching { entry: "E-1".into(), reasons, verdict: Verdict::Listed },
                    Matching { entry: "".into(), reasons: vec![], verdict: Verdict::NotCovered },
                ],
                candidates: vec!["".into(), "E-2".into(), "E-3".into()],
                declaration_date: date(2026, 2, 3),
                source: Source { known: u64::MAX - number, revision: number, list_root: [7; 32] },
                normal_form_version: NORMAL_FORM_VERSION,
                decide_time: Timestamp::from_nanosecond(i128::from(ID + count - nth) * 1_000 + 999)
                    .expect("a time"),
            };
            (decided, if nth % 2 == 0 { "" } else { "broker" })
        };
        (1..=count).map(decided).collect()
    }

    /// The same as answers.
    fn answered(count: i64) -> Vec<Answered> {
        let answered = |(decision, caller): &(DecisionText<'_>, &str)| {
            let mut answered = Answered::new(decision);
            answered.set_caller(caller);
            answered
        };
        decided(count).iter().map(answered).collect()
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
            let group = Group::unpack(packed.bytes).expect("as packed");
            assert!(packed.bytes.len() < 500 + group.encoded_len() / 8, "{}", packed.bytes.len());
            let wanted = decided(count).into_iter().rev().zip(1..);
            for (stored, ((decision, caller), nth)) in group.answers.into_iter().zip(wanted) {
                assert_eq!((stored.id, &*stored.caller), (ID + nth, caller));
                assert_eq!(stored.decided().expect("as packed"), decision);
            }
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
