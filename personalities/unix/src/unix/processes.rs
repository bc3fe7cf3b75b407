//! Making processes: the first of a session, and forks.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::Registers;

use crate::Errno;
use crate::credentials::Credentials;
use crate::kept::{Marked, Row};
use crate::linux::signals;
use crate::memory::Mm;
use crate::open::{Description, Descriptors, Object, OpenFile, Slot};
use crate::path::{Directory, Last, VNode, walk};
use crate::proc::View;
use crate::process::{
    AltStack, Client, Life, Limits, MAX_PROCESSES, MAX_THREADS, Pid, Process, Resource, RunTime,
    Settings, State, Thread, ThreadNumber, Trap, UNLIMITED,
};
use crate::signal::{Actions, Pending, SignalSet};
use crate::unix::Unix;

/// A program to be started as the first process of a session.
#[derive(Debug)]
pub struct Launch {
    /// Its working directory.
    pub cwd: Vec<u8>,
    /// Its arguments; the first is the program's path, or a name to look for in /bin.
    pub arguments: Vec<Vec<u8>>,
    /// Its environment.
    pub environment: Vec<Vec<u8>>,
    /// Its standard streams.
    pub streams: [Object; 3],
    /// Who is told of its end.
    pub client: Client,
}

impl Unix {
    /// Starts a program as the first process of a session.
    ///
    /// # Errors
    /// ENOENT, EACCES, ENOEXEC, ELIBBAD, ENOMEM: as execve(2).
    pub fn launch(&mut self, launch: Launch) -> Result<Pid, Errno> {
        let pid = self.new_pid()?;
        let cwd = self.directory(pid, &launch.cwd)?;
        let row = self.processes.new_row()?;
        let descriptors = Descriptors::new(self.kept, row);
        let process = first_process(pid, row, descriptors, cwd, self.machine.now());
        self.processes.insert(pid, process);
        match self.start_first(pid, &launch) {
            Ok(()) => Ok(pid),
            Err(errno) => {
                self.processes.remove(&pid);
                self.trash.empty(&mut *self.machine);
                Err(errno)
            }
        }
    }

    fn start_first(&mut self, pid: Pid, launch: &Launch) -> Result<(), Errno> {
        let files = self.standard_files(&launch.streams)?;
        let process = self.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        process.client = Some(launch.client);
        for (number, file) in (0..).zip(files) {
            process.descriptors.put(number, Slot { file, close_on_exec: false })?;
        }
        let path = launch.arguments.first().ok_or(Errno::ENOENT)?;
        let path = if path.contains(&b'/') { path.clone() } else { [b"/bin/", &path[..]].concat() };
        let mut request = crate::exec::Request::new(path, None);
        request.arguments = launch.arguments.clone();
        request.environment = launch.environment.clone();
        let program = crate::exec::load(self, pid, request)?;
        let number = self.new_thread(pid, pid, &program.mm)?;
        let registers = program.registers;
        crate::exec::install(self, pid, program);
        self.start_thread(number, &registers)?;
        if let Object::Stream(stream) = &launch.streams[0]
            && stream.is_terminal()
        {
            self.open_session(stream.clone(), pid, pid);
        }
        Ok(())
    }

    /// Returns the directory of a path.
    fn directory(&mut self, pid: Pid, path: &[u8]) -> Result<Directory, Errno> {
        let root = Directory { node: VNode::File(self.files.root()?.node), path: b"/".to_vec() };
        let who = Credentials::default();
        let path = if path.is_empty() { b"/" } else { path };
        let mut view = View::new(self, pid);
        walk(&mut view, &root, path, Last::Follow, &who)?.to_directory()
    }

    /// Returns a number that no process, group or session has.
    pub(crate) fn new_pid(&mut self) -> Result<Pid, Errno> {
        if self.processes.len() >= MAX_PROCESSES {
            return Err(Errno::EAGAIN);
        }
        loop {
            self.last_pid = if self.last_pid >= Pid::MAX { 2 } else { self.last_pid + 1 };
            let pid = Pid(self.last_pid);
            let used = |process: &Process| {
                process.pid == pid || process.group == pid || process.session == pid
            };
            let thread = self.threads.values().any(|thread| thread.tid == pid);
            if !thread && !self.processes.values().any(used) {
                return Ok(pid);
            }
        }
    }

    /// Creates a stopped thread for a process.
    pub(crate) fn new_thread(
        &mut self,
        pid: Pid,
        tid: Pid,
        mm: &Rc<RefCell<Mm>>,
    ) -> Result<ThreadNumber, Errno> {
        if self.threads.len() >= MAX_THREADS {
            return Err(Errno::EAGAIN);
        }
        let number = ThreadNumber(self.unique());
        let handle = self.machine.create_thread(mm.borrow().space(), number.0)?;
        let row = self.keep_thread(handle)?;
        let thread = Thread {
            number,
            row,
            is_touched: true,
            pid,
            tid,
            handle,
            state: State::Running,
            mask: SignalSet::default(),
            mask_after: None,
            pending: Marked::new(Pending::default()),
            alt_stack: AltStack::default(),
            clear_tid: 0,
            robust_list: 0,
            trap: Trap::default(),
        };
        self.threads.insert(number, thread);
        if let Some(process) = self.processes.get_mut(&pid) {
            process.threads.push(number);
        }
        Ok(number)
    }

