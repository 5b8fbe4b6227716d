//! Steps of the normal form that look at one character (or one word) at a time.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::NameError;

/// A script, as far as names tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Latin letters.
    Latin,
    /// Greek letters.
    Greek,
    /// Chinese characters.
    Han,
    /// Letters of any other script.
    Other,
}

/// The script of a letter; `None` for digits, marks and signs.
#[must_use]
pub(super) fn script_of(c: char) -> Option<Script> {
    match c {
        'A'..='Z' | 'a'..='z' => Some(Script::Latin),
        c if c.is_ascii() => None,
        'µ' => Some(Script::Greek),
        '\u{AA}'
        | '\u{BA}'
        | '\u{C0}'..='\u{24F}'
        | '\u{250}'..='\u{2AF}'
        | '\u{1E00}'..='\u{1EFF}'
            if c.is_alphabetic() =>
        {
            Some(Script::Latin)
        }
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' if c.is_alphabetic() => Some(Script::Greek),
        c if is_han(c) => Some(Script::Han),
        c if c.is_alphabetic() => Some(Script::Other),
        _ => None,
    }
}

pub(crate) const fn is_han(c: char) -> bool {
    matches!(c, '々' | '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Whether no step that looks at characters other than ASCII changes this one, apart from
/// traditional and old Chinese ones: nearly every character of nearly every name.
pub(super) const fn is_plain(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}') || (c.is_ascii() && c != '`')
}

/// Whether the normal form holds letters or digits that pass for others. What NFKC folds does
/// not count.
pub(super) fn has_look_alikes(normal: &str) -> bool {
    normal.chars().any(passes_for_another)
}

/// Whether a character passes for another: a letter of any script besides Latin, Greek and Han,
/// a digit besides ASCII, a Greek capital drawn like a Latin one.
pub(crate) fn passes_for_another(c: char) -> bool {
    if c.is_ascii() || is_han(c) {
        return false;
    }
    script_of(c) == Some(Script::Other)
        || c.is_numeric()
        || matches!(
            c,
            'Α' | 'Β'
                | 'Ε'
                | 'Ζ'
                | 'Η'
                | 'Ι'
                | 'Κ'
                | 'Μ'
                | 'Ν'
                | 'Ο'
                | 'Ρ'
                | 'Τ'
                | 'Υ'
                | 'Χ'
                | 'ο'
        )
}

/// Refuses what cannot be part of a name, before anything is folded.
pub(super) fn check(given: &str) -> Result<(), NameError> {
    for c in given.chars() {
        if c.is_ascii_graphic() || c == ' ' || is_han(c) {
            continue;
        }
        match c {
            '\t' | '\n' | '\r' | '\u{85}' => {}
            c if c.is_control() => return Err(NameError::Control { character: c }),
            // Overrides and tags: what is read is not what is stored.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{E0000}'..='\u{E007F}' => {
                return Err(NameError::Control { character: c });
            }
            '\u{FFFC}'
            | '\u{FFFD}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{F0000}'..='\u{10FFFF}'
            | '\u{FDD0}'..='\u{FDEF}' => return Err(NameError::Damaged { character: c }),
            c if u32::from(c) & 0xFFFE == 0xFFFE => {
                return Err(NameError::Damaged { character: c });
            }
            c if is_superscript(c) || brings_digits(c) => {
                return Err(NameError::Superscript { character: c });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Raised letters and signs: NFKC would put them on the line.
const fn is_superscript(c: char) -> bool {
    matches!(c, '\u{AA}' | '\u{BA}' | '\u{2B0}'..='\u{2B8}' | '\u{2E0}'..='\u{2E4}'
        | '\u{1D2C}'..='\u{1D61}' | '\u{1D78}' | '\u{1D9B}'..='\u{1DBF}' | '\u{2071}'
        | '\u{207A}'..='\u{207F}' | '\u{2C7D}' | '\u{A69C}' | '\u{A69D}' | '\u{A770}'
        | '\u{A7F2}'..='\u{A7F4}' | '\u{A7F8}' | '\u{A7F9}' | '\u{AB5C}'..='\u{AB5F}')
}

/// Whether the compatibility form brings digits where a reader sees a sign: ² ① ½ ㈠ ㏠. Plain
/// digits in another width or face (full-width, lowered, mathematical) are digits and stay.
fn brings_digits(c: char) -> bool {
    if matches!(c, '０'..='９' | '₀'..='₉' | '\u{1D7CE}'..='\u{1D7FF}') {
        return false;
    }
    let mut buffer = [0; 4];
    let folded = ComposingNormalizerBorrowed::new_nfkc().normalize(c.encode_utf8(&mut buffer));
    folded.bytes().any(|b| b.is_ascii_digit())
        || matches!(c, '\u{2460}'..='\u{24FF}' | '\u{2776}'..='\u{2793}' | '\u{3200}'..='\u{32FF}')
}

/// Characters that have no shape of their own.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}'
        | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0100}'..='\u{E01EF}')
}

/// Every dash that people and word processors put where a hyphen is meant.
#[must_use]
pub const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
    )
}

pub(super) fn without_invisible(text: &str) -> Option<String> {
    without(text, is_invisible)
}

pub(super) fn without_trademark_signs(text: &str) -> Option<String> {
    without(text, |c| matches!(c, '™' | '®' | '℠' | '©'))
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> Option<String> {
    text.chars().any(&unwanted).then(|| text.chars().filter(|c| !unwanted(*c)).collect())
}

/// Every apostrophe-like sign to `'`, before NFKC, which would make an accent of `´`.
pub(super) fn fold_primes(text: &str) -> Option<String> {
    if !text.chars().any(|c| prime(c).is_some()) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match prime(c) {
            Some(folded) => out.push_str(folded),
            None => out.push(c),
        }
    }
    Some(out)
}

const fn prime(c: char) -> Option<&'static str> {
    match c {
        '′' | '‘' | '’' | '‛' | '´' | '`' | 'ʹ' | 'ʼ' | '＇' | '｀' => Some("'"),
        '″' => Some("''"),
        '“' | '”' | '‟' => Some("\""),
        '‴' => Some("'''"),
        _ => None,
    }
}

