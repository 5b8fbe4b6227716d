//! Customs codes (关区代码): four digits, the first two name the direct customs.

use std::fmt;

use super::message::{Refusal, excerpt};

/// A customs code of four digits. Example: `0100`, all of Beijing Customs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomsDistrict(u16);

impl CustomsDistrict {
    /// Reads four ASCII digits.
    ///
    /// # Errors
    /// [`CustomsDistrictError`] for anything else.
    pub fn parse(given: &str) -> Result<Self, CustomsDistrictError> {
        let refused = || CustomsDistrictError { given: excerpt(given) };
        if given.len() != 4 || !given.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused());
        }
        given.parse().map(Self).map_err(|_not_a_number| refused())
    }

    /// Whether a listed code covers a declared one: the same, or `XX00`, which names the whole
    /// district of a direct customs (docs/sources.md#customs-districts).
    #[must_use]
    pub const fn covers(self, declared: Self) -> bool {
        self.0 == declared.0 || (self.0.is_multiple_of(100) && self.0 / 100 == declared.0 / 100)
    }
}

impl fmt::Display for CustomsDistrict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// The code is not four digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomsDistrictError {
    /// What was given.
    pub given: String,
}

impl Refusal for CustomsDistrictError {
    fn reason(&self) -> &'static str {
        "CUSTOMS_DISTRICT_FORM"
    }

    fn english(&self) -> String {
        format!("`{}` is not a customs code; give its 4 digits, as in 0100", self.given)
    }

    fn chinese(&self) -> String {
        format!("`{}`不是关区代码；请填4位数字，如0100", self.given)
    }
}
