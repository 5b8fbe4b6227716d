//! Instants as people write and read them: a day begins at 00:00 in Asia/Shanghai; whole seconds.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::formats::list_csv::iso_date;
use crate::server::now;

use super::{Lang, Outcome, complain};

/// China has one time and no summer time.
const SHANGHAI: Offset = Offset::constant(8);

/// The zone of times that people read.
pub(super) fn zone() -> TimeZone {
    TimeZone::fixed(SHANGHAI)
}

/// The clock's second.
pub(super) fn this_second() -> Timestamp {
    let now = now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// `now`, `2026-12-01` or `2026-12-01T08:00:00+08:00`; says what is wrong with anything else.
pub(super) fn parse(lang: Lang, option: &str, given: &str) -> Result<Timestamp, Outcome> {
    if given == "now" {
        return Ok(this_second());
    }
    exact(given).or_else(|| day(given)).ok_or_else(|| {
        complain(&match lang {
            Lang::En => format!(
                "{option}: `{given}` is no instant; write now, 2026-12-01 (00:00 in Asia/Shanghai) or 2026-12-01T08:00:00+08:00, in whole seconds"
            ),
            Lang::Zh => format!(
                "{option}：`{given}`不是时刻；请写now、2026-12-01（北京时间零时）或2026-12-01T08:00:00+08:00，精确到秒"
            ),
        });
        Outcome::Usage
    })
}

fn exact(given: &str) -> Option<Timestamp> {
    let at: Timestamp = given.parse().ok()?;
    is_plain(at).then_some(at)
}

fn day(given: &str) -> Option<Timestamp> {
    let at = SHANGHAI.to_timestamp(iso_date(given)?.at(0, 0, 0, 0)).ok()?;
    is_plain(at).then_some(at)
}

/// Whether a statement can hold it: whole seconds, years of four digits, not before 1970.
fn is_plain(at: Timestamp) -> bool {
    at.subsec_nanosecond() == 0 && at.as_second() >= 0 && at.to_string().len() == 20
}

/// `2026-12-01 00:00:00 +08:00 (2026-11-30T16:00:00Z)`.
pub(super) fn text(at: Timestamp) -> String {
    let local = at.to_zoned(zone()).datetime();
    format!("{} {} +08:00 ({at})", local.date(), local.time())
}

/// `2026-12-01 00:00:00 +08:00`, to the second.
pub(super) fn local(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::fixed(SHANGHAI)).datetime();
    local.strftime("%Y-%m-%d %H:%M:%S +08:00").to_string()
}
