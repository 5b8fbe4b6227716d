//! `clearlist check`: one question, a readable answer.

use std::path::PathBuf;

use clap::Args;

use crate::domain::entry::Use;
use crate::domain::quantity;
use crate::formats::list_csv::iso_date;
use crate::formats::receipt;
use crate::grpc::json::to_json;
use crate::grpc::proto::google::r#type::Date;
use crate::grpc::{proto::v1, wire};
use crate::register::receipt::Receipt;

use super::file::{Readers, write_new};
use super::source::{Source, report_status};
use super::{Lang, Manner, Outcome, Output, SourceArgs, answer, complain};

/// Arguments of `clearlist check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// HS code as declared, 10 digits: 2941301100 or 2941.30.11.00
    #[arg(long, value_name = "CODE")]
    hs: String,
    /// Name as declared, Chinese or English
    #[arg(long, required_unless_present = "cas")]
    name: Option<String>,
    /// CAS number, with hyphens
    #[arg(long)]
    cas: Option<String>,
    /// USCC of the end user (消费使用单位)
    #[arg(long, value_name = "USCC")]
    end_user: Option<String>,
    /// Day of the declaration, YYYY-MM-DD [default: today in Asia/Shanghai]
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Quantity with its unit: '20 g'
    #[arg(long)]
    quantity: Option<String>,
    /// Customs code of the declaration, 4 digits
    #[arg(long, value_name = "CODE")]
    district: Option<String>,
    /// What the goods are for: research, clinical or sale
    #[arg(long = "use", value_name = "USE")]
    intended_use: Option<String>,
    /// Specification as declared
    #[arg(long)]
    specification: Option<String>,
    /// Manufacturer as declared
    #[arg(long)]
    manufacturer: Option<String>,
    /// Ask under one scheme only
    #[arg(long)]
    scheme: Option<String>,
    /// Write the proof of the answer to this file, to be archived
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, args: CheckArgs) -> Outcome {
    let lang = manner.lang;
    let request = match request(lang, &args) {
        Ok(request) => request,
        Err(outcome) => return outcome,
    };
    let mut source = match Source::open(lang, &args.source).await {
        Ok(source) => source,
        Err(outcome) => return outcome,
    };
    let response = match source.check(request).await {
        Ok(response) => response,
        Err(refused) => return report_status(lang, &refused),
    };
    let Some(decision) = &response.decision else {
        complain(lang.pick("the server sent no decision", "服务器未返回结论"));
        return Outcome::Failed;
    };
    if let Some(path) = &args.receipt {
        let Some(receipt) = &response.receipt else {
            complain(lang.pick("the server sent no receipt", "服务器未返回凭证"));
            return Outcome::Failed;
        };
        let (decision_note, list_proof) = (&receipt.decision_note, &receipt.list_proof);
        let (decision_note, list_proof) = (decision_note.clone(), list_proof.clone());
        let bytes = receipt::write(&Receipt { decision_note, list_proof });
        if let Err(outcome) = write_new(lang, path, &bytes, Readers::Owner) {
            return outcome;
        }
    }
    match manner.output {
        Output::Text => anstream::print!("{}", answer::render(lang, decision)),
        Output::Json => {
            let json = to_json("clearlist.v1.CheckClearanceResponse", &response);
            anstream::println!("{}", json.unwrap_or_default());
        }
    }
    if decision.verdict() == v1::Verdict::Listed { Outcome::Yes } else { Outcome::No }
}

fn request(lang: Lang, args: &CheckArgs) -> Result<v1::CheckClearanceRequest, Outcome> {
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    Ok(v1::CheckClearanceRequest {
        hs_code: args.hs.clone(),
        material_name: text(&args.name),
        cas_number: text(&args.cas),
        end_user_uscc: text(&args.end_user),
        specification: text(&args.specification),
        manufacturer: text(&args.manufacturer),
        quantity: args.quantity.as_deref().map(|q| {
            let (value, unit) = quantity::split(q);
            v1::Quantity { value: value.to_owned(), unit: unit.to_owned() }
        }),
        customs_district: text(&args.district),
        r#use: match args.intended_use.as_deref() {
            None => v1::Use::Unspecified.into(),
            Some(given) => use_of(given).ok_or_else(|| {
                complain(&match lang {
                    Lang::En => format!("--use: `{given}` is none of research, clinical, sale"),
                    Lang::Zh => format!("--use：`{given}`不是research、clinical、sale之一"),
                });
                Outcome::Usage
            })?,
        },
        scheme: text(&args.scheme),
        declaration_date: match args.date.as_deref() {
            None => None,
            Some(given) => Some(date_of(given).ok_or_else(|| {
                complain(&match lang {
                    Lang::En => format!("--date: `{given}` is no date; write YYYY-MM-DD"),
                    Lang::Zh => format!("--date：`{given}`不是日期；请写成YYYY-MM-DD"),
                });
                Outcome::Usage
            })?),
        },
        receipt: args.receipt.is_some(),
        ..Default::default()
    })
}

/// A use by its English or Chinese name.
pub(super) fn use_of(given: &str) -> Option<i32> {
    let chinese = match given.trim() {
        "研发" | "科研" | "研究" => Some(Use::Research),
        "临床" => Some(Use::Clinical),
        "销售" => Some(Use::Sale),
        _ => None,
    };
    chinese.or_else(|| Use::parse(given)).map(|u| wire::use_to_wire(u).into())
}

/// A date as `YYYY-MM-DD`.
pub(super) fn date_of(given: &str) -> Option<Date> {
    let date = iso_date(given.trim())?;
    Some(Date {
        year: i32::from(date.year()),
        month: i32::from(date.month()),
        day: i32::from(date.day()),
    })
}
