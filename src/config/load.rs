//! File, environment, flags, in this order: each goes over those before it. Every problem is
//! said at once, with the place it was written at and the nearest name there is.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::Settings;
use super::value::{Expected, Written};

/// Beginning of the name of every variable.
const VARIABLE_PREFIX: &str = "CLEARLIST_";
/// Stands in for `telemetry.filter`, as in other programs.
const FILTER_VARIABLE: &str = "RUST_LOG";
/// A name that differs more than this is not meant.
const NEAREST_MIN: f64 = 0.6;

/// What was given.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The settings file: its name for messages, and its text.
    pub file: Option<(String, String)>,
    /// The environment. Variables of other programs are passed over.
    pub environment: Vec<(String, String)>,
    /// Flags: the flag for messages, the setting, the value.
    pub flags: Vec<(String, String, String)>,
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A line of the file, from 1.
    Line(String, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// In no single place: values contradict each other.
    Together,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(out, "{file}:{line}"),
            Self::Variable(name) => out.write_str(name),
            Self::Flag(flag) => out.write_str(flag),
            Self::Together => out.write_str("settings"),
        }
    }
}

/// What is wrong with what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub source: Source,
    /// What, in English.
    pub english: String,
    /// What, in Chinese.
    pub chinese: String,
}

impl Problem {
    pub(super) fn of_setting(key: &str, english: &str, chinese: &str) -> Self {
        Self {
            source: Source::Together,
            english: format!("{key}: {english}"),
            chinese: format!("{key}：{chinese}"),
        }
    }
}

/// A value that was given: which setting, in which words it was named, where, how written.
struct Entry<'a> {
    path: String,
    source: Source,
    written: Written<'a>,
}

impl Settings {
    /// The settings, and where each one that is not by default came from.
    ///
    /// # Errors
    /// Every problem of what was given.
    pub fn load(given: &Given) -> Result<(Self, BTreeMap<String, Source>), Vec<Problem>> {
        let (mut settings, mut problems) = (Self::default(), Vec::new());
        let mut known = Vec::new();
        settings.each(|key, _| known.push((key.path(), key.variable())));
        let parsed = given.file.as_ref().map(|(name, text)| (name, text, DeTable::parse(text)));
        let mut entries = Vec::new();
        match &parsed {
            Some((name, text, Ok(table))) => {
                of_table(name, text, table.get_ref(), &mut entries, &mut problems);
            }
            Some((name, text, Err(error))) => {
                let line = line_of(text, error.span().map_or(0, |span| span.start));
                let message = error.message();
                problems.push(Problem {
                    source: Source::Line((*name).clone(), line),
                    english: format!("not TOML: {message}"),
                    chinese: format!("不是TOML：{message}"),
                });
            }
            None => {}
        }
        of_environment(&given.environment, &known, &mut entries, &mut problems);
        for (flag, path, value) in &given.flags {
            let source = Source::Flag(flag.clone());
            entries.push(Entry { path: path.clone(), source, written: Written::Loose(value) });
        }
        let mut sources = BTreeMap::new();
        for entry in entries {
            let mut outcome = None;
            settings.each(|key, value| {
                if key.path() == entry.path {
                    outcome = Some(value.take(entry.written));
                }
            });
            match outcome {
                Some(Ok(())) => {
                    sources.insert(entry.path, entry.source);
                }
                Some(Err(expected)) => problems.push(not_a_value(entry, expected)),
                None => {
                    let paths = known.iter().map(|(path, _)| path.as_str());
                    problems.push(unknown(&entry.path, paths, entry.source));
                }
            }
        }
        // What was meant is known only when everything could be read.
        if problems.is_empty() {
            problems = settings.contradictions();
        }
        if problems.is_empty() { Ok((settings, sources)) } else { Err(problems) }
    }
}

fn not_a_value(entry: Entry<'_>, (english, chinese): Expected) -> Problem {
    let (Written::Quoted(text) | Written::Bare(text) | Written::Loose(text) | Written::Other(text)) =
        entry.written;
    let (path, text) = (entry.path, excerpt(text));
    Problem {
        source: entry.source,
        english: format!("{path} is `{text}`; it must be {english}"),
        chinese: format!("{path} 为 `{text}`；{chinese}"),
    }
}

/// So much of a wrong value as names it.
fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>, source: Source) -> Problem {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(name, known);
    let nearest = known.map(|known| (likeness(known), known));
    let nearest = nearest.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let (hint_en, hint_zh) = match nearest.filter(|(likeness, _)| *likeness >= NEAREST_MIN) {
        Some((_, known)) => (format!("; did you mean `{known}`?"), format!("；是否为 `{known}`？")),
        None => (
            "; clearlist.example.toml has all there are".to_owned(),
            "；全部设置见 clearlist.example.toml".to_owned(),
        ),
    };
    let name = excerpt(name);
    Problem {
        source,
        english: format!("there is no setting `{name}`{hint_en}"),
        chinese: format!("没有设置 `{name}`{hint_zh}"),
    }
}

/// Line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn of_table<'a>(
    file: &str,
    text: &str,
    table: &'a DeTable<'a>,
    entries: &mut Vec<Entry<'a>>,
    problems: &mut Vec<Problem>,
) {
    for (section, value) in table {
        let at = |start| Source::Line(file.to_owned(), line_of(text, start));
        let Some(table) = value.get_ref().as_table() else {
            let name = section.get_ref();
            problems.push(Problem {
                source: at(section.span().start),
                english: format!(
                    "`{name}` stands outside of a section; begin one, like [limits], before it"
                ),
                chinese: format!("`{name}` 不在任何一节内；请先写出节名，例如 [limits]"),
            });
            continue;
        };
        for (key, value) in table {
            let written = match value.get_ref() {
                DeValue::String(text) => Written::Quoted(text),
                DeValue::Integer(number) if number.radix() == 10 => Written::Bare(number.as_str()),
                DeValue::Boolean(true) => Written::Bare("true"),
                DeValue::Boolean(false) => Written::Bare("false"),
                other => Written::Other(other.type_str()),
            };
            let path = format!("{}.{}", section.get_ref(), key.get_ref());
            entries.push(Entry { path, source: at(key.span().start), written });
        }
    }
}

fn of_environment<'a>(
    environment: &'a [(String, String)],
    known: &[(String, String)],
    entries: &mut Vec<Entry<'a>>,
    problems: &mut Vec<Problem>,
) {
    let filter = environment.iter().find(|(name, _)| name == FILTER_VARIABLE);
    if let Some((name, value)) = filter.filter(|(_, value)| !value.is_empty()) {
        entries.push(Entry {
            path: "telemetry.filter".into(),
            source: Source::Variable(name.clone()),
            written: Written::Loose(value),
        });
    }
    // Kubernetes puts CLEARLIST_SERVICE_HOST and the like beside a service named so: only a name
    // that begins with one of our sections is ours.
    let sections: Vec<String> = known
        .iter()
        .filter_map(|(path, _)| path.split_once('.'))
        .map(|(section, _)| format!("{VARIABLE_PREFIX}{}_", section.to_uppercase()))
        .collect();
    for (name, value) in environment {
        if let Some((path, _)) = known.iter().find(|(_, variable)| variable == name) {
            entries.push(Entry {
                path: path.clone(),
                source: Source::Variable(name.clone()),
                written: Written::Loose(value),
            });
        } else if sections.iter().any(|section| name.starts_with(section.as_str())) {
            let variables = known.iter().map(|(_, variable)| variable.as_str());
            problems.push(unknown(name, variables, Source::Variable(name.clone())));
        }
    }
}
