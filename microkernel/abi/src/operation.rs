//! The kernel's operations: their numbers, targets, arguments, results and rights.

/// Bytes that one [`Operation::Copy`] moves at most, so that no entry into the kernel is long.
pub const COPY_MAX: usize = 64 * 1024;

/// Bytes that one [`Operation::PortWrite`] writes at most, for the same reason.
pub const PORT_WRITE_MAX: usize = 128;

/// What [`Operation::Mint`] takes for the last of a range, with 0 for the first, to copy a
/// capability to ports, interrupts or physical memory as a whole.
pub const WHOLE: u64 = u64::MAX;

/// An operation of the kernel; the number goes in `rax`.
///
/// "Target" is `r12`, `w0` to `w5` are the message words; rights that the capabilities need stand
/// in brackets. An operation checks all of its arguments before it changes anything; one that
/// fails has changed nothing, except that long operations (Map to Clone, Copy, Destroy) may be
/// interrupted between bounded steps and go on by themselves, and that Copy, Commit, Decommit and
/// Supply tell how far they came.
///
/// Any operation fails with InvalidHandle, WrongKind or NoRights where a handle names no live
/// object, one of another kind, or the capability lacks the right; with StaleCall where an open
/// call is none any more. A number that names no operation is InvalidOperation. The other errors
/// stand at each operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Operation {
    /// Does nothing: the price of entering the kernel.
    ///
    /// Errors: none.
    Null = 0,
    /// Sends a message to the endpoint in the target (SEND) and waits for the reply until the
    /// deadline (r14); NOW: only if a receiver waits. The receiver sees the capability's badge.
    /// Returns the reply's tag and words.
    ///
    /// Errors: WouldBlock (the deadline is NOW and nobody waits), TimedOut, Restarted (the server
    /// died), Cancelled (the thread was stopped), InvalidHandle (also where the endpoint is
    /// destroyed meanwhile), InvalidArgument (counts of the tag out of bounds), BadAddress (the
    /// sender or the receiver has no message page), NoRights (also where a capability that is sent
    /// lacks GRANT), TableFull (the receiver's).
    Call = 1,
    /// Sends a message to the endpoint in the target (SEND) and waits until it is received, no
    /// longer than the deadline. No capabilities wait for a reply; leases are refused.
    ///
    /// Errors: those of Call, but Restarted.
    Send = 2,
    /// Waits until the deadline for a message on the endpoint in the target (RECEIVE), or for the
    /// thread's bound notification. Returns open call (r12), tag (r13), badge (r14), words.
    ///
    /// Errors: WouldBlock (nothing is there and the deadline is NOW), TimedOut, Cancelled,
    /// InvalidHandle (also where the endpoint is destroyed meanwhile).
    Receive = 3,
    /// Answers the open call in the target with a tag and words; leases are refused. For a call
    /// of kind SystemCall or Interrupt, `w0` becomes the thread's rax; for Exception and Recall
    /// the words are not used: the thread resumes with its registers as they are. With label 1
    /// rax stays as well: for servers that wrote the registers themselves. With label 2 the thread
    /// that met an exception resumes with instruction pointer, stack pointer and flags from `w2`
    /// to `w4`, where the message had them.
    ///
    /// Errors: StaleCall, InvalidArgument (counts of the tag, the instruction pointer), BadAddress (no message page),
    /// NoRights (a capability that is sent lacks GRANT), TableFull (the caller's).
    Reply = 4,
    /// Answers the open call in the target (unless it is 0), then receives on the endpoint in r15 (RECEIVE) until
    /// the deadline. A reply that is refused does not keep the receive from happening.
    ///
    /// Errors: those of Receive.
    ReplyReceive = 5,
    /// Sets bits in the notification in the target (SEND): `w0`, or the capability's badge where
    /// it has one. Never blocks.
    ///
    /// Errors: none but for the target.
    Signal = 6,
    /// Waits until the deadline for any bit of the notification in the target (RECEIVE); returns
    /// the bits in `w0` and clears them. The deadline NOW polls.
    ///
    /// Errors: WouldBlock (no bit is set and the deadline is NOW), TimedOut, Cancelled,
    /// InvalidHandle (also where the notification is destroyed meanwhile).
    Wait = 7,
    /// Lets the next thread of the same priority run.
    ///
    /// Errors: none.
    Yield = 8,
    /// Returns the kernel's clock in `w0`: nanoseconds since boot; the processor that the thread
    /// runs on in `w1`, and how many processors run in `w2`. For who reads the time-stamp counter
    /// instead, what it was when the clock was 0 in `w3`, and the nanoseconds of a tick times 2³² in
    /// `w4`: the clock is `((counter - w3) * w4) >> 32`.
    ///
    /// Errors: none.
    Now = 9,
    /// Copies `w5` bytes from a place to a place ([`Place`]): `w0` the two kinds (from in the low
    /// byte, to in the next), `w1` and `w2` id and offset of the source, `w3` and `w4` those of
    /// the destination. Returns the number of bytes copied in `w0`, also when it fails midway. One
    /// operation copies at most [`COPY_MAX`] bytes, and fewer where pages have to be made first;
    /// libipc repeats it. A copy never asks a pager:
    /// at a page that misses it stops with PageMissing, tells in `w1` the badge that its object has
    /// at the pager and in `w2` the page, and can go on from there once the page is supplied.
    ///
    /// Errors: InvalidArgument (no such place or lease, beyond the end of a lease or of the
    /// extended state, overlapping ranges of one page), BadAddress (not mapped with that access),
    /// BadRange (beyond the end of a memory object), NoRights (a lease for the other direction, the
    /// memory of a caller that sent a message), StaleCall, Busy (the thread is not stopped),
    /// PageMissing, QuotaExhausted and OutOfMemory (a page that is written for the first time).
    Copy = 10,
    /// Creates an object of kind `w0` ([`ObjectKind`](crate::ObjectKind), which tells the other arguments), charged to
    /// the quota in the target (CONTROL); returns its handle in r12, with all rights.
    ///
    /// Errors: InvalidArgument (the kind, or an argument of it), TableFull (the caller's own),
    /// QuotaExhausted, OutOfMemory.
    Create = 11,
    /// Copies the capability in the target (GRANT) to the table `w0` (CONTROL) (0: the caller's
    /// own), with at most the rights `w1`; `w2` becomes its badge where the source has badge 0
    /// (endpoint, notification); slot `w3` (0: any free one). For ports, interrupts and physical
    /// memory `w2` and `w4` narrow the range to first and last; 0 and [`WHOLE`] leave it as it is.
    /// Returns the handle in r12.
    ///
    /// Errors: InvalidArgument (the table has no such slot, or the range is not within the
    /// source's), TableFull, Busy (the slot is in use).
    Mint = 12,
    /// Empties slot `w0` of the table in the target (CONTROL) (0: the caller's own).
    ///
    /// Errors: InvalidHandle (the slot is empty, or there is none).
    Delete = 13,
    /// Destroys the object in the target (DESTROY): every capability to it becomes invalid,
    /// threads that wait on it get an error, its memory returns to its quota.
    ///
    /// Errors: WrongKind (ports, interrupts, physical memory, the trace: nobody can destroy them).
    Destroy = 14,
    /// Maps `w3` pages of the memory object `w0` from its page `w1` on at address `w2` of the
    /// space in the target (CONTROL), with rights `w4` (READ, WRITE, EXECUTE, never both of the
    /// last two; either brings READ), which the capability to the object must have; no device is
    /// executed. BadRange where anything is mapped.
    ///
    /// Errors: BadRange, InvalidArgument (the rights, misaligned addresses, beyond the end of the
    /// object or of user space), QuotaExhausted, OutOfMemory.
    Map = 15,
    /// Unmaps whatever lies in `w1` pages from address `w0` of the space in the target (CONTROL).
    ///
    /// Errors: InvalidArgument (misaligned, or not in user space), QuotaExhausted and OutOfMemory
    /// (a mapping that has to be split).
    Unmap = 16,
    /// Changes the rights of the `w1` mapped pages from address `w0` of the space in the target
    /// (CONTROL) to `w2`, at most what they were mapped with allows.
    ///
    /// Where its caller is stopped or destroyed midway, pages that were written to may stay writable
    /// until they are protected again.
    ///
    /// Errors: BadRange (not wholly mapped), NoRights (more than it was mapped with),
    /// InvalidArgument (the rights, the range), QuotaExhausted and OutOfMemory (a mapping that has
    /// to be split).
    Protect = 17,
    /// Creates a copy-on-write clone of the memory object in the target (READ, GRANT),
    /// whose pages are charged to quota `w0`, shared or not; returns its handle in r12, with all
    /// rights. Pages that miss in a pager-backed object miss in the clone, too, and its pager is
    /// the server of the endpoint `w1` (SEND), whose badge identifies the clone. `w5` is 0; the
    /// kernel keeps there how far it came while it makes a large clone in steps.
    ///
    /// Errors: InvalidArgument (memory that is neither anonymous nor pager-backed), TableFull (the
    /// caller's own), QuotaExhausted, OutOfMemory.
    Clone = 18,
    /// Gives the thread in the target (CONTROL) its priority `w0`, at most the caller's own.
    ///
    /// Errors: InvalidArgument (above the caller's own, or no priority).
    SetPriority = 19,
    /// Gives the thread in the target (CONTROL) the endpoint `w0` (SEND) for its faults; `w1` is
    /// the badge that the receiver sees, unless the capability has one. With `w2` = 1 the thread is
    /// foreign: system calls, software interrupts and recalls go there, too.
    ///
    /// Errors: InvalidArgument (`w2` is neither 0 nor 1).
    SetHandler = 20,
    /// Gives the thread in the target (CONTROL) page `w1` of the memory object `w0` (READ, WRITE)
    /// as message page. The page is committed; its mapping in the thread's space is the caller's
    /// affair. A thread with a message page costs its quota a page: the frame stays as long as the
    /// thread has it.
    ///
    /// Errors: BadRange (the object has no such page), PageMissing (its pager has not supplied it),
    /// BadAddress (a device's), NoRights (the boot archive's), Busy (too many threads have that page
    /// already), QuotaExhausted, OutOfMemory.
    SetMessagePage = 21,
    /// Binds the notification `w0` (RECEIVE) to the thread in the target (CONTROL), in place of the
    /// one that it had; a thread that receives gets bits that are set already.
    ///
    /// Errors: Busy (the notification is bound to a thread already).
    Bind = 22,
    /// Lets the thread in the target (CONTROL) run, from a stopped state.
    ///
    /// Errors: Busy (it is not stopped), InvalidArgument (its registers hold an address outside the
    /// user half).
    Start = 23,
    /// Stops the thread in the target (CONTROL) wherever it is; a wait that it was in ends with
    /// Cancelled, a call that it had open is gone.
    ///
    /// Errors: none but for the target.
    Stop = 24,
    /// Turns the foreign thread in the target (CONTROL) into an open call of kind Recall on its
    /// handler, if it is running in user space.
    ///
    /// Errors: Busy (it waits in an open call or in a queue to become one, is stopped, is not
    /// foreign, or is the caller).
    Recall = 25,
    /// Copies the [`Registers`](crate::Registers) of the open call or thread in the target (READ),
    /// a call that is no message or a stopped thread, to the bytes of the message page.
    ///
    /// Errors: StaleCall, WrongKind (the call is a message), Busy (the thread is not stopped),
    /// BadAddress (the caller has no message page).
    ReadRegisters = 26,
    /// Sets the registers of the open call or thread in the target (CONTROL), as in
    /// ReadRegisters, from the bytes of the message page.
    /// Flags are forced to what user space may set; InvalidArgument for an address outside
    /// the user half.
    ///
    /// Errors: those of ReadRegisters, and InvalidArgument.
    WriteRegisters = 27,
    /// Moves the open call or thread in the target (CONTROL), as in ReadRegisters, to the space `w0` (CONTROL); its in-process entry is gone.
    ///
    /// Errors: StaleCall, WrongKind (the call is a message), Busy (the thread is not stopped).
    SetSpace = 28,
    /// Arms the timer in the target (CONTROL) for `w0` ns since boot (FOREVER: disarms it).
    ///
    /// Errors: none but for the target.
    SetTimer = 29,
    /// Connects interrupt line `w0` of the lines in the target (CONTROL) to the notification
    /// `w1` (SEND), bits `w2` or the capability's badge, as in Signal, and unmasks it. Each interrupt masks the line until acknowledged.
    ///
    /// Errors: InvalidArgument (the capability does not have the line).
    BindInterrupt = 30,
    /// Unmasks interrupt line `w0` of the lines in the target (CONTROL).
    ///
    /// Errors: InvalidArgument (the capability does not have the line).
    AcknowledgeInterrupt = 31,
    /// Reads the I/O port `w0` of the ports in the target (READ) in width `w1`, 1, 2 or 4 bytes
    /// ([`PortWidth`]); returns the value in `w0`.
    ///
    /// Errors: InvalidArgument (the width, or a port that the capability does not have).
    PortIn = 32,
    /// Writes `w2` to the I/O port `w0` of the ports in the target (WRITE) in width `w1`.
    ///
    /// Errors: InvalidArgument (the width, or a port that the capability does not have).
    PortOut = 33,
    /// Writes up to [`PORT_WRITE_MAX`] bytes at address `w1`, length `w2`, to the 8-bit I/O port
    /// `w0` of the ports in the target (WRITE), one after the other; returns how many in `w0`.
    ///
    /// Errors: InvalidArgument (the capability does not have the port), BadAddress.
    PortWrite = 34,
    /// Tells about the target: kind in `w0`, rights in `w1`, badge in `w2`; for a memory object
    /// its pages in `w3`, its kind ([`MemoryKind`](crate::MemoryKind)) in `w5`, and in `w4` the
    /// physical address of a contiguous one, once all of it is zeroed, to who has (CONTROL), else
    /// 0; for ports, interrupts and physical memory first and last in `w3`, `w4`; for a quota pages
    /// used and limit in `w3`, `w4`, and in `w5` the units of objects used (low half) and their
    /// limit (high half); for a thread its state in `w3`: 0 stopped, 1 ready or running,
    /// 2 waiting, in `w4` the nanoseconds of processor time that it paid for and in `w2`, of those,
    /// what was done for its calls if it is foreign, and its slot, by which open calls and the trace
    /// name it, in `w5`; for an address
    /// space the pages of its page tables in `w3`, its root not counted, which stay when what they
    /// map is unmapped; for an endpoint its slot in `w5`, the same for every capability to it;
    /// for the trace the kinds recorded in `w3` and its rings in `w4`.
    /// For the first task's quota `w2` is the machine's free pages (low half) and its pages of RAM
    /// (high half), the kernel's own included.
    ///
    /// Errors: InvalidHandle.
    Inspect = 35,
    /// Resizes the memory object in the target (CONTROL) to `w0` pages; pages that go are unmapped
    /// everywhere.
    ///
    /// Errors: InvalidArgument (too many pages, or memory that cannot be resized), QuotaExhausted,
    /// OutOfMemory.
    Resize = 36,
    /// Compares the 32-bit word at address `w0` of the caller of the open call in the target with
    /// `w1` and sets it to `w2` if equal; returns what it was in `w0`.
    ///
    /// Errors: InvalidArgument (misaligned), BadAddress (not mapped to be written), NoRights (the
    /// caller sent a message), StaleCall, PageMissing, QuotaExhausted, OutOfMemory.
    CompareExchange = 37,
    /// Commits `w1` pages from page `w0` on of the memory object in the target (WRITE): each that
    /// is untouched gets a frame of zeros, so that using it cannot fail later, but for want of a
    /// page table. Those that have a frame, shared or not, are kept. Returns in `w0` how many pages
    /// were dealt with, also when it fails midway; one operation deals with
    /// [`PAGES_MAX`](crate::PAGES_MAX) at most, and fewer where frames have to be zeroed. BadRange beyond the end, QuotaExhausted. In a
    /// pager-backed object it stops at the first missing page, as Copy does.
    ///
    /// Errors: InvalidArgument (memory that is neither anonymous nor contiguous nor pager-backed),
    /// BadRange, PageMissing, QuotaExhausted, OutOfMemory.
    Commit = 38,
    /// Decommits `w1` pages from page `w0` on of the memory object in the target (CONTROL): it
    /// gives its share of their frames up, its quota gets their charge back, and they are mapped
    /// nowhere any more; touched again they are zero, or the pager is asked. Clones keep theirs.
    /// Returns in `w0` how many pages were dealt with, as Commit does. BadRange beyond the end,
    /// InvalidArgument for contiguous, device and archive memory.
    ///
    /// Errors: InvalidArgument, BadRange.
    Decommit = 39,
    /// Supplies `w1` pages from page `w0` on of the pager-backed memory object in the target
    /// (CONTROL) with those of the anonymous memory object `w2` (READ, GRANT) from its page `w3`
    /// on, shared copy-on-write and charged to the target's quota. Pages that are there already
    /// are kept. Returns in `w0` how many pages were dealt with, as Commit does. BadRange beyond
    /// the end of either, InvalidArgument for objects of other kinds. Who waits for the pages goes
    /// on when its call is answered, not before.
    ///
    /// Errors: InvalidArgument, BadRange, QuotaExhausted, OutOfMemory.
    Supply = 40,
    /// Hands the thread of the open call in the target over to another personality: the endpoint
    /// `w0` (SEND) becomes its handler, with badge `w1` as in SetHandler, and the call is queued
    /// there as if the thread had just made it. WrongKind for messages and page requests.
    ///
    /// Errors: StaleCall, WrongKind.
    HandOver = 41,
    /// Gives the foreign thread or open call in the target (CONTROL) an in-process
    /// entry: its system calls branch to address `w0` (0: none) unless they come from the range
    /// `w0` to `w1`, the entry's own, where they are native; `w2` is the address of the thread's
    /// block. At the entry rcx holds the address to return to, r11 the block, all else is as the
    /// program left it. InvalidArgument for a range that is empty or not in user space, WrongKind
    /// for the open call of a message or of a page request. SetSpace
    /// and HandOver take the entry away.
    ///
    /// Errors: InvalidArgument, StaleCall, WrongKind.
    SetEntry = 42,
    /// Moves the thread in the target (CONTROL) to processor `w0`, where it stays until it is moved
    /// again; with all bits set it may run on any, as at first. InvalidArgument where there is no
    /// such processor.
    ///
    /// Errors: InvalidArgument (there is no such processor).
    SetProcessor = 43,
    /// Has the trace in the target (CONTROL) record events of the kinds in the set `w0` from now on
    /// (0: none); see [`trace`](crate::trace). Nothing takes the fast path meanwhile.
    ///
    /// Errors: InvalidArgument (a bit that stands for no kind).
    Trace = 44,
    /// Tells about the first thread from slot `w0` on, of all that there are, to
    /// whoever has the trace in the target (READ): a [`Snapshot`](crate::snapshot::Snapshot) in the
    /// words. One operation looks at [`SLOTS_MAX`](crate::snapshot::SLOTS_MAX) slots; where it
    /// finds nobody there, the state is 0 and the slot the last one that it looked at. With slot
    /// 65,535 there are no more. Threads that are being destroyed are not told of.
    ///
    /// Errors: none but for the target.
    InspectThread = 45,
}

