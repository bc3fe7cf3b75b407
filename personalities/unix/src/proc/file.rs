//! Open files of `/proc`: whom they are about, and who may read that.

use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::Errno;
use crate::io::Position;
use crate::memory::Mm;
use crate::open::{Description, Object};
use crate::proc::{About, Entry, text};
use crate::process::{Pid, Process};
use crate::unix::Unix;

/// An open file of `/proc`, with its text as it was last read from the beginning.
#[derive(Clone, Debug)]
pub struct Text {
    entry: Entry,
    bytes: Rc<[u8]>,
    /// Beside the rest: descriptions of anything else are no larger for it.
    subject: Option<Rc<Subject>>,
}

/// A process as it was when a file about it was opened: its number may come to be another one's,
/// and it may execute a program that is not its opener's to look into.
#[derive(Clone, Debug)]
struct Subject {
    started: u64,
    memory: Weak<RefCell<Mm>>,
}

impl Subject {
    fn of(process: &Process) -> Subject {
        let memory = process.mm.as_ref().map(Rc::downgrade).unwrap_or_default();
        Subject { started: process.started, memory }
    }
}

impl Text {
    /// Opens a file for a process, with its text.
    ///
    /// # Errors
    /// ENOENT: the process that it is about is gone; EACCES: it may not be looked into; EINVAL: it
    /// is no file.
    pub fn open(unix: &mut Unix, reader: Pid, entry: Entry) -> Result<Text, Errno> {
        let mut subject = None;
        if let Some(pid) = entry.process() {
            if entry.about().is_some_and(About::is_of_memory) {
                may_look(unix, reader, pid)?;
            }
            let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
            subject = Some(Rc::new(Subject::of(process)));
        }
        Ok(Text { entry, bytes: text(unix, entry)?.into(), subject })
    }

    /// Returns the node.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// Returns how many bytes the text has.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the process that the file is about, if it is about one.
    ///
    /// # Errors
    /// ESRCH: it is gone.
    pub fn process<'u>(&self, unix: &'u Unix) -> Result<Option<&'u Process>, Errno> {
        let (Some(pid), Some(subject)) = (self.entry.process(), &self.subject) else {
            return Ok(None);
        };
        let process = unix.processes.get(&pid);
        let same = process.filter(|process| process.started == subject.started);
        same.map(Some).ok_or(Errno::ESRCH)
    }

    /// Returns whether the memory that the file tells of is there no more.
    fn is_of_the_past(&self, process: &Process) -> bool {
        let (Some(subject), Some(about)) = (&self.subject, self.entry.about()) else {
            return false;
        };
        let memory = process.mm.as_ref().map(Rc::downgrade).unwrap_or_default();
        about.is_of_memory() && !memory.ptr_eq(&subject.memory)
    }

    /// Returns the text as it is now.
    fn anew(&self, unix: &mut Unix) -> Result<Vec<u8>, Errno> {
        let is_gone = match self.process(unix) {
            Ok(process) => process.is_some_and(|process| self.is_of_the_past(process)),
            // `environ_read` and `auxv_read` (fs/proc/base.c) find no memory any more.
            Err(Errno::ESRCH)
                if matches!(self.entry.about(), Some(About::Auxiliary | About::Environment)) =>
            {
                true
            }
            Err(errno) => return Err(errno),
        };
        if is_gone { Ok(Vec::new()) } else { text(unix, self.entry) }
    }
}

/// Checks that a process may read what tells of another one's inner life (proc(5),
/// `PTRACE_MODE_READ_FSCREDS`).
///
/// # Errors
/// EACCES; ENOENT: it is gone.
pub fn may_look(unix: &Unix, reader: Pid, pid: Pid) -> Result<(), Errno> {
    if reader == pid {
        return Ok(());
    }
    let who = &unix.processes.get(&reader).ok_or(Errno::ESRCH)?.credentials;
    let other = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let is_closed = !other.settings.is_dumpable && other.mm.is_some();
    let may = who.reads_all() || !is_closed && who.may_look(&other.credentials);
    if may { Ok(()) } else { Err(Errno::EACCES) }
}

/// Reads an open file of `/proc`, whose text is made anew for who reads from its beginning.
///
/// # Errors
/// As [`text`]; ESRCH: its process is gone.
pub fn read(
    unix: &mut Unix,
    file: &Description,
    position: Position,
    into: &mut [u8],
) -> Result<usize, Errno> {
    let at = match position {
        Position::Current => file.borrow().offset(),
        Position::At(offset) => offset,
    };
    let Object::Text(mut text) = file.borrow().object.clone() else { return Ok(0) };
    if at == 0 {
        // Nothing is borrowed here: the text may be about this very description (fdinfo).
        text.bytes = text.anew(unix)?.into();
    }
    let mut open = file.borrow_mut();
    let rest = text.bytes.get(at as usize..).unwrap_or(&[]);
    let count = rest.len().min(into.len());
    into[..count].copy_from_slice(&rest[..count]);
    open.object = Object::Text(text);
    if position == Position::Current {
        let to = open.offset() + count as u64;
        open.set_offset(to);
    }
    Ok(count)
}
