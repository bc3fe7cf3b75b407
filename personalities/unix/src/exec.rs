//! Executing programs: finding the format, loading, the first stack.
//!
//! ```text
//!   path ─> #! script? ─> its interpreter
//!        ─> .COM, .EXE, native ─> Loaded::Foreign: a DOS session, a native process
//!        ─> ELF        ─> Images (cache) ─> Mm: text shared, data copied on write ─> Program
//! ```

mod image;
mod stack;
pub mod vdso;

use crate::linux::signals;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use kamen_kit::elf::{ElfError, HEAD};
use kamen_kit::image::{Kind, kind};
use libipc::Registers;
use protocols::file::{Attributes, mode};

use crate::Errno;
use crate::credentials::{Credentials, want};
use crate::io::read_head;
use crate::machine::{Access, Machine};
use crate::memory::{
    Backing, Bounds, Counted, Mm, PAGE, Purpose, Region, STACK_TOP, Sharing, Trash, pages,
};
use crate::open::{Description, Object};
use crate::path::{Directory, Found, Last, Node, VNode, Within};
use crate::proc::{Entry, walk_as};
use crate::process::{AltStack, Pid, Process};
use crate::signal::trampoline;
use crate::unix::Unix;

pub use image::Images;
use vdso::Times;

/// Most bytes of arguments and environment together (Linux: a quarter of the stack; here less,
/// because they pass through this server).
pub const ARGUMENTS_MAX: usize = 512 * 1024;
/// Most scripts between a path and its program (`exec_binprm` in fs/exec.c of Linux 6.1).
const MAX_INTERPRETERS: usize = 5;
/// Bytes of a script in which its first line counts (`BINPRM_BUF_SIZE` less a NUL).
const SCRIPT_LINE: usize = 255;
/// Pages of a new stack, besides those of the arguments.
const STACK_PAGES: u64 = 32;
/// The native program that a DOS session is.
const DOS_SESSION: &[u8] = b"/bin/dos-session";
/// Bytes of a program's short name (`TASK_COMM_LEN` less its NUL).
pub const NAME_MAX: usize = 15;

/// What to execute.
#[derive(Clone, Debug)]
pub struct Request {
    /// The program's name: its path, where it was not found by a descriptor.
    pub path: Vec<u8>,
    /// What was found already.
    pub opened: Option<Opened>,
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
    /// Its environment.
    pub environment: Vec<Vec<u8>>,
}

impl Request {
    /// Returns the request for a program, without arguments and environment yet.
    pub fn new(path: Vec<u8>, opened: Option<Opened>) -> Request {
        Request { path, opened, arguments: Vec::new(), environment: Vec::new() }
    }
}

/// A file that is to be executed, found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What was found.
    pub found: Found,
    /// Its canonical path.
    pub path: Vec<u8>,
    /// Whether the request's path leads to it through a descriptor that is closed then: an
    /// interpreter would not find it.
    pub closes: bool,
}

/// A program that is loaded and only has to be entered.
#[derive(Debug)]
pub struct Program {
    /// Its memory.
    pub mm: Rc<RefCell<Mm>>,
    /// The registers that enter it.
    pub registers: Registers,
    name: Vec<u8>,
    executable: Vec<u8>,
    command_line: Vec<u8>,
    credentials: Credentials,
    environment: (u64, u64),
    auxiliary: (u64, u64),
}

/// What a file turned out to be.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, moved once")]
#[derive(Debug)]
pub enum Loaded {
    /// A Linux program.
    Linux(Program),
    /// A program of another personality.
    Foreign(Foreign),
}

/// A program that a native process plays: the program itself, or a DOS session with it.
#[derive(Debug)]
pub struct Foreign {
    /// Canonical path of the program.
    pub path: Vec<u8>,
    /// Arguments of the native process, the path of its own program first.
    pub argv: Vec<Vec<u8>>,
}

/// A file that may be executed.
struct File {
    node: Node,
    attributes: Attributes,
    path: Vec<u8>,
    head: Vec<u8>,
}

/// Loads a Linux program.
///
/// # Errors
/// As [`load_any`]; ENOEXEC: it is another personality's program.
pub fn load(unix: &mut Unix, pid: Pid, request: Request) -> Result<Program, Errno> {
    match load_any(unix, pid, request)? {
        Loaded::Linux(program) => Ok(program),
        Loaded::Foreign(_) => Err(Errno::ENOEXEC),
    }
}

