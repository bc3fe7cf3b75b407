//! No service in the kernel: what every kernel but the benchmark's is built with.

use kamen_abi::Error;

use crate::kernel::Kernel;
use crate::machine::Machine;

impl<M: Machine> Kernel<M> {
    /// Refuses a number that names no operation.
    pub(crate) fn serve(&mut self, _number: u64) -> Result<(), Error> {
        Err(Error::InvalidOperation)
    }
}
