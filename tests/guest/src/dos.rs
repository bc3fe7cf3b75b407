//! Tests of DOS programs: alone, in pipes with Linux programs, at the terminal.

use crate::case::{Case, Step};
use crate::programs;
use std::time::Duration;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [programs(), mixed(), terminal(), containment()].concat()
}

/// Where the samples lie in the image.
const FOLDER: &str = "/root/";

/// Puts sample programs into a test's image.
fn with(case: Case, names: &[&str]) -> Case {
    let samples = dos_samples::all();
    let chosen = samples.into_iter().filter(|(name, _)| names.contains(name));
    chosen.fold(case, |case, (name, bytes)| case.with(&format!("{FOLDER}{name}"), bytes))
}

/// Returns a test that runs one sample.
fn sample(name: &str, program: &str, arguments: &[&str]) -> Case {
    let path = format!("{FOLDER}{program}");
    let words: Vec<&str> =
        std::iter::once(path.as_str()).chain(arguments.iter().copied()).collect();
    with(Case::program(name, &words), &[program])
}

fn programs() -> Vec<Case> {
    let every_byte: Vec<u8> = (0..=255u8).cycle().take(40_000).collect();
    vec![
        sample("dos: a .COM prints and ends", "HELLO.COM", &[]).prints("Hello from DOS\r\n"),
        sample("dos: an .EXE is relocated", "RELOC.EXE", &[]).prints("relocated\r\n").exits(5),
        sample("dos: exit codes", "EXITCODE.COM", &["42"]).prints("").exits(42),
        sample("dos: every byte passes both ways", "ECHOIN.COM", &[])
            .reads(&every_byte)
            .prints(&every_byte),
        sample("dos: standard input is sorted", "SORTER.COM", &[])
            .reads(b"pear\napple\nfig")
            .prints("apple\nfig\npear\n"),
        sample("dos: files are written, sought and deleted", "SEEKER.COM", &[]).prints("ABC"),
        sample("dos: files are found by pattern", "FINDER.COM", &["F*.C?M"])
            .prints("FINDER.COM\r\n"),
        sample("dos: memory is allocated and freed", "MEMORY.COM", &[]).prints("memory ok\r\n"),
        Case::program(
            "dos: the command interpreter runs lines",
            &["/dos/COMMAND.COM", "/C", "for %a in (1 2) do c:\\exitcode %a"],
        )
        .prints("")
        .exits(2),
        Case::program(
            "dos: the command interpreter finds and sorts",
            &["/dos/COMMAND.COM", "/C", "dir /b c:\\ | find /v \"M\" | sort /r | find \"E\""],
        )
        .prints("RELOC.EXE\r\n"),
        with(sample("dos: a program executes another", "PARENT.COM", &[]), &["EXITCODE.COM"])
            .prints("child ended with 7\n")
            .exits(8),
    ]
}

fn mixed() -> Vec<Case> {
    let pipeline = "cd /root; cat words | ./SORTER.COM | wc -l; ./EXITCODE.COM 9; echo $?";
    let files = "cd /root; echo kamen > from; ./COPYFILE.COM from to; cat to";
    let both = "cd /root; for i in 1 2 3; do seq 1 400 | ./SORTER.COM | wc -l; done & \
                for i in 1 2 3; do seq 1 3000 | sort -n | tail -n 1 >> all; done; wait; cat all; ./spin & \
                kill -9 $!; wait $! 2> /dev/null; echo $?";
    let loadlin = "cd /root; gunzip -c loadlin.exe.gz > LOADLIN.EXE; chmod 755 LOADLIN.EXE; \
                   ./LOADLIN.EXE < /dev/null | head -n 1";
    let pipes = "@echo off\r\nd:\\bin\\busybox ls nowhere | d:\\bin\\busybox wc -l\r\n\
                 d:\\bin\\busybox seq 1 300000 | d:\\bin\\busybox wc -c\r\n";
    let closed = "cd /root; ./ENDLESS.COM | head -n 2 | tr -d '\\r'; echo done";
    vec![
        Case::line("mixed: LOADLIN.EXE, of Debian's package, says who it is", loadlin)
            .with_package("loadlin", "usr/lib/loadlin/loadlin.exe.gz", "/root/loadlin.exe.gz")
            .mentions(&["LOADLIN v1.6"]),
        with(Case::line("mixed: cat | SORTER.COM | wc", pipeline), &["SORTER.COM", "EXITCODE.COM"])
            .with("/root/words", "pear\napple\nfig\n")
            .prints("3\n9\n"),
        Case::program(
            "mixed: the DOS interpreter runs Linux programs",
            &["/dos/COMMAND.COM", "/C", "d:\\bin\\busybox echo direct"],
        )
        .prints("direct\n"),
        Case::program(
            "mixed: a pipe of the DOS interpreter leads through both worlds",
            &["/dos/COMMAND.COM", "/C", "echo b| c:\\sorter | d:\\bin\\busybox tr a-z A-Z"],
        )
        .prints("B\n"),
        Case::program(
            "mixed: errors go past a pipe of the DOS interpreter, and megabytes through it",
            &["/dos/COMMAND.COM", "/C", "d:\\root\\pipes"],
        )
        .with("/root/PIPES.BAT", pipes)
        .mentions(&["nowhere: No such file", "0\n", "1988895\n"]),
        with(Case::line("mixed: both see the same files", files), &["COPYFILE.COM"])
            .prints("kamen\n"),
        with(Case::line("smp: both worlds on two processors", both), &["SORTER.COM"])
            .with("/root/spin", programs::spin())
            .on(2)
            .prints("400\n400\n400\n3000\n3000\n3000\n137\n"),
        with(Case::line("mixed: a closed pipe ends a DOS program", closed), &["ENDLESS.COM"])
            .prints("y\ny\ndone\n"),
    ]
}

