//! Conducting: starts clients and killer, hears what they saw, measures before and after.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::Arguments;
use libipc::abi::boot;
use libipc::{
    Caller, Endpoint, Error, Event, Failure, Inbox, Memory, Message, Notification, Object,
    OpenCall, Quota, Rights, Thread, Time, log, now, start::Start,
};
use protocols::file::{FileClient, FileError, Node, Ticket, mode};
use protocols::process::{ExitStatus, Pid, ProcessClient, ProcessError, Signal};
use protocols::system::SystemClient;

use crate::Kind;
use crate::protocol::{ReportError, Reports, serve_reports};
use crate::scripts::{FOLDER, STOP, Script};
use crate::sheet::Sheet;
use crate::tally::Tally;
use crate::verdict::{ScriptSeen, Verdict};

/// Native clients of each kind.
const CLIENTS: [(Kind, u64); 4] =
    [(Kind::Files, 2), (Kind::Names, 1), (Kind::Console, 1), (Kind::Counters, 2)];
/// How long clients may take to end when they are told to.
const PATIENCE_MS: u64 = 30_000;
/// How long the clients run before anything is measured, so that all that grows has grown.
const WARM_UP_MS: u64 = 10_000;
/// How long the system may take to become quiet after the last client.
const QUIET_MS: u64 = 500;
/// Bytes of a file that is written and removed first, so that the file system has used as many
/// blocks before as it will have after.
const HIGH_WATER: u64 = 6 << 20;
/// Most bytes that are shown of what a script found wrong.
const SHOWN: usize = 1500;

/// What the campaign is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Where all dice begin.
    pub seed: u64,
    /// How many kills.
    pub kills: u64,
    /// The longest pause between two kills, in microseconds.
    pub pause_us: u64,
}

/// Why there is no verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A capability is missing: the program is not started by its entry in the tests' manifest.
    Missing(&'static str),
    /// The kernel refused something.
    Kernel(Error),
    /// A program could not be started.
    Start(Failure<ProcessError>),
    /// The file system refused a preparation.
    Files(Failure<FileError>),
    /// The killer gave up; its line in the log says why.
    Killer(ExitStatus),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Kernel(error)
    }
}

impl From<Failure<FileError>> for Trouble {
    fn from(failure: Failure<FileError>) -> Self {
        Trouble::Files(failure)
    }
}

/// A program that was started, and who runs it.
struct Child {
    runner: ProcessClient,
    pid: Pid,
    name: String,
}

/// The conductor.
pub struct Conductor {
    endpoint: Endpoint,
    events: Notification,
    inbox: Inbox,
    sheet: Memory,
    native: ProcessClient,
    unix: ProcessClient,
    system: SystemClient,
    files: FileClient,
    streams: [Endpoint; 3],
    quota: Quota,
    reports: Heard,
}

/// What arrives at the conductor's endpoint.
struct Heard {
    sheet: Memory,
    tallies: [Tally; Kind::ALL.len()],
    heard: u64,
}

impl Reports for Heard {
    fn sheet(&mut self, _: &Caller) -> Result<Memory, ReportError> {
        let rights = Rights::READ.union(Rights::WRITE).union(Rights::GRANT);
        self.sheet.mint(rights, 0).map_err(|_| ReportError::Refused)
    }

    fn report(&mut self, _: &Caller, tally: Tally) -> Result<(), ReportError> {
        let kind = Kind::of_number(tally.kind.into()).ok_or(ReportError::Refused)?;
        let sum = &mut self.tallies[kind as usize];
        *sum = Tally { kind: tally.kind, ..*sum }.and(tally);
        self.heard += 1;
        Ok(())
    }
}

