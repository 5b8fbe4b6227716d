//! `clearlist receipt verify`: what a receipt proves, for a person.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Lang, Manner, Outcome, Output, complain, file, instant};
use crate::domain::clearance::Verdict;
use crate::domain::entry::Entry;
use crate::domain::message::{Refusal, shown};
use crate::formats::receipt::{self, RECEIPT_BYTES_MAX, Verified};
use crate::grpc::proto::v1;
use crate::register::decision_text::Matching;
use crate::register::note::VerifierKey;
use crate::register::policy::{POLICY_BYTES_MAX, Policy};

use crate::cli::answer::verdict_meaning;

/// Entries named one by one.
const NAMED_MAX: usize = 5;

pub(super) fn run(
    manner: Manner,
    path: &Path,
    policy: &Path,
    service_key: &str,
) -> Result<(), Outcome> {
    let lang = manner.lang;
    let text = file::read(lang, policy, POLICY_BYTES_MAX)?;
    let text = String::from_utf8(text).map_err(|_no_utf8| {
        complain(&format!("{}: {}", policy.display(), lang.pick("not UTF-8", "不是UTF-8编码")));
        Outcome::Usage
    })?;
    let refuse = |place: &str, error: &dyn Refusal| {
        let what = lang.pick(&error.english(), &error.chinese()).to_owned();
        complain(&format!("{place}: {what} [{}]", error.reason()));
        Outcome::Usage
    };
    let policy =
        Policy::parse(&text).map_err(|error| refuse(&policy.display().to_string(), &error))?;
    let service =
        VerifierKey::parse(service_key.trim()).map_err(|error| refuse("--service-key", &error))?;
    let bytes = file::read(lang, path, RECEIPT_BYTES_MAX)?;
    let found = receipt::read(&bytes).map_err(|problem| {
        let what = lang.pick("is no receipt:", "不是凭证：");
        complain(&format!("{} {what} {problem} [RECEIPT_FORM]", path.display()));
        Outcome::No
    })?;
    let verified = receipt::verify(&found, &policy, &service).map_err(|error| {
        let what = lang.pick(&error.english(), &error.chinese()).to_owned();
        let what = shown(&what);
        match manner.output {
            Output::Text => {
                let head = lang.pick("NOT PROVEN", "未获证明");
                complain(&format!("{head}: {what} [{}]", error.reason()));
            }
            Output::Json => anstream::println!(
                "{}",
                json!({ "holds": false, "reason": error.reason(), "message": what })
            ),
        }
        Outcome::No
    })?;
    match manner.output {
        Output::Text => anstream::print!("{}", render(lang, &verified)),
        Output::Json => anstream::println!("{}", to_json(&verified)),
    }
    Ok(())
}

fn render(lang: Lang, verified: &Verified) -> String {
    let checked = &verified.checked;
    let text = &checked.text;
    let wire = match text.verdict {
        Verdict::Listed => v1::Verdict::Listed,
        Verdict::Conditional => v1::Verdict::Conditional,
        Verdict::NotCovered => v1::Verdict::NotCovered,
        Verdict::Candidate => v1::Verdict::Candidate,
        Verdict::NotListed => v1::Verdict::NotListed,
    };
    let bold = anstyle::Style::new().bold();
    let mut out = vec![format!(
        "{bold}{} {}{bold:#} — {}",
        lang.pick("PROVEN", "已获证明"),
        text.verdict.name(),
        verdict_meaning(lang, wire.into())
    )];
    let asked = &text.compared;
    let parts = [
        &*asked.hs_code,
        &*asked.material_name,
        &*asked.cas_number,
        &*asked.end_user_uscc,
        &*asked.customs_district,
        &*asked.intended_use,
    ];
    let mut parts: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| shown(p)).collect();
    parts.extend(asked.quantity.as_ref().map(|q| format!("{} {}", q.value, q.unit)));
    out.push(format!(
        "  {} {} · {}",
        lang.pick("asked", "问题"),
        parts.join(" · "),
        text.declaration_date
    ));
    out.push(
        lang.pick("Signed by the agencies, and checked here:", "由各机构签署，已在此核验：").into(),
    );
    out.extend(agencies(lang, verified).into_iter().map(|line| format!("  · {line}")));
    out.push(lang.pick("Only the service says:", "仅为服务方所称：").into());
    out.extend(service(lang, verified).into_iter().map(|line| format!("  · {line}")));
    out.join("\n") + "\n"
}

