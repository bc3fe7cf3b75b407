//! Tests of the cache in front of a fake file server, which counts its calls.

use super::*;
use crate::fake::FakeFiles;
use libipc::Handle;
use protocols::file::mode;

/// What the fake file server publishes: its generations, and no pages but where told.
struct Fake {
    files: FakeFiles,
    pages: Option<Pages>,
}

impl Published for Fake {
    fn generation(&self, node: Node) -> u64 {
        self.files.1.generations.borrow().get(&node.0).copied().unwrap_or(0)
    }

    fn changes(&self) -> u64 {
        self.files.1.changes.get()
    }

    fn extent(&mut self, node: Node, _: u64) -> Result<Option<Pages>, Errno> {
        self.files.1.calls.set(self.files.1.calls.get() + 1);
        let generation = self.generation(node);
        Ok(self.pages.map(|pages| Pages { generation, ..pages }))
    }
}

struct Pair {
    files: FakeFiles,
    cache: Cache<FakeFiles, Fake>,
}

impl Pair {
    fn new() -> Self {
        let files = FakeFiles::new();
        files.make("/d", mode::DIRECTORY | 0o755, b"");
        files.make("/d/f", mode::FILE | 0o644, b"text");
        let memory = Memory(Handle(7));
        let pages = Some(Pages { memory, at: 4096, len: 4, generation: 0 });
        let cache = Cache::new(files.clone(), Fake { files: files.clone(), pages });
        Pair { files, cache }
    }

    /// Returns what `act` returns and how many calls it cost.
    fn cost<R>(&mut self, act: impl FnOnce(&mut Cache<FakeFiles, Fake>) -> R) -> (R, u64) {
        let before = self.files.1.calls.get();
        let result = act(&mut self.cache);
        (result, self.files.1.calls.get() - before)
    }

    fn free(&mut self, act: impl FnOnce(&mut Cache<FakeFiles, Fake>)) {
        assert_eq!(self.cost(act).1, 0);
    }
}

const ROOT: Node = Node(1);

fn directory(cache: &mut Cache<FakeFiles, Fake>) -> Node {
    cache.lookup(ROOT, b"d").unwrap().node
}

#[test]
fn what_is_known_costs_no_call_until_it_changes() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap();
    assert_eq!(pair.cache.lookup(directory, b"g"), Err(Errno::ENOENT));
    pair.cache.accessed(file.node).unwrap();
    pair.free(|cache| {
        assert_eq!(cache.lookup(directory, b"f"), Ok(file));
        assert_eq!(cache.attributes(file.node), Ok(file));
        assert_eq!(cache.lookup(directory, b"g"), Err(Errno::ENOENT));
        assert!(cache.accessed(file.node).is_ok());
    });
    // Another client writes.
    pair.files.clone().write(file.node, 0, b"longer text").unwrap();
    let (found, calls) = pair.cost(|cache| cache.lookup(directory, b"f").unwrap());
    assert_eq!((found.size, calls), (11, 1));
}

#[test]
fn a_name_that_comes_or_goes_is_seen() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    assert_eq!(pair.cache.lookup(directory, b"g"), Err(Errno::ENOENT));
    let new = NewNode { mode: mode::FILE | 0o600, uid: 0, gid: 0, device: 0 };
    let made = pair.files.clone().create(directory, b"g", new).unwrap();
    assert_eq!(pair.cache.lookup(directory, b"g"), Ok(made));
    pair.files.clone().unlink(directory, b"g").unwrap();
    assert_eq!(pair.cache.lookup(directory, b"g"), Err(Errno::ENOENT));
}

#[test]
fn long_names_are_asked_for_each_time() {
    let mut pair = Pair::new();
    let name = [b'n'; NAME_MAX + 1];
    for _ in 0..2 {
        assert_eq!(pair.cost(|cache| cache.lookup(ROOT, &name)), (Err(Errno::ENOENT), 1));
    }
}

#[test]
fn nothing_is_kept_while_something_changes() {
    let mut pair = Pair::new();
    pair.files.1.generations.borrow_mut().insert(ROOT.0, 5);
    for _ in 0..2 {
        let (_, calls) = pair.cost(|cache| cache.lookup(ROOT, b"d").unwrap());
        assert_ne!(calls, 0);
    }
}

