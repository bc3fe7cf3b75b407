//! Linux' calls as the C library has them, and the tick counter: the program's unsafe code.
//!
//! Not the standard library's functions, which do more than the call (paths are copied, interrupted
//! calls made again), and have no fork. Errors are texts for the line that tells of a missing row.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// What can fail, with a text.
pub type Fallible<T> = Result<T, String>;

/// Opens for reading.
pub const READ: c_int = libc::O_RDONLY;
/// Opens for writing.
pub const WRITE: c_int = libc::O_WRONLY;
/// Opens for both, and makes the file if need be.
pub const CREATE: c_int = libc::O_RDWR | libc::O_CREAT;

/// An open descriptor; dropping it closes it.
pub struct Fd(c_int);

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: close takes any number; this one is nobody else's.
        unsafe { libc::close(self.0) };
    }
}

/// Returns a call's value, or the error that errno tells.
fn checked<T: PartialOrd + Default>(what: &str, value: T) -> Fallible<T> {
    if value < T::default() {
        return Err(format!("{what}: {}", std::io::Error::last_os_error()));
    }
    Ok(value)
}

/// Returns the time-stamp counter.
pub fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux and Kamen let programs use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Returns whether this is the first process, which has the machine for itself.
pub fn is_first_process() -> bool {
    std::process::id() == 1
}

/// Restarts the machine, after what was written is out.
pub fn restart_machine() {
    // SAFETY: both take any numbers.
    unsafe {
        libc::tcdrain(1);
        libc::reboot(libc::RB_AUTOBOOT);
    }
}

/// getppid(2)
pub fn getppid() -> i32 {
    // SAFETY: it has no obligations.
    unsafe { libc::getppid() }
}

/// open(2), with permissions for the owner.
pub fn open(path: &CStr, flags: c_int) -> Fallible<Fd> {
    // SAFETY: the path ends with NUL.
    checked("open", unsafe { libc::open(path.as_ptr(), flags, 0o600) }).map(Fd)
}

/// Returns a file's size, by stat(2).
pub fn size(path: &CStr) -> Fallible<usize> {
    let mut buffer = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path ends with NUL, the buffer is of the structure's size.
    checked("stat", unsafe { libc::stat(path.as_ptr(), buffer.as_mut_ptr()) })?;
    // SAFETY: stat succeeded, so that it filled the buffer.
    Ok(unsafe { buffer.assume_init() }.st_size as usize)
}

/// read(2)
pub fn read(fd: &Fd, into: &mut [u8]) -> Fallible<usize> {
    // SAFETY: the buffer is as long as is said.
    let count = unsafe { libc::read(fd.0, into.as_mut_ptr().cast(), into.len()) };
    checked("read", count).map(|count| count as usize)
}

/// write(2)
pub fn write(fd: &Fd, bytes: &[u8]) -> Fallible<usize> {
    // SAFETY: the buffer is as long as is said.
    let count = unsafe { libc::write(fd.0, bytes.as_ptr().cast(), bytes.len()) };
    checked("write", count).map(|count| count as usize)
}

/// pread(2)
pub fn pread(fd: &Fd, into: &mut [u8], at: usize) -> Fallible<usize> {
    let len = into.len();
    // SAFETY: the buffer is as long as is said.
    let count = unsafe { libc::pread(fd.0, into.as_mut_ptr().cast(), len, at as libc::off_t) };
    checked("pread", count).map(|count| count as usize)
}

/// lseek(2) to the beginning.
pub fn rewind(fd: &Fd) -> Fallible<()> {
    // SAFETY: it takes any numbers.
    checked("lseek", unsafe { libc::lseek(fd.0, 0, libc::SEEK_SET) }).map(drop)
}

