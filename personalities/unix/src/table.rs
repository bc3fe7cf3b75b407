//! The table of system calls: number, name, handler, how complete.
//!
//! Everything that knows which calls there are reads this table: dispatch, the documentation
//! ([`document`]), the tests. Numbers: asm/unistd_64.h of Linux 6.1.

mod flags;
mod keeps;
mod refused;

use alloc::string::String;

use crate::calls;
use crate::context::{Context, Stop};
use crate::process::{Process, Thread};

pub use flags::flags;
pub use keeps::{Keeps, keeps};
pub use refused::{Refusal, refusal};

/// Does a system call.
pub type Act = fn(&mut Context<'_>) -> Result<u64, Stop>;

/// Says a value of the caller's.
pub type Look = fn(&Thread, &Process) -> u64;

/// What handles a system call.
#[derive(Clone, Copy, Debug)]
pub enum Handler {
    /// May change anything, fail and wait.
    Acts(Act),
    /// Only looks at its caller. As it changes nothing, nothing is to be done after it.
    Looks(Look),
}

impl Handler {
    /// Handles a call.
    ///
    /// # Errors
    /// Those of the call; or it waits.
    #[inline]
    pub fn run(self, context: &mut Context<'_>) -> Result<u64, Stop> {
        match self {
            Handler::Acts(act) => act(context),
            Handler::Looks(look) => Ok(look(context.own_thread(), context.own())),
        }
    }
}

/// How complete a system call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// It does what its manual page says, as far as what it acts on exists here.
    Done,
    /// Flags or cases are missing; what is refused says so by its errno.
    Partial,
    /// It has an answer that programs can live with, and no effect.
    Answered,
}

/// What happens to a waiting call when a signal handler has run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// It fails with EINTR (signal(7)).
    Never,
    /// It is made again where the handler was set up with SA_RESTART.
    IfAsked,
}

/// A system call.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// What handles it.
    pub handler: Handler,
    /// How complete it is.
    pub completeness: Completeness,
    /// What a signal does to it.
    pub restart: Restart,
}

impl Entry {
    const fn new(
        number: u32,
        name: &'static str,
        handler: Handler,
        completeness: Completeness,
    ) -> Entry {
        Entry { number, name, handler, completeness, restart: Restart::Never }
    }

    const fn restarted(self) -> Entry {
        Entry { restart: Restart::IfAsked, ..self }
    }
}

const fn done(number: u32, name: &'static str, act: Act) -> Entry {
    Entry::new(number, name, Handler::Acts(act), Completeness::Done)
}

const fn partial(number: u32, name: &'static str, act: Act) -> Entry {
    Entry::new(number, name, Handler::Acts(act), Completeness::Partial)
}

const fn answered(number: u32, name: &'static str, act: Act) -> Entry {
    Entry::new(number, name, Handler::Acts(act), Completeness::Answered)
}

const fn looks(number: u32, name: &'static str, look: Look) -> Entry {
    Entry::new(number, name, Handler::Looks(look), Completeness::Done)
}

