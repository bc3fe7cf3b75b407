//! Running a program: find it, find its personality, start it, pass Ctrl-C on, wait for its end.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use kamen_kit::elf::{self, ElfError, Executable};
use kamen_kit::{Arguments, image, path};
use libipc::{Error, Failure, Notification, Object, Rights, now};
use protocols::console::event;
use protocols::file::{FileError, mode};
use protocols::process::{ExitStatus, Pid, ProcessClient, ProcessError, Signal};

use crate::command::{Personality, Run};
use crate::services::Services;

/// Status of a program that was not found (POSIX shell, 2.8.2).
const NOT_FOUND: u8 = 127;
/// Status of a program that cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// The program that is a DOS session.
const DOS_SESSION: &[u8] = b"/bin/dos-session";
/// The bit of our notification that tells of a program's end; the console's are higher.
const EXITED: u64 = 1;
/// How long to wait for a program's end before asking whether its server is still there.
const LOOK_MS: u64 = 5_000;
/// What those who tell of events may do.
const SENDER: Rights = Rights::SEND.union(Rights::GRANT);
/// Where names without slash are looked for.
const PATH: [&[u8]; 2] = [b"/bin/", b"/sbin/"];

/// Why a program did not run: status and text.
pub struct NotRun {
    /// What the shell says the status was.
    pub status: u8,
    /// What the person reads.
    pub text: String,
}

impl NotRun {
    fn new(status: u8, text: String) -> Self {
        NotRun { status, text }
    }
}

/// A program found.
struct Found {
    path: Vec<u8>,
    personality: Personality,
}

/// Control of the console for the time of a program, which can then be interrupted from there;
/// dropping it gives the control back.
pub struct Foreground<'a> {
    services: &'a Services,
    /// Told by the console and by whoever runs the program.
    events: Notification,
    /// The capability to `events` that the console has, where it gave the control.
    console: Option<Notification>,
}

impl<'a> Foreground<'a> {
    /// Takes control of the console. Without it, Ctrl-C just does not end the program.
    ///
    /// # Errors
    /// The kernel refused the notification.
    pub fn enter(services: &'a Services) -> Result<Self, Error> {
        let events = services.quota.create_notification()?;
        let console = events.mint(SENDER, 0)?;
        let taken = services.console.take(console).is_ok();
        Ok(Foreground { services, events, console: taken.then_some(console) })
    }

    /// Starts a program and waits for its end.
    fn run(
        &self,
        runner: &ProcessClient,
        block: &[u8],
    ) -> Result<ExitStatus, Failure<ProcessError>> {
        let exited = self.events.mint(SENDER, EXITED)?;
        let Services { stdin, stdout, stderr, .. } = *self.services;
        let pid = runner.spawn(stdin, stdout, stderr, exited, block);
        // The runner has its own copy.
        let _ = exited.delete();
        wait(runner, pid?, self.events)
    }
}

impl Drop for Foreground<'_> {
    fn drop(&mut self) {
        // What can't be deleted is gone already.
        if let Some(console) = self.console {
            let _ = self.services.console.release();
            let _ = console.delete();
        }
        let _ = self.events.destroy();
        let _ = self.events.delete();
    }
}

/// Runs a program and returns its status as shells tell it.
///
/// # Errors
/// Why it did not run.
pub fn run(
    foreground: &Foreground<'_>,
    cwd: &[u8],
    env: &[Vec<u8>],
    run: &Run,
) -> Result<u8, NotRun> {
    let services = foreground.services;
    let found = find(services, cwd, run)?;
    let mut argv = run.argv.clone();
    argv[0] = found.path;
    if found.personality == Personality::Dos {
        argv.insert(0, DOS_SESSION.to_vec());
    }
    let arguments = Arguments { cwd: cwd.to_vec(), argv, env: env.to_vec() };
    let block = arguments.emit().map_err(|_| too_long())?;
    let runner = services.runner(found.personality).ok_or_else(|| {
        let name = found.personality.name();
        NotRun::new(NOT_EXECUTABLE, format!("the {name} personality is not in this system"))
    })?;
    let name = String::from_utf8_lossy(path::name(&run.argv[0])).into_owned();
    let status = foreground.run(&runner, &block);
    status.map(code).map_err(|failure| refused(&name, found.personality, failure))
}

/// Waits for a program's end; Ctrl-C and Ctrl-\ become its signals.
fn wait(
    runner: &ProcessClient,
    pid: Pid,
    events: Notification,
) -> Result<ExitStatus, Failure<ProcessError>> {
    loop {
        // A server that died tells nobody; so it is asked now and then.
        let bits = match events.wait(now().after_ms(LOOK_MS)) {
            Err(Error::TimedOut) => 0,
            result => result?,
        };
        // A program that ended meanwhile cannot be signalled, and need not be.
        if bits & event::INTERRUPT != 0 {
            let _ = runner.signal(pid, Signal::Interrupt);
        }
        if bits & event::QUIT != 0 {
            let _ = runner.signal(pid, Signal::Quit);
        }
        match runner.status(pid) {
            Err(Failure::Protocol(ProcessError::WouldBlock)) => {}
            result => return result,
        }
    }
}

