//! A question, parsed once: every field validated, every refusal named.

use jiff::civil::Date;

use super::cas_number::{self, CasNumber};
use super::customs_district::CustomsDistrict;
use super::entry::Use;
use super::field::{Field, Step};
use super::hs_code::{self, HsCode};
use super::list::List;
use super::material_name::{MaterialName, is_dash, is_invisible};
use super::message::{Refusal, excerpt};
use super::quantity::Quantity;
use super::uscc::{self, Uscc};

/// Longest specification, in bytes: the declaration field holds 255 characters
/// (docs/sources.md#declaration-message), four bytes each at most.
pub const SPECIFICATION_BYTES_MAX: usize = 1_020;
/// Longest manufacturer, in bytes: 100 characters of four bytes.
pub const MANUFACTURER_BYTES_MAX: usize = 400;
/// Longest scheme id, in bytes.
pub const SCHEME_BYTES_MAX: usize = 64;
/// Longest correlation id, in bytes: a label, not a document.
pub const CORRELATION_ID_BYTES_MAX: usize = 128;
/// Years a declaration can bear. Customs keeps no declaration older than this service's subject,
/// and a year outside is a typing error.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// A question as it arrived: texts, empty where nothing was given.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the fields of the API, documented there")]
pub struct RawQuestion<'a> {
    pub hs_code: &'a str,
    pub material_name: &'a str,
    pub cas_number: &'a str,
    pub end_user_uscc: &'a str,
    pub specification: &'a str,
    pub manufacturer: &'a str,
    pub quantity: Option<(&'a str, &'a str)>,
    pub customs_district: &'a str,
    pub intended_use: Option<Use>,
    pub scheme: &'a str,
    /// Year, month, day.
    pub declaration_date: Option<(i32, i32, i32)>,
    pub correlation_id: &'a str,
}

/// A question whose every field is a validated value.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields of the API, documented there")]
pub struct Question {
    pub hs_code: HsCode,
    pub name: Option<MaterialName>,
    pub cas: Option<CasNumber>,
    pub end_user: Option<Uscc>,
    pub specification: Option<ComparedText>,
    pub manufacturer: Option<ComparedText>,
    pub quantity: Option<Quantity>,
    pub customs_district: Option<CustomsDistrict>,
    pub intended_use: Option<Use>,
    /// Index into the list's schemes.
    pub scheme: Option<usize>,
    pub declaration_date: Date,
    /// What was changed, field by field.
    pub steps: Vec<(Field, Step)>,
}

/// One field that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field.
    pub field: Field,
    /// Stable name of the reason.
    pub reason: &'static str,
    /// What happened and what to do, in English.
    pub english: String,
    /// The same in Chinese.
    pub chinese: String,
}

impl Violation {
    /// The refusal of a value, at its field.
    #[must_use]
    pub fn of(field: Field, refusal: &dyn Refusal) -> Self {
        Self {
            field,
            reason: refusal.reason(),
            english: refusal.english(),
            chinese: refusal.chinese(),
        }
    }

    /// A refusal with its texts.
    #[must_use]
    pub fn new(
        field: Field,
        reason: &'static str,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self { field, reason, english: english.into(), chinese: chinese.into() }
    }
}

/// A text that is compared whole, apart from width, spaces, dashes and traditional characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedText {
    given: Box<str>,
    key: String,
}

impl ComparedText {
    fn new(given: &str, key: String) -> Self {
        Self { given: given.into(), key }
    }

    /// As given.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// As compared.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether a listed specification is the same. Case counts: `mM` is not `MM`.
    #[must_use]
    pub fn is_specification(&self, listed: &str) -> bool {
        self.key == specification_key(listed)
    }

    /// Whether a listed manufacturer is the same.
    #[must_use]
    pub fn is_manufacturer(&self, listed: &str) -> bool {
        self.key == manufacturer_key(listed)
    }
}

/// Width, dashes and spaces folded. No NFKC: it would read 10⁸ as 108.
fn specification_key(text: &str) -> String {
    let narrow =
        text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            'μ' => 'µ', // U+03BC to U+00B5
            c if is_dash(c) => '-',
            c => c,
        });
    super::material_name::fold_traditional(&narrow.collect::<String>())
}

fn manufacturer_key(text: &str) -> String {
    specification_key(text).to_lowercase()
}

