//! CAS Registry Numbers: two to seven digits, two digits, a check digit.

use std::fmt;

use super::field::Step;
use super::material_name::{is_dash, is_invisible};
use super::message::{Refusal, excerpt};

/// Longest accepted input, in bytes.
const INPUT_BYTES_MAX: usize = 128;

/// A number whose check digit is right. The value is the digits without hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CasNumber(u64);

impl CasNumber {
    /// All digits but the check digit: what two numbers share when only the check digit of one
    /// was mistyped.
    #[must_use]
    pub const fn body(self) -> u64 {
        self.0 / 10
    }
}

impl fmt::Display for CasNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.0 / 10;
        write!(f, "{}-{:02}-{}", body / 100, body % 100, self.0 % 10)
    }
}

/// Why a number was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CasError {
    /// Not of the form `digits-dd-d`.
    Form {
        /// What was given.
        given: String,
    },
    /// The check digit does not fit the others.
    CheckDigit {
        /// What was given.
        given: String,
        /// The check digit given.
        found: u64,
        /// The check digit that the other digits call for.
        computed: u64,
        /// The digits before it, as [`CasNumber::body`].
        body: u64,
    },
}

impl Refusal for CasError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Form { .. } => "CAS_FORM",
            Self::CheckDigit { .. } => "CAS_CHECK_DIGIT",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Form { given } => format!(
                "`{given}` is not a CAS number; write it with its hyphens, as in 60-54-8 (a spreadsheet may have turned it into a date)"
            ),
            Self::CheckDigit { given, found, computed, .. } => format!(
                "the check digit of `{given}` is {found} and should be {computed}, so at least one digit was mistyped; copy the number again"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Form { given } => format!(
                "`{given}`不是CAS号；请带连字符填写，如60-54-8（电子表格可能已把它变成日期）"
            ),
            Self::CheckDigit { given, found, computed, .. } => {
                format!("`{given}`的校验位是{found}，应为{computed}，至少有一位填错；请重新核对")
            }
        }
    }
}

/// Reads a number: full-width digits, other dashes and surrounding space are folded and
/// reported.
///
/// # Errors
/// Names what is wrong; a wrong check digit is never corrected.
pub fn parse(given: &str) -> Result<(CasNumber, Vec<Step>), CasError> {
    if given.len() > INPUT_BYTES_MAX {
        return Err(CasError::Form { given: excerpt(given) });
    }
    let visible: String = given.chars().filter(|c| !is_invisible(*c)).collect();
    let folded: String = visible
        .trim()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            c if is_dash(c) => '-',
            c => c,
        })
        .collect();
    let mut steps = Vec::new();
    Step::record(&mut steps, "cas-form", given, &folded);
    Ok((from_exact(&folded)?, steps))
}

/// Reads a number exactly as lists write it.
///
/// # Errors
/// As [`parse`].
pub fn from_exact(given: &str) -> Result<CasNumber, CasError> {
    let form = || CasError::Form { given: excerpt(given) };
    let mut parts = given.split('-');
    let (Some(first), Some(second), Some(third), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(form());
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let shaped = (2..=7).contains(&first.len()) && second.len() == 2 && third.len() == 1;
    if !(shaped && digits(first) && digits(second) && digits(third)) || first.starts_with('0') {
        return Err(form());
    }
    let body: u64 = format!("{first}{second}").parse().map_err(|_not_digits| form())?;
    let found: u64 = third.parse().map_err(|_not_digits| form())?;
    let computed = check_digit(body);
    if computed != found {
        return Err(CasError::CheckDigit { given: excerpt(given), found, computed, body });
    }
    Ok(CasNumber(body * 10 + found))
}

/// The digits from right to left, weighted 1, 2, 3 …, modulo 10.
fn check_digit(body: u64) -> u64 {
    let (mut rest, mut weight, mut sum) = (body, 1, 0);
    while rest > 0 {
        sum += rest % 10 * weight;
        rest /= 10;
        weight += 1;
    }
    sum % 10
}
