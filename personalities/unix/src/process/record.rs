//! Processes in kept memory: their plain fields as words, and texts.

use alloc::rc::Rc;
use alloc::vec::Vec;

use libipc::{Handle, Notification};
use protocols::process::Pid as NativePid;

use crate::credentials::{Capabilities, Credentials, Ids};
use crate::kept::{Marked, Row, Tables, Touched, process as field, texts};
use crate::open::Descriptors;
use crate::path::{Directory, VNode};
use crate::process::{
    Alarm, Client, Ending, Life, Limit, Limits, Pid, Policy, Process, Report, Resource, RunTime,
    Settings, ThreadNumber,
};
use crate::signal::{Action, Actions, Info, Pending, SignalSet};

/// Returns two numbers in one word.
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Returns the two numbers of a word.
fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

fn optional(value: Option<u64>) -> u64 {
    value.unwrap_or(u64::MAX)
}

fn is_some(word: u64) -> Option<u64> {
    Some(word).filter(|&word| word != u64::MAX)
}

impl Touched for Process {
    fn touch(&mut self) {
        self.is_touched = true;
    }
}

impl Process {
    /// Writes what has changed to its row.
    pub(crate) fn keep(&mut self, kept: &Tables) {
        if core::mem::take(&mut self.is_touched) {
            kept.processes.put_all(self.row, field::PID, &self.plain());
        }
        self.keep_parts(kept);
        self.keep_texts(kept);
    }

    fn keep_parts(&mut self, kept: &Tables) {
        let (table, row) = (&kept.processes, self.row);
        if let Some(who) = self.credentials.take_changed() {
            table.put_all(row, field::CREDENTIALS, &credentials(who));
        }
        if let Some(settings) = self.settings.take_changed() {
            table.put_all(row, field::SETTINGS, &settings_words(settings));
        }
        if let Some(limits) = self.limits.take_changed() {
            let pair = |(resource, ..): (Resource, _, _)| {
                let Limit { soft, hard } = limits.of(resource);
                [soft, hard]
            };
            table.put_all(row, field::LIMITS, Resource::ALL.map(pair).as_flattened());
        }
        if let Some(actions) = self.actions.take_changed() {
            let handled = actions.handled();
            table.put(row, field::HANDLED, handled.0);
            for signal in (1..=field::SIGNALS).filter(|&one| handled.contains(one as u8)) {
                let Action { handler, flags, restorer, mask } = actions.of(signal as u8);
                let place = field::ACTIONS + 4 * (signal - 1);
                table.put_all(row, place, &[handler, flags, restorer, mask.0]);
            }
        }
    }

    fn keep_texts(&mut self, kept: &Tables) {
        let row = self.row;
        let put = |place, text: &[u8]| keep_text(kept, row, place, text);
        if let Some(Directory { node, path }) = self.cwd.take_changed() {
            let node = match node {
                VNode::File(node) => node.0,
                VNode::Proc(_) => 0,
            };
            kept.processes.put(row, field::CWD_NODE, node);
            put(field::CWD, path);
        }
        if let Some(root) = self.root.take_changed() {
            // What a root of its own is told of by its node has none, as a rule.
            if root.is_some() || kept.processes.get(row, field::ROOT_NODE) != 0 {
                kept.processes.put(row, field::ROOT_NODE, root_node(root.as_deref()));
                put(field::ROOT, root.as_ref().map_or(&[], |root| &root.path));
            }
        }
        if let Some(path) = self.executable.take_changed() {
            put(field::EXECUTABLE, path);
        }
        if let Some(line) = self.command_line.take_changed() {
            put(field::COMMAND_LINE, beginning(line));
        }
        if let Some(pending) = self.pending.take_changed() {
            let bytes = pending_bytes(pending);
            if !bytes.is_empty() || kept.processes.get(row, field::PENDING) != 0 {
                put(field::PENDING, &bytes);
            }
        }
    }

    /// Gives its row up.
    pub(crate) fn give_up(&mut self, kept: &Tables) {
        self.descriptors.give_up();
        for place in [field::CWD, field::EXECUTABLE, field::COMMAND_LINE, field::PENDING] {
            texts::free(&kept.chunks, kept.processes.get(self.row, place + 1));
        }
        if self.root.is_some() {
            texts::free(&kept.chunks, kept.processes.get(self.row, field::ROOT + 1));
        }
        kept.processes.free(self.row);
    }

