//! Random lists and questions about them: like names, few codes, every state.

use std::collections::HashSet;

use clearlist::domain::entry::Use;
use clearlist::domain::list::List;
use clearlist::domain::material_name::MaterialName;
use clearlist::domain::question::RawQuestion;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{CODE, OTHER, OWNER, Row, list, row};

/// Names that are nearly each other.
pub const NAMES: [&str; 12] = [
    "四环素",
    "四環素",
    "土霉素",
    "重组人IL-2",
    "重组人 IL－12",
    "重组人IL-21",
    "GM-CSF",
    "GMCSF",
    "anti-CD3",
    "TGF-β1",
    "TGF-ß1",
    "CoCl2",
];
/// Choices stand as often as they are to be taken: a list where nothing is ever listed says little.
const CODES: [&str; 6] = [CODE, CODE, CODE, CODE, "3002150090", "29413011"];
const DAYS: [&str; 8] = ["", "", "", "", "", "2026-11-21", "2026-11-22", "2026-11-23"];
const STATES: [&str; 5] = ["active", "active", "active", "suspended", "withdrawn"];
const KINDS: [&str; 5] = ["item", "item", "item", "item", "class"];
const CAS: [&str; 5] = ["", "", "", "60-54-8", "67-68-5"];
const END_USERS: [&str; 3] = [OWNER, OWNER, OTHER];
const USES: [Use; 4] = [Use::Research, Use::Research, Use::Clinical, Use::Sale];

/// The cells of a row, which say themselves when a case fails.
pub type Cells = Vec<(&'static str, String)>;

/// A list of rows.
pub fn list_of(rows: &[Cells]) -> List {
    list(&rows.iter().cloned().map(Row).collect::<Vec<_>>())
}

/// Rows of a list: like names, few codes, both end users, every state, dates around today.
pub fn rows() -> impl Strategy<Value = Vec<Cells>> {
    let cells = (
        (select(&NAMES[..]), select(&NAMES[..]), select(&CODES[..])),
        (select(&END_USERS[..]), select(&STATES[..])),
        (select(&DAYS[..]), select(&DAYS[..]), select(&KINDS[..])),
        (select(&["", "", "10", "20"][..]), select(&CAS[..]), any::<bool>()),
    );
    vec(cells, 0..24).prop_map(|rows| {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for (position, cells) in rows.into_iter().enumerate() {
            let ((name, synonym, code), (owner, state), (from, to, kind), (limit, cas, both)) =
                cells;
            // A list holds no two rows of one end user with one code and one name.
            let normal = |text| MaterialName::parse(text).expect("a name").normal().to_owned();
            let key = |text| (owner, code, normal(text));
            let mut keys = HashSet::from([key(name)]);
            keys.extend(both.then(|| key(synonym)));
            if (from > to && !to.is_empty()) || !keys.is_disjoint(&seen) {
                continue;
            }
            seen.extend(keys);
            let mut listed = row(&format!("E{position:02}"), name)
                .with("hs_code", code)
                .with("uscc", owner)
                .with("state", state)
                .with("kind", kind)
                .with("cas", cas)
                .with("valid_from", from)
                .with("valid_to", to);
            if both && key(synonym) != key(name) {
                listed = listed.with("synonyms", synonym);
            }
            if !limit.is_empty() {
                listed = listed.with("quantity", limit).with("unit", "g");
            }
            kept.push(listed.0);
        }
        kept
    })
}

/// A question that is good.
pub fn raw_question() -> impl Strategy<Value = RawQuestion<'static>> {
    let fields = (
        (select(&CODES[..]), option::weighted(0.9, select(&NAMES[..]))),
        option::weighted(0.2, select(&["60-54-8", "67-68-5"][..])),
        option::weighted(0.8, select(&END_USERS[..])),
        option::weighted(0.8, select(&USES[..])),
        option::weighted(0.5, select(&[("15", "g"), ("0.01", "kg"), ("1", "瓶")][..])),
    );
    fields.prop_map(|((hs_code, name), cas, end_user, intended_use, quantity)| RawQuestion {
        hs_code,
        material_name: name.unwrap_or_default(),
        cas_number: cas.unwrap_or(if name.is_none() { "60-54-8" } else { "" }),
        end_user_uscc: end_user.unwrap_or_default(),
        intended_use,
        quantity,
        ..RawQuestion::default()
    })
}
