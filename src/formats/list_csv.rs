//! The three list files to a linted list. All problems of all files at once, each with file,
//! line, column and cell; with one of them nothing is loaded.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::domain::cas_number;
use crate::domain::cells::{ENTERPRISE_COLUMNS, ENTRY_COLUMNS, SCHEME_COLUMNS, listing_name};
use crate::domain::entry::{
    Enterprise, EnterpriseState, Entry, EntryKind, EntryState, ListedName, Listing, Scheme, Use,
};
use crate::domain::hs_code::HsCode;
use crate::domain::list::{Conflict, List, ListedNameError, Warning, listed_name};
use crate::domain::message::excerpt;
use crate::domain::parallel::on_all_processors;
use crate::domain::quantity::{Quantity, QuantityError, Unit};
use crate::domain::uscc::{self, Uscc};

use super::table::{Columns, Problem, Row, Table, nearest};

mod cells;

pub(crate) use cells::iso_date;
use cells::{Cells, parts, rows};

type Map<K, V> = HashMap<K, V, RandomState>;

/// File names, in the order they are read and hashed.
pub const FILES: [&str; 3] = [SCHEMES, ENTERPRISES, ENTRIES];
const SCHEMES: &str = "schemes.csv";
const ENTERPRISES: &str = "enterprises.csv";
const ENTRIES: &str = "entries.csv";

/// The bytes of the three files.
#[derive(Debug, Clone, Default)]
pub struct ListFiles {
    /// `schemes.csv`.
    pub schemes: Vec<u8>,
    /// `enterprises.csv`.
    pub enterprises: Vec<u8>,
    /// `entries.csv`.
    pub entries: Vec<u8>,
}

/// A list, and the lines its entries stand on.
#[derive(Debug)]
pub struct ReadList {
    /// The list.
    pub list: List,
    lines: Vec<u64>,
}

impl ReadList {
    /// What the list's keepers should look at, although it is no error.
    #[must_use]
    pub fn warnings(&self) -> Vec<Problem> {
        let line_of = |position: usize| self.lines.get(position).copied().unwrap_or(0);
        self.list.warnings().iter().map(|w| warning(w, line_of)).collect()
    }
}

/// Reads and lints a list.
///
/// # Errors
/// Every problem found; nothing is loaded.
pub fn read(files: &ListFiles) -> Result<ReadList, Vec<Problem>> {
    let Rows { schemes, enterprises, entries, lines } = read_rows(files)?;
    match List::build(schemes, enterprises, entries) {
        Ok(list) => Ok(ReadList { list, lines }),
        Err(found) => Err(conflicts(&found, &lines)),
    }
}

/// Conflicts between rows, told at the lines the entries stand on.
pub(super) fn conflicts(found: &[Conflict], lines: &[u64]) -> Vec<Problem> {
    let line_of = |position: usize| lines.get(position).copied().unwrap_or(0);
    found.iter().map(|c| conflict(c, line_of)).collect()
}

/// The rows of a list, each read, not yet linted together.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) schemes: Vec<Scheme>,
    pub(super) enterprises: Vec<Enterprise>,
    pub(super) entries: Vec<Entry>,
    /// Lines the entries stand on.
    pub(super) lines: Vec<u64>,
}

/// Reads every row.
///
/// # Errors
/// Every problem found.
pub(super) fn read_rows(files: &ListFiles) -> Result<Rows, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut table = |file, bytes: &[u8], columns| {
        let (table, found) = Table::read(file, bytes, columns);
        problems.extend(found);
        table.unwrap_or_else(|| Table::empty(file))
    };
    let scheme_rows = table(SCHEMES, &files.schemes, all(&SCHEME_COLUMNS, 10));
    let enterprise_rows = table(ENTERPRISES, &files.enterprises, all(&ENTERPRISE_COLUMNS, 7));
    let entry_rows = table(ENTRIES, &files.entries, all(&ENTRY_COLUMNS, 21));
    // What can be read of a file with a problem of form is checked all the same; rows that
    // refer to it are then not said to refer to nothing.
    let known = Known::of(&scheme_rows, &enterprise_rows, problems.is_empty());
    let schemes = rows(&scheme_rows, &SCHEME_COLUMNS, &mut problems, scheme);
    let enterprises = rows(&enterprise_rows, &ENTERPRISE_COLUMNS, &mut problems, enterprise);
    let names = Names::of(&entry_rows);
    let read = |cells: &mut Cells<'_>| entry(cells, &known, &names);
    let entries = rows(&entry_rows, &ENTRY_COLUMNS, &mut problems, read);
    repeated(&scheme_rows, "scheme", &mut problems);
    repeated(&enterprise_rows, "uscc", &mut problems);
    repeated(&entry_rows, "entry_id", &mut problems);
    if !problems.is_empty() {
        // In reading order; of one line as they were found.
        problems.sort_by_key(|p| (FILES.iter().position(|f| *f == p.file), p.line));
        return Err(problems);
    }
    Ok(Rows {
        schemes,
        enterprises,
        entries,
        lines: entry_rows.rows.iter().map(|row| row.line).collect(),
    })
}

