//! What the program prints for shells and for `man`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{program, run};

fn print(args: &[&str]) -> String {
    let ended = run(program(args));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args:?}");
    ended.stdout
}

#[test]
fn each_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = print(&["completions", shell]);
        for word in ["rendezvous", "check-config", "login-burst", "keygen"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn an_unknown_shell_is_answered_with_the_known_ones() {
    let ended = run(program(&["completions", "basic"]));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(
        ended.stderr.contains("bash, elvish, fish"),
        "{}",
        ended.stderr
    );
}

#[test]
fn bash_accepts_its_completions() {
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("completions.bash");
    fs::write(&script, print(&["completions", "bash"])).unwrap();
    let mut bash = Command::new("bash");
    // Not every system has it; whichever does must accept the script.
    if let Ok(bash) = bash.arg("-n").arg(script).stdin(Stdio::null()).output() {
        let said = String::from_utf8_lossy(&bash.stderr);
        assert!(bash.status.success(), "{said}");
    }
}

/// Whether `page` begins as the page of `name`.
fn is_page_of(page: &str, name: &str) -> bool {
    let title = page.lines().find(|line| line.starts_with(".TH "));
    title.is_some_and(|title| title.starts_with(&format!(".TH {name} 1 ")))
}

#[test]
fn the_manual_is_a_page_on_stdout() {
    let page = print(&["man"]);
    assert!(is_page_of(&page, "RENDEZVOUS"), "{page}");
    assert!(page.contains(concat!("rendezvous ", env!("CARGO_PKG_VERSION"))));
    for command in ["serve", "keygen", "check\\-config", "completions", "man"] {
        assert!(
            page.contains(&format!("rendezvous\\-{command}(1)")),
            "{command}"
        );
    }
    for code in 0..=8 {
        assert!(page.contains(&format!("\n  {code}  ")), "{code}");
    }
}

#[test]
fn each_command_has_a_page_of_its_own() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/man1");
    let stdout = print(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!(stdout, "");
    for name in [
        "rendezvous",
        "rendezvous-serve",
        "rendezvous-keygen",
        "rendezvous-check-config",
        "rendezvous-completions",
        "rendezvous-man",
    ] {
        let page = fs::read_to_string(out.join(format!("{name}.1"))).unwrap();
        assert!(is_page_of(&page, &name.to_uppercase()), "{page}");
    }
    let serve = fs::read_to_string(out.join("rendezvous-serve.1")).unwrap();
    for word in ["\\-\\-login\\-burst", "RENDEZVOUS_LOGIN_BURST"] {
        assert!(serve.contains(word), "{word}");
    }
}

#[test]
fn a_directory_that_cannot_be_is_named() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-directory");
    fs::write(&file, "").unwrap();
    let ended = run(program(&["man", "--out", file.to_str().unwrap()]));
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    let expected = format!("error: cannot write to {}: ", file.display());
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = program(&["completions", "bash"]);
    let output = command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("error: cannot write to stdout: "),
        "{message}"
    );
}