/// Loads whatever a path names.
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES, ELOOP: the path; ENOEXEC: no program; ELIBBAD: a dynamically linked
/// one, of which standard error is told; E2BIG, ENOMEM.
pub fn load_any(unix: &mut Unix, pid: Pid, request: Request) -> Result<Loaded, Errno> {
    let mut request = request;
    let asked = request.path.clone();
    let mut opened = request.opened.take();
    for _ in 0..=MAX_INTERPRETERS {
        let one = match opened.take() {
            Some(opened) => opened,
            None => find(unix, pid, &request.path)?,
        };
        let closes = one.closes;
        let file = executable(unix, pid, one)?;
        if let Some(line) = file.head.strip_prefix(b"#!") {
            interpreted(&mut request, line)?;
            if closes {
                // `BINPRM_FLAGS_PATH_INACCESSIBLE` (`load_script`, fs/binfmt_script.c).
                return Err(Errno::ENOENT);
            }
            continue;
        }
        if is_dos(&file) {
            return Ok(Loaded::Foreign(foreign(Some(DOS_SESSION), file.path, request.arguments)));
        }
        if kind(&file.head, &file.path) == Kind::Native {
            return Ok(Loaded::Foreign(foreign(None, file.path, request.arguments)));
        }
        request.path = asked;
        return load_elf(unix, pid, &file, &request).map(Loaded::Linux);
    }
    Err(Errno::ELOOP)
}

fn find(unix: &mut Unix, pid: Pid, path: &[u8]) -> Result<Opened, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    let cwd = process.cwd.clone();
    let target = walk_as(unix, pid, &cwd, path, Last::Follow, Within::default())?;
    Ok(Opened { found: target.existing()?.clone(), path: target.path(), closes: false })
}

/// Returns what was found as a file that the process may execute.
fn executable(unix: &mut Unix, pid: Pid, opened: Opened) -> Result<File, Errno> {
    let Opened { mut found, mut path, .. } = opened;
    if let VNode::Proc(Entry::Descriptor(of, number)) = found.node {
        let process = unix.processes.get(&of).ok_or(Errno::ENOENT)?;
        let file = process.descriptors.file(number.into())?;
        (found, path) = of_description(unix, &file)?;
    }
    let VNode::File(node) = found.node else { return Err(Errno::EACCES) };
    let who = &unix.processes.get(&pid).ok_or(Errno::ESRCH)?.credentials;
    if found.kind() != mode::FILE || !who.allows(&found.attributes, want::EXECUTE) {
        return Err(Errno::EACCES);
    }
    let head = read_head(unix, node, HEAD)?;
    Ok(File { node, attributes: found.attributes, path, head })
}

/// Returns the file of a description, with the path that it was opened by.
///
/// # Errors
/// EACCES: it is none of the file server's; what that says.
pub fn of_description(unix: &mut Unix, file: &Description) -> Result<(Found, Vec<u8>), Errno> {
    let open = file.borrow();
    let node = match &open.object {
        Object::File(held) | Object::Device(_, Some(held)) => held.node(),
        Object::Directory(Directory { node: VNode::File(node), .. }) => *node,
        Object::Directory(Directory { node: VNode::Proc(_), .. })
        | Object::Device(_, None)
        | Object::Pipe(_)
        | Object::Pty(_)
        | Object::Stream(_)
        | Object::Text(..)
        | Object::Numbered(_) => return Err(Errno::EACCES),
    };
    let attributes = unix.files.attributes(node)?;
    Ok((Found { node: VNode::File(node), attributes }, open.path.clone()))
}

/// Changes a request for a script into one for its interpreter (execve(2), "Interpreter scripts").
fn interpreted(request: &mut Request, line: &[u8]) -> Result<(), Errno> {
    let line = &line[..line.len().min(SCRIPT_LINE - 2)];
    let end = line.iter().position(|&byte| byte == b'\n');
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | 0);
    let line = trimmed(&line[..end.unwrap_or(line.len())]);
    let cut = line.iter().position(is_blank);
    // A name that the line's bound cuts off is no name; an argument may be cut off.
    if line.is_empty() || end.is_none() && cut.is_none() && line.len() + 2 >= SCRIPT_LINE {
        return Err(Errno::ENOEXEC);
    }
    let (interpreter, argument) = line.split_at(cut.unwrap_or(line.len()));
    let argument = trimmed(argument);
    let mut arguments = alloc::vec![interpreter.to_vec()];
    if !argument.is_empty() {
        arguments.push(argument.to_vec());
    }
    arguments.push(core::mem::replace(&mut request.path, interpreter.to_vec()));
    arguments.extend(request.arguments.drain(..).skip(1));
    request.arguments = arguments;
    Ok(())
}

/// Returns a line of a script without the blanks at both ends.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = line.iter().position(is_text).unwrap_or(line.len());
    let end = line.iter().rposition(is_text).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Returns whom a process acts for once it executes a file (execve(2), set-id bits).
