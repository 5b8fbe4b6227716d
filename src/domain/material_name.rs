//! The one normal form in which names are compared, version 1, step by named step.
//!
//! Specified in `docs/normalization.md`; every step there is one function here, in the same
//! order. Two names are the same name exactly when their normal forms are equal bytes. What is
//! identity (digit runs, Greek letters, salts, species, forms, purity, case of formulas) is
//! never touched. Pure: no I/O, no state.

use std::borrow::Cow;

use super::cas_number::{self, CasError, CasNumber};
use super::field::Step;
use super::message::Refusal;

mod attributes;
mod characters;
mod formula;
mod separators;
mod simplified;

pub(crate) use characters::is_han;
pub(crate) use characters::passes_for_another;
pub use characters::{is_dash, is_invisible};

/// Version of the normal form; part of every decision. A change of any step is a new version.
pub const NORMAL_FORM_VERSION: u32 = 1;

/// Longest accepted name, in UTF-8 bytes before normalization: the declaration field holds
/// 255 characters (docs/sources.md#declaration-message), four bytes each at most.
pub const MAX_BYTES: usize = 1_020;

/// How often the steps may run over one name. The tests know of no name that needs more than
/// three; one that does not settle has no normal form and is refused.
const PASSES_MAX: usize = 8;

/// A name in its normal form, with what was given and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialName {
    given: Box<str>,
    normal: Box<str>,
    steps: Vec<Step>,
    cas: Option<CasNumber>,
    broken_cas: Option<CasError>,
    has_look_alikes: bool,
}

impl MaterialName {
    /// Normalizes a name.
    ///
    /// # Errors
    /// [`NameError`] says what cannot be part of a name.
    pub fn parse(given: &str) -> Result<Self, NameError> {
        if given.len() > MAX_BYTES {
            return Err(NameError::TooLong { bytes: given.len() });
        }
        characters::check(given)?;
        let mut steps = Vec::new();
        let mut cas = None;
        let mut normal = given.to_owned();
        let mut settled = false;
        for _pass in 0..PASSES_MAX {
            let next = pass(&normal, &mut steps, &mut cas);
            settled = next == normal;
            normal = next;
            if settled {
                break;
            }
        }
        if !settled {
            return Err(NameError::Unsettled);
        }
        if !normal.chars().any(char::is_alphanumeric) {
            return Err(NameError::Empty);
        }
        Ok(Self {
            broken_cas: attributes::broken_cas(&normal),
            has_look_alikes: characters::has_look_alikes(&normal),
            given: given.into(),
            normal: normal.into(),
            steps,
            cas,
        })
    }

    /// The name as it was given.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The normal form.
    #[must_use]
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// Each step that changed the name.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the name holds letters or digits that pass for others: any script besides Latin,
    /// Greek and Han, digits besides ASCII, and Greek capitals drawn like Latin ones.
    #[must_use]
    pub const fn has_look_alikes(&self) -> bool {
        self.has_look_alikes
    }

    /// The CAS number that stood behind the name, as in `DMSO (CAS 67-68-5)`.
    #[must_use]
    pub const fn cas(&self) -> Option<CasNumber> {
        self.cas
    }

    /// A CAS number in the name whose check digit is wrong; it stays part of the name.
    #[must_use]
    pub const fn broken_cas(&self) -> Option<&CasError> {
        self.broken_cas.as_ref()
    }

    /// The number, where the whole name is one: `67-68-5`, `CAS 67-68-5`, `CAS号：67-68-5`.
    #[must_use]
    pub fn as_cas(&self) -> Option<CasNumber> {
        attributes::whole_cas(&self.normal).and_then(|digits| cas_number::from_exact(&digits).ok())
    }
}

/// Traditional characters to simplified, for texts that are not names.
pub(crate) fn fold_traditional(text: &str) -> String {
    simplified::fold_traditional(text).unwrap_or_else(|| text.to_owned())
}