/// What the agencies signed.
fn agencies(lang: Lang, verified: &Verified) -> Vec<String> {
    let checked = &verified.checked;
    let text = &checked.text;
    let (number, size) = (text.source.revision, checked.size);
    let by: Vec<String> = checked
        .cosigned
        .iter()
        .map(|(name, at)| format!("{name} {}", instant::local(*at)))
        .collect();
    let revision = &checked.shown.revision;
    let (from, to) = (instant::local(revision.effective), instant::local(revision.expires));
    let mut out = vec![
        match lang {
            Lang::En => {
                format!("register {} of size {size}, signed by {}", text.origin, by.join(", "))
            }
            Lang::Zh => format!("登记簿{}，共{size}条声明，签署者：{}", text.origin, by.join("、")),
        },
        match lang {
            Lang::En => format!(
                "with {} of its statements known, revision {number} was in force at {} ({from} → {to})",
                text.source.known,
                instant::local(checked.at)
            ),
            Lang::Zh => format!(
                "就前{}条声明而言，{}有效的是第{number}版（{from} → {to}）",
                text.source.known,
                instant::local(checked.at)
            ),
        },
    ];
    for suspension in &checked.shown.suspensions {
        out.push(match lang {
            Lang::En => format!("suspension {} was in force", suspension.number),
            Lang::Zh => format!("第{}条声明的暂停有效", suspension.number),
        });
    }
    let named = |id: &str| verified.rows.entries().iter().find(|entry| *entry.id == *id);
    let (deciding, others): (Vec<&Matching<'_>>, Vec<_>) =
        text.matches.iter().partition(|matched| matched.verdict == text.verdict);
    for matched in deciding.iter().take(NAMED_MAX) {
        let Some(entry) = named(&matched.entry) else { continue };
        let reasons: Vec<&str> = matched.reasons.iter().map(|reason| reason.name()).collect();
        out.push(match lang {
            Lang::En => format!(
                "{} is on it and answers {} {}",
                described(entry),
                matched.verdict.name(),
                reasons.join(" ")
            ),
            Lang::Zh => {
                let verdict = matched.verdict.name();
                format!("{}在清单上，结论{verdict} {}", described(entry), reasons.join(" "))
            }
        });
    }
    let more = deciding.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        out.push(match lang {
            Lang::En => format!("and {more} more entries answer the same"),
            Lang::Zh => format!("另有{more}条结论相同"),
        });
    }
    if !others.is_empty() {
        let count = others.len();
        out.push(match lang {
            Lang::En => format!("{count} more match and answer no better"),
            Lang::Zh => format!("另有{count}条匹配但结论不优于此"),
        });
    }
    let name = if text.compared.material_name.is_empty() {
        &text.compared.cas_number
    } else {
        &text.compared.material_name
    };
    let name = shown(name);
    let code = &text.compared.hs_code;
    out.push(match (lang, text.matches.is_empty()) {
        (Lang::En, true) => format!(
            "no entry for {code} bears the name `{name}`, and no directory row of the end user covers it"
        ),
        (Lang::Zh, true) => {
            format!("清单上没有编码{code}且名称为`{name}`的条目，最终用户也无可适用的目录行")
        }
        (Lang::En, false) => format!("no other entry bears the name `{name}`"),
        (Lang::Zh, false) => format!("没有名称为`{name}`的其他条目"),
    });
    for id in text.candidates.iter().take(NAMED_MAX) {
        let Some(entry) = named(id) else { continue };
        out.push(match lang {
            Lang::En => format!("{} is on it, under another name or code", described(entry)),
            Lang::Zh => format!("{}在清单上，名称或编码不同", described(entry)),
        });
    }
    out
}

/// What only the service says.
fn service(lang: Lang, verified: &Verified) -> Vec<String> {
    let text = &verified.checked.text;
    let at = instant::local(text.decide_time);
    let mut out = vec![match lang {
        Lang::En => format!("that it was asked this, and when: {at}"),
        Lang::Zh => format!("提问的内容与时间：{at}"),
    }];
    let size = verified.checked.size;
    out.push(match lang {
        Lang::En => format!("that the register had no more than {size} statements then"),
        Lang::Zh => format!("当时登记簿的声明不多于{size}条"),
    });
    if text.verdict == Verdict::Candidate {
        out.push(
            lang.pick(
                "that no other entries resemble what was asked more",
                "没有其他条目与所问更为相似",
            )
            .into(),
        );
    }
    if text.verdict == Verdict::NotListed {
        out.push(
            lang.pick("that nothing on the list resembles what was asked", "清单上没有相似的条目")
                .into(),
        );
    }
    out
}

fn described(entry: &Entry) -> String {
    let name = entry.name_zh.as_ref().or(entry.name_en.as_ref()).map_or("", |name| &*name.text);
    let code = entry.hs_code.as_ref().map_or("", |code| code.as_str());
    shown(format!("{} {name} {code}", entry.id).trim_end())
}

fn to_json(verified: &Verified) -> Value {
    let checked = &verified.checked;
    let text = &checked.text;
    let cosigned: Vec<Value> = checked
        .cosigned
        .iter()
        .map(|(agency, at)| json!({ "agency": agency, "time": at.to_string() }))
        .collect();
    let fields = |json: String| serde_json::from_str::<Value>(&json).unwrap_or_default();
    let matches: Vec<&str> = text.matches.iter().map(|matched| &*matched.entry).collect();
    json!({
        "holds": true,
        "verdict": text.verdict.name(),
        "proven": {
            "origin": text.origin,
            "size": checked.size,
            "cosignatures": cosigned,
            "revision": text.source.revision,
            "effectiveTime": checked.shown.revision.effective.to_string(),
            "expireTime": checked.shown.revision.expires.to_string(),
            "at": checked.at.to_string(),
            "matches": matches,
            "entries": checked.shown.entries,
        },
        "said": {
            "question": fields(text.question.json()),
            "compared": fields(text.compared.json()),
            "declarationDate": text.declaration_date.to_string(),
            "decideTime": text.decide_time.to_string(),
            "known": text.source.known,
            "candidates": text.candidates,
        },
    })
}
