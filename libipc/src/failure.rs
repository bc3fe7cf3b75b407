//! Why a call failed: the protocol's reason, or the kernel's.

use kamen_abi::Error;

/// Why a call failed.
///
/// ```
/// use libipc::{Error, Failure};
/// let refused: Failure<&str> = Failure::Protocol("not found");
/// let gone: Failure<&str> = Failure::from(Error::Restarted);
/// assert_eq!(gone, Failure::Kernel(Error::Restarted));
/// assert_eq!(refused.protocol_or("broken"), "not found");
/// assert_eq!(gone.protocol_or("broken"), "broken");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure<E> {
    /// The server refused, for a reason of the protocol.
    Protocol(E),
    /// The call did not get there, or not back: what the kernel said, or the server in its place
    /// ([`Error::InvalidOperation`]: unknown operation; [`Error::InvalidArgument`]: the request
    /// or the reply does not have the operation's form).
    Kernel(Error),
}

/// An error enum of a protocol; derive it for enums with `repr(u8)` and explicit numbers.
///
/// ```
/// use libipc::ProtocolError;
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// enum ClockError {
///     OutOfRange = 1,
/// }
/// assert_eq!(ClockError::OutOfRange.number(), 1);
/// assert_eq!(ClockError::from_number(2), None);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the error enum of a protocol",
    label = "has no numbers that travel",
    note = "write `#[derive(libipc::ProtocolError, Clone, Copy)]` and `#[repr(u8)]` above an enum \
            whose variants have numbers from 1 to 255"
)]
pub trait ProtocolError: Copy {
    /// Returns the number, 1 to 255.
    fn number(self) -> u32;

    /// Returns the error of a number, if it names one.
    fn from_number(number: u32) -> Option<Self>;
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
