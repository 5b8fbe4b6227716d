//! The step that folds case, and the two places where case is identity.
//!
//! `CoCl2` is cobalt chloride and `COCl2` is phosgene; `L-` and `l-`, `N-` and `n-`, `O-` and
//! `o-` are different prefixes. Everywhere else case says nothing.

use icu_casemap::CaseMapperBorrowed;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Symbols of the elements that occur in reagents (atomic numbers 1 to 99).
#[rustfmt::skip]
const ELEMENTS: &[&str] = &[
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl",
    "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As",
    "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In",
    "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb",
    "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl",
    "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk",
    "Cf", "Es",
];

/// Prefixes before a hyphen whose case is chemistry.
const DESCRIPTORS: &[&str] =
    &["D", "L", "DL", "N", "O", "P", "S", "M", "R", "d", "l", "dl", "n", "o", "p", "s", "m", "r"];

pub(super) fn fold_case(text: &str) -> Option<String> {
    if text.chars().all(|c| super::characters::is_plain(c) && !c.is_ascii_uppercase()) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let in_token = |c: char| c.is_ascii_alphanumeric();
        let start = rest.find(in_token).unwrap_or(rest.len());
        let (between, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = from.find(|c| !in_token(c)).unwrap_or(from.len());
        let (token, after) = from.split_at_checked(end).unwrap_or((from, ""));
        push_folded(&mut out, between);
        let descriptor = DESCRIPTORS.contains(&token) && leads_to_hyphen(after);
        if descriptor || is_case_identity(token) {
            out.push_str(token);
        } else {
            out.extend(token.chars().map(|c| c.to_ascii_lowercase()));
        }
        rest = after;
    }
    (out != text).then_some(out)
}

/// Whether a hyphen follows, or further descriptors and then a hyphen, as in `N,N-`.
fn leads_to_hyphen(after: &str) -> bool {
    let mut rest = after;
    while let Some(next) = rest.strip_prefix(',') {
        let end = next.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(next.len());
        let Some((token, tail)) = next.split_at_checked(end) else { return false };
        if !DESCRIPTORS.contains(&token) {
            return false;
        }
        rest = tail;
    }
    rest.starts_with('-')
}

/// Folds text that holds no ASCII letter.
fn push_folded(out: &mut String, text: &str) {
    if text.is_ascii() || text.chars().all(super::is_han) {
        out.push_str(text);
        return;
    }
    let folded = CaseMapperBorrowed::new().fold_string(text);
    // Folding may leave a composed form; names compare composed.
    out.push_str(&ComposingNormalizerBorrowed::new_nfkc().normalize(&folded));
}

/// Whether a token, as typed with small letters in it, is a chemical formula that would be
/// another formula in other case.
fn is_case_identity(token: &str) -> bool {
    let has = |test: fn(&u8) -> bool| token.as_bytes().iter().any(test);
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && is_formula_as_typed(token)
        && readings(token) > 1
}

/// Whether the letters, as typed, are element symbols one after another.
fn is_formula_as_typed(token: &str) -> bool {
    let mut rest = token;
    while let Some(first) = rest.chars().next() {
        let tail = rest.get(first.len_utf8()..).unwrap_or("");
        if first.is_ascii_digit() {
            rest = tail;
            continue;
        }
        let second = tail.chars().next().filter(char::is_ascii_lowercase);
        let symbol = rest.get(..1 + usize::from(second.is_some())).unwrap_or("");
        if !ELEMENTS.contains(&symbol) {
            return false;
        }
        rest = rest.get(symbol.len()..).unwrap_or("");
    }
    true
}

/// In how many ways the letters, in any case, read as element symbols; counting stops being
/// exact above a few, which is all that is asked.
fn readings(token: &str) -> u64 {
    let is_symbol = |s: &str| ELEMENTS.iter().any(|e| e.eq_ignore_ascii_case(s));
    // Ways to read up to the current place, and up to the place before it.
    let (mut here, mut before): (u64, u64) = (1, 0);
    for (i, c) in token.char_indices() {
        let one = token.get(i..=i).is_some_and(is_symbol);
        let two = i
            .checked_sub(1)
            .and_then(|j| token.get(j..=i))
            .is_some_and(|s| s.bytes().all(|b| b.is_ascii_alphabetic()) && is_symbol(s));
        let next =
            if c.is_ascii_digit() { here } else { u64::from(one) * here + u64::from(two) * before };
        // A digit ends a symbol: nothing may reach back over it.
        before = if c.is_ascii_digit() { 0 } else { here };
        here = next.min(1_000);
    }
    here
}
