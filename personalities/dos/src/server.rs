//! The server behind the protocol: sessions that live, and what they ask.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Kernel, Notification, Object, Transport, WriteLease};
use protocols::dos::{Access, Dos, DosError, Sharing, dos_label, serve_dos};
use protocols::file::{FileClient, Node, Ticket};

use crate::locks::{Lock, LockTable};
use crate::settings::Settings;
use crate::sharing::{Open, SharingTable};

/// Most sessions at once.
pub const SESSIONS_MAX: usize = 128;
/// Path of the settings, from the root.
const SETTINGS: [&[u8]; 2] = [b"etc", b"dos.cfg"];
/// Most bytes of them that are read.
const SETTINGS_MAX: usize = 4096;

/// The DOS server.
#[derive(Debug)]
pub struct Server<T = Kernel> {
    /// The settings where no file says others.
    settings: Settings,
    /// Where that file is, and those that sessions have open.
    files: Option<FileClient<T>>,
    locks: LockTable,
    sessions: BTreeMap<u64, Notification>,
    sharing: SharingTable,
}

impl Default for Server {
    fn default() -> Self {
        Server::new(Settings::default())
    }
}

impl Server {
    /// Returns a server with settings.
    pub fn new(settings: Settings) -> Self {
        let (locks, sessions, sharing) = Default::default();
        Server { settings, files: None, locks, sessions, sharing }
    }

    /// Returns the server, whose settings are in /etc/dos.cfg, read when a session asks.
    pub fn with_files<T>(self, files: FileClient<T>) -> Server<T> {
        let Server { settings, locks, sessions, sharing, .. } = self;
        Server { settings, files: Some(files), locks, sessions, sharing }
    }
}

impl<T: Transport> Server<T> {
    fn current(&self) -> Settings {
        let read = self.files.as_ref().and_then(read_settings);
        read.map_or_else(|| self.settings.clone(), |text| Settings::parse(&text))
    }

    /// Forgets sessions that are gone: nothing of theirs can be signalled any more. What they had open
    /// they held at the file server, where nobody else lets it go.
    fn forget_the_dead(&mut self) {
        let Server { sessions, sharing, locks, files, .. } = self;
        sessions.retain(|session, alive| {
            let lives = alive.signal(0).is_ok();
            if !lives {
                for file in sharing.forget(*session) {
                    // A file that is gone is not held.
                    let _ = files.as_ref().map(|files| files.release(Ticket::next(), file));
                }
                locks.forget(*session, None);
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

impl<T: Transport> Dos for Server<T> {
    fn attach(&mut self, caller: &Caller, alive: Notification) -> Result<(), DosError> {
        self.forget_the_dead();
        if self.sessions.len() >= SESSIONS_MAX {
            let _ = alive.delete();
            return Err(DosError::NoResources);
        }
        if let Some(old) = self.sessions.insert(caller.badge, alive) {
            self.sharing.forget(caller.badge);
            self.locks.forget(caller.badge, None);
            let _ = old.delete();
        }
        Ok(())
    }

    fn drives(&mut self, _: &Caller, into: WriteLease<'_>) -> Result<u64, DosError> {
        give(&self.current().drives, &into)
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
        let session = caller.badge;
        self.sharing.remove(&Open { session, file, access, sharing })?;
        if !self.sharing.has_open(session, file) {
            self.locks.forget(session, Some(file));
        }
        Ok(())
    }

    fn lock(&mut self, caller: &Caller, file: Node, start: u64, len: u64) -> Result<(), DosError> {
        if !self.sharing.has_open(caller.badge, file) {
            return Err(DosError::NotFound);
        }
        let lock = Lock { session: caller.badge, file, bytes: start..start.saturating_add(len) };
        match self.locks.add(lock.clone()) {
            Ok(()) => Ok(()),
            // Those in the way may be gone.
            Err(_) => {
                self.forget_the_dead();
                self.locks.add(lock)
            }
        }
    }

    fn unlock(
        &mut self,
        caller: &Caller,
        file: Node,
        start: u64,
        len: u64,
    ) -> Result<(), DosError> {
        let bytes = start..start.saturating_add(len);
        self.locks.remove(&Lock { session: caller.badge, file, bytes })
    }

    fn check(&mut self, caller: &Caller, file: Node, start: u64, len: u64) -> Result<(), DosError> {
        let bytes = start..start.saturating_add(len);
        if self.locks.check(caller.badge, file, &bytes).is_err() {
            self.forget_the_dead();
        }
        self.locks.check(caller.badge, file, &bytes)
    }

    fn settings(&mut self, _: &Caller, into: WriteLease<'_>) -> Result<u64, DosError> {
        give(&self.current().others, &into)
    }
}

fn give(text: &[u8], into: &WriteLease<'_>) -> Result<u64, DosError> {
    into.write_at(0, text).map_err(|_| DosError::Invalid)?;
    Ok(text.len() as u64)
}

/// Reads the settings' file; nothing where there is none.
fn read_settings<T: Transport>(files: &FileClient<T>) -> Option<Vec<u8>> {
    let root = files.root().ok()?.node;
    let find = |node, name: &&[u8]| files.lookup(node, name).ok().map(|found| found.node);
    let node = SETTINGS.iter().try_fold(root, find)?;
    let mut text = vec![0; SETTINGS_MAX];
    let len = files.read(node, 0, &mut text).ok()? as usize;
    text.truncate(len);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::Server;
    use libipc::loopback::{Loopback, notification};
    use libipc::{Endpoint, Failure, Handle, Notification, Object};
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
    fn a_lock_needs_an_open_file_and_ends_with_it() {
        let mut server = Server::default();
        let loopback = Loopback::new(7, |request| serve_dos(&mut server, request));
        let other = DosClient::with(Endpoint(Handle(1)), loopback.with_badge(8));
        let client = DosClient::with(Endpoint(Handle(1)), loopback);
        client.attach(Notification(Handle(9))).unwrap();
        assert_eq!(client.lock(Node(1), 0, 5), Err(Failure::Protocol(DosError::NotFound)));
        client.open(Node(1), Access::Both, Sharing::DenyNone).unwrap();
        client.lock(Node(1), 0, 5).unwrap();
        assert_eq!(other.check(Node(1), 4, 1), Err(Failure::Protocol(DosError::Locked)));
        assert_eq!(client.check(Node(1), 4, 1), Ok(()));
        client.close(Node(1), Access::Both, Sharing::DenyNone).unwrap();
        assert_eq!(other.check(Node(1), 4, 1), Ok(()));
    }

    #[test]
    fn what_a_dead_session_had_open_is_free() {
        let mut server = Server::default();
        let loopback = Loopback::new(7, |request| serve_dos(&mut server, request));
        let other = DosClient::with(Endpoint(Handle(1)), loopback.with_badge(8));
        let client = DosClient::with(Endpoint(Handle(1)), loopback);
        let alive = notification();
        client.attach(alive).unwrap();
        other.attach(notification()).unwrap();
        client.open(Node(1), Access::Both, Sharing::DenyAll).unwrap();
        client.lock(Node(1), 0, 5).unwrap();
        let opened = other.open(Node(1), Access::Read, Sharing::DenyNone);
        assert_eq!(opened, Err(Failure::Protocol(DosError::Sharing)));
        alive.destroy().unwrap();
        other.open(Node(1), Access::Read, Sharing::DenyNone).unwrap();
        assert_eq!(other.check(Node(1), 0, 5), Ok(()));
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
