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
    /// 1 where the answer is a value, 0 where the caller's registers are as they were set.
    pub const IS_VALUE: usize = 4;
    /// The value.
    pub const VALUE: usize = 5;
    /// The call that waits with some of it done, or until a time; 0: none.
    pub const WAITING: usize = 6;
    /// How much of it is done.
    pub const PROGRESS: usize = 7;
    /// When it ends, in ns since boot; all ones: never by itself.
    pub const DEADLINE: usize = 8;
    /// Signals that it does not take now.
    pub const MASK: usize = 9;
    /// The mask to go back to.
    pub const MASK_AFTER: usize = 10;
    /// 1 where there is one, and 2 where the alternate stack is taken away by its user.
    pub const FLAGS: usize = 11;
    /// The alternate stack: where it begins, and its length.
    pub const ALT_STACK: usize = 12;
    /// Where to write 0 when it ends.
    pub const CLEAR_TID: usize = 14;
    /// Its list of robust futexes.
    pub const ROBUST: usize = 15;
    /// Its last exception: vector, error code, address.
    pub const TRAP: usize = 16;
    /// Signals for it: a text's length and name.
    pub const PENDING: usize = 19;
    /// How many there are.
    pub const COUNT: usize = 21;
}

/// Fields of a process's row.
pub mod process {
    /// Its plain fields, from its number on (`process::record`).
    pub const PID: usize = 0;
    /// How many.
    pub const PLAIN: usize = 24;
    /// The rows in which its descriptors are, by their numbers: [`super::CHUNK`] in each.
    pub const DESCRIPTORS: usize = PID + PLAIN;
    /// How many rows that are.
    pub const DESCRIPTOR_ROWS: usize = crate::open::MAX_DESCRIPTORS.div_ceil(super::CHUNK);
    /// Ids, capabilities, and how many supplementary groups it is in and which.
    pub const CREDENTIALS: usize = DESCRIPTORS + DESCRIPTOR_ROWS;
    /// How many words.
    pub const CREDENTIAL_WORDS: usize = 11 + crate::calls::identity::MAX_GROUPS as usize / 2;
    /// What it has set for itself.
    pub const SETTINGS: usize = CREDENTIALS + CREDENTIAL_WORDS;
    /// How many words.
    pub const SETTING_WORDS: usize = 3;
    /// Its limits, a soft and a hard one for each resource.
    pub const LIMITS: usize = SETTINGS + SETTING_WORDS;
    /// Signals.
    pub const SIGNALS: usize = crate::linux::signals::MAX as usize;
    /// The set of those on which it does not do what is done by default.
    pub const HANDLED: usize = LIMITS + 2 * crate::process::RESOURCES;
    /// What it does on each of these: handler, flags, restorer, mask.
    pub const ACTIONS: usize = HANDLED + 1;
    /// Its working directory's node.
    pub const CWD_NODE: usize = ACTIONS + 4 * SIGNALS;
    /// Bytes of a text that lies in the row itself.
    pub const SHORT_TEXT: usize = 64;
    /// Words of a text: its length, its name (`kept::texts`) or 0, and itself where it is short.
    pub const TEXT: usize = 2 + SHORT_TEXT / 8;
    /// The working directory's path.
    pub const CWD: usize = CWD_NODE + 1;
    /// The path of its program.
    pub const EXECUTABLE: usize = CWD + TEXT;
    /// Its arguments.
    pub const COMMAND_LINE: usize = EXECUTABLE + TEXT;
    /// Signals for whichever thread takes them.
    pub const PENDING: usize = COMMAND_LINE + TEXT;
    /// The node of its root directory; 0: the tree's.
    pub const ROOT_NODE: usize = PENDING + TEXT;
    /// The root directory's path.
    pub const ROOT: usize = ROOT_NODE + 1;
    /// How many there are.
    pub const COUNT: usize = ROOT + TEXT;
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
