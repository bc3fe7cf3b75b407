//! Rights that a program has, and those that it does not get on the way round.

use super::{DATA, EXECVE, OPEN, WRITE, fork};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::process::Pid;
use protocols::file::mode;

const MMAP: u32 = 9;
const ACCESS: u32 = 21;
const CLONE: u32 = 56;
const FSTAT: u32 = 5;
const TRUNCATE: u32 = 76;
const FTRUNCATE: u32 = 77;
const CHDIR: u32 = 80;
const CHMOD: u32 = 90;
const CHOWN: u32 = 92;
const SETRESUID: u32 = 117;
const SETRESGID: u32 = 119;
const KEEP: u64 = -1i64 as u64;

#[test]
fn a_child_s_number_is_written_where_it_may_write_only() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let other = fork(&mut bench, pid);
    let path = bench.string(pid, "/etc/words");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    let at = bench.value(pid, MMAP, &[0, 4096, 1, 2, fd, 0]);
    let path = bench.string(other, "/etc/words");
    let fd = bench.value(other, OPEN, &[path, 0]);
    let theirs = bench.value(other, MMAP, &[0, 4096, 1, 2, fd, 0]);
    assert_eq!(bench.peek(other, theirs, 4), b"one ");
    let child = bench.value(pid, CLONE, &[0x0100_0011, 0, 0, at, 0]);
    assert!((child as i64) > 0, "{child:x}");
    assert_eq!(bench.peek(other, theirs, 4), b"one ");
}

#[test]
fn a_file_opened_again_is_asked_for_its_permissions() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/etc/secret", mode::FILE | 0o644, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/etc/secret");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    bench.error(pid, OPEN, &[path, 2], Errno::EACCES);
    let path = bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    // is_dumpable is off after setresuid: exec would set it
    assert_eq!(bench.value(pid, 157, &[4, 1]), 0);
    bench.error(pid, OPEN, &[path, 2], Errno::EACCES);
}

/// Opens once more what a descriptor of a user's names.
fn reopen(bench: &mut Bench, pid: Pid, fd: u64, bits: u64) -> Result<u64, Errno> {
    let path = bench.string(pid, &alloc::format!("/proc/self/fd/{fd}"));
    let value = bench.value(pid, OPEN, &[path, bits]);
    let refused = value as i64 == -(Errno::EACCES as i64);
    if refused { Err(Errno::EACCES) } else { Ok(value) }
}

/// Makes a process a user's that may look at itself in `/proc`.
fn become_user(bench: &mut Bench, pid: Pid) {
    const PRCTL: u32 = 157;
    const SET_DUMPABLE: u64 = 4;
    assert_eq!(bench.value(pid, SETRESGID, &[1000, 1000, 1000]), 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    assert_eq!(bench.value(pid, PRCTL, &[SET_DUMPABLE, 1]), 0);
}

// `may_open`, `inode_permission` (fs/namei.c): a pipe's mode counts however it is come to.
#[test]
fn a_named_pipe_opened_again_is_asked_for_its_permissions() {
    const NON_BLOCKING: u64 = 0o4000;
    const UNLINK: u32 = 87;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/tmp/f", mode::FIFO | 0o644, b"");
    bench.files.own(node, 0);
    let path = bench.string(pid, "/tmp/f");
    let fd = bench.value(pid, OPEN, &[path, NON_BLOCKING]);
    assert!(reopen(&mut bench, pid, fd, 1).is_ok(), "root may");
    assert_eq!(bench.value(pid, FSTAT, &[fd, DATA]), 0);
    assert_eq!(bench.peek(pid, DATA + 24, 2), 0o010_644u16.to_le_bytes());
    let user = fork(&mut bench, pid);
    become_user(&mut bench, user);
    for bits in [1, 2] {
        assert_eq!(reopen(&mut bench, user, fd, bits), Err(Errno::EACCES), "{bits}");
    }
    assert!(reopen(&mut bench, user, fd, NON_BLOCKING).is_ok());
    let path = bench.string(pid, "/tmp/f");
    assert_eq!(bench.value(pid, UNLINK, &[path]), 0);
    assert_eq!(reopen(&mut bench, user, fd, 1), Err(Errno::EACCES), "without its name as well");
}

// `get_pipe_inode` (fs/pipe.c): mode 0600, of the ids for files of who made it.
#[test]
fn a_pipe_is_opened_again_by_whose_it_is() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (read, write) = super::make_pipe(&mut bench, pid);
    let user = fork(&mut bench, pid);
    become_user(&mut bench, user);
    for (fd, bits) in [(read, 0), (read, 1), (write, 1), (write, 2)] {
        assert_eq!(reopen(&mut bench, user, fd, bits), Err(Errno::EACCES), "{bits}");
        assert!(reopen(&mut bench, pid, fd, bits).is_ok());
    }
    let (read, _) = super::make_pipe(&mut bench, user);
    assert!(reopen(&mut bench, user, read, 1).is_ok());
    assert_eq!(bench.value(user, FSTAT, &[read, DATA]), 0);
    let ids = [0o010_600u32, 1000, 1000].map(u32::to_le_bytes).concat();
    assert_eq!(bench.peek(user, DATA + 24, 12), ids);
}

