//! Tests of path walking over a fake file tree.

use super::*;
use crate::credentials::Ids;
use crate::fake::Bench;
use crate::proc::View;
use crate::process::Pid;

struct Paths {
    bench: Bench,
    pid: Pid,
    who: Credentials,
}

impl Paths {
    fn new() -> Self {
        let mut bench = Bench::new();
        let directory = mode::DIRECTORY | 0o755;
        bench.files.make("/tmp/a", directory, b"");
        bench.files.make("/tmp/a/b", directory, b"");
        bench.files.make("/tmp/a/b/file", mode::FILE | 0o644, b"");
        let link = |path: &str, to: &[u8]| bench.files.make(path, mode::SYMLINK | 0o777, to);
        link("/tmp/relative", b"a/b");
        link("/tmp/absolute", b"/tmp/a/b/file");
        link("/tmp/loop", b"loop");
        link("/tmp/dangling", b"a/missing");
        link("/tmp/a/up", b"../a/b");
        let pid = bench.launch();
        Paths { bench, pid, who: Credentials::default() }
    }

    fn walk(&mut self, path: &str, last: Last) -> Result<Target, Errno> {
        let from = self.bench.unix.processes[&self.pid].cwd.clone();
        let mut view = View::new(&mut self.bench.unix, self.pid);
        walk(&mut view, &from, path.as_bytes(), last, &self.who)
    }

    fn path(&mut self, path: &str) -> alloc::string::String {
        let target = self.walk(path, Last::Follow).unwrap();
        assert!(target.found.is_some(), "{path}");
        alloc::string::String::from_utf8(target.path()).unwrap()
    }
}

#[test]
fn paths_are_canonical_after_a_walk() {
    let mut paths = Paths::new();
    for (path, canonical) in [
        ("/", "/"),
        ("/..", "/"),
        ("//tmp///a/", "/tmp/a"),
        ("tmp/./a/../a/b/.", "/tmp/a/b"),
        ("/tmp/relative", "/tmp/a/b"),
        ("/tmp/relative/..", "/tmp/a"),
        ("/tmp/relative/file", "/tmp/a/b/file"),
        ("/tmp/absolute", "/tmp/a/b/file"),
        ("/tmp/a/up/file", "/tmp/a/b/file"),
        ("/tmp/a/up/", "/tmp/a/b"),
    ] {
        assert_eq!(paths.path(path), canonical, "{path}");
    }
}

#[test]
fn what_is_missing_is_told_from_where_it_would_be() {
    let mut paths = Paths::new();
    assert_eq!(paths.walk("/nowhere/x", Last::Follow), Err(Errno::ENOENT));
    assert_eq!(paths.walk("", Last::Follow), Err(Errno::ENOENT));
    let new = paths.walk("/tmp/a/new", Last::Follow).unwrap();
    assert_eq!((new.found.is_none(), &new.name[..]), (true, &b"new"[..]));
    let through = paths.walk("/tmp/dangling", Last::Follow).unwrap();
    assert_eq!(through.path(), b"/tmp/a/missing");
}

#[test]
fn files_are_no_directories_and_loops_end() {
    let mut paths = Paths::new();
    assert_eq!(paths.walk("/tmp/a/b/file/x", Last::Follow), Err(Errno::ENOTDIR));
    assert_eq!(paths.walk("/tmp/a/b/file/", Last::Follow), Err(Errno::ENOTDIR));
    assert_eq!(paths.walk("/tmp/loop", Last::Follow), Err(Errno::ELOOP));
    let kept = paths.walk("/tmp/loop", Last::Keep).unwrap();
    assert_eq!(kept.existing().unwrap().kind(), mode::SYMLINK);
}

#[test]
fn too_long_a_path_is_refused() {
    let long = alloc::vec![b'/'; PATH_MAX];
    let mut paths = Paths::new();
    let long = alloc::string::String::from_utf8(long).unwrap();
    assert_eq!(paths.walk(&long, Last::Follow), Err(Errno::ENAMETOOLONG));
}

#[test]
fn searching_needs_permission() {
    let mut paths = Paths::new();
    let closed = paths.bench.files.make("/tmp/closed", mode::DIRECTORY | 0o700, b"");
    paths.bench.files.make("/tmp/closed/x", mode::FILE | 0o644, b"");
    paths.who.set_user(Ids::all(7));
    assert_eq!(paths.walk("/tmp/closed/x", Last::Follow), Err(Errno::EACCES));
    paths.bench.files.own(closed, 7);
    assert!(paths.walk("/tmp/closed/x", Last::Follow).is_ok());
}

