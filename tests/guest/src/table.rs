//! The list of tests, by area.

use crate::case::{Case, Step, Way};
use crate::programs;
use std::time::Duration;

/// Returns all tests.
pub fn cases() -> Vec<Case> {
    [boots(), form(), native(), unix(), dos(), terminal(), containment()].concat()
}

/// Every way in ends with a program that runs.
fn boots() -> Vec<Case> {
    let boot = |name, way| Case::program(name, &["echo", "kamen"]).prints("kamen\n").by(way);
    vec![
        boot("boot: PVH on q35", Way::Q35),
        boot("boot: PVH on microvm", Way::Microvm),
        boot("boot: instruction clock", Way::InstructionClock),
        boot("boot: ISO under SeaBIOS", Way::Bios).within(120),
        boot("boot: ISO under OVMF", Way::Uefi).within(240),
    ]
}

/// `cargo xtask run -- PROGRAM` is exact.
fn form() -> Vec<Case> {
    let every_byte: Vec<u8> = (0..=255u8).cycle().take(64 << 10).collect();
    vec![
        Case::line("program: its exit status is ours", "exit 42").prints("").exits(42),
        Case::program("program: arguments arrive as they are", &["printf", "%s|", "a b", "", "é$"])
            .prints("a b||é$|"),
        Case::program("program: every byte passes both ways", &["cat"])
            .reads(&every_byte)
            .prints(&every_byte),
        Case::program("program: output has no carriage returns", &["printf", "a\nb\n"])
            .prints("a\nb\n"),
        Case::program("program: one that is not there", &["no-such-program"]).exits(127),
        Case::program("program: a time limit ends it", &["sleep", "1000"]).exits(124).within(8),
        Case::script("script: the shell ends at the end of its input", "echo one\necho two\n")
            .prints("one\ntwo\n"),
        Case::script("script: its last status is ours", "exit 3\n").prints("").exits(3),
    ]
}

/// Native programs and the native shell.
fn native() -> Vec<Case> {
    vec![
        Case::program("libipc: against the kernel, in two address spaces", &["ipc-test"]),
        Case::terminal(
            "shell: programs of each personality are listed",
            &[
                see(SHELL),
                keys("help\r"),
                see("power off"),
                see(SHELL),
                keys("unix sh -c 'echo from $((40+2))'\r"),
                see("from 42"),
                see(SHELL),
                keys("ps\r"),
                see("native"),
                see(SHELL),
                keys("exit 9\r"),
            ],
        )
        .exits(9),
    ]
}

/// Busybox on the UNIX personality.
fn unix() -> Vec<Case> {
    let spin_then_kill = "/tmp/spin & sleep 0.2; kill -9 $!; wait $! 2> /dev/null; echo $?";
    vec![
        Case::script("busybox: a session", include_str!("../scripts/session.sh"))
            .prints(include_str!("../scripts/session.out"))
            .within(120),
        Case::line("pipe: a writer whose reader is gone ends", "yes | head -n 2; echo done")
            .prints("y\ny\ndone\n"),
        Case::line("signal: a program that spins is killed", spin_then_kill)
            .with("/tmp/spin", programs::spin())
            .prints("137\n"),
    ]
}

/// DOS programs, alone and among others.
fn dos() -> Vec<Case> {
    let sample = |name: &str, file: &str| Case::program(name, &[&format!("/dos/{file}")]);
    vec![
        sample("dos: a .COM program prints", "HELLO.COM").prints("Hello from DOS\r\n"),
        sample("dos: a .COM program copies its input", "ECHOIN.COM")
            .reads(b"one\r\ntwo\x00\x10three")
            .prints(b"one\r\ntwo\x00\x10three"),
        Case::program("dos: the command tail arrives", &["/dos/ARGS.COM", "a", "bc"])
            .prints("[ a bc]\r\n"),
        Case::program("dos: the exit code is ours", &["/dos/EXITCODE.COM", "42"]).exits(42),
        sample("dos: an .EXE program is relocated", "RELOC.EXE").exits(5),
        sample("dos: files are written, read and sought", "SEEKER.COM").mentions(&["ABC"]),
        sample("dos: memory is allocated and freed", "MEMORY.COM").mentions(&["memory ok"]),
        Case::line("dos: a program executes another", "cd /dos && ./PARENT.COM; echo $?")
            .mentions(&["child ended with 7", "8\n"]),
        Case::line(
            "dos: files are shared with UNIX programs",
            "cd /tmp; echo shared > IN.TXT; /dos/COPYFILE.COM IN.TXT OUT.TXT; cat OUT.TXT; ls",
        )
        .prints("shared\nIN.TXT\nOUT.TXT\n"),
        Case::line(
            "pipeline: UNIX, DOS, UNIX",
            "cd /dos; printf 'pear\\napple\\nfig\\n' > /tmp/words; \
             cat /tmp/words | ./SORTER.COM; cat /tmp/words | ./SORTER.COM | wc -l",
        )
        .prints("apple\nfig\npear\n3\n"),
        Case::line(
            "pipeline: a DOS writer whose reader is gone ends",
            "/dos/ENDLESS.COM | head -n 1",
        )
        .within(30),
    ]
}

