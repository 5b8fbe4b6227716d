//! Commodity codes (商品编号): every way brokers type one, and the digits they mean.
//!
//! Chinese codes have 6 (world), 8 (China) or 10 digits (declaration), or 13 with the CIQ
//! suffix (docs/sources.md#hs-codes). Nothing is padded and nothing is guessed: a code that a
//! spreadsheet damaged is refused by the name of the damage.

use std::fmt;

use super::field::Step;
use super::material_name::{is_dash, is_invisible};
use super::message::{Refusal, excerpt};

/// Longest accepted input, in bytes: 13 full-width digits with separators stay far below it.
pub const INPUT_BYTES_MAX: usize = 128;

/// A commodity code: 6, 8 or 10 ASCII digits, leading zero kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HsCode {
    digits: [u8; 10],
    length: u8,
}

impl HsCode {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let used = self.digits.get(..usize::from(self.length)).unwrap_or(&[]);
        std::str::from_utf8(used).unwrap_or("")
    }

    /// Whether the code has all 10 digits of a declaration. Only then does it name one good.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.length == 10
    }

    /// Whether one of the two codes is the beginning of the other, or they are equal.
    #[must_use]
    pub fn is_related(&self, other: &Self) -> bool {
        self.as_str().starts_with(other.as_str()) || other.as_str().starts_with(self.as_str())
    }

    /// A code of exactly 6, 8 or 10 ASCII digits, as lists write them: nothing is changed.
    ///
    /// # Errors
    /// As [`parse`], and [`HsCodeError::NotDigits`] for any separator.
    pub fn from_digits(given: &str) -> Result<Self, HsCodeError> {
        if !given.bytes().all(|b| b.is_ascii_digit()) {
            return Err(if looks_scientific(given) {
                HsCodeError::Scientific { given: excerpt(given) }
            } else {
                HsCodeError::NotDigits { given: excerpt(given) }
            });
        }
        match given.len() {
            0 => return Err(HsCodeError::Missing),
            6 | 8 | 10 => {}
            length => return Err(HsCodeError::length(given, length)),
        }
        if given.starts_with("00") {
            return Err(HsCodeError::Chapter { given: given.to_owned() });
        }
        let mut digits = [0; 10];
        for (slot, byte) in digits.iter_mut().zip(given.bytes()) {
            *slot = byte;
        }
        // At most 10: matched above.
        let length = u8::try_from(given.len()).unwrap_or(0);
        Ok(Self { digits, length })
    }
}

impl fmt::Display for HsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a code was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HsCodeError {
    /// Nothing was given.
    Missing,
    /// Longer than [`INPUT_BYTES_MAX`].
    TooLong {
        /// Length in bytes.
        bytes: usize,
    },
    /// `3.00215E+09`: a spreadsheet threw digits away.
    Scientific {
        /// What was given.
        given: String,
    },
    /// Something that is neither digit nor separator.
    NotDigits {
        /// What was given.
        given: String,
    },
    /// Separators that stand where no code is divided, as in `300215009.0`.
    Separators {
        /// What was given.
        given: String,
    },
    /// 5, 7, 9 or 12 digits: a leading zero was probably lost.
    LostZero {
        /// The digits given.
        given: String,
        /// How many.
        length: usize,
    },
    /// 11 digits: the form of export-rebate tables.
    Rebate {
        /// The digits given.
        given: String,
    },
    /// Any other length.
    Length {
        /// The digits given.
        given: String,
        /// How many.
        length: usize,
    },
    /// Chapter 00 does not exist.
    Chapter {
        /// The digits given.
        given: String,
    },
}

impl HsCodeError {
    fn length(digits: &str, length: usize) -> Self {
        let given = excerpt(digits);
        match length {
            5 | 7 | 9 | 12 => Self::LostZero { given, length },
            11 => Self::Rebate { given },
            _ => Self::Length { given, length },
        }
    }
}

