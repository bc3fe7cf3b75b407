//! What a process has set for itself and hands on to its children.
//!
//! Plain numbers: they are copied at fork, and `exec` resets what Linux resets (prctl(2),
//! execve(2)). On Linux most of them belong to a thread; here all threads of a process share them.

/// How a process wants to be scheduled (sched(7)); kept and told, the kernel's priorities stay.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Policy {
    /// `SCHED_OTHER`.
    #[default]
    Other = 0,
    /// `SCHED_BATCH`.
    Batch = 3,
    /// `SCHED_IDLE`.
    Idle = 5,
}

/// What a process has set for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Its nice value, from -20 to 19.
    pub nice: i8,
    /// Its scheduling policy.
    pub policy: Policy,
    /// Whether its children begin with the ordinary policy (`SCHED_RESET_ON_FORK`).
    pub resets_on_fork: bool,
    /// Its I/O class and priority (ioprio_set(2)); 0: none.
    pub io_priority: u16,
    /// Its execution domain (personality(2)).
    pub personality: u32,
    /// Whether exec gives it no more rights than it has (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privileges: bool,
    /// Whether orphans below it become its children (`PR_SET_CHILD_SUBREAPER`); not handed on.
    pub adopts_orphans: bool,
    /// The signal that it gets when its parent ends (`PR_SET_PDEATHSIG`); not handed on.
    pub parent_death_signal: u8,
    /// Whether its memory may be looked at (`PR_SET_DUMPABLE`).
    pub is_dumpable: bool,
    /// How much later than asked it may be woken, in ns (`PR_SET_TIMERSLACK`).
    pub timer_slack: u64,
    /// Its badness for whoever looks for memory, from -1000 to 1000 (`oom_score_adj`).
    pub oom_score_adjustment: i16,
}

/// Timer slack of the first process, in ns (prctl(2), `PR_SET_TIMERSLACK`).
pub const TIMER_SLACK: u64 = 50_000;

impl Default for Settings {
    fn default() -> Self {
        Settings {
            nice: 0,
            policy: Policy::Other,
            resets_on_fork: false,
            io_priority: 0,
            personality: 0,
            no_new_privileges: false,
            adopts_orphans: false,
            parent_death_signal: 0,
            is_dumpable: true,
            timer_slack: TIMER_SLACK,
            oom_score_adjustment: 0,
        }
    }
}

impl Settings {
    /// Returns what a child begins with.
    pub fn of_child(&self) -> Settings {
        let mut child = Settings { adopts_orphans: false, parent_death_signal: 0, ..*self };
        if self.resets_on_fork {
            child.policy = Policy::Other;
            child.nice = child.nice.max(0);
            child.resets_on_fork = false;
        }
        child
    }
}
