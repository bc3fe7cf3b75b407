//! The kinds of native clients.

use crate::sheet::Server;

/// What a native client calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The file server.
    Files,
    /// The name server.
    Names,
    /// The console.
    Console,
    /// The sample server.
    Counters,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Files, Kind::Names, Kind::Console, Kind::Counters];

    /// Returns the kind of a number, as a report says it.
    pub fn of_number(number: u64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|&kind| kind as u64 == number)
    }

    /// Returns the server that it calls.
    pub const fn server(self) -> Server {
        match self {
            Kind::Files => Server::Files,
            Kind::Names => Server::Names,
            Kind::Console => Server::Console,
            Kind::Counters => Server::Counters,
        }
    }
}
