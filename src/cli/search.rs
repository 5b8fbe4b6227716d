//! `clearlist search`: entries that resemble a text, for a person's eyes.

use clap::Args;

use crate::grpc::json::to_json;
use crate::grpc::proto::v1;

use super::answer::entry_line;
use super::source::{Source, report_status};
use super::{Lang, Manner, Outcome, Output, SourceArgs};

/// Arguments of `clearlist search`.
#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// Name, pinyin without tones, CAS number, code or its beginning
    text: String,
    /// Search one scheme only
    #[arg(long)]
    scheme: Option<String>,
    /// Results per page, 1 to 200
    #[arg(long, default_value_t = 20)]
    page_size: i32,
    /// Continue after a page, with the token it ended with
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(super) async fn run(manner: Manner, args: SearchArgs) -> Outcome {
    let lang = manner.lang;
    let mut source = match Source::open(lang, &args.source).await {
        Ok(source) => source,
        Err(outcome) => return outcome,
    };
    let request = v1::SearchMaterialsRequest {
        text: args.text,
        scheme: args.scheme.unwrap_or_default(),
        page_size: args.page_size,
        page_token: args.page_token.unwrap_or_default(),
    };
    let response = match source.search(request).await {
        Ok(response) => response,
        Err(refused) => return report_status(lang, &refused),
    };
    if manner.output == Output::Json {
        let json = to_json("clearlist.v1.SearchMaterialsResponse", &response);
        anstream::println!("{}", json.unwrap_or_default());
    } else {
        for result in &response.results {
            let Some(entry) = &result.entry else { continue };
            anstream::println!(
                "{:.2}  {}  ← {}",
                result.score,
                entry_line(entry),
                result.matched_text
            );
        }
        anstream::println!("{}", summary(lang, &response));
    }
    if response.results.is_empty() { Outcome::No } else { Outcome::Yes }
}

fn summary(lang: Lang, response: &v1::SearchMaterialsResponse) -> String {
    let (shown, total) = (response.results.len(), response.total_size);
    let counted = match lang {
        Lang::En => {
            format!("{shown} of {total} entries that resemble it; none of this is a decision")
        }
        Lang::Zh => format!("共{total}条相近条目，显示{shown}条；以上均非结论"),
    };
    if response.next_page_token.is_empty() {
        return counted;
    }
    format!("{counted} (--page-token {})", response.next_page_token)
}