impl Refusal for HsCodeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "HS_CODE_MISSING",
            Self::TooLong { .. } => "HS_CODE_TOO_LONG",
            Self::Scientific { .. } => "HS_CODE_SCIENTIFIC_NOTATION",
            Self::NotDigits { .. } => "HS_CODE_NOT_DIGITS",
            Self::Separators { .. } => "HS_CODE_SEPARATORS",
            Self::LostZero { .. } => "HS_CODE_LOST_ZERO",
            Self::Rebate { .. } => "HS_CODE_REBATE_FORM",
            Self::Length { .. } => "HS_CODE_LENGTH",
            Self::Chapter { .. } => "HS_CODE_CHAPTER",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Missing => "no HS code was given; give the 10 digits of the declaration".into(),
            Self::TooLong { bytes } => {
                format!("the HS code is {bytes} bytes long; at most {INPUT_BYTES_MAX} are read")
            }
            Self::Scientific { given } => format!(
                "`{given}` is scientific notation: a spreadsheet threw digits away and they cannot be recovered; format the column as text and type the code again"
            ),
            Self::NotDigits { given } => {
                format!(
                    "`{given}` holds something other than digits; give digits only, as in 2941301100"
                )
            }
            Self::Separators { given } => format!(
                "`{given}` is divided where no HS code is divided; give digits only, as in 2941301100"
            ),
            Self::LostZero { given, length } => format!(
                "`{given}` has {length} digits: a leading zero may have been lost; look the code up, it is not padded here"
            ),
            Self::Rebate { given } => format!(
                "`{given}` has 11 digits, the form of export-rebate tables; give the 10 digits of the declaration"
            ),
            Self::Length { given, length } => format!(
                "`{given}` has {length} digits; an HS code has 6, 8 or 10, or 13 with the CIQ suffix"
            ),
            Self::Chapter { given } => {
                format!("`{given}` begins with 00; chapters are 01 to 99")
            }
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Missing => "未填商品编号；请填报关单上的10位编号".into(),
            Self::TooLong { bytes } => {
                format!("商品编号长达{bytes}字节；最多读取{INPUT_BYTES_MAX}字节")
            }
            Self::Scientific { given } => format!(
                "`{given}`是科学计数法：电子表格已丢失部分数字，无法恢复；请把该列设为文本格式后重新填写"
            ),
            Self::NotDigits { given } => {
                format!("`{given}`含有数字以外的字符；请只填数字，如2941301100")
            }
            Self::Separators { given } => {
                format!("`{given}`的分隔位置不是商品编号的分段位置；请只填数字，如2941301100")
            }
            Self::LostZero { given, length } => {
                format!("`{given}`只有{length}位：可能丢失了前导零；请核对编号，本系统不补零")
            }
            Self::Rebate { given } => {
                format!("`{given}`为11位，是出口退税表的格式；请填报关单上的10位编号")
            }
            Self::Length { given, length } => {
                format!("`{given}`为{length}位；商品编号应为6、8或10位，带检验检疫附加码时为13位")
            }
            Self::Chapter { given } => format!("`{given}`以00开头；章号为01至99"),
        }
    }
}

/// A code as typed, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedHsCode {
    /// The code.
    pub code: HsCode,
    /// The 3-digit CIQ suffix of a 13-digit code.
    pub ciq_suffix: Option<String>,
    /// What was changed.
    pub steps: Vec<Step>,
}

/// Reads a code as brokers type it.
///
/// Full-width digits, the separators `.`, `-` and space are folded and reported, if they stand
/// at 2, 4, 6, 8 or 10 digits; 13 digits are split into 10 and the CIQ suffix.
///
/// # Errors
/// Names what is wrong; nothing is padded, cut or guessed.
pub fn parse(given: &str) -> Result<ParsedHsCode, HsCodeError> {
    if given.len() > INPUT_BYTES_MAX {
        return Err(HsCodeError::TooLong { bytes: given.len() });
    }
    let mut steps = Vec::new();
    let visible: String = given.chars().filter(|c| !is_invisible(*c)).collect();
    let narrow: String = visible.trim().chars().map(to_half_width).collect();
    if narrow.is_empty() {
        return Err(HsCodeError::Missing);
    }
    Step::record(&mut steps, "half-width", given, &narrow);
    if looks_scientific(&narrow) {
        return Err(HsCodeError::Scientific { given: excerpt(given) });
    }
    let mut digits = String::with_capacity(13);
    let mut misplaced = false;
    for c in narrow.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else if matches!(c, '.' | '-' | ' ') {
            misplaced |= !matches!(digits.len(), 2 | 4 | 6 | 8 | 10);
        } else {
            return Err(HsCodeError::NotDigits { given: excerpt(given) });
        }
    }
    if misplaced {
        return Err(HsCodeError::Separators { given: excerpt(given) });
    }
    Step::record(&mut steps, "code-separators", &narrow, &digits);
    let mut ciq_suffix = None;
    if digits.len() == 13
        && let Some((code, suffix)) = digits.split_at_checked(10)
    {
        ciq_suffix = Some(suffix.to_owned());
        Step::record(&mut steps, "ciq-suffix", &digits, code);
        digits = code.to_owned();
    }
    Ok(ParsedHsCode { code: HsCode::from_digits(&digits)?, ciq_suffix, steps })
}

fn to_half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '．' => '.',
        c if is_dash(c) => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// `3.00215E+09`, `3.002e9`: digits, an `e`, digits.
fn looks_scientific(given: &str) -> bool {
    let Some((mantissa, exponent)) = given.trim().split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits_and_point = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    mantissa.starts_with(|c: char| c.is_ascii_digit())
        && digits_and_point(mantissa)
        && !exponent.is_empty()
        && exponent.bytes().all(|b| b.is_ascii_digit())
}
