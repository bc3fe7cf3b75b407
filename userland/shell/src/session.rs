//! A session: from the first line to power off, at a terminal, from a pipe, or of one program.

mod commands;
mod servers;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use kamen_kit::Arguments;
use libipc::Error;
use libipc::start::Start;
use protocols::console::Modes;

use crate::command::{self, Command, HELP, Personality, Run};
use crate::editor::{Editor, Event};
use crate::program::{self, Foreground, NotRun};
use crate::services::{self, Services};

const BUSYBOX: &[u8] = b"/bin/busybox";
/// The program to be run in place of a session, NUL-terminated strings.
const PROGRAM: &[u8] = b"/boot/arguments";
/// Longest such list in bytes (Linux: a program's arguments have 128 KiB each).
const PROGRAM_MAX: usize = 128 * 1024;
/// Lines of the settings that are nobody else's business.
const SETTINGS: [&[u8]; 6] =
    [b"mode=", b"columns=", b"rows=", b"shell=", b"terminal=", b"archive="];
/// Status of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 128 + 2;
/// Status of a program that Ctrl-\ ended.
const QUIT: u8 = 128 + 3;

/// How a session goes on after a line.
enum Next {
    Continue,
    End(u8),
}

/// The state of a session.
pub struct Session {
    services: Services,
    arguments: Arguments,
    env: Vec<Vec<u8>>,
    cwd: Vec<u8>,
    last: u8,
    /// The terminal's modes at the beginning; none where there is no terminal.
    modes: Option<Modes>,
}

/// Runs a session to its end and returns its status. When it is init's, init then powers off.
pub fn run(start: &Start) -> i32 {
    let Some(services) = Services::find(start) else {
        libipc::error!("a capability is missing");
        return 125;
    };
    let arguments = services::arguments(start);
    let is_setting = |line: &&Vec<u8>| !SETTINGS.iter().any(|key| line.starts_with(key));
    let env = arguments.env.iter().filter(is_setting).cloned().collect();
    let cwd = arguments.cwd.clone();
    let mut session = Session { services, arguments, env, cwd, last: 0, modes: None };
    let status = session.run();
    session.drain();
    status.into()
}

impl Session {
    fn run(&mut self) -> u8 {
        let setting = |key: &[u8]| self.arguments.variable(key);
        match (setting(b"mode"), setting(b"shell")) {
            (Some(b"program"), _) => self.one_program(),
            (_, Some(shell)) if shell != b"native" => {
                let argv = vec![shell.to_vec()];
                self.program(&Run { personality: None, argv })
            }
            (Some(b"piped"), None) if self.has_busybox() => self.unix_shell(),
            (Some(b"piped"), _) => self.lines_from_pipe(),
            _ if self.services.is_terminal() => self.at_terminal(),
            _ => self.lines_from_pipe(),
        }
    }

    fn one_program(&mut self) -> u8 {
        let list = self.services.files.find(b"/", PROGRAM);
        let list = list.and_then(|file| self.services.files.read_all(&file, PROGRAM_MAX));
        let Ok(list) = list else {
            self.services.complain("cannot read /boot/arguments");
            return 125;
        };
        let list = list.strip_suffix(b"\0").unwrap_or(&list);
        let argv = list.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        self.program(&Run { personality: None, argv })
    }

    fn unix_shell(&mut self) -> u8 {
        let argv = vec![BUSYBOX.to_vec(), b"sh".to_vec()];
        self.program(&Run { personality: Some(Personality::Unix), argv })
    }

    fn has_busybox(&self) -> bool {
        self.services.files.find(b"/", BUSYBOX).is_ok()
    }

    /// Reads commands from a pipe: no prompt, no echo.
    fn lines_from_pipe(&mut self) -> u8 {
        let mut line = Vec::new();
        loop {
            let byte = self.services.read_byte();
            match byte {
                Some(byte) if byte != b'\n' => line.push(byte),
                None if line.is_empty() => return self.last,
                _ => {
                    if let Next::End(status) = self.perform(command::parse(&line)) {
                        return status;
                    }
                    line.clear();
                }
            }
        }
    }

    fn at_terminal(&mut self) -> u8 {
        self.greet();
        self.modes = self.services.console.modes().ok();
        let columns = self.services.console.size().map_or(80, |size| (size & 0xffff) as usize);
        let mut editor = Editor::new(columns);
        loop {
            let Some((event, last)) = self.edit(&mut editor) else { return self.last };
            match event {
                Event::Line(line) => {
                    if let Next::End(status) = self.typed(&line, &last) {
                        return status;
                    }
                }
                Event::Dropped => self.services.print(&last),
                Event::End => {
                    self.services.print(&last);
                    return self.last;
                }
            }
        }
    }

    /// Does what a line typed at the terminal asks for.
    fn typed(&mut self, line: &[u8], last: &[u8]) -> Next {
        let command = command::parse(line);
        if let Ok(Command::Run(run)) = command {
            // Control and modes first, the line's end after: whoever sees it can type Ctrl-C. The
            // modes change for programs only, so that what is typed while the shell itself works
            // is edited at the next prompt.
            let foreground = Foreground::enter(&self.services);
            self.set_modes(|modes| modes);
            self.services.print(last);
            self.last = self.program_in(foreground, &run);
            return Next::Continue;
        }
        self.services.print(last);
        self.perform(command)
    }

