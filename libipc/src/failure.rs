//! Why a call failed: the protocol's reason, or the kernel's.

use kamen_abi::Error;

/// Why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure<E> {
    /// The server refused, for a reason of the protocol.
    Protocol(E),
    /// The call did not get there, or not back: what the kernel said, or the server in its place
    /// ([`Error::InvalidOperation`]: unknown operation; [`Error::InvalidArgument`]: the request
    /// or the reply does not have the operation's form).
    Kernel(Error),
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Failure::Kernel(error)
    }
}

impl<E: Copy> Failure<E> {
    /// Returns the protocol's reason, or `otherwise` for a failure of the kernel.
    pub fn protocol_or(self, otherwise: E) -> E {
        match self {
            Failure::Protocol(error) => error,
            Failure::Kernel(_) => otherwise,
        }
    }
}
