//! Tests of the network: real traffic from the host, on both boards, and over restarts.

use std::time::Duration;

use crate::case::{Case, Step, Way};
use crate::traffic::{Breaks, Interface, Plug, Traffic};

/// The echo service's port.
const ECHO: Plug = Plug::User { port: 7 };
/// What the test's own end of the wire calls the guest; the end itself is the gateway.
const FIXED: &str = "net=10.0.2.15/24,10.0.2.2";

/// How often a server is killed in a test.
const KILLS: u32 = 20;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [idle(), echo(), ping(), restarts()].concat()
}

fn see(text: &str) -> Step {
    Step::See(text.to_owned())
}

fn keys(text: &str) -> Step {
    Step::Type(text.to_owned())
}

/// At the native shell: waits for the address that the network gives, does something, leaves.
fn session(name: &str, way: Way, steps: &[Step]) -> Case {
    let wait = "unix sh -c 'until network ping 10.0.2.2 1; do sleep 0.1; done'\r";
    let begin = [see("kamen:"), keys(wait), see("10.0.2.2 answered after"), see("> ")];
    let end = [keys("network\r"), see("bytes"), see("> "), keys("exit\r")];
    Case::terminal(name, &[&begin[..], steps, &end].concat()).by(way).plugged(ECHO)
}

/// A machine without a card is none the worse.
fn idle() -> Vec<Case> {
    let logs = ["virtio-net: no virtio network card: idle", "net: no network card: idle"];
    let one = |name, way| {
        Case::program(name, &["/bin/network"])
            .by(way)
            .mentions(&["the machine has no network card"])
            .logs(&logs)
            .exits(1)
    };
    vec![one("net: no card, q35", Way::Q35), one("net: no card, microvm", Way::Microvm)]
}

/// Connections from the host through QEMU's user network.
fn echo() -> Vec<Case> {
    let steps = [Step::Host(Traffic::Echo { connections: 4, bytes: 1 << 20 })];
    vec![
        session("net: TCP echo of 4 times 1 MiB, q35", Way::Q35, &steps).within(180),
        session("net: TCP echo of 4 times 1 MiB, microvm", Way::Microvm, &steps).within(180),
    ]
}

/// Frames that the test builds, and answers to the guest's.
fn ping() -> Vec<Case> {
    let steps = [
        see("kamen:"),
        Step::Host(Traffic::Ping { count: 100 }),
        Step::Meanwhile(Traffic::Answer),
        keys("network ping 10.0.2.2 10\r"),
        see("10.0.2.2 answered after"),
        see("> "),
        Step::Join,
        keys("exit\r"),
    ];
    let wire = |name, way, interface| {
        Case::terminal(name, &steps)
            .by(way)
            .plugged(Plug::Wire(interface))
            .set(FIXED)
            .logs(&["virtio-net: network card [52, 54, 00, 12, 34, 56]"])
    };
    vec![
        wire("net: ping both ways, q35", Way::Q35, Interface::Default),
        wire("net: ping both ways, microvm", Way::Microvm, Interface::Default),
        wire("net: ping both ways, microvm, virtio 1.0", Way::Microvm, Interface::Modern),
        Case::line(
            "net: the gateway of QEMU's user network answers",
            "until network ping 10.0.2.2 5; do sleep 0.1; done; network",
        )
        .mentions(&["10.0.2.2 answered after", "10.0.2.15/24 by DHCP, gateway 10.0.2.2"])
        .plugged(ECHO),
    ]
}

/// Servers that die under load, and leave nothing behind.
fn restarts() -> Vec<Case> {
    let kill = |server: &str, times, ms| Step::Kill {
        server: server.to_owned(),
        times,
        pause: Duration::from_millis(ms),
    };
    // The shell remembers what was typed; a page lost at each death would be twice as much.
    let memory = Step::Memory { grown_kib: u64::from(KILLS) * 2 };
    let under_load = |server: &str, breaks| {
        vec![
            Step::Meanwhile(Traffic::Endless { connections: 3, breaks }),
            kill(server, 1, 300),
            memory.clone(),
            kill(server, KILLS, 200),
            Step::Join,
            Step::Host(Traffic::Echo { connections: 2, bytes: 100_000 }),
            memory.clone(),
        ]
    };
    let driver = |name, way| {
        session(name, way, &under_load("virtio-net", Breaks::Never))
            .within(180)
            .logs(&["the ring is opened again"; KILLS as usize])
    };
    let again = Breaks::Within(Duration::from_secs(20));
    let name = "net: new connections work when the stack is killed";
    vec![
        driver("net: connections go on when the driver is killed, q35", Way::Q35),
        driver("net: connections go on when the driver is killed, microvm", Way::Microvm),
        session(name, Way::Microvm, &under_load("net", again)).within(180),
    ]
}
