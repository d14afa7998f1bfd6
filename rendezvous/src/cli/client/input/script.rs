//! Lines from standard input where that is no terminal.

use std::io::{self, BufRead, BufReader, Read, stdin};
use std::thread;

use protocol_core::wire::MAX_FRAME_SERVER;
use tokio::sync::mpsc;

use super::{Input, Inputs, WAITING};

/// Room for the longest frame and a command before it.
const LONGEST: usize = MAX_FRAME_SERVER + 1_024;

/// Reads standard input on a thread of its own, which ends with the input or with the process.
pub(in crate::cli::client) fn read_script() -> io::Result<Inputs> {
    let (sender, lines) = mpsc::channel(WAITING);
    thread::Builder::new()
        .name("script".to_owned())
        .spawn(move || {
            let mut script = BufReader::new(stdin());
            for number in 1.. {
                let input = next(&mut script, number);
                let ended = !matches!(input, Input::Line { .. });
                if sender.blocking_send(input).is_err() || ended {
                    return;
                }
            }
        })?;
    Ok(Inputs::new(lines, None))
}

fn next(script: &mut impl BufRead, number: u64) -> Input {
    let mut line = Vec::new();
    let limit = LONGEST as u64 + 1;
    match script.by_ref().take(limit).read_until(b'\n', &mut line) {
        Ok(0) => Input::End,
        Ok(length) if length > LONGEST => Input::Failed(format!(
            "the line is too long: at most {LONGEST} bytes can be read"
        )),
        Ok(_) => match String::from_utf8(line) {
            Ok(text) => Input::Line { number, text },
            Err(_) => Input::Failed("the line is not UTF-8".to_owned()),
        },
        Err(error) => Input::Failed(format!("cannot read standard input: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_bound_and_are_text() {
        let mut script = &b"one\r\n\ntwo"[..];
        for expected in ["one\r\n", "\n", "two"] {
            let Input::Line { text, .. } = next(&mut script, 1) else {
                panic!("a line")
            };
            assert_eq!(text, expected);
        }
        assert!(matches!(next(&mut script, 4), Input::End));
        assert!(matches!(next(&mut &b"\xff\n"[..], 1), Input::Failed(_)));
        let longest = vec![b'a'; LONGEST];
        assert!(matches!(next(&mut &longest[..], 1), Input::Line { .. }));
        let longer = vec![b'a'; LONGEST + 1];
        assert!(matches!(next(&mut &longer[..], 1), Input::Failed(_)));
    }
}
