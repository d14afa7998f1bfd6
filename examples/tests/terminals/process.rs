//! An example as a process.

use std::path::PathBuf;
use std::process::Command;

use protocol_tests::Process;

/// Starts an example that can be typed into.
pub(crate) fn start(example: &str, args: &[&str]) -> Process {
    let mut command = Command::new(path(example));
    command.args(args);
    Process::start_typed(command)
}

/// Where cargo puts the examples: beside the folder of this test.
fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let target = test.ancestors().nth(2).expect("a folder of this profile");
    let path = target.join("examples").join(example);
    let path = path.with_extension(std::env::consts::EXE_EXTENSION);
    let shown = path.display();
    assert!(path.exists(), "no {shown}: cargo build --examples");
    path
}
