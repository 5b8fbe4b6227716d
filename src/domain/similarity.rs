//! How alike two names look, for ranking candidates. Nothing here decides anything.
//!
//! Names are compared by a *key*: looser than the normal form on purpose. Keys fold what people
//! mistype (case, hyphens, British spelling, INN letters, look-alike scripts, α for a), so that
//! a near miss finds its entry; two equal keys are still only a candidate.

use super::material_name::is_han;

mod distance;

use distance::Pattern;

/// The looser form of a normal form: letters and digits only, small, spelling variants folded.
#[must_use]
pub fn key(normal: &str) -> String {
    let mut out = String::with_capacity(normal.len());
    for c in normal.chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            c if is_han(c) => out.push(c),
            c => match latin_of(c) {
                Some(letter) => out.push(letter),
                None => out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric())),
            },
        }
    }
    fold_spelling(out)
}

/// The Latin letter a Greek or Cyrillic one stands for or passes for.
const fn latin_of(c: char) -> Option<char> {
    Some(match c {
        'α' | 'а' | 'А' => 'a',
        'β' | 'В' | 'в' => 'b',
        'γ' => 'g',
        'δ' => 'd',
        'ε' | 'е' | 'Е' => 'e',
        'ζ' => 'z',
        'η' | 'Н' | 'н' => 'h',
        'ι' | 'І' | 'і' => 'i',
        'κ' | 'К' | 'к' => 'k',
        'λ' => 'l',
        'μ' | 'М' | 'м' => 'm',
        'ν' => 'n',
        'ο' | 'О' | 'о' => 'o',
        'π' => 'p',
        'ρ' | 'Р' | 'р' => 'p',
        'σ' | 'ς' | 'Ѕ' | 'ѕ' => 's',
        'τ' | 'Т' | 'т' => 't',
        'υ' | 'У' | 'у' => 'y',
        'χ' | 'Х' | 'х' => 'x',
        'ω' => 'w',
        'С' | 'с' => 'c',
        'Ј' | 'ј' => 'j',
        '一' | 'ー' => '-',
        _ => return None,
    })
}

/// British and INN spelling (docs/sources.md#names): sulph-/sulf-, -ae-/-e-, -oe-/-e-, y/i, th/t.
fn fold_spelling(text: String) -> String {
    if !text.bytes().any(|b| b.is_ascii_alphabetic()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('p', Some('h')) => {
                chars.next();
                out.push('f');
            }
            ('t', Some('h')) => {
                chars.next();
                out.push('t');
            }
            // The next letter is the e that stays.
            ('a' | 'o', Some('e')) => {}
            ('y', _) => out.push('i'),
            ('-', _) => {}
            (c, _) => out.push(c),
        }
    }
    out
}

/// Pinyin without tones of the Chinese characters in a key, everything else as it is; `None`
/// without Chinese characters.
#[must_use]
pub fn pinyin_key(key: &str) -> Option<String> {
    use pinyin::ToPinyin;
    if !key.chars().any(is_han) {
        return None;
    }
    let mut out = String::with_capacity(key.len() * 2);
    for c in key.chars() {
        match c.to_pinyin() {
            Some(reading) => out.push_str(reading.plain()),
            None => out.push(c),
        }
    }
    Some(fold_spelling(out.replace('ü', "v")))
}

/// A key that others are compared with.
#[derive(Debug)]
pub struct Compared(Pattern);

impl Compared {
    /// Gets a key ready.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(Pattern::new(key))
    }

    /// Resemblance to another key from 0 to 1: the share of the longer one that needs no edit,
    /// and more if it holds the other whole.
    #[must_use]
    pub fn score(&self, listed: &str) -> f64 {
        let query = self.0.text();
        if query == listed {
            return 1.0;
        }
        let (mine, theirs) = (self.0.chars(), listed.chars().count());
        let distance = self.0.distance(listed);
        let alike = 1.0 - ratio(distance, mine.max(theirs));
        if distance != mine.abs_diff(theirs) {
            // Whoever holds another whole differs by insertions alone.
            return alike;
        }
        let (long, short) =
            if query.len() >= listed.len() { (query, listed) } else { (listed, query) };
        let contained = match long.find(short) {
            Some(at) if !splits_digits(long, at, short.len()) => {
                0.6 + 0.35 * ratio(mine.min(theirs), mine.max(theirs))
            }
            _ => 0.0,
        };
        alike.max(contained)
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of names are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Whether cutting `text[at..at + length]` out would cut a run of digits in two.
fn splits_digits(text: &str, at: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let end = at + length;
    (digit(at.checked_sub(1)) && digit(Some(at))) || (digit(end.checked_sub(1)) && digit(Some(end)))
}
