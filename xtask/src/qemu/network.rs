//! The machine's network card, and what it is connected with.
//!
//! ```text
//!   user   guest 10.0.2.15 ── QEMU's own network ── gateway 10.0.2.2, the host's connections
//!                                   ^ --forward 8007:7
//!   wire   guest ── frames as datagrams of Unix sockets ── a test
//! ```

use super::{Board, with_path};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::Command;

/// The device on q35's bus: its interrupt is line 20, which servers/system.toml gives the driver.
const PCI_DEVICE: &str = "virtio-net-pci,netdev=net,addr=0x4,romfile=";
/// The device on microvm, whose first one takes the last slot, with line 47.
const MMIO_DEVICE: &str = "virtio-net-device,netdev=net";

/// What the machine's network card is connected with.
#[derive(Args, Clone, Debug, Default)]
pub struct Network {
    /// What the network card is connected with.
    #[arg(long = "net", value_enum, default_value_t)]
    pub connection: Connection,
    /// Passes connections to a port of this host (TCP, from itself only) on to one of the guest's,
    /// as in 8007:7; may be repeated. Implies `--net user`.
    #[arg(long = "forward", value_name = "HOST:GUEST", value_parser = parse_forward)]
    pub forwards: Vec<Forward>,
    /// What takes the place of the connection in tests.
    #[arg(skip)]
    pub wire: Option<Wire>,
}

/// What the network card is connected with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Connection {
    /// There is no card.
    #[default]
    None,
    /// QEMU's user network: the guest reaches what the host reaches.
    User,
}

/// A port of the host and the guest's that stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The host's.
    pub host: u16,
    /// The guest's.
    pub guest: u16,
}

/// Two Unix sockets that frames go between as datagrams.
#[derive(Clone, Debug)]
pub struct Wire {
    /// QEMU's.
    pub qemu: PathBuf,
    /// The other end's.
    pub other: PathBuf,
    /// Which interface of the device the driver finds.
    pub age: Age,
}

/// Which interface of the device the driver finds on microvm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Age {
    /// That of before virtio 1.0, which is the board's default.
    #[default]
    Legacy,
    /// That of virtio 1.0.
    Modern,
}

impl Network {
    /// Adds the card to QEMU's command line.
    pub(super) fn add_to(&self, qemu: &mut Command, board: Board) {
        if let Some(wire) = &self.wire {
            let mut both = with_path("dgram,id=net,local.type=unix,local.path=", &wire.qemu);
            both.push(with_path(",remote.type=unix,remote.path=", &wire.other));
            qemu.arg("-netdev").arg(both);
            if wire.age == Age::Modern {
                qemu.args(["-global", "virtio-mmio.force-legacy=false"]);
            }
        } else if self.is_on_user_network() {
            let mut user = String::from("user,id=net,ipv6=off");
            for Forward { host, guest } in &self.forwards {
                user += &format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}");
            }
            qemu.args(["-netdev", &user]);
        } else {
            return;
        }
        let device = match board {
            Board::Q35 => PCI_DEVICE,
            Board::Microvm => MMIO_DEVICE,
        };
        qemu.args(["-device", device]);
    }

    /// Returns whether it is asked for, or implied: who forwards a port wants a card behind it.
    fn is_on_user_network(&self) -> bool {
        self.connection == Connection::User || !self.forwards.is_empty()
    }
}

/// Returns two ports from "HOST:GUEST".
fn parse_forward(text: &str) -> Result<Forward, String> {
    let ports = text.split_once(':').and_then(|(host, guest)| {
        let port = |text: &str| text.parse().ok().filter(|&port: &u16| port != 0);
        Some(Forward { host: port(host)?, guest: port(guest)? })
    });
    ports.ok_or_else(|| "two ports are wanted, the host's and the guest's, as in 8007:7".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn arguments(network: &Network, board: Board) -> Vec<String> {
        let mut command = Command::new("qemu");
        network.add_to(&mut command, board);
        command.get_args().map(OsStr::to_string_lossy).map(String::from).collect()
    }

    #[test]
    fn a_forward_has_two_ports() {
        assert_eq!(parse_forward("8007:7"), Ok(Forward { host: 8007, guest: 7 }));
        for text in ["", "8007", "8007:", ":7", "0:7", "8007:0", "65536:7", "1:2:3", "tcp:1:2"] {
            assert!(parse_forward(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn without_a_connection_there_is_no_card() {
        assert!(arguments(&Network::default(), Board::Q35).is_empty());
    }

    #[test]
    fn the_card_stands_where_its_driver_has_the_line() {
        let forwards = vec![Forward { host: 8007, guest: 7 }];
        let network = Network { connection: Connection::User, forwards, wire: None };
        let user = "user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:8007-:7";
        let expected = |device: &str| ["-netdev", user, "-device", device].map(String::from);
        assert_eq!(arguments(&network, Board::Q35), expected(PCI_DEVICE));
        assert_eq!(arguments(&network, Board::Microvm), expected(MMIO_DEVICE));
    }

    #[test]
    fn a_forward_implies_the_card() {
        let forwards = vec![Forward { host: 8007, guest: 7 }];
        let implied = Network { forwards, ..Network::default() };
        let asked = Network { connection: Connection::User, ..implied.clone() };
        assert_eq!(arguments(&implied, Board::Q35), arguments(&asked, Board::Q35));
        assert!(arguments(&implied, Board::Q35).contains(&PCI_DEVICE.to_owned()));
    }
}
