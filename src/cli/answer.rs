//! An answer for a person's eyes: the verdict first, then why, then what to do.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::grpc::proto::google::r#type::Date;
use crate::grpc::proto::v1;

use super::Lang;

/// Further matching rows shown; the JSON form has them all.
const ALSO_MAX: usize = 3;

/// The verdict as people know it, without the enum's prefix.
pub(super) fn verdict_name(verdict: i32) -> String {
    let known = v1::Verdict::try_from(verdict).unwrap_or(v1::Verdict::Unspecified);
    known.as_str_name().trim_start_matches("VERDICT_").to_owned()
}

/// The reason without the enum's prefix.
pub(super) fn reason_name(reason: i32) -> String {
    let known = v1::Reason::try_from(reason).unwrap_or(v1::Reason::Unspecified);
    known.as_str_name().trim_start_matches("REASON_").to_owned()
}

/// What a verdict means, in one line.
pub(super) fn verdict_meaning(lang: Lang, verdict: i32) -> &'static str {
    let (english, chinese) = match v1::Verdict::try_from(verdict) {
        Ok(v1::Verdict::Listed) => ("on the list, every condition holds", "在清单上，全部条件满足"),
        Ok(v1::Verdict::Conditional) => {
            ("on the list; supply or confirm what follows", "在清单上；请补充或确认下列事项")
        }
        Ok(v1::Verdict::NotCovered) => {
            ("on the list, but a condition fails", "在清单上，但有条件不满足")
        }
        Ok(v1::Verdict::Candidate) => {
            ("no exact match; a person must compare these", "没有完全一致的条目；需人工比对")
        }
        Ok(v1::Verdict::NotListed) => ("not on the list", "不在清单上"),
        _ => ("no answer", "无结论"),
    };
    lang.pick(english, chinese)
}

