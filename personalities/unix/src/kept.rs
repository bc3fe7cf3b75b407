//! What outlives this server: tables in one memory that the supervisor keeps.
//!
//! ```text
//!   words (kamen_kit::kept): journal | pipes | threads | processes | files | chunks
//!   bytes:                   what pipes hold
//! ```
//!
//! Everything is plain numbers. What a call changes counts when its answer is known
//! ([`Store::commit`]); a life that ends before that leaves the tables as they were before the
//! call, which the next life is given again, `replayed` (decisions/0074).

use alloc::boxed::Box;

use kamen_kit::kept;
pub use kamen_kit::kept::{Found, Row, Unusable};

use crate::pipe;
use crate::process::{MAX_PROCESSES, MAX_THREADS};

#[cfg(test)]
use crate::fake::Mortal as Guard;
#[cfg(not(test))]
use kamen_kit::kept::Living as Guard;

/// Words of kept memory.
pub type Store = kept::Store<Guard>;
/// A table in it.
pub type Table = kept::Table<Guard>;

mod fields;
mod records;
pub mod texts;

pub use fields::{CHUNK, file, process, thread};
pub use records::{Key, Marked, Records, Touched};

/// The layout of the words; another number for another layout.
const LAYOUT: u64 = 1;

/// Most open file descriptions.
pub const MAX_FILES: u32 = 8192;
/// Rows for descriptors and texts, of [`CHUNK`] words.
pub const MAX_CHUNKS: u32 = 4096;

/// Where each table begins.
const PIPES: usize = kept::FIRST;
const THREADS: usize = PIPES + kept::words(pipe::MAX_PIPES as u32, pipe::fields::COUNT);
const PROCESSES: usize = THREADS + kept::words(MAX_THREADS as u32, thread::COUNT);
const FILES: usize = PROCESSES + kept::words(MAX_PROCESSES as u32, process::COUNT);
const TEXTS: usize = FILES + kept::words(MAX_FILES, file::COUNT);
/// Number of words.
const WORDS: usize = TEXTS + kept::words(MAX_CHUNKS, CHUNK);
/// Where the pipes' bytes begin, at a page.
const RINGS: usize = (WORDS * 8).next_multiple_of(4096);

/// Most words that change when all there is goes at once: three for each row, and all that a
/// process has.
const MOST_CHANGES: usize = 3
    * (MAX_FILES as usize + MAX_CHUNKS as usize + pipe::MAX_PIPES + MAX_THREADS)
    + MAX_PROCESSES * (3 + process::PLAIN + process::DESCRIPTOR_ROWS);
const _: () =
    assert!(MOST_CHANGES + texts::MOST_CHANGES < kept::JOURNAL, "a transaction keeps to its bound");

/// Bytes of the memory.
pub const BYTES: usize = RINGS + pipe::POOL;

/// The tables.
#[derive(Debug)]
pub struct Tables {
    /// All words.
    pub store: Store,
    /// Pipes.
    pub pipes: Table,
    /// Threads.
    pub threads: Table,
    /// Processes.
    pub processes: Table,
    /// Open file descriptions.
    pub files: Table,
    /// Descriptors and texts.
    pub chunks: Table,
}

impl Tables {
    fn new(store: Store) -> Self {
        let pipes = Table::new(store, PIPES, pipe::MAX_PIPES as u32, pipe::fields::COUNT);
        let threads = Table::new(store, THREADS, MAX_THREADS as u32, thread::COUNT);
        let processes = Table::new(store, PROCESSES, MAX_PROCESSES as u32, process::COUNT);
        let files = Table::new(store, FILES, MAX_FILES, file::COUNT);
        let chunks = Table::new(store, TEXTS, MAX_CHUNKS, CHUNK);
        let tables = Tables { store, pipes, threads, processes, files, chunks };
        tables.all().into_iter().for_each(|(_, table)| table.recount());
        tables
    }

    /// Returns all tables with their names.
    pub fn all(&self) -> [(&'static str, Table); 5] {
        [
            ("pipes", self.pipes),
            ("threads", self.threads),
            ("processes", self.processes),
            ("files", self.files),
            ("chunks", self.chunks),
        ]
    }
}

/// What is kept.
#[derive(Debug)]
pub struct Kept {
    /// The tables.
    pub tables: &'static Tables,
    /// What pipes hold, until [`pipe::Pipes`] takes it.
    pub rings: &'static mut [u8],
}

impl Kept {
    /// Takes up a memory, which is zero or an earlier life's; one of less than [`BYTES`] holds
    /// less in pipes.
    ///
    /// # Errors
    /// Unusable: it is too small, or another version's.
    pub fn open(memory: &'static mut [u8]) -> Result<(Kept, Found), Unusable> {
        let (words, rings) = memory.split_at_mut_checked(RINGS).ok_or(Unusable)?;
        let (store, found) = Store::open(words, LAYOUT)?;
        Ok((Kept { tables: Box::leak(Box::new(Tables::new(store))), rings }, found))
    }

    /// Returns what the next life of a test takes up.
    #[cfg(test)]
    pub(crate) fn again(store: Store, rings: &'static mut [u8]) -> Kept {
        Kept { tables: Box::leak(Box::new(Tables::new(store))), rings }
    }

    /// Gives everything up that an earlier life kept.
    pub fn clear(&self) {
        for (_, table) in self.tables.all() {
            table.clear();
        }
        self.tables.store.commit();
    }

    /// Returns tables in memory that goes with this life.
    pub fn in_own_memory() -> Kept {
        let memory = Box::leak(alloc::vec![0; BYTES].into_boxed_slice());
        Kept::open(memory).expect("it is large enough and zero").0
    }
}

#[cfg(test)]
mod tests {
    use super::BYTES;

    #[test]
    fn the_manifest_gives_enough_memory() {
        let manifest = include_str!("../../../servers/system.toml");
        let entry = manifest.split("[[").find(|entry| entry.contains("name = \"unix\"")).unwrap();
        let (_, rest) = entry.split_once("memory = { tables = ").unwrap();
        let pages: usize = rest.split_once(' ').unwrap().0.parse().unwrap();
        assert!(pages * 4096 >= BYTES, "{} pages are needed", BYTES.div_ceil(4096));
    }
}
