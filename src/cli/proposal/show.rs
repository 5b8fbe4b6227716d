//! `clearlist proposal show`: everything a person needs to approve a proposal or not, problems
//! first; or the bytes to sign elsewhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::answer::line;
use crate::cli::key::role_name;
use crate::cli::list::{change_json, change_text};
use crate::cli::source::counted;
use crate::cli::{Lang, Manner, Outcome, Output, complain, instant};
use crate::domain::list::List;
use crate::domain::list_diff::{Change, RowChange, diff};
use crate::domain::message::shown;
use crate::formats::proposal::{Examined, Held, ProposalFile, SignatureSeen, examine};
use crate::register::note::cosigned_message;
use crate::register::policy::Policy;
use crate::register::statement::{Statement, SuspensionStatement, to_hex};
use crate::server::now;

use super::{KnownPolicyArgs, fault_json, fault_line, held_json, instant_json, read, refuse};

/// Arguments of `clearlist proposal show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The proposal file
    file: PathBuf,
    #[command(flatten)]
    known: KnownPolicyArgs,
    /// Print exactly the bytes to sign, and nothing else
    #[arg(long)]
    message: bool,
    /// The second at which an agency signs them, to be repeated at `attach`
    #[arg(long, value_name = "INSTANT", requires = "message", conflicts_with = "log")]
    at: Option<String>,
    /// The bytes that a log key signs; an agency's name an instant
    #[arg(long, requires = "message")]
    log: bool,
}

/// Runs the command.
pub(super) fn run(manner: Manner, args: &ShowArgs) -> Result<Outcome, Outcome> {
    let lang = manner.lang;
    let proposal = read(lang, &args.file)?;
    let mut examined = examine(&proposal, now());
    examined.faults.extend(args.known.fault(lang, &proposal)?);
    if args.message {
        return message(lang, args, examined);
    }
    match manner.output {
        Output::Json => anstream::println!("{}", report_json(&proposal, &examined)),
        Output::Text => anstream::print!("{}", report(lang, &proposal, &examined)),
    }
    Ok(if examined.faults.is_empty() { Outcome::Yes } else { Outcome::No })
}

fn message(lang: Lang, args: &ShowArgs, examined: Examined) -> Result<Outcome, Outcome> {
    let checked = examined.checked().map_err(|faults| refuse(lang, &args.file, &faults))?;
    let text = checked.checkpoint().note().text();
    let bytes = match &args.at {
        Some(at) => cosigned_message(text, instant::parse(lang, "--at", at)?),
        None if args.log => text.as_bytes().to_vec(),
        None => {
            complain(lang.pick(
                "--message: an agency signs at an instant, name it with --at and again at `attach`; for a log key say --log",
                "--message：机构签署须注明时刻，请用--at指明，并在attach时重复；日志密钥请用--log",
            ));
            return Err(Outcome::Usage);
        }
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&bytes).and_then(|()| out.flush()).map_err(|error| {
        complain(&error.to_string());
        Outcome::Failed
    })?;
    Ok(Outcome::Yes)
}

fn report(lang: Lang, proposal: &ProposalFile, examined: &Examined) -> String {
    let mut out = problems_text(lang, examined);
    if let Some(statement) = &examined.statement {
        out.push_str(&statement_text(lang, statement));
        match statement {
            Statement::Revision(_) => list_text(lang, &mut out, proposal, examined),
            Statement::Policy(_) => policies_text(lang, &mut out, examined),
            Statement::Suspension(suspension) => {
                suspension_text(lang, &mut out, suspension, examined.base_list.as_ref());
            }
        }
    }
    if let Some(checkpoint) = &examined.checkpoint {
        // What two offices read to each other to know that they look at the same proposal.
        line(&mut out, lang.pick("root", "根"), &to_hex(&checkpoint.head().root));
    }
    for seen in &examined.signatures {
        line(&mut out, lang.pick("signed", "已签署"), &signature_text(lang, seen));
    }
    for (nth, held) in examined.quorums().iter().enumerate() {
        out.push_str(&quorum_text(lang, nth, held));
    }
    out
}

