//! Schemes, enterprises and entries: the three kinds of row of a list, as validated values.

use std::sync::Arc;

use jiff::civil::Date;

use super::cas_number::CasNumber;
use super::customs_district::CustomsDistrict;
use super::hs_code::HsCode;
use super::quantity::Quantity;
use super::uscc::Uscc;

/// What goods are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// The end user's own research and development.
    Research,
    /// Clinical use or clinical trials.
    Clinical,
    /// Sale or any transfer to others.
    Sale,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 3] = [Self::Research, Self::Clinical, Self::Sale];

    /// Its name in list files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Research => "research",
            Self::Clinical => "clinical",
            Self::Sale => "sale",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn parse(given: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|u| u.name().eq_ignore_ascii_case(given.trim()))
    }
}

/// How a scheme lists goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Row by row.
    Rows,
    /// By enterprise: the goods follow from the enterprise.
    Directory,
}

/// One set of public rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Identifier. Example: `beijing-2022`.
    pub id: Box<str>,
    /// Chinese name.
    pub name_zh: Box<str>,
    /// English name.
    pub name_en: Box<str>,
    /// Authority that leads it.
    pub authority: Box<str>,
    /// How it lists goods.
    pub listing: Listing,
    /// Where its rows may be declared; empty = anywhere.
    pub customs_districts: Box<[CustomsDistrict]>,
    /// Documents it waives, with their namespace. Example: `supervision:Q`.
    pub waived_documents: Box<[Box<str>]>,
    /// Sentence for the declaration's remarks; may be empty.
    pub remark_text: Box<str>,
    /// Uses it permits; never empty.
    pub permitted_use: Box<[Use]>,
    /// Notice it rests on.
    pub legal_basis: Box<str>,
    /// Goods it excludes, in words.
    pub exclusions: Box<[Box<str>]>,
}

/// State of an enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterpriseState {
    /// In good standing.
    Active,
    /// Suspended for now.
    Suspended,
    /// Banned from using any row.
    Banned,
}

/// The end user a row is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enterprise {
    /// Its code.
    pub uscc: Uscc,
    /// Chinese name.
    pub name_zh: Box<str>,
    /// English name; may be empty.
    pub name_en: Box<str>,
    /// Its state, within `state_from..=state_until`.
    pub state: EnterpriseState,
    /// First day of the state; `None` = since ever.
    pub state_from: Option<Date>,
    /// Last day of the state; `None` = until changed.
    pub state_until: Option<Date>,
    /// Document it comes from.
    pub source_document: Box<str>,
}

impl Enterprise {
    /// Whether the recorded state holds on `day`. A suspension or a ban holds only within its
    /// window; before and after it the enterprise is active. An active state with a window is
    /// active only within it.
    #[must_use]
    pub fn state_on(&self, day: Date) -> EnterpriseStanding {
        let within = self.state_from.is_none_or(|from| from <= day)
            && self.state_until.is_none_or(|until| day <= until);
        match (self.state, within) {
            (EnterpriseState::Active, true)
            | (EnterpriseState::Suspended | EnterpriseState::Banned, false) => {
                EnterpriseStanding::Active
            }
            (EnterpriseState::Active, false) => EnterpriseStanding::NotActive,
            (EnterpriseState::Suspended, true) => EnterpriseStanding::Suspended,
            (EnterpriseState::Banned, true) => EnterpriseStanding::Banned,
        }
    }
}

/// How an enterprise stands on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterpriseStanding {
    /// Its rows may be used.
    Active,
    /// Outside the window of its active state.
    NotActive,
    /// Suspended.
    Suspended,
    /// Banned.
    Banned,
}

/// What a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// One material.
    Item,
    /// A class of materials: never clears on its own.
    Class,
}

/// State of a row, apart from its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// In force within its dates.
    Active,
    /// Suspended for now.
    Suspended,
    /// Withdrawn for good.
    Withdrawn,
}

/// A name as listed, and its normal form. Shared by all rows that bear it: a clone is no copy,
/// and what one row brought from memory the next finds there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedName {
    /// As listed.
    pub text: Arc<str>,
    /// In normal form.
    pub normal: Arc<str>,
}

/// One row: a material listed for one enterprise under one scheme.
///
/// What a decision reads stands together, behind what only an answer shows: a row that is not
/// in the cache costs as many waits as it has parts that are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Identifier, unique in the list.
    pub id: Box<str>,
    /// Batch as published; may be empty.
    pub batch: Box<str>,
    /// Country of origin as recorded; may be empty.
    pub origin_country: Box<str>,
    /// Purpose applied for; may be empty.
    pub purpose: Box<str>,
    /// Document it comes from; may be empty.
    pub source_document: Box<str>,
    /// Recorded synonyms.
    pub synonyms: Box<[ListedName]>,
    /// Where it may be declared; empty = as the scheme says.
    pub customs_districts: Box<[CustomsDistrict]>,
    /// The scheme, as an index into [`List::schemes`](super::list::List::schemes).
    pub scheme: usize,
    /// The enterprise, as an index into [`List::enterprises`](super::list::List::enterprises).
    pub enterprise: usize,
    /// Chinese name; `None` in a directory row.
    pub name_zh: Option<ListedName>,
    /// English name.
    pub name_en: Option<ListedName>,
    /// Specification it is limited to; may be empty.
    pub specification: Box<str>,
    /// Manufacturer it is limited to; may be empty.
    pub manufacturer: Box<str>,
    /// CAS number.
    pub cas: Option<CasNumber>,
    /// Total quantity.
    pub quantity: Option<Quantity>,
    /// First day of validity.
    pub valid_from: Option<Date>,
    /// Last day of validity.
    pub valid_to: Option<Date>,
    /// Code as listed; `None` in a directory row.
    pub hs_code: Option<HsCode>,
    /// What the row names.
    pub kind: EntryKind,
    /// State.
    pub state: EntryState,
}

impl Entry {
    /// Every name of the row: Chinese, English, synonyms.
    pub fn names(&self) -> impl Iterator<Item = &ListedName> {
        self.name_zh.iter().chain(&self.name_en).chain(&self.synonyms)
    }

    /// Whether the row names an enterprise and no material.
    #[must_use]
    pub const fn is_directory_row(&self) -> bool {
        self.name_zh.is_none()
    }
}
