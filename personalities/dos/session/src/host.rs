//! The machine's host: each call goes to the streams or to the files.

use alloc::vec::Vec;
use core::ops::Range;

use dos_machine::host::{
    Attributes, Drive, Entry, Foreign, ForeignEnd, Host, HostError, Node, NodeKind, OpenMode,
    Space, StopRequest, Stream, Wait,
};
use libipc::now;

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
    fn run_foreign(&mut self, program: &Foreign) -> Result<ForeignEnd, HostError> {
        self.runners.run(&mut self.streams, &self.files, program)
    }
    fn drives(&mut self) -> Vec<Drive> {
        self.files.drives()
    }
    fn space(&mut self) -> Space {
        self.files.space()
    }
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, HostError> {
        self.files.lookup(directory, name)
    }
    fn attributes(&mut self, node: Node) -> Result<Attributes, HostError> {
        self.files.attributes(node)
    }
    fn list(&mut self, directory: Node) -> Result<Vec<Entry>, HostError> {
        self.files.list(directory)
    }
    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, HostError> {
        self.files.read(node, offset, into)
    }
    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, HostError> {
        self.files.write(node, offset, bytes)
    }
    fn resize(&mut self, node: Node, size: u64) -> Result<(), HostError> {
        self.files.resize(node, size)
    }
    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        kind: NodeKind,
    ) -> Result<Attributes, HostError> {
        self.files.create(directory, name, kind)
    }
    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        self.files.unlink(directory, name)
    }
    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        self.files.remove_directory(directory, name)
    }
    fn rename(
        &mut self,
        from: Node,
        from_name: &[u8],
        to: Node,
        to_name: &[u8],
    ) -> Result<(), HostError> {
        self.files.rename(from, from_name, to, to_name)
    }
    fn set_modified(&mut self, node: Node, time: u64) -> Result<(), HostError> {
        self.files.set_modified(node, time)
    }
    fn set_flags(&mut self, node: Node, flags: u8) -> Result<(), HostError> {
        self.files.set_flags(node, flags)
    }
    fn lock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        self.files.lock(node, bytes)
    }
    fn unlock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        self.files.unlock(node, bytes)
    }
    fn check_locks(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        self.files.check_locks(node, bytes)
    }
    fn opened(&mut self, node: Node, mode: OpenMode) -> Result<(), HostError> {
        self.files.opened(node, mode)
    }
    fn closed(&mut self, node: Node, mode: OpenMode) {
        self.files.closed(node, mode);
    }
}