impl Conductor {
    /// Returns the conductor with a program's capabilities.
    ///
    /// # Errors
    /// Missing: which; Kernel.
    pub fn new(start: &Start) -> Result<Self, Trouble> {
        let find = |name| start.find::<Endpoint>(name).ok_or(Trouble::Missing(name));
        let quota = Quota(boot::QUOTA);
        let (endpoint, events) = (quota.create_endpoint()?, quota.create_notification()?);
        Thread(boot::THREAD).bind(events)?;
        let sheet = quota.create_memory(1)?;
        Sheet::default().write(sheet)?;
        Ok(Conductor {
            endpoint,
            events,
            inbox: Inbox::new(endpoint),
            sheet,
            native: ProcessClient::new(find("process")?),
            unix: ProcessClient::new(find("unix")?),
            system: SystemClient::new(find("system")?),
            files: FileClient::new(find("file")?),
            streams: [find("stdin")?, find("stdout")?, find("stderr")?],
            quota,
            reports: Heard { sheet, tallies: Default::default(), heard: 0 },
        })
    }

    /// Conducts a campaign.
    ///
    /// # Errors
    /// What keeps it from coming to an end.
    pub fn run(&mut self, plan: Plan) -> Result<Verdict, Trouble> {
        let folder = self.prepare()?;
        self.act(folder, plan.seed ^ 1, None)?;
        let before = self.quiet()?;
        log!("before: {before:?}");
        self.reports.tallies = Default::default();
        let started = now();
        let (killed, mut verdict) = self.act(folder, plan.seed, Some(plan))?;
        verdict.kills = killed;
        verdict.seconds = (now().0 - started.0) / 1_000_000_000;
        verdict.before = before;
        verdict.after = self.quiet()?;
        verdict.seed = plan.seed;
        verdict.ordered = plan.kills;
        Ok(verdict)
    }

    /// Makes the folder of everything, and has the file system touch what it will ever touch.
    fn prepare(&mut self) -> Result<Node, Trouble> {
        let root = self.files.root()?.node;
        let tmp = self.files.lookup(root, b"tmp")?.node;
        let name = FOLDER.rsplit('/').next().unwrap_or_default().as_bytes();
        let folder =
            self.files.create(Ticket::next(), tmp, mode::DIRECTORY | 0o755, 0, 0, 0, name)?.node;
        let block = vec![1; 64 * 1024];
        let file =
            self.files.create(Ticket::next(), folder, mode::FILE | 0o644, 0, 0, 0, b"large")?.node;
        for at in (0..HIGH_WATER).step_by(block.len()) {
            self.files.write(file, at, &block)?;
        }
        self.files.unlink(Ticket::next(), folder, b"large")?;
        for number in 0..100 {
            self.files.create(
                Ticket::next(),
                folder,
                mode::FILE,
                0,
                0,
                0,
                format!("{number}").as_bytes(),
            )?;
        }
        for number in 0..100 {
            self.files.unlink(Ticket::next(), folder, format!("{number}").as_bytes())?;
        }
        Ok(folder)
    }

    /// Lets all clients run, with the killer or for the time of the warm-up; returns the sheet
    /// and what was seen.
    fn act(
        &mut self,
        folder: Node,
        seed: u64,
        plan: Option<Plan>,
    ) -> Result<(Sheet, Verdict), Trouble> {
        Sheet::default().write(self.sheet)?;
        let mut children = self.start_clients(folder, seed)?;
        match plan {
            Some(plan) => self.kill(plan)?,
            None => self.listen(now().after_ms(WARM_UP_MS), |_| false),
        }
        let sheet = Sheet::read(self.sheet)?;
        let mut over = sheet;
        over.end();
        over.write(self.sheet)?;
        self.files.create(Ticket::next(), folder, mode::FILE | 0o644, 0, 0, 0, STOP.as_bytes())?;
        let mut verdict = Verdict { hung: self.end(&mut children), ..Verdict::default() };
        verdict.tallies = self.reports.tallies;
        let natives: u64 = CLIENTS.iter().map(|(_, count)| count).sum();
        verdict.silent = natives.saturating_sub(self.reports.heard);
        self.reports.heard = 0;
        for script in Script::ALL {
            verdict.scripts.push(self.seen_by(folder, script)?);
        }
        self.clear(folder)?;
        Ok((sheet, verdict))
    }