#[test]
fn a_stream_is_opened_again_no_wider_than_it_is() {
    let mut bench = Bench::new();
    bench.files.make_device("/dev/console", 5, 1);
    let pid = bench.launch();
    let path = bench.string(pid, "/dev/console");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    assert!(reopen(&mut bench, pid, fd, 2).is_ok(), "root may");
    become_user(&mut bench, pid);
    for bits in [1, 2] {
        assert_eq!(reopen(&mut bench, pid, fd, bits), Err(Errno::EACCES), "{bits}");
    }
    assert!(reopen(&mut bench, pid, fd, 0).is_ok());
    assert!(reopen(&mut bench, pid, 0, 2).is_ok(), "a session's is open both ways");
}

#[test]
fn access_asks_for_the_real_user() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/etc/secret", mode::FILE | 0o600, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 0, 0]), 0);
    let path = bench.string(pid, "/etc/secret");
    bench.error(pid, ACCESS, &[path, 4], Errno::EACCES);
}

#[test]
fn who_does_not_own_a_file_takes_no_set_id_bits() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let node = bench.files.make("/bin/su", mode::FILE | 0o4755, b"x");
    bench.files.own(node, 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/bin/su");
    bench.error(pid, CHOWN, &[path, KEEP, KEEP], Errno::EPERM);
}

#[test]
fn the_longest_arguments_are_executed() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let at = bench.value(pid, MMAP, &[0, 1 << 20, 3, 0x22, KEEP, 0]);
    for page in 0..127u64 {
        bench.poke(pid, at + page * 4096, &[b'a'; 4096]);
    }
    let path = bench.string(pid, "/bin/tiny");
    bench.poke(pid, SCRATCH + 4096, &[path, at, 0].map(u64::to_le_bytes).concat());
    bench.call(pid, 59, [path, SCRATCH + 4096, 0, 0, 0, 0]);
    assert_eq!(bench.unix.processes[&pid].command_line.len(), 10 + 127 * 4096 + 1);
}

#[test]
fn exec_makes_sigchld_the_signal_of_the_end() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let child = crate::process::Pid(bench.value(pid, CLONE, &[0, 0, 0, 0, 0]) as u32);
    let path = bench.string(child, "/bin/tiny");
    bench.call(child, 59, [path, 0, 0, 0, 0, 0]);
    bench.call(child, 231, [0; 6]);
    assert_eq!(bench.value(pid, 61, &[KEEP, 0, 0, 0]) as i64, i64::from(child.0));
}

#[test]
fn who_may_not_use_all_files_starts_no_program_that_may() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make("/bin/OTHER.COM", mode::FILE | 0o755, b"\xc3");
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/bin/OTHER.COM");
    bench.error(pid, 59, &[path, 0, 0], Errno::EACCES);
}

/// Makes /bin/su anew with a mode, as root's and everybody's to write.
fn make_su(bench: &mut Bench, bits: u32) {
    let node = bench.files.make("/bin/su", mode::FILE | bits, b"x");
    bench.files.own(node, 0);
}

/// Returns the permissions of /bin/su.
fn su_mode(bench: &mut Bench, pid: Pid) -> u32 {
    const STAT: u32 = 4;
    let path = bench.string(pid, "/bin/su");
    assert_eq!(bench.value(pid, STAT, &[path, DATA]), 0);
    u32::from_le_bytes(bench.peek(pid, DATA + 24, 4).try_into().unwrap()) & 0o7777
}

