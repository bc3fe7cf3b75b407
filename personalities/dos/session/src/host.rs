//! The machine's host: each call goes to the streams or to the files.

use alloc::vec::Vec;

use dos_machine::host::{Foreign, Host, HostError, Node, StopRequest, Stream, Wait};
use libipc::now;

use crate::environment::TEMPORARY_FILES;
use crate::files::Files;
use crate::foreign::Runners;
use crate::streams::Streams;

/// The system as a DOS machine's host.
pub(crate) struct SystemHost {
    streams: Streams,
    files: Files,
    runners: Runners,
    /// Time of day at the kernel's time 0, ns since 1970.
    boot_time: u64,
}

impl SystemHost {
    /// Returns the host of a session that lives as long as its streams.
    pub(crate) fn new(
        streams: Streams,
        mut files: Files,
        runners: Runners,
        boot_time: u64,
    ) -> SystemHost {
        files.attach(streams.alive());
        SystemHost { streams, files, runners, boot_time }
    }

    /// Writes a line to standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        self.streams.complain(text);
    }

    /// Leaves the terminal as it was.
    pub(crate) fn restore(&mut self) {
        self.streams.restore();
    }
}

impl Host for SystemHost {
    type Files = Files;

    fn is_terminal(&mut self, stream: Stream) -> bool {
        self.streams.is_terminal(stream)
    }
    fn echoes_input(&mut self) -> bool {
        self.streams.echoes_input()
    }
    fn terminal_size(&mut self) -> Option<(u16, u16)> {
        self.streams.size()
    }
    fn read_input(&mut self, wait: Wait, into: &mut [u8]) -> Result<usize, HostError> {
        self.streams.read(wait, into)
    }
    fn write_output(&mut self, stream: Stream, bytes: &[u8]) -> Result<usize, HostError> {
        self.streams.write(stream, bytes)
    }
    fn idle(&mut self, nanoseconds: u64) {
        self.streams.idle(nanoseconds);
    }
    fn request(&mut self) -> Option<StopRequest> {
        self.streams.request()
    }
    fn monotonic(&mut self) -> u64 {
        now().0
    }
    fn time(&mut self) -> u64 {
        self.boot_time.saturating_add(now().0)
    }
    fn temporary(&mut self) -> Result<(Node, Vec<u8>), HostError> {
        Ok((self.files.find(TEMPORARY_FILES)?, TEMPORARY_FILES.to_vec()))
    }
    fn run_foreign(&mut self, program: &Foreign) -> Result<u8, HostError> {
        self.runners.run(&mut self.streams, &mut self.files, program)
    }
    fn files(&mut self) -> &mut Files {
        &mut self.files
    }
}