impl Question {
    /// Parses a question against the list it will be asked of; `today` is the default
    /// declaration date.
    ///
    /// # Errors
    /// Every field that was refused, not the first.
    pub fn parse(raw: &RawQuestion<'_>, list: &List, today: Date) -> Result<Self, Vec<Violation>> {
        let mut reader = Reader::default();
        let hs_code =
            reader.keep(Field::HsCode, hs_code::parse(raw.hs_code).map(|p| (p.code, p.steps)));
        let mut name = optional(raw.material_name).and_then(|given| {
            let read = MaterialName::parse(given).map(|name| {
                let steps = name.steps().to_vec();
                (name, steps)
            });
            reader.keep(Field::MaterialName, read)
        });
        let mut cas = optional(raw.cas_number)
            .and_then(|given| reader.keep(Field::CasNumber, cas_number::parse(given)));
        let end_user = optional(raw.end_user_uscc)
            .and_then(|given| reader.keep(Field::EndUserUscc, uscc::parse(given)));
        if raw.material_name.is_empty() && raw.cas_number.is_empty() {
            reader.refused.push(Violation::new(
                Field::MaterialName,
                "NAME_OR_CAS_MISSING",
                "neither a material name nor a CAS number was given; give at least one",
                "未填物品名称或CAS号；请至少填写一项",
            ));
        }
        reconcile_cas(&mut name, &mut cas, &mut reader.refused);
        let (field, max) = (Field::Specification, SPECIFICATION_BYTES_MAX);
        let specification = reader.compared(raw.specification, field, max, specification_key);
        let (field, max) = (Field::Manufacturer, MANUFACTURER_BYTES_MAX);
        let manufacturer = reader.compared(raw.manufacturer, field, max, manufacturer_key);
        let quantity = raw
            .quantity
            .and_then(|(value, unit)| reader.plain(Field::Quantity, Quantity::parse(value, unit)));
        let customs_district = optional(raw.customs_district)
            .and_then(|given| reader.plain(Field::CustomsDistrict, CustomsDistrict::parse(given)));
        let Reader { mut refused, steps } = reader;
        let scheme = optional(raw.scheme).and_then(|given| {
            find_scheme(given, list).map_err(|violation| refused.push(violation)).ok()
        });
        let label = raw.correlation_id;
        if label.len() > CORRELATION_ID_BYTES_MAX {
            refused.push(too_long(Field::CorrelationId, label, CORRELATION_ID_BYTES_MAX));
        }
        let declaration_date = raw.declaration_date.map_or(Some(today), |given| {
            let read = civil_date(given);
            if read.is_none() {
                refused.push(bad_date(given));
            }
            read
        });
        match (hs_code, declaration_date) {
            (Some(hs_code), Some(declaration_date)) if refused.is_empty() => Ok(Self {
                hs_code,
                name,
                cas,
                end_user,
                specification,
                manufacturer,
                quantity,
                customs_district,
                intended_use: raw.intended_use,
                scheme,
                declaration_date,
                steps,
            }),
            _ => Err(refused),
        }
    }
}

/// Collects what was refused and what was changed.
#[derive(Default)]
struct Reader {
    refused: Vec<Violation>,
    steps: Vec<(Field, Step)>,
}

impl Reader {
    fn keep<T>(&mut self, field: Field, read: Result<(T, Vec<Step>), impl Refusal>) -> Option<T> {
        match read {
            Ok((value, steps)) => {
                self.steps.extend(steps.into_iter().map(|step| (field, step)));
                Some(value)
            }
            Err(error) => {
                self.refused.push(Violation::of(field, &error));
                None
            }
        }
    }

    /// A value that nothing is changed of.
    fn plain<T>(&mut self, field: Field, read: Result<T, impl Refusal>) -> Option<T> {
        self.keep(field, read.map(|value| (value, Vec::new())))
    }

    /// A text that is compared whole; only spaces say nothing.
    fn compared(
        &mut self,
        given: &str,
        field: Field,
        bytes_max: usize,
        key: fn(&str) -> String,
    ) -> Option<ComparedText> {
        if given.is_empty() {
            return None;
        }
        if given.len() > bytes_max {
            self.refused.push(too_long(field, given, bytes_max));
            return None;
        }
        let key = key(given);
        if key.is_empty() {
            return None;
        }
        let mut changed = Vec::new();
        Step::record(&mut changed, "text-form", given, &key);
        self.steps.extend(changed.into_iter().map(|step| (field, step)));
        Some(ComparedText::new(given, key))
    }
}

/// A scheme by its id.
///
/// # Errors
/// Names the schemes that exist.
pub fn find_scheme(given: &str, list: &List) -> Result<usize, Violation> {
    if let Some(found) = list.scheme_by_id(given) {
        return Ok(found);
    }
    let mut known: Vec<&str> = list.schemes().iter().map(|s| &*s.id).collect();
    known.sort_by_key(|id| strsim::osa_distance(id, &excerpt(given)));
    known.truncate(8);
    let known = known.join(", ");
    Err(Violation::new(
        Field::Scheme,
        "SCHEME_UNKNOWN",
        format!("the list has no scheme `{}`; it has {known}", excerpt(given)),
        format!("清单中没有方案`{}`；现有：{known}", excerpt(given)),
    ))
}

/// A CAS number that came with the name is the question's; two that differ contradict.
fn reconcile_cas(
    name: &mut Option<MaterialName>,
    cas: &mut Option<CasNumber>,
    refused: &mut Vec<Violation>,
) {
    let Some(parsed) = name else { return };
    let whole = parsed.as_cas();
    if let Some(in_name) = whole.or(parsed.cas()) {
        match *cas {
            Some(given) if given != in_name => refused.push(Violation::new(
                Field::CasNumber,
                "CAS_CONTRADICTS_NAME",
                format!("cas_number is {given} and the name says {in_name}; give one of them"),
                format!("CAS号为{given}，而名称中为{in_name}；请只保留正确的一个"),
            )),
            _ => *cas = Some(in_name),
        }
    }
    if whole.is_some() {
        *name = None;
    }
}

fn optional(given: &str) -> Option<&str> {
    (!given.is_empty()).then_some(given)
}

fn too_long(field: Field, given: &str, bytes_max: usize) -> Violation {
    Violation::new(
        field,
        "FIELD_TOO_LONG",
        format!("{} is {} bytes long; at most {bytes_max} are accepted", field.name(), given.len()),
        format!("{}长达{}字节；最多{bytes_max}字节", field.name(), given.len()),
    )
}

/// A full civil date in a year a declaration can bear.
#[must_use]
pub fn civil_date((year, month, day): (i32, i32, i32)) -> Option<Date> {
    if !YEARS.contains(&year) {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn bad_date((year, month, day): (i32, i32, i32)) -> Violation {
    let given = format!("{year:04}-{month:02}-{day:02}");
    let (from, to) = (YEARS.start(), YEARS.end());
    Violation::new(
        Field::DeclarationDate,
        "DATE_INVALID",
        format!(
            "{given} is no full date between {from} and {to}; give year, month and day, or leave the date out for today"
        ),
        format!("{given}不是{from}至{to}年间的完整日期；请填年、月、日，或不填（默认今天）"),
    )
}
