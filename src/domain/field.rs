//! The fields of a question, and the record of what was done to them before comparing.

/// A field of a question, as named in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Commodity code.
    HsCode,
    /// Name as declared.
    MaterialName,
    /// CAS Registry Number.
    CasNumber,
    /// USCC of the end user.
    EndUserUscc,
    /// Specification as declared.
    Specification,
    /// Manufacturer as declared.
    Manufacturer,
    /// Quantity with unit.
    Quantity,
    /// Where the goods are declared.
    CustomsDistrict,
    /// What the goods are for.
    Use,
    /// Scheme id.
    Scheme,
    /// Day of the declaration.
    DeclarationDate,
    /// Revision the answer is to be known at.
    KnownAtRevision,
    /// Revision that must be loaded.
    MinRevision,
    /// The caller's label.
    CorrelationId,
    /// Whether a proof is wanted.
    Receipt,
}

impl Field {
    /// The field's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HsCode => "hs_code",
            Self::MaterialName => "material_name",
            Self::CasNumber => "cas_number",
            Self::EndUserUscc => "end_user_uscc",
            Self::Specification => "specification",
            Self::Manufacturer => "manufacturer",
            Self::Quantity => "quantity",
            Self::CustomsDistrict => "customs_district",
            Self::Use => "use",
            Self::Scheme => "scheme",
            Self::DeclarationDate => "declaration_date",
            Self::KnownAtRevision => "known_at_revision",
            Self::MinRevision => "min_revision",
            Self::CorrelationId => "correlation_id",
            Self::Receipt => "receipt",
        }
    }
}

/// One step that changed a value: its name in `docs/normalization.md`, and the whole value
/// before and after, so that an auditor can replay it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the step.
    pub name: &'static str,
    /// The value before it.
    pub before: String,
    /// The value after it.
    pub after: String,
}

impl Step {
    /// Records a step in `steps` if it changed anything.
    pub(crate) fn record(steps: &mut Vec<Self>, name: &'static str, before: &str, after: &str) {
        if before != after {
            steps.push(Self { name, before: before.to_owned(), after: after.to_owned() });
        }
    }
}
