//! PCI's bus 0: configuration through ports, and virtio devices on it.
//!
//! ```text
//!   0xcf8   1 << 31 | bus << 16 | device << 11 | function << 8 | register     (PCI 2.2 3.2.2.3.2)
//!   0xcfc   the register
//! ```

use libipc::{Error, PortWidth, Ports};
use virtio_drivers::transport::pci::bus::{
    BarInfo, Command, ConfigurationAccess, DeviceFunction, PciRoot,
};
use virtio_drivers::transport::pci::{PciTransport, virtio_device_type};
use virtio_drivers::transport::{DeviceType, SomeTransport};

use crate::arena::Access;
use crate::hardware::{Found, HardwareError, Place, line_of};
use crate::registers;

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
/// Register of vendor and device; all ones where there is no device.
const IDENTITY: u8 = 0;
/// Register whose third byte is the interrupt pin, 1 to 4 for A to D (PCI 2.2 6.2.4).
const INTERRUPT: u8 = 0x3c;

/// Interrupt lines of the board q35's PCI interrupts: PIRQE to PIRQH (Intel ICH9 5.8.6.1; the
/// routing of devices 0 to 24, 4 by 4, is QEMU's hw/isa/lpc_ich9.c).
const LINES: core::ops::RangeInclusive<u32> = 20..=23;
/// Devices whose pins are routed so.
const ROUTED_DEVICES: u8 = 25;

/// Configuration space by ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration(Ports);

impl Configuration {
    /// Returns the access, if the machine has PCI: a host bridge as device 0.
    ///
    /// # Errors
    /// The ports are not to be used.
    pub(crate) fn new(ports: Ports) -> Result<Option<Self>, Error> {
        let configuration = Configuration(ports);
        let bridge = DeviceFunction { bus: 0, device: 0, function: 0 };
        let identity = configuration.read(bridge, IDENTITY)?;
        Ok((identity != u32::MAX && identity != 0).then_some(configuration))
    }

    fn read(self, device: DeviceFunction, register: u8) -> Result<u32, Error> {
        self.0.write(ADDRESS, PortWidth::Long, address(device, register))?;
        self.0.read(DATA, PortWidth::Long)
    }
}

fn address(device: DeviceFunction, register: u8) -> u32 {
    let DeviceFunction { bus, device, function } = device;
    let place = u32::from(bus) << 16 | u32::from(device) << 11 | u32::from(function) << 8;
    1 << 31 | place | u32::from(register & !3)
}

impl ConfigurationAccess for Configuration {
    fn read_word(&self, device: DeviceFunction, register: u8) -> u32 {
        // What cannot be read is not there, which all ones say.
        self.read(device, register).unwrap_or(u32::MAX)
    }

    fn write_word(&mut self, device: DeviceFunction, register: u8, word: u32) {
        // The ports were read before: the capability has them.
        let _ = self.0.write(ADDRESS, PortWidth::Long, address(device, register));
        let _ = self.0.write(DATA, PortWidth::Long, word);
    }

    unsafe fn unsafe_clone(&self) -> Self {
        *self
    }
}

/// Returns the first device of a type.
pub(crate) fn find(
    configuration: Configuration,
    kind: DeviceType,
) -> Result<Option<Found>, HardwareError> {
    let mut root = PciRoot::new(configuration);
    let found = root.enumerate_bus(0).find(|(_, info)| virtio_device_type(info) == Some(kind));
    let Some((device, _)) = found else { return Ok(None) };
    let line = line(device, configuration.read(device, INTERRUPT)?)?;
    check_registers(&mut root, device)?;
    let (_, command) = root.get_status_command(device);
    let wanted = command | Command::MEMORY_SPACE | Command::BUS_MASTER;
    root.set_command(device, wanted & !Command::INTERRUPT_DISABLE);
    let transport = PciTransport::new::<Access, _>(&mut root, device);
    let transport = transport.map_err(|_| HardwareError::Transport)?;
    let place = Place::Pci { device: device.device };
    Ok(Some(Found { transport: SomeTransport::Pci(transport), line, place }))
}

/// Checks that all of a device's registers can be mapped.
fn check_registers(
    root: &mut PciRoot<Configuration>,
    device: DeviceFunction,
) -> Result<(), HardwareError> {
    let bars = root.bars(device).map_err(|_| HardwareError::Transport)?;
    for bar in bars.into_iter().flatten() {
        if let BarInfo::Memory { address, size, .. } = bar
            && !registers::contains(address, size)
        {
            return Err(HardwareError::Registers { address });
        }
    }
    Ok(())
}

/// Returns the interrupt line of a device by its register: pin and device number are added, so that
/// neighbours have different lines.
fn line(device: DeviceFunction, register: u32) -> Result<u32, HardwareError> {
    let pin = register >> 8 & 0xff;
    if !(1..=4).contains(&pin) || device.device >= ROUTED_DEVICES {
        return Err(HardwareError::Line);
    }
    line_of(LINES.start() + (u32::from(device.device) + pin - 1) % 4, LINES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn device(device: u8) -> DeviceFunction {
        DeviceFunction { bus: 0, device, function: 0 }
    }

    #[test]
    fn registers_are_addressed_by_bus_device_and_function() {
        let place = DeviceFunction { bus: 1, device: 31, function: 7 };
        assert_eq!(address(place, 0x3e), 0x8001_ff3c);
    }

    #[test]
    fn lines_go_by_device_and_pin() {
        assert_eq!(line(device(4), 0x0100), Ok(20));
        assert_eq!(line(device(3), 0x010b), Ok(23));
        assert_eq!(line(device(3), 0x0200), Ok(20));
        assert_eq!(line(device(4), 0), Err(HardwareError::Line));
        assert_eq!(line(device(4), 0x0500), Err(HardwareError::Line));
        assert_eq!(line(device(25), 0x0100), Err(HardwareError::Line));
    }
}
