//! Tests of job control: what stops, who is hung up, whom Ctrl-C reaches.

use libipc::Kind;
use protocols::process::ExitStatus;

use super::{DATA, EXECVE, EXIT_GROUP, KILL, READ, WAIT4, fork, handle, make_pipe};
use crate::Errno;
use crate::fake::Bench;
use crate::linux::signals;
use crate::process::Life;
use crate::signal::Info;
use crate::unix::{Reply, event};

const SETPGID: u32 = 109;

#[test]
fn nothing_stops_what_nobody_would_continue() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.waits(pid, READ, &[0, DATA, 10]);
    bench.unix.notified(protocols::console::event::SUSPEND);
    // The native shell, which has started it, continues nothing: SIGSTOP goes beyond POSIX here.
    for signal in [signals::SIGTTIN, signals::SIGTTOU, signals::SIGTSTP, signals::SIGSTOP] {
        bench.unix.send(pid, Info::of_system(signal));
        bench.unix.notified(0);
        assert_eq!(bench.unix.processes[&pid].life, Life::Running, "signal {signal}");
    }
    bench.servers.0.borrow_mut().typed.extend(b"key\n");
    bench.unix.notified(protocols::console::event::READABLE);
    assert_eq!(bench.answer(pid), Some(Reply::Value(4)), "the read goes on");
    let child = fork(&mut bench, pid);
    bench.waits(child, READ, &[0, DATA, 10]);
    bench.unix.send(child, Info::of_system(signals::SIGSTOP));
    bench.unix.notified(0);
    assert_eq!(bench.unix.processes[&child].life, Life::Stopped(signals::SIGSTOP));
}

#[test]
fn a_job_stops_and_is_hung_up_and_continued_when_its_shell_ends() {
    let mut bench = Bench::new();
    let shell = bench.launch();
    let jobs = [fork(&mut bench, shell), fork(&mut bench, shell)];
    for job in jobs {
        bench.value(shell, SETPGID, &[job.0.into(), jobs[0].0.into()]);
    }
    let (read, _) = make_pipe(&mut bench, jobs[1]);
    handle(&mut bench, jobs[1], signals::SIGHUP, 0);
    bench.waits(jobs[1], READ, &[read, DATA, 1]);
    bench.value(shell, KILL, &[jobs[0].0.into(), signals::SIGTSTP.into()]);
    let number = bench.thread(jobs[0]);
    bench.event(number, Kind::Recall, 0, [0; 6]);
    assert_eq!(bench.unix.processes[&jobs[0]].life, Life::Stopped(signals::SIGTSTP));
    bench.call(shell, EXIT_GROUP, [0; 6]);
    assert!(!bench.unix.processes.contains_key(&jobs[0]), "hung up, and continued to end by it");
    assert_eq!(bench.answer(jobs[1]), Some(Reply::Resume), "the other member handles SIGHUP");
    assert_eq!(bench.registers(jobs[1]).rdi, signals::SIGHUP.into());
}

#[test]
fn an_orphaned_group_reads_no_terminal_from_the_background() {
    let mut bench = Bench::new();
    let shell = bench.launch();
    let job = fork(&mut bench, shell);
    bench.value(shell, SETPGID, &[job.0.into(), job.0.into()]);
    let orphan = fork(&mut bench, job);
    bench.value(job, SETPGID, &[orphan.0.into(), orphan.0.into()]);
    bench.call(job, EXIT_GROUP, [0; 6]);
    bench.error(orphan, READ, &[0, DATA, 1], Errno::EIO);
}

#[test]
fn a_session_that_ctrl_c_ended_takes_its_group_along() {
    for (status, ends) in [(256 + 2, true), (130, false)] {
        let mut bench = Bench::new();
        let shell = bench.launch();
        let dos = fork(&mut bench, shell);
        let cat = fork(&mut bench, shell);
        for job in [dos, cat] {
            bench.value(shell, SETPGID, &[job.0.into(), dos.0.into()]);
        }
        bench.unix.terminals.control_mut(crate::terminal::Line::Console).foreground = Some(dos);
        let (read, _) = make_pipe(&mut bench, cat);
        bench.waits(cat, READ, &[read, DATA, 1]);
        let path = bench.string(dos, "/bin/GAME.COM");
        assert_eq!(bench.call(dos, EXECVE, [path, 0, 0, 0, 0, 0]), None);
        bench.servers.0.borrow_mut().ended = Some(ExitStatus(status));
        bench.unix.notified(event::NATIVE);
        assert_eq!(bench.unix.processes[&cat].is_zombie(), ends, "status {status}");
        assert!(!bench.unix.processes[&shell].is_zombie());
        assert_eq!(bench.value(shell, WAIT4, &[dos.0.into(), DATA, 0, 0]), dos.0.into());
        let wait_status = if ends { [signals::SIGINT, 0] } else { [0, 130] };
        assert_eq!(bench.peek(shell, DATA, 2), wait_status);
    }
}

/// A session takes the console's events with the endpoint that it is given, ours, and gives them up.
#[test]
fn after_a_dos_program_the_console_reports_to_linux_programs_again() {
    let mut bench = Bench::new();
    let shell = bench.launch();
    let dos = fork(&mut bench, shell);
    bench.value(shell, SETPGID, &[dos.0.into(), dos.0.into()]);
    bench.unix.terminals.control_mut(crate::terminal::Line::Console).foreground = Some(dos);
    let path = bench.string(dos, "/bin/GAME.COM");
    assert_eq!(bench.call(dos, EXECVE, [path, 0, 0, 0, 0, 0]), None);
    bench.servers.0.borrow_mut().taken = false;
    bench.servers.0.borrow_mut().ended = Some(ExitStatus(0));
    bench.unix.notified(event::NATIVE);
    assert!(bench.servers.0.borrow().taken);
}

// What a background process gets that reads its terminal (POSIX 11.1.4), before it is a DOS program.
#[test]
fn a_dos_program_in_the_background_stops_before_it_begins() {
    let mut bench = Bench::new();
    let shell = bench.launch();
    let job = fork(&mut bench, shell);
    bench.value(shell, SETPGID, &[job.0.into(), job.0.into()]);
    let path = bench.string(job, "/bin/GAME.COM");
    bench.waits(job, EXECVE, &[path, 0, 0]);
    assert_eq!(bench.unix.processes[&job].life, Life::Stopped(signals::SIGTTIN));
    assert!(bench.unix.processes[&job].native.is_none());
    bench.unix.terminals.control_mut(crate::terminal::Line::Console).foreground = Some(job);
    bench.value(shell, KILL, &[job.0.into(), signals::SIGCONT.into()]);
    assert!(bench.unix.processes[&job].native.is_some());
}
