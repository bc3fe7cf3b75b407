//! The server behind the protocol: sessions that live, and what they ask.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Notification, Object, WriteLease};
use protocols::dos::{Access, Dos, DosError, Sharing, dos_label, serve_dos};
use protocols::file::Node;

use crate::sharing::{Open, SharingTable};

/// Most sessions at once.
pub const SESSIONS_MAX: usize = 128;
/// The drives unless others are given: DOS programs, and the whole file tree.
const DRIVES: &[u8] = b"C /dos\nD /\n";

/// The DOS server.
#[derive(Debug)]
pub struct Server {
    /// As lines "C /path\n".
    drives: Vec<u8>,
    sessions: BTreeMap<u64, Notification>,
    sharing: SharingTable,
}

impl Default for Server {
    fn default() -> Self {
        Server::new(DRIVES)
    }
}

impl Server {
    /// Returns a server whose drives are the lines "C /path\n".
    pub fn new(drives: &[u8]) -> Self {
        let (sessions, sharing) = Default::default();
        Server { drives: drives.to_vec(), sessions, sharing }
    }

    /// Forgets sessions that are gone: nothing of theirs can be signalled any more.
    fn forget_the_dead(&mut self) {
        let Server { sessions, sharing, .. } = self;
        sessions.retain(|session, alive| {
            let lives = alive.signal(0).is_ok();
            if !lives {
                sharing.forget(*session);
                // The capability names nothing any more.
                let _ = alive.delete();
            }
            lives
        });
    }
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] = &[Protocol::new(dos_label::PROTOCOL, serve_dos)];
}

impl Dos for Server {
    fn attach(&mut self, caller: &Caller, alive: Notification) -> Result<(), DosError> {
        if self.sessions.len() >= SESSIONS_MAX {
            self.forget_the_dead();
        }
        if self.sessions.len() >= SESSIONS_MAX {
            let _ = alive.delete();
            return Err(DosError::NoResources);
        }
        if let Some(old) = self.sessions.insert(caller.badge, alive) {
            self.sharing.forget(caller.badge);
            let _ = old.delete();
        }
        Ok(())
    }

    fn drives(&mut self, _: &Caller, into: WriteLease<'_>) -> Result<u64, DosError> {
        into.write_at(0, &self.drives).map_err(|_| DosError::Invalid)?;
        Ok(self.drives.len() as u64)
    }

    fn open(
        &mut self,
        caller: &Caller,
        file: Node,
        access: Access,
        sharing: Sharing,
    ) -> Result<(), DosError> {
        let session = caller.badge;
        if !self.sessions.contains_key(&session) {
            return Err(DosError::NotFound);
        }
        let open = Open { session, file, access, sharing };
        match self.sharing.add(open) {
            Ok(()) => Ok(()),
            // Those in the way may be gone.
            Err(_) => {
                self.forget_the_dead();
                self.sharing.add(open)
            }
        }
    }

    fn close(
        &mut self,
        caller: &Caller,
        file: Node,
        access: Access,
        sharing: Sharing,
    ) -> Result<(), DosError> {
        self.sharing.remove(&Open { session: caller.badge, file, access, sharing })
    }
}

#[cfg(test)]
mod tests {
    use super::Server;
    use libipc::loopback::Loopback;
    use libipc::{Endpoint, Failure, Handle, Notification};
    use protocols::dos::{Access, DosClient, DosError, Sharing, serve_dos};
    use protocols::file::Node;

    #[test]
    fn a_session_that_did_not_attach_opens_nothing() {
        let mut server = Server::default();
        let loopback = Loopback::new(7, |request| serve_dos(&mut server, request));
        let client = DosClient::with(Endpoint(Handle(1)), &loopback);
        let opened = client.open(Node(1), Access::Read, Sharing::DenyAll);
        assert_eq!(opened, Err(Failure::Protocol(DosError::NotFound)));
        client.attach(Notification(Handle(9))).unwrap();
        client.open(Node(1), Access::Read, Sharing::DenyAll).unwrap();
        client.close(Node(1), Access::Read, Sharing::DenyAll).unwrap();
    }

    #[test]
    fn the_drives_are_listed() {
        let mut server = Server::default();
        let loopback = Loopback::new(7, |request| serve_dos(&mut server, request));
        let client = DosClient::with(Endpoint(Handle(1)), &loopback);
        let mut text = [0; 64];
        let len = client.drives(&mut text).unwrap() as usize;
        assert_eq!(&text[..len], b"C /dos\nD /\n");
        assert!(client.drives(&mut text[..2]).is_err());
    }
}
