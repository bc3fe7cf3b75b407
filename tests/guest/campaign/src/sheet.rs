//! The sheet on which the killer notes kills, for clients to tell whether a restart has its reason.
//!
//! ```text
//!   word 0 …   kills of each server that were announced
//!   word 8 …   kills of each server that were done
//!   word 16    1: the campaign is over
//! ```
//!
//! A memory object, read and written through the kernel: no sharing of mappings is needed for a
//! few words. A kill is announced before it is done, so that who sees `Restarted` between two looks
//! finds one announced after the first that was not done before it.

use libipc::{Error, Memory};

/// Servers that are killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Server {
    /// The RAM file system.
    Files,
    /// The name server.
    Names,
    /// The console.
    Console,
    /// The sample server.
    Counters,
}

impl Server {
    /// All of them.
    pub const ALL: [Server; 4] = [Server::Files, Server::Names, Server::Console, Server::Counters];

    /// Returns its name in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Server::Files => "ramfs",
            Server::Names => "names",
            Server::Console => "console",
            Server::Counters => "counters",
        }
    }
}

/// Words of the sheet.
const WORDS: usize = 17;
/// Where the kills that are done begin.
const DONE: usize = 8;
/// The word of the end.
const OVER: usize = 16;

/// What stands on the sheet at some moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sheet([u64; WORDS]);

impl Default for Sheet {
    fn default() -> Self {
        Sheet([0; WORDS])
    }
}

impl Sheet {
    /// Returns what stands on the sheet now.
    ///
    /// # Errors
    /// What the kernel says of the memory.
    pub fn read(memory: Memory) -> Result<Sheet, Error> {
        let mut bytes = [0; WORDS * 8];
        memory.read(0, &mut bytes)?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Ok(Sheet(words))
    }

    /// Writes all of the sheet.
    ///
    /// # Errors
    /// What the kernel says of the memory.
    pub fn write(&self, memory: Memory) -> Result<(), Error> {
        let mut bytes = [0; WORDS * 8];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = word.to_le_bytes();
        }
        Ok(memory.write(0, &bytes)?)
    }

    /// Notes that a server is about to be killed.
    pub fn announce(&mut self, server: Server) {
        self.0[server as usize] += 1;
    }

    /// Notes that it was.
    pub fn done(&mut self, server: Server) {
        self.0[DONE + server as usize] += 1;
    }

    /// Notes that no more kills follow, and that clients are to end.
    pub fn end(&mut self) {
        self.0[OVER] = 1;
    }

    /// Returns whether clients are to end.
    pub fn is_over(&self) -> bool {
        self.0[OVER] != 0
    }

    /// Returns how often a server was killed.
    pub fn kills(&self, server: Server) -> u64 {
        self.0[DONE + server as usize]
    }

    /// Returns whether a kill of a server may have met a call between this look and a later one.
    pub fn explains(&self, later: &Sheet, server: Server) -> bool {
        later.0[server as usize] > self.0[DONE + server as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, Sheet};

    #[test]
    fn only_a_kill_between_two_looks_explains_a_restart() {
        let before = Sheet::default();
        let mut later = before;
        assert!(!before.explains(&later, Server::Names));
        later.announce(Server::Names);
        assert!(before.explains(&later, Server::Names));
        assert!(!before.explains(&later, Server::Files));
        // Announced before the first look, and not done yet.
        assert!(later.explains(&later, Server::Names));
        later.done(Server::Names);
        assert!(!later.explains(&later, Server::Names));
        assert_eq!((later.kills(Server::Names), later.kills(Server::Files)), (1, 0));
    }

    #[test]
    fn clients_are_told_the_end() {
        let mut sheet = Sheet::default();
        assert!(!sheet.is_over());
        sheet.end();
        assert!(sheet.is_over());
    }
}
