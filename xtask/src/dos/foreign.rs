//! Programs of this host, started from DOS.
//!
//! Standard input is what DOS gathered for them, or empty: a thread of ours reads the host's.

use dos_machine::host::{Foreign, ForeignEnd, ForeignOutput, HostError};
use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Where programs of programs are found if DOS has no PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs a program to its end.
pub fn run(program: &Foreign) -> Result<ForeignEnd, HostError> {
    let collects = program.output == ForeignOutput::Collected;
    let mut command = Command::new(OsStr::from_bytes(&program.path));
    command.env_clear().env("PATH", PATH).current_dir(OsStr::from_bytes(&program.directory));
    command.args(program.arguments.iter().map(|word| OsStr::from_bytes(word)));
    for string in &program.environment {
        let at = string.iter().position(|byte| *byte == b'=').unwrap_or(string.len());
        let (name, value) = (&string[..at], string.get(at + 1..).unwrap_or_default());
        command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    command.stdin(if program.input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(if collects { Stdio::piped() } else { Stdio::inherit() });
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => HostError::NotFound,
        ErrorKind::PermissionDenied => HostError::Denied,
        _ => HostError::Device,
    })?;
    let feed = child.stdin.take().zip(program.input.clone());
    let feeder = feed.map(|(mut to, bytes)| std::thread::spawn(move || to.write_all(&bytes)));
    let ended = child.wait_with_output().map_err(|_| HostError::Device)?;
    if let Some(feeder) = feeder {
        // A program need not read all of its input.
        let _ = feeder.join();
    }
    let signalled = ended.status.signal().map_or(0, |signal| 128 + signal);
    let status = ended.status.code().unwrap_or(signalled) as u8;
    Ok(ForeignEnd { status, output: ended.stdout })
}

#[cfg(test)]
mod tests {
    use super::run;
    use dos_machine::host::{Foreign, ForeignOutput};

    #[test]
    fn input_output_and_status_pass() {
        let program = Foreign {
            path: b"/bin/sh".to_vec(),
            arguments: vec![b"-c".to_vec(), b"cat; echo $X; exit 3".to_vec()],
            environment: vec![b"X=value".to_vec()],
            directory: b"/".to_vec(),
            input: Some(b"text ".to_vec()),
            output: ForeignOutput::Collected,
        };
        let ended = run(&program).expect("/bin/sh runs");
        assert_eq!((ended.status, &ended.output[..]), (3, &b"text value\n"[..]));
    }
}
