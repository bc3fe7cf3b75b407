//! The nodes of `/proc` and `/sys`: what they are called, what kind they are, whose they are.

use protocols::file::mode;

use crate::proc::tree;
use crate::process::Pid;

/// A node of `/proc`, `/sys` or `/dev/pts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// `/proc`.
    Root,
    /// A file that is not about one process.
    Global(Global),
    /// A link in `/proc` itself.
    Link(Link),
    /// A node of the fixed tree, by its place in the list of its nodes.
    Fixed(u16),
    /// `/proc/PID`.
    Process(Pid),
    /// A file about a process.
    File(Pid, About),
    /// A link about a process.
    ProcessLink(Pid, ProcessLink),
    /// `/proc/PID/task`.
    Tasks(Pid),
    /// `/proc/PID/task/TID`.
    Task(Pid, Pid),
    /// A file about a thread.
    TaskFile(Pid, Pid, About),
    /// `/proc/PID/fd`.
    Descriptors(Pid),
    /// `/proc/PID/fd/N`.
    Descriptor(Pid, u32),
    /// `/proc/PID/fdinfo`.
    Infos(Pid),
    /// `/proc/PID/fdinfo/N`.
    Info(Pid, u32),
    /// `/dev/pts`.
    Terminals,
    /// `/dev/pts/N`.
    Terminal(u32),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $($variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[expect(missing_docs, reason = "each is named after its file")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// All of them with their names.
            pub const ALL: &[($name, &'static [u8])] = &[$(($name::$variant, $text),)*];

            /// Returns the one of a name.
            pub fn find(name: &[u8]) -> Option<Self> {
                Self::ALL.iter().find(|(_, text)| *text == name).map(|(value, _)| *value)
            }
        }
    };
}

names! {
    /// Files in `/proc` itself (proc(5)).
    Global:
    CommandLine = b"cmdline",
    CpuInfo = b"cpuinfo",
    Devices = b"devices",
    FileSystems = b"filesystems",
    Kamen = b"kamen",
    LoadAverage = b"loadavg",
    MemInfo = b"meminfo",
    Partitions = b"partitions",
    Stat = b"stat",
    Swaps = b"swaps",
    Uptime = b"uptime",
    Version = b"version",
    VmStat = b"vmstat",
}

names! {
    /// Links in `/proc` itself.
    Link:
    Own = b"self",
    OwnThread = b"thread-self",
    Mounts = b"mounts",
}

names! {
    /// Files in `/proc/PID`.
    About:
    Auxiliary = b"auxv",
    CommandLine = b"cmdline",
    Name = b"comm",
    Environment = b"environ",
    Limits = b"limits",
    Maps = b"maps",
    MountInfo = b"mountinfo",
    Mounts = b"mounts",
    OomAdjustment = b"oom_score_adj",
    OomScore = b"oom_score",
    Personality = b"personality",
    Stat = b"stat",
    StatM = b"statm",
    Status = b"status",
}

names! {
    /// Links in `/proc/PID`.
    ProcessLink:
    Executable = b"exe",
    Cwd = b"cwd",
    Root = b"root",
}

names! {
    /// Directories in `/proc/PID`.
    Folder:
    Descriptors = b"fd",
    Infos = b"fdinfo",
    Tasks = b"task",
}

impl Folder {
    /// Returns the node of a process's directory.
    pub fn of(self, pid: Pid) -> Entry {
        match self {
            Folder::Descriptors => Entry::Descriptors(pid),
            Folder::Infos => Entry::Infos(pid),
            Folder::Tasks => Entry::Tasks(pid),
        }
    }
}

impl About {
    /// Returns whether it tells of the program's memory, which is that of the time it was opened
    /// (`proc_mem_open`, fs/proc/base.c).
    pub fn is_of_memory(self) -> bool {
        matches!(self, About::Auxiliary | About::Environment | About::Maps)
    }

    fn permissions(self) -> u32 {
        match self {
            About::Auxiliary | About::Environment | About::Personality => 0o400,
            About::Name | About::OomAdjustment => 0o644,
            _ => 0o444,
        }
    }
}

impl Entry {
    /// Returns a number for the node that no node of a file server has:
    ///
    /// ```text
    ///   31 | 30 … 16 | 15 … 12 | 11 … 0
    ///    1 | number  | kind    | file or descriptor
    /// ```
    pub fn number(self) -> u64 {
        let (kind, pid, index) = match self {
            Entry::Root => (0, 0, 1),
            Entry::Global(global) => (0, 0, 0x10 + global as u64),
            Entry::Link(link) => (0, 0, 0x80 + link as u64),
            Entry::Fixed(place) => (1, 0, u64::from(place)),
            Entry::Process(pid) => (2, pid.0, 0),
            Entry::File(pid, about) => (2, pid.0, 0x10 + about as u64),
            Entry::ProcessLink(pid, link) => (2, pid.0, 0x80 + link as u64),
            Entry::Tasks(pid) => (2, pid.0, 1),
            Entry::Descriptors(pid) => (2, pid.0, 2),
            Entry::Infos(pid) => (2, pid.0, 3),
            Entry::Task(_, tid) => (3, tid.0, 0),
            Entry::TaskFile(_, tid, about) => (3, tid.0, 0x10 + about as u64),
            Entry::Descriptor(pid, number) => (4, pid.0, u64::from(number)),
            Entry::Info(pid, number) => (5, pid.0, u64::from(number)),
            Entry::Terminals => (0, 0, 2),
            Entry::Terminal(number) => (6, 0, u64::from(number)),
        };
        0x8000_0000 | u64::from(pid) << 16 & 0x7fff_0000 | kind << 12 | index & 0xfff
    }

    /// Returns type and permission bits.
    pub fn mode(self) -> u32 {
        match self {
            Entry::Root | Entry::Process(_) | Entry::Tasks(_) | Entry::Task(..) => {
                mode::DIRECTORY | 0o555
            }
            Entry::Descriptors(_) | Entry::Infos(_) => mode::DIRECTORY | 0o500,
            Entry::Terminals => mode::DIRECTORY | 0o755,
            // As Debian mounts devpts (mode=620,gid=5).
            Entry::Terminal(_) => mode::CHARACTER | 0o620,
            // It takes a while to make, and is about everybody.
            Entry::Global(Global::Kamen) => mode::FILE | 0o400,
            Entry::Global(_) => mode::FILE | 0o444,
            Entry::Info(..) => mode::FILE | 0o400,
            Entry::File(_, about) | Entry::TaskFile(_, _, about) => {
                mode::FILE | about.permissions()
            }
            Entry::Fixed(place) => tree::mode(place),
            Entry::Link(_) | Entry::ProcessLink(..) | Entry::Descriptor(..) => {
                mode::SYMLINK | 0o777
            }
        }
    }

    /// Returns the process that the node is about.
    pub fn process(self) -> Option<Pid> {
        match self {
            Entry::Root
            | Entry::Global(_)
            | Entry::Link(_)
            | Entry::Fixed(_)
            | Entry::Terminals
            | Entry::Terminal(_) => None,
            Entry::Process(pid)
            | Entry::File(pid, _)
            | Entry::ProcessLink(pid, _)
            | Entry::Tasks(pid)
            | Entry::Task(pid, _)
            | Entry::TaskFile(pid, ..)
            | Entry::Descriptors(pid)
            | Entry::Descriptor(pid, _)
            | Entry::Infos(pid)
            | Entry::Info(pid, _) => Some(pid),
        }
    }

    /// Returns what the node, a file about a process or a thread, tells.
    pub fn about(self) -> Option<About> {
        match self {
            Entry::File(_, about) | Entry::TaskFile(_, _, about) => Some(about),
            _ => None,
        }
    }

    /// Returns the directory that the node is in; nothing where that is the file server's.
    pub fn parent(self) -> Option<Entry> {
        match self {
            Entry::Root | Entry::Terminals => None,
            Entry::Terminal(_) => Some(Entry::Terminals),
            Entry::Global(_) | Entry::Link(_) | Entry::Process(_) => Some(Entry::Root),
            Entry::Fixed(place) => tree::parent(place),
            Entry::File(pid, _)
            | Entry::ProcessLink(pid, _)
            | Entry::Tasks(pid)
            | Entry::Descriptors(pid)
            | Entry::Infos(pid) => Some(Entry::Process(pid)),
            Entry::Task(pid, _) => Some(Entry::Tasks(pid)),
            Entry::TaskFile(pid, tid, _) => Some(Entry::Task(pid, tid)),
            Entry::Descriptor(pid, _) => Some(Entry::Descriptors(pid)),
            Entry::Info(pid, _) => Some(Entry::Infos(pid)),
        }
    }
}