impl Operation {
    /// Number of operations; they are numbered from 0 without gaps.
    pub const COUNT: u64 = 46;

    /// Every operation, in the order of their numbers.
    pub const ALL: [Operation; Self::COUNT as usize] = {
        use Operation::*;
        [
            Null,
            Call,
            Send,
            Receive,
            Reply,
            ReplyReceive,
            Signal,
            Wait,
            Yield,
            Now,
            Copy,
            Create,
            Mint,
            Delete,
            Destroy,
            Map,
            Unmap,
            Protect,
            Clone,
            SetPriority,
            SetHandler,
            SetMessagePage,
            Bind,
            Start,
            Stop,
            Recall,
            ReadRegisters,
            WriteRegisters,
            SetSpace,
            SetTimer,
            BindInterrupt,
            AcknowledgeInterrupt,
            PortIn,
            PortOut,
            PortWrite,
            Inspect,
            Resize,
            CompareExchange,
            Commit,
            Decommit,
            Supply,
            HandOver,
            SetEntry,
            SetProcessor,
            Trace,
            InspectThread,
        ]
    };

    /// Returns the operation of a number, if it names one.
    pub const fn from_number(number: u64) -> Option<Operation> {
        if number < Self::COUNT { Some(Self::ALL[number as usize]) } else { None }
    }
}

