//! Programs of the system around DOS, started by COMMAND.COM.
//!
//! Standard streams that are the session's own are theirs, too. Where one of handles 0 to 2 leads to
//! a file or a device of DOS, the input is copied to a temporary file of the host's before the program
//! starts, and what it wrote to another one goes through the handle after its end: so redirections,
//! pipes through temporary files, NUL and PRN work alike.
//! Working directory and PATH become paths of the host; the variables that are the interpreter's
//! stay behind.

use alloc::format;
use alloc::vec::Vec;

use dos_command::{Outcome, Refused, System};

use super::command::Guest;
use super::files::FileKind;
use super::paths::Component;
use super::tree::to_host;
use super::{DosError, Refusal};
use crate::host::{FileTree, Foreign, Host, HostError, Node, NodeKind};
use crate::session::Session;

/// Variables that mean something to DOS programs only.
const OURS: [&[u8]; 5] = [b"COMSPEC", b"PROMPT", b"DIRCMD", b"TEMP", b"TMP"];
const CHUNK: usize = 2048;

/// A file of the host for the time of one program.
struct Temporary {
    folder: Node,
    name: Vec<u8>,
    path: Vec<u8>,
    node: Node,
}

impl<H: Host> Session<H> {
    /// Returns whether a file is an ELF program or names its interpreter.
    pub(super) fn is_foreign(&mut self, path: &[u8]) -> bool {
        let Ok((_, file)) = self.existing(path) else { return false };
        let mut head = [0; 4];
        let read = self.host.files().read(file.node, 0, &mut head);
        file.kind == NodeKind::File
            && read.is_ok_and(|len| {
                head[..len.min(4)].starts_with(b"\x7fELF") || head.starts_with(b"#!")
            })
    }

    /// Returns a DOS path's absolute path on the host, which must exist.
    fn host_path(&mut self, path: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (directory, name) = dos_command::split_path(path);
        let (drive, components) = self.directory(directory)?;
        let mut host = self.host_directory(drive, &components)?;
        if !name.is_empty() {
            let parent = components.last().map(|component| component.node);
            let parent = parent.map_or_else(|| self.root(drive), Ok)?;
            let (name, _) = self.find_entry(parent, name)?;
            host.extend([b"/", &self.tree().host_name(parent, &name)[..]].concat());
        }
        Ok(host)
    }

    fn host_directory(&mut self, drive: u8, components: &[Component]) -> Result<Vec<u8>, Refusal> {
        let mut parent = self.root(drive)?;
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        let mut path = state.ok_or(DosError::InvalidDrive)?.host.path.clone();
        while path.ends_with(b"/") {
            path.pop();
        }
        for component in components {
            let entries = super::names::assign(self.tree().list(parent)?);
            let entry = entries.into_iter().find(|(name, _)| *name == component.name);
            let (_, entry) = entry.ok_or(DosError::PathNotFound)?;
            path.push(b'/');
            path.extend(self.tree().host_name(parent, &entry.name));
            parent = component.node;
        }
        Ok(path)
    }

    fn root(&self, drive: u8) -> Result<crate::host::Node, Refusal> {
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        Ok(state.ok_or(DosError::InvalidDrive)?.root)
    }

    /// Returns `/bin:/usr/bin` of `D:\\BIN;D:\\USR\\BIN`, without what is not there.
    fn host_search_path(&mut self, path: &[u8]) -> Vec<u8> {
        let places = path.split(|byte| *byte == b';').filter(|place| !place.is_empty());
        let found = places.filter_map(|place| {
            let (drive, components) = self.directory(place).ok()?;
            let path = self.host_directory(drive, &components).ok()?;
            Some(if path.is_empty() { b"/".to_vec() } else { path })
        });
        found.collect::<Vec<_>>().join(&b':')
    }

    /// Creates an empty temporary file of the host's.
    fn temporary(&mut self) -> Result<Temporary, HostError> {
        let (folder, place) = self.host.temporary()?;
        loop {
            let name = format!("dos{:x}.tmp", self.host.monotonic()).into_bytes();
            let made = self.host.files().create(folder, &name, NodeKind::File);
            // Another session may have had the same time.
            if made == Err(HostError::Exists) {
                continue;
            }
            let path = [&place[..], b"/", &name].concat();
            return Ok(Temporary { folder, name, path, node: made?.node });
        }
    }

