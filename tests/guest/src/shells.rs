//! Interactive shells of Debian, unmodified: editing, completion, history, job control.
//!
//! What must appear is what the shells' manuals say (bash(1), "JOB CONTROL", "READLINE"; zshall(1);
//! POSIX sh, "jobs"). One boot for each shell.

use crate::case::{Case, Step};
use std::time::Duration;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![bash(), zsh(), ash()]
}

/// The end of bash's prompt, as root.
const BASH: &str = "bash-5.2# ";
/// The prompt that zsh is given.
const ZSH: &str = "zsh> ";
/// The end of ash's prompt, as root.
const ASH: &str = "# ";

fn bash() -> Case {
    let lines = [
        // READLINE: backward-delete-char, beginning-of-line, kill-word, yank.
        ("echo he\x7fallo-$((6*7))\r", "hallo-42"),
        ("ho one two\x01ec\r", "\none two"),
        ("echo a b\x17\x19\x19\r", "\na bb"),
        // Completion of commands and files; history and incremental search.
        ("ls /etc/pass\t\r", "/etc/passwd"),
        ("echo first-$((1+1))\r", "first-2"),
        ("\x10\x10\x10\x10\x0e\x0e\x0e\r", "first-2"),
        ("\x12hallo\r", "hallo-42"),
        ("!ec\r", "hallo-42"),
        // Arrays, here-documents, here-strings, process substitution.
        ("a=(x y z); a[7]=w; echo ${#a[@]}:${a[2]}:${!a[*]}\r", "4:z:0 1 2 7"),
        ("cat << END\rhere $((1+1))\rEND\r", "\nhere 2"),
        ("cat <<< string; paste <(echo p) <(echo q)\r", "string\r\np\tq"),
        ("[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo ${BASH_REMATCH[2]}\r", "\n123"),
        ("time true\r", "real"),
    ];
    let mut steps = Vec::new();
    for (typed, shown) in lines {
        steps.extend([keys(typed), see(shown), see(BASH)]);
    }
    steps.extend(jobs(BASH));
    // Of a background job that wants the terminal the shell is told; Ctrl-C leaves it alone.
    steps.extend([
        keys("read -p ask: x\r"),
        see("x\r\nask:"),
        keys("word\r"),
        see(BASH),
        keys("trap 'echo trapped' INT; kill -INT $$; echo x=$x\r"),
        see("trapped"),
        see("x=word"),
        see(BASH),
        keys("wait\r"),
        keys("sleep 30 | cat\r"),
        pause(),
        keys("\x03"),
        see(BASH),
        keys("echo ${PIPESTATUS[*]}\r"),
        see("130 130"),
        see(BASH),
    ]);
    at_prompt("shells: bash is used by a person", "bash", BASH, &steps).with_package(
        "bash-static",
        "bin/bash-static",
        "/bin/bash",
    )
}

fn zsh() -> Case {
    let lines = [
        ("echo he\x7fallo-$((6*7))\r", "hallo-42"),
        ("ls /etc/pass\t\r", "passwd"),
        ("a=(x y z); echo ${#a}:$a[2]\r", "3:y"),
        ("cat <<< string; paste <(echo p) <(echo q)\r", "string\r\np\tq"),
        ("print -l /etc/*(.) | head -1\r", "/etc/group"),
        ("\x10\x10\r", "string"),
    ];
    let mut steps = Vec::new();
    for (typed, shown) in lines {
        steps.extend([keys(typed), see(shown), see(ZSH)]);
    }
    steps.extend([
        keys("cat\r"),
        pause(),
        keys("\x1a"),
        see("suspended  cat"),
        see(ZSH),
        keys("bg\r"),
        see("suspended (tty input)  cat"),
        keys("fg\r"),
        see("continued  cat"),
        keys("line\r"),
        see("line\r\nline"),
        keys("\x04"),
        see(ZSH),
    ]);
    at_prompt("shells: zsh is used by a person", "PS1='zsh> ' zsh -f", ZSH, &steps).with_package(
        "zsh-static",
        "bin/zsh-static",
        "/bin/zsh",
    )
}

fn ash() -> Case {
    let mut steps = jobs(ASH);
    steps.extend([
        keys("tty; stty size\r"),
        see("/dev/console"),
        see("24 80"),
        see(ASH),
        // Output of the background stops with TOSTOP, and not without.
        keys("stty tostop; echo out-$((1+1)) &\r"),
        see(ASH),
        pause(),
        keys("jobs\r"),
        see("Stopped (tty output)"),
        see(ASH),
        keys("fg\r"),
        see("out-2"),
        see(ASH),
        keys("stty -tostop; echo out-$((1+2)) &\r"),
        see("out-3"),
    ]);
    at_prompt("shells: jobs of busybox sh are stopped and continued", "sh", ASH, &steps)
}

/// Stops, continues and ends jobs; the shell's words are the same in all.
fn jobs(prompt: &str) -> Vec<Step> {
    vec![
        keys("cat\r"),
        pause(),
        keys("\x1a"),
        see("Stopped"),
        see(prompt),
        keys("sleep 100 &\r"),
        see(prompt),
        keys("jobs\r"),
        see("Stopped"),
        see("Running"),
        see("sleep 100"),
        see(prompt),
        // Shells tell before one of the next prompts.
        keys("kill %2\r"),
        pause(),
        keys("\r"),
        see("Terminated"),
        see(prompt),
        // In the background a job that reads the terminal stops again (SIGTTIN).
        keys("bg\r"),
        see("cat"),
        pause(),
        keys("\r"),
        see("Stopped"),
        see(prompt),
        keys("fg\r"),
        see("cat"),
        keys("line\r"),
        see("line\r\nline"),
        keys("\x03"),
        see(prompt),
        keys("echo status $?\r"),
        see("status 130"),
        see(prompt),
    ]
}

/// Returns a test at a shell's prompt.
fn at_prompt(name: &str, shell: &str, prompt: &str, steps: &[Step]) -> Case {
    let start = format!("sh -c \"exec env TERM=vt100 {shell}\"\r");
    let enter = [see("> "), keys(&start), see(prompt)];
    let leave = [keys("exit 0\r"), see("> "), keys("exit 0\r")];
    Case::terminal(name, &[&enter, steps, &leave].concat())
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
