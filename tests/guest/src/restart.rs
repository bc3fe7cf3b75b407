//! Tests of servers that end: by request, by crashing, by hanging (tests/guest/faulty).

use crate::case::{Case, Step, Way};

/// Returns the tests. What has times runs under the instruction clock, so that a host under load
/// stretches none; but for the hang, whose seconds are too many instructions.
pub fn cases() -> Vec<Case> {
    let survivor = |name: &str, check: &str| {
        Case::program(name, &["survivor", check]).by(Way::InstructionClock)
    };
    vec![
        survivor("restart: a server that hangs is ended by its heartbeat", "hang")
            .by(Way::Microvm)
            .mentions(&["after three periods", "its next life answers", "ok: init knows"])
            .logs(&[
                "server hanging (pid",
                "hangs: no answer to 3 heartbeats, one each 1000 ms",
                "server hanging restarted as pid",
            ]),
        survivor("restart: a server that crashes on each start is given up", "crash")
            .mentions(&["in place of silence", "ok: init knows why", "ok: a restart gives"])
            .logs(&[
                "server crashing restarted as pid",
                "server crashing is restarted in 10 ms",
                "server crashing is restarted in 20 ms",
                "server crashing is restarted in 40 ms",
                "server crashing stays down: gave up: 5 ends within 10 s, the last: page fault",
            ]),
        survivor("restart: leaves nothing behind", "leak").mentions(&["ok: 50 restarts of each"]),
        survivor("restart: a stateless server is back within 2 ms", "latency")
            .mentions(&["ok: killed and answering", "ok: crashed and answering"]),
        at_the_terminal(),
    ]
}

fn at_the_terminal() -> Case {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    Case::terminal(
        "restart: the shell lists servers and starts them again",
        &[
            see("kamen:"),
            keys("restart clock\r"),
            see("clock runs as pid"),
            keys("restart cl\r"),
            see("no server cl"),
            keys("survivor crash\r"),
            see("server crashing stays down: gave up: 5 ends within 10 s, the last: page fault"),
            see("ok: a restart gives"),
            keys("services\r"),
            see("1 clock        running"),
            see("5 crashing     running"),
            keys("exit\r"),
        ],
    )
}
