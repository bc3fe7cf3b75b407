//! A host in memory: a file tree, input and output as bytes, a clock that moves with each look.
#![allow(dead_code, reason = "each test program has its own copy and uses a part of it")]

pub mod assembled;

use std::collections::BTreeMap;
use std::ops::Range;

use dos_machine::host::{
    Attributes, Drive, Entry, FileTree, Foreign, Host, HostError, Node, NodeKind, OpenMode, Space,
    StopRequest, Stream, Wait, flag,
};
use dos_machine::{End, Session, Start};

/// 2000-02-29 12:34:56 UTC.
pub const TIME: u64 = 951_827_696_000_000_000;

#[derive(Default)]
struct Item {
    bytes: Vec<u8>,
    entries: Option<BTreeMap<Vec<u8>, u64>>,
    flags: u8,
    modified: u64,
}

/// The host.
pub struct MemoryHost {
    items: Vec<Item>,
    input: Vec<u8>,
    pub output: Vec<u8>,
    pub terminal: bool,
    /// Whether standard input is a terminal that gives lines.
    pub echoes: bool,
    /// Bytes of output after which its reader goes away.
    pub output_limit: usize,
    clock: u64,
    /// How long each look at the clock takes, ns.
    pub step: u64,
    /// When Ctrl-C is typed.
    pub interrupt_at: Option<u64>,
    /// How often, 50 ms apart.
    pub interrupts_left: u32,
    /// When somebody ends the session.
    pub ends_at: Option<u64>,
    pub idles: u32,
    /// Foreign programs that were run: each writes its input in capitals, and complains where its
    /// standard error is a file.
    pub foreign: Vec<Foreign>,
    /// What they end with.
    pub foreign_status: u8,
    pub open: i32,
    pub locks: Vec<(Node, Range<u64>)>,
    /// How many locks it keeps.
    pub most_locks: usize,
    /// How long a file may be.
    pub most_bytes: usize,
    /// A directory that is drive D as well.
    pub second_drive: Option<Node>,
    /// A file that another session has locked.
    pub foreign_lock: Option<Node>,
    /// How many reads of files succeed before how many that fail, as those of a broken disk.
    pub failing_after: Option<(u32, u32)>,
    /// How many reads of input fail first.
    pub failing_input: u32,
    /// Whether no file can be cut or grown.
    pub failing_resize: bool,
}

impl MemoryHost {
    /// Returns a host with the sample programs in its root and the given input.
    pub fn new(input: &[u8]) -> Self {
        let mut host = MemoryHost {
            items: vec![Item { entries: Some(BTreeMap::new()), ..Item::default() }],
            input: input.to_vec(),
            output: Vec::new(),
            terminal: false,
            echoes: false,
            output_limit: usize::MAX,
            clock: 0,
            step: 1_000_000,
            interrupt_at: None,
            interrupts_left: 1,
            ends_at: None,
            idles: 0,
            foreign: Vec::new(),
            foreign_status: 7,
            open: 0,
            locks: Vec::new(),
            most_locks: usize::MAX,
            most_bytes: usize::MAX,
            second_drive: None,
            foreign_lock: None,
            failing_after: None,
            failing_input: 0,
            failing_resize: false,
        };
        for (name, bytes) in dos_samples::all() {
            host.add(name, &bytes);
        }
        host
    }

    /// Returns the time on its clock, ns.
    pub fn now(&self) -> u64 {
        self.clock
    }

    /// Adds a file to the root.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        let node = match self.node(name) {
            Some(node) => node,
            None => self.create(Node(0), name.as_bytes(), NodeKind::File).expect("a new name").node,
        };
        self.items[node.0 as usize].bytes = bytes.to_vec();
    }

    /// Takes a file out of the root.
    pub fn remove(&mut self, name: &str) {
        self.unlink(Node(0), name.as_bytes()).expect("a file");
    }

    /// Adds a directory to the root.
    pub fn add_directory(&mut self, name: &str) -> Node {
        self.create(Node(0), name.as_bytes(), NodeKind::Directory).expect("a new name").node
    }

    /// Returns a file of the root.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        let node = self.items[0].entries.as_ref()?.get(name.as_bytes())?;
        Some(&self.items[*node as usize].bytes)
    }

    /// Returns a file's bytes by its path from the root.
    pub fn read_path(&self, path: &str) -> Option<Vec<u8>> {
        let find = |node: u64, name: &str| {
            self.items[node as usize].entries.as_ref()?.get(name.as_bytes()).copied()
        };
        let node = path.split('/').try_fold(0, find)?;
        Some(self.items[node as usize].bytes.clone())
    }

    /// Returns the names in the root.
    pub fn names(&self) -> Vec<String> {
        let entries = self.items[0].entries.as_ref().expect("the root is a directory");
        entries.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Returns the node of a name in the root.
    pub fn node(&self, name: &str) -> Option<Node> {
        self.items[0].entries.as_ref()?.get(name.as_bytes()).map(|node| Node(*node))
    }

    fn item(&mut self, node: Node) -> Result<&mut Item, HostError> {
        self.items.get_mut(node.0 as usize).ok_or(HostError::NotFound)
    }

    fn directory(&mut self, node: Node) -> Result<&mut BTreeMap<Vec<u8>, u64>, HostError> {
        self.item(node)?.entries.as_mut().ok_or(HostError::NotDirectory)
    }
}

