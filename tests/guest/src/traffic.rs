//! What the host does at the other end of the guest's network card.

use std::time::Duration;

/// What a test's network card is connected with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plug {
    /// There is no card.
    #[default]
    None,
    /// QEMU's user network, with a port of the host that leads to this one of the guest.
    User {
        /// The guest's port.
        port: u16,
    },
    /// The test itself, which sends and receives frames.
    Wire(Interface),
}

/// Which interface of the device the driver finds, where the board has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The board's default.
    Default,
    /// That of virtio 1.0.
    Modern,
}

/// What the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Connects to the guest's echo service, several times at once, and sends so many bytes by each
    /// connection, comparing what comes back.
    Echo {
        /// How many connections.
        connections: usize,
        /// How many bytes by each.
        bytes: usize,
    },
    /// The same without an end, until the test asks for it.
    Endless {
        /// How many connections.
        connections: usize,
        /// Whether they may break.
        breaks: Breaks,
    },
    /// Asks the guest for answers, as a host on the wire: ARP, then so many ICMP echo requests.
    Ping {
        /// How many.
        count: u16,
    },
    /// Answers the guest's ARP and ICMP echo requests, until the test asks for the end.
    Answer,
}

/// Whether connections may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// None may.
    Never,
    /// They may; a new one must work within this time.
    Within(Duration),
}
