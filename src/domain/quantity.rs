//! Decimal quantities with units that convert only where they truly do.
//!
//! Mass compares with mass and volume with volume. A counted unit compares with itself alone:
//! a 瓶 has no mass, and a 支 is not a 瓶. Activity (IU, U) has no mass either.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;

use super::message::{Refusal, excerpt};

/// Most digits before the point: the declaration field is decimal(19,5)
/// (docs/sources.md#declaration-message).
const INTEGER_DIGITS_MAX: usize = 14;
/// Most digits after the point: five of the declaration field, and nanograms of a gram.
const FRACTION_DIGITS_MAX: usize = 9;

/// What a unit measures. Only units of one dimension compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    /// In grams times ten to the power.
    Mass(i32),
    /// In litres times ten to the power.
    Volume(i32),
    /// Compares with itself alone.
    Own,
}

/// A row of the table below.
#[derive(Debug, PartialEq, Eq)]
struct Measure {
    name: &'static str,
    dimension: Dimension,
}

/// A unit of the table below. Its names differ, so equal rows are one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit(&'static Measure);

impl Unit {
    /// Canonical name. Example: `g`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Reads a unit, in English or Chinese.
    ///
    /// # Errors
    /// [`QuantityError::Unit`] for a unit outside the table.
    pub fn parse(given: &str) -> Result<Self, QuantityError> {
        let wanted = given.trim();
        let known = UNITS.iter().find(|(_, spellings)| spellings.contains(&wanted));
        let known = known.or_else(|| {
            // Latin spellings are read in any case but for the symbols, where `M` is not `m`.
            let lower = wanted.to_lowercase();
            UNITS.iter().find(|(_, spellings)| {
                lower.chars().count() > 2 && spellings.contains(&lower.as_str())
            })
        });
        known
            .map(|(measure, _)| Self(measure))
            .ok_or_else(|| QuantityError::Unit { given: excerpt(given) })
    }
}

const fn unit(name: &'static str, dimension: Dimension) -> Measure {
    Measure { name, dimension }
}

/// Every unit and its spellings. A Chinese measure word and an English container are one unit
/// only where they mean the same container.
#[rustfmt::skip]
static UNITS: &[(Measure, &[&str])] = &[
    (unit("t", Dimension::Mass(6)), &["t", "吨", "公吨", "tonne", "tonnes"]),
    (unit("kg", Dimension::Mass(3)), &["kg", "KG", "Kg", "千克", "公斤", "kilogram", "kilograms"]),
    (unit("g", Dimension::Mass(0)), &["g", "克", "gram", "grams"]),
    (unit("mg", Dimension::Mass(-3)), &["mg", "毫克", "milligram", "milligrams"]),
    (unit("µg", Dimension::Mass(-6)), &["µg", "μg", "ug", "mcg", "微克", "microgram", "micrograms"]),
    (unit("ng", Dimension::Mass(-9)), &["ng", "纳克", "nanogram", "nanograms"]),
    (unit("L", Dimension::Volume(0)), &["L", "l", "升", "litre", "litres", "liter", "liters"]),
    (unit("mL", Dimension::Volume(-3)), &["mL", "ml", "ML", "毫升", "millilitre", "millilitres", "milliliter", "milliliters"]),
    (unit("µL", Dimension::Volume(-6)), &["µL", "μL", "µl", "μl", "uL", "ul", "微升", "microlitre", "microlitres", "microliter", "microliters"]),
    (unit("IU", Dimension::Own), &["IU", "国际单位"]),
    (unit("U", Dimension::Own), &["U", "活性单位"]),
    (unit("支", Dimension::Own), &["支"]),
    (unit("瓶", Dimension::Own), &["瓶", "bottle", "bottles"]),
    (unit("vial", Dimension::Own), &["vial", "vials", "小瓶", "西林瓶"]),
    (unit("盒", Dimension::Own), &["盒", "box", "boxes"]),
    (unit("套", Dimension::Own), &["套", "set", "sets"]),
    (unit("试剂盒", Dimension::Own), &["试剂盒", "kit", "kits"]),
    (unit("份", Dimension::Own), &["份"]),
    (unit("人份", Dimension::Own), &["人份", "test", "tests"]),
    (unit("管", Dimension::Own), &["管", "tube", "tubes"]),
    (unit("袋", Dimension::Own), &["袋", "bag", "bags"]),
    (unit("包", Dimension::Own), &["包", "pack", "packs"]),
    (unit("桶", Dimension::Own), &["桶", "drum", "drums"]),
    (unit("片", Dimension::Own), &["片", "tablet", "tablets"]),
    (unit("粒", Dimension::Own), &["粒", "capsule", "capsules"]),
    (unit("株", Dimension::Own), &["株", "strain", "strains"]),
    (unit("件", Dimension::Own), &["件"]),
    (unit("个", Dimension::Own), &["个", "piece", "pieces", "pcs"]),
];

