//! What the words of each row are.

/// Fields of a thread's row.
pub mod thread {
    /// Its number, which is the badge that its calls come with.
    pub const NUMBER: usize = 0;
    /// Its process, and in the upper half its number as programs see it.
    pub const PROCESS: usize = 1;
    /// The kernel's thread.
    pub const HANDLE: usize = 2;
    /// The call whose answer changed something, and was kept with it; 0: none.
    pub const ANSWERED: usize = 3;
    /// In which life that was, and in the lowest bit whether the answer is a value.
    pub const ANSWERED_IN: usize = 4;
    /// The value.
    pub const VALUE: usize = 5;
    /// The call that waits with some of it done, or until a time; 0: none.
    pub const WAITING: usize = 6;
    /// In which life it began to.
    pub const WAITING_IN: usize = 7;
    /// How much of it is done.
    pub const PROGRESS: usize = 8;
    /// When it ends, in ns since boot; all ones: never by itself.
    pub const DEADLINE: usize = 9;
    /// How many there are.
    pub const COUNT: usize = 10;
}

/// Fields of a process's row.
pub mod process {
    /// Its number.
    pub const PID: usize = 0;
    /// The rows in which its descriptors are, by their numbers: [`super::CHUNK`] in each.
    pub const DESCRIPTORS: usize = 1;
    /// How many rows that are.
    pub const DESCRIPTOR_ROWS: usize = crate::open::MAX_DESCRIPTORS.div_ceil(super::CHUNK);
    /// How many there are.
    pub const COUNT: usize = DESCRIPTORS + DESCRIPTOR_ROWS;
}

/// Fields of an open file description's row.
pub mod file {
    /// What is open (`open::row`), and in the upper half the flags.
    pub const KIND: usize = 0;
    /// Where the next read or write begins.
    pub const OFFSET: usize = 1;
    /// What exactly is open, as its kind says.
    pub const OBJECT: usize = 2;
    /// More of that.
    pub const DETAIL: usize = 3;
    /// Bytes of the path that it was opened with.
    pub const PATH_LEN: usize = 4;
    /// The text (`kept::texts`) of what of the path has no room here.
    pub const PATH_REST: usize = 5;
    /// The path's first bytes.
    pub const PATH: usize = 6;
    /// Bytes of the path that have room here.
    pub const PATH_BYTES: usize = 96;
    /// How many there are.
    pub const COUNT: usize = PATH + PATH_BYTES / 8;
}

/// Words of a row in which descriptors or a text are.
pub const CHUNK: usize = 64;
