//! The configuration file: what it sets, what counts more than it, how it is checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Client, Ended, program, run};
use protocol_tests::Process;

/// A file of this test's own that holds `content`.
fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

/// `rendezvous` with `command` and the file at `path`.
fn with_file(command: &[&str], path: &Path) -> Command {
    let mut command = program(command);
    command.arg(path);
    command
}

/// How many clients `server` takes.
fn places(server: &Process) -> usize {
    let address = server.address();
    let mut inside = Vec::new();
    loop {
        let mut client = Client::at(address);
        let data = format!(r#"{{"id":"alice{}"}}"#, inside.len());
        let answer = client.ask("login", &data);
        if answer["type"] != "response" {
            let word = answer.to_string();
            assert!(word.contains("the server is full"), "{word}");
            return inside.len();
        }
        inside.push(client);
    }
}

#[test]
fn a_file_counts_a_variable_counts_more_a_flag_most() {
    let path = file(
        "levels.toml",
        "listen = \"127.0.0.1:0\"\nmax-connections = 1\n",
    );
    let serve = || with_file(&["serve", "--config"], &path);
    assert_eq!(places(&Process::start(serve())), 1);

    let mut variable = serve();
    variable.env("RENDEZVOUS_MAX_CONNECTIONS", "2");
    assert_eq!(places(&Process::start(variable)), 2);

    let mut flag = serve();
    flag.arg("--max-connections=3");
    flag.env("RENDEZVOUS_MAX_CONNECTIONS", "2");
    assert_eq!(places(&Process::start(flag)), 3);
}

#[test]
fn check_config_says_which_of_the_four_levels_counts() {
    let path = file("origins.toml", "# mine\nlogin-burst = 11\n");
    let line = |command: Command| {
        let ended = run(command);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let mut lines = ended
            .stdout
            .lines()
            .filter(|line| line.starts_with("login-burst"));
        lines.next().expect("a line").to_owned()
    };
    let default = line(program(&["check-config"]));
    assert_eq!(default, "login-burst = 10 # default");

    let check = || with_file(&["check-config"], &path);
    let origin = format!("login-burst = 11 # {}:2", path.display());
    assert_eq!(line(check()), origin);
    assert_eq!(
        line(with_file(&["check-config", "--config"], &path)),
        origin
    );
    let mut named = program(&["check-config"]);
    assert_eq!(
        line({
            named.env("RENDEZVOUS_CONFIG", &path);
            named
        }),
        origin
    );

    let mut variable = check();
    variable.env("RENDEZVOUS_LOGIN_BURST", "12");
    let origin = "login-burst = 12 # environment: RENDEZVOUS_LOGIN_BURST";
    assert_eq!(line(variable), origin);

    let mut flag = check();
    flag.arg("--login-burst=13");
    flag.env("RENDEZVOUS_LOGIN_BURST", "12");
    assert_eq!(line(flag), "login-burst = 13 # flag: --login-burst");
}

#[test]
fn the_log_is_configured_too() {
    let path = file(
        "log.toml",
        "listen = '127.0.0.1:0'\nlog-format = 'json'\nlog = 'info'\n",
    );
    let mut command = program(&["serve"]);
    command.env("RENDEZVOUS_CONFIG", &path);
    let server = Process::start(command);
    let line = server.stderr.until("configured");
    assert!(line.starts_with('{') && line.contains("log.toml"), "{line}");

    let mut command = with_file(&["serve", "--log-format=text", "--config"], &path);
    command.env("RENDEZVOUS_LOG_FORMAT", "json");
    let server = Process::start(command);
    assert!(!server.stderr.until("configured").starts_with('{'));
}

/// The refusal of a file by both commands that read one.
fn refused(path: &Path) -> String {
    let serve = run(with_file(&["serve", "--config"], path));
    let check = run(with_file(&["check-config"], path));
    for Ended { code, stdout, .. } in [&serve, &check] {
        assert_eq!((*code, stdout.as_str()), (2, ""), "{}", serve.stderr);
    }
    assert_eq!(serve.stderr, check.stderr);
    serve.stderr
}

#[test]
fn an_unknown_key_is_refused_with_the_likely_one() {
    let path = file("unknown.toml", "max-rooms = 5\nmax-conections = 5\n");
    let expected = format!(
        "error: {}:2: unknown key 'max-conections': write 'max-connections'\n",
        path.display()
    );
    assert_eq!(refused(&path), expected);
}

#[test]
fn a_wrong_value_gets_the_hint_of_its_flag() {
    let values = [
        ("listen", "localhost:7766"),
        ("login-burst", "0"),
        ("login-timeout", "5"),
        ("bytes-per-second", "1MB"),
        ("log", "verbose"),
    ];
    let content = values
        .map(|(key, value)| format!("{key} = \"{value}\"\n"))
        .concat();
    let path = file("wrong.toml", content);
    let message = refused(&path);
    let mut lines = message.lines();
    for (line, (key, value)) in (1..).zip(values) {
        let flag = run(program(&["serve", &format!("--{key}={value}")])).stderr;
        let (_, hint) = flag.lines().next().unwrap().split_once(">': ").unwrap();
        let place = path.display();
        let expected =
            format!("error: {place}:{line}: invalid value '{value}' for '{key}': {hint}");
        assert_eq!(lines.next(), Some(expected.as_str()));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_wrong_file_stays_wrong_under_a_right_flag() {
    let path = file("under.toml", "login-burst = 0\n");
    let ended = run(with_file(&["serve", "--login-burst=1", "--config"], &path));
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("under.toml:1: invalid value '0'"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_cannot_be_read_is_named_with_the_reason() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut latin = b"max-rooms = 1\nlog = '".to_vec();
    latin.extend(b"\xe9'\n");
    for (path, reason) in [
        (folder.join("missing.toml"), "there is no such file: "),
        (folder.to_owned(), "is a directory: "),
        (file("latin.toml", latin), "line 2 is not UTF-8: "),
        (
            file("long.toml", "#".repeat(65_537)),
            "is longer than 64 KiB",
        ),
    ] {
        let expected = format!("error: {}: {reason}", path.display());
        let message = refused(&path);
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_file_may_be_empty_or_as_long_as_allowed() {
    let defaults = run(program(&["check-config"]));
    for content in [String::new(), "#".repeat(65_536)] {
        let path = file("nothing.toml", content);
        let ended = run(with_file(&["check-config"], &path));
        assert_eq!((ended.code, &ended.stdout), (0, &defaults.stdout));
    }
}

/// The settings of a printed configuration, without where they come from.
fn settings(page: &str) -> Vec<&str> {
    let lines = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.split(" # ").next().unwrap())
        .collect()
}

#[test]
fn what_check_config_prints_is_the_same_configuration() {
    let mut command = program(&[
        "check-config",
        "--log=warn,rendezvous=debug",
        "--max-sessions=7",
    ]);
    command.arg(file(
        "first.toml",
        "listen = '127.0.0.1:0'\nmax-frame = 0x2000\n",
    ));
    command.env("RENDEZVOUS_RELAY", "rooms");
    let first = run(command);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));

    let path = file("second.toml", &first.stdout);
    let second = run(with_file(&["check-config"], &path));
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    assert_eq!(settings(&second.stdout), settings(&first.stdout));
    for line in [
        "listen = \"127.0.0.1:0\"",
        "max-sessions = 7",
        "relay = \"rooms\"",
        "max-frame = 8192",
        "log = \"warn,rendezvous=debug\"",
    ] {
        assert!(settings(&second.stdout).contains(&line), "{line}");
    }
    let origin = format!(" # {}:", path.display());
    let given = second
        .stdout
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    assert!(given.clone().count() > 20);
    for line in given {
        assert!(line.contains(&origin), "{line}");
    }

    let server = Process::start(with_file(&["serve", "--config"], &path));
    assert_ne!(server.address().port(), 0);
}

#[test]
fn check_config_reports_all_that_is_wrong_and_where() {
    let path = file("all.toml", "max-rooms = 0\nlogin_burst = 1\n");
    let mut command = with_file(&["check-config", "--listen=here", "--relay=some"], &path);
    command.env("RENDEZVOUS_LOGIN_TIMEOUT", "soon");
    let ended = run(command);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    let starts = [
        &format!(
            "error: {}:1: invalid value '0' for 'max-rooms': ",
            path.display()
        ),
        &format!("error: {}:2: unknown key 'login_burst': ", path.display()),
        "error: flag: --listen: invalid value 'here' for 'listen': ",
        "error: environment: RENDEZVOUS_LOGIN_TIMEOUT: invalid value 'soon' for 'login-timeout': ",
        "error: flag: --relay: invalid value 'some' for 'relay': ",
    ];
    assert_eq!(
        ended.stderr.lines().count(),
        starts.len(),
        "{}",
        ended.stderr
    );
    for (line, start) in ended.stderr.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn settings_that_cannot_hold_together_are_refused_wherever_they_come_from() {
    let path = file("together.toml", "bytes-per-second = '8KiB'\n");
    let check = |flag: &str| run(with_file(&["check-config", flag], &path));
    assert_eq!(check("--max-frame=64KiB").code, 0);
    let ended = check("--max-frame=65KiB");
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(
        ended.stderr.contains("--max-frame 66560"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_file_named_counts_more_than_a_variable_and_one_is_enough() {
    let path = file("named.toml", "max-rooms = 5\n");
    let mut command = with_file(&["check-config"], &path);
    command.env("RENDEZVOUS_CONFIG", "missing.toml");
    let ended = run(command);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));

    let ended = run(with_file(&["check-config", "--config=missing.toml"], &path));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert_eq!(
        ended.stderr,
        "error: two files are named: leave FILE or --config out\n"
    );
}

#[test]
fn a_misspelt_variable_is_named_with_what_is_meant() {
    let warning = "unknown variable 'RENDEZVOUS_LOGIN_BRUST': write 'RENDEZVOUS_LOGIN_BURST'";
    let mut check = program(&["check-config"]);
    check.env("RENDEZVOUS_LOGIN_BRUST", "3");
    let checked = run(check);
    let expected = format!("warning: {warning}\n");
    assert_eq!((checked.code, checked.stderr), (0, expected));

    let mut serve = program(&["serve", "--listen=127.0.0.1:0"]);
    serve.env("RENDEZVOUS_LOGIN_BRUST", "3");
    let server = Process::start(serve);
    let line = server.stderr.until("unknown variable");
    assert!(line.contains(warning), "{line}");
}
