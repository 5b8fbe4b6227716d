//! The step that drops spaces and hyphens where they carry nothing: `AAV-9` and `AAV9`,
//! `青霉素 G 钠` and `青霉素G钠`, `抗体 (OKT3)` and `抗体(OKT3)`.
//!
//! A space or hyphen between two words of Latin letters, or between two digits, says something
//! (`GM-CSF`, `anti CD3`, `1-2`) and stays.

use super::characters::{Script, script_of};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Letter(Script),
    Mark,
}

fn class(c: char) -> Class {
    match c {
        c if c.is_ascii_digit() => Class::Digit,
        c => script_of(c).map_or(Class::Mark, Class::Letter),
    }
}

pub(super) fn drop_free(text: &str) -> Option<String> {
    if !text.contains([' ', '-']) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut before: [Option<char>; 2] = [None, None];
    for c in text.chars() {
        if matches!(c, ' ' | '-') {
            run.push(c);
            continue;
        }
        if !run.is_empty() {
            out.push_str(kept(&run, before, c));
            run.clear();
        }
        out.push(c);
        before = [before[1], Some(c)];
    }
    // A hyphen at the end is part of the name (`Cl-`); a space is not.
    out.extend(run.chars().filter(|c| *c == '-'));
    (out != text).then_some(out)
}

/// What stays of a run of spaces and hyphens between `before` (its last two characters) and
/// `after`.
fn kept(run: &str, before: [Option<char>; 2], after: char) -> &'static str {
    let hyphens = run.bytes().filter(|b| *b == b'-').count();
    let [second_last, Some(last)] = before else {
        // At the beginning: a hyphen is a sign, a space is nothing.
        return if hyphens > 0 { "-" } else { "" };
    };
    // `1e-8` is a number; without its hyphen it would be another one.
    let exponent = matches!(last, 'e' | 'E')
        && second_last.is_some_and(|c| c.is_ascii_digit())
        && after.is_ascii_digit();
    match (hyphens, class(last), class(after)) {
        (0, Class::Mark, _) | (0, _, Class::Mark) => "",
        (0, Class::Letter(a), Class::Letter(b)) if a != b || a == Script::Han => "",
        (0 | 1, Class::Digit, Class::Letter(_)) | (0 | 1, Class::Letter(_), Class::Digit)
            if !exponent =>
        {
            ""
        }
        (1, Class::Letter(Script::Greek), Class::Letter(b)) if b != Script::Greek => "",
        (1, Class::Letter(a), Class::Letter(Script::Greek)) if a != Script::Greek => "",
        (0, ..) => " ",
        (1, ..) => "-",
        _ => "--",
    }
}
