//! System calls of Linux that are refused here, each as a Linux built without it refuses it.
//!
//! What [`super::CALLS`] serves comes first; a number that neither has, but Linux knows, is one
//! that is not served yet. Configuration names are those of Linux 6.1 (kernel/sys_ni.c).

use crate::Errno;

/// A group of calls that are refused for one reason.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// What they fail with.
    pub errno: Errno,
    /// Why.
    pub reason: &'static str,
    calls: &'static [u32],
}

const fn without(reason: &'static str, calls: &'static [u32]) -> Refusal {
    Refusal { errno: Errno::ENOSYS, reason, calls }
}

const fn forbidden(reason: &'static str, calls: &'static [u32]) -> Refusal {
    Refusal { errno: Errno::EPERM, reason, calls }
}

/// The groups.
static REFUSED: &[Refusal] = &[
    without("as without CONFIG_SYSVIPC", &[29, 30, 31, 64, 65, 66, 67, 68, 69, 70, 71, 220]),
    without("as without CONFIG_POSIX_MQUEUE", &[240, 241, 242, 243, 244, 245]),
    without("as without CONFIG_AIO", &[206, 207, 208, 209, 210, 333]),
    without("as without CONFIG_IO_URING", &[425, 426, 427]),
    without("as without CONFIG_KEYS", &[248, 249, 250]),
    without("as without CONFIG_INOTIFY_USER", &[253, 254, 255, 294]),
    without("as without CONFIG_FANOTIFY", &[300, 301]),
    without("as without CONFIG_NUMA", &[237, 238, 239, 256, 279, 450]),
    without("as without CONFIG_MODULES", &[175, 176, 313]),
    without("as without CONFIG_KEXEC", &[246, 320]),
    without("as without CONFIG_SWAP", &[167, 168]),
    without("as without CONFIG_BSD_PROCESS_ACCT", &[163]),
    without("as without CONFIG_QUOTACTL", &[179, 443]),
    without("as without CONFIG_PRINTK", &[103]),
    without("as without CONFIG_CROSS_MEMORY_ATTACH", &[310, 311]),
    without("as without CONFIG_KCMP", &[312]),
    without("as without CONFIG_BPF_SYSCALL", &[321]),
    without("as without CONFIG_SECCOMP", &[317]),
    without("as without CONFIG_PERF_EVENTS", &[298]),
    without("as without CONFIG_USERFAULTFD", &[323]),
    without("as without CONFIG_SECURITY_LANDLOCK", &[444, 445, 446]),
    without("as without CONFIG_SECRETMEM", &[447]),
    without("as without CONFIG_FHANDLE", &[303, 304]),
    without("as without CONFIG_PROFILING", &[212]),
    without("as without CONFIG_X86_IOPL_IOPERM", &[172, 173]),
    without("as without CONFIG_MODIFY_LDT_SYSCALL", &[154]),
    without("as without CONFIG_ARCH_HAS_PKEYS", &[329, 330, 331]),
    without("as without CONFIG_ADVISE_SYSCALLS", &[440]),
    without("as without CONFIG_MMU", &[448]),
    without("as without CONFIG_SYSFS_SYSCALL", &[139]),
    without("as without CONFIG_USELIB", &[134]),
    without(
        "in no Linux of today",
        &[156, 174, 177, 178, 180, 181, 182, 183, 184, 185, 205, 211, 214, 215, 236],
    ),
    forbidden("nobody has CAP_SYS_PTRACE", &[101]),
    forbidden("nobody has CAP_SYS_ADMIN", &[155, 428, 429, 430, 431, 432, 433, 442]),
    forbidden("nobody has CAP_SYS_TTY_CONFIG", &[153]),
];

/// What is known of Linux and neither served nor decided against.
static NOT_YET: Refusal = without("not served yet", &[]);

/// Returns how a call is refused that Linux has; nothing for numbers that Linux lacks too.
pub fn refusal(number: u32) -> Option<&'static Refusal> {
    kamen_kit::linux::system_call(number)?;
    let found = REFUSED.iter().find(|group| group.calls.contains(&number));
    Some(found.unwrap_or(&NOT_YET))
}

#[cfg(test)]
mod tests {
    use super::{REFUSED, refusal};
    use crate::Errno;

    #[test]
    fn each_number_is_in_one_group_and_exists() {
        let all: alloc::vec::Vec<u32> = REFUSED.iter().flat_map(|one| one.calls).copied().collect();
        let once: alloc::collections::BTreeSet<u32> = all.iter().copied().collect();
        assert_eq!(all.len(), once.len());
        assert!(all.iter().all(|&number| kamen_kit::linux::system_call(number).is_some()));
    }

    #[test]
    fn what_linux_lacks_is_not_refused_but_unknown() {
        assert!(refusal(335).is_none() && refusal(423).is_none() && refusal(451).is_none());
        assert_eq!(refusal(29).map(|one| one.errno), Some(Errno::ENOSYS));
        assert_eq!(refusal(153).map(|one| one.errno), Some(Errno::EPERM));
    }
}
