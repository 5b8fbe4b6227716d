//! Civil days in Asia/Shanghai, which has kept +08:00 since 1991.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

const ZONE: TimeZone = TimeZone::fixed(Offset::constant(8));

/// The day there.
#[must_use]
pub fn today(now: Timestamp) -> Date {
    now.to_zoned(ZONE).date()
}

/// The last second of a day there; `None` at the end of time.
#[must_use]
pub fn last_second_of(day: Date) -> Option<Timestamp> {
    day.at(23, 59, 59, 0).to_zoned(ZONE).ok().map(|zoned| zoned.timestamp())
}

/// The instant that a question about a day is about: now for today, else the last second of it.
#[must_use]
pub fn instant_of(day: Date, now: Timestamp) -> Timestamp {
    if day == today(now) { now } else { last_second_of(day).unwrap_or(now) }
}