/// Runs a sample in the root and returns how it ended, and the host.
pub fn run(host: MemoryHost, program: &str, arguments: &[&str]) -> (End, MemoryHost) {
    let mut session = Session::new(host);
    let end = session.run(&start(program, arguments));
    (end, session.into_host())
}

/// Returns what starts a program in the root.
pub fn start(program: &str, arguments: &[&str]) -> Start {
    Start {
        directory: b"/".to_vec(),
        program: program.as_bytes().to_vec(),
        arguments: arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect(),
        environment: vec![b"PATH=C:\\BIN".to_vec()],
        ..Start::default()
    }
}

impl Host for MemoryHost {
    type Files = Self;

    fn files(&mut self) -> &mut Self {
        self
    }
    fn is_terminal(&mut self, _stream: Stream) -> bool {
        self.terminal
    }
    fn echoes_input(&mut self) -> bool {
        self.echoes
    }
    fn read_input(&mut self, wait: Wait, into: &mut [u8]) -> Result<usize, HostError> {
        if self.failing_input > 0 {
            self.failing_input -= 1;
            return Err(HostError::Device);
        }
        let asked_at = self.interrupt_at.or(self.ends_at);
        if self.input.is_empty()
            && let Some(at) = asked_at
        {
            if wait == Wait::Never {
                return Err(HostError::WouldBlock);
            }
            self.clock = self.clock.max(at);
            return Err(HostError::Interrupted);
        }
        // Short reads, as a pipe may give them.
        let count = into.len().min(self.input.len()).min(7);
        into[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }
    fn write_output(&mut self, _stream: Stream, bytes: &[u8]) -> Result<usize, HostError> {
        if self.output.len() >= self.output_limit {
            return Err(HostError::Broken);
        }
        let count = bytes.len().min(100);
        self.output.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
    fn idle(&mut self, nanoseconds: u64) {
        self.idles += 1;
        self.clock += nanoseconds;
    }
    fn request(&mut self) -> Option<StopRequest> {
        if self.ends_at.is_some_and(|at| at <= self.clock) {
            return Some(StopRequest::Terminate);
        }
        let due = self.interrupt_at.is_some_and(|at| at <= self.clock);
        if due {
            self.interrupts_left = self.interrupts_left.saturating_sub(1);
            let again = Some(self.clock + 50_000_000);
            self.interrupt_at = again.filter(|_| self.interrupts_left > 0);
        }
        due.then_some(StopRequest::Interrupt)
    }
    fn monotonic(&mut self) -> u64 {
        self.clock += self.step;
        self.clock
    }
    fn time(&mut self) -> u64 {
        TIME + self.clock
    }
    fn temporary(&mut self) -> Result<(Node, Vec<u8>), HostError> {
        Ok((Node(0), Vec::new()))
    }
    fn run_foreign(&mut self, program: &Foreign) -> Result<u8, HostError> {
        self.foreign.push(program.clone());
        let name = |path: &[u8]| String::from_utf8(path[1..].to_vec()).expect("ASCII");
        let input = program.input.as_ref().map(|path| self.file(&name(path)).expect("a file"));
        let output = input.unwrap_or_default().to_ascii_uppercase();
        if let Some(path) = &program.output {
            self.add(&name(path), &output);
        }
        if let Some(path) = &program.error {
            self.add(&name(path), b"an error\r\n");
        }
        Ok(self.foreign_status)
    }
}

impl FileTree for MemoryHost {
    fn drives(&mut self) -> Vec<Drive> {
        let first = Drive { number: 2, root: Node(0), path: b"/".to_vec() };
        let second = |root| Drive { number: 3, root, path: b"/SUB".to_vec() };
        [first].into_iter().chain(self.second_drive.map(second)).collect()
    }
    fn space(&mut self) -> Space {
        Space { total: 64 << 20, free: 32 << 20 }
    }
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, HostError> {
        let node = *self.directory(directory)?.get(name).ok_or(HostError::NotFound)?;
        self.attributes(Node(node))
    }
    fn attributes(&mut self, node: Node) -> Result<Attributes, HostError> {
        let item = self.item(node)?;
        let kind = if item.entries.is_some() { NodeKind::Directory } else { NodeKind::File };
        let (size, modified, flags) = (item.bytes.len() as u64, item.modified, item.flags);
        Ok(Attributes { node, kind, size, modified, flags })
    }
    fn list(&mut self, directory: Node) -> Result<Vec<Entry>, HostError> {
        let entries = self.directory(directory)?;
        Ok(entries
            .iter()
            .map(|(name, node)| Entry { name: name.clone(), node: Node(*node) })
            .collect())
    }
    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, HostError> {
        if let Some((good @ 1.., _)) = &mut self.failing_after {
            *good -= 1;
        } else if let Some((_, bad @ 1..)) = &mut self.failing_after {
            *bad -= 1;
            return Err(HostError::Device);
        }
        let bytes = &self.item(node)?.bytes;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, HostError> {
        let end = offset as usize + bytes.len();
        if end > self.most_bytes {
            return Err(HostError::NoSpace);
        }
        let file = &mut self.item(node)?.bytes;
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }
    fn resize(&mut self, node: Node, size: u64) -> Result<(), HostError> {
        if self.failing_resize {
            return Err(HostError::Denied);
        }
        if size as usize > self.most_bytes {
            return Err(HostError::NoSpace);
        }
        self.item(node)?.bytes.resize(size as usize, 0);
        Ok(())
    }
    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        kind: NodeKind,
    ) -> Result<Attributes, HostError> {
        let node = self.items.len() as u64;
        if self.directory(directory)?.contains_key(name) {
            return Err(HostError::Exists);
        }
        self.directory(directory)?.insert(name.to_vec(), node);
        let entries = (kind == NodeKind::Directory).then(BTreeMap::new);
        let flags = if kind == NodeKind::File { flag::ARCHIVE } else { 0 };
        self.items.push(Item { entries, modified: TIME, flags, ..Item::default() });
        self.attributes(Node(node))
    }
    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        self.directory(directory)?.remove(name).map(|_| ()).ok_or(HostError::NotFound)
    }
    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        let node = self.lookup(directory, name)?.node;
        if !self.directory(node)?.is_empty() {
            return Err(HostError::NotEmpty);
        }
        self.unlink(directory, name)
    }
    fn rename(
        &mut self,
        from: Node,
        from_name: &[u8],
        to: Node,
        to_name: &[u8],
    ) -> Result<(), HostError> {
        let node = self.directory(from)?.remove(from_name).ok_or(HostError::NotFound)?;
        self.directory(to)?.insert(to_name.to_vec(), node);
        Ok(())
    }
    fn set_modified(&mut self, node: Node, time: u64) -> Result<(), HostError> {
        self.item(node)?.modified = time;
        Ok(())
    }
    fn set_flags(&mut self, node: Node, flags: u8) -> Result<(), HostError> {
        self.item(node)?.flags = flags;
        Ok(())
    }
    fn lock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        let meets = |(known, held): &(Node, Range<u64>)| {
            *known == node && held.start < bytes.end && bytes.start < held.end
        };
        if self.locks.iter().any(meets) {
            return Err(HostError::Locked);
        }
        if self.locks.len() >= self.most_locks {
            return Err(HostError::NoSpace);
        }
        self.locks.push((node, bytes));
        Ok(())
    }
    fn unlock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        let place = self.locks.iter().position(|lock| *lock == (node, bytes.clone()));
        self.locks.remove(place.ok_or(HostError::Locked)?);
        Ok(())
    }
    fn check_locks(&mut self, node: Node, _: Range<u64>) -> Result<(), HostError> {
        if self.foreign_lock == Some(node) { Err(HostError::Locked) } else { Ok(()) }
    }
    fn opened(&mut self, _node: Node, _mode: OpenMode) -> Result<(), HostError> {
        self.open += 1;
        Ok(())
    }
    fn closed(&mut self, _node: Node, _mode: OpenMode) {
        self.open -= 1;
    }
}