pub(super) fn nfkc(text: &str) -> Option<String> {
    let folded = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    (folded != text).then(|| folded.into_owned())
}

pub(super) fn fold_dashes(text: &str) -> Option<String> {
    map(text, |c| if is_dash(c) { '-' } else { c })
}

pub(super) fn fold_brackets(text: &str) -> Option<String> {
    map(text, |c| match c {
        '【' | '〖' => '[',
        '】' | '〗' => ']',
        '〔' | '﹝' | '⦅' => '(',
        '〕' | '﹞' | '⦆' => ')',
        c => c,
    })
}

pub(super) fn fold_middle_dots(text: &str) -> Option<String> {
    map(text, |c| match c {
        '•' | '‧' | '・' | '⋅' | '∙' | '･' | '●' => '·',
        c => c,
    })
}

fn map(text: &str, change: impl Fn(char) -> char) -> Option<String> {
    text.chars().any(|c| change(c) != c).then(|| text.chars().map(change).collect())
}

/// ß typed for β, unless it stands in a word of small Latin letters; ɑ typed for α.
pub(super) fn fold_greek_look_alikes(text: &str) -> Option<String> {
    if !text.contains(['ß', 'ẞ', 'ɑ']) {
        return None;
    }
    let small = |c: Option<char>| {
        c.is_some_and(|c| script_of(c) == Some(Script::Latin) && c.is_lowercase() && c != 'ß')
    };
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (i, &c) in chars.iter().enumerate() {
        out.push(match c {
            'ɑ' => 'α',
            'ß' | 'ẞ' => {
                let before = i.checked_sub(1).and_then(|j| chars.get(j)).copied();
                let in_word = small(before) || small(chars.get(i + 1).copied());
                if in_word { c } else { 'β' }
            }
            c => c,
        });
    }
    (out != text).then_some(out)
}

/// Runs of white space (tabs and line breaks of a spreadsheet cell too) to one space; none at
/// the ends.
pub(super) fn fold_white_space(text: &str) -> Option<String> {
    if !text.contains(char::is_whitespace) {
        return None;
    }
    let folded = || text.split_whitespace();
    let mut rest = text;
    let clean = !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && loop {
            let Some((_, after)) = rest.split_once(char::is_whitespace) else { break true };
            if after.starts_with(char::is_whitespace) {
                break false;
            }
            rest = after;
        }
        && !text.chars().any(|c| c.is_whitespace() && c != ' ');
    (!clean).then(|| folded().collect::<Vec<_>>().join(" "))
}

/// Names of Greek letters that are written out in names of materials, and the letters.
const GREEK_NAMES: [(&str, char); 11] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("theta", 'θ'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("sigma", 'σ'),
    ("omega", 'ω'),
];

/// `alpha` to α where it is a whole run of Latin letters: not in `alphabet`, not in
/// `betamethasone`.
pub(super) fn fold_greek_names(text: &str) -> Option<String> {
    let is_latin = |c: char| script_of(c) == Some(Script::Latin);
    if !text.split(|c| !is_latin(c)).any(|run| greek_letter(run).is_some()) {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(is_latin).unwrap_or(rest.len());
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = from.find(|c| !is_latin(c)).unwrap_or(from.len());
        let (run, after) = from.split_at_checked(end).unwrap_or((from, ""));
        out.push_str(before);
        match greek_letter(run) {
            Some(letter) => out.push(letter),
            None => out.push_str(run),
        }
        rest = after;
    }
    Some(out)
}

fn greek_letter(run: &str) -> Option<char> {
    let named = GREEK_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(run));
    named.map(|(_, letter)| *letter)
}
