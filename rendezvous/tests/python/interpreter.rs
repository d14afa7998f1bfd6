//! Python, its packages, and the scripts of `tests/python/`.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::process;

/// Far above what a script takes, below what the test's own watch allows.
const AT_MOST: Duration = Duration::from_secs(20);

/// An interpreter.
#[derive(Debug)]
pub(crate) struct Python(PathBuf);

/// What a script printed, and whether it ended well.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) ended_well: bool,
}

impl Python {
    /// The interpreter of this machine. Where there is none the test is skipped, but not in CI.
    pub(crate) fn found() -> Option<Self> {
        or_skipped(find())
    }

    /// One that has the packages of `tests/python/requirements.txt`, in the target folder: they are
    /// installed there at the first run. Where that is impossible the test is skipped, but not in CI.
    pub(crate) fn with_packages() -> Option<Self> {
        or_skipped(find().and_then(|python| python.with_venv()))
    }

    /// Runs a script of `tests/python/`.
    pub(crate) fn run(&self, script: &str, args: &[&str]) -> Printed {
        let mut command = Command::new(&self.0);
        command.arg(scripts().join(script)).args(args);
        command.env("PYTHONIOENCODING", "utf-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it started before");
        let mut stdout = child.stdout.take().expect("a pipe");
        let (tell, printed) = channel();
        thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.read_to_string(&mut text).map(|_| text);
            // The test may have given up.
            let _ = tell.send(read);
        });
        let printed = printed.recv_timeout(AT_MOST);
        if printed.is_err() {
            child.kill().expect("a child");
        }
        let ended_well = child.wait().expect("a child").success();
        let text = printed.expect("the script ends in time").expect("text");
        Printed {
            text: text.replace("\r\n", "\n"),
            ended_well,
        }
    }

    /// The interpreter of a virtual environment with the packages. Of several tests at once, of one
    /// process or of many, one makes it and the others wait.
    fn with_venv(&self) -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-packages");
        let lock = File::create(folder.with_extension("lock")).expect("the target folder is ours");
        lock.lock().expect("a file of ours can be locked");
        let requirements = scripts().join("requirements.txt");
        let wanted = fs::read_to_string(&requirements).expect("the file of requirements");
        let python = Self(folder.join(if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        }));
        // Written last, so that what broke off is begun again.
        let ready = folder.join("ready");
        let is_ready = fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted);
        if is_ready && python.succeeds(&["-c", "import noise.connection"]).is_ok() {
            return Ok(python);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("a folder of ours");
        }
        self.succeeds(&["-m", "venv", &folder.to_string_lossy()])?;
        let mut install = vec!["-m", "pip", "install", "--quiet", "--no-input"];
        install.extend(["--disable-pip-version-check", "--only-binary=:all:"]);
        // Where there is no network that is found soon.
        install.extend(["--timeout=10", "--retries=1"]);
        let requirements = requirements.to_string_lossy();
        install.extend(["--requirement", &requirements]);
        python.succeeds(&install)?;
        fs::write(&ready, wanted).expect("a folder of ours");
        Ok(python)
    }

    /// Runs it with these arguments; why that failed.
    fn succeeds(&self, args: &[&str]) -> Result<(), String> {
        let mut command = Command::new(&self.0);
        command.args(args);
        let ended = process::run(command);
        if ended.code == 0 {
            return Ok(());
        }
        let said = ended.stdout + &ended.stderr;
        Err(format!("{} {}: {said}", self.0.display(), args.join(" ")))
    }
}

/// The folder of the scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python")
}

fn find() -> Result<Python, String> {
    let mut names = ["python3", "python"].into_iter();
    let found = names.find(|name| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|version| version.status.success())
    });
    let found = found.map(|name| Python(name.into()));
    found.ok_or_else(|| "there is no python3 on PATH".to_owned())
}

/// Tells why a test is skipped. CI has everything that the tests need, so there it fails.
fn or_skipped(python: Result<Python, String>) -> Option<Python> {
    let missing = match python {
        Ok(python) => return Some(python),
        Err(missing) => missing,
    };
    let in_ci = std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    assert!(!in_ci, "in CI no test is skipped: {missing}");
    println!("skipped: {missing}");
    None
}