const _: () = {
    let mut number = 0;
    while number < Operation::COUNT as usize {
        assert!(Operation::ALL[number] as usize == number);
        number += 1;
    }
};

/// What [`Operation::Copy`] can copy from and to; the id's meaning, then the offset's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Place {
    /// The caller's own memory: id 0, address.
    Own = 0,
    /// A memory object: handle (READ or WRITE), byte offset in it.
    Memory = 1,
    /// All memory of the caller of an open call of a foreign thread: open call, address there.
    Caller = 2,
    /// Lease 0 of an open call: open call, byte offset in the lease.
    Lease0 = 3,
    /// Lease 1 of an open call.
    Lease1 = 4,
    /// Lease 2 of an open call.
    Lease2 = 5,
    /// Lease 3 of an open call.
    Lease3 = 6,
    /// The extended (FPU, SSE, AVX) state of an open call's caller that is no message, or of a
    /// stopped thread (handle) (READ, CONTROL): id, byte offset in the XSAVE area, at most 4,096.
    Extended = 7,
}

impl Place {
    /// Returns the place of a number, if it names one.
    pub const fn from_number(number: u64) -> Option<Place> {
        Some(match number {
            0 => Place::Own,
            1 => Place::Memory,
            2 => Place::Caller,
            3 => Place::Lease0,
            4 => Place::Lease1,
            5 => Place::Lease2,
            6 => Place::Lease3,
            7 => Place::Extended,
            _ => return None,
        })
    }
}

/// Width of an access to an I/O port, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PortWidth {
    /// 8 bits.
    Byte = 1,
    /// 16 bits.
    Word = 2,
    /// 32 bits.
    Long = 4,
}

impl PortWidth {
    /// Returns the width of a number of bytes, if it is one.
    pub const fn from_number(number: u64) -> Option<PortWidth> {
        Some(match number {
            1 => PortWidth::Byte,
            2 => PortWidth::Word,
            4 => PortWidth::Long,
            _ => return None,
        })
    }
}
