//! Makes clap read a command line as upstream's flag library does.

use clap::{Arg, ArgAction, Command};

/// Lets switches take `=false`, a flag that is given twice count as last given, and a value
/// begin with a hyphen; in every subcommand.
pub fn go_style(command: Command) -> Command {
    command.args_override_self(true).mut_args(go_arg).mut_subcommands(go_style)
}

fn go_arg(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::SetTrue => switch(arg).default_value("false"),
        ArgAction::Set | ArgAction::Append if !arg.is_positional() && !is_switch(&arg) => {
            arg.allow_hyphen_values(true)
        }
        _ => arg,
    }
}

/// A flag that is `true` where it stands alone, and takes `=true` and `=false`.
pub fn switch(arg: Arg) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .hide_default_value(true)
        .value_name("true|false")
        .value_parser(go_bool)
}

fn is_switch(arg: &Arg) -> bool {
    arg.is_require_equals_set()
}

/// A boolean in one of the spellings that Go reads.
pub fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        text if crd::is_true(text) => Ok(true),
        text => Err(format!("`{text}` is neither true nor false")),
    }
}