#[test]
fn proc_lies_over_the_tree() {
    let mut paths = Paths::new();
    let pid = paths.pid.0;
    let own = alloc::format!("/proc/{pid}/stat");
    assert_eq!(paths.path("/proc/self/stat"), own);
    assert_eq!(paths.path("/proc/self/exe"), "/bin/tiny");
    assert_eq!(paths.path("/proc/self/.."), "/proc");
    assert_eq!(paths.path("/proc/../tmp"), "/tmp");
    assert_eq!(paths.walk("/proc/1234/stat", Last::Follow), Err(Errno::ENOENT));
}

/// Resolve bits of linux/openat2.h.
const NO_CROSSING: u64 = 1;
const NO_MAGIC_LINKS: u64 = 2;
const NO_LINKS: u64 = 4;
const BENEATH: u64 = 8;
const IN_ROOT: u64 = 16;

impl Paths {
    /// Walks within bounds from a directory; returns the path.
    fn bounded(
        &mut self,
        from: &str,
        path: &str,
        bits: u64,
    ) -> Result<alloc::string::String, Errno> {
        let from = self.walk(from, Last::Follow)?.to_directory()?;
        let mut view = View::new(&mut self.bench.unix, self.pid);
        let within = Within::from_bits(bits)?;
        let target =
            walk_within(&mut view, &from, path.as_bytes(), Last::Follow, &self.who, within)?;
        target.existing()?;
        Ok(alloc::string::String::from_utf8(target.path()).unwrap())
    }
}

#[test]
fn a_walk_beneath_a_directory_does_not_leave_it() {
    let mut paths = Paths::new();
    assert_eq!(paths.bounded("/tmp/a", "b/../b/file", BENEATH).as_deref(), Ok("/tmp/a/b/file"));
    for path in ["..", "b/../../a", "/tmp/a/b", "b/../../relative"] {
        assert_eq!(paths.bounded("/tmp/a", path, BENEATH), Err(Errno::EXDEV), "{path}");
    }
    assert_eq!(paths.bounded("/tmp", "relative/file", BENEATH).as_deref(), Ok("/tmp/a/b/file"));
    assert_eq!(paths.bounded("/tmp", "absolute", BENEATH), Err(Errno::EXDEV));
    assert_eq!(paths.bounded("/tmp/a", "up", BENEATH), Err(Errno::EXDEV));
}

#[test]
fn a_directory_can_be_the_root_of_a_walk() {
    let mut paths = Paths::new();
    for path in ["b/file", "/b/file", "../../b/file", "/../b/./file"] {
        let found = paths.bounded("/tmp/a", path, IN_ROOT);
        assert_eq!(found.as_deref(), Ok("/tmp/a/b/file"), "{path}");
    }
    assert_eq!(paths.bounded("/tmp", "absolute", IN_ROOT), Err(Errno::ENOENT));
    assert_eq!(paths.bounded("/tmp", "/", IN_ROOT).as_deref(), Ok("/tmp"));
}

#[test]
fn links_and_other_file_systems_can_be_refused() {
    let mut paths = Paths::new();
    assert_eq!(paths.bounded("/tmp", "relative/file", NO_LINKS), Err(Errno::ELOOP));
    assert_eq!(paths.bounded("/tmp", "a/b/file", NO_LINKS).as_deref(), Ok("/tmp/a/b/file"));
    assert_eq!(paths.bounded("/", "proc/self/cwd", NO_MAGIC_LINKS), Err(Errno::ELOOP));
    assert!(paths.bounded("/", "proc/self/stat", NO_MAGIC_LINKS).is_ok());
    assert_eq!(paths.bounded("/", "proc/self/stat", NO_CROSSING), Err(Errno::EXDEV));
    assert!(paths.bounded("/proc", "self/stat", NO_CROSSING).is_ok());
    assert_eq!(paths.bounded("/proc", "..", NO_CROSSING), Err(Errno::EXDEV));
    assert_eq!(paths.bounded("/proc", "/tmp", NO_CROSSING), Err(Errno::EXDEV));
    assert_eq!(paths.bounded("/proc", "self/cwd", IN_ROOT), Err(Errno::EXDEV));
    assert_eq!(Within::from_bits(BENEATH | IN_ROOT), Err(Errno::EINVAL));
    assert_eq!(Within::from_bits(64), Err(Errno::EINVAL));
}
