//! The text of a decision, written.

use std::io::{self, Write};

use super::{Amount, Asked, Compared, DecisionText, Matching, Source, TYPE};
use crate::domain::finding::Reason;
use crate::register::canonical_json::{Object, push_list, push_string};
use crate::register::statement::to_hex;

/// Most texts are shorter, in bytes.
const TEXT_BYTES_USUAL: usize = 2_048;

impl DecisionText<'_> {
    /// The text itself.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = Vec::with_capacity(TEXT_BYTES_USUAL);
        // Writing to memory cannot fail, and all of it is UTF-8.
        let _ = self.write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let Source { known, revision, list_root } = &self.source;
        write!(out, "{TYPE}\norigin {}\nquestion ", self.origin)?;
        self.question.write(out);
        out.extend_from_slice(b"\ncompared ");
        self.compared.write(out);
        write!(out, "\nverdict {}\nreasons ", self.verdict.name())?;
        push_reasons(out, &self.reasons);
        out.extend_from_slice(b"\nmatches ");
        push_list(out, &self.matches, |out, matching| matching.write(out));
        out.extend_from_slice(b"\ncandidates ");
        push_list(out, &self.candidates, |out, id| push_string(out, id));
        writeln!(out, "\ndeclaration_date {}", self.declaration_date)?;
        writeln!(out, "known {known}\nrevision {revision}")?;
        writeln!(out, "list_root_sha256 {}", to_hex(list_root))?;
        writeln!(out, "normal_form_version {}", self.normal_form_version)?;
        writeln!(out, "decide_time {}", self.decide_time)
    }
}

impl Asked<'_> {
    /// Its fields that were given, as JSON in canonical form.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object
            .text("cas_number", &self.cas_number)
            .text("correlation_id", &self.correlation_id)
            .text("customs_district", &self.customs_district)
            .text("declaration_date", &self.declaration_date)
            .text("end_user_uscc", &self.end_user_uscc)
            .text("hs_code", &self.hs_code);
        if self.known_at_revision > 0 {
            object.number("known_at_revision", self.known_at_revision);
        }
        object.text("manufacturer", &self.manufacturer).text("material_name", &self.material_name);
        if self.min_revision > 0 {
            object.number("min_revision", self.min_revision);
        }
        Amount::write(self.quantity.as_ref(), &mut object);
        object
            .text("scheme", &self.scheme)
            .text("specification", &self.specification)
            .text("use", &self.intended_use);
        object.close();
    }
}

impl Compared<'_> {
    /// Its fields that were given, as JSON in canonical form.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object
            .text("cas_number", &self.cas_number)
            .text("customs_district", &self.customs_district)
            .text("end_user_uscc", &self.end_user_uscc)
            .text("hs_code", &self.hs_code)
            .text("manufacturer", &self.manufacturer)
            .text("material_name", &self.material_name);
        Amount::write(self.quantity.as_ref(), &mut object);
        object
            .text("scheme", &self.scheme)
            .text("specification", &self.specification)
            .text("use", &self.intended_use);
        object.close();
    }
}

impl Amount<'_> {
    /// Adds the field `quantity`, if there is one.
    fn write(amount: Option<&Self>, to: &mut Object<'_>) {
        let Some(Self { unit, value }) = amount else { return };
        let mut object = Object::open(to.field("quantity"));
        // Either may be empty, and is there all the same.
        push_string(object.field("unit"), unit);
        push_string(object.field("value"), value);
        object.close();
    }
}

impl Matching<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        push_string(object.field("entry"), &self.entry);
        push_reasons(object.field("reasons"), &self.reasons);
        push_string(object.field("verdict"), self.verdict.name());
        object.close();
    }
}

fn push_reasons(out: &mut Vec<u8>, reasons: &[Reason]) {
    push_list(out, reasons, |out, reason| push_string(out, reason.name()));
}
