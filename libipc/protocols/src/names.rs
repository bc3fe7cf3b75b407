//! Names of services that come and go, and the mount table.

use libipc::{Endpoint, interface};

/// Why a name operation was refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NamesError {
    /// Nothing has that name.
    NotFound = 1,
    /// The name is taken.
    Exists = 2,
    /// The name is empty, too long or not UTF-8.
    InvalidName = 3,
    /// The table is full.
    Full = 4,
}

/// Longest name of a service in bytes.
pub const NAME_MAX: usize = 64;
/// Longest path of a mount point in bytes.
pub const PATH_MAX: usize = 1024;

/// A file system that covers a path, and how much of the path it covers.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Bytes of the path up to and including the mount point.
    pub covered: u64,
}

/// The name server.
#[interface(number = 5, error = NamesError)]
pub trait Names {
    /// Gives a service a name.
    #[operation(1, idempotent)]
    fn register(
        &mut self,
        service: Endpoint,
        #[at_most(NAME_MAX, InvalidName)] name: &str,
    ) -> Result<(), NamesError>;
    /// Returns the service of a name.
    #[operation(2, idempotent)]
    fn find(
        &mut self,
        #[at_most(NAME_MAX, InvalidName)] name: &str,
    ) -> Result<Endpoint, NamesError>;
    /// Mounts a file server at an absolute path.
    #[operation(3, idempotent)]
    fn mount(
        &mut self,
        server: Endpoint,
        #[at_most(PATH_MAX, InvalidName)] path: &[u8],
    ) -> Result<(), NamesError>;
    /// Returns the file server that covers an absolute path, by the longest mount point.
    #[operation(4, idempotent)]
    fn resolve(&mut self, path: &[u8]) -> Result<(Mount, Endpoint), NamesError>;
}

#[cfg(test)]
mod tests;
