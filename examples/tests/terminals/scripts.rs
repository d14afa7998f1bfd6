//! `--auto`: the transcript is the same each time, and the example ends by itself.

use crate::process::start;

fn prints(example: &str, transcript: &str) {
    for _ in 0..5 {
        let mut process = start(example, &["--auto"]);
        let printed = process.stdout.rest();
        assert_eq!(process.stderr.rest(), "");
        assert_eq!(printed, transcript);
        assert_eq!(process.exit_code(), 0);
    }
}

#[test]
fn chat() {
    prints("chat", include_str!("chat.txt"));
}

#[test]
fn tictactoe() {
    prints("tictactoe", include_str!("tictactoe.txt"));
}