const fn all(columns: &'static [&'static str], required: usize) -> Columns {
    match columns.split_at_checked(required) {
        Some((required, optional)) => Columns { required, optional },
        None => Columns { required: columns, optional: &[] },
    }
}

/// Keys of a file, each with its row's place; of a repeated one the first.
fn keys(table: &Table) -> Map<&str, usize> {
    table.rows.iter().enumerate().rev().map(|(i, row)| (table.key(row), i)).collect()
}

/// Every name of the file, read once and shared: many enterprises list one material.
struct Names<'a> {
    places: Map<&'a str, usize>,
    read: Vec<Result<ListedName, ListedNameError>>,
}

impl<'a> Names<'a> {
    /// Reads the distinct names of all entries, on all processors.
    fn of(entries: &'a Table) -> Self {
        let columns = ["name_zh", "name_en", "synonyms"];
        let places = columns.map(|name| ENTRY_COLUMNS.iter().position(|c| *c == name));
        let mut texts: Vec<&str> = Vec::new();
        let mut known: Map<&str, usize> = Map::default();
        for row in &entries.rows {
            let [zh, en, synonyms] = places.map(|p| p.map_or("", |p| entries.cell(row, p)));
            for text in [zh, en].into_iter().chain(parts(synonyms)) {
                known.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() - 1
                });
            }
        }
        let read = |text: &&str| listed_name(text);
        let shares = on_all_processors(&texts, |texts| texts.iter().map(read).collect::<Vec<_>>());
        Self { places: known, read: shares.into_iter().flatten().collect() }
    }

    fn get(&self, text: &str) -> Result<ListedName, ListedNameError> {
        let read = self.places.get(text).and_then(|place| self.read.get(*place));
        read.cloned().unwrap_or_else(|| listed_name(text))
    }
}

/// A listed name of this row.
fn name(
    cells: &mut Cells<'_>,
    column: &'static str,
    text: &str,
    names: &Names<'_>,
) -> Option<ListedName> {
    cells.keep(column, names.get(text))
}

/// What entries refer to, by key. Rows that were refused are known all the same, so that one
/// broken scheme does not make every entry of it look wrong.
struct Known<'a> {
    schemes: Map<&'a str, usize>,
    directories: HashSet<usize>,
    enterprises: Map<&'a str, usize>,
    /// Whether a key that is not here is nowhere.
    complete: bool,
}

impl<'a> Known<'a> {
    fn of(schemes: &'a Table, enterprises: &'a Table, complete: bool) -> Self {
        let listing = SCHEME_COLUMNS.iter().position(|c| *c == "listing").unwrap_or(usize::MAX);
        let is_directory =
            |row: &Row| schemes.cell(row, listing) == listing_name(Listing::Directory);
        let rows = schemes.rows.iter().enumerate();
        Self {
            schemes: keys(schemes),
            directories: rows.filter(|(_, row)| is_directory(row)).map(|(i, _)| i).collect(),
            enterprises: keys(enterprises),
            complete,
        }
    }
}

/// Keys that stand twice.
fn repeated(table: &Table, column: &'static str, problems: &mut Vec<Problem>) {
    let mut seen: Map<&str, u64> =
        HashMap::with_capacity_and_hasher(table.rows.len(), RandomState::default());
    for row in &table.rows {
        let key = table.key(row);
        if let Some(first) = seen.insert(key, row.line) {
            seen.insert(key, first);
            problems.push(Problem {
                file: table.file,
                line: row.line,
                column: table.places.first().copied().unwrap_or(0),
                header: column.to_owned(),
                cell: excerpt(key),
                reason: "KEY_REPEATED",
                english: format!("`{}` stands on line {first} already", excerpt(key)),
                chinese: format!("`{}`已出现在第{first}行", excerpt(key)),
            });
        }
    }
}

