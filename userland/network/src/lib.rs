//! `network`: what the network stack's address is, what it has done, whether a host answers.
//!
//! ```text
//!   network                     addresses and counters
//!   network ping HOST [COUNT]   asks a host, by its number, for an answer
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;

use libipc::{Failure, Transport};
use protocols::net::{Activity, Address, Host, NetClient, NetError, Origin};

/// What is said where the command line is wrong.
pub const USAGE: &str = "usage: network [ping HOST [COUNT]], HOST being a number as 10.0.2.2\n";
/// Most requests of one command.
pub const COUNT_MAX: u32 = 1000;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Tell addresses and counters.
    Show,
    /// Ask a host so many times.
    Ping {
        /// Whom.
        host: [u8; 4],
        /// How often.
        count: u32,
    },
}

/// Returns what arguments, without the program's name, ask for.
pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Option<Task> {
    let mut words = arguments.into_iter().map(core::str::from_utf8);
    let Some(task) = words.next() else { return Some(Task::Show) };
    let host = words.next()?.ok().and_then(host)?;
    let count = match words.next() {
        Some(count) => count.ok()?.parse().ok()?,
        None => 1,
    };
    let is_ping = task == Ok("ping") && words.next().is_none() && (1..=COUNT_MAX).contains(&count);
    is_ping.then_some(Task::Ping { host, count })
}

fn host(text: &str) -> Option<[u8; 4]> {
    text.parse::<core::net::Ipv4Addr>().ok().map(|address| address.octets())
}

/// Performs a task, telling what comes of it; returns the exit status.
pub fn perform<T: Transport>(net: &NetClient<T>, task: Task, mut tell: impl FnMut(&str)) -> i32 {
    match task {
        Task::Show => match net.address().and_then(|address| Ok((address, net.activity()?))) {
            Ok((address, activity)) => {
                tell(&shown(address, activity));
                0
            }
            Err(failure) => {
                tell(&format!("network: {}\n", cause(failure)));
                1
            }
        },
        Task::Ping { host, count } => {
            let answered = (0..count).filter(|_| ping(net, host, &mut tell)).count();
            i32::from(answered == 0)
        }
    }
}

/// Asks once; returns whether there was an answer.
fn ping<T: Transport>(net: &NetClient<T>, host: [u8; 4], tell: &mut impl FnMut(&str)) -> bool {
    let name = dotted(host);
    match net.ping(Host { address: host }) {
        Ok(ns) => {
            tell(&format!("{name} answered after {} us\n", ns / 1000));
            true
        }
        Err(failure) => {
            tell(&format!("{name}: {}\n", cause(failure)));
            false
        }
    }
}

fn shown(address: Address, activity: Activity) -> String {
    let Address { origin, own, prefix, gateway, card } = address;
    let origin = match origin {
        Origin::None => "no address yet".into(),
        Origin::Network => format!("{}/{prefix} by DHCP, gateway {}", dotted(own), dotted(gateway)),
        Origin::Settings => format!("{}/{prefix} as set, gateway {}", dotted(own), dotted(gateway)),
    };
    let [a, b, c, d, e, f] = card;
    let Activity { received, sent, connections, open, echoed, reopened } = activity;
    format!(
        "address   {origin}\n\
         card      {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}, driver begun anew {reopened} times\n\
         frames    {received} received, {sent} sent\n\
         echo      {connections} connections, {open} open, {echoed} bytes\n"
    )
}

fn dotted(address: [u8; 4]) -> String {
    let [a, b, c, d] = address;
    format!("{a}.{b}.{c}.{d}")
}

/// Returns what a failure means to a person.
fn cause(failure: Failure<NetError>) -> String {
    match failure {
        Failure::Protocol(NetError::NoCard) => {
            "the machine has no network card; boot it with: cargo xtask run --net user".into()
        }
        Failure::Protocol(NetError::NoAddress) => "the stack has no address yet; try again".into(),
        Failure::Protocol(NetError::Busy) => "too many hosts are being asked; try again".into(),
        Failure::Protocol(NetError::NoAnswer) => "no answer".into(),
        other => format!("the network stack does not answer: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(text: &str) -> Option<Task> {
        parse(text.split_whitespace().map(str::as_bytes))
    }

    #[test]
    fn command_lines_are_understood() {
        assert_eq!(task(""), Some(Task::Show));
        let host = [10, 0, 2, 2];
        assert_eq!(task("ping 10.0.2.2"), Some(Task::Ping { host, count: 1 }));
        assert_eq!(task("ping 10.0.2.2 1000"), Some(Task::Ping { host, count: 1000 }));
    }

    #[test]
    fn others_are_refused() {
        for text in [
            "pong",
            "ping",
            "pong 10.0.2.2",
            "ping 10.0.2",
            "ping host",
            "ping 10.0.2.2 0",
            "ping 10.0.2.2 1001",
            "ping 10.0.2.2 1 1",
            "ping 10.0.2.256",
        ] {
            assert_eq!(task(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_and_counters_are_shown() {
        let address = Address {
            origin: Origin::Network,
            own: [10, 0, 2, 15],
            prefix: 24,
            gateway: [10, 0, 2, 2],
            card: [0x52, 0x54, 0, 0x12, 0x34, 0x56],
        };
        let text = shown(address, Activity { echoed: 5, ..Activity::default() });
        assert!(text.starts_with("address   10.0.2.15/24 by DHCP, gateway 10.0.2.2\n"), "{text}");
        assert!(text.contains("52:54:00:12:34:56") && text.contains("5 bytes"), "{text}");
        let none = Address { origin: Origin::None, ..address };
        assert!(shown(none, Activity::default()).starts_with("address   no address yet\n"));
    }
}