fn terminal() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    let rest = Step::Rest { span: Duration::from_secs(4), percent: 5 };
    // Less than the 75 ticks that it waits each time.
    let while_resting = Step::Rest { span: Duration::from_secs(3), percent: 5 };
    let work = Step::Rest { span: Duration::from_secs(1), percent: 200 };
    let ended = see("[130]> ");
    vec![
        with(
            Case::terminal(
                "dos: lines are edited at the terminal",
                &[
                    see("kamen:"),
                    keys("dos /root/LINES.COM\r"),
                    see("\r\n"),
                    keys("kx\x7famen\r"),
                    see("[kamen]"),
                    keys("\r"),
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["LINES.COM"],
        ),
        Case::terminal(
            "dos: the command interpreter at the terminal",
            &[
                see("kamen:"),
                keys("dos\r"),
                see("D:\\"),
                keys("c:\rcd \\\r"),
                see("C:\\>"),
                keys("hellp\x7fo\r"),
                see("Hello from DOS"),
                keys("copy con typed.txt\rtext\r\x1a\r"),
                see("^Z"),
                see("1 file(s) copied"),
                see("C:\\>"),
                keys("spin\r"),
                see("spinning"),
                work.clone(),
                keys("\x03"),
                see("^C"),
                see("C:\\>"),
                keys("exit\r"),
                see("> "),
                keys("exit 0\r"),
            ],
        ),
        // What tells of Ctrl-C tells of keys; without it they are found once a second.
        Case::terminal(
            "dos: after a Linux program the terminal is the session's again",
            &[
                see("kamen:"),
                keys("dos\r"),
                see("D:\\"),
                keys("d:\\bin\\busybox ls -d /dev\r"),
                see("\n/dev"),
                see("D:\\"),
                keys("c:\\spin\r"),
                see("spinning"),
                keys("\x03"),
                see("^C"),
                see("D:\\"),
                keys("exit\r"),
                see("> "),
                keys("exit 0\r"),
            ],
        ),
        with(
            Case::terminal(
                "dos: after a DOS program Ctrl-C is the Linux shell's again",
                &[
                    see("kamen:"),
                    keys("unix sh\r"),
                    see("~ # "),
                    keys("/root/HELLO.COM\r"),
                    see("Hello from DOS"),
                    see("~ # "),
                    keys("echo slee''ps; sleep 1000\r"),
                    see("sleeps"),
                    keys("\x03"),
                    see("^C"),
                    see("~ # "),
                    keys("exit\r"),
                    see("> "),
                    keys("exit 0\r"),
                ],
            ),
            &["HELLO.COM"],
        ),
        with(
            Case::terminal(
                "dos: Ctrl-C ends a program that spins",
                &[
                    see("kamen:"),
                    keys("/root/SPIN.COM\r"),
                    see("spinning"),
                    work,
                    keys("\x03"),
                    ended.clone(),
                    keys("exit 0\r"),
                ],
            ),
            &["SPIN.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program that waits rests, and Ctrl-C ends it",
                &[
                    see("kamen:"),
                    keys("/root/WAITKEY.COM\r"),
                    see("waiting"),
                    rest.clone(),
                    keys("\x03"),
                    ended.clone(),
                    keys("exit 0\r"),
                ],
            ),
            &["WAITKEY.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program that looks for keys in a loop rests",
                &[
                    see("kamen:"),
                    keys("/root/POLLKEY.COM\r"),
                    see("polling"),
                    rest.clone(),
                    keys("k"),
                    see("k"),
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["POLLKEY.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program that waits for ticks in a loop rests",
                &[
                    see("kamen:"),
                    keys("/root/TICKWAIT.COM\r"),
                    see("ticking"),
                    rest.clone(),
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["TICKWAIT.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program that says that it has nothing to do rests",
                &[
                    see("kamen:"),
                    keys("/root/RESTER.COM\r"),
                    see("halting"),
                    while_resting.clone(),
                    see("idling"),
                    while_resting.clone(),
                    see("yielding"),
                    while_resting,
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["RESTER.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program that stores to text memory has all of the terminal",
                &[
                    see("kamen:"),
                    keys("/root/SCREEN.COM\r"),
                    see("\x1b[?1049h"),
                    // Bright white on blue, row 3 and column 11 (ECMA-48 CUP, SGR).
                    see("\x1b[3;11H\x1b[0;97;44mfull screen"),
                    rest,
                    keys("\x1b[A"),
                    see("\x1b[5;1H"),
                    see("U"),
                    keys("q"),
                    see("\x1b[?1049l"),
                    see("[5]> "),
                    keys("exit 0\r"),
                ],
            ),
            &["SCREEN.COM"],
        ),
        with(
            Case::terminal(
                "dos: a UNIX shell lends its terminal and gets it back",
                &[
                    see("kamen:"),
                    keys("busybox sh\r"),
                    see("# "),
                    keys("./LINES.COM\r"),
                    see("\r\n"),
                    keys("kx\x7famen\r"),
                    see("[kamen]\r\n"),
                    keys("\r"),
                    see("# "),
                    keys("echo $((6*7))\r"),
                    see("$((6*7))\r\n42"),
                    see("# "),
                    keys("exit\r"),
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["LINES.COM"],
        ),
        with(
            Case::terminal(
                "dos: a program's Ctrl-C handler is called",
                &[
                    see("kamen:"),
                    keys("/root/BREAKER.COM\r"),
                    see("\r\n"),
                    Step::Rest { span: Duration::from_secs(1), percent: 200 },
                    keys("\x03"),
                    see("break"),
                    keys("q"),
                    see("q"),
                    see("> "),
                    keys("exit\r"),
                ],
            ),
            &["BREAKER.COM"],
        ),
    ]
}

fn containment() -> Vec<Case> {
    let crashes = "cd /root; ./PRIMES.COM > count & \
                   for p in WILD STOPPED DIVZERO BADCODE; do ./$p.COM; echo $?; done; \
                   kill -0 $! && echo still computing; wait; cat count";
    vec![
        sample("fault: a DOS program's names it and the address", "BADCODE.COM", &[])
            .mentions(&["D:\\ROOT\\BADCODE.COM: invalid instruction at ", ":0102"])
            .exits(255),
        sample("fault: a DOS program's division", "DIVZERO.COM", &[])
            .mentions(&["DIVZERO.COM: division by zero"])
            .exits(255),
        with(
            Case::line("fault: DOS sessions crash, and one beside them computes on", crashes),
            &["PRIMES.COM", "WILD.COM", "STOPPED.COM", "DIVZERO.COM", "BADCODE.COM"],
        )
        .mentions(&[
            "halted with interrupts off at 34F4:34F5",
            "255",
            "STOPPED.COM: halted with interrupts off at ",
            ":0102",
            "255",
            "division by zero",
            "255",
            "invalid instruction",
            "255",
            "still computing\n1900\r\n",
        ]),
        Case::program("dos: a malformed EXE is refused with the reason", &["/root/BAD.EXE"])
            .with("/root/BAD.EXE", "MZ\x10")
            .mentions(&["its EXE header is cut off"])
            .exits(255),
    ]
}
