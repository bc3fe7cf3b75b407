//! Runs a test's programs on the host, to learn what must come out in the guest.
//!
//! ```text
//!   guest                          host, in a folder of its own
//!   /bin: busybox, its applets     bin: the same busybox, its applets
//!   /bin, /tmp: the test's files   bin, tmp: the same files
//! ```
//! Both sides are the same executables, and only they are in PATH. What must differ, such as
//! process ids, times and the system's name, is the test's to leave out.

use super::case;
use crate::image;
use anyhow::{Context, Result, bail};
use guest_tests::{Action, Case, Expected, File};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long the host may take, many times what it does.
const LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// Returns a test with what the host says in place of [`Expected::AsOnHost`].
///
/// # Errors
/// Where the host can't run it.
pub fn resolved(case: &Case) -> Result<Case> {
    let Action::Program { words, input } = &case.action else {
        bail!("only a program can be run on the host as well");
    };
    let scratch = tempfile::tempdir()?;
    lay_out(scratch.path(), &case::files(case)?)?;
    let (output, status) = run(scratch.path(), words, input)?;
    Ok(Case { output: Expected::Exactly(output), status: of_shell(status)?, ..case.clone() })
}

fn lay_out(scratch: &Path, files: &[File]) -> Result<()> {
    let (bin, tmp) = (scratch.join("bin"), scratch.join("tmp"));
    fs::create_dir(&bin)?;
    fs::create_dir(&tmp)?;
    let (busybox, applets) = image::busybox()?;
    symlink(&busybox, bin.join("busybox"))?;
    // It counts itself among its applets.
    for applet in applets.iter().filter(|applet| *applet != "busybox") {
        symlink("busybox", bin.join(applet))?;
    }
    for file in files {
        let path = place(scratch, &file.path)?;
        // An applet of this name gives way.
        let _ = fs::remove_file(&path);
        fs::write(&path, &file.bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.permissions))?;
    }
    Ok(())
}

/// Returns where a file of the guest lies on the host.
fn place(scratch: &Path, path: &str) -> Result<PathBuf> {
    let is_known = ["/bin/", "/tmp/"].iter().any(|folder| path.starts_with(folder));
    if !is_known || path.contains("/../") {
        bail!("{path} is neither in /bin nor in /tmp, which is all that the host has of the guest");
    }
    let place = scratch.join(path.trim_start_matches('/'));
    fs::create_dir_all(place.parent().context("a file has a folder")?)?;
    Ok(place)
}

/// Runs the words with standard output and error in one stream, as the guest's console has them.
fn run(scratch: &Path, words: &[String], input: &[u8]) -> Result<(Vec<u8>, ExitStatus)> {
    let (name, arguments) = words.split_first().context("there is no program")?;
    let (mut reader, writer) = std::io::pipe()?;
    let program = scratch.join("bin").join(name.trim_start_matches("/bin/"));
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(scratch.join("tmp")).env_clear();
    command.env("PATH", scratch.join("bin")).env("TMPDIR", scratch.join("tmp"));
    command.stdin(Stdio::piped()).stderr(writer.try_clone()?).stdout(writer);
    let mut child = command.spawn().with_context(|| program.display().to_string())?;
    // The command keeps both ends of the stream that are ours.
    drop(command);
    let mut stdin = child.stdin.take().context("its input is a pipe")?;
    let input = input.to_vec();
    // One that does not read its input ends that thread by its own end.
    thread::spawn(move || stdin.write_all(&input));
    let output = thread::spawn(move || {
        let mut output = Vec::new();
        reader.read_to_end(&mut output).map(|_| output)
    });
    let status = wait(&mut child)?;
    let output = output.join().ok().context("the reader of its output has panicked")??;
    Ok((output, status))
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > LIMIT {
            child.kill()?;
            bail!("it has not ended on the host after {} s", LIMIT.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

/// Returns a status as a shell and `cargo xtask run` tell it.
fn of_shell(status: ExitStatus) -> Result<u8> {
    let number = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(u8::try_from(number.context("it has neither status nor signal")?)?)
}