// inode(7), write(2), truncate(2); `setattr_should_drop_suidgid` of fs/attr.c.
#[test]
fn writing_takes_set_id_bits_from_who_could_not_give_them() {
    let mut bench = Bench::new();
    let root = bench.launch();
    let pid = fork(&mut bench, root);
    assert_eq!(bench.value(pid, SETRESGID, &[1000, 1000, 1000]), 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    for (before, after) in [(0o4777, 0o777), (0o2777, 0o777), (0o6766, 0o766), (0o1777, 0o1777)] {
        make_su(&mut bench, before);
        let path = bench.string(root, "/bin/su");
        let fd = bench.value(root, OPEN, &[path, 1]);
        assert_eq!(bench.value(root, WRITE, &[fd, path, 3]), 3);
        assert_eq!(su_mode(&mut bench, pid), before, "root may give them");
        let path = bench.string(pid, "/bin/su");
        let fd = bench.value(pid, OPEN, &[path, 1]);
        assert_eq!(bench.value(pid, WRITE, &[fd, path, 0]), 0);
        assert_eq!(su_mode(&mut bench, pid), before, "nothing is written");
        assert_eq!(bench.value(pid, WRITE, &[fd, path, 3]), 3);
        assert_eq!(su_mode(&mut bench, pid), after);
        // It is known to have none now, until it gets them again.
        let path = bench.string(root, "/bin/su");
        assert_eq!(bench.value(root, CHMOD, &[path, before.into()]), 0);
        assert_eq!(bench.value(pid, WRITE, &[fd, path, 3]), 3);
        assert_eq!(su_mode(&mut bench, pid), after);
    }
}

#[test]
fn truncating_takes_set_id_bits() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    for (number, words) in [(TRUNCATE, [0, 0]), (TRUNCATE, [1, 0]), (OPEN, [0o1001, 0])] {
        make_su(&mut bench, 0o4777);
        let path = bench.string(pid, "/bin/su");
        assert!((bench.value(pid, number, &[path, words[0], words[1]]) as i64) >= 0);
        assert_eq!(su_mode(&mut bench, pid), 0o777, "{number} {words:?}");
    }
    make_su(&mut bench, 0o4777);
    let path = bench.string(pid, "/bin/su");
    let fd = bench.value(pid, OPEN, &[path, 1]);
    assert_eq!(bench.value(pid, FTRUNCATE, &[fd, 9]), 0);
    assert_eq!(su_mode(&mut bench, pid), 0o777);
}

#[test]
fn copying_into_a_file_takes_set_id_bits() {
    const FALLOCATE: u32 = 285;
    const COPY_FILE_RANGE: u32 = 326;
    let mut bench = Bench::new();
    let pid = bench.launch();
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "/etc/words");
    let from = bench.value(pid, OPEN, &[path, 0]);
    for number in [COPY_FILE_RANGE, FALLOCATE] {
        make_su(&mut bench, 0o4777);
        let path = bench.string(pid, "/bin/su");
        let to = bench.value(pid, OPEN, &[path, 1]);
        let words = if number == FALLOCATE { [to, 0x10, 0, 1, 0] } else { [from, 0, to, 0, 3] };
        assert!((bench.value(pid, number, &words) as i64) >= 0);
        assert_eq!(su_mode(&mut bench, pid), 0o777, "{number}");
    }
}

/// Returns mode and ids of a path, whose last link is not followed.
fn attributes(bench: &mut Bench, pid: Pid, path: &str) -> (u32, u32, u32) {
    const LSTAT: u32 = 6;
    let path = bench.string(pid, path);
    assert_eq!(bench.value(pid, LSTAT, &[path, DATA]), 0);
    let words = bench.peek(pid, DATA + 24, 12);
    let word = |at: usize| u32::from_le_bytes(words[at..at + 4].try_into().unwrap());
    (word(0) & 0o7777, word(4), word(8))
}