fn style(verdict: i32) -> Style {
    let color = match v1::Verdict::try_from(verdict) {
        Ok(v1::Verdict::Listed) => AnsiColor::Green,
        Ok(v1::Verdict::Conditional | v1::Verdict::Candidate) => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    color.on_default().bold()
}

/// The whole answer. Lines of one kind share a label in the margin.
pub(super) fn render(lang: Lang, decision: &v1::Decision) -> String {
    let mut out = String::new();
    let bold = style(decision.verdict);
    let meaning = verdict_meaning(lang, decision.verdict);
    let _ = writeln!(out, "{bold}{}{bold:#} — {meaning}", verdict_name(decision.verdict));
    for finding in &decision.findings {
        let label = match v1::Effect::try_from(finding.effect) {
            Ok(v1::Effect::Missing) => lang.pick("to do", "待办"),
            Ok(v1::Effect::Fails) => lang.pick("fails", "不符"),
            _ => lang.pick("note", "说明"),
        };
        line(
            &mut out,
            label,
            &format!("{} [{}]", sentence(lang, finding), reason_name(finding.reason)),
        );
    }
    for (nth, matched) in decision.matches.iter().take(1 + ALSO_MAX).enumerate() {
        render_match(lang, &mut out, matched, nth == 0);
    }
    let more = decision.matches.len().saturating_sub(1 + ALSO_MAX);
    if more > 0 {
        line(
            &mut out,
            "",
            &match lang {
                Lang::En => format!("and {more} more matching rows; `--output json` has them all"),
                Lang::Zh => format!("另有{more}行匹配；`--output json` 可查看全部"),
            },
        );
    }
    render_candidates(lang, &mut out, decision);
    for step in &decision.normalization {
        let read = lang.pick("read as", "读作");
        let what = format!("{} `{}` → `{}` ({})", step.field, step.before, step.after, step.step);
        line(&mut out, read, &what);
    }
    render_basis(lang, &mut out, decision);
    out
}

fn render_match(lang: Lang, out: &mut String, matched: &v1::Match, deciding: bool) {
    let Some(entry) = &matched.entry else { return };
    let label = if deciding { lang.pick("row", "条目") } else { lang.pick("also", "另有") };
    let verdict =
        if deciding { String::new() } else { format!("{}: ", verdict_name(matched.verdict)) };
    line(out, label, &format!("{verdict}{}", entry_line(entry)));
    if !deciding {
        return;
    }
    let by = match v1::MatchedBy::try_from(matched.matched_by) {
        Ok(v1::MatchedBy::NameZh) => lang.pick("Chinese name", "中文名称"),
        Ok(v1::MatchedBy::NameEn) => lang.pick("English name", "英文名称"),
        Ok(v1::MatchedBy::Synonym) => lang.pick("recorded synonym", "登记的同义名"),
        Ok(v1::MatchedBy::Cas) => lang.pick("CAS number", "CAS号"),
        _ => lang.pick("enterprise directory", "企业目录"),
    };
    line(out, lang.pick("matched", "依据"), &format!("{by}: {}", matched.matched_text));
    let listed = decided_yes(matched.verdict);
    if !matched.waived_documents.is_empty() && listed {
        let waived = matched.waived_documents.join(", ");
        let rest = lang.pick("every other document stays required", "其他单证仍须提交");
        line(out, lang.pick("waives", "免交"), &format!("{waived}; {rest}"));
    }
    if !matched.remark_text.is_empty() && listed {
        line(out, lang.pick("remark", "备注"), &matched.remark_text);
    }
}

fn decided_yes(verdict: i32) -> bool {
    matches!(v1::Verdict::try_from(verdict), Ok(v1::Verdict::Listed | v1::Verdict::Conditional))
}

fn render_candidates(lang: Lang, out: &mut String, decision: &v1::Decision) {
    for candidate in &decision.candidates {
        let Some(entry) = &candidate.entry else { continue };
        let label = lang.pick("similar", "相近");
        line(out, label, &format!("{:.2} {}", candidate.score, entry_line(entry)));
        for difference in &candidate.differences {
            line(out, "", &format!("· {}", sentence(lang, difference)));
        }
    }
    let shown = u32::try_from(decision.candidates.len()).unwrap_or(u32::MAX);
    if decision.candidate_total > shown {
        let more = decision.candidate_total - shown;
        line(
            out,
            "",
            &match lang {
                Lang::En => format!("and {more} more; see `clearlist search`"),
                Lang::Zh => format!("另有{more}条；请用 `clearlist search` 查看"),
            },
        );
    }
}

fn render_basis(lang: Lang, out: &mut String, decision: &v1::Decision) {
    let day = decision.declaration_date.map(date_text).unwrap_or_default();
    line(out, lang.pick("date", "日期"), &day);
    let Some(revision) = &decision.revision else { return };
    let beginning =
        revision.root_sha256.iter().take(8).fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let root = format!("{beginning:016x}");
    let named = if revision.number == 0 {
        let unsigned = lang.pick("UNSIGNED list, sha256", "未签名的清单，sha256");
        format!("{unsigned} {root}…")
    } else {
        format!("{} {} sha256 {root}…", revision.origin, revision.number)
    };
    line(out, lang.pick("list", "清单"), &named);
}

/// A line with its label in the margin.
pub(super) fn line(out: &mut String, label: &str, text: &str) {
    // Chinese characters take two columns of a terminal.
    let width = label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let pad = " ".repeat(9_usize.saturating_sub(width));
    let _ = writeln!(out, "  {label}{pad}{text}");
}

fn sentence(lang: Lang, finding: &v1::Finding) -> &str {
    lang.pick(&finding.message_en, &finding.message_zh)
}

/// One line that tells a row from any other.
pub(super) fn entry_line(entry: &v1::Entry) -> String {
    let names = [&entry.name_zh, &entry.name_en].into_iter().filter(|n| !n.is_empty());
    let names = names.map(String::as_str).collect::<Vec<_>>().join(" / ");
    let names = if names.is_empty() { "—".to_owned() } else { names };
    let code = if entry.hs_code.is_empty() { "—" } else { &entry.hs_code };
    format!("{} {names} · {code} · {} · {}", entry.entry_id, entry.scheme, entry.enterprise_name_zh)
}

/// `YYYY-MM-DD`.
pub(super) fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}
