//! Programs of other personalities, started from DOS and waited for.
//!
//! They get the session's streams. Those that are files are redirected by a shell of the
//! UNIX personality: a session serves no streams. Ctrl-C becomes the program's signal meanwhile.

use alloc::vec;
use alloc::vec::Vec;

use dos_machine::host::{FileTree, Foreign, HostError};
use kamen_kit::Arguments;
use kamen_kit::image::{self, Kind};
use libipc::{Endpoint, Failure, Transport};
use protocols::process::{ExitStatus, ProcessClient, ProcessError};

use crate::files::Files;
use crate::streams::Streams;

/// The shell that redirects.
const SHELL: [&[u8]; 2] = [b"/bin/busybox", b"sh"];
/// Who runs programs: the UNIX personality, and init for native ones.
pub(crate) struct Runners {
    pub(crate) unix: Option<Endpoint>,
    pub(crate) native: Option<Endpoint>,
}

impl Runners {
    /// Runs a program to its end.
    pub(crate) fn run<T: Transport>(
        &self,
        streams: &mut Streams,
        files: &mut Files<T>,
        program: &Foreign,
    ) -> Result<u8, HostError> {
        let mut head = [0; image::HEAD];
        let len = files.read(files.find(&program.path)?, 0, &mut head)?;
        let files = [&program.input, &program.output, &program.error];
        let redirected = files.into_iter().any(Option::is_some);
        let is_native = image::kind(&head[..len.min(image::HEAD)], &program.path) == Kind::Native;
        let runner = if is_native && !redirected { self.native } else { self.unix };
        let runner = ProcessClient::new(runner.ok_or(HostError::NotFound)?);
        let mut argv = if redirected { redirecting(program) } else { Vec::new() };
        argv.push(program.path.clone());
        argv.extend(program.arguments.iter().cloned());
        let (cwd, env) = (program.directory.clone(), program.environment.clone());
        let block = Arguments { cwd, argv, env }.emit().map_err(|_| HostError::Device)?;
        streams.lend(&runner, &block).map(code).map_err(host_error)
    }
}

/// Returns the words that run what follows them with its streams redirected.
fn redirecting(program: &Foreign) -> Vec<Vec<u8>> {
    let mut script = b"exec \"$@\"".to_vec();
    let files: [(&[u8], _); 3] =
        [(b" <", &program.input), (b" >", &program.output), (b" 2>", &program.error)];
    for (sign, file) in files {
        if let Some(path) = file {
            script.extend([sign, path].concat());
        }
    }
    let [program, applet] = SHELL.map(<[u8]>::to_vec);
    vec![program, applet, b"-c".to_vec(), script, b"sh".to_vec()]
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
