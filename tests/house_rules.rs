//! The rules of docs/STYLE.md that a program can check: which way imports point, where the
//! clock and the environment are read, what files are called.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Each may use those before it.
const LAYERS: [&str; 8] =
    ["domain", "register", "formats", "store", "service", "grpc", "server", "cli"];
/// Beside the layers: they use none of them.
const BESIDE: [&str; 2] = ["config", "telemetry"];
/// Who may use those; and each of them those before it.
const BESIDE_USERS: [&str; 2] = ["server", "cli"];
/// Layers without I/O, clock, runtime and wire types.
const PURE: [&str; 3] = ["domain", "register", "formats"];
/// Crates that pure layers do not know, by how their names begin.
const IMPURE_CRATES: [&str; 3] = ["tokio", "tonic", "prost"];
/// Parts of the standard library that reach outside.
const IMPURE_STD: [&str; 4] = ["fs", "net", "env", "process"];
/// Clocks.
const CLOCKS: [&str; 4] = ["SystemTime", "Timestamp::now", "Zoned::now", "Instant::now"];
/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] =
    ["util", "common", "helper", "misc", "manager", "handler", "processor", "data"];
/// Folders that are built, fetched or kept by tools.
const NOT_OURS: [&str; 5] = ["target", ".git", "node_modules", ".venv", "__pycache__"];

/// A source file: its path from the repository's root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The modules it is, from the crate's root: `["domain", "clearance"]`.
    fn modules(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.strip_suffix(".rs").unwrap_or(path).split('/').collect()
    }

    fn layer(&self) -> &str {
        self.modules().first().copied().unwrap_or_default()
    }

    /// The text without lines that are comments.
    fn code(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Modules at the crate's root that the file names, by `crate::`, or by `super::` as often
    /// as it takes to get there.
    fn uses(&self) -> Vec<String> {
        let code = self.code();
        // The program is a crate of its own beside the library.
        let own_name = code.split("clearlist::").skip(1).filter(|_| self.layer() == "main");
        let mut out: Vec<String> =
            code.split("crate::").skip(1).chain(own_name).flat_map(heads).collect();
        let depth = self.modules().len();
        let mut supers = 0;
        for rest in code.split("super::").skip(1) {
            supers += 1;
            if rest.is_empty() {
                continue;
            }
            if supers >= depth {
                out.extend(heads(rest));
            }
            supers = 0;
        }
        out
    }

    /// What a layer must not do, as sentences.
    fn faults(&self) -> Vec<String> {
        let (path, layer, code) = (&self.path, self.layer(), self.code());
        let mut out: Vec<String> = self
            .uses()
            .iter()
            .filter(|used| !may_use(layer, used))
            .map(|used| format!("{path}: {layer} may not use {used}"))
            .collect();
        let std_parts: Vec<String> = code.split("std::").skip(1).flat_map(heads).collect();
        if PURE.contains(&layer) {
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let crates = words.filter(|w| IMPURE_CRATES.iter().any(|name| w.starts_with(name)));
            let parts = std_parts.iter().map(String::as_str);
            let parts = parts.filter(|part| IMPURE_STD.contains(part));
            let clocks = CLOCKS.into_iter().filter(|clock| code.contains(clock));
            out.extend(
                crates.chain(parts).chain(clocks).map(|what| format!("{path}: {layer} has {what}")),
            );
        }
        if path != "src/server.rs" && code.contains("Timestamp::now") {
            out.push(format!("{path}: the clock is read in src/server.rs only"));
        }
        if path != "src/cli.rs" && std_parts.iter().any(|part| part == "env") {
            out.push(format!("{path}: the environment is read in src/cli.rs only"));
        }
        if !self.text.starts_with("//!") {
            out.push(format!("{path}: does not begin with what it is, in a //! line"));
        }
        out
    }
}

/// The first names of a path or of a group of paths: `a::b` → a; `{a::b, c::{d, e}}` → a, c.
fn heads(rest: &str) -> Vec<String> {
    let head = |path: &str| {
        let word = path.trim_start();
        word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![head(rest)] };
    let (mut depth, mut paths) = (1, vec![String::new()]);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => paths.push(String::new()),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if let Some(path) = paths.last_mut().filter(|_| c != ',') {
            path.push(c);
        }
    }
    paths.iter().map(|path| head(path)).filter(|name| !name.is_empty()).collect()
}

fn may_use(layer: &str, used: &str) -> bool {
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    match (layer, used) {
        _ if layer == used => true,
        ("main", used) => used == "cli",
        ("telemetry", "config") => true,
        (layer, used) if BESIDE.contains(&used) => BESIDE_USERS.contains(&layer),
        (layer, used) => matches!((rank(layer), rank(used)), (Some(from), Some(to)) if to < from),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, without what is not ours.
fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let entry = entry.expect("the folder can be listed");
        let kind = entry.file_type().expect("the file has a type");
        let ours = !NOT_OURS.iter().any(|name| entry.file_name() == OsStr::new(name));
        if kind.is_dir() && ours {
            files_below(&entry.path(), out);
        } else if kind.is_file() && ours {
            out.push(entry.path());
        }
    }
}

