//! Memory that hardware sees: contiguous frames, and a device's registers.

use libipc::abi::{PAGE_SIZE, boot};
use libipc::{
    DeviceRegisters, Error, Handle, Mapping, Memory, Object, Physical, Quota, Rights, Table,
};

/// Pages of the contiguous object.
const PAGES: u64 = 40;

/// A register whose contents its specification fixes.
struct Known {
    /// Physical address of the registers, page aligned.
    address: u64,
    /// Byte offset of the register.
    register: usize,
    /// The bits that are compared.
    mask: u32,
    value: u32,
}

/// The high precision event timer: its vendor is Intel (IA-PC HPET 1.0a, 2.3.4; the address is
/// that of every PC's, ACPI table HPET).
const HPET: Known =
    Known { address: 0xfed0_0000, register: 0, mask: 0xffff_0000, value: 0x8086_0000 };
/// The first virtio device of a microvm: the magic number (virtio 1.2, 4.2.2).
const VIRTIO: Known = Known { address: 0xfeb0_0000, register: 0, mask: !0, value: 0x7472_6976 };

/// Returns what is checked, and whether it holds; `device` is hpet or virtio.
pub fn checks(device: &str) -> [(&'static str, Result<bool, Error>); 5] {
    [
        ("contiguous memory is zero and somewhere in RAM", contiguous()),
        ("contiguous memory comes back", contiguous_again()),
        (
            "a device's register is read",
            known(if device.starts_with("hpet") { &HPET } else { &VIRTIO }),
        ),
        ("the kernel copies nothing from a device", not_copied()),
        ("RAM and the kernel's devices are no devices", refused()),
    ]
}

fn contiguous() -> Result<bool, Error> {
    let quota = Quota(boot::QUOTA);
    let ram_pages = quota.inspect()?.badge >> 32;
    let (memory, address) = quota.create_contiguous(PAGES)?;
    let plausible = address.is_multiple_of(PAGE_SIZE as u64)
        && address / PAGE_SIZE as u64 + PAGES <= ram_pages + LOW_HOLE;
    let mut mapping = Mapping::new(memory)?;
    let zero = mapping.bytes().iter().all(|&byte| byte == 0);
    // The mapping and the kernel see the same frames.
    mapping.bytes_mut()[39 * PAGE_SIZE + 5] = 0x5a;
    let mut byte = [0];
    memory.read(39 * PAGE_SIZE as u64 + 5, &mut byte)?;
    memory.destroy()?;
    Ok(plausible && zero && byte == [0x5a])
}

/// Frames below the end of RAM that are no RAM, at most: from 640 KiB to 1 MiB.
const LOW_HOLE: u64 = 96;

/// Creates and destroys more than the machine has of it at a time.
fn contiguous_again() -> Result<bool, Error> {
    let quota = Quota(boot::QUOTA);
    let free = |quota: Quota| Ok::<u64, Error>(quota.inspect()?.badge & 0xffff_ffff);
    let before = free(quota)?;
    for _ in 0..2 * before / 512 {
        let (memory, _) = quota.create_contiguous(512)?;
        memory.destroy()?;
        memory.delete()?;
    }
    Ok(free(quota)? == before)
}

/// Returns the page of registers at an address, through a capability that reaches no further.
fn device(address: u64) -> Result<Memory, Error> {
    let (all, frame) = (Physical(boot::PHYSICAL), address / PAGE_SIZE as u64);
    let own = Table(Handle::NULL);
    let narrow = all.narrow_to(own, Rights::CONTROL, (frame, frame), Handle::NULL)?;
    let narrow = Physical(narrow);
    if narrow.range()? != (frame, frame)
        || Quota(boot::QUOTA).create_device(narrow, frame + 1, 1) != Err(Error::InvalidArgument)
    {
        return Err(Error::WrongKind);
    }
    Quota(boot::QUOTA).create_device(narrow, frame, 1)
}

fn known(known: &Known) -> Result<bool, Error> {
    let registers = DeviceRegisters::new(device(known.address)?)?;
    Ok(registers.read_u32(known.register)? & known.mask == known.value)
}

fn not_copied() -> Result<bool, Error> {
    let memory = device(0xfed4_0000)?;
    let read = memory.read(0, &mut [0]).map_err(Error::from);
    let clone = memory.clone_to(Quota(boot::QUOTA));
    Ok(read == Err(Error::BadAddress) && clone == Err(Error::InvalidArgument))
}

fn refused() -> Result<bool, Error> {
    // RAM, the kernel's image, the local and the I/O APIC (Intel SDM 3A 11.4.1; ICH9 13.5.1).
    let addresses = [0x1000, 0x10_0000, 0x80_0000, 0xfee0_0000, 0xfec0_0000];
    Ok(addresses.into_iter().all(|address| device(address) == Err(Error::InvalidArgument)))
}