fn problems_text(lang: Lang, examined: &Examined) -> String {
    let mut out = String::new();
    if examined.faults.is_empty() {
        return out;
    }
    let red = AnsiColor::Red.on_default().bold();
    let found = match lang {
        Lang::En => format!("{}: do not sign this", counted(examined.faults.len())),
        Lang::Zh => format!("共{}个问题：请勿签署", examined.faults.len()),
    };
    let _ = writeln!(out, "{red}{found}{red:#}");
    for fault in &examined.faults {
        let _ = writeln!(out, "{red}  {}{red:#}", fault_line(lang, fault));
    }
    out
}

/// Which register, which number, from when until when, on which paper.
pub(super) fn statement_text(lang: Lang, statement: &Statement) -> String {
    let mut out = String::new();
    line(&mut out, lang.pick("register", "登记簿"), &shown(statement.origin()));
    let what = match statement {
        Statement::Revision(_) => lang.pick("a new list", "新清单"),
        Statement::Policy(_) => lang.pick("a new policy", "新签署规则"),
        Statement::Suspension(_) => lang.pick("a suspension", "暂停"),
    };
    let number = format!("{}: {what}", statement.number());
    line(&mut out, lang.pick("number", "编号"), &number);
    let (effective, expires) = times_of(statement);
    if let Some(at) = effective {
        line(&mut out, lang.pick("in force", "生效"), &instant::text(at));
    }
    if let Some(at) = expires {
        line(&mut out, lang.pick("expires", "失效"), &instant::text(at));
    }
    if !statement.document().is_empty() {
        line(&mut out, lang.pick("document", "依据文件"), &shown(statement.document()));
    }
    out
}

const fn times_of(statement: &Statement) -> (Option<Timestamp>, Option<Timestamp>) {
    match statement {
        Statement::Revision(s) => (Some(s.effective), Some(s.expires)),
        Statement::Suspension(s) => (Some(s.effective), None),
        Statement::Policy(_) => (None, None),
    }
}

fn list_text(lang: Lang, out: &mut String, proposal: &ProposalFile, examined: &Examined) {
    if let Some(list) = &examined.list {
        let [schemes, enterprises, entries] =
            [list.schemes().len(), list.enterprises().len(), list.entries().len()];
        let sizes = match lang {
            Lang::En => format!("{schemes} schemes, {enterprises} enterprises, {entries} entries"),
            Lang::Zh => format!("{schemes}个方案，{enterprises}家企业，{entries}条"),
        };
        line(out, lang.pick("list", "清单"), &sizes);
    }
    let Some(rows) = changes(examined) else { return };
    let against = match (&proposal.base.newest, lang) {
        (Some(newest), Lang::En) => format!("against revision {}", newest.number),
        (Some(newest), Lang::Zh) => format!("与第{}号修订相比", newest.number),
        (None, Lang::En) if proposal.base.size == 0 => "it is the first list".to_owned(),
        (None, Lang::Zh) if proposal.base.size == 0 => "此为第一份清单".to_owned(),
        // That there is none among so many statements is the drafter's word.
        (None, Lang::En) => "the file names no list before it".to_owned(),
        (None, Lang::Zh) => "提案文件未附此前的清单".to_owned(),
    };
    let [added, removed, changed] = counts(&rows);
    let total = rows.len();
    let counts = match lang {
        Lang::En => {
            format!("{total} rows, {against}: {added} added, {removed} removed, {changed} changed")
        }
        Lang::Zh => {
            format!("{total}行，{against}：新增{added}，删除{removed}，修改{changed}")
        }
    };
    line(out, lang.pick("changes", "变更"), &counts);
    if let Some((first, last)) = between(proposal) {
        let yellow = AnsiColor::Yellow.on_default();
        let lifted = match lang {
            Lang::En => format!(
                "this list lifts every suspension among statements {first} to {last}: see `register log`"
            ),
            Lang::Zh => {
                format!("第{first}至{last}号声明中的暂停将因本清单而全部解除：请查看`register log`")
            }
        };
        line(out, lang.pick("lifts", "解除"), &format!("{yellow}{lifted}{yellow:#}"));
    }
    for change in &rows {
        let color = match &change.change {
            Change::Added(_) => AnsiColor::Green,
            Change::Removed(_) => AnsiColor::Red,
            Change::Changed(_) => AnsiColor::Yellow,
        };
        let style = color.on_default();
        for row in change_text(change).lines() {
            let _ = writeln!(out, "    {style}{row}{style:#}");
        }
    }
}