    /// Returns what is kept otherwise than it is, if anything.
    pub(crate) fn differs_from(&self, kept: &Tables) -> Option<&'static str> {
        let row = self.row;
        let plain: [u64; field::PLAIN] =
            core::array::from_fn(|at| kept.processes.get(row, field::PID + at));
        // Where there was no room for a text, it is empty.
        let is_text = |place, own: &[u8]| {
            let text = text(kept, row, place);
            text == own || text.is_empty()
        };
        [
            ("fields", plain == self.plain()),
            (
                "credentials",
                credentials(&credentials_of(kept, row)) == credentials(&self.credentials),
            ),
            ("settings", settings_of(kept, row) == *self.settings),
            ("limits", limits_of(kept, row) == *self.limits),
            ("actions", actions_of(kept, row) == *self.actions),
            ("working directory", is_text(field::CWD, &self.cwd.path)),
            (
                "root",
                root_node(self.root.as_deref()) == kept.processes.get(row, field::ROOT_NODE)
                    && is_text(field::ROOT, self.root.as_ref().map_or(&[], |root| &root.path)),
            ),
            ("executable", is_text(field::EXECUTABLE, &self.executable)),
            ("command line", is_text(field::COMMAND_LINE, beginning(&self.command_line))),
            ("signals", is_text(field::PENDING, &pending_bytes(&self.pending))),
        ]
        .into_iter()
        .find_map(|(what, is_same)| (!is_same).then_some(what))
    }

    fn plain(&self) -> [u64; field::PLAIN] {
        let (life, detail) = match self.life {
            Life::Running => (0, 0),
            Life::Stopped(signal) => (1, signal),
            Life::Zombie(Ending::Code(code)) => (2, code),
            Life::Zombie(Ending::Signal(signal)) => (3, signal),
        };
        let (report, stopped_by) = match self.report {
            None => (0, 0),
            Some(Report::Stopped(signal)) => (1, signal),
            Some(Report::Continued) => (2, 0),
        };
        let bits = [life, detail, report, stopped_by, self.exit_signal];
        let flags = u8::from(self.has_executed) | u8::from(self.has_keys) << 1;
        let [a, b, c, d, e] = bits;
        let alarm = self.alarm.map_or((u64::MAX, 0), |alarm| (alarm.at, alarm.interval));
        let client = self.client.map_or((0, 0), |client| (client.badge, client.exited.0.0));
        let name: [u8; 16] = core::array::from_fn(|at| self.name.get(at).copied().unwrap_or(0));
        let name = u128::from_le_bytes(name);
        [
            pair(self.pid.0, self.parent.0),
            pair(self.group.0, self.session.0),
            u64::from_le_bytes([a, b, c, d, e, flags, 0, 0]),
            self.umask.into(),
            self.environment.0,
            self.environment.1,
            self.auxiliary.0,
            self.auxiliary.1,
            self.started,
            self.children_time.user,
            self.ended_time.user,
            optional(self.time_watch),
            self.time_warned,
            alarm.0,
            alarm.1,
            self.borrowed_from.map_or(0, |lender| lender.0),
            self.native.map_or(0, |native| native.0),
            client.0,
            client.1.into(),
            name as u64,
            (name >> 64) as u64,
            self.descriptors.limit() as u64,
            self.children_time.system,
            self.ended_time.system,
        ]
    }

    /// Returns a process that an earlier life kept, without memory and threads.
    pub(crate) fn take_up(kept: &Tables, row: Row, mut descriptors: Descriptors) -> Process {
        let get = |place| kept.processes.get(row, place);
        let plain: [u64; field::PLAIN] = core::array::from_fn(|at| get(field::PID + at));
        let [a, b, c, d, exit_signal, flags, ..] = plain[2].to_le_bytes();
        let name = u128::from(plain[19]) | u128::from(plain[20]) << 64;
        let name = name.to_le_bytes().into_iter().take_while(|&byte| byte != 0).collect();
        descriptors.set_limit(plain[21] as usize);
        let node = VNode::File(protocols::file::Node(get(field::CWD_NODE)));
        let root = Some(get(field::ROOT_NODE)).filter(|&node| node != 0).map(|node| {
            let node = VNode::File(protocols::file::Node(node));
            Rc::new(Directory { node, path: text(kept, row, field::ROOT) })
        });
        let client = Client { badge: plain[17], exited: Notification(Handle(plain[18] as u16)) };
        Process {
            pid: Pid(halves(plain[0]).0),
            row,
            parent: Pid(halves(plain[0]).1),
            group: Pid(halves(plain[1]).0),
            session: Pid(halves(plain[1]).1),
            has_executed: flags & 1 != 0,
            credentials: Marked::new(credentials_of(kept, row)),
            umask: plain[3] as u32,
            limits: Marked::new(limits_of(kept, row)),
            settings: Marked::new(settings_of(kept, row)),
            cwd: Marked::new(Directory { node, path: text(kept, row, field::CWD) }),
            root: Marked::new(root),
            descriptors,
            actions: Marked::new(actions_of(kept, row)),
            pending: Marked::new(pending_of(&text(kept, row, field::PENDING))),
            mm: None,
            is_touched: false,
            threads: Vec::new(),
            life: match a {
                0 => Life::Running,
                1 => Life::Stopped(b),
                2 => Life::Zombie(Ending::Code(b)),
                _ => Life::Zombie(Ending::Signal(b)),
            },
            report: match c {
                0 => None,
                1 => Some(Report::Stopped(d)),
                _ => Some(Report::Continued),
            },
            name,
            executable: Marked::new(text(kept, row, field::EXECUTABLE)),
            command_line: Marked::new(text(kept, row, field::COMMAND_LINE)),
            environment: (plain[4], plain[5]),
            auxiliary: (plain[6], plain[7]),
            started: plain[8],
            children_time: RunTime { user: plain[9], system: plain[22] },
            ended_time: RunTime { user: plain[10], system: plain[23] },
            time_watch: is_some(plain[11]),
            time_warned: plain[12],
            alarm: is_some(plain[13]).map(|at| Alarm { at, interval: plain[14] }),
            exit_signal,
            borrowed_from: Some(ThreadNumber(plain[15])).filter(|lender| lender.0 != 0),
            native: Some(NativePid(plain[16])).filter(|native| native.0 != 0),
            has_keys: flags & 2 != 0,
            exported: Vec::new(),
            client: Some(client).filter(|client| client.badge != 0),
        }
    }
}