    fn host_environment(&mut self, strings: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut environment = Vec::new();
        for string in strings {
            let name = string.split(|byte| *byte == b'=').next().unwrap_or_default();
            match name {
                b"PATH" => {
                    let path = self.host_search_path(string.get(5..).unwrap_or_default());
                    environment.push([b"PATH=", &path[..]].concat());
                }
                name if OURS.contains(&name) => {}
                _ => environment.push(to_host(&string).into_owned()),
            }
        }
        environment
    }
}

impl<H: Host> Guest<'_, H> {
    /// Runs a program of the host and returns its exit code.
    pub(super) fn foreign_program(&mut self, path: &[u8], arguments: &[Vec<u8>]) -> Outcome<u8> {
        let strings = self.environment();
        let made = self.foreign(path, arguments, strings).map_err(outcome)?;
        let mut files = [None, None, None];
        let mut ran = self.temporaries(&mut files).map_err(|error| outcome(error.into()));
        if ran.is_ok() {
            ran = self.run_redirected(made, &files);
        }
        for file in files.into_iter().flatten() {
            // A temporary file that cannot be deleted stays.
            let _ = self.session.host.files().unlink(file.folder, &file.name);
        }
        ran
    }

    /// Creates a file for each standard stream that is not the session's.
    fn temporaries(&mut self, files: &mut [Option<Temporary>; 3]) -> Result<u8, HostError> {
        for (handle, file) in (0..).zip(files) {
            if !self.is_streamed(handle) {
                *file = Some(self.session.temporary()?);
            }
        }
        Ok(0)
    }

    fn run_redirected(
        &mut self,
        program: Foreign,
        [input, output, error]: &[Option<Temporary>; 3],
    ) -> Outcome<u8> {
        if let Some(file) = input {
            self.gather(file.node)?;
        }
        self.session.flush_output();
        let path = |file: &Option<Temporary>| file.as_ref().map(|file| file.path.clone());
        let (input, output_path, error_path) = (path(input), path(output), path(error));
        let program = Foreign { input, output: output_path, error: error_path, ..program };
        let ran = self.session.host.run_foreign(&program);
        let status = ran.map_err(|error| outcome(error.into()))?;
        for (handle, file) in [(1, output), (2, error)] {
            if let Some(file) = file {
                self.pass_on(file.node, handle)?;
            }
        }
        Ok(status)
    }

    fn foreign(
        &mut self,
        path: &[u8],
        arguments: &[Vec<u8>],
        strings: Vec<Vec<u8>>,
    ) -> Result<Foreign, Refusal> {
        let session = &mut *self.session;
        let mut directory = session.host_path(b"")?;
        if directory.is_empty() {
            directory.push(b'/');
        }
        Ok(Foreign {
            path: session.host_path(path)?,
            arguments: arguments.iter().map(|text| to_host(text).into_owned()).collect(),
            environment: session.host_environment(strings),
            directory,
            ..Foreign::default()
        })
    }

    /// Returns whether a handle is one of the session's own streams.
    fn is_streamed(&mut self, handle: u16) -> bool {
        matches!(self.kind(handle), Some(FileKind::Console | FileKind::Stream(_)))
    }

    /// Copies what handle 0 gives to a file of the host.
    fn gather(&mut self, file: Node) -> Outcome<()> {
        let mut chunk = [0; CHUNK];
        let mut at = 0;
        loop {
            let count = self.read(0, &mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            let written = self.session.host.files().write(file, at, &chunk[..count]);
            if written.map_err(|error| outcome(error.into()))? < count {
                return Err(FULL);
            }
            at += count as u64;
        }
    }

    /// Writes what a file of the host holds to a handle.
    fn pass_on(&mut self, file: Node, handle: u16) -> Outcome<()> {
        let mut chunk = [0; CHUNK];
        let mut at = 0;
        loop {
            let read = self.session.host.files().read(file, at, &mut chunk);
            let count = read.map_err(|error| outcome(error.into()))?;
            if count == 0 {
                return Ok(());
            }
            let mut rest = &chunk[..count];
            while !rest.is_empty() {
                match self.write(handle, rest)? {
                    0 => return Err(FULL),
                    taken => rest = &rest[taken.min(rest.len())..],
                }
            }
            at += count as u64;
        }
    }
}

const FULL: Refused = Refused::Error(DosError::DiskFull as u16);

fn outcome(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Error(error) => Refused::Error(error as u16),
        Refusal::Break => Refused::Break,
        _ => Refused::Error(DosError::from(HostError::Device) as u16),
    }
}