    fn start_clients(&mut self, folder: Node, seed: u64) -> Result<Vec<Child>, Trouble> {
        let mut children = Vec::new();
        let mut number = 0;
        for (kind, count) in CLIENTS {
            for _ in 0..count {
                number += 1;
                let name = format!("n{number}");
                if kind == Kind::Files {
                    let made = mode::DIRECTORY | 0o755;
                    self.files.create(Ticket::next(), folder, made, 0, 0, 0, name.as_bytes())?;
                }
                let words = format!("campaign client={} number={number} seed={seed}", kind as u64);
                children.push(self.start("/bin/campaign", &words)?);
            }
        }
        for script in Script::ALL {
            let text = script.text();
            let argv: [&[u8]; 3] = [b"/bin/sh", b"-c", text.as_bytes()];
            let env: [&[u8]; 2] = [b"PATH=/bin:/sbin", b"HOME=/root"];
            let arguments = Arguments::new(b"/", &argv, &env);
            let runner = self.unix;
            children.push(self.spawn(runner, self.streams[0], &arguments, script.name())?);
        }
        Ok(children)
    }

    /// Has the killer do all its kills.
    fn kill(&mut self, plan: Plan) -> Result<(), Trouble> {
        let Plan { seed, kills, pause_us } = plan;
        let words = format!("killer seed={seed} kills={kills} pause={pause_us}");
        let killer = self.start("/bin/campaign-killer", &words)?;
        self.await_killer(&killer)
    }

    fn await_killer(&mut self, killer: &Child) -> Result<(), Trouble> {
        let mut status = None;
        self.listen(Time::FOREVER, |_| {
            status = killer.runner.status(killer.pid).ok();
            status.is_some()
        });
        match status {
            Some(ExitStatus(0)) => Ok(()),
            other => Err(Trouble::Killer(other.unwrap_or(ExitStatus(u64::MAX)))),
        }
    }

    /// Starts a native program, whose standard input is this program's endpoint.
    fn start(&self, path: &str, words: &str) -> Result<Child, Trouble> {
        let mut argv: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        argv[0] = path.as_bytes();
        let arguments = Arguments::new(b"/", &argv, &[]);
        self.spawn(self.native, self.endpoint, &arguments, words)
    }

    fn spawn(
        &self,
        runner: ProcessClient,
        stdin: Endpoint,
        arguments: &Arguments,
        name: &str,
    ) -> Result<Child, Trouble> {
        let block = arguments.emit().map_err(|_| Error::InvalidArgument)?;
        let exited = self.events.mint(Rights::SEND.union(Rights::GRANT), 1)?;
        let [_, stdout, stderr] = self.streams;
        let pid = runner.spawn(stdin, stdout, stderr, exited, &block);
        // Who runs it has its own.
        let _ = exited.delete();
        Ok(Child { runner, pid: pid.map_err(Trouble::Start)?, name: name.into() })
    }

