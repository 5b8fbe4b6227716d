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

/// `value` for a message: cut at 60 characters with an ellipsis, control
/// characters shown as escapes.
#[must_use]
pub fn excerpt(value: &str) -> String {
    let mut out = String::new();
    for (count, c) in value.chars().enumerate() {
        if count == EXCERPT_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control() || super::material_name::is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
