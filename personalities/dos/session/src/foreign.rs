//! Programs of other personalities, started from DOS and waited for.
//!
//! They get the session's streams. Input that was gathered and output that is to be collected go
//! through files in /tmp, which a shell of the UNIX personality redirects them to: a session serves
//! no streams. Ctrl-C becomes the program's signal meanwhile.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use dos_machine::host::{FileTree, Foreign, ForeignEnd, ForeignOutput, HostError, Node, NodeKind};
use kamen_kit::Arguments;
use kamen_kit::image::{self, Kind};
use libipc::{Endpoint, Failure, Transport, now};
use protocols::process::{ExitStatus, ProcessClient, ProcessError};

use crate::files::Files;
use crate::streams::Streams;

/// Where the files lie.
const FOLDER: &[u8] = b"/tmp";
/// The shell that redirects.
const SHELL: [&[u8]; 2] = [b"/bin/busybox", b"sh"];
/// Most bytes of output that are collected.
const OUTPUT_MAX: u64 = 1 << 20;

/// Who runs programs: the UNIX personality, and init for native ones.
pub(crate) struct Runners {
    pub(crate) unix: Option<Endpoint>,
    pub(crate) native: Option<Endpoint>,
}

/// A file in [`FOLDER`] for the time of one program.
struct Temporary {
    name: Vec<u8>,
    node: Node,
}

impl Runners {
    /// Runs a program to its end.
    pub(crate) fn run<T: Transport>(
        &self,
        streams: &mut Streams,
        files: &mut Files<T>,
        program: &Foreign,
    ) -> Result<ForeignEnd, HostError> {
        let folder = files.find(FOLDER)?;
        let input = program.input.as_ref().map(|bytes| file(files, folder, "in", bytes));
        let input = input.transpose()?;
        let collects = program.output == ForeignOutput::Collected;
        let output = collects.then(|| file(files, folder, "out", b"")).transpose();
        let ended = output.and_then(|output| {
            let status = self.spawn(streams, files, program, input.as_ref(), output.as_ref());
            let bytes = output.map(|output| collect(files, folder, output)).transpose();
            Ok(ForeignEnd { status: status?, output: bytes?.unwrap_or_default() })
        });
        if let Some(input) = input {
            // A temporary file that cannot be deleted stays.
            let _ = files.unlink(folder, &input.name);
        }
        ended
    }

    fn spawn<T: Transport>(
        &self,
        streams: &mut Streams,
        files: &mut Files<T>,
        program: &Foreign,
        input: Option<&Temporary>,
        output: Option<&Temporary>,
    ) -> Result<u8, HostError> {
        let mut head = [0; image::HEAD];
        let len = files.read(files.find(&program.path)?, 0, &mut head)?;
        let redirected = input.is_some() || output.is_some();
        let is_native = image::kind(&head[..len.min(image::HEAD)], &program.path) == Kind::Native;
        let runner = if is_native && !redirected { self.native } else { self.unix };
        let runner = ProcessClient::new(runner.ok_or(HostError::NotFound)?);
        let mut argv = if redirected { redirecting(input, output) } else { Vec::new() };
        argv.push(program.path.clone());
        argv.extend(program.arguments.iter().cloned());
        let (cwd, env) = (program.directory.clone(), program.environment.clone());
        let block = Arguments { cwd, argv, env }.emit().map_err(|_| HostError::Device)?;
        streams.lend(&runner, &block).map(code).map_err(host_error)
    }
}

/// Returns the words that run what follows them with its streams redirected.
fn redirecting(input: Option<&Temporary>, output: Option<&Temporary>) -> Vec<Vec<u8>> {
    let mut script = b"exec \"$@\"".to_vec();
    for (sign, file) in [(b" <", input), (b" >", output)] {
        if let Some(file) = file {
            script.extend([&sign[..], FOLDER, b"/", &file.name].concat());
        }
    }
    let [program, applet] = SHELL.map(<[u8]>::to_vec);
    vec![program, applet, b"-c".to_vec(), script, b"sh".to_vec()]
}

fn file<T: Transport>(
    files: &mut Files<T>,
    folder: Node,
    kind: &str,
    bytes: &[u8],
) -> Result<Temporary, HostError> {
    let name = format!("dos{:x}.{kind}", now().0).into_bytes();
    let node = files.create(folder, &name, NodeKind::File)?.node;
    match files.write(node, 0, bytes) {
        Ok(count) if count == bytes.len() => Ok(Temporary { name, node }),
        written => {
            // The first error tells more.
            let _ = files.unlink(folder, &name);
            Err(written.err().unwrap_or(HostError::NoSpace))
        }
    }
}

/// Returns what a file holds, and deletes it.
fn collect<T: Transport>(
    files: &mut Files<T>,
    folder: Node,
    file: Temporary,
) -> Result<Vec<u8>, HostError> {
    let size = files.attributes(file.node)?.size.min(OUTPUT_MAX);
    let mut bytes = vec![0; size as usize];
    let count = files.read(file.node, 0, &mut bytes)?;
    bytes.truncate(count);
    files.unlink(folder, &file.name)?;
    Ok(bytes)
}

/// Returns a status as DOS can hold it: 128 + n for signal n.
fn code(status: ExitStatus) -> u8 {
    match status.0 {
        code @ 0..=255 => code as u8,
        signal => (128 + (signal & 0x7f)) as u8,
    }
}

fn host_error(failure: Failure<ProcessError>) -> HostError {
    match failure {
        Failure::Protocol(ProcessError::NotFound | ProcessError::NotExecutable) => {
            HostError::NotFound
        }
        _ => HostError::Device,
    }
}