fn see(text: &str) -> Step {
    Step::See(text.to_owned())
}

fn keys(text: &str) -> Step {
    Step::Type(text.to_owned())
}

/// The end of the native shell's prompt.
const SHELL: &str = "> ";
/// The end of busybox sh's prompt, as root.
const SH: &str = "# ";

/// A person at the terminal.
fn terminal() -> Vec<Case> {
    let in_sh = |name: &str, steps: &[Step]| {
        let enter = [see(SHELL), keys("sh\r"), see(SH)];
        let leave = [see(SH), keys("exit\r"), see(SHELL), keys("exit\r")];
        Case::terminal(name, &[&enter, steps, &leave].concat())
    };
    let rest = Step::Rest { span: Duration::from_secs(5), percent: 5 };
    vec![
        in_sh("terminal: a line is edited", &[keys("echo he\x7fallo-$((6*7))\r"), see("hallo-42")]),
        in_sh(
            "terminal: Ctrl-C ends a program that waits",
            &[
                keys("cat\r"),
                see("cat"),
                keys("line\r"),
                see("line\r\nline"),
                keys("\x03"),
                see(SH),
                keys("echo status $?\r"),
                see("status 130"),
            ],
        ),
        in_sh("terminal: Ctrl-C ends a program that spins", &interrupted("/tmp/spin"))
            .with("/tmp/spin", programs::spin()),
        in_sh("terminal: Ctrl-C ends a DOS program that waits", &interrupted("/dos/WAITKEY.COM")),
        in_sh("terminal: Ctrl-C ends a DOS program that spins", &interrupted("/dos/SPIN.COM")),
        Case::terminal(
            "terminal: Ctrl-C ends a native program that spins",
            &[&[see(SHELL)], &interrupted("crash spin")[..3], &[see(SHELL), keys("exit\r")]]
                .concat(),
        ),
        Case::terminal(
            "idle: the native shell lets the host's processor rest",
            &[see(SHELL), rest.clone(), keys("exit\r")],
        ),
        in_sh("idle: busybox lets the host's processor rest", &[rest, keys("\r")]),
    ]
}

/// Starts a program that does not end, stops it after a second, and shows that the shell lives.
fn interrupted(program: &str) -> Vec<Step> {
    let pause = Step::Rest { span: Duration::from_secs(1), percent: 200 };
    vec![
        keys(&format!("{program}\r")),
        pause,
        keys("\x03"),
        see(SH),
        keys("echo alive $((1+1))\r"),
        see("alive 2"),
    ]
}

/// What goes wrong stays where it went wrong, and is told.
fn containment() -> Vec<Case> {
    let native = |name, how| {
        let line = [keys(&format!("crash {how}\r")), see(SHELL), keys("exit 3\r")];
        Case::terminal(name, &[&[see(SHELL)], &line[..]].concat()).exits(3)
    };
    vec![
        native("fault: a native program's stack overflow", "overflow")
            .logs(&["crash", "page fault"]),
        native("fault: a native program's panic", "panic").logs(&["crash", "as asked"]),
        native("fault: a native program that wants all memory", "eat").logs(&["crash"]),
        Case::line("fault: a DOS program's undefined instruction", "/dos/BADCODE.COM; echo alive")
            .mentions(&["alive"]),
        Case::line("fault: a DOS program that divides by zero", "/dos/DIVZERO.COM; echo alive")
            .mentions(&["alive"]),
        Case::line("fault: a Linux program's is its own", "/tmp/fault; echo status $?")
            .with("/tmp/fault", programs::fault())
            .mentions(&["status 139"])
            .logs(&["fault", "0x10"]),
        Case::line("fault: an undefined instruction", "/tmp/undefined; echo status $?")
            .with("/tmp/undefined", programs::undefined_instruction())
            .mentions(&["status 132"]),
        Case::program("dynamic: a message says what to do", &["/tmp/dynamic"])
            .with("/tmp/dynamic", programs::dynamic())
            .mentions(&["dynamic"])
            .exits(126),
    ]
}
