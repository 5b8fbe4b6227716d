//! What docs/formats.md quotes of the golden files, and that it leaves out no format.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::files::{files_below, golden, text};

/// The code blocks of a page whose first line names a golden file: ```` ```text golden/NAME ````.
fn quoted(page: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = info.split_once(" golden/") {
            out.push((name.to_owned(), block.join("\n") + "\n"));
        }
    }
    out
}

#[test]
fn the_page_of_formats_quotes_every_golden_file_to_the_byte() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let quoted = quoted(&page);
    for (name, block) in &quoted {
        let file = text(name);
        // A file may end without a line end; a block cannot.
        let file = if file.ends_with('\n') { file } else { file + "\n" };
        assert_eq!(*block, file, "golden/{name}");
    }
    let quoted: BTreeSet<&str> = quoted.iter().map(|(name, _)| name.as_str()).collect();
    let files = files_below(&golden());
    // One of each kind is enough.
    let others = ["register/statements", "policy-2.txt", "decisions-2", "decisions-3"];
    let is_other = |name: &str| {
        let nth = ["cosigned-", "checkpoint-"];
        let later = nth.iter().any(|kind| name.starts_with(kind) && !name.contains("-1."));
        let not_text = ["list-2/", "decisions-"].iter().any(|kind| name.starts_with(kind));
        later || not_text || others.contains(&name) || name == "statement-4.json"
    };
    for name in files.keys().filter(|name| !is_other(name)) {
        assert!(quoted.contains(name.as_str()), "docs/formats.md does not quote golden/{name}");
    }
    for name in others {
        assert!(page.contains(&format!("tests/golden/{name}")), "{name} is not named");
    }
}