fn credentials_for(process: &Process, attributes: &Attributes) -> Credentials {
    const SET_UID: u32 = 0o4000;
    /// Without the group's execute bit it once meant something else.
    const SET_GID: u32 = 0o2010;
    let counts = |bits: u32| !process.settings.no_new_privileges && attributes.mode & bits == bits;
    let owner = counts(SET_UID).then_some(attributes.uid);
    let group = counts(SET_GID).then_some(attributes.gid);
    process.credentials.executed(owner, group)
}

/// Returns the program with the arguments of the native process that plays it.
fn foreign(host: Option<&[u8]>, path: Vec<u8>, arguments: Vec<Vec<u8>>) -> Foreign {
    let mut argv: Vec<Vec<u8>> = host.map(<[u8]>::to_vec).into_iter().collect();
    argv.push(path.clone());
    argv.extend(arguments.into_iter().skip(1));
    Foreign { path, argv }
}

/// Returns whether a file is a DOS program: .EXE files by their signature, .COM files, which have
/// none, by their names.
fn is_dos(file: &File) -> bool {
    let elf = file.head.starts_with(b"\x7fELF");
    file.head.starts_with(b"MZ") || (!elf && has_dos_name(&file.path))
}

/// Returns whether a path is named like a DOS program.
pub fn has_dos_name(path: &[u8]) -> bool {
    let named = |suffix: &[u8]| {
        let at = path.len().checked_sub(suffix.len());
        at.is_some_and(|at| path[at..].eq_ignore_ascii_case(suffix))
    };
    named(b".com") || named(b".exe")
}

fn load_elf(unix: &mut Unix, pid: Pid, file: &File, request: &Request) -> Result<Program, Errno> {
    let image = Images::open(unix, file.node, &file.attributes, &file.head);
    let image = image.map_err(|error| refused(unix, pid, &file.path, error))?;
    let mut mm = Mm::new(&mut *unix.machine, &unix.trash)?;
    mm.set_bounds(Bounds::of(&unix.processes.get(&pid).ok_or(Errno::ESRCH)?.limits));
    image.map(&mut mm, &mut *unix.machine, &unix.trash)?;
    map_vdso(unix, &mut mm)?;
    let mut random = [0; 16];
    unix.machine.random(&mut random);
    let process = unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    let credentials = credentials_for(process, &file.attributes);
    let content =
        stack::Content { request, image: &image.facts, credentials: &credentials, random };
    let stack = content.emit(STACK_TOP)?;
    place_stack(&mut mm, &mut *unix.machine, &unix.trash, &stack)?;
    let registers = Registers { rip: image.facts.entry, rsp: stack.pointer, ..Default::default() };
    let mut command_line = Vec::new();
    for argument in &request.arguments {
        command_line.extend_from_slice(argument);
        command_line.push(0);
    }
    let name = request.path.rsplit(|&byte| byte == b'/').next().unwrap_or(&[]);
    let name = name[..name.len().min(NAME_MAX)].to_vec();
    let mm = Rc::new(RefCell::new(mm));
    let executable = file.path.clone();
    let stack::Stack { environment, auxiliary, .. } = stack;
    Ok(Program {
        mm,
        registers,
        name,
        executable,
        command_line,
        credentials,
        environment,
        auxiliary,
    })
}

/// Maps the vDSO and the code through which signal handlers are entered.
fn map_vdso(unix: &mut Unix, mm: &mut Mm) -> Result<(), Errno> {
    let backing = match &unix.vdso {
        Some(backing) => backing.clone(),
        None => make_vdso(unix)?,
    };
    let region = Region::new(vdso::AT, vdso::PAGES, Access::Execute, Sharing::Image, backing);
    let purpose = Purpose::System("[vdso]");
    mm.insert(&mut *unix.machine, Region { purpose, ..region })
}

/// Makes the pages of the system that every process has, at their first use.
fn make_vdso(unix: &mut Unix) -> Result<Rc<Backing>, Errno> {
    let memory = unix.machine.create_memory(vdso::PAGES)?;
    let backing = Backing::new(memory, vdso::PAGES, &unix.trash);
    unix.machine.write_memory(memory, vdso::OBJECT_AT - vdso::AT, &vdso::object())?;
    for (offset, code) in trampoline::parts() {
        unix.machine.write_memory(memory, vdso::SIGNALS_AT - vdso::AT + offset, code)?;
    }
    unix.vdso = Some(backing.clone());
    publish_time(unix)?;
    Ok(backing)
}

