//! Programs of this host, started from DOS.
//!
//! Standard input is the file that DOS gathered for them, or empty: a thread of ours reads the host's.

use dos_machine::host::{Foreign, HostError};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Where programs of programs are found if DOS has no PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs a program to its end.
pub fn run(program: &Foreign) -> Result<u8, HostError> {
    let mut command = Command::new(OsStr::from_bytes(&program.path));
    command.env_clear().env("PATH", PATH).current_dir(OsStr::from_bytes(&program.directory));
    command.args(program.arguments.iter().map(|word| OsStr::from_bytes(word)));
    for string in &program.environment {
        let at = string.iter().position(|byte| *byte == b'=').unwrap_or(string.len());
        let (name, value) = (&string[..at], string.get(at + 1..).unwrap_or_default());
        command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    let path = |bytes: &Vec<u8>| OsStr::from_bytes(bytes).to_owned();
    let input = program.input.as_ref().map(|file| File::open(path(file))).transpose();
    let output = program.output.as_ref().map(|file| File::create(path(file))).transpose();
    let error = program.error.as_ref().map(|file| File::create(path(file))).transpose();
    command.stdin(input.map_err(refusal)?.map_or_else(Stdio::null, Stdio::from));
    command.stdout(output.map_err(refusal)?.map_or_else(Stdio::inherit, Stdio::from));
    command.stderr(error.map_err(refusal)?.map_or_else(Stdio::inherit, Stdio::from));
    let ended = command.status().map_err(refusal)?;
    let signalled = ended.signal().map_or(0, |signal| 128 + signal);
    Ok(ended.code().unwrap_or(signalled) as u8)
}

fn refusal(error: Error) -> HostError {
    match error.kind() {
        ErrorKind::NotFound => HostError::NotFound,
        ErrorKind::PermissionDenied => HostError::Denied,
        _ => HostError::Device,
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use dos_machine::host::Foreign;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn input_output_and_status_pass() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = |name| folder.path().join(name).as_os_str().as_bytes().to_vec();
        std::fs::write(folder.path().join("in"), "text ").expect("a file");
        let program = Foreign {
            path: b"/bin/sh".to_vec(),
            arguments: vec![b"-c".to_vec(), b"cat; echo $X; echo bad >&2; exit 3".to_vec()],
            environment: vec![b"X=value".to_vec()],
            directory: b"/".to_vec(),
            input: Some(path("in")),
            output: Some(path("out")),
            error: Some(path("error")),
        };
        assert_eq!(run(&program).expect("/bin/sh runs"), 3);
        let output = std::fs::read(folder.path().join("out")).expect("what it wrote");
        assert_eq!(output, b"text value\n");
        let error = std::fs::read(folder.path().join("error")).expect("what it complained of");
        assert_eq!(error, b"bad\n");
    }
}