/// pipe(2): the end to read, and the one to write.
pub fn pipe() -> Fallible<(Fd, Fd)> {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    checked("pipe", unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    Ok((Fd(ends[0]), Fd(ends[1])))
}

/// socketpair(2): two connected stream sockets.
pub fn socketpair() -> Fallible<(Fd, Fd)> {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    let made = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, ends.as_mut_ptr()) };
    checked("socketpair", made)?;
    Ok((Fd(ends[0]), Fd(ends[1])))
}

/// fork(2): nothing in the child, its number in the parent.
pub fn fork() -> Fallible<Option<i32>> {
    // SAFETY: the children here only make calls of this file before they exit or execute.
    let child = checked("fork", unsafe { libc::fork() })?;
    Ok((child != 0).then_some(child))
}

/// _exit(2), with 0.
pub fn exit() -> ! {
    // SAFETY: it has no obligations.
    unsafe { libc::_exit(0) }
}

/// Waits for a child that is to exit with 0.
pub fn wait(child: i32) -> Fallible<()> {
    let mut status = 0;
    // SAFETY: there is room for the status.
    checked("waitpid", unsafe { libc::waitpid(child, &mut status, 0) })?;
    if status == 0 { Ok(()) } else { Err(format!("a child ended with status {status:#x}")) }
}

/// Executes this program with one argument, or exits with 1.
pub fn execute_self(argument: &CStr) -> ! {
    // SAFETY: the kernel's string with the path by which this program was executed.
    let path = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const c_char;
    let arguments = [path, argument.as_ptr(), ptr::null()];
    let environment = [ptr::null()];
    // SAFETY: the path ends with NUL, both arrays with a null pointer.
    unsafe {
        libc::execve(path, arguments.as_ptr(), environment.as_ptr());
        libc::_exit(1)
    }
}

/// Maps anonymous memory, writes to it, unmaps it.
pub fn map_touch_unmap(len: usize) -> Fallible<()> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses a place where nothing is.
    let at = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return checked("mmap", -1).map(drop);
    }
    // SAFETY: what was mapped may be written, and is nobody else's.
    checked("munmap", unsafe {
        at.cast::<u8>().write_volatile(1);
        libc::munmap(at, len)
    })
    .map(drop)
}

/// Returns what polls a descriptor for bytes to read.
pub fn polled(fd: &Fd) -> libc::pollfd {
    libc::pollfd { fd: fd.0, events: libc::POLLIN, revents: 0 }
}

/// poll(2) without waiting.
pub fn poll(polled: &mut [libc::pollfd]) -> Fallible<usize> {
    // SAFETY: the array is as long as is said.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, 0) };
    checked("poll", ready).map(|ready| ready as usize)
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Has SIGUSR1 counted.
pub fn handle_signal() -> Fallible<()> {
    let handler = count as extern "C" fn(c_int);
    // SAFETY: the handler does what handlers may: it changes an atomic.
    let before = unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    if before == libc::SIG_ERR { checked("signal", -1).map(drop) } else { Ok(()) }
}

/// Sends SIGUSR1 to this process, whose number is given.
pub fn signal_self(own: i32) -> Fallible<()> {
    // SAFETY: it has no obligations; the signal is handled.
    checked("kill", unsafe { libc::kill(own, libc::SIGUSR1) }).map(drop)
}

/// Returns how many signals were handled.
pub fn handled() -> u32 {
    HANDLED.load(Ordering::Relaxed)
}

/// Operations on words of this process alone (Linux futex(2)).
const WAIT: c_int = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
const WAKE: c_int = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;

/// Waits while a word has a value; it may also come back for no reason.
pub fn futex_wait(word: &AtomicU32, value: u32) {
    let none = ptr::null::<libc::timespec>();
    // SAFETY: the word lives while this waits. Another value by now is no error.
    unsafe { libc::syscall(libc::SYS_futex, word, WAIT, value, none) };
}

/// Wakes one that waits for a word.
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: the kernel takes the address as a name only.
    unsafe { libc::syscall(libc::SYS_futex, word, WAKE, 1) };
}