fn scheme(cells: &mut Cells<'_>) -> Option<Scheme> {
    let id = cells.filled("scheme");
    let name_zh = cells.filled("name_zh");
    let listing =
        cells.word("listing", &[("rows", Listing::Rows), ("directory", Listing::Directory)]);
    let mut permitted_use = Vec::new();
    if cells.filled("permitted_use").is_some() {
        let words: Vec<&str> = cells.parts("permitted_use").collect();
        if words.is_empty() {
            cells.refuse(
                "permitted_use",
                "CELL_EMPTY",
                "the cell names no use; write research, clinical or sale",
                "该单元格未写明用途；请填research、clinical或sale",
            );
        }
        for word in words {
            match Use::parse(word) {
                Some(known) => permitted_use.push(known),
                None => cells.refuse(
                    "permitted_use",
                    "WORD_UNKNOWN",
                    format!("`{}` is none of research, clinical, sale", excerpt(word)),
                    format!("`{}`不是research、clinical、sale之一", excerpt(word)),
                ),
            }
        }
    }
    let waived_documents: Vec<&str> = cells.parts("waived_documents").collect();
    for document in &waived_documents {
        if !document
            .split_once(':')
            .is_some_and(|(space, code)| !space.is_empty() && !code.is_empty())
        {
            cells.refuse(
                "waived_documents",
                "DOCUMENT_NAMESPACE",
                format!("`{}` has no namespace; write it as in supervision:Q, because one letter means different documents", excerpt(document)),
                format!("`{}`缺少命名空间；请写成supervision:Q的形式，因为同一字母代表不同单证", excerpt(document)),
            );
        }
    }
    Some(Scheme {
        id: id?.into(),
        name_zh: name_zh?.into(),
        name_en: cells.text("name_en"),
        authority: cells.text("authority"),
        listing: listing?,
        customs_districts: cells.districts("customs_districts"),
        waived_documents: waived_documents.into_iter().map(Into::into).collect(),
        remark_text: cells.text("remark_text"),
        permitted_use: permitted_use.into(),
        legal_basis: cells.text("legal_basis"),
        exclusions: cells.parts("exclusions").map(Into::into).collect(),
    })
}

fn read_uscc(cells: &mut Cells<'_>) -> Option<Uscc> {
    let given = cells.filled("uscc")?;
    cells.keep("uscc", uscc::from_exact(given))
}

fn enterprise(cells: &mut Cells<'_>) -> Option<Enterprise> {
    let uscc = read_uscc(cells);
    let name_zh = cells.filled("name_zh");
    let state = cells.word(
        "state",
        &[
            ("active", EnterpriseState::Active),
            ("suspended", EnterpriseState::Suspended),
            ("banned", EnterpriseState::Banned),
        ],
    );
    let (state_from, state_until) = (cells.date("state_from"), cells.date("state_until"));
    window(cells, "state_until", state_from, state_until);
    Some(Enterprise {
        uscc: uscc?,
        name_zh: name_zh?.into(),
        name_en: cells.text("name_en"),
        state: state?,
        state_from,
        state_until,
        source_document: cells.text("source_document"),
    })
}

fn window(
    cells: &mut Cells<'_>,
    column: &'static str,
    from: Option<jiff::civil::Date>,
    to: Option<jiff::civil::Date>,
) {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        cells.refuse(
            column,
            "DATES_REVERSED",
            format!("{to} is before the beginning, {from}"),
            format!("{to}早于起始日{from}"),
        );
    }
}

/// A reference to a row of another file.
fn reference(
    cells: &mut Cells<'_>,
    column: &'static str,
    known: &Map<&str, usize>,
    file: &str,
    complete: bool,
) -> Option<usize> {
    let given = cells.filled(column)?;
    let found = known.get(given).copied();
    if found.is_none() && complete {
        let names: Vec<&str> = known.keys().copied().collect();
        let near = nearest(given, &names);
        cells.refuse(
            column,
            "REFERENCE_UNKNOWN",
            format!("`{}` is not in {file}; the nearest there is `{near}`", excerpt(given)),
            format!("{file}中没有`{}`；最接近的是`{near}`", excerpt(given)),
        );
    }
    found
}

fn entry(cells: &mut Cells<'_>, known: &Known<'_>, names: &Names<'_>) -> Option<Entry> {
    let id = cells.filled("entry_id");
    let scheme = reference(cells, "scheme", &known.schemes, SCHEMES, known.complete);
    // A code that is wrong in itself is said to be wrong, not merely unknown.
    let enterprise = match read_uscc(cells) {
        Some(_) => reference(cells, "uscc", &known.enterprises, ENTERPRISES, known.complete),
        None => None,
    };
    let kind = cells.word("kind", &[("item", EntryKind::Item), ("class", EntryKind::Class)]);
    let directory = scheme.is_some_and(|s| known.directories.contains(&s));
    let material = Material::read(cells, directory, names);
    let quantity = quantity(cells);
    let (valid_from, valid_to) = (cells.date("valid_from"), cells.date("valid_to"));
    window(cells, "valid_to", valid_from, valid_to);
    let state = cells.word(
        "state",
        &[
            ("active", EntryState::Active),
            ("suspended", EntryState::Suspended),
            ("withdrawn", EntryState::Withdrawn),
        ],
    );
    Some(Entry {
        id: id?.into(),
        scheme: scheme?,
        batch: cells.text("batch"),
        enterprise: enterprise?,
        kind: kind?,
        name_zh: material.name_zh,
        name_en: material.name_en,
        synonyms: material.synonyms,
        cas: material.cas,
        hs_code: material.hs_code,
        specification: cells.text("specification"),
        manufacturer: cells.text("manufacturer"),
        origin_country: cells.text("origin_country"),
        quantity,
        purpose: cells.text("purpose"),
        customs_districts: cells.districts("customs_districts"),
        valid_from,
        valid_to,
        state: state?,
        source_document: cells.text("source_document"),
    })
}