    /// Returns descriptions of the standard streams, each open in both directions as a terminal's
    /// are after login.
    fn standard_files(&self, streams: &[Object; 3]) -> Result<[Description; 3], Errno> {
        use crate::linux::flags::open;
        let terminal = |object: &Object| matches!(object, Object::Stream(one) if one.is_terminal());
        let file = |object: &Object, direction: u32| {
            let is_terminal = terminal(object);
            let flags = if is_terminal { open::READ_WRITE } else { direction };
            let path = if is_terminal { b"/dev/console".to_vec() } else { b"pipe:[0]".to_vec() };
            OpenFile::new(self.kept, object.clone(), flags, path)
        };
        let [stdin, stdout, stderr] = streams;
        Ok([file(stdin, 0)?, file(stdout, open::WRITE_ONLY)?, file(stderr, open::WRITE_ONLY)?])
    }

    /// Lets a new thread run.
    pub(crate) fn start_thread(
        &mut self,
        number: ThreadNumber,
        registers: &Registers,
    ) -> Result<(), Errno> {
        let handle = self.threads.get(&number).ok_or(Errno::ESRCH)?.handle;
        self.machine.start(handle, registers).map_err(|error| {
            self.remove_thread(number);
            error.into()
        })
    }

    /// Makes a child of a process with `mm`; it has no thread yet.
    ///
    /// # Errors
    /// EAGAIN: too many processes; ESRCH.
    pub(crate) fn new_child(
        &mut self,
        parent: Pid,
        mm: Rc<RefCell<Mm>>,
        exit_signal: u8,
    ) -> Result<Pid, Errno> {
        let pid = self.new_pid()?;
        let started = self.machine.now();
        let parent = self.processes.get(&parent).ok_or(Errno::ESRCH)?;
        if !crate::calls::limits::may_fork(parent, self.processes.values()) {
            return Err(Errno::EAGAIN);
        }
        let row = self.processes.new_row()?;
        let Ok(descriptors) = parent.descriptors.of_child(row) else {
            self.kept.processes.free(row);
            return Err(Errno::ENOMEM);
        };
        let child = Process {
            pid,
            row,
            is_touched: true,
            parent: parent.pid,
            group: parent.group,
            session: parent.session,
            has_executed: false,
            credentials: Marked::new(parent.credentials.clone()),
            umask: parent.umask,
            limits: Marked::new(*parent.limits),
            settings: Marked::new(parent.settings.of_child()),
            cwd: Marked::new(parent.cwd.clone()),
            root: Marked::new(parent.root.clone()),
            descriptors,
            actions: Marked::new(parent.actions.clone()),
            pending: Marked::new(Pending::default()),
            mm: Some(mm),
            threads: Vec::new(),
            life: Life::Running,
            report: None,
            name: parent.name.clone(),
            executable: Marked::new(parent.executable.clone()),
            command_line: Marked::new(parent.command_line.clone()),
            environment: parent.environment,
            auxiliary: parent.auxiliary,
            started,
            children_time: RunTime::default(),
            ended_time: RunTime::default(),
            time_watch: None,
            time_warned: 0,
            alarm: None,
            exit_signal,
            borrowed_from: None,
            native: None,
            has_keys: false,
            exported: Vec::new(),
            client: None,
        };
        let is_timed = child.limits.soft(Resource::Cpu) != UNLIMITED;
        self.processes.insert(pid, child);
        if is_timed {
            self.watch_processor_time(pid);
        }
        Ok(pid)
    }
}

fn first_process(
    pid: Pid,
    row: Row,
    descriptors: Descriptors,
    cwd: Directory,
    started: u64,
) -> Process {
    Process {
        pid,
        row,
        is_touched: true,
        parent: Pid::INIT,
        group: pid,
        session: pid,
        has_executed: true,
        credentials: Marked::new(Credentials::default()),
        umask: 0o022,
        limits: Marked::new(Limits::default()),
        settings: Marked::new(Settings::default()),
        cwd: Marked::new(cwd),
        root: Marked::new(None),
        descriptors,
        actions: Marked::new(Actions::default()),
        pending: Marked::new(Pending::default()),
        mm: None,
        threads: Vec::new(),
        life: Life::Running,
        report: None,
        name: Vec::new(),
        executable: Marked::new(Vec::new()),
        command_line: Marked::new(Vec::new()),
        environment: (0, 0),
        auxiliary: (0, 0),
        started,
        children_time: RunTime::default(),
        ended_time: RunTime::default(),
        time_watch: None,
        time_warned: 0,
        alarm: None,
        exit_signal: signals::SIGCHLD,
        borrowed_from: None,
        native: None,
        has_keys: false,
        exported: Vec::new(),
        client: None,
    }
}