/// All steps once, in the order of the specification.
fn pass(given: &str, steps: &mut Vec<Step>, cas: &mut Option<CasNumber>) -> String {
    let mut text = Cow::Borrowed(given);
    if !text.chars().all(characters::is_plain) {
        step(&mut text, steps, "invisible", characters::without_invisible);
        step(&mut text, steps, "trademark-signs", characters::without_trademark_signs);
        step(&mut text, steps, "primes", characters::fold_primes);
        step(&mut text, steps, "nfkc", characters::nfkc);
        step(&mut text, steps, "dashes", characters::fold_dashes);
        step(&mut text, steps, "brackets", characters::fold_brackets);
        step(&mut text, steps, "middle-dots", characters::fold_middle_dots);
        step(&mut text, steps, "greek-look-alikes", characters::fold_greek_look_alikes);
    }
    if !text.is_ascii() {
        step(&mut text, steps, "simplified", simplified::fold_traditional);
        step(&mut text, steps, "current-characters", simplified::fold_old);
    }
    step(&mut text, steps, "white-space", characters::fold_white_space);
    step(&mut text, steps, "greek-names", characters::fold_greek_names);
    let (bare, found) = attributes::split(&text);
    if let Some(bare) = bare {
        Step::record(steps, "attributes", &text, &bare);
        text = Cow::Owned(bare);
        *cas = cas.or(found);
    }
    step(&mut text, steps, "separators", separators::drop_free);
    step(&mut text, steps, "case", formula::fold_case);
    text.into_owned()
}

/// Runs one step and records it if it changed anything.
fn step(
    text: &mut Cow<'_, str>,
    steps: &mut Vec<Step>,
    name: &'static str,
    change: impl Fn(&str) -> Option<String>,
) {
    if let Some(after) = change(text) {
        Step::record(steps, name, text, &after);
        *text = Cow::Owned(after);
    }
}

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// Longer than [`MAX_BYTES`].
    TooLong {
        /// Length in bytes.
        bytes: usize,
    },
    /// No letter or digit is left to compare.
    Empty,
    /// A control or direction-changing character.
    Control {
        /// The character.
        character: char,
    },
    /// A character that says the text was damaged, or that has no agreed meaning.
    Damaged {
        /// The character.
        character: char,
    },
    /// A superscript, circled number or fraction: folding it would change a number.
    Superscript {
        /// The character.
        character: char,
    },
    /// The steps never come to rest on it.
    Unsettled,
}

impl Refusal for NameError {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "NAME_TOO_LONG",
            Self::Empty => "NAME_EMPTY",
            Self::Control { .. } => "NAME_CONTROL_CHARACTER",
            Self::Damaged { .. } => "NAME_DAMAGED",
            Self::Superscript { .. } => "NAME_SUPERSCRIPT",
            Self::Unsettled => "NAME_UNSETTLED",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::TooLong { bytes } => format!(
                "the name is {bytes} bytes long; at most {MAX_BYTES} are accepted, as in the declaration"
            ),
            Self::Empty => "the name holds no letter or digit".into(),
            Self::Control { character } => format!(
                "the name holds the control character U+{:04X}; type the name again",
                u32::from(*character)
            ),
            Self::Damaged { character } => format!(
                "the name holds U+{:04X}, which has no meaning here: the text was damaged on its way; copy it from the source again",
                u32::from(*character)
            ),
            Self::Superscript { character } => format!(
                "the name holds `{character}`; raised, circled and fraction digits change a number when they are read plainly: write it out"
            ),
            Self::Unsettled => "the name has no stable normal form; write it plainly".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::TooLong { bytes } => {
                format!("名称长达{bytes}字节；与报关单一致，最多{MAX_BYTES}字节")
            }
            Self::Empty => "名称中没有文字或数字".into(),
            Self::Control { character } => {
                format!("名称含有控制字符U+{:04X}；请重新输入", u32::from(*character))
            }
            Self::Damaged { character } => format!(
                "名称含有无意义的字符U+{:04X}：文字在传输中已损坏；请从原文重新复制",
                u32::from(*character)
            ),
            Self::Superscript { character } => {
                format!("名称含有`{character}`；上标、带圈数字和分数会改变数值，请改写为普通文字")
            }
            Self::Unsettled => "名称无法规范化；请用普通文字书写".into(),
        }
    }
}