/// Returns what names a root directory of a process's own.
fn root_node(root: Option<&Directory>) -> u64 {
    match root.map(|root| root.node) {
        Some(VNode::File(node)) => node.0,
        Some(VNode::Proc(_)) | None => 0,
    }
}

/// Keeps a text of a process: its length, the word that names it, and itself where it is short.
///
/// Where there is no room it is lost: the next life finds it empty.
/// Returns what is kept of a command line, which tells people and no program what runs.
fn beginning(line: &[u8]) -> &[u8] {
    &line[..line.len().min(1024)]
}

fn keep_text(kept: &Tables, row: Row, place: usize, text: &[u8]) {
    let table = &kept.processes;
    texts::free(&kept.chunks, table.get(row, place + 1));
    if text.len() <= field::SHORT_TEXT {
        texts::put_words(table, row, place + 2, text);
        return table.put_all(row, place, &[text.len() as u64, 0]);
    }
    let (len, name) = match texts::put(&kept.chunks, text) {
        Ok(name) => (text.len(), name),
        Err(_) => (0, 0),
    };
    table.put_all(row, place, &[len as u64, name]);
}

fn text(kept: &Tables, row: Row, place: usize) -> Vec<u8> {
    let (len, name) = (kept.processes.get(row, place) as usize, kept.processes.get(row, place + 1));
    if name == 0 && len <= field::SHORT_TEXT {
        return texts::words(&kept.processes, row, place + 2, len).collect();
    }
    texts::get(&kept.chunks, name, len)
}

fn credentials(who: &Credentials) -> [u64; field::CREDENTIAL_WORDS] {
    let Ids { real, effective, saved, files } = who.user;
    let mut words = [0; field::CREDENTIAL_WORDS];
    words[0] = pair(real, effective);
    words[1] = pair(saved, files);
    let Ids { real, effective, saved, files } = who.group;
    words[2] = pair(real, effective);
    words[3] = pair(saved, files);
    words[4..10].copy_from_slice(&who.capabilities.to_words());
    words[10] = who.groups.len() as u64;
    for (word, groups) in words[11..].iter_mut().zip(who.groups.chunks(2)) {
        *word = pair(groups[0], groups.get(1).copied().unwrap_or(0));
    }
    words
}