/// Every text file below a folder of the repository; what is not UTF-8 is no text.
fn texts(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    files_below(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let text = String::from_utf8(fs::read(path).ok()?).ok()?;
        let path = path.strip_prefix(root()).expect("the file is below the root");
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        Some(Source { path: parts.join("/"), text })
    };
    paths.iter().filter_map(read).collect()
}

fn sources() -> Vec<Source> {
    let is_rust = |source: &Source| Path::new(&source.path).extension() == Some(OsStr::new("rs"));
    let found: Vec<Source> = texts("src").into_iter().filter(is_rust).collect();
    assert!(found.len() > LAYERS.len(), "the sources were not found");
    found
}

#[test]
fn every_source_file_keeps_the_rules_of_its_layer() {
    // The crate's root only names the modules.
    let sources = sources().into_iter().filter(|source| source.path != "src/lib.rs");
    let faults: Vec<String> = sources.flat_map(|source| source.faults()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_module_is_a_layer_or_stands_beside_them() {
    for source in sources() {
        let layer = source.layer();
        let known =
            LAYERS.contains(&layer) || BESIDE.contains(&layer) || ["lib", "main"].contains(&layer);
        assert!(known, "{} belongs to no layer", source.path);
    }
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for source in sources() {
        for part in source.modules() {
            let bad = |name: &str| part == name || part == format!("{name}s");
            assert!(!EMPTY_NAMES.iter().any(|name| bad(name)), "{}", source.path);
            assert_ne!(part, "mod", "{}: name the file for its module", source.path);
        }
    }
}

#[test]
fn nothing_in_the_repository_names_a_path_of_one_machine() {
    let needles = [["/wo", "rk/"], ["/ro", "ot/"], ["../sh", "ared"]].map(|parts| parts.concat());
    for source in texts("") {
        for (line, text) in source.text.lines().enumerate() {
            let named = needles.iter().find(|needle| text.contains(*needle));
            assert_eq!(named, None, "{}:{}", source.path, line + 1);
        }
    }
}

#[test]
fn each_broken_rule_is_seen() {
    let broken = [
        ("src/domain/a.rs", "//! A.\nuse crate::formats::table;", "domain may not use formats"),
        ("src/domain/a.rs", "//! A.\nuse super::super::cli;", "domain may not use cli"),
        ("src/domain/a/b.rs", "//! A.\nuse super::super::super::grpc::X;", "not use grpc"),
        ("src/server.rs", "//! A.\nuse super::cli::run;", "server may not use cli"),
        ("src/service/a.rs", "//! A.\nuse crate::{domain::x, grpc::{y, z}};", "not use grpc"),
        ("src/grpc/a.rs", "//! A.\nuse crate::telemetry;", "grpc may not use telemetry"),
        ("src/telemetry.rs", "//! A.\nuse crate::domain::x;", "telemetry may not use domain"),
        ("src/config.rs", "//! A.\nuse crate::server;", "config may not use server"),
        ("src/service/a.rs", "//! A.\nuse crate::config;", "service may not use config"),
        ("src/main.rs", "//! A.\nuse clearlist::server;", "main may not use server"),
        ("src/domain/a.rs", "//! A.\nuse tokio::time;", "domain has tokio"),
        ("src/formats/a.rs", "//! A.\nuse prost_types::Any;", "formats has prost"),
        ("src/formats/a.rs", "//! A.\nuse std::{fmt, fs::File};", "formats has fs"),
        ("src/domain/a.rs", "//! A.\nlet t = jiff::Zoned::now();", "domain has Zoned::now"),
        ("src/cli/a.rs", "//! A.\nlet t = Timestamp::now();", "the clock is read"),
        ("src/cli/a.rs", "//! A.\nlet t = std::env::var(x);", "the environment is read"),
        ("src/cli/a.rs", "use std::fmt;", "does not begin with what it is"),
    ];
    for (path, text, fault) in broken {
        let faults = Source::of(path, text).faults().join("\n");
        assert!(faults.contains(fault), "{path} {text:?}: {faults:?} should say {fault:?}");
    }
}

#[test]
fn a_file_that_breaks_no_rule_has_no_fault() {
    let good = [
        ("src/domain/a/b.rs", "//! A.\nuse super::super::list::List;\n// not crate::cli"),
        ("src/cli/a.rs", "//! A.\nuse crate::{domain::x, grpc::y};\nuse crate::telemetry;"),
        ("src/server.rs", "//! A.\nlet t = Timestamp::now();"),
        ("src/cli.rs", "//! A.\nlet t = std::env::var(x);"),
        ("src/main.rs", "//! A.\nclearlist::cli::run()"),
    ];
    for (path, text) in good {
        assert_eq!(Source::of(path, text).faults(), Vec::<String>::new(), "{path}");
    }
}
