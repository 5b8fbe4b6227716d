//! What tests share: lists made of a few rows, questions that fit them.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

pub mod ceremony;
pub mod draft;
pub mod random;
pub mod server;

use clearlist::domain::clearance::{Decision, Verdict, decide};
use clearlist::domain::entry::Use;
use clearlist::domain::finding::Reason;
use clearlist::domain::list::List;
use clearlist::domain::question::{Question, RawQuestion, Violation};
use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::formats::table::Problem;
use jiff::civil::{Date, date};

/// Header of `schemes.csv`.
pub const SCHEMES: &str = "scheme,name_zh,name_en,authority,listing,customs_districts,waived_documents,remark_text,permitted_use,legal_basis,exclusions\n";
/// Header of `enterprises.csv`.
pub const ENTERPRISES: &str = "uscc,name_zh,name_en,state,state_from,state_until,source_document\n";
/// Header of `entries.csv`.
pub const ENTRIES: &str = "entry_id,scheme,batch,uscc,kind,name_zh,name_en,synonyms,cas,hs_code,specification,manufacturer,origin_country,quantity,unit,purpose,customs_districts,valid_from,valid_to,state,source_document\n";

/// A USCC that validates, of the enterprise most rows are bound to.
pub const OWNER: &str = "91110108551385082Q";
/// Another.
pub const OTHER: &str = "91110108EXAMPLE11C";
/// The day of most questions.
pub const TODAY: Date = date(2026, 11, 22);
/// The code of most rows.
pub const CODE: &str = "2941301100";

/// A row of `entries.csv`, by column; what is not set is empty or plain.
#[derive(Clone)]
pub struct Row(pub Vec<(&'static str, String)>);

/// A row for a material under [`CODE`], bound to [`OWNER`], valid all year, unlimited.
pub fn row(id: &str, name: &str) -> Row {
    Row(vec![
        ("entry_id", id.into()),
        ("scheme", "rows".into()),
        ("uscc", OWNER.into()),
        ("kind", "item".into()),
        ("name_zh", name.into()),
        ("hs_code", CODE.into()),
        ("state", "active".into()),
    ])
}

impl Row {
    /// The row with one column set.
    pub fn with(mut self, column: &'static str, value: &str) -> Self {
        self.0.retain(|(c, _)| *c != column);
        self.0.push((column, value.into()));
        self
    }

    fn line(&self) -> String {
        let columns = ENTRIES.trim_end().split(',');
        let cell = |column| self.0.iter().find(|(c, _)| *c == column).map_or("", |(_, v)| v);
        columns.map(|c| quoted(cell(c))).collect::<Vec<_>>().join(",") + "\n"
    }
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// The three files with these entries, one rows scheme, one directory scheme, two enterprises.
pub fn files(rows: &[Row]) -> ListFiles {
    let schemes = format!(
        "{SCHEMES}rows,行式方案,Rows,authority,rows,,supervision:Q,备注句,research,basis,\n\
         directory,目录方案,Directory,authority,directory,,supervision:Q,,research,basis,麻醉药品 / narcotics\n"
    );
    let enterprises = format!(
        "{ENTERPRISES}{OWNER},示例甲,Example A,active,,,doc\n{OTHER},示例乙,Example B,active,,,doc\n"
    );
    let entries = ENTRIES.to_owned() + &rows.iter().map(Row::line).collect::<String>();
    ListFiles {
        schemes: schemes.into_bytes(),
        enterprises: enterprises.into_bytes(),
        entries: entries.into_bytes(),
    }
}

/// A list of these rows.
pub fn list(rows: &[Row]) -> List {
    read(&files(rows)).expect("the rows make a list")
}

/// Reads files.
pub fn read(files: &ListFiles) -> Result<List, Vec<Problem>> {
    list_csv::read(files).map(|read| read.list)
}

/// The question that leaves nothing open: [`CODE`], this name, the owner, research.
pub fn full(name: &str) -> RawQuestion<'_> {
    RawQuestion {
        hs_code: CODE,
        material_name: name,
        end_user_uscc: OWNER,
        intended_use: Some(Use::Research),
        ..RawQuestion::default()
    }
}

/// Parses a question for [`TODAY`].
pub fn question(list: &List, raw: &RawQuestion<'_>) -> Result<Question, Vec<Violation>> {
    Question::parse(raw, list, TODAY)
}

/// Asks, and hands the decision to a look at it.
pub fn ask<T>(
    list: &List,
    raw: &RawQuestion<'_>,
    look: impl FnOnce(&Decision<'_>) -> T,
) -> Result<T, Vec<Violation>> {
    question(list, raw).map(|question| look(&decide(list, &question)))
}

/// The verdict of a question that must be good.
pub fn verdict(list: &List, raw: &RawQuestion<'_>) -> Verdict {
    ask(list, raw, |decision| decision.verdict).expect("a good question")
}

/// The reasons of a question that must be good.
pub fn reasons(list: &List, raw: &RawQuestion<'_>) -> Vec<Reason> {
    ask(list, raw, |d| d.findings.iter().map(|f| f.reason).collect()).expect("a good question")
}