/// All system calls in the order of their numbers.
#[rustfmt::skip]
pub static CALLS: &[Entry] = &[
    done(0, "read", calls::io::read).restarted(),
    done(1, "write", calls::io::write).restarted(),
    done(2, "open", calls::descriptors::open),
    done(3, "close", calls::descriptors::close),
    done(4, "stat", calls::attributes::stat),
    done(5, "fstat", calls::attributes::fstat),
    done(6, "lstat", calls::attributes::lstat),
    done(7, "poll", calls::poll::poll),
    done(8, "lseek", calls::io::lseek),
    done(9, "mmap", calls::memory::mmap),
    done(10, "mprotect", calls::memory::mprotect),
    done(11, "munmap", calls::memory::munmap),
    done(12, "brk", calls::memory::brk),
    done(13, "rt_sigaction", calls::signals::sigaction),
    done(14, "rt_sigprocmask", calls::signals::sigprocmask),
    done(15, "rt_sigreturn", calls::signals::sigreturn),
    partial(16, "ioctl", calls::terminal::ioctl).restarted(),
    done(17, "pread64", calls::io::pread).restarted(),
    done(18, "pwrite64", calls::io::pwrite).restarted(),
    done(19, "readv", calls::io::readv).restarted(),
    done(20, "writev", calls::io::writev).restarted(),
    done(21, "access", calls::attributes::access),
    done(22, "pipe", calls::descriptors::pipe),
    done(23, "select", calls::poll::select),
    done(24, "sched_yield", calls::time::sched_yield),
    done(25, "mremap", calls::memory::mremap),
    done(26, "msync", calls::memory::msync),
    partial(27, "mincore", calls::memory::mincore),
    done(28, "madvise", calls::memory::madvise),
    done(32, "dup", calls::descriptors::dup),
    done(33, "dup2", calls::descriptors::dup2),
    done(34, "pause", calls::signals::pause),
    done(35, "nanosleep", calls::time::nanosleep),
    done(36, "getitimer", calls::timers::getitimer),
    done(37, "alarm", calls::timers::alarm),
    done(38, "setitimer", calls::timers::setitimer),
    looks(39, "getpid", calls::identity::getpid),
    done(40, "sendfile", calls::io::sendfile).restarted(),
    done(41, "socket", calls::sockets::socket),
    done(42, "connect", calls::sockets::connect).restarted(),
    done(43, "accept", calls::sockets::accept).restarted(),
    done(44, "sendto", calls::sockets::messages::sendto).restarted(),
    done(45, "recvfrom", calls::sockets::messages::recvfrom).restarted(),
    done(46, "sendmsg", calls::sockets::messages::sendmsg).restarted(),
    done(47, "recvmsg", calls::sockets::messages::recvmsg).restarted(),
    done(48, "shutdown", calls::sockets::shutdown),
    done(49, "bind", calls::sockets::bind),
    done(50, "listen", calls::sockets::listen),
    done(51, "getsockname", calls::sockets::getsockname),
    done(52, "getpeername", calls::sockets::getpeername),
    done(53, "socketpair", calls::sockets::socketpair),
    partial(54, "setsockopt", calls::sockets::options::setsockopt),
    partial(55, "getsockopt", calls::sockets::options::getsockopt),
    partial(56, "clone", calls::processes::clone),
    done(57, "fork", calls::processes::fork),
    done(58, "vfork", calls::processes::vfork),
    done(59, "execve", calls::processes::execve),
    done(60, "exit", calls::processes::exit),
    done(61, "wait4", calls::wait::wait4).restarted(),
    done(62, "kill", calls::signals::kill),
    done(63, "uname", calls::system::uname),
    partial(72, "fcntl", calls::descriptors::fcntl).restarted(),
    done(73, "flock", calls::locks::flock).restarted(),
    done(74, "fsync", calls::io::fsync),
    done(75, "fdatasync", calls::io::fsync),
    done(76, "truncate", calls::attributes::truncate),
    done(77, "ftruncate", calls::space::ftruncate),
    done(78, "getdents", calls::directories::getdents),
    done(79, "getcwd", calls::directories::getcwd),
    done(80, "chdir", calls::directories::chdir),
    done(81, "fchdir", calls::directories::fchdir),
    done(82, "rename", calls::names::rename),
    done(83, "mkdir", calls::names::mkdir),
    done(84, "rmdir", calls::names::rmdir),
    done(85, "creat", calls::descriptors::creat),
    done(86, "link", calls::names::link),
    done(87, "unlink", calls::names::unlink),
    done(88, "symlink", calls::names::symlink),
    done(89, "readlink", calls::names::readlink),
    done(90, "chmod", calls::attributes::chmod),
    done(91, "fchmod", calls::attributes::fchmod),
    done(92, "chown", calls::attributes::chown),
    done(93, "fchown", calls::attributes::fchown),
    done(94, "lchown", calls::attributes::lchown),
    done(95, "umask", calls::attributes::umask),
    done(96, "gettimeofday", calls::time::gettimeofday),
    done(97, "getrlimit", calls::limits::getrlimit),
    partial(98, "getrusage", calls::time::getrusage),
    done(99, "sysinfo", calls::system::sysinfo),
    done(100, "times", calls::time::times),
    looks(102, "getuid", calls::identity::getuid),
    looks(104, "getgid", calls::identity::getgid),
    done(105, "setuid", calls::identity::setuid),
    done(106, "setgid", calls::identity::setgid),
    looks(107, "geteuid", calls::identity::geteuid),
    looks(108, "getegid", calls::identity::getegid),
    done(109, "setpgid", calls::identity::setpgid),
    looks(110, "getppid", calls::identity::getppid),
    looks(111, "getpgrp", calls::identity::getpgrp),
    done(112, "setsid", calls::identity::setsid),
    done(113, "setreuid", calls::identity::setreuid),
    done(114, "setregid", calls::identity::setregid),
    done(115, "getgroups", calls::identity::getgroups),
    done(116, "setgroups", calls::identity::setgroups),
    done(117, "setresuid", calls::identity::setresuid),
    done(118, "getresuid", calls::identity::getresuid),
    done(119, "setresgid", calls::identity::setresgid),
    done(120, "getresgid", calls::identity::getresgid),
    done(121, "getpgid", calls::identity::getpgid),
    done(122, "setfsuid", calls::identity::setfsuid),
    done(123, "setfsgid", calls::identity::setfsgid),
    done(124, "getsid", calls::identity::getsid),
    done(125, "capget", calls::capabilities::capget),
    done(126, "capset", calls::capabilities::capset),
    done(127, "rt_sigpending", calls::signals::sigpending),
    done(128, "rt_sigtimedwait", calls::signals::sigtimedwait),
    done(129, "rt_sigqueueinfo", calls::signals::sigqueueinfo),
    done(130, "rt_sigsuspend", calls::signals::sigsuspend),
    done(131, "sigaltstack", calls::signals::sigaltstack),
    done(132, "utime", calls::times::utime),
    partial(133, "mknod", calls::names::mknod),
    partial(135, "personality", calls::prctl::personality),
    done(137, "statfs", calls::attributes::statfs),
    done(138, "fstatfs", calls::attributes::fstatfs),
    done(140, "getpriority", calls::scheduling::getpriority),
    partial(141, "setpriority", calls::scheduling::setpriority),
    partial(142, "sched_setparam", calls::scheduling::setparam),
    done(143, "sched_getparam", calls::scheduling::getparam),
    partial(144, "sched_setscheduler", calls::scheduling::setscheduler),
    done(145, "sched_getscheduler", calls::scheduling::getscheduler),
    done(146, "sched_get_priority_max", calls::scheduling::priority_max),
    done(147, "sched_get_priority_min", calls::scheduling::priority_min),
    done(148, "sched_rr_get_interval", calls::scheduling::rr_interval),
    done(149, "mlock", calls::memory::mlock),
    done(150, "munlock", calls::memory::munlock),
    done(151, "mlockall", calls::memory::mlockall),
    done(152, "munlockall", calls::memory::munlockall),
    partial(157, "prctl", calls::prctl::prctl),
    done(158, "arch_prctl", calls::info::arch_prctl),
    partial(159, "adjtimex", calls::adjtimex::adjtimex),
    partial(160, "setrlimit", calls::limits::setrlimit),
    done(161, "chroot", calls::directories::chroot),
    done(162, "sync", calls::io::sync),
    done(164, "settimeofday", calls::time::settimeofday),
    partial(165, "mount", calls::system::mount),
    partial(166, "umount2", calls::system::umount),
    done(169, "reboot", calls::system::reboot),
    done(170, "sethostname", calls::system::sethostname),
    done(171, "setdomainname", calls::system::setdomainname),
    looks(186, "gettid", calls::identity::gettid),
    done(187, "readahead", calls::space::readahead),
    answered(188, "setxattr", calls::extended::of_path),
    answered(189, "lsetxattr", calls::extended::of_link),
    answered(190, "fsetxattr", calls::extended::of_file),
    answered(191, "getxattr", calls::extended::of_path),
    answered(192, "lgetxattr", calls::extended::of_link),
    answered(193, "fgetxattr", calls::extended::of_file),
    answered(194, "listxattr", calls::extended::list_path),
    answered(195, "llistxattr", calls::extended::list_link),
    answered(196, "flistxattr", calls::extended::list_file),
    answered(197, "removexattr", calls::extended::of_path),
    answered(198, "lremovexattr", calls::extended::of_link),
    answered(199, "fremovexattr", calls::extended::of_file),
    done(200, "tkill", calls::signals::tkill),
    done(201, "time", calls::time::time),
    partial(202, "futex", calls::futex::futex).restarted(),
    done(203, "sched_setaffinity", calls::scheduling::setaffinity),
    done(204, "sched_getaffinity", calls::scheduling::getaffinity),
    done(213, "epoll_create", calls::epoll::create),
    done(217, "getdents64", calls::directories::getdents64),
    done(218, "set_tid_address", calls::info::set_tid_address),
    done(221, "fadvise64", calls::space::fadvise),
    done(222, "timer_create", calls::timers::timer_create),
    done(223, "timer_settime", calls::timers::timer_settime),
    done(224, "timer_gettime", calls::timers::timer_gettime),
    done(225, "timer_getoverrun", calls::timers::timer_getoverrun),
    done(226, "timer_delete", calls::timers::timer_delete),
    done(227, "clock_settime", calls::time::clock_settime),
    done(228, "clock_gettime", calls::time::clock_gettime),
    done(229, "clock_getres", calls::time::clock_getres),
    done(230, "clock_nanosleep", calls::time::clock_nanosleep),
    done(231, "exit_group", calls::processes::exit_group),
    done(232, "epoll_wait", calls::epoll::epoll_wait),
    done(233, "epoll_ctl", calls::epoll::ctl),
    done(234, "tgkill", calls::signals::tgkill),
    done(235, "utimes", calls::times::utimes),
    done(247, "waitid", calls::wait::waitid).restarted(),
    partial(251, "ioprio_set", calls::scheduling::ioprio_set),
    done(252, "ioprio_get", calls::scheduling::ioprio_get),
    answered(253, "inotify_init", calls::events::inotify_init),
    done(257, "openat", calls::descriptors::openat),
    done(258, "mkdirat", calls::names::mkdirat),
    partial(259, "mknodat", calls::names::mknodat),
    done(260, "fchownat", calls::attributes::fchownat),
    done(261, "futimesat", calls::times::futimesat),
    done(262, "newfstatat", calls::attributes::newfstatat),
    done(263, "unlinkat", calls::names::unlinkat),
    done(264, "renameat", calls::names::renameat),
    done(265, "linkat", calls::names::linkat),
    done(266, "symlinkat", calls::names::symlinkat),
    done(267, "readlinkat", calls::names::readlinkat),
    done(268, "fchmodat", calls::attributes::fchmodat),
    done(269, "faccessat", calls::attributes::faccessat),
    partial(270, "pselect6", calls::poll::pselect6),
    done(271, "ppoll", calls::poll::ppoll),
    partial(272, "unshare", calls::system::unshare),
    done(273, "set_robust_list", calls::futex::set_robust_list),
    done(274, "get_robust_list", calls::futex::get_robust_list),
    done(275, "splice", calls::splice::splice).restarted(),
    done(276, "tee", calls::splice::tee).restarted(),
    done(277, "sync_file_range", calls::space::sync_file_range),
    done(278, "vmsplice", calls::splice::vmsplice).restarted(),
    done(280, "utimensat", calls::times::utimensat),
    done(281, "epoll_pwait", calls::epoll::epoll_pwait),
    done(282, "signalfd", calls::events::signalfd),
    done(283, "timerfd_create", calls::events::timerfd_create),
    done(284, "eventfd", calls::events::eventfd),
    partial(285, "fallocate", calls::space::fallocate),
    done(286, "timerfd_settime", calls::events::timerfd_settime),
    done(287, "timerfd_gettime", calls::events::timerfd_gettime),
    done(288, "accept4", calls::sockets::accept4).restarted(),
    done(289, "signalfd4", calls::events::signalfd4),
    done(290, "eventfd2", calls::events::eventfd2),
    done(291, "epoll_create1", calls::epoll::create1),
    done(292, "dup3", calls::descriptors::dup3),
    done(293, "pipe2", calls::descriptors::pipe2),
    answered(294, "inotify_init1", calls::events::inotify_init),
    done(295, "preadv", calls::io::preadv).restarted(),
    done(296, "pwritev", calls::io::pwritev).restarted(),
    done(297, "rt_tgsigqueueinfo", calls::signals::tgsigqueueinfo),
    done(299, "recvmmsg", calls::sockets::messages::recvmmsg).restarted(),
    partial(302, "prlimit64", calls::limits::prlimit64),
    partial(305, "clock_adjtime", calls::adjtimex::clock_adjtime),
    done(306, "syncfs", calls::io::fsync),
    partial(307, "sendmmsg", calls::sockets::messages::sendmmsg).restarted(),
    partial(308, "setns", calls::system::setns),
    done(309, "getcpu", calls::info::getcpu),
    partial(314, "sched_setattr", calls::scheduling::setattr),
    done(315, "sched_getattr", calls::scheduling::getattr),
    partial(316, "renameat2", calls::names::renameat2),
    done(318, "getrandom", calls::system::getrandom),
    partial(319, "memfd_create", calls::memfd::memfd_create),
    done(322, "execveat", calls::execveat::execveat),
    partial(324, "membarrier", calls::membarrier::membarrier),
    done(325, "mlock2", calls::memory::mlock2),
    partial(326, "copy_file_range", calls::space::copy_file_range),
    partial(327, "preadv2", calls::io::preadv2).restarted(),
    partial(328, "pwritev2", calls::io::pwritev2).restarted(),
    done(332, "statx", calls::attributes::statx),
    answered(334, "rseq", calls::info::absent),
    done(424, "pidfd_send_signal", calls::pidfd::pidfd_send_signal),
    done(434, "pidfd_open", calls::pidfd::pidfd_open),
    partial(435, "clone3", calls::processes::clone3),
    done(436, "close_range", calls::descriptors::close_range),
    done(437, "openat2", calls::openat2::openat2),
    done(438, "pidfd_getfd", calls::pidfd::pidfd_getfd),
    done(439, "faccessat2", calls::attributes::faccessat2),
    done(441, "epoll_pwait2", calls::epoll::epoll_pwait2),
];

