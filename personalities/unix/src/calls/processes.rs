//! Making processes, executing programs, ending, waiting.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::Registers;

use crate::Errno;
use crate::calls::limits::may_fork;
use crate::calls::pidfd;
use crate::calls::terminal::check_background;
use crate::context::{Context, Stop, Wait};
use crate::credentials::Capability;
use crate::exec::{ARGUMENTS_MAX, Foreign, Loaded, Request, install, load_any, native_arguments};
use crate::linux::flags::clone as flags;
use crate::linux::signals;
use crate::machine::Access;
use crate::memory::{Mm, PAGE, Sharing};
use crate::open::{Description, Object};
use crate::process::{Ending, Pid, Process, ThreadNumber};
use crate::servers::Handed;
use crate::terminal::Line;
use crate::timers::Deleted;
use crate::wake::Channel;

/// What a clone is to be.
#[derive(Default)]
struct Clone {
    bits: u64,
    /// The child's stack pointer; 0: the parent's.
    stack: u64,
    parent_tid: u64,
    child_tid: u64,
    /// Where the child's descriptor is written (`CLONE_PIDFD`).
    pidfd: u64,
    tls: u64,
    exit_signal: u8,
}

/// fork(2)
pub fn fork(context: &mut Context<'_>) -> Result<u64, Stop> {
    clone_as(context, &Clone { exit_signal: signals::SIGCHLD, ..Clone::default() })
}

/// vfork(2)
pub fn vfork(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (bits, exit_signal) = (flags::MEMORY | flags::VFORK, signals::SIGCHLD);
    clone_as(context, &Clone { bits, exit_signal, ..Clone::default() })
}

/// clone(2)
pub fn clone(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [bits, stack, parent_tid, child_tid, tls, _] = context.words;
    let exit_signal = (bits & flags::SIGNAL) as u8;
    // The descriptor is written where the number would be (clone(2), CLONE_PIDFD).
    let either = flags::PARENT_SET_TID | flags::DETACHED;
    if bits & flags::PIDFD != 0 && bits & either != 0 {
        return Err(Errno::EINVAL.into());
    }
    let bits = bits & 0xffff_ffff & !flags::SIGNAL & !flags::DETACHED;
    let pidfd = parent_tid;
    clone_as(context, &Clone { bits, stack, parent_tid, child_tid, pidfd, tls, exit_signal })
}