// `mode_strip_sgid`, `inode_init_owner` (fs/inode.c), `vfs_mkdir` (fs/namei.c).
#[test]
fn a_directory_s_group_gives_no_rights_to_who_is_no_member() {
    const MKDIR: u32 = 83;
    const SYMLINK: u32 = 88;
    const UMASK: u32 = 95;
    const SETGROUPS: u32 = 116;
    const MKNOD: u32 = 133;
    let mut bench = Bench::new();
    let root = bench.launch();
    bench.files.make("/tmp/d", mode::DIRECTORY | 0o2777, b"");
    let pid = fork(&mut bench, root);
    assert_eq!(bench.value(pid, SETGROUPS, &[0, 0]), 0);
    assert_eq!(bench.value(pid, SETRESGID, &[1000, 1000, 1000]), 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    for pid in [root, pid] {
        assert_eq!(bench.value(pid, UMASK, &[0o022]), 0o022);
    }
    for (name, number, bits, after) in [
        ("open", OPEN, [0o101, 0o2755], 0o755),
        ("mknod", MKNOD, [0o2755, 0], 0o755),
        ("no program", MKNOD, [0o2745, 0], 0o2745),
        ("directory", MKDIR, [0o7755, 0], 0o3755),
        ("link", SYMLINK, [0, 0], 0o777),
    ] {
        let path = bench.string(pid, &alloc::format!("/tmp/d/{name}"));
        let words = if number == SYMLINK { [path, path, 0] } else { [path, bits[0], bits[1]] };
        assert!((bench.value(pid, number, &words) as i64) >= 0, "{name}");
        let path = alloc::format!("/tmp/d/{name}");
        assert_eq!(attributes(&mut bench, pid, &path), (after, 1000, 0), "{name}");
    }
    let path = bench.string(root, "/tmp/d/root");
    assert_eq!(bench.value(root, MKNOD, &[path, 0o2755, 0]), 0);
    assert_eq!(attributes(&mut bench, root, "/tmp/d/root"), (0o2755, 0, 0), "a member");
}

// setfsuid(2): files belong to the ids for files.
#[test]
fn what_is_made_belongs_to_the_ids_for_files() {
    const SETFSUID: u32 = 122;
    const SETFSGID: u32 = 123;
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make("/tmp/d", mode::DIRECTORY | 0o777, b"");
    assert_eq!(bench.value(pid, SETFSGID, &[5]), 0);
    assert_eq!(bench.value(pid, SETFSUID, &[7]), 0);
    let path = bench.string(pid, "/tmp/d/x");
    bench.value(pid, OPEN, &[path, 0o101, 0o600]);
    assert_eq!(attributes(&mut bench, pid, "/tmp/d/x"), (0o600, 7, 5));
}

// rename(2), EACCES: "oldpath is a directory and does not allow write permission".
#[test]
fn a_directory_changes_its_parent_for_who_may_write_to_it_only() {
    const RENAME: u32 = 82;
    let mut bench = Bench::new();
    let pid = bench.launch();
    for (directory, bits) in [("/tmp/a", 0o777), ("/tmp/b", 0o777), ("/tmp/a/x", 0o755)] {
        bench.files.make(directory, mode::DIRECTORY | bits, b"");
    }
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let old = bench.string(pid, "/tmp/a/x");
    bench.poke(pid, DATA, b"/tmp/b/x\0");
    bench.error(pid, RENAME, &[old, DATA], Errno::EACCES);
    bench.poke(pid, DATA, b"/tmp/a/y\0");
    assert_eq!(bench.value(pid, RENAME, &[old, DATA]), 0);
}

// path_resolution(7): search permission is for the directories on the way.
#[test]
fn what_a_path_ends_at_needs_no_search_permission() {
    const STAT: u32 = 4;
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.files.make("/tmp/p", mode::DIRECTORY | 0o700, b"");
    bench.files.make("/tmp/p/q", mode::DIRECTORY | 0o777, b"");
    let path = bench.string(pid, "/tmp/p/q");
    assert_eq!(bench.value(pid, CHDIR, &[path]), 0);
    assert_eq!(bench.value(pid, SETRESUID, &[1000, 1000, 1000]), 0);
    let path = bench.string(pid, "..");
    assert_eq!(bench.value(pid, STAT, &[path, DATA]), 0);
    bench.error(pid, CHDIR, &[path], Errno::EACCES);
    let path = bench.string(pid, "../.");
    bench.error(pid, STAT, &[path, DATA], Errno::EACCES);
}

#[test]
fn a_program_rewritten_in_place_is_read_anew_whatever_its_time_says() {
    const PWRITE: u32 = 18;
    const UTIMENSAT: u32 = 280;
    let mut bench = Bench::new();
    let pid = bench.launch();
    let path = bench.string(pid, "/bin/tiny");
    let fd = bench.value(pid, OPEN, &[path, 1]);
    bench.poke(pid, DATA, &[0xcc; 16]);
    assert_eq!(bench.value(pid, FSTAT, &[fd, DATA + 256]), 0);
    assert_eq!(bench.value(pid, PWRITE, &[fd, DATA, 16, 0x100]), 16);
    let times = bench.peek(pid, DATA + 256 + 72, 32);
    bench.poke(pid, DATA + 64, &times);
    assert_eq!(bench.value(pid, UTIMENSAT, &[fd, 0, DATA + 64, 0]), 0);
    let child = fork(&mut bench, pid);
    bench.call(child, EXECVE, [path, 0, 0, 0, 0, 0]);
    assert_eq!(bench.peek(child, 0x40_0100, 4), [0xcc; 4]);
}