/// A quantity above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    value: Decimal,
    unit: Unit,
}

impl Quantity {
    /// Reads a value and a unit.
    ///
    /// # Errors
    /// Names what is wrong with either; no exponent, grouping, sign or default is read.
    pub fn parse(value: &str, unit: &str) -> Result<Self, QuantityError> {
        Ok(Self { value: parse_value(value)?, unit: Unit::parse(unit)? })
    }

    /// The value, exactly as many digits as were given.
    #[must_use]
    pub const fn value(&self) -> Decimal {
        self.value
    }

    /// The unit.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Compares the amounts; `None` where one unit does not convert into the other.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (mine, theirs) = match (self.unit.0.dimension, other.unit.0.dimension) {
            (Dimension::Mass(a), Dimension::Mass(b))
            | (Dimension::Volume(a), Dimension::Volume(b))
                if a != b =>
            {
                (a, b)
            }
            _ if self.unit == other.unit => return Some(self.value.cmp(&other.value)),
            _ => return None,
        };
        // The larger unit is scaled up to the smaller, which is exact. A value too large for that
        // (over 10^28 of the smaller unit) exceeds whatever 14 digits of the smaller can say.
        let base = mine.min(theirs);
        Some(match (scale(self.value, mine - base), scale(other.value, theirs - base)) {
            (Some(mine), Some(theirs)) => mine.cmp(&theirs),
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
        })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit.name())
    }
}

/// `value` times ten to the power of `power`, which is not negative; `None` on overflow.
fn scale(value: Decimal, power: i32) -> Option<Decimal> {
    let factor = 10_i64.checked_pow(u32::try_from(power).ok()?)?;
    value.checked_mul(Decimal::from(factor))
}

fn parse_value(given: &str) -> Result<Decimal, QuantityError> {
    let form = || QuantityError::Value { given: excerpt(given) };
    let (integer, fraction) = given.split_once('.').unwrap_or((given, "0"));
    let digits =
        |s: &str, max: usize| (1..=max).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(integer, INTEGER_DIGITS_MAX) || !digits(fraction, FRACTION_DIGITS_MAX) {
        return Err(form());
    }
    let value = Decimal::from_str_exact(given).map_err(|_not_decimal| form())?;
    if value.is_zero() {
        return Err(QuantityError::Zero);
    }
    Ok(value)
}

/// Splits `20 g` or `20g` into value and unit, for people who type both in one field.
#[must_use]
pub fn split(given: &str) -> (&str, &str) {
    let given = given.trim();
    let end = given.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(given.len());
    let (value, unit) = given.split_at_checked(end).unwrap_or((given, ""));
    (value, unit.trim())
}

/// Why a quantity was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantityError {
    /// The value is not a plain decimal.
    Value {
        /// What was given.
        given: String,
    },
    /// The value is zero.
    Zero,
    /// The unit is not known.
    Unit {
        /// What was given.
        given: String,
    },
}

impl Refusal for QuantityError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Value { .. } => "QUANTITY_VALUE",
            Self::Zero => "QUANTITY_ZERO",
            Self::Unit { .. } => "QUANTITY_UNIT",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Value { given } => format!(
                "`{given}` is not a plain decimal; give digits with at most {INTEGER_DIGITS_MAX} before and {FRACTION_DIGITS_MAX} after the point, as in 20.5"
            ),
            Self::Zero => "the quantity is zero; give what is shipped, or leave it out".into(),
            Self::Unit { given } => format!(
                "`{given}` is not a known unit; use one such as kg, g, mg, µg, L, mL, IU, 支, 瓶, 盒"
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Value { given } => format!(
                "`{given}`不是普通小数；整数部分最多{INTEGER_DIGITS_MAX}位、小数部分最多{FRACTION_DIGITS_MAX}位，如20.5"
            ),
            Self::Zero => "数量为零；请填实际数量，或不填".into(),
            Self::Unit { given } => {
                format!("`{given}`不是已知单位；请用 kg、g、mg、µg、L、mL、IU、支、瓶、盒 等")
            }
        }
    }
}