/// clone3(2)
pub fn clone3(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// Bytes of the first version of `struct clone_args`, and of the third.
    const FIRST: u64 = 64;
    const THIRD: u64 = 88;
    let [address, len, ..] = context.words;
    if len < FIRST {
        return Err(Errno::EINVAL.into());
    }
    if len > PAGE {
        return Err(Errno::E2BIG.into());
    }
    let bytes = context.bytes_in(address, len as usize)?;
    let known = len.min(THIRD) as usize;
    if bytes[known..].iter().any(|&byte| byte != 0) {
        return Err(Errno::E2BIG.into());
    }
    let mut words = [0; THIRD as usize / 8];
    for (word, bytes) in words.iter_mut().zip(bytes[..known].chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    let [bits, pidfd, child_tid, parent_tid, exit_signal, base, stack_len, tls, _, tids, _] = words;
    let stack_fits = (base == 0) == (stack_len == 0);
    let known = bits & !flags::KNOWN == 0 && bits & flags::DETACHED == 0;
    if !known || !stack_fits || exit_signal > signals::MAX.into() || bits & flags::NEW_TIME != 0 {
        return Err(Errno::EINVAL.into());
    }
    if tids != 0 {
        // Nobody chooses the numbers of processes here (clone(2), "set_tid", ERRORS).
        return Err(Errno::EPERM.into());
    }
    let stack = if base == 0 { 0 } else { base.wrapping_add(stack_len) };
    let exit_signal = exit_signal as u8;
    clone_as(context, &Clone { bits, stack, parent_tid, child_tid, pidfd, tls, exit_signal })
}

impl Clone {
    /// Checks the flags, as copy_process() of kernel/fork.c does; what threads share a process here
    /// that shares without being one does not.
    fn check(&self) -> Result<(), Errno> {
        const OF_THREADS: u64 = flags::FILES | flags::FS | flags::HANDLERS;
        let has = |bits: u64| self.bits & bits == bits;
        let orders = (!has(flags::THREAD) || has(flags::HANDLERS))
            && (!has(flags::HANDLERS) || has(flags::MEMORY))
            && !has(flags::HANDLERS | flags::CLEAR_HANDLERS)
            && !has(flags::THREAD | flags::PIDFD);
        let shares = self.bits & OF_THREADS;
        let served = if has(flags::THREAD) { shares == OF_THREADS } else { shares == 0 };
        let refused = flags::NEW_SPACES | flags::INTO_CGROUP;
        let signal_fits = u64::from(self.exit_signal) <= u64::from(signals::MAX);
        if orders && served && signal_fits && self.bits & refused == 0 {
            return Ok(());
        }
        Err(Errno::EINVAL)
    }
}

fn clone_as(context: &mut Context<'_>, clone: &Clone) -> Result<u64, Stop> {
    // A vfork that waited: the child has given the memory back, and its number is the result.
    if context.progress != 0 {
        return vfork_done(context);
    }
    clone.check()?;
    let registers = child_registers(context, clone)?;
    if clone.bits & flags::THREAD != 0 {
        return clone_thread(context, clone, &registers);
    }
    let mm = context.mm()?;
    let child_mm = if clone.bits & flags::MEMORY != 0 {
        mm
    } else {
        Rc::new(RefCell::new(mm.borrow().fork(context.machine())?))
    };
    let child = context.unix.new_child(context.pid, child_mm.clone(), clone.exit_signal)?;
    let Process { parent, exit_signal, .. } = *context.process();
    if let Some(process) = context.unix.processes.get_mut(&child) {
        if clone.bits & flags::PARENT != 0 {
            // A sibling ends as its maker will: who made neither has not asked for anything else.
            (process.parent, process.exit_signal) = (parent, exit_signal);
        }
        if clone.bits & flags::CLEAR_HANDLERS != 0 {
            process.actions.reset();
        }
    }
    if let Err(stop) = start_opened(context, child, &child_mm, clone, &registers) {
        context.unix.processes.remove(&child);
        return Err(stop);
    }
    if clone.bits & flags::VFORK == 0 {
        return Ok(child.0.into());
    }
    let number = context.number;
    if let Some(process) = context.unix.processes.get_mut(&child) {
        process.borrowed_from = Some(number);
    }
    wait_for_memory(context, child)
}

fn wait_for_memory(context: &Context<'_>, child: Pid) -> Result<u64, Stop> {
    let channel = Channel::Borrowed(context.number.0);
    Err(Stop::Wait(Wait { progress: child.0.into(), ..Wait::on(channel) }))
}

fn vfork_done(context: &mut Context<'_>) -> Result<u64, Stop> {
    let child = Pid(context.progress as u32);
    let number = context.number;
    let borrows = |process: &Process| process.borrowed_from == Some(number);
    if context.unix.processes.get(&child).is_some_and(borrows) {
        return wait_for_memory(context, child);
    }
    Ok(child.0.into())
}

/// Returns the registers of a child: the caller's, with 0 as the call's value.
fn child_registers(context: &mut Context<'_>, clone: &Clone) -> Result<Registers, Errno> {
    let mut registers = context.registers()?;
    registers.rax = 0;
    if clone.stack != 0 {
        registers.rsp = clone.stack;
    }
    if clone.bits & flags::SET_TLS != 0 {
        registers.fs_base = clone.tls;
    }
    Ok(registers)
}

/// Starts a child; its parent has a descriptor of it before, if it wants one.
fn start_opened(
    context: &mut Context<'_>,
    child: Pid,
    mm: &Rc<RefCell<Mm>>,
    clone: &Clone,
    registers: &Registers,
) -> Result<(), Stop> {
    if clone.bits & flags::PIDFD == 0 {
        return Ok(start_child(context, child, mm, clone, registers)?);
    }
    let fd = pidfd::of_process(context, child, 0)?;
    let started = context
        .copy_out(clone.pidfd, &(fd as u32).to_le_bytes())
        .and_then(|()| start_child(context, child, mm, clone, registers));
    if let Err(errno) = started {
        context.descriptors().remove(fd)?;
        return Err(errno.into());
    }
    Ok(())
}

fn start_child(
    context: &mut Context<'_>,
    child: Pid,
    mm: &Rc<RefCell<Mm>>,
    clone: &Clone,
    registers: &Registers,
) -> Result<(), Errno> {
    let number = context.unix.new_thread(child, child, mm)?;
    let inherited = inherit(context, number, clone).map(|()| write_tids(context, child, mm, clone));
    if let Err(errno) = inherited {
        context.unix.remove_thread(number);
        return Err(errno);
    }
    context.unix.start_thread(number, registers)
}

/// Gives a new thread what it has from its maker.
fn inherit(context: &mut Context<'_>, number: ThreadNumber, clone: &Clone) -> Result<(), Errno> {
    let call = context.call;
    let (mask, alt_stack) = (context.own_thread().mask, context.own_thread().alt_stack);
    let thread = context.unix.threads.get_mut(&number).ok_or(Errno::ESRCH)?;
    thread.mask = mask;
    if clone.bits & flags::MEMORY == 0 {
        thread.alt_stack = alt_stack;
    }
    if clone.bits & flags::CHILD_CLEAR_TID != 0 {
        thread.clear_tid = clone.child_tid;
    }
    let handle = thread.handle;
    Ok(context.machine().copy_extended(call, handle)?)
}

/// Writes the child's number where parent and child want it, if they may write there (`put_user` in
/// `kernel_clone` and `schedule_tail`, kernel/fork.c and kernel/sched/core.c: failures are ignored).
fn write_tids(context: &mut Context<'_>, child: Pid, mm: &Rc<RefCell<Mm>>, clone: &Clone) {
    let number = child.0.to_le_bytes();
    if clone.bits & flags::PARENT_SET_TID != 0 {
        let _ = context.copy_out(clone.parent_tid, &number);
    }
    if clone.bits & flags::CHILD_SET_TID == 0 {
        return;
    }
    // The child has no open call to copy through: its memory is written by its object.
    let mm = mm.borrow();
    let end = clone.child_tid.saturating_add(number.len() as u64);
    let written = mm.region_at(clone.child_tid).filter(|region| {
        // What it may write and what is only its own, or meant for others to see.
        let is_own = region.sharing != Sharing::Image;
        region.access == Access::Write && is_own && end <= region.end()
    });
    if let Some(region) = written {
        let offset = region.page_at(clone.child_tid) * PAGE + clone.child_tid % PAGE;
        let memory = region.backing.memory();
        let _ = context.machine().write_memory(memory, offset, &number);
    }
}

fn clone_thread(
    context: &mut Context<'_>,
    clone: &Clone,
    registers: &Registers,
) -> Result<u64, Stop> {
    if !may_fork(context.own(), context.unix.processes.values()) {
        return Err(Errno::EAGAIN.into());
    }
    let mm = context.mm()?;
    let tid = context.unix.new_pid()?;
    let number = context.unix.new_thread(context.pid, tid, &mm)?;
    let started = inherit(context, number, clone)
        .map(|()| write_tids(context, tid, &mm, clone))
        .and_then(|()| context.unix.start_thread(number, registers));
    if let Err(errno) = started {
        context.unix.remove_thread(number);
        context.process().threads.retain(|&other| other != number);
        return Err(errno.into());
    }
    Ok(tid.0.into())
}

/// execve(2)
pub fn execve(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, arguments, environment, ..] = context.words;
    let path = context.path_in(path)?;
    execute(context, Request::new(path, None), arguments, environment)
}