/// Numbers of the first and the last statement between the newest list and a proposed one. Those
/// of them that are suspensions end with it; the file does not hold them.
fn between(proposal: &ProposalFile) -> Option<(u64, u64)> {
    let (newest, size) = (proposal.base.newest.as_ref()?.number, proposal.base.size);
    (newest < size).then_some((newest + 1, size))
}

/// What a revision changes, the empty list before the first; `None` where a list is missing or
/// cannot be read, which was said.
fn changes(examined: &Examined) -> Option<Vec<RowChange>> {
    let after = examined.list.as_ref()?;
    let Some(before) = &examined.base_list else {
        // The empty list has no rows that could collide.
        let empty = List::build(Vec::new(), Vec::new(), Vec::new()).ok()?;
        return Some(diff(&empty, after));
    };
    Some(diff(before, after))
}

fn counts(changes: &[RowChange]) -> [usize; 3] {
    let count = |is: fn(&Change) -> bool| changes.iter().filter(|c| is(&c.change)).count();
    [
        count(|c| matches!(c, Change::Added(_))),
        count(|c| matches!(c, Change::Removed(_))),
        count(|c| matches!(c, Change::Changed(_))),
    ]
}

/// Lines of the old policy that go, then the new one, its new lines marked.
fn policies_text(lang: Lang, out: &mut String, examined: &Examined) {
    let (Some(old), Some(new)) = (&examined.policy, &examined.proposed) else { return };
    line(out, lang.pick("policy", "签署规则"), "");
    for (mark, text) in policy_lines(old, new) {
        let style = match mark {
            '+' => AnsiColor::Green.on_default(),
            '-' => AnsiColor::Red.on_default(),
            _ => anstyle::Style::new(),
        };
        let _ = writeln!(out, "    {style}{mark} {}{style:#}", shown(text));
    }
}

fn policy_lines<'a>(old: &'a Policy, new: &'a Policy) -> Vec<(char, &'a str)> {
    let filled = |policy: &'a Policy| policy.text().lines().filter(|l| !l.trim().is_empty());
    let goes = filled(old).filter(|l| !filled(new).any(|other| other == *l)).map(|l| ('-', l));
    let stands = filled(new).map(|l| {
        let mark = if filled(old).any(|other| other == l) { ' ' } else { '+' };
        (mark, l)
    });
    goes.chain(stands).collect()
}

fn suspension_text(
    lang: Lang,
    out: &mut String,
    suspension: &SuspensionStatement,
    newest: Option<&List>,
) {
    for id in &suspension.entries {
        let entry = newest.and_then(|list| list.entries().iter().find(|e| *e.id == **id));
        let names =
            entry.map(|e| e.names().map(|n| shown(&n.text)).collect::<Vec<_>>().join(" / "));
        let text = format!("{} {}", shown(id), names.unwrap_or_default());
        line(out, lang.pick("suspends", "暂停条目"), text.trim_end());
    }
    for code in &suspension.enterprises {
        let named = |list: &List| {
            let found = list.enterprises().iter().find(|e| e.uscc.as_str() == code);
            found.map(|e| shown(&e.name_zh))
        };
        let name = newest.and_then(named).unwrap_or_default();
        let text = format!("{} {name}", shown(code));
        line(out, lang.pick("suspends", "暂停企业"), text.trim_end());
    }
}