fn find(services: &Services, cwd: &[u8], run: &Run) -> Result<Found, NotRun> {
    let typed = &run.argv[0];
    let (path, attributes) = candidates(cwd, typed)
        .into_iter()
        .find_map(|path| services.files.find(b"/", &path).ok().map(|found| (path, found)))
        .ok_or_else(|| not_found(typed))?;
    let shown = typed.escape_ascii();
    if attributes.mode & mode::TYPE != mode::FILE {
        return Err(NotRun::new(NOT_EXECUTABLE, format!("{shown}: is no file")));
    }
    let mut head = vec![0; elf::HEAD];
    let len = services.files.read(&attributes, 0, &mut head).map_err(|failure| {
        NotRun::new(NOT_EXECUTABLE, format!("{shown}: cannot be read: {}", file_error(failure)))
    })?;
    head.truncate(len);
    let personality = match (run.personality, image::kind(&head, &path)) {
        (_, image::Kind::Linux) => {
            check_linux(&head, attributes.size)
                .map_err(|text| NotRun::new(NOT_EXECUTABLE, format!("{shown}: {text}")))?;
            run.personality.unwrap_or(Personality::Unix)
        }
        (Some(personality), _) => personality,
        (None, image::Kind::Native) => Personality::Native,
        (None, image::Kind::Script) => Personality::Unix,
        (None, image::Kind::DosExe | image::Kind::DosCom) => Personality::Dos,
        (None, image::Kind::Unknown) => {
            let text = format!("{shown}: is no program that I know; try: unix {shown}");
            return Err(NotRun::new(NOT_EXECUTABLE, text));
        }
    };
    Ok(Found { path, personality })
}

/// Returns the paths that a typed name may stand for, in their order.
pub fn candidates(cwd: &[u8], typed: &[u8]) -> Vec<Vec<u8>> {
    if typed.contains(&b'/') {
        return vec![path::absolute(cwd, typed)];
    }
    PATH.iter().map(|folder| [folder, typed].concat()).collect()
}

/// Checks a Linux program's headers, because "exec format error" helps nobody.
fn check_linux(head: &[u8], size: u64) -> Result<(), String> {
    match Executable::parse(head, size) {
        Ok(_) => Ok(()),
        Err(ElfError::Dynamic(interpreter)) => Err(format!(
            "is dynamically linked (needs {}), which does not run here yet; \
             link it statically: cc -static, or rustc -C target-feature=+crt-static",
            interpreter.escape_ascii()
        )),
        Err(ElfError::WrongMachine) => Err("is no program for x86-64".into()),
        Err(ElfError::Truncated) => Err("ends before its last segment does".into()),
        Err(error) => Err(format!("is malformed: {error:?}")),
    }
}

fn not_found(typed: &[u8]) -> NotRun {
    let place = if typed.contains(&b'/') { "" } else { " in /bin; type help for what there is" };
    NotRun::new(NOT_FOUND, format!("{}: not found{place}", typed.escape_ascii()))
}

fn too_long() -> NotRun {
    NotRun::new(NOT_EXECUTABLE, "the arguments are too long".into())
}

fn refused(name: &str, personality: Personality, failure: Failure<ProcessError>) -> NotRun {
    let text = match failure {
        Failure::Protocol(ProcessError::NotFound) => {
            let status = NOT_FOUND;
            return NotRun::new(status, format!("{name}: not found"));
        }
        Failure::Protocol(ProcessError::NotExecutable) => {
            format!("{name}: is no {} program", personality.name())
        }
        Failure::Protocol(ProcessError::Unsupported) => {
            format!("{name}: needs something that is not here; the log says what")
        }
        Failure::Protocol(ProcessError::NoResources) => {
            format!("{name}: not enough memory; start with --mem MIB for more")
        }
        Failure::Protocol(ProcessError::Invalid) => return too_long(),
        Failure::Protocol(error) => format!("{name}: {error:?}"),
        Failure::Kernel(Error::Restarted) => {
            format!("{name}: the {} server ended", personality.name())
        }
        Failure::Kernel(error) => format!("{name}: the kernel refused: {error:?}"),
    };
    NotRun::new(NOT_EXECUTABLE, text)
}

fn file_error(failure: Failure<FileError>) -> String {
    match failure {
        Failure::Protocol(error) => format!("{error:?}"),
        Failure::Kernel(error) => format!("{error:?}"),
    }
}

/// Returns the status as shells tell it: 128 + n for signal n.
fn code(status: ExitStatus) -> u8 {
    match status.0 {
        code @ 0..=255 => code as u8,
        signal => (128 + (signal & 0x7f)) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_for_in_bin_and_paths_where_they_say() {
        assert_eq!(candidates(b"/tmp", b"ls"), [&b"/bin/ls"[..], b"/sbin/ls"]);
        assert_eq!(candidates(b"/tmp", b"./ls"), [b"/tmp/ls"]);
        assert_eq!(candidates(b"/tmp", b"/x/../ls"), [b"/ls"]);
    }

    #[test]
    fn signals_become_codes() {
        assert_eq!(code(ExitStatus(3)), 3);
        assert_eq!(code(ExitStatus(256 + 2)), 130);
    }

    #[test]
    fn broken_linux_programs_are_explained() {
        assert!(check_linux(b"\x7fELF\x01", 5).unwrap_err().contains("last segment"));
        let mut head = vec![0; 64];
        head[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\0");
        assert!(check_linux(&head, 64).unwrap_err().contains("x86-64"));
    }
}
