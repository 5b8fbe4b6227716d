//! Small lists whose every answer shows which revision it came from, and what a whole revision
//! must answer: computed here from the list files, not from anything a server stored.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clearlist::formats::list_csv::ListFiles;
use clearlist::grpc::clearance;
use clearlist::grpc::proto::v1::{CheckClearanceRequest, Decision};
use clearlist::register::statement::RevisionStatement;
use clearlist::service::snapshot::{Revision, Snapshot};
use jiff::Timestamp;

use super::support::{CODE, OTHER, OWNER, files, read, row};

/// Ids of the rows every list has, in no order.
pub(crate) const IDS: [&str; 6] = ["R3", "R1", "R5", "R0", "R4", "R2"];
/// The name of every row: one answer holds the whole list.
const NAME: &str = "四环素";

/// What is asked: the name of all rows, a name that resembles them, the English name.
pub(crate) const QUESTIONS: usize = 3;

/// One of [`QUESTIONS`].
pub(crate) fn question(nth: usize) -> CheckClearanceRequest {
    let name = [NAME, "四环素B", "Tetracycline"].get(nth).expect("there is such a question");
    CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: (*name).into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        correlation_id: nth.to_string(),
        ..Default::default()
    }
}

/// The one day a row is valid. Rows of one name need a day each, and an answer holds them all.
pub(crate) fn day_of(nth: u64) -> String {
    format!("{}-01-01", 2030 + nth)
}

/// What a suspension names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspended {
    pub(crate) entries: BTreeSet<&'static str>,
    pub(crate) enterprises: BTreeSet<&'static str>,
}

/// The list of a variant: two of its rows say which it is, some variants have a row more.
pub(crate) fn variant(variant: u64) -> ListFiles {
    suspended_variant(variant, &Suspended::default())
}

/// The list of a variant as it answers under suspensions.
fn suspended_variant(variant: u64, suspended: &Suspended) -> ListFiles {
    let stamped = [variant % 6, variant / 6 % 6];
    let rows = (0_u64..).zip(IDS).map(|(nth, id)| {
        let says = if stamped.contains(&nth) { format!("variant {variant}") } else { "all".into() };
        let state = if suspended.entries.contains(id) { "suspended" } else { "active" };
        row(id, NAME)
            .with("name_en", "Tetracycline")
            .with("cas", "60-54-8")
            .with("quantity", "2.5")
            .with("unit", "g")
            .with("valid_from", &day_of(nth))
            .with("valid_to", &day_of(nth))
            .with("uscc", if id == "R4" { OTHER } else { OWNER })
            .with("state", state)
            .with("source_document", &says)
    });
    let more = (variant.is_multiple_of(3)).then(|| row(&format!("X{variant}"), "四环素碱"));
    let mut files = files(&rows.chain(more).collect::<Vec<_>>());
    for uscc in &suspended.enterprises {
        let text = String::from_utf8(files.enterprises).expect("it is text");
        let line = text.lines().find(|line| line.starts_with(uscc)).expect("it is on the list");
        let stopped = line.replace(",active,", ",suspended,");
        files.enterprises = text.replace(line, &stopped).into_bytes();
    }
    files
}

/// Year, month, day.
type Day = (i32, i32, i32);

/// What revisions answer, each computed once.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    lists: HashMap<u64, Snapshot>,
    /// By number, question and day.
    decisions: HashMap<(u64, usize, Day), Decision>,
}

impl Answers {
    /// What the register with its first `number` statements must have answered. `signed` is its
    /// newest revision, `variant` the list of that, `suspended` what was suspended since.
    pub(crate) fn expected(
        &mut self,
        number: u64,
        nth: usize,
        answered: &Decision,
        of: impl FnOnce() -> (RevisionStatement, u64, Suspended),
    ) -> &Decision {
        let list = self.lists.entry(number).or_insert_with(|| {
            let (signed, of_variant, suspended) = of();
            let list = read(&suspended_variant(of_variant, &suspended)).expect("a good list");
            let revision = Revision {
                origin: signed.origin,
                number,
                root_sha256: signed.list.root,
                effective: Some(signed.effective),
                expires: Some(signed.expires),
            };
            Snapshot { list: Arc::new(list), signed: None, revision, suspensions: 0 }
        });
        let day = answered.declaration_date.expect("an answer has a day");
        let at = answered.decide_time.expect("an answer has a time");
        let at = Timestamp::new(at.seconds, at.nanos).expect("a time");
        let found = self.decisions.entry((number, nth, (day.year, day.month, day.day)));
        let decision = found.or_insert_with(|| {
            let decided = clearance::answer_unsigned(list, &question(nth), at);
            decided.expect("a good question").decision.read()
        });
        decision.decide_time = answered.decide_time;
        decision
    }
}
