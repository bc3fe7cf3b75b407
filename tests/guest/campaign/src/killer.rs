//! Which server is killed next, and when.

use alloc::vec;
use alloc::vec::Vec;

use kamen_chaos::Dice;
use libipc::{Error, Failure, Memory, Notification, Time, now};
use protocols::process::{Pid, ProcessClient, ProcessError, Signal};

use crate::sheet::{Server, Sheet};

/// Most bytes of a list of processes.
const LIST: usize = 4096;
/// How long a server that was killed may take until it runs again.
const PATIENCE_MS: u64 = 5_000;

/// What the killer is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Where its dice begin.
    pub seed: u64,
    /// How many kills.
    pub kills: u64,
    /// The longest pause between two of them, in microseconds; half of it on average.
    pub pause_us: u64,
}

/// A killer with its means.
pub struct Killer {
    /// init, with the power to kill servers.
    pub process: ProcessClient,
    /// Where kills are noted.
    pub sheet: Memory,
    /// Nobody signals it: what waiting is done on.
    pub silence: Notification,
}

/// Why the killer gave up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A server did not come back.
    Missing(Server),
    /// init refused to kill it.
    Refused(Failure<ProcessError>),
    /// The kernel refused something.
    Kernel(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Kernel(error)
    }
}

impl Killer {
    /// Kills at random, as ordered.
    ///
    /// # Errors
    /// A server that does not come back, or cannot be killed.
    pub fn carry_out(&self, order: Order) -> Result<(), Trouble> {
        let mut dice = Dice(order.seed);
        for _ in 0..order.kills {
            self.rest(now().after_ns(dice.roll(order.pause_us.max(1) * 1000)));
            self.kill(Server::ALL[dice.roll(Server::ALL.len() as u64) as usize])?;
        }
        Ok(())
    }

    /// Kills each server once, so that all of them begin anew.
    ///
    /// # Errors
    /// As [`Killer::carry_out`].
    pub fn renew(&self, also: &[&str]) -> Result<(), Trouble> {
        for server in Server::ALL {
            self.kill(server)?;
        }
        also.iter().try_for_each(|name| kill_by_name(&self.process, name))
    }

    fn kill(&self, server: Server) -> Result<(), Trouble> {
        let deadline = now().after_ms(PATIENCE_MS);
        let pid = loop {
            match pid(&self.process, server.name()) {
                Some(pid) => break pid,
                None if now() > deadline => return Err(Trouble::Missing(server)),
                None => self.rest(now().after_ms(1)),
            }
        };
        let mut sheet = Sheet::read(self.sheet)?;
        sheet.announce(server);
        sheet.write(self.sheet)?;
        let killed = self.process.signal(pid, Signal::Kill);
        sheet.done(server);
        sheet.write(self.sheet)?;
        killed.map_err(Trouble::Refused)
    }

    fn rest(&self, until: Time) {
        // It ends by its deadline: nobody signals.
        let _ = self.silence.wait(until);
    }
}

/// Kills the server of a name, if it runs.
///
/// # Errors
/// init refuses.
pub fn kill_by_name(process: &ProcessClient, name: &str) -> Result<(), Trouble> {
    match pid(process, name) {
        Some(pid) => process.signal(pid, Signal::Kill).map_err(Trouble::Refused),
        None => Ok(()),
    }
}

/// Returns the process that a server of a name is.
fn pid(process: &ProcessClient, name: &str) -> Option<Pid> {
    let mut text = vec![0; LIST];
    let len = process.list(Pid(0), &mut text).ok()? as usize;
    server_in(text.get(..len)?, name)
}

/// Returns the process of a server that runs, in lines "pid parent state personality name".
fn server_in(lines: &[u8], name: &str) -> Option<Pid> {
    let lines = core::str::from_utf8(lines).ok()?;
    lines.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_it = matches!(words[..], [_, _, "running", "server", found] if found == name);
        is_it.then(|| words[0].parse().ok().map(Pid))?
    })
}

#[cfg(test)]
mod tests {
    use super::server_in;
    use protocols::process::Pid;

    #[test]
    fn a_server_is_found_by_its_name_while_it_runs() {
        let lines = b"1 0 running server init\n12 1 ended server names\n\
                      13 1 running server names\n14 1 running native ramfs\n";
        assert_eq!(server_in(lines, "names"), Some(Pid(13)));
        assert_eq!(server_in(lines, "ramfs"), None);
    }
}
