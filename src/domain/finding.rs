//! The closed set of reasons, and the sentence each says in English and Chinese.

use std::borrow::Cow;

use super::field::Field;

/// Why an entry does not answer with a plain yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what its name says; texts are in `Finding::english`")]
pub enum Reason {
    EndUserMissing,
    EndUserNotOnEntry,
    EntryExpired,
    EntryNotYetValid,
    EntrySuspended,
    EntryWithdrawn,
    EnterpriseSuspended,
    EnterpriseBanned,
    EnterpriseNotActive,
    HsCodeIncomplete,
    HsCodeDiffers,
    NameDiffers,
    CasDiffers,
    CasCheckDigitWrong,
    ClassEntry,
    SpecificationMissing,
    SpecificationDiffers,
    ManufacturerMissing,
    ManufacturerDiffers,
    CustomsDistrictMissing,
    CustomsDistrictNotCovered,
    QuantityMissing,
    QuantityExceeded,
    UnitNotComparable,
    UseMissing,
    UseNotPermitted,
    DirectoryScope,
    SchemeExclusion,
    LookAlikeCharacters,
    NoEntry,
}

/// What a reason does to the answer of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Said for information.
    Note,
    /// Nothing fails, but the answer waits for something: at most CONDITIONAL.
    Missing,
    /// A condition fails: at most `NOT_COVERED`.
    Fails,
    /// The entry does not match: at most CANDIDATE.
    Differs,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 30] = [
        Self::EndUserMissing,
        Self::EndUserNotOnEntry,
        Self::EntryExpired,
        Self::EntryNotYetValid,
        Self::EntrySuspended,
        Self::EntryWithdrawn,
        Self::EnterpriseSuspended,
        Self::EnterpriseBanned,
        Self::EnterpriseNotActive,
        Self::HsCodeIncomplete,
        Self::HsCodeDiffers,
        Self::NameDiffers,
        Self::CasDiffers,
        Self::CasCheckDigitWrong,
        Self::ClassEntry,
        Self::SpecificationMissing,
        Self::SpecificationDiffers,
        Self::ManufacturerMissing,
        Self::ManufacturerDiffers,
        Self::CustomsDistrictMissing,
        Self::CustomsDistrictNotCovered,
        Self::QuantityMissing,
        Self::QuantityExceeded,
        Self::UnitNotComparable,
        Self::UseMissing,
        Self::UseNotPermitted,
        Self::DirectoryScope,
        Self::SchemeExclusion,
        Self::LookAlikeCharacters,
        Self::NoEntry,
    ];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndUserMissing => "END_USER_MISSING",
            Self::EndUserNotOnEntry => "END_USER_NOT_ON_ENTRY",
            Self::EntryExpired => "ENTRY_EXPIRED",
            Self::EntryNotYetValid => "ENTRY_NOT_YET_VALID",
            Self::EntrySuspended => "ENTRY_SUSPENDED",
            Self::EntryWithdrawn => "ENTRY_WITHDRAWN",
            Self::EnterpriseSuspended => "ENTERPRISE_SUSPENDED",
            Self::EnterpriseBanned => "ENTERPRISE_BANNED",
            Self::EnterpriseNotActive => "ENTERPRISE_NOT_ACTIVE",
            Self::HsCodeIncomplete => "HS_CODE_INCOMPLETE",
            Self::HsCodeDiffers => "HS_CODE_DIFFERS",
            Self::NameDiffers => "NAME_DIFFERS",
            Self::CasDiffers => "CAS_DIFFERS",
            Self::CasCheckDigitWrong => "CAS_CHECK_DIGIT_WRONG",
            Self::ClassEntry => "CLASS_ENTRY",
            Self::SpecificationMissing => "SPECIFICATION_MISSING",
            Self::SpecificationDiffers => "SPECIFICATION_DIFFERS",
            Self::ManufacturerMissing => "MANUFACTURER_MISSING",
            Self::ManufacturerDiffers => "MANUFACTURER_DIFFERS",
            Self::CustomsDistrictMissing => "CUSTOMS_DISTRICT_MISSING",
            Self::CustomsDistrictNotCovered => "CUSTOMS_DISTRICT_NOT_COVERED",
            Self::QuantityMissing => "QUANTITY_MISSING",
            Self::QuantityExceeded => "QUANTITY_EXCEEDED",
            Self::UnitNotComparable => "UNIT_NOT_COMPARABLE",
            Self::UseMissing => "USE_MISSING",
            Self::UseNotPermitted => "USE_NOT_PERMITTED",
            Self::DirectoryScope => "DIRECTORY_SCOPE",
            Self::SchemeExclusion => "SCHEME_EXCLUSION",
            Self::LookAlikeCharacters => "LOOK_ALIKE_CHARACTERS",
            Self::NoEntry => "NO_ENTRY",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// What it does to the answer.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::EndUserMissing
            | Self::SpecificationMissing
            | Self::ManufacturerMissing
            | Self::CustomsDistrictMissing
            | Self::QuantityMissing
            | Self::UnitNotComparable
            | Self::UseMissing
            | Self::DirectoryScope
            | Self::SchemeExclusion => Effect::Missing,
            Self::EndUserNotOnEntry
            | Self::EntryExpired
            | Self::EntryNotYetValid
            | Self::EntrySuspended
            | Self::EntryWithdrawn
            | Self::EnterpriseSuspended
            | Self::EnterpriseBanned
            | Self::EnterpriseNotActive
            | Self::SpecificationDiffers
            | Self::ManufacturerDiffers
            | Self::CustomsDistrictNotCovered
            | Self::QuantityExceeded
            | Self::UseNotPermitted => Effect::Fails,
            Self::HsCodeIncomplete
            | Self::HsCodeDiffers
            | Self::NameDiffers
            | Self::CasDiffers
            | Self::ClassEntry => Effect::Differs,
            Self::CasCheckDigitWrong | Self::LookAlikeCharacters | Self::NoEntry => Effect::Note,
        }
    }

    /// The field of the question it is about.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::EndUserMissing
            | Self::EndUserNotOnEntry
            | Self::EnterpriseSuspended
            | Self::EnterpriseBanned
            | Self::EnterpriseNotActive => Field::EndUserUscc,
            Self::EntryExpired | Self::EntryNotYetValid => Field::DeclarationDate,
            Self::EntrySuspended
            | Self::EntryWithdrawn
            | Self::NameDiffers
            | Self::CasCheckDigitWrong
            | Self::ClassEntry
            | Self::LookAlikeCharacters
            | Self::DirectoryScope
            | Self::SchemeExclusion
            | Self::NoEntry => Field::MaterialName,
            Self::HsCodeIncomplete | Self::HsCodeDiffers => Field::HsCode,
            Self::CasDiffers => Field::CasNumber,
            Self::SpecificationMissing | Self::SpecificationDiffers => Field::Specification,
            Self::ManufacturerMissing | Self::ManufacturerDiffers => Field::Manufacturer,
            Self::CustomsDistrictMissing | Self::CustomsDistrictNotCovered => {
                Field::CustomsDistrict
            }
            Self::QuantityMissing | Self::QuantityExceeded | Self::UnitNotComparable => {
                Field::Quantity
            }
            Self::UseMissing | Self::UseNotPermitted => Field::Use,
        }
    }
}

