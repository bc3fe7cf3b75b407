//! `services` and `restart`: servers by name, as init tells of them.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use libipc::Failure;
use protocols::system::SystemError;

use super::Session;

/// Room for an answer: as much as init gives at once.
const ROOM: usize = 4096;

/// Most servers that are listed; a manifest has fewer.
const SERVERS_MAX: usize = 64;

impl Session {
    pub(super) fn servers(&self) -> u8 {
        match self.server_lines() {
            Ok(lines) => {
                self.services.print("  PID RESTARTS SERVER       STATE\n");
                for line in lines {
                    self.services.print(row(&line));
                }
                0
            }
            Err(failure) => self.failed(format!("services: {failure:?}")),
        }
    }

    pub(super) fn restart(&self, server: &[u8]) -> u8 {
        let name = server.escape_ascii();
        match self.services.system.restart(server) {
            Ok(pid) => {
                self.services.print(format!("{name} runs as pid {}\n", pid.0));
                for line in self.server_lines().unwrap_or_default() {
                    self.services.print(stranded(&line));
                }
                0
            }
            Err(Failure::Protocol(SystemError::NotFound)) => {
                self.failed(format!("restart: no server {name}; services lists them"))
            }
            Err(Failure::Protocol(SystemError::Refused)) => {
                self.failed(format!("restart: {name} does not start; services tells why"))
            }
            Err(failure) => self.failed(format!("restart: {failure:?}")),
        }
    }

    /// Returns init's lines about all servers.
    fn server_lines(&self) -> Result<Vec<String>, Failure<SystemError>> {
        let mut lines = Vec::new();
        let mut room = vec![0; ROOM];
        loop {
            let len = self.services.system.services(lines.len() as u64, &mut room)?;
            let text = String::from_utf8_lossy(room.get(..len as usize).unwrap_or(&[]));
            if text.is_empty() || lines.len() >= SERVERS_MAX {
                return Ok(lines);
            }
            lines.extend(text.lines().map(String::from));
        }
    }
}

/// Returns a line of `services` as a row of a table.
fn row(line: &str) -> String {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or("");
    let (name, pid, restarts) = (word(), word(), word());
    let pid = if pid == "0" { "-" } else { pid };
    format!("{pid:>5} {restarts:>8} {name:<12} {}\n", word())
}

/// Returns what a person must know of a server that cannot reach another one's new endpoint.
fn stranded(line: &str) -> String {
    let (name, without) = (line.split(' ').next(), line.split_once(", without "));
    match (name, without) {
        (Some(name), Some((_, services))) => {
            format!("{name} has lost {services} for good: restart {name} to give it back\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_lines_become_rows() {
        let line = "ramfs 5 2 running, without clock";
        assert_eq!(row(line), "    5        2 ramfs        running, without clock\n");
        assert_eq!(row("crasher 0 4 gave up: x"), "    -        4 crasher      gave up: x\n");
        assert_eq!(row("").trim(), "");
    }

    #[test]
    fn who_lost_a_service_is_named_with_what_to_do() {
        let told = "ramfs has lost clock for good: restart ramfs to give it back\n";
        assert_eq!(stranded("ramfs 5 2 running, without clock"), told);
        assert_eq!(stranded("ramfs 5 2 running"), "");
    }
}
