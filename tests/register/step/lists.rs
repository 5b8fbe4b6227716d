//! The list that comes with a statement, or does not; and suspensions of what is on the newest.

use clearlist::domain::material_name::NORMAL_FORM_VERSION;
use clearlist::register::record::ListHeads;
use clearlist::register::statement::RevisionStatement;
use clearlist::register::step::{ProposedList, Refused};

use super::{NO_LIST, changed, first, heads, newest, two, with_one};
use crate::ceremony::{Draft, accepted, empty_register, policy_change, refused, suspension};
use crate::support::{OWNER, list, row};

/// Changes a revision.
type Change = fn(&mut RevisionStatement);

#[test]
fn a_revision_of_another_list_is_refused() {
    let other = ListHeads::of(&list(&[row("E1", "四环素"), row("E2", "土霉素")]));
    let empty = empty_register();
    assert_eq!(
        refused(&empty, &first(), ProposedList::Heads(&other)),
        [Refused::ListDiffers],
        "the list is another"
    );
    let changes: [(&str, Change); 5] = [
        ("list root", |s| s.list.root[31] ^= 1),
        ("list size", |s| s.list.size += 1),
        ("name root", |s| s.names.root[0] ^= 0x80),
        ("name size", |s| s.names.size -= 1),
        ("trees exchanged", |s| std::mem::swap(&mut s.list, &mut s.names)),
    ];
    for (what, change) in changes {
        assert_eq!(refused(&empty, &changed(change), heads()), [Refused::ListDiffers], "{what}");
    }
}

#[test]
fn a_revision_without_its_list_is_refused() {
    let empty = empty_register();
    assert_eq!(refused(&empty, &first(), NO_LIST), [Refused::ListMissing]);
    assert_eq!(refused(&empty, &first(), newest()), [Refused::ListMissing]);
}

#[test]
fn a_list_without_entries_is_refused() {
    let none = ListHeads::of(&list(&[]));
    let draft = changed(|statement| {
        statement.list = none.list;
        statement.names = none.names;
    });
    let refused = refused(&empty_register(), &draft, ProposedList::Heads(&none));
    assert_eq!(refused, [Refused::ListEmpty]);
}

#[test]
fn another_version_of_the_normal_form_is_refused() {
    for given in [0, NORMAL_FORM_VERSION + 1, u32::MAX] {
        let draft = changed(|statement| statement.normal_form_version = given);
        let expected = [Refused::NormalForm { given }];
        assert_eq!(refused(&empty_register(), &draft, heads()), expected);
    }
}

#[test]
fn a_list_that_comes_with_another_statement_is_refused() {
    let register = with_one();
    let statements =
        [policy_change(2, crate::ceremony::first_policy()), suspension(2, &["E1"], &[])];
    for statement in statements {
        let draft = Draft::of(&register, &statement).signed(&two());
        assert_eq!(refused(&register, &draft, heads()), [Refused::ListNotExpected]);
        assert_eq!(accepted(&register, &draft, newest()).size(), 2);
    }
}

#[test]
fn what_is_not_on_the_list_cannot_be_suspended() {
    let register = with_one();
    let draft = |entries: &[&str], enterprises: &[&str]| {
        Draft::of(&register, &suspension(2, entries, enterprises)).signed(&two())
    };
    let unknown = |ids: &[&str]| {
        vec![Refused::SuspendsUnknown { ids: ids.iter().map(|id| (*id).to_owned()).collect() }]
    };
    let cases: [(&[&str], &[&str], &[&str]); 5] = [
        (&["E1", "E3"], &[], &["E3"]),
        (&["e1"], &[], &["e1"]),
        (&[OWNER], &["E1"], &[OWNER, "E1"]),
        (&["E2"], &["91110114EXAMPLE2XR"], &["91110114EXAMPLE2XR"]),
        (&[""], &[], &[""]),
    ];
    for (entries, enterprises, expected) in cases {
        let given = refused(&register, &draft(entries, enterprises), newest());
        assert_eq!(given, unknown(expected));
    }
    let many: Vec<String> = (0..40).map(|n| format!("无{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused_many = refused(&register, &draft(&many, &[]), newest());
    assert_eq!(refused_many, unknown(&many[..10]), "ten are enough to see what is wrong");
    assert_eq!(accepted(&register, &draft(&["E2", "E1"], &[OWNER]), newest()).size(), 2);
}

#[test]
fn a_suspension_of_nothing_or_before_any_list_is_refused() {
    let register = with_one();
    let nothing = Draft::of(&register, &suspension(2, &[], &[])).signed(&two());
    assert_eq!(refused(&register, &nothing, newest()), [Refused::SuspendsNothing]);
    let empty = empty_register();
    let early = Draft::of(&empty, &suspension(1, &["E1"], &[])).signed(&two());
    assert_eq!(refused(&empty, &early, NO_LIST), [Refused::ListMissing]);
}