/// Tells programs what the time is made of.
///
/// # Errors
/// ENOMEM.
pub fn publish_time(unix: &mut Unix) -> Result<(), Errno> {
    let Some(backing) = &unix.vdso else { return Ok(()) };
    let memory = backing.memory();
    let (scale, processors) = (unix.machine.clock_scale(), unix.machine.processors());
    let times = Times { scale, processors, boot_time: unix.machine.boot_time() };
    let mut sequence = [0; 4];
    unix.machine.read_memory(memory, Times::OFFSET, &mut sequence)?;
    for (offset, bytes) in times.emit(u32::from_le_bytes(sequence)) {
        unix.machine.write_memory(memory, offset, &bytes)?;
    }
    Ok(())
}

/// Maps a stack and puts its first content at its end.
fn place_stack(
    mm: &mut Mm,
    machine: &mut dyn Machine,
    trash: &Trash,
    stack: &stack::Stack,
) -> Result<(), Errno> {
    let content = pages(stack.bytes.len() as u64);
    let count = (STACK_PAGES + content).min((mm.bounds().stack / PAGE).max(content + 1));
    mm.check_growth(count, Counted::Otherwise)?;
    let start = STACK_TOP - count * PAGE;
    let backing = Backing::new(machine.create_memory(count)?, count, trash);
    let region = Region::new(start, count, Access::Write, Sharing::Private, backing.clone());
    mm.insert(machine, Region { purpose: Purpose::Stack, ..region })?;
    machine.write_memory(backing.memory(), stack.pointer - start, &stack.bytes)?;
    Ok(())
}

/// Returns the error for a file that cannot be executed, and says why where the errno cannot.
fn refused(unix: &mut Unix, pid: Pid, path: &[u8], error: image::ImageError) -> Errno {
    let path = alloc::string::String::from_utf8_lossy(path).into_owned();
    match error {
        image::ImageError::Errno(errno) => errno,
        image::ImageError::Elf(ElfError::Dynamic(interpreter)) => {
            let interpreter = alloc::string::String::from_utf8_lossy(&interpreter).into_owned();
            let line = alloc::format!(
                "{path} is dynamically linked (needs {interpreter}); Kamen runs static programs \
                 so far: install a -static package or link with -static"
            );
            unix.complain(pid, &line);
            Errno::ELIBBAD
        }
        image::ImageError::Elf(
            ElfError::NotElf
            | ElfError::WrongMachine
            | ElfError::WrongType
            | ElfError::Truncated
            | ElfError::SegmentCount
            | ElfError::BadSegment
            | ElfError::Overlap
            | ElfError::BadEntry,
        ) => Errno::ENOEXEC,
    }
}

/// Makes a loaded program the process's: its old memory goes, and what exec resets is reset.
pub fn install(unix: &mut Unix, pid: Pid, program: Program) {
    let Some(process) = unix.processes.get_mut(&pid) else { return };
    process.mm = Some(program.mm);
    process.name = program.name;
    *process.executable = program.executable;
    *process.command_line = program.command_line;
    (process.environment, process.auxiliary) = (program.environment, program.auxiliary);
    process.has_executed = true;
    // `begin_new_exec` (fs/exec.c): whatever clone() said.
    process.exit_signal = signals::SIGCHLD;
    let gains = program.credentials.user != process.credentials.user
        || program.credentials.group != process.credentials.group;
    process.settings.is_dumpable = !gains;
    if gains {
        process.settings.parent_death_signal = 0;
    }
    *process.credentials = program.credentials;
    process.actions.reset();
    for slot in process.descriptors.close_on_exec() {
        unix.locks.release_closed(pid, &slot.file.borrow().object);
    }
    for number in &process.threads {
        if let Some(thread) = unix.threads.get_mut(number) {
            thread.alt_stack = AltStack::default();
            thread.clear_tid = 0;
            thread.robust_list = 0;
        }
    }
}

/// Returns the arguments of a native process as a block for the protocol `process`.
///
/// # Errors
/// E2BIG.
pub fn native_arguments(
    cwd: &[u8],
    argv: &[Vec<u8>],
    environment: &[Vec<u8>],
) -> Result<Vec<u8>, Errno> {
    let (argv, env) = (argv.to_vec(), environment.to_vec());
    let block = kamen_kit::Arguments { cwd: cwd.to_vec(), argv, env };
    block.emit().map_err(|_| Errno::E2BIG)
}

/// Facts about whose program it is that the auxiliary vector tells.
fn ids(credentials: &Credentials) -> [u64; 4] {
    let (user, group) = (credentials.user, credentials.group);
    [user.real, user.effective, group.real, group.effective].map(u64::from)
}