    /// Answers clients until a time, or until `is_enough` says so of a moment in which some
    /// program ended.
    fn listen(&mut self, deadline: Time, mut is_enough: impl FnMut(&mut Heard) -> bool) {
        let nothing = (OpenCall::NONE, Message::success());
        let mut answer = nothing;
        loop {
            let (call, message) = answer;
            answer = nothing;
            match self.inbox.reply_receive(call, &message, deadline) {
                Ok(Event::Request(request)) => {
                    if let Some(message) = serve_reports(&mut self.reports, &request) {
                        answer = (request.caller.call, message);
                    }
                }
                Ok(Event::Notified(_)) if is_enough(&mut self.reports) => return,
                Ok(Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_)) => {}
                Err(_) => return,
            }
        }
    }

    /// Waits for the end of all clients; returns the names of those that had to be ended.
    fn end(&mut self, children: &mut Vec<Child>) -> Vec<String> {
        let mut bad = Vec::new();
        let mut sift = |children: &mut Vec<Child>| {
            children.retain(|child| match child.runner.status(child.pid) {
                Err(Failure::Protocol(ProcessError::WouldBlock)) => true,
                Ok(ExitStatus(0)) => false,
                other => {
                    bad.push(format!("{} ended with {other:?}", child.name));
                    false
                }
            });
            children.is_empty()
        };
        if !sift(children) {
            self.listen(now().after_ms(PATIENCE_MS), |_| sift(children));
        }
        sift(children);
        for child in children.drain(..) {
            let _ = child.runner.signal(child.pid, Signal::Kill);
            bad.push(format!("{} hangs", child.name));
        }
        bad
    }

    /// Returns what a script left: how many rounds, and what it found wrong.
    fn seen_by(&self, folder: Node, script: Script) -> Result<ScriptSeen, Trouble> {
        let read = |suffix| self.contents(folder, &format!("{}.{suffix}", script.name()));
        let rounds = read("rounds")?.trim().parse().unwrap_or(0);
        Ok(ScriptSeen { name: script.name(), rounds, wrong: read("wrong")? })
    }

    fn contents(&self, folder: Node, name: &str) -> Result<String, Trouble> {
        let found = self.files.lookup(folder, name.as_bytes());
        if matches!(found, Err(Failure::Protocol(FileError::NotFound))) {
            return Ok(String::new());
        }
        let mut bytes = vec![0; SHOWN];
        let len = self.files.read(found?.node, 0, &mut bytes)? as usize;
        Ok(String::from_utf8_lossy(&bytes[..len.min(SHOWN)]).into_owned())
    }

    /// Removes what clients left in the folder.
    fn clear(&self, folder: Node) -> Result<(), Trouble> {
        let mut names: Vec<String> = vec![STOP.into()];
        for script in Script::ALL {
            names.push(format!("{}.rounds", script.name()));
            names.push(format!("{}.wrong", script.name()));
        }
        for name in names {
            match self.files.unlink(Ticket::next(), folder, name.as_bytes()) {
                Ok(()) | Err(Failure::Protocol(FileError::NotFound)) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        for number in 1..=CLIENTS.iter().map(|(_, count)| count).sum() {
            let name = format!("n{number}");
            match self.files.remove_directory(Ticket::next(), folder, name.as_bytes()) {
                Ok(()) | Err(Failure::Protocol(FileError::NotFound)) => {}
                Err(failure) => {
                    log!("{name} is left: {failure:?}");
                    return Err(failure.into());
                }
            }
        }
        Ok(())
    }

    /// Has all servers begin anew, waits, and returns what is in use, this program's own left out,
    /// and what is free in the file system.
    fn quiet(&mut self) -> Result<Quiet, Trouble> {
        // The personality gives back what it keeps of files that nobody has open.
        self.listen(now().after_ms(QUIET_MS), |_| false);
        let killer = self.start("/bin/campaign-killer", "killer renew")?;
        self.await_killer(&killer)?;
        self.listen(now().after_ms(QUIET_MS), |_| false);
        // The first call after a restart has its own costs, which are not asked about.
        let statistics = self.files.statistics()?;
        let in_use = self.system.holdings().map_err(|_| Trouble::Missing("system"))?;
        // Budgets are charged whole; what is used of one's own is not.
        let [own, ..] = self.quota.inspect()?.values;
        Ok(Quiet {
            free: in_use.free_pages + own,
            charged: in_use.charged_pages,
            objects: in_use.objects,
            handles: in_use.handles,
            blocks: statistics.free_blocks,
            inodes: statistics.free_inodes,
        })
    }
}

/// What is in use when nothing happens, and what is free in the file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quiet {
    /// Pages of the machine that are free.
    pub free: u64,
    /// Pages that quotas are charged for.
    pub charged: u64,
    /// Units of objects in use, as quotas count them.
    pub objects: u64,
    /// Capabilities that init holds.
    pub handles: u64,
    /// Blocks that are free in the file system.
    pub blocks: u64,
    /// Inodes that are free in it.
    pub inodes: u64,
}