#[test]
fn a_closed_file_stays_held_and_is_opened_again_without_a_call() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap().node;
    pair.cache.hold(file).unwrap();
    pair.free(|cache| cache.release(file));
    assert_eq!(pair.files.holds(), 1);
    pair.free(|cache| cache.hold(file).unwrap());
    pair.cache.hold(file).unwrap();
    pair.cache.release(file);
    pair.cache.release(file);
    assert_eq!(pair.files.holds(), 1);
    pair.cache.unlink(directory, b"f").unwrap();
    assert_eq!(pair.files.holds(), 0);
}

#[test]
fn an_open_file_that_lost_its_name_is_given_back_when_it_is_closed() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap().node;
    pair.cache.hold(file).unwrap();
    pair.cache.unlink(directory, b"f").unwrap();
    assert_eq!(pair.files.holds(), 1);
    pair.cache.release(file);
    assert_eq!(pair.files.holds(), 0);
}

#[test]
fn a_file_that_is_replaced_is_given_back() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap().node;
    pair.files.make("/d/g", mode::FILE | 0o644, b"other");
    pair.cache.hold(file).unwrap();
    pair.cache.release(file);
    pair.cache.rename((directory, b"g"), (directory, b"f"), Collision::Replace).unwrap();
    assert_eq!(pair.files.holds(), 0);
}

#[test]
fn idle_holds_have_a_bound_and_statistics_end_them() {
    let mut pair = Pair::new();
    for number in 0..2 * IDLE {
        let path = alloc::format!("/d/{number}");
        let node = pair.files.make(&path, mode::FILE | 0o644, b"");
        pair.cache.hold(node).unwrap();
        pair.cache.release(node);
    }
    assert!(pair.files.holds() as usize <= IDLE);
    pair.cache.statistics().unwrap();
    assert_eq!(pair.files.holds(), 0);
}

#[test]
fn pages_are_asked_for_once_and_again_after_a_change() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap().node;
    let (first, calls) = pair.cost(|cache| cache.pages(file, 0).unwrap().unwrap());
    assert_eq!((first.at, first.len, calls), (4096, 4, 1));
    pair.free(|cache| {
        let rest = cache.pages(file, 3).unwrap().unwrap();
        assert_eq!((rest.at, rest.len), (4099, 1));
        assert_eq!(cache.pages(file, 4).unwrap().unwrap().len, 0);
    });
    pair.files.clone().write(file, 0, b"else").unwrap();
    let (again, calls) = pair.cost(|cache| cache.pages(file, 0).unwrap().unwrap());
    assert_eq!(calls, 1);
    assert_ne!(again.generation, first.generation);
}

#[test]
fn the_target_of_a_link_is_asked_for_once() {
    let mut pair = Pair::new();
    pair.files.clone().symlink(ROOT, b"l", (0, 0), b"d/f").unwrap();
    let link = pair.cache.lookup(ROOT, b"l").unwrap().node;
    assert_eq!(pair.cache.read_link(link).unwrap(), b"d/f");
    pair.free(|cache| assert_eq!(cache.read_link(link).unwrap(), b"d/f"));
}

#[test]
fn two_extents_of_a_span_are_known() {
    let mut pair = Pair::new();
    let directory = directory(&mut pair.cache);
    let file = pair.cache.lookup(directory, b"f").unwrap().node;
    pair.files.clone().write(file, 0, &[7; 1000]).unwrap();
    for offset in [0, 100] {
        assert_eq!(pair.cost(|cache| cache.pages(file, offset).unwrap().is_some()), (true, 1));
    }
    pair.free(|cache| {
        assert_eq!(cache.pages(file, 2).unwrap().map(|pages| pages.at), Some(4098));
        assert_eq!(cache.pages(file, 101).unwrap().map(|pages| pages.at), Some(4097));
    });
    // A third takes the place of the older one.
    pair.cache.pages(file, 200).unwrap();
    pair.free(|cache| assert!(cache.pages(file, 100).unwrap().is_some()));
    assert_eq!(pair.cost(|cache| cache.pages(file, 0).unwrap().is_some()), (true, 1));
}
