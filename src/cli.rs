//! The command line: what each command takes, in which language it speaks, how it ends. The
//! only place that reads the environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod answer;
mod check;
mod check_file;
mod decisions;
mod demo;
mod file;
mod instant;
mod key;
mod link;
mod list;
mod proposal;
mod receipt;
mod register;
mod search;
mod serve;
mod source;
mod token;

/// Where `demo` and `serve` listen, if not told otherwise.
const LISTEN_DEFAULT: &str = "127.0.0.1:50051";
/// Where `check`, `check-file` and `search` ask, if not told otherwise.
const SERVER_DEFAULT: &str = "http://127.0.0.1:50051";

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Done; for a question: LISTED.
    Yes = 0,
    /// Answered, and the answer is not a plain yes; for `list`: problems or differences.
    No = 1,
    /// The command or the question was wrong.
    Usage = 2,
    /// Could not be answered: no server, no list, an unreadable file.
    Failed = 3,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome as u8)
    }
}

/// Language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English.
    En,
    /// 中文.
    Zh,
}

impl Lang {
    /// The language of the locale.
    fn of_locale() -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = names.iter().filter_map(|n| std::env::var(n).ok()).find(|v| !v.is_empty());
        if set.is_some_and(|v| v.starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// The text in this language.
    const fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::En => english,
            Self::Zh => chinese,
        }
    }
}

/// Form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs: the proto3 JSON form of the response message.
    Json,
}

/// What every command is told besides its own arguments.
#[derive(Debug, Clone, Copy)]
struct Manner {
    lang: Lang,
    output: Output,
}

/// Clearlist: does this material clear under the R&D white list? 研发用物品进口白名单查询。
#[derive(Debug, Parser)]
#[command(
    name = "clearlist",
    version,
    arg_required_else_help = true,
    after_help = "\
Example:
  clearlist demo                                        serve the worked example
  clearlist check --hs 2941.30.11.00 --name 四环素      ask it

Exit codes: 0 yes or done · 1 answered \"no\" · 2 usage · 3 could not answer"
)]
struct Cli {
    /// Language of messages [default: by locale]
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    /// Form of the output
    #[arg(long, global = true, value_enum, default_value = "text")]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a register with fresh keys from data/, sign it, serve it and say what to try
    #[command(after_help = "Example:\n  clearlist demo --listen 127.0.0.1:0")]
    Demo(demo::DemoArgs),
    /// Serve a register
    #[command(after_help = "Example:\n  clearlist serve --register register")]
    Serve(serve::ServeArgs),
    /// Ask one question
    #[command(after_help = "\
Example:
  clearlist check --hs 2941.30.11.00 --name 四环素 --end-user 91110108EXAMPLE11C \\
                  --quantity '20 g' --district 0100 --use research")]
    Check(Box<check::CheckArgs>),
    /// Ask about every line of a CSV file
    #[command(after_help = "\
Example:
  clearlist check-file lines.csv -o answers.csv

The file names its columns as the API does (hs_code, material_name, cas_number, end_user_uscc,
specification, manufacturer, quantity, unit, customs_district, use, scheme, declaration_date,
correlation_id) or in Chinese (商品编号, 商品名称, CAS号, 消费使用单位, 规格, 生产商, 数量, 单位,
关区, 用途, 方案, 申报日期). Its own columns are kept; the answer's are added.")]
    CheckFile(check_file::CheckFileArgs),
    /// Find entries that resemble a text: names, pinyin, CAS numbers, codes
    #[command(after_help = "Example:\n  clearlist search sihuansu")]
    Search(search::SearchArgs),
    /// Make the keys that sign, and show what of them is public
    #[command(subcommand, after_help = "Example:\n  clearlist key show customs.key")]
    Key(key::KeyCommand),
    /// Make tokens that callers show to a server
    #[command(
        subcommand,
        after_help = "Example:\n  clearlist token new --name broker-17 --roles lookup"
    )]
    Token(token::TokenCommand),
    /// Make, look at, check and export a register
    #[command(subcommand, after_help = "Example:\n  clearlist register show")]
    Register(register::RegisterCommand),
    /// Draft, approve and submit changes to a register
    #[command(subcommand, after_help = "Example:\n  clearlist proposal show proposal.json")]
    Proposal(proposal::ProposalCommand),
    /// Check the proof of an answer, and decide it again
    #[command(
        subcommand,
        after_help = "\
Example:
  clearlist receipt verify receipt.json --policy policy.txt --service-key VKEY"
    )]
    Receipt(receipt::ReceiptCommand),
    /// Look at the decision log: every answer that was given
    #[command(subcommand, after_help = "Example:\n  clearlist decisions list --register register")]
    Decisions(decisions::DecisionsCommand),
    /// Print the `OpenAPI` document of the JSON face
    #[command(after_help = "Example:\n  clearlist openapi > openapi.json")]
    Openapi,
    /// Check and compare list folders
    #[command(subcommand, after_help = "Example:\n  clearlist list lint data")]
    List(list::ListCommand),
}

/// Whom to ask: a server, or a list folder.
#[derive(Debug, Args)]
struct SourceArgs {
    #[command(flatten)]
    server: link::ServerArgs,
    /// Ask a list folder instead; the answer says that it is unsigned
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    list: Option<PathBuf>,
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let manner = Manner { lang: cli.lang.unwrap_or_else(Lang::of_locale), output: cli.output };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("clearlist: cannot start threads: {error}");
            return Outcome::Failed.into();
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => {
                // Process ids come again, and a key is never overwritten.
                let second = crate::server::now().as_second();
                let name = format!("clearlist-demo-{second}-{}", std::process::id());
                demo::run(manner, environment(), args, std::env::temp_dir().join(name)).await
            }
            Command::Serve(args) => serve::run(manner, environment(), args).await,
            Command::Check(args) => check::run(manner, *args).await,
            Command::CheckFile(args) => check_file::run(manner, args).await,
            Command::Search(args) => search::run(manner, args).await,
            Command::Key(command) => key::run(manner, command),
            Command::Token(command) => token::run(manner, command),
            Command::Register(command) => register::run(manner, command).await,
            Command::Proposal(command) => proposal::run(manner, command).await,
            Command::Receipt(command) => receipt::run(manner, command),
            Command::Decisions(command) => decisions::run(manner, command),
            Command::Openapi => {
                anstream::println!("{:#}", crate::grpc::openapi::document());
                Outcome::Yes
            }
            Command::List(command) => list::run(manner, command),
        }
    });
    // What is still running is a reader that never came back; it ends with the process.
    runtime.shutdown_background();
    outcome.into()
}

/// The environment, without what is no text.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Says on standard error what kept a command from its work.
fn complain(message: &str) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{red}clearlist:{red:#} {message}");
}