/// What a row says of its material. A directory row may say nothing.
struct Material {
    name_zh: Option<ListedName>,
    name_en: Option<ListedName>,
    synonyms: Box<[ListedName]>,
    cas: Option<cas_number::CasNumber>,
    hs_code: Option<HsCode>,
}

impl Material {
    fn read(cells: &mut Cells<'_>, directory: bool, names: &Names<'_>) -> Self {
        let columns = ["name_zh", "name_en", "synonyms", "cas", "hs_code"];
        if directory && columns.iter().all(|column| cells.get(column).is_empty()) {
            return Self {
                name_zh: None,
                name_en: None,
                synonyms: Box::default(),
                cas: None,
                hs_code: None,
            };
        }
        let name_zh = cells.filled("name_zh").and_then(|text| name(cells, "name_zh", text, names));
        let english = cells.get("name_en");
        let name_en =
            (!english.is_empty()).then(|| name(cells, "name_en", english, names)).flatten();
        let texts: Vec<&str> = cells.parts("synonyms").collect();
        let synonyms =
            texts.into_iter().filter_map(|text| name(cells, "synonyms", text, names)).collect();
        let cas = cells.get("cas");
        let cas =
            (!cas.is_empty()).then(|| cells.keep("cas", cas_number::from_exact(cas))).flatten();
        let code = cells.get("hs_code");
        let hs_code = cells.keep("hs_code", HsCode::from_digits(code));
        Self { name_zh, name_en, synonyms, cas, hs_code }
    }
}

fn quantity(cells: &mut Cells<'_>) -> Option<Quantity> {
    let (value, unit) = (cells.get("quantity"), cells.get("unit"));
    match (value.is_empty(), unit.is_empty()) {
        (true, true) => return None,
        (true, false) => {
            cells.refuse(
                "quantity",
                "CELL_EMPTY",
                "a unit stands without a quantity",
                "有单位而无数量",
            );
            return None;
        }
        (false, true) => {
            cells.refuse(
                "unit",
                "CELL_EMPTY",
                "a quantity stands without a unit",
                "有数量而无单位",
            );
            return None;
        }
        (false, false) => {}
    }
    match Quantity::parse(value, unit) {
        Ok(quantity) => Some(quantity),
        Err(error @ QuantityError::Unit { .. }) => cells.keep("unit", Err(error)),
        Err(error) => {
            // Both may be wrong.
            cells.keep::<Unit>("unit", Unit::parse(unit));
            cells.keep("quantity", Err(error))
        }
    }
}

fn conflict(conflict: &Conflict, line_of: impl Fn(usize) -> u64) -> Problem {
    match conflict {
        Conflict::Collision { entry, other, name } => {
            let (line, first) = (line_of(*entry), line_of(*other));
            let what = if name.is_empty() { "directory row".to_owned() } else { excerpt(name) };
            Problem::of_line(
                ENTRIES,
                line,
                "ENTRIES_COLLIDE",
                format!(
                    "`{what}` collides with line {first}: same enterprise, scheme and code, same normal name, overlapping validity"
                ),
                format!(
                    "`{what}`与第{first}行冲突：同一企业、方案和编号，规范名称相同，有效期重叠"
                ),
            )
        }
        Conflict::Dangling { entry } => Problem::of_line(
            ENTRIES,
            line_of(*entry),
            "REFERENCE_UNKNOWN",
            "the row refers to a scheme or an enterprise that is not there",
            "该行引用了不存在的方案或企业",
        ),
    }
}

fn warning(warning: &Warning, line_of: impl Fn(usize) -> u64) -> Problem {
    match warning {
        Warning::CodeIncomplete { entry } => Problem::of_line(
            ENTRIES,
            line_of(*entry),
            "CODE_INCOMPLETE",
            "the code has fewer than 10 digits: the row gives candidates and never LISTED",
            "商品编号不足10位：该行只能作为候选，不会得出LISTED",
        ),
        Warning::NameShared { entry, other, name } => {
            let (line, first) = (line_of(*entry), line_of(*other));
            Problem::of_line(
                ENTRIES,
                line,
                "NAME_SHARED",
                format!(
                    "`{}` also names the different material of line {first}, under the same code",
                    excerpt(name)
                ),
                format!("`{}`也是第{first}行另一物品的名称，且编号相同", excerpt(name)),
            )
        }
    }
}