fn credentials_of(kept: &Tables, row: Row) -> Credentials {
    let word = |at| kept.processes.get(row, field::CREDENTIALS + at);
    let ids = |at| {
        let ((real, effective), (saved, files)) = (halves(word(at)), halves(word(at + 1)));
        Ids { real, effective, saved, files }
    };
    let groups = (0..word(10)).map(|at| {
        let (even, odd) = halves(word(11 + at as usize / 2));
        if at % 2 == 0 { even } else { odd }
    });
    let capabilities = Capabilities::from_words(core::array::from_fn(|at| word(4 + at)));
    Credentials { user: ids(0), group: ids(2), groups: groups.collect(), capabilities }
}

fn settings_words(settings: &Settings) -> [u64; field::SETTING_WORDS] {
    let [low, high] = settings.io_priority.to_le_bytes();
    let [oom_low, oom_high] = settings.oom_score_adjustment.to_le_bytes();
    let flags = u8::from(settings.resets_on_fork)
        | u8::from(settings.no_new_privileges) << 1
        | u8::from(settings.adopts_orphans) << 2
        | u8::from(settings.is_dumpable) << 3;
    let nice = settings.nice as u8;
    let (policy, signal) = (settings.policy as u8, settings.parent_death_signal);
    let bytes = [nice, policy, flags, signal, low, high, oom_low, oom_high];
    [u64::from_le_bytes(bytes), settings.personality.into(), settings.timer_slack]
}

fn settings_of(kept: &Tables, row: Row) -> Settings {
    let word = |at| kept.processes.get(row, field::SETTINGS + at);
    let [nice, policy, flags, signal, low, high, oom_low, oom_high] = word(0).to_le_bytes();
    Settings {
        nice: nice as i8,
        policy: match policy {
            3 => Policy::Batch,
            5 => Policy::Idle,
            _ => Policy::Other,
        },
        resets_on_fork: flags & 1 != 0,
        io_priority: u16::from_le_bytes([low, high]),
        personality: word(1) as u32,
        no_new_privileges: flags & 2 != 0,
        adopts_orphans: flags & 4 != 0,
        parent_death_signal: signal,
        is_dumpable: flags & 8 != 0,
        timer_slack: word(2),
        oom_score_adjustment: i16::from_le_bytes([oom_low, oom_high]),
    }
}

fn limits_of(kept: &Tables, row: Row) -> Limits {
    let mut limits = Limits::default();
    for (index, (resource, ..)) in Resource::ALL.into_iter().enumerate() {
        let word = |at| kept.processes.get(row, field::LIMITS + 2 * index + at);
        limits.set(resource, Limit { soft: word(0), hard: word(1) });
    }
    limits
}

fn actions_of(kept: &Tables, row: Row) -> Actions {
    let mut actions = Actions::default();
    let handled = SignalSet(kept.processes.get(row, field::HANDLED));
    for signal in (1..=field::SIGNALS).filter(|&one| handled.contains(one as u8)) {
        let word = |at| kept.processes.get(row, field::ACTIONS + 4 * (signal - 1) + at);
        let (handler, flags, restorer, mask) = (word(0), word(1), word(2), SignalSet(word(3)));
        actions.set(signal as u8, Action { handler, flags, restorer, mask });
    }
    actions
}

/// Returns the signals that wait as a text, in the order they came in.
pub(super) fn pending_bytes(pending: &Pending) -> Vec<u8> {
    let bytes = pending.infos().iter().flat_map(|info| {
        let code = pair(info.signal.into(), info.code as u32);
        [code, pair(info.pid, info.uid), info.value].map(u64::to_le_bytes)
    });
    bytes.flatten().collect()
}

/// Returns the signals of a text.
pub(super) fn pending_of(text: &[u8]) -> Pending {
    let mut pending = Pending::default();
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    for info in text.chunks_exact(24) {
        let [first, second, value] = [0, 8, 16].map(|at| word(&info[at..at + 8]));
        let ((signal, code), (pid, uid)) = (halves(first), halves(second));
        pending.add(Info { signal: signal as u8, code: code as i32, pid, uid, value });
    }
    pending
}
