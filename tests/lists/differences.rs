//! What `list diff` says of two lists.

use clearlist::domain::list_diff::{Change, RowChange, diff};

use super::broken::{Of, replaced_in, sound};
use super::support::{files, list, read, row};

/// One line for each changed field, one for each row that came or went.
fn told(changes: &[RowChange]) -> Vec<String> {
    let name = |cells: &[(&str, String)]| {
        cells.iter().find(|(column, _)| *column == "name_zh").map_or("", |(_, v)| v).to_owned()
    };
    let lines = changes.iter().flat_map(|RowChange { kind, key, change }| match change {
        Change::Added(cells) => vec![format!("+ {kind:?} {key} {}", name(cells))],
        Change::Removed(cells) => vec![format!("- {kind:?} {key} {}", name(cells))],
        Change::Changed(fields) => fields
            .iter()
            .map(|f| format!("~ {kind:?} {key} {}: {} → {}", f.column, f.before, f.after))
            .collect(),
    });
    lines.collect()
}

#[test]
fn a_diff_names_rows_that_came_and_went_and_fields_with_both_values() {
    let kept = sound().with("quantity", "20").with("unit", "g");
    let before = list(&[kept.clone(), row("E2", "肝素钠")]);
    let after = [row("E3", "木糖"), kept.with("quantity", "30").with("state", "suspended")];
    let after = replaced_in(files(&after), Of::Schemes, "备注句", "新备注");
    let after = replaced_in(after, Of::Enterprises, "示例乙", "示例丙");
    let after = read(&after).expect("the second list is good");
    let forth = [
        "~ Scheme rows remark_text: 备注句 → 新备注",
        "~ Enterprise 91110108EXAMPLE11C name_zh: 示例乙 → 示例丙",
        "~ Entry E1 quantity: 20 → 30",
        "~ Entry E1 state: active → suspended",
        "- Entry E2 肝素钠",
        "+ Entry E3 木糖",
    ];
    assert_eq!(told(&diff(&before, &after)), forth);
    let back = [
        "~ Scheme rows remark_text: 新备注 → 备注句",
        "~ Enterprise 91110108EXAMPLE11C name_zh: 示例丙 → 示例乙",
        "~ Entry E1 quantity: 30 → 20",
        "~ Entry E1 state: suspended → active",
        "+ Entry E2 肝素钠",
        "- Entry E3 木糖",
    ];
    assert_eq!(told(&diff(&after, &before)), back);
}

#[test]
fn the_order_of_rows_is_no_difference() {
    let (one, two) = (sound(), row("E2", "肝素钠"));
    assert_eq!(diff(&list(&[one.clone(), two.clone()]), &list(&[two, one])), []);
}