/// Executes a program with the arguments and the environment at two addresses.
///
/// # Errors
/// Gone, where all went well; what [`load_any`] says, EFAULT, E2BIG.
pub(super) fn execute(
    context: &mut Context<'_>,
    mut request: Request,
    arguments: u64,
    environment: u64,
) -> Result<u64, Stop> {
    let mut total = 0;
    request.arguments = strings_in(context, arguments, &mut total)?;
    if request.arguments.is_empty() {
        // As Linux since 5.18: programs rely on a name.
        request.arguments.push(Vec::new());
    }
    let environment = strings_in(context, environment, &mut total)?;
    request.environment = environment.clone();
    let program = match load_any(context.unix, context.pid, request)? {
        Loaded::Linux(program) => program,
        Loaded::Foreign(program) => return execute_foreign(context, &program, &environment),
    };
    // A thread of its own: the program begins with the extended state that threads begin with.
    let (space, badge) = (program.mm.borrow().space(), context.number.0);
    let handle = context.machine().create_thread(space, badge)?;
    end_other_threads(context);
    context.unix.delete_timers(context.pid, Deleted::Created);
    let before = core::mem::replace(&mut context.thread().handle, handle);
    context.machine().destroy_thread(before);
    let registers = program.registers;
    install(context.unix, context.pid, program);
    give_memory_back(context);
    if context.machine().start(handle, &registers).is_err() {
        context.unix.end_process(context.pid, Ending::Signal(signals::SIGSEGV));
    } else {
        context.unix.recall_for_signals(context.number);
    }
    Err(Stop::Gone)
}

