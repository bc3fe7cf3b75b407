//! Tests of the DOS personality, with the samples of `kamen-dos-samples` in /dos.

use crate::case::{Case, Step};
use std::time::Duration;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [programs_run(), mixed(), terminal(), containment()].concat()
}

fn programs_run() -> Vec<Case> {
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
        Case::program("dos: files are found by pattern", &["/dos/FINDER.COM", "\\DOS\\F*.C?M"])
            .prints("FINDER.COM\r\n"),
        Case::line("dos: a program executes another", "cd /dos && ./PARENT.COM; echo $?")
            .mentions(&["child ended with 7", "8\n"]),
    ]
}

/// DOS programs among UNIX programs.
fn mixed() -> Vec<Case> {
    let sorted = "cd /dos; printf 'pear\\napple\\nfig\\n' > /tmp/words; \
                  cat /tmp/words | ./SORTER.COM; cat /tmp/words | ./SORTER.COM | wc -l";
    let copied = "cd /tmp; echo shared > IN.TXT; \
                  /dos/COPYFILE.COM IN.TXT OUT.TXT; cat OUT.TXT; ls";
    vec![
        Case::line("mixed: files are shared with UNIX programs", copied)
            .prints("shared\nIN.TXT\nOUT.TXT\n"),
        Case::line("mixed: a pipeline of UNIX, DOS, UNIX", sorted).prints("apple\nfig\npear\n3\n"),
        Case::line("mixed: a DOS writer whose reader is gone ends", "/dos/ENDLESS.COM | head -n 1")
            .within(30),
    ]
}

/// A person at the terminal, in the native shell.
fn terminal() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    let rest = Step::Rest { span: Duration::from_secs(4), percent: 5 };
    let work = Step::Rest { span: Duration::from_secs(1), percent: 200 };
    let interrupted = |name: &str, program: &str, text: &str, meanwhile: Step| {
        let start = format!("/dos/{program}\r");
        let ended = [keys("\x03"), see("[130]> "), keys("exit 0\r")];
        let steps = [&[see("kamen:"), keys(&start), see(text), meanwhile], &ended[..]].concat();
        Case::terminal(name, &steps)
    };
    vec![
        Case::terminal(
            "dos: a line is edited at the terminal",
            &[
                see("kamen:"),
                keys("dos /dos/LINES.COM\r"),
                see("\r\n"),
                keys("kx\x7famen\r"),
                see("[kamen]"),
                keys("\r"),
                see("> "),
                keys("exit\r"),
            ],
        ),
        interrupted("dos: Ctrl-C ends a program that spins", "SPIN.COM", "spinning", work),
        interrupted("dos: Ctrl-C ends a program that waits", "WAITKEY.COM", "waiting", rest),
    ]
}

/// What goes wrong stays where it went wrong, and is told.
fn containment() -> Vec<Case> {
    let line = |program: &str| format!("/dos/{program}; echo alive");
    vec![
        Case::line("fault: a DOS program's undefined instruction", &line("BADCODE.COM"))
            .mentions(&["C:\\DOS\\BADCODE.COM: invalid instruction at ", ":0102", "alive"]),
        Case::line("fault: a DOS program that divides by zero", &line("DIVZERO.COM"))
            .mentions(&["DIVZERO.COM: division by zero", "alive"]),
        Case::program("dos: a malformed EXE is refused with the reason", &["/root/BAD.EXE"])
            .with("/root/BAD.EXE", "MZ\x10")
            .mentions(&["its EXE header is cut off"])
            .exits(255),
    ]
}
