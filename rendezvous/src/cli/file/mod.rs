//! The configuration file: keys of TOML, named like the flags that they stand for.
//!
//! A key is nothing but another default of its flag. So values, checks and hints are the flags' own,
//! and this module knows none of them by name.

mod keys;
mod text;

use std::path::Path;

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) use keys::{alike, fix, keys};
use text::load;
pub(super) use text::{line_at, read, shown};

/// What a configuration file sets; every key and value is right.
#[derive(Debug)]
pub(super) struct File {
    /// Its path, as it may be shown.
    pub(super) name: String,
    settings: Vec<Setting>,
}

/// One key and its value.
#[derive(Debug)]
pub(super) struct Setting {
    key: String,
    /// As one would write it behind the flag.
    pub(super) text: String,
    pub(super) line: usize,
}

impl File {
    /// Reads what the file at `path` sets of the flags of `command`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, each with its name, line and fix.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self, Vec<String>> {
        let name = shown(&path.to_string_lossy());
        let text = load(path).map_err(|problem| vec![format!("{name}: {problem}")])?;
        match settings(&text, command) {
            Ok(settings) => Ok(Self { name, settings }),
            Err(mut problems) => {
                problems.sort();
                let places = problems.into_iter();
                Err(places
                    .map(|(line, problem)| format!("{name}:{line}: {problem}"))
                    .collect())
            }
        }
    }

    /// What the file says of `key`.
    pub(super) fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// `command` with what the file says as the defaults of its flags.
    pub(super) fn defaults_of(&self, command: Command) -> Command {
        command.mut_args(
            |arg| match arg.get_long().and_then(|key| self.setting(key)) {
                Some(setting) => arg.default_value(setting.text.clone()),
                None => arg,
            },
        )
    }
}

/// What `text` sets, or its mistakes and their lines.
fn settings(text: &str, command: &Command) -> Result<Vec<Setting>, Vec<(usize, String)>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            let content = text.lines().nth(line - 1).unwrap_or_default();
            (line, text::syntax(content, error.message()))
        };
        let mut mistakes: Vec<_> = errors.iter().map(mistake).collect();
        // Whatever follows the first mistake of a line follows from it.
        mistakes.dedup_by_key(|(line, _)| *line);
        return Err(mistakes);
    }
    let (mut settings, mut mistakes) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let line = line_at(text, key.span().start);
        let key = key.get_ref().to_string();
        match setting(command, &key, value) {
            Ok(text) => settings.push(Setting { key, text, line }),
            Err(mistake) => mistakes.push((line, mistake)),
        }
    }
    if mistakes.is_empty() {
        Ok(settings)
    } else {
        Err(mistakes)
    }
}

/// What to write behind the flag `key` of `command` to say the same.
fn setting(command: &Command, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, String> {
    let value = value.get_ref();
    let Some((_, arg)) = keys(command).find(|(known, _)| *known == key) else {
        return Err(keys::unknown(command, key, value.is_table()));
    };
    let Some(text) = text::of(value) else {
        let kind = value.type_str();
        return Err(format!(
            "'{key}' takes one value, and this is of the type {kind}"
        ));
    };
    match fix(arg, text.as_ref()) {
        None => Ok(text),
        Some(fix) => Err(format!(
            "invalid value '{}' for '{key}': {fix}",
            shown(&text)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve::flags;

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        settings(text, &flags()).unwrap_err()
    }

    #[test]
    fn a_value_is_what_one_writes_behind_its_flag() {
        let text =
            "\u{feff}log = 'warn'\r\nmax-frame = 0x1000\nlogin-burst = '1_0'\nmax-rooms = 1_0";
        let set = |text| settings(text, &flags()).map(|all| all.len());
        assert!(set(text).is_err(), "no flag takes 1_0 as text");
        let text = text.replace("'1_0'", "+7");
        let all = settings(&text, &flags()).unwrap();
        let said = |key| {
            all.iter()
                .find(|one| one.key == key)
                .map(|one| (one.line, &*one.text))
        };
        assert_eq!(said("log"), Some((1, "warn")));
        assert_eq!(said("max-frame"), Some((2, "4096")));
        assert_eq!(said("login-burst"), Some((3, "7")));
        assert_eq!(said("max-rooms"), Some((4, "10")));
    }

    #[test]
    fn nothing_at_all_is_right() {
        for text in ["", "\n", "# nothing"] {
            assert!(settings(text, &flags()).unwrap().is_empty());
        }
    }

    #[test]
    fn each_flag_but_that_of_the_file_is_a_key_with_a_value() {
        let flags = flags();
        let longs = flags.get_arguments().filter_map(clap::Arg::get_long);
        let expected: Vec<_> = longs.filter(|long| *long != "config").collect();
        let keys: Vec<_> = keys(&flags).map(|(key, _)| key).collect();
        assert_eq!(keys, expected);
        for arg in flags.get_arguments() {
            assert!(arg.get_action().takes_values(), "{arg}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_with_their_lines() {
        let text = "relay = 'some'\n\nmax-rooms = [1]\nmax-room = 1";
        let mut found = mistakes(text);
        found.sort();
        let expected = [
            (
                1,
                "invalid value 'some' for 'relay': write one of all, rooms",
            ),
            (
                3,
                "'max-rooms' takes one value, and this is of the type array",
            ),
            (4, "unknown key 'max-room': write 'max-rooms'"),
        ];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        for (text, start) in [
            (
                "login_burst = 1",
                "unknown key 'login_burst': write 'login-burst'",
            ),
            (
                "config = 'x'",
                "unknown key 'config': the keys are listen, max-connections,",
            ),
            (
                "[login]\nburst = 1",
                "unknown table 'login': keys stand by themselves, in no table;",
            ),
            ("login.burst = 1", "unknown table 'login'"),
            (
                "\"\\u001b[1m\\n\" = 1",
                "unknown key '\\u{1b}[1m\\n': the keys are",
            ),
        ] {
            let mistakes = mistakes(text);
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(mistakes[0].1.starts_with(start), "{mistakes:?}");
        }
    }

    #[test]
    fn what_is_no_toml_is_shown_with_a_way_out() {
        for line in [
            "listen = 127.0.0.1:7766",
            "log = info",
            "login-timeout = 5s",
            "relay",
        ] {
            let mistakes = mistakes(&format!("max-rooms = 1\n  {line}\n"));
            assert_eq!((mistakes.len(), mistakes[0].0), (1, 2), "{mistakes:?}");
            let start = format!("'{line}' is no TOML (");
            assert!(mistakes[0].1.starts_with(&start), "{mistakes:?}");
            assert!(mistakes[0].1.contains("with quotes around"), "{mistakes:?}");
        }
        let mistakes = mistakes("max-rooms = 1\nmax-rooms = 1");
        let expected = "'max-rooms = 1' sets a key again: keep one".to_owned();
        assert_eq!(mistakes, [(2, expected)]);
    }
}
