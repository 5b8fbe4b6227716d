//! No question makes parsing or deciding panic: fields are the lines of the bytes, asked of a
//! small list that has a row of every kind.
#![no_main]

use std::sync::LazyLock;

use clearlist::domain::clearance::{Verdict, decide};
use clearlist::domain::entry::Use;
use clearlist::domain::list::List;
use clearlist::domain::question::{Question, RawQuestion};
use clearlist::formats::list_csv::{self, ListFiles};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

const SCHEMES: &str = "\
scheme,name_zh,name_en,authority,listing,customs_districts,waived_documents,remark_text,permitted_use,legal_basis,exclusions
rows,行式方案,Rows,authority,rows,0100,supervision:Q,备注句,research,basis,
directory,目录方案,Directory,authority,directory,,supervision:Q,,research,basis,麻醉药品 / narcotics
";
const ENTERPRISES: &str = "\
uscc,name_zh,name_en,state,state_from,state_until,source_document
91110108551385082Q,示例甲,Example A,active,,,doc
91110108EXAMPLE11C,示例乙,Example B,suspended,2026-01-01,2026-12-31,doc
";
const ENTRIES: &str = "\
entry_id,scheme,batch,uscc,kind,name_zh,name_en,synonyms,cas,hs_code,specification,manufacturer,origin_country,quantity,unit,purpose,customs_districts,valid_from,valid_to,state,source_document
A,rows,,91110108551385082Q,item,四环素,Tetracycline,,60-54-8,2941301100,USP,Example Chem,,20,g,,,,,active,
B,rows,,91110108EXAMPLE11C,item,重组人IL-2,Recombinant human IL-2,rhIL-2|白介素2,,3002150090,,,,5,瓶,,,2026-01-01,2026-12-31,suspended,
C,rows,,91110108551385082Q,class,抗体类,,,,3002150090,,,,,,,0200,,,active,
D,directory,,91110108551385082Q,item,,,,,,,,,,,,,,,active,
";

static LIST: LazyLock<List> = LazyLock::new(|| {
    let files = ListFiles {
        schemes: SCHEMES.into(),
        enterprises: ENTERPRISES.into(),
        entries: ENTRIES.into(),
    };
    list_csv::read(&files).expect("the list is good").list
});

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let mut field = || lines.next().unwrap_or_default();
    let mut raw = RawQuestion {
        hs_code: field(),
        material_name: field(),
        cas_number: field(),
        end_user_uscc: field(),
        specification: field(),
        manufacturer: field(),
        quantity: Some((field(), field())),
        customs_district: field(),
        intended_use: Use::parse(field()),
        scheme: field(),
        declaration_date: None,
        correlation_id: field(),
    };
    if raw.quantity == Some(("", "")) {
        raw.quantity = None;
    }
    let mut number = || field().parse().ok();
    if let (Some(year), Some(month), Some(day)) = (number(), number(), number()) {
        raw.declaration_date = Some((year, month, day));
    }
    match Question::parse(&raw, &LIST, date(2026, 11, 22)) {
        Ok(question) => {
            let decision = decide(&LIST, &question);
            let matched = !matches!(decision.verdict, Verdict::Candidate | Verdict::NotListed);
            assert_eq!(matched, !decision.matches.is_empty());
            assert!(decision.candidates.len() <= decision.candidate_total);
        }
        Err(violations) => assert!(!violations.is_empty(), "refused without a reason"),
    }
});
