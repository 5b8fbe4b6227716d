//! A sound list, and the ways in which the lists of these tests are broken: a cell, a text, the
//! bytes of a file, its end, its encoding.

use clearlist::formats::list_csv::ListFiles;

use super::support::{OWNER, Row, files, row};

/// A list with one thing wrong.
pub(crate) struct Case {
    pub(crate) wrong: &'static str,
    pub(crate) files: ListFiles,
    /// `file:line:column (header)`, as `Problem::place` writes it.
    pub(crate) place: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) fn case(
    wrong: &'static str,
    files: ListFiles,
    place: &'static str,
    reason: &'static str,
) -> Case {
    Case { wrong, files, place, reason }
}

pub(crate) fn sound() -> Row {
    row("E1", "四环素")
}

/// The one entry with one cell set.
pub(crate) fn cell(column: &'static str, value: &str) -> ListFiles {
    files(&[sound().with(column, value)])
}

#[derive(Clone, Copy)]
pub(crate) enum Of {
    Schemes,
    Enterprises,
    Entries,
}

fn bytes_of(files: &mut ListFiles, of: Of) -> &mut Vec<u8> {
    match of {
        Of::Schemes => &mut files.schemes,
        Of::Enterprises => &mut files.enterprises,
        Of::Entries => &mut files.entries,
    }
}

fn text_of(files: &mut ListFiles, of: Of) -> String {
    String::from_utf8(bytes_of(files, of).clone()).expect("the lists of tests are UTF-8")
}

/// `files` with one text of one file replaced wherever it stands.
pub(crate) fn replaced_in(mut files: ListFiles, of: Of, from: &str, to: &str) -> ListFiles {
    let text = text_of(&mut files, of);
    assert!(text.contains(from), "nothing to break: {from} is not there");
    *bytes_of(&mut files, of) = text.replace(from, to).into_bytes();
    files
}

/// The list of one entry with one text of one file replaced.
pub(crate) fn replaced(of: Of, from: &str, to: &str) -> ListFiles {
    replaced_in(files(&[sound()]), of, from, to)
}

/// The list of one entry with one file replaced by these bytes.
pub(crate) fn bytes(of: Of, bytes: &[u8]) -> ListFiles {
    let mut files = files(&[sound()]);
    *bytes_of(&mut files, of) = bytes.to_vec();
    files
}

/// Two entries, the second cut off behind this text.
pub(crate) fn cut_behind(kept: &str) -> ListFiles {
    let mut files = files(&[sound(), row("E2", "肝素钠")]);
    let text = text_of(&mut files, Of::Entries);
    let (before, _lost) = text.split_once(kept).expect("there is something to cut behind");
    files.entries = format!("{before}{kept}").into_bytes();
    files
}

/// What Excel writes as "Unicode text".
pub(crate) fn utf_16(of: Of) -> ListFiles {
    let text = text_of(&mut files(&[sound()]), of);
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    bytes(of, &units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

/// What Excel writes as "CSV" in China: 示例甲 is CA BE C0 FD BC D7.
pub(crate) fn gb18030() -> ListFiles {
    let head = super::support::ENTERPRISES.as_bytes();
    let rest = b",,active,,,doc\n";
    let line = [OWNER.as_bytes(), b",\xCA\xBE\xC0\xFD\xBC\xD7", rest].concat();
    bytes(Of::Enterprises, &[head, &line].concat())
}

pub(crate) fn twice(first: Row, second: Row) -> ListFiles {
    files(&[first, second])
}