fn end_other_threads(context: &mut Context<'_>) {
    let (own, pid) = (context.number, context.pid);
    let others: Vec<_> =
        context.own().threads.iter().copied().filter(|&other| other != own).collect();
    for number in others {
        context.unix.leave_memory(number);
        context.unix.remove_thread(number);
    }
    context.unix.leave_memory(own);
    context.process().threads = alloc::vec![own];
    context.thread().tid = pid;
}

/// Lets the parent go on that waits since vfork.
fn give_memory_back(context: &mut Context<'_>) {
    if let Some(lender) = context.process().borrowed_from.take() {
        context.unix.wakes.add(Channel::Borrowed(lender.0));
    }
}

/// Copies an array of strings that ends with a null pointer.
fn strings_in(
    context: &mut Context<'_>,
    address: u64,
    total: &mut usize,
) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings = Vec::new();
    if address == 0 {
        return Ok(strings);
    }
    let mut at = address;
    loop {
        let pointer = context.u64_in(at)?;
        if pointer == 0 {
            break;
        }
        at = at.wrapping_add(8);
        let string = context.string_in(pointer, ARGUMENTS_MAX).map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::E2BIG,
            errno => errno,
        })?;
        *total += string.len() + 9;
        if *total > ARGUMENTS_MAX {
            return Err(Errno::E2BIG);
        }
        strings.push(string);
    }
    Ok(strings)
}

/// Has a native program or a DOS session play the process from here on: it keeps its number, and
/// its standard streams become theirs.
fn execute_foreign(
    context: &mut Context<'_>,
    program: &Foreign,
    environment: &[Vec<u8>],
) -> Result<u64, Stop> {
    // Nobody asks native programs and DOS sessions whose files they use, nor where their root is.
    if !context.own().credentials.can(Capability::DacOverride) || context.own().root.is_some() {
        return Err(Errno::EACCES.into());
    }
    let path = &program.path[..];
    let cwd = context.own().cwd.path.clone();
    let block = native_arguments(&cwd, &program.argv, environment)?;
    let mut files: Vec<Description> = Vec::new();
    for number in 0..3 {
        files.push(context.file(number)?);
    }
    // It would read keys that are others': in the foreground it may begin.
    let line = Line::of_user(&files[0].borrow().object);
    if let Some(line) = line {
        check_background(context, line, signals::SIGTTIN)?;
    }
    let background = context.unix.is_background(context.pid, Line::Console);
    let streams = [0, 1, 2].map(|index: usize| hand_over(context, &files[index], background));
    let has_keys = matches!(streams[0], Handed::Stream(_));
    let badges = streams.into_iter().filter_map(|stream| match stream {
        Handed::File(badge) => Some(badge),
        Handed::Stream(_) => None,
    });
    let native = match context.unix.servers.spawn(streams, &block) {
        Ok(native) => native,
        Err(errno) => {
            for badge in badges {
                context.unix.exported.remove(&badge);
            }
            return Err(errno.into());
        }
    };
    let process = context.process();
    process.native = Some(native);
    process.has_keys = has_keys;
    process.exported = badges.collect();
    process.name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(&[]).to_vec();
    *process.command_line = [path, &[0]].concat();
    *process.executable = path.to_vec();
    process.has_executed = true;
    process.descriptors.clear();
    let pid = context.pid;
    context.unix.locks.release_process(pid);
    give_memory_back(context);
    let threads = core::mem::take(&mut context.process().threads);
    for number in threads {
        context.unix.leave_memory(number);
        context.unix.remove_thread(number);
    }
    context.process().mm = None;
    Err(Stop::Gone)
}

/// Returns an open file as the standard stream of a native program: the terminal itself, which
/// the program then controls, where it is in the foreground.
fn hand_over(context: &mut Context<'_>, file: &Description, background: bool) -> Handed {
    match &file.borrow().object {
        Object::Stream(stream) if stream.is_terminal() && !background => {
            Handed::Stream(stream.endpoint())
        }
        Object::Stream(_)
        | Object::File(_)
        | Object::Directory(_)
        | Object::Pipe(_)
        | Object::Pty(_)
        | Object::Device(..)
        | Object::Numbered(_)
        | Object::Text(..) => Handed::File(context.unix.export(file.clone())),
    }
}

/// exit(2)
pub fn exit(context: &mut Context<'_>) -> Result<u64, Stop> {
    let code = context.words[0] as u8;
    context.unix.end_thread(context.number, Ending::Code(code));
    Err(Stop::Gone)
}

/// exit_group(2)
pub fn exit_group(context: &mut Context<'_>) -> Result<u64, Stop> {
    let code = context.words[0] as u8;
    context.unix.end_process(context.pid, Ending::Code(code));
    Err(Stop::Gone)
}