fn signature_text(lang: Lang, seen: &SignatureSeen) -> String {
    let name = shown(&seen.name);
    match seen.at {
        Some(at) => format!("{name} · {}", instant::text(at)),
        None if seen.is_of_log() => {
            let drafted =
                lang.pick("log key of the register, which drafted it", "登记簿日志密钥（起草方）");
            format!("{name} · {drafted}")
        }
        None => name,
    }
}

/// Whether enough have signed, and who has not. The first is the policy in force, the second the
/// proposed one.
pub(super) fn quorum_text(lang: Lang, nth: usize, held: &Held) -> String {
    let mut out = String::new();
    let proposed = if nth == 0 { "" } else { lang.pick("proposed policy: ", "拟议规则：") };
    let text = match held {
        Ok(_) => {
            let green = AnsiColor::Green.on_default();
            let met = lang.pick("enough have signed", "签署已足");
            format!("{proposed}{green}{met}{green:#}")
        }
        Err(error) => {
            let yellow = AnsiColor::Yellow.on_default();
            format!("{proposed}{yellow}{}{yellow:#}", super::refusal_text(lang, error))
        }
    };
    line(&mut out, lang.pick("quorum", "法定签署"), &text);
    out
}

/// What a proposal is and how far it is, for programs.
pub(super) fn summary_json(examined: &Examined) -> Value {
    let statement = examined.statement.as_ref();
    let (effective, expires) = statement.map_or((None, None), times_of);
    let signatures: Vec<Value> = examined
        .signatures
        .iter()
        .map(|seen| {
            json!({
                "name": seen.name,
                "vkey": seen.key.to_string(),
                "role": role_name(seen.key.role()),
                "time": instant_json(seen.at),
            })
        })
        .collect();
    let quorums: Vec<Value> = examined.quorums().iter().map(held_json).collect();
    json!({
        "problems": examined.faults.iter().map(fault_json).collect::<Vec<_>>(),
        "origin": statement.map(Statement::origin),
        "number": statement.map(Statement::number),
        "type": statement.map(Statement::type_name),
        "effectiveTime": instant_json(effective),
        "expireTime": instant_json(expires),
        "document": statement.map(Statement::document),
        "rootSha256": examined.checkpoint.as_ref().map(|c| to_hex(&c.head().root)),
        "signatures": signatures,
        "quorum": quorums.first(),
        "proposedQuorum": quorums.get(1),
    })
}

fn report_json(proposal: &ProposalFile, examined: &Examined) -> Value {
    let mut out = summary_json(examined);
    let Some(fields) = out.as_object_mut() else { return out };
    match &examined.statement {
        Some(Statement::Revision(_)) => {
            let rows = changes(examined).unwrap_or_default();
            let [added, removed, changed] = counts(&rows);
            let before = proposal.base.newest.as_ref().map(|newest| newest.number);
            fields.insert("comparedWith".to_owned(), json!(before));
            let between = between(proposal).map(|(first, last)| json!([first, last]));
            fields.insert("liftsSuspensionsAmong".to_owned(), json!(between));
            fields.insert(
                "count".to_owned(),
                json!({ "added": added, "removed": removed, "changed": changed }),
            );
            let rows = rows.iter().map(change_json).collect::<Vec<_>>();
            fields.insert("changes".to_owned(), json!(rows));
        }
        Some(Statement::Policy(change)) => {
            fields.insert("policy".to_owned(), json!(change.policy));
        }
        Some(Statement::Suspension(suspension)) => {
            fields.insert("suspendedEntries".to_owned(), json!(suspension.entries));
            fields.insert("suspendedEnterprises".to_owned(), json!(suspension.enterprises));
        }
        None => {}
    }
    out
}
