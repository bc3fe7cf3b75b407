//! The campaign of kills: tests/guest/campaign.

use crate::case::{Case, Step};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![campaign(1000, 1)];
    cases.extend(terminal());
    cases
}

/// Returns the test of so many kills, with dice that begin at a seed.
pub fn campaign(kills: u64, seed: u64) -> Case {
    let words = ["campaign", &format!("kills={kills}"), &format!("seed={seed}")];
    let killed = format!("kills: {kills}, ramfs ");
    Case::program(&format!("restart: {kills} kills lose nothing"), &words)
        .mentions(&[
            &killed,
            "idempotent calls lost: 0\n",
            "without a kill: 0\n",
            "wrong answers: 0\n",
            "hangs: 0, clients without report: 0\n",
            "verdict: good\n",
        ])
        .shows("campaign: seed")
        .within(60 + kills / 4)
}

/// A person at a terminal whose console dies: programs that wait for input get it, keys reach
/// them, and modes stay.
fn terminal() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    let kill = "(sleep 1; campaign-killer server=console; echo ki''lled) &";
    let named = |name: &str, steps: &[Step]| {
        let all = [&[see("kamen:")], steps, &[see("> "), keys("exit 6\r")]].concat();
        Case::terminal(name, &all).logs(&["server console", "is killed"]).exits(6)
    };
    vec![
        named(
            "restart: a UNIX program that waits for input gets it from the next console",
            &[
                keys(&format!("sh -c '{kill} read line; echo go''t $line'\r")),
                see("killed"),
                keys("typed\r"),
                see("got typed"),
            ],
        ),
        named(
            "restart: Ctrl-C reaches a UNIX program through the next console",
            &[
                keys(&format!("sh -c '{kill} sleep 1000'\r")),
                see("killed"),
                keys("\x03"),
                see("[130]> "),
                keys("true\r"),
            ],
        ),
        named(
            "restart: the shell edits its line at the next console",
            &[
                keys("sh -c '(sleep 2; campaign-killer server=console; echo ki''lled) & true'\r"),
                see("killed"),
                keys("hullo\x1b[D\x1b[D\x1b[D\x7fe\r"),
                see("hello from kamen"),
            ],
        ),
    ]
}
