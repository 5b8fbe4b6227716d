//! Unified Social Credit Codes (统一社会信用代码), GB 32100-2015.

use std::fmt;

use super::field::Step;
use super::message::{Refusal, excerpt};

/// The 31 characters of a code, in the order of their values: no I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of the first 17 characters (docs/sources.md#uscc).
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Longest accepted input, in bytes: 18 full-width characters with spaces stay below it.
const INPUT_BYTES_MAX: usize = 128;

/// A code of 18 characters whose check character is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uscc([u8; 18]);

impl Uscc {
    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a code was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsccError {
    /// Nothing was given.
    Missing,
    /// Scientific notation, or 15 digits followed by zeros: a spreadsheet cut it.
    Spreadsheet {
        /// What was given.
        given: String,
    },
    /// Not 18 characters.
    Length {
        /// What was given.
        given: String,
        /// How many characters.
        length: usize,
    },
    /// A character outside the alphabet.
    Character {
        /// What was given.
        given: String,
        /// The character.
        character: char,
    },
    /// The check character does not fit the other 17.
    CheckCharacter {
        /// What was given.
        given: String,
    },
}

impl Refusal for UsccError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "USCC_MISSING",
            Self::Spreadsheet { .. } => "USCC_CUT_BY_SPREADSHEET",
            Self::Length { .. } => "USCC_LENGTH",
            Self::Character { .. } => "USCC_CHARACTER",
            Self::CheckCharacter { .. } => "USCC_CHECK_CHARACTER",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Missing => "no USCC was given".into(),
            Self::Spreadsheet { given } => format!(
                "`{given}` was cut by a spreadsheet, which keeps 15 digits of a number; format the column as text and enter all 18 characters again"
            ),
            Self::Length { given, length } => {
                format!("`{given}` has {length} characters; a USCC has 18")
            }
            Self::Character { given, character } => format!(
                "`{given}` holds `{character}`; a USCC is made of digits and capital letters without I, O, S, V, Z"
            ),
            Self::CheckCharacter { given } => format!(
                "the check character of `{given}` is wrong, so at least one character was mistyped; copy the USCC from the business licence"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Missing => "未填统一社会信用代码".into(),
            Self::Spreadsheet { given } => format!(
                "`{given}`被电子表格截断（数字只保留15位）；请把该列设为文本格式后重新填写全部18位"
            ),
            Self::Length { given, length } => {
                format!("`{given}`为{length}位；统一社会信用代码应为18位")
            }
            Self::Character { given, character } => format!(
                "`{given}`含有`{character}`；统一社会信用代码只用数字和大写字母，不含I、O、S、V、Z"
            ),
            Self::CheckCharacter { given } => {
                format!("`{given}`的校验码不符，至少有一位填错；请按营业执照核对")
            }
        }
    }
}

/// Reads a code: full-width and lower-case letters are folded, spaces and hyphens removed, all
/// reported.
///
/// # Errors
/// Names what is wrong; nothing is corrected.
pub fn parse(given: &str) -> Result<(Uscc, Vec<Step>), UsccError> {
    if given.len() > INPUT_BYTES_MAX {
        return Err(UsccError::Length { given: excerpt(given), length: given.chars().count() });
    }
    let folded: String = given
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-' && !super::material_name::is_invisible(*c))
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let mut steps = Vec::new();
    Step::record(&mut steps, "uscc-form", given, &folded);
    Ok((from_folded(&folded)?, steps))
}

/// Reads a code exactly as lists write it.
///
/// # Errors
/// As [`parse`]; separators and lower case are refused too.
pub fn from_exact(given: &str) -> Result<Uscc, UsccError> {
    from_folded(given)
}

fn from_folded(folded: &str) -> Result<Uscc, UsccError> {
    if folded.is_empty() {
        return Err(UsccError::Missing);
    }
    let all_digits = folded.bytes().all(|b| b.is_ascii_digit());
    // `9.11101E+17`: digits, one E, and what a spreadsheet puts between.
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+'));
    let scientific = folded.len() < 18
        && folded.split_once('E').is_some_and(|(a, b)| number(a) && number(b) && !b.is_empty());
    let zero_tail = all_digits && folded.len() == 18 && folded.ends_with("000");
    let length = folded.chars().count();
    let spreadsheet = || UsccError::Spreadsheet { given: excerpt(folded) };
    if scientific || (all_digits && length == 15) {
        return Err(spreadsheet());
    }
    if length != 18 {
        return Err(UsccError::Length { given: excerpt(folded), length });
    }
    let mut sum = 0;
    let mut bytes = [0; 18];
    for ((slot, c), weight) in bytes.iter_mut().zip(folded.chars()).zip(WEIGHTS.iter().chain(&[0]))
    {
        let value = ALPHABET
            .iter()
            .position(|a| char::from(*a) == c)
            .ok_or_else(|| UsccError::Character { given: excerpt(folded), character: c })?;
        sum += value * weight;
        *slot = ALPHABET.get(value).copied().unwrap_or(0);
    }
    let check = ALPHABET.get((31 - sum % 31) % 31).copied();
    if bytes.last().copied() != check {
        return Err(if zero_tail {
            spreadsheet()
        } else {
            UsccError::CheckCharacter { given: excerpt(folded) }
        });
    }
    Ok(Uscc(bytes))
}
