//! Finds the device on the machine's board: on PCI, or in a slot of virtio over MMIO.

use core::fmt;
use core::ops::RangeInclusive;

use libipc::{Error, Memory, Physical, Ports};
use virtio_drivers::transport::{DeviceType, SomeTransport};

use crate::{arena, mmio, pci, registers};

/// What a driver of a virtio device holds.
#[derive(Clone, Copy, Debug)]
pub struct Hardware {
    /// PCI's configuration space: ports 0xcf8 to 0xcff.
    pub configuration: Ports,
    /// Where registers may lie.
    pub registers: Physical,
    /// Contiguous memory for queues and buffers.
    pub memory: Memory,
}

/// A device that was found.
#[derive(Debug)]
pub struct Found {
    /// The way to it.
    pub transport: SomeTransport<'static>,
    /// Its interrupt line.
    pub line: u32,
    /// Where it is, for the log.
    pub place: Place,
}

/// Where a device is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On PCI's bus 0.
    Pci {
        /// Its number on the bus.
        device: u8,
    },
    /// In a slot of the board.
    Mmio {
        /// The slot.
        slot: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Pci { device } => write!(f, "PCI device {device}"),
            Place::Mmio { slot } => write!(f, "MMIO slot {slot}"),
        }
    }
}

/// Why a device cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HardwareError {
    /// Its registers lie outside of what the driver may map.
    Registers {
        /// Where.
        address: u64,
    },
    /// It has no interrupt line, or one that is not known.
    Line,
    /// It is no virtio device that this driver understands.
    Transport,
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for HardwareError {
    fn from(error: Error) -> Self {
        HardwareError::Kernel(error)
    }
}

impl Hardware {
    /// Returns the first device of a type, if the machine has one.
    ///
    /// # Errors
    /// What keeps it from being used.
    pub fn find(self, kind: DeviceType) -> Result<Option<Found>, HardwareError> {
        registers::provide(self.registers);
        let found = match pci::Configuration::new(self.configuration)? {
            Some(configuration) => pci::find(configuration, kind)?,
            None => mmio::find(kind)?,
        };
        if found.is_some() {
            arena::provide(self.memory)?;
        }
        Ok(found)
    }
}

/// Returns a line if it is among those that a board has for such devices.
pub(crate) fn line_of(line: u32, known: RangeInclusive<u32>) -> Result<u32, HardwareError> {
    if known.contains(&line) { Ok(line) } else { Err(HardwareError::Line) }
}
