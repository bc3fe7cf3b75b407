//! The list of tests, by area.

use crate::case::{Case, Step, Way};
use crate::programs;
use std::time::Duration;

/// Returns all tests.
pub fn cases() -> Vec<Case> {
    [
        boots(),
        form(),
        unix(),
        terminal(),
        containment(),
        crate::native::cases(),
        crate::dos::cases(),
    ]
    .concat()
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

/// A person at the terminal.
fn terminal() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    let rest = Step::Rest { span: Duration::from_secs(5), percent: 5 };
    vec![
        Case::terminal(
            "terminal: a line is edited",
            &[see("# "), keys("echo he\x7fallo-$((6*7))\r"), see("hallo-42"), keys("exit\r")],
        ),
        Case::terminal(
            "terminal: Ctrl-C ends a program that waits",
            &[
                see("# "),
                keys("cat\r"),
                see("cat"),
                keys("line\r"),
                see("line\r\nline"),
                keys("\x03"),
                see("# "),
                keys("echo status $?\r"),
                see("status 130"),
                keys("exit\r"),
            ],
        ),
        Case::terminal(
            "terminal: Ctrl-C ends a program that spins",
            &[
                see("# "),
                keys("/tmp/spin; echo status $?\r"),
                see("status"), // the echo of the line
                Step::Rest { span: Duration::from_secs(1), percent: 200 },
                keys("\x03"),
                see("# "),
                keys("echo alive $((1+1))\r"),
                see("alive 2"),
                keys("exit\r"),
            ],
        )
        .with("/tmp/spin", programs::spin()),
        Case::terminal(
            "idle: the guest lets the host's processor rest",
            &[see("# "), rest, keys("exit\r")],
        ),
    ]
}

/// What goes wrong stays where it went wrong, and is told.
fn containment() -> Vec<Case> {
    vec![
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
