//! What the client has: services, and a report of what it saw.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::fmt::Debug;

use libipc::start::Start;
use libipc::{Endpoint, log};
use protocols::stream::{StreamClient, Wait};
use protocols::system::SystemClient;

use crate::FaultyClient;

/// Room for an answer about all servers.
const ROOM: usize = 4096;

/// The client's capabilities, and whether all was as it should be.
pub struct World {
    /// What the client was given.
    pub start: Start,
    /// init.
    pub system: SystemClient,
    /// A server with a heartbeat.
    pub hanging: FaultyClient,
    /// A server with a plan.
    pub crashing: FaultyClient,
    output: Endpoint,
    failures: u32,
}

impl World {
    /// Returns the client's world; nothing where a capability is missing.
    pub fn find(start: &Start) -> Option<Self> {
        let endpoint = |name| start.find::<Endpoint>(name);
        Some(World {
            system: SystemClient::new(endpoint("system")?),
            hanging: FaultyClient::new(endpoint("hanging")?),
            crashing: FaultyClient::new(endpoint("crashing")?),
            output: endpoint("stdout")?,
            start: start.clone(),
            failures: 0,
        })
    }

    /// Prints a line.
    pub fn print(&self, line: &str) {
        let sent = StreamClient::new(self.output).write(Wait::Yes, format!("{line}\n").as_bytes());
        sent.inspect_err(|error| log!("{line}: is lost: {error:?}")).ok();
    }

    /// Reports whether a fact holds, and what was seen where it does not.
    pub fn check(&mut self, fact: &str, holds: bool, seen: impl Debug) {
        if holds {
            self.print(&format!("ok: {fact}"));
        } else {
            self.failures += 1;
            self.print(&format!("FAILED: {fact}: {seen:?}"));
        }
    }

    /// Returns init's line about a server, without its name and process: restarts and state.
    pub fn standing(&self, server: &str) -> String {
        let mut room = vec![0; ROOM];
        let len = self.system.services(0, &mut room).unwrap_or(0);
        let text = String::from_utf8_lossy(room.get(..len as usize).unwrap_or(&[])).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(server)?.strip_prefix(' '));
        line.and_then(|line| line.split_once(' ')).map_or(String::new(), |(_, rest)| rest.into())
    }

    /// Returns the exit status.
    pub fn status(&self) -> i32 {
        i32::from(self.failures > 0)
    }
}
