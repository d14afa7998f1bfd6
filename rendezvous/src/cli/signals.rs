//! The signals that ask the program to stop: SIGTERM and SIGINT, on Windows Ctrl-C.

#[cfg(unix)]
pub(super) use unix::Signals;
#[cfg(windows)]
pub(super) use windows::Signals;

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// From here on these signals no longer end the program by themselves.
    #[derive(Debug)]
    pub(in crate::cli) struct Signals {
        terminate: Signal,
        interrupt: Signal,
    }

    impl Signals {
        pub(in crate::cli) fn new() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }

        /// Waits for one and names it.
        pub(in crate::cli) async fn next(&mut self) -> &'static str {
            tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;

    use tokio::signal::windows::{CtrlC, ctrl_c};

    /// From here on Ctrl-C no longer ends the program by itself.
    #[derive(Debug)]
    pub(in crate::cli) struct Signals {
        ctrl_c: CtrlC,
    }

    impl Signals {
        pub(in crate::cli) fn new() -> io::Result<Self> {
            Ok(Self { ctrl_c: ctrl_c()? })
        }

        /// Waits for one and names it.
        pub(in crate::cli) async fn next(&mut self) -> &'static str {
            self.ctrl_c.recv().await;
            "Ctrl-C"
        }
    }
}
