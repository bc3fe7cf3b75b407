//! The shell's own commands: what they do, each with its exit status.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use kamen_kit::path;
use libipc::Within;
use protocols::file::mode;
use protocols::process::{Pid, ProcessClient, Signal};

use super::Session;
use crate::command::{Force, Kill, Personality};

impl Session {
    pub(super) fn change_directory(&mut self, to: &[u8]) -> u8 {
        let path = path::absolute(&self.cwd, to);
        match self.services.files.find(b"/", &path) {
            Ok(found) if found.mode & mode::TYPE == mode::DIRECTORY => {
                self.cwd = path;
                0
            }
            Ok(_) => self.failed(format!("cd: {} is no directory", to.escape_ascii())),
            Err(_) => self.failed(format!("cd: {} does not exist", to.escape_ascii())),
        }
    }

    pub(super) fn processes(&self) -> u8 {
        self.services.print("  PID PARENT STATE     MEM KiB QUOTA KiB RESTARTS PERSONALITY NAME\n");
        let usage = self.usage();
        for personality in [Personality::Native, Personality::Unix] {
            if let Some(runner) = self.services.asked(personality) {
                // Only init tells of its processes' quotas.
                let usage = Some(&usage).filter(|_| personality == Personality::Native);
                self.list(&runner, usage);
            }
        }
        0
    }

    /// Prints the processes of one server; a server that does not answer has none to show.
    fn list(&self, runner: &ProcessClient<Within>, usage: Option<&Usage>) {
        let mut after = Pid(0);
        let mut lines = vec![0; 4096];
        while let Ok(len @ 1..) = runner.list(after, &mut lines) {
            let text = String::from_utf8_lossy(lines.get(..len as usize).unwrap_or(&[]));
            let before = after;
            for line in text.lines() {
                let pid = line.split(' ').next().and_then(|pid| pid.parse().ok());
                let used = pid.and_then(|pid| usage?.get(&pid)).map_or("", String::as_str);
                self.services.print(columns(line, used));
                after = pid.map_or(after, Pid);
            }
            if after <= before {
                break; // A server that repeats itself would have this go on for ever.
            }
        }
    }

    /// Returns what init tells of its processes, "pages quota restarts" by their numbers.
    fn usage(&self) -> Usage {
        let (mut usage, mut after) = (Usage::new(), 0);
        let mut lines = vec![0; 4096];
        while let Ok(len @ 1..) = self.services.system.usage(Pid(after), &mut lines) {
            let text = String::from_utf8_lossy(lines.get(..len as usize).unwrap_or(&[]));
            let before = after;
            for (pid, rest) in text.lines().filter_map(|line| line.split_once(' ')) {
                if let Ok(pid) = pid.parse() {
                    usage.insert(pid, rest.into());
                    after = pid;
                }
            }
            if after <= before {
                break;
            }
        }
        usage
    }

    pub(super) fn memory(&self) -> u8 {
        match self.services.system.memory() {
            Ok(memory) => {
                let (used, total) = (memory.used * 4, memory.total * 4);
                self.services.print(format!("{used} KiB of {total} KiB in use\n"));
                0
            }
            Err(failure) => self.failed(format!("memory: {failure:?}")),
        }
    }

    pub(super) fn kill(&self, kill: &Kill) -> u8 {
        let signal = match kill.force {
            Force::Ask => Signal::Terminate,
            Force::End => Signal::Kill,
        };
        // Servers can be killed, too, but not by mistaking their numbers for UNIX ones: only where
        // the personality is given. Other native programs end by any signal.
        let everywhere = [(Personality::Unix, signal), (Personality::Native, Signal::Terminate)];
        let one = kill.among.map(|personality| [(personality, signal)]);
        let places: &[(Personality, Signal)] = one.as_ref().map_or(&everywhere, |one| one);
        let sent = places.iter().any(|&(place, signal)| {
            let runner = self.services.asked(place);
            runner.is_some_and(|runner| runner.signal(Pid(kill.pid), signal).is_ok())
        });
        let named = (kill.among, kill.force) == (Some(Personality::Native), Force::End);
        let hint = if named { "" } else { "; a server ends by kill -9 native PID" };
        if sent { 0 } else { self.failed(format!("kill: no process {} to end{hint}", kill.pid)) }
    }
}

/// What init tells of processes, by their numbers.
type Usage = BTreeMap<u64, String>;

/// Returns a line of `list` as a row of a table, with the process' "pages quota restarts", which is
/// empty where nobody knows.
fn columns(line: &str, used: &str) -> String {
    let mut words = line.splitn(5, ' ');
    let mut word = || words.next().unwrap_or("");
    let (pid, parent, state, personality) = (word(), word(), word(), word());
    let name = word();
    let numbers: Vec<u64> = used.split(' ').filter_map(|word| word.parse().ok()).collect();
    let shown = |number: Option<u64>| number.map_or("-".into(), |number| format!("{number}"));
    let kib = |index: usize| shown(numbers.get(index).map(|pages| pages * 4));
    // Programs are not restarted.
    let restarts = shown(numbers.get(2).copied().filter(|_| personality == "server"));
    format!(
        "{pid:>5} {parent:>6} {state:<8} {:>8} {:>9} {restarts:>8} {personality:<11} {name}\n",
        kib(0),
        kib(1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_lines_become_rows() {
        let words = |row: &str| row.split_whitespace().map(String::from).collect::<Vec<_>>();
        let row = columns("12 1 running unix /bin/sh -c x", "");
        let wanted = ["12", "1", "running", "-", "-", "-", "unix", "/bin/sh", "-c", "x"];
        assert_eq!(words(&row), wanted);
        let row = columns("2 1 running server console", "10 512 3");
        assert_eq!(words(&row), ["2", "1", "running", "40", "2048", "3", "server", "console"]);
        assert_eq!(words(&columns("", "x")), ["-", "-", "-"]);
    }
}