/// One more than the highest number.
const NUMBERS: usize = 512;
/// No entry.
const NONE: u16 = u16::MAX;

/// Where each number's entry is.
static INDEX: [u16; NUMBERS] = {
    let mut index = [NONE; NUMBERS];
    let mut at = 0;
    while at < CALLS.len() {
        index[CALLS[at].number as usize] = at as u16;
        at += 1;
    }
    index
};

/// Returns the entry of a number.
pub fn find(number: u32) -> Option<&'static Entry> {
    CALLS.get(usize::from(*INDEX.get(number as usize)?))
}

/// Returns the table as a page of documentation (Markdown).
pub fn document() -> String {
    let mut page = String::from(
        "# System calls of the UNIX personality\n\nGenerated from its table; `done`: as its manual \
         page says, `partial`: flags or cases are missing, `answered`: an answer without effect; \
         others are refused with an error, as a Linux built without them does.\n\n\
         | number | name | state | flags served | flags refused |\n|---:|---|---|---|---|\n",
    );
    for number in 0..NUMBERS as u32 {
        let Some(name) = kamen_kit::linux::system_call(number) else { continue };
        let state = match (find(number).map(|entry| entry.completeness), refusal(number)) {
            (Some(Completeness::Done), _) => String::from("done"),
            (Some(Completeness::Partial), _) => String::from("partial"),
            (Some(Completeness::Answered), _) => String::from("answered"),
            (None, Some(Refusal { errno, reason, .. })) => alloc::format!("{errno:?}, {reason}"),
            (None, None) => continue,
        };
        let (served, refused) = flags(name);
        page += &alloc::format!("| {number} | {name} | {state} | {served} | {refused} |\n");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_names_are_unique() {
        assert!(CALLS.windows(2).all(|pair| pair[0].number < pair[1].number));
        let names: alloc::collections::BTreeSet<_> = CALLS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), CALLS.len());
    }

    #[test]
    fn every_number_finds_its_entry() {
        for entry in CALLS {
            assert_eq!(find(entry.number).map(|found| found.name), Some(entry.name));
        }
        assert!(find(500).is_none() && find(u32::MAX).is_none());
    }

    #[test]
    fn every_number_of_linux_is_served_or_refused() {
        for number in (0..=334).chain(424..=450) {
            assert!(find(number).is_some() || refusal(number).is_some(), "{number}");
        }
    }

    #[test]
    fn traces_call_them_by_the_same_names() {
        for entry in CALLS {
            assert_eq!(kamen_kit::linux::system_call(entry.number), Some(entry.name));
        }
    }

    #[test]
    fn documentation_is_the_table() {
        extern crate std;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/SYSCALLS.md");
        if std::env::var_os("KAMEN_UPDATE").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written == document(), "run: KAMEN_UPDATE=1 cargo test -p kamen-unix table");
    }
}
