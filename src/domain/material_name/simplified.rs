//! Steps of the normal form for Chinese characters: traditional to simplified, old to current.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::is_han;

/// Part of normal form 1; its first lines say where it comes from.
const TABLE: &str = include_str!("traditional.txt");

static TRADITIONAL: LazyLock<HashMap<char, char, foldhash::fast::FixedState>> =
    LazyLock::new(|| {
        TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut chars = line.chars();
                Some((chars.next()?, chars.next()?))
            })
            .collect()
    });

pub(super) fn fold_traditional(text: &str) -> Option<String> {
    fold(text, |c| TRADITIONAL.get(&c).copied())
}

/// Characters that pharmacopoeias and tariffs replaced, and what they write today: the same
/// substance each time (docs/sources.md#names).
pub(super) fn fold_old(text: &str) -> Option<String> {
    fold(text, |c| match c {
        '甙' => Some('苷'),
        '硷' => Some('碱'),
        '黏' => Some('粘'),
        '醯' => Some('酰'),
        '燐' => Some('磷'),
        '矽' => Some('硅'),
        _ => None,
    })
}

fn fold(text: &str, change: impl Fn(char) -> Option<char>) -> Option<String> {
    text.chars()
        .any(|c| is_han(c) && change(c).is_some())
        .then(|| text.chars().map(|c| change(c).unwrap_or(c)).collect())
}