    fn greet(&self) {
        self.services.print("Kamen. Type help for help, exit to power off.\n");
        if !self.has_busybox() {
            self.services.print(
                "There is no busybox in this image, so no UNIX shell: build it where apt-get can\n\
                 fetch busybox-static, or add one: cargo xtask run --add busybox=/bin/busybox\n",
            );
        }
    }

    /// Edits one line; nothing at the end of input. What the editor shows last is returned with
    /// the event.
    fn edit(&mut self, editor: &mut Editor) -> Option<(Event, Vec<u8>)> {
        self.set_modes(raw);
        let mut show = Vec::new();
        editor.begin(&self.prompt(), &mut show);
        loop {
            self.services.print(&show);
            show.clear();
            let byte = self.services.read_byte()?;
            if let Some(event) = editor.feed(byte, &mut show) {
                return Some((event, show));
            }
        }
    }

    /// Sets the terminal's modes to a version of what they were at the beginning, whatever a
    /// program made of them meanwhile. Without them, lines are edited by the console itself.
    fn set_modes(&self, version: fn(Modes) -> Modes) {
        if let Some(modes) = self.modes {
            let _ = self.services.console.set_modes(0, version(modes));
        }
    }

    fn prompt(&self) -> Vec<u8> {
        let cwd = self.cwd.escape_ascii();
        match self.last {
            0 => format!("kamen:{cwd}> "),
            status => format!("kamen:{cwd} [{status}]> "),
        }
        .into_bytes()
    }

    fn perform(&mut self, command: Result<Command, String>) -> Next {
        match command {
            Ok(command) => self.command(command),
            Err(text) => {
                self.services.complain(text);
                self.last = 2;
                Next::Continue
            }
        }
    }

    fn command(&mut self, command: Command) -> Next {
        self.last = match command {
            Command::Nothing => self.last,
            Command::Exit(status) => return Next::End(status.unwrap_or(self.last)),
            Command::PowerOff => self.power_off(),
            Command::Help => {
                self.services.print(HELP);
                0
            }
            Command::ChangeDirectory(to) => self.change_directory(to.as_deref().unwrap_or(b"/")),
            Command::WorkingDirectory => {
                self.services.print([&self.cwd[..], b"\n"].concat());
                0
            }
            Command::Processes => self.processes(),
            Command::Memory => self.memory(),
            Command::Kill(kill) => self.kill(&kill),
            Command::Services => self.servers(),
            Command::Restart(server) => self.restart(&server),
            Command::Run(run) => self.program(&run),
        };
        Next::Continue
    }

    fn program(&self, run: &Run) -> u8 {
        self.program_in(Foreground::enter(&self.services), run)
    }

    fn program_in(&self, foreground: Result<Foreground<'_>, Error>, run: &Run) -> u8 {
        let foreground = match foreground {
            Ok(foreground) => foreground,
            Err(error) => return self.failed(format!("the kernel refused: {error:?}")),
        };
        match program::run(&foreground, &self.cwd, &self.env, run) {
            Ok(status) => {
                // The console has shown ^C or ^\ on the row where the prompt would go.
                if matches!(status, INTERRUPTED | QUIT) && self.modes.is_some() {
                    self.services.print("\n");
                }
                status
            }
            Err(NotRun { status, text }) => {
                self.services.complain(text);
                status
            }
        }
    }

    fn failed(&self, text: String) -> u8 {
        self.services.complain(text);
        1
    }

    /// Powers off at once, with the status of the last command; returns only where that fails.
    fn power_off(&self) -> u8 {
        self.drain();
        match self.services.system.power_off(self.last.into()) {
            Ok(()) => 0,
            Err(failure) => self.failed(format!("poweroff: {failure:?}")),
        }
    }

    /// Waits until what was printed has left the machine.
    fn drain(&self) {
        // Where it fails there is nobody to print for.
        let _ = self.services.console.drain();
    }
}

/// Returns the modes with which the editor gets each byte as it is typed: as cfmakeraw() of
/// termios(3), but with output translated, since the shell prints lines of text.
fn raw(mut modes: Modes) -> Modes {
    // Linux asm-generic/termbits.h: IXON, ICRNL, INLCR; ISIG, ICANON, ECHO, IEXTEN; VTIME 5, VMIN 6.
    modes.input &= !(0o2000 | 0o400 | 0o100);
    modes.local &= !(0o1 | 0o2 | 0o10 | 0o100000);
    modes.characters[5] = 0;
    modes.characters[6] = 1;
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_modes_keep_output_translated() {
        let cooked = Modes { input: !0, output: 5, control: 7, local: !0, characters: [9; 24] };
        let raw = raw(cooked);
        assert_eq!((raw.output, raw.control), (5, 7));
        assert_eq!(raw.local & 0o13, 0);
        assert_eq!(raw.input & 0o400, 0);
        assert_eq!((raw.characters[5], raw.characters[6]), (0, 1));
    }
}