/// A reason with the two values it compares, borrowed from the list and the question where they
/// stand there as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The reason.
    pub reason: Reason,
    /// What the entry or the rule wants; empty where there is nothing to say.
    pub expected: Cow<'a, str>,
    /// What was given; empty where nothing was.
    pub given: Cow<'a, str>,
}

impl<'a> Finding<'a> {
    /// A finding with both values.
    #[must_use]
    pub fn new(
        reason: Reason,
        expected: impl Into<Cow<'a, str>>,
        given: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self { reason, expected: expected.into(), given: given.into() }
    }

    /// What happened and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        self.say_english(|pieces| pieces.concat())
    }

    /// The same in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        self.say_chinese(|pieces| pieces.concat())
    }

    /// The English sentence in pieces, for those who put it straight where it belongs: an answer
    /// of many rows has many sentences.
    #[rustfmt::skip]
    pub fn say_english<T>(&self, say: impl FnOnce(&[&str]) -> T) -> T {
        let (expected, given) = (&*self.expected, &*self.given);
        match self.reason {
            Reason::EndUserMissing => say(&["Give the USCC of the end user: each row is bound to one enterprise."]),
            Reason::EndUserNotOnEntry => say(&["The row is bound to ", expected, ", not to ", given, "; only that enterprise may use it."]),
            Reason::EntryExpired => say(&["The row was valid until ", expected, "; the declaration date is ", given, "."]),
            Reason::EntryNotYetValid => say(&["The row is valid from ", expected, "; the declaration date is ", given, "."]),
            Reason::EntrySuspended => say(&["The row is suspended; ask the scheme's authority."]),
            Reason::EntryWithdrawn => say(&["The row was withdrawn; it covers nothing any more."]),
            Reason::EnterpriseSuspended => say(&["Enterprise ", given, " is suspended on this day", &window_en(expected), "."]),
            Reason::EnterpriseBanned => say(&["Enterprise ", given, " is banned on this day", &window_en(expected), "."]),
            Reason::EnterpriseNotActive => say(&["Enterprise ", given, " is not active on this day", &window_en(expected), "."]),
            Reason::HsCodeIncomplete => say(&["Code ", given, " against ", expected, " on the list: a code of fewer than 10 digits names many goods; a person must compare."]),
            Reason::HsCodeDiffers => say(&["The row is listed under code ", expected, "; ", given, " was given."]),
            Reason::NameDiffers => say(&["The row names `", expected, "`; `", given, "` is neither that name nor a recorded synonym."]),
            Reason::CasDiffers => say(&["The row has CAS ", expected, "; ", given, " was given."]),
            Reason::CasCheckDigitWrong => say(&["The name holds the CAS number ", given, " whose check digit should be ", expected, "; copy the number again."]),
            Reason::ClassEntry => say(&["The row names a class of materials; a person must decide whether this one belongs to it."]),
            Reason::SpecificationMissing => say(&["Give the specification: the row is limited to `", expected, "`."]),
            Reason::SpecificationDiffers => say(&["The row is limited to specification `", expected, "`; `", given, "` was given."]),
            Reason::ManufacturerMissing => say(&["Give the manufacturer: the row is limited to `", expected, "`."]),
            Reason::ManufacturerDiffers => say(&["The row is limited to manufacturer `", expected, "`; `", given, "` was given."]),
            Reason::CustomsDistrictMissing => say(&["Give the customs code of the declaration: the row covers ", expected, "."]),
            Reason::CustomsDistrictNotCovered => say(&["The row covers customs ", expected, "; ", given, " was given."]),
            Reason::QuantityMissing => say(&["Give the quantity: the row is limited to ", expected, " in total."]),
            Reason::QuantityExceeded => say(&["The row is limited to ", expected, " in total; ", given, " was given."]),
            Reason::UnitNotComparable => say(&["State the quantity in a unit that compares with ", expected, ": ", given, " does not convert."]),
            Reason::UseMissing => say(&["State the use: the scheme permits ", expected, "."]),
            Reason::UseNotPermitted => say(&["The scheme permits ", expected, "; ", given, " was given."]),
            Reason::DirectoryScope => say(&["The enterprise is on the directory of ", expected, ": confirm that the goods are within the scheme's scope."]),
            Reason::SchemeExclusion => say(&["Confirm that the goods are none of what the scheme excludes: ", expected, "."]),
            Reason::LookAlikeCharacters => say(&["`", given, "` holds letters of another script that look like Latin ones, so it equals no listed name; type it again."]),
            Reason::NoEntry => say(&["Nothing on the list matches or resembles this; the ordinary import documents apply."]),
        }
    }

    /// The Chinese sentence in pieces.
    pub fn say_chinese<T>(&self, say: impl FnOnce(&[&str]) -> T) -> T {
        let (expected, given) = (&*self.expected, &*self.given);
        match self.reason {
            Reason::EndUserMissing => {
                say(&["请提供消费使用单位的统一社会信用代码：每一行只绑定一家企业。"])
            }
            Reason::EndUserNotOnEntry => {
                say(&["该行绑定的企业是", expected, "，不是", given, "；只有该企业可以使用。"])
            }
            Reason::EntryExpired => say(&["该行有效期至", expected, "；申报日期为", given, "。"]),
            Reason::EntryNotYetValid => {
                say(&["该行自", expected, "起有效；申报日期为", given, "。"])
            }
            Reason::EntrySuspended => say(&["该行已暂停；请询问主管部门。"]),
            Reason::EntryWithdrawn => say(&["该行已撤销，不再适用。"]),
            Reason::EnterpriseSuspended => {
                say(&["企业", given, "在该日处于暂停状态", &window_zh(expected), "。"])
            }
            Reason::EnterpriseBanned => {
                say(&["企业", given, "在该日处于禁止状态", &window_zh(expected), "。"])
            }
            Reason::EnterpriseNotActive => {
                say(&["企业", given, "在该日未处于有效状态", &window_zh(expected), "。"])
            }
            Reason::HsCodeIncomplete => say(&[
                "编号",
                given,
                "与清单上的",
                expected,
                "：不足10位的编号对应多种商品，需人工比对。",
            ]),
            Reason::HsCodeDiffers => say(&["该行的商品编号为", expected, "；所填为", given, "。"]),
            Reason::NameDiffers => say(&[
                "该行名称为`",
                expected,
                "`；`",
                given,
                "`既不是该名称，也不是已登记的同义名。",
            ]),
            Reason::CasDiffers => say(&["该行的CAS号为", expected, "；所填为", given, "。"]),
            Reason::CasCheckDigitWrong => {
                say(&["名称中的CAS号", given, "校验位应为", expected, "；请重新核对。"])
            }
            Reason::ClassEntry => say(&["该行是一类物品；是否属于该类需人工判断。"]),
            Reason::SpecificationMissing => say(&["请提供规格：该行限于`", expected, "`。"]),
            Reason::SpecificationDiffers => {
                say(&["该行限于规格`", expected, "`；所填为`", given, "`。"])
            }
            Reason::ManufacturerMissing => say(&["请提供生产商：该行限于`", expected, "`。"]),
            Reason::ManufacturerDiffers => {
                say(&["该行限于生产商`", expected, "`；所填为`", given, "`。"])
            }
            Reason::CustomsDistrictMissing => {
                say(&["请提供申报地关区代码：该行适用于", expected, "。"])
            }
            Reason::CustomsDistrictNotCovered => {
                say(&["该行适用于关区", expected, "；所填为", given, "。"])
            }
            Reason::QuantityMissing => say(&["请提供数量：该行总量限于", expected, "。"]),
            Reason::QuantityExceeded => say(&["该行总量限于", expected, "；所填为", given, "。"]),
            Reason::UnitNotComparable => {
                say(&["请改用可与", expected, "换算的单位填写数量：", given, "无法换算。"])
            }
            Reason::UseMissing => say(&["请说明用途：该方案允许", &uses_zh(expected), "。"]),
            Reason::UseNotPermitted => {
                say(&["该方案允许", &uses_zh(expected), "；所填为", &uses_zh(given), "。"])
            }
            Reason::DirectoryScope => {
                say(&["该企业列入", expected, "的目录：请确认货物在方案适用范围内。"])
            }
            Reason::SchemeExclusion => say(&["请确认货物不属于方案排除的范围：", expected, "。"]),
            Reason::LookAlikeCharacters => say(&[
                "`",
                given,
                "`含有与拉丁字母形近的其他文字，不等于任何清单名称；请重新输入。",
            ]),
            Reason::NoEntry => say(&["清单上没有相同或相近的条目；按一般进口单证办理。"]),
        }
    }
}

fn window_en(window: &str) -> String {
    if window.is_empty() { String::new() } else { format!(" ({window})") }
}

fn window_zh(window: &str) -> String {
    if window.is_empty() { String::new() } else { format!("（{window}）") }
}

fn uses_zh(uses: &str) -> String {
    uses.replace("research", "研发").replace("clinical", "临床").replace("sale", "销售")
}
