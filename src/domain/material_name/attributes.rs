//! The step that splits off what follows a name and is not part of it: catalogue number, lot,
//! package size, and a CAS number (which is compared as one). Only labelled numbers and
//! amounts with a unit are split; purity, grade, strength and concentration stay.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::cas_number::{self, CasError, CasNumber};

/// Compiles a pattern of this file; a test compiles them all, so the fallback never runs.
fn pattern(source: &str) -> Option<Regex> {
    Regex::new(source).ok()
}

const CAS: &str = r"cas(?:\s*(?:no\.?|number|rn|registry number|号|登记号))?\s*[:.\#]?\s*(?P<cas>[0-9]{2,7}-[0-9]{2}-[0-9])";

/// One attribute that reaches to the end of the text.
static AT_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"[0-9]+(?:\.[0-9]+)?";
    let unit = "(?:kg|mg|[µμu]g|ng|g|ml|[µμu]l|l|千克|公斤|毫克|微克|克|毫升|微升|升)";
    let container = "(?:瓶|支|盒|袋|包|桶|管|套|罐|箱|vials?|bottles?|box(?:es)?|kits?|packs?|pk|bags?|tubes?|drums?|ea|pcs?)";
    let catalogue = r"(?:cat(?:alog(?:ue)?)?\.?\s*(?:\#|no\.?|number)\s*[:.]?|cat(?:alog(?:ue)?)?\s*[:.]|货号\s*:?|目录号\s*:?|产品编号\s*:?)\s*[a-z0-9][a-z0-9./-]*";
    let lot =
        r"(?:(?:lot|batch)\s*(?:\#|no\.?|number)?\s*[:.]?|批号\s*:?)\s*[a-z0-9/-]*[0-9][a-z0-9/-]*";
    let label = r"(?:(?:包装规格|包装|规格|pack(?:age|ing)?(?:\s*size)?)\s*:?\s*)?";
    let amount = format!(
        r"(?:{number}\s*[x×*]\s*)?{number}\s*{unit}(?:\s*[x×*]\s*[0-9]+)?(?:\s*/\s*{container})?"
    );
    let count = format!(
        r"[0-9]+\s*(?:{container}|tests?|rxns?|人份)(?:\s*/\s*{container})?|[0-9]+\s*t\s*/\s*{container}"
    );
    pattern(&format!(
        r"(?i)(?:(?P<labelled>{CAS}|{catalogue}|{lot})|(?P<size>{label}(?:{amount}|{count})))$"
    ))
});

static WHOLE_CAS: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(&format!(r"(?i)^(?:{CAS}|(?P<bare>[0-9]{{2,7}}-[0-9]{{2}}-[0-9]))$")));

static ANY_CAS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)(?:(?:^|[^a-z]){CAS}(?:[^0-9]|$)|^(?P<bare>[0-9]{{2,7}}-[0-9]{{2}}-[0-9])$)"
    ))
});

/// The number, where the whole text is one, whatever its check digit.
pub(super) fn whole_cas(normal: &str) -> Option<String> {
    if !normal.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let found = WHOLE_CAS.as_ref()?.captures(normal)?;
    found.name("cas").or_else(|| found.name("bare")).map(|m| m.as_str().to_owned())
}

/// A CAS number in the text whose check digit is wrong.
pub(super) fn broken_cas(normal: &str) -> Option<CasError> {
    if normal.bytes().filter(|b| *b == b'-').count() < 2 {
        return None;
    }
    let found = ANY_CAS.as_ref()?.captures(normal)?;
    let digits = found.name("cas").or_else(|| found.name("bare"))?;
    cas_number::from_exact(digits.as_str()).err()
}

/// The name without what follows it, if anything does, and the CAS number among it.
pub(super) fn split(text: &str) -> (Option<String>, Option<CasNumber>) {
    let mut cas = None;
    let mut rest = text;
    while let Some((shorter, found)) = without_last(rest, cas) {
        (rest, cas) = (shorter, found);
    }
    ((rest.len() != text.len()).then(|| rest.to_owned()), cas)
}

/// The text without its last attribute, and the CAS number known by then; `None` if there is
/// none or nothing would be left.
fn without_last(text: &str, cas: Option<CasNumber>) -> Option<(&str, Option<CasNumber>)> {
    if let Some(inside_and_before) = text.strip_suffix([')', ']']) {
        let open = inside_and_before.rfind(['(', '['])?;
        let (before, bracket) = inside_and_before.split_at_checked(open)?;
        let (mut inside, mut cas) = strip_one(bracket.get(1..)?, cas)?;
        while !inside.is_empty() {
            (inside, cas) = strip_one(inside, cas)?;
        }
        return Some((nonempty(before)?, cas));
    }
    let (before, cas) = strip_one(text, cas)?;
    Some((nonempty(before)?, cas))
}

/// Strips one attribute and the separator before it.
fn strip_one(text: &str, cas: Option<CasNumber>) -> Option<(&str, Option<CasNumber>)> {
    if !may_end_with_attribute(text) {
        return None;
    }
    let found = AT_END.as_ref()?.captures(text)?;
    let start = found.get(0)?.start();
    let (before, attribute) = text.split_at_checked(start)?;
    let number = match found.name("cas") {
        // A wrong check digit is not split off: the number says something, and not what.
        Some(digits) => Some(cas_number::from_exact(digits.as_str()).ok()?),
        None => None,
    };
    if matches!((cas, number), (Some(known), Some(other)) if known != other) {
        // Two numbers contradict each other: the name keeps what it cannot mean.
        return None;
    }
    let bare = before.trim_end();
    let spaced = bare.len() != before.len();
    let container_named = attribute.contains('/') && found.name("size").is_some();
    let free = match bare.chars().next_back() {
        // `1,000 g` is one number; `BSA, 500 g` is not.
        Some(',') => spaced || !bare.trim_end_matches(',').ends_with(|c: char| c.is_ascii_digit()),
        None | Some(';' | '(' | '[' | ')' | ']') => true,
        Some(c) => spaced || (super::is_han(c) && container_named),
    };
    free.then(|| (bare.trim_end_matches([',', ';', ' ']), number.or(cas)))
}

/// Whether the pattern could match at all; most names end here, at a fraction of its cost.
fn may_end_with_attribute(text: &str) -> bool {
    /// Longest text behind the last digit of an attribute, in bytes: `registry number` and a
    /// container stay below it.
    const TAIL_BYTES_MAX: usize = 48;
    let Some(last_digit) = text.rfind(|c: char| c.is_ascii_digit()) else { return false };
    if text.len() - last_digit > 1 {
        return text.len() - last_digit <= TAIL_BYTES_MAX;
    }
    // The text ends with a digit: of a labelled number, or of a count of packs.
    let labels: [&[u8]; 4] = [b"cas", b"cat", b"lot", b"bat"];
    text.contains(['号', 'x', 'X', '×', '*'])
        || text.as_bytes().windows(3).any(|w| labels.iter().any(|l| w.eq_ignore_ascii_case(l)))
}

fn nonempty(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([',', ';', ' ']);
    text.chars().any(char::is_alphanumeric).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{ANY_CAS, AT_END, WHOLE_CAS};

    #[test]
    fn every_pattern_of_this_file_compiles() {
        assert!(AT_END.is_some() && WHOLE_CAS.is_some() && ANY_CAS.is_some());
    }
}
