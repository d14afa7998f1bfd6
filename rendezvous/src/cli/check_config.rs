//! `rendezvous check-config`: all that `serve` goes by, as a configuration file, or all that is wrong.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::OsStringValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::environment;
use super::exit::Exit;
use super::file::{File, fix, keys, shown};
use super::output;
use super::serve::{self, Serve};

/// Check what `rendezvous serve` would go by, and print it as a configuration file
///
/// It takes the flags of `rendezvous serve`, and reads the file, the variables and the file of tokens
/// as that does. Everything that is wrong is reported at once. If nothing is, stdout gets a
/// configuration file that says of each value where it comes from: the default, the file, a variable
/// or a flag.
#[derive(Debug, Args)]
#[command(
    override_usage = "rendezvous check-config [FLAGS OF serve] [FILE]",
    after_help = "Exit codes:
  0  the configuration is right
  1  failed for another reason
  2  the file, a variable or a flag is wrong

Examples:
  rendezvous check-config > rendezvous.toml    # a file of all defaults, to be changed
  rendezvous check-config rendezvous.toml
  rendezvous check-config rendezvous.toml --max-sessions 500"
)]
pub(super) struct CheckConfig {
    /// The configuration file [default: that of --config or `RENDEZVOUS_CONFIG`, if any]
    file: Option<PathBuf>,

    #[command(flatten)]
    given: Given,
}

/// The flags of `serve` and their variables as they are given, right or wrong.
#[derive(Debug)]
struct Given(ArgMatches);

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        let flags = serve::flags();
        let known = |arg: &Arg| keys(&flags).any(|(_, known)| known.get_id() == arg.get_id());
        let lenient = |arg: &Arg| match arg.clone().hide(true) {
            arg if known(&arg) => arg.value_parser(OsStringValueParser::new()),
            arg => arg,
        };
        command.args(flags.get_arguments().map(lenient))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}

impl CheckConfig {
    pub(super) fn run(&self) -> Exit {
        let serve = serve::flags();
        let given = &self.given.0;
        if self.file.is_some() && given.value_source("config") == Some(ValueSource::CommandLine) {
            return Exit::usage(&["two files are named: leave FILE or --config out".to_owned()]);
        }
        let path = self.file.as_ref().or(given.get_one("config"));
        let read = path.map(|path| File::read(path, &serve)).transpose();
        let (file, mut problems) = match read {
            Ok(file) => (file, Vec::new()),
            Err(problems) => (None, problems),
        };
        let settings: Vec<Setting<'_>> = keys(&serve)
            .map(|(key, flag)| Setting::new(key, flag, given, file.as_ref()))
            .collect();
        problems.extend(settings.iter().filter_map(Setting::problem));
        if problems.is_empty() {
            problems.extend(conflict(serve.clone(), &settings));
        }
        environment::warn_of_strays();
        if !problems.is_empty() {
            return Exit::usage(&problems);
        }
        output::print(page(&settings).as_bytes())
    }
}

/// A flag and what it is set to in the end.
struct Setting<'a> {
    key: &'a str,
    flag: &'a Arg,
    /// None where a default has no words.
    text: Option<&'a OsStr>,
    origin: Origin<'a>,
}

/// Who set it.
enum Origin<'a> {
    Default,
    File(&'a File, usize),
    Variable,
    Flag,
}

impl<'a> Setting<'a> {
    fn new(key: &'a str, flag: &'a Arg, given: &'a ArgMatches, file: Option<&'a File>) -> Self {
        let id = flag.get_id().as_str();
        let written = given.get_one::<OsString>(id).map(OsString::as_os_str);
        let (text, origin) = match (given.value_source(id), file) {
            (Some(ValueSource::CommandLine), _) => (written, Origin::Flag),
            (Some(ValueSource::EnvVariable), _) => (written, Origin::Variable),
            (_, Some(file)) if let Some(setting) = file.setting(key) => {
                let text = Some(setting.text.as_ref());
                (text, Origin::File(file, setting.line))
            }
            _ => (written, Origin::Default),
        };
        Self {
            key,
            flag,
            text,
            origin,
        }
    }

    /// What is wrong with it, and what to write instead.
    fn problem(&self) -> Option<String> {
        let text = self.text?;
        let fix = fix(self.flag, text)?;
        let text = shown(&text.to_string_lossy());
        Some(format!(
            "{}: invalid value '{text}' for '{}': {fix}",
            self.origin(),
            self.key
        ))
    }

    fn origin(&self) -> String {
        match self.origin {
            Origin::Default => "default".to_owned(),
            Origin::File(file, line) => format!("{}:{line}", file.name),
            Origin::Variable => {
                let name = self.flag.get_env().unwrap_or_default();
                format!("environment: {}", name.display())
            }
            Origin::Flag => format!("flag: --{}", self.key),
        }
    }

    /// The value in TOML.
    fn value(&self) -> Option<String> {
        let text = self.text?.to_string_lossy();
        let is_number = text
            .parse()
            .is_ok_and(|number: i64| number.to_string() == text);
        Some(if is_number {
            text.into_owned()
        } else {
            toml::Value::String(text.into_owned()).to_string()
        })
    }
}

/// Why settings that are right each by itself cannot hold together, or lead to a file of tokens that
/// cannot be used.
fn conflict(serve: Command, settings: &[Setting<'_>]) -> Option<String> {
    let flags = settings.iter().filter_map(|setting| {
        let mut flag = OsString::from(format!("--{}=", setting.key));
        flag.push(setting.text?);
        Some(flag)
    });
    let matches = serve.no_binary_name(true).try_get_matches_from(flags);
    match matches.and_then(|matches| Serve::from_arg_matches(&matches)) {
        Ok(serve) => serve.conflict().or_else(|| serve.unusable_tokens()),
        Err(error) => Some(error.to_string()),
    }
}

/// The settings as a configuration file.
fn page(settings: &[Setting<'_>]) -> String {
    let mut page =
        "# What `rendezvous serve` goes by, and where each value comes from.\n".to_owned();
    for setting in settings {
        page.push('\n');
        let help = setting.flag.get_help().map(ToString::to_string);
        for line in help.unwrap_or_default().lines() {
            let _ = writeln!(page, "# {line}");
        }
        let (key, origin) = (setting.key, setting.origin());
        let _ = match setting.value() {
            Some(value) => writeln!(page, "{key} = {value} # {origin}"),
            None => writeln!(page, "# {key} is not set"),
        };
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_number_stands_in_quotes() {
        let flags = serve::flags();
        let (key, flag) = keys(&flags).next().unwrap();
        for (text, value) in [
            ("12", "12"),
            ("-1", "-1"),
            ("012", "\"012\""),
            ("+1", "\"+1\""),
            ("5s", "\"5s\""),
            ("", "\"\""),
            ("a\"b\\", "'a\"b\\'"),
        ] {
            let setting = Setting {
                key,
                flag,
                text: Some(text.as_ref()),
                origin: Origin::Flag,
            };
            assert_eq!(setting.value().as_deref(), Some(value));
        }
    }
}
