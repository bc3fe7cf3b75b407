//! Tests of a person at the terminal: keys, Ctrl-C, and rest.

use crate::case::{Case, Step};
use crate::programs;
use crate::supply::Recipe;
use std::time::Duration;

/// The end of the native shell's prompt.
const SHELL: &str = "> ";
/// The end of busybox sh's prompt, as root.
const SH: &str = "# ";

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [keys_arrive(), interrupts(), rests(), twins()].concat()
}

fn keys_arrive() -> Vec<Case> {
    vec![in_sh(
        "terminal: a line is edited in sh",
        &[keys("echo he\x7fallo-$((6*7))\r"), see("hallo-42")],
    )]
}

/// Ctrl-C ends what runs in the foreground, and nothing else.
fn interrupts() -> Vec<Case> {
    vec![
        in_sh(
            "terminal: Ctrl-C ends a program that waits",
            &[
                keys("cat\r"),
                pause(), // until the shell has given the terminal to cat
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
    ]
}

/// Pseudo-terminals, sessions, signals and timers do what they do on the host.
fn twins() -> Vec<Case> {
    vec![
        Case::twin("terminal: ptys, sessions and hang-ups as on Linux", "terminal")
            .with_built(Recipe::Glibc("terminal.c"), "/bin/terminal"),
        Case::twin("terminal: signals, timers and waiting as on Linux", "signals")
            .with_built(Recipe::Glibc("signals.c"), "/bin/signals"),
    ]
}

/// An idle system halts the processor.
fn rests() -> Vec<Case> {
    let rest = Step::Rest { span: Duration::from_secs(5), percent: 5 };
    vec![
        Case::terminal("idle: at the native shell", &[see(SHELL), rest.clone(), keys("exit\r")]),
        in_sh("idle: at busybox sh", &[rest, keys("\r")]),
    ]
}

/// Returns a test at the prompt of busybox sh.
fn in_sh(name: &str, steps: &[Step]) -> Case {
    let enter = [see(SHELL), keys("sh\r"), see(SH)];
    let leave = [see(SH), keys("exit 0\r"), see(SHELL), keys("exit 0\r")];
    Case::terminal(name, &[&enter, steps, &leave].concat())
}

/// Starts a program that does not end, stops it after a second, and shows that the shell lives.
fn interrupted(program: &str) -> Vec<Step> {
    vec![
        keys(&format!("{program}\r")),
        pause(),
        keys("\x03"),
        see(SH),
        keys("echo status $?\r"),
        see("status 130"),
    ]
}

/// Waits until what was typed has had its effect, which nothing shows.
fn pause() -> Step {
    Step::Rest { span: Duration::from_secs(1), percent: 200 }
}

fn see(text: &str) -> Step {
    Step::See(text.to_owned())
}

fn keys(text: &str) -> Step {
    Step::Type(text.to_owned())
}
