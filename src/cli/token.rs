//! `clearlist token`: tokens that callers show to a server.

use clap::Subcommand;
use serde_json::json;

use crate::server::identity::callers::{is_name, new_token};
use crate::server::identity::roles::Roles;

use super::{Lang, Manner, Outcome, Output, complain};

/// Commands over tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token, and the line for the server's callers file
    #[command(after_help = "\
Example:
  clearlist token new --name broker-17 --roles lookup,read

The first line is the token: it goes to the caller, in a file of mode 0600 for --token-file, and
is kept nowhere else. The second holds its hash: it goes into the file that the server's setting
identity.callers names. Without that line the token is good for nothing.")]
    New {
        /// The caller's name, as the decision log will say it
        #[arg(long)]
        name: String,
        /// What it may do: some of lookup, read, submit, operate
        #[arg(long, value_name = "ROLES")]
        roles: String,
    },
}

/// Runs the command.
pub(super) fn run(manner: Manner, command: TokenCommand) -> Outcome {
    let TokenCommand::New { name, roles } = command;
    let lang = manner.lang;
    if !is_name(&name) {
        complain(lang.pick(
            "a name is 1 to 128 visible ASCII characters, without spaces",
            "名称应为1至128个可见ASCII字符，不含空格",
        ));
        return Outcome::Usage;
    }
    let Some(roles) = Roles::parse(&roles) else {
        complain(lang.pick(
            "roles are some of lookup, read, submit, operate, with commas between them",
            "角色应为 lookup、read、submit、operate 中的若干个，以逗号分隔",
        ));
        return Outcome::Usage;
    };
    let (token, line) = match new_token(&name, roles) {
        Ok(made) => made,
        Err(error) => {
            complain(&match lang {
                Lang::En => format!("the system has no randomness: {error}"),
                Lang::Zh => format!("系统无法提供随机数：{error}"),
            });
            return Outcome::Failed;
        }
    };
    match manner.output {
        Output::Json => anstream::println!("{}", json!({ "token": *token, "line": line })),
        Output::Text => {
            anstream::println!("{}\n{line}", token.as_str());
            anstream::eprintln!(
                "{}",
                lang.pick(
                    "The first line is the token and is shown this once: it goes to the caller. The second goes into the callers file.",
                    "第一行是令牌，仅显示这一次，交给调用方；第二行写入调用方文件。",
                )
            );
        }
    }
    Outcome::Yes
}
