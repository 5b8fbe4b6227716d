//! Text for two readers: every refusal of the domain speaks English and Chinese.

/// A refusal of one value: a stable name for programs, a sentence for each reader.
pub trait Refusal {
    /// Stable name for programs, `UPPER_SNAKE`. Example: `HS_CODE_LENGTH`.
    fn reason(&self) -> &'static str;
    /// What happened and what to do, in English.
    fn english(&self) -> String;
    /// The same in Chinese.
    fn chinese(&self) -> String;
}

/// Longest part of a given value repeated in a message, in characters: enough to recognise it,
/// too little to make a log or an error of ours carry a megabyte of somebody's input.
const EXCERPT_CHARS_MAX: usize = 60;

/// `value` for a message: cut at 60 characters with an ellipsis, characters that do not show
/// as escapes.
#[must_use]
pub fn excerpt(value: &str) -> String {
    let mut chars = value.chars();
    let mut out: String = chars.by_ref().take(EXCERPT_CHARS_MAX).flat_map(visible).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// `value` whole, on one line, for a person who decides by what is on the screen: what a
/// terminal would obey, hide or turn around stands there as an escape.
#[must_use]
pub fn shown(value: &str) -> String {
    value.chars().flat_map(visible).collect()
}

fn visible(c: char) -> impl Iterator<Item = char> {
    // Beside the invisible ones: line ends, and marks that reverse the text after them.
    let turns = matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let hidden = c.is_control() || turns || super::material_name::is_invisible(c);
    let escape = hidden.then(|| c.escape_unicode());
    escape.into_iter().flatten().chain((!hidden).then_some(c))
}
