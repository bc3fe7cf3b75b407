//! QEMU's command line.
//!
//! COM1 is QEMU's own stdin and stdout, the debug console (port 0xe9) a Unix socket on which
//! [`crate::guest`] listens; besides that only the network card may be connected.

use crate::host;
use clap::{Args, ValueEnum};
use std::path::Path;
use std::process::Command;

pub mod network;

use network::Network;

/// The seed of machines that nobody gave another.
pub const SEED: u32 = 1;

/// The machine that is asked for.
#[derive(Args, Clone, Debug)]
pub struct Machine {
    /// Memory in MiB.
    #[arg(long = "mem", value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub memory_mib: u32,
    /// Number of processors.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=8))]
    pub cpus: u32,
    /// How the processor is emulated; auto takes KVM where it works.
    #[arg(long, value_enum, default_value_t = Accelerator::Auto)]
    pub accel: Accelerator,
    /// Count instructions instead of time: each takes one nanosecond (implies tcg).
    #[arg(long)]
    pub icount: bool,
    /// Where QEMU's random numbers begin while it counts instructions.
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub seed: u32,
    /// The board.
    #[arg(long = "machine", value_enum, default_value_t = Board::Q35)]
    pub board: Board,
    #[command(flatten)]
    pub network: Network,
}

/// How the processor is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accelerator {
    /// KVM where it works, otherwise TCG.
    Auto,
    /// QEMU's translator.
    Tcg,
    /// The host's processor.
    Kvm,
}

/// The board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Board {
    /// A PC with PCI Express.
    Q35,
    /// A small machine without PCI and firmware.
    Microvm,
}

/// What QEMU boots.
#[derive(Clone, Copy, Debug)]
pub enum Medium<'a> {
    /// Kernel and boot package, loaded by QEMU through PVH.
    Direct {
        /// The kernel's ELF file.
        kernel: &'a Path,
        /// The boot package.
        package: &'a Path,
    },
    /// An ISO under SeaBIOS.
    Bios(&'a Path),
    /// An ISO under OVMF.
    Uefi {
        /// The ISO.
        iso: &'a Path,
        /// This machine's own copy of OVMF's variables.
        variables: &'a Path,
    },
}

impl Machine {
    /// Returns the accelerators to try, one after the other.
    pub fn accelerators(&self) -> &'static [Accelerator] {
        match self.accel {
            _ if self.icount => &[Accelerator::Tcg],
            Accelerator::Tcg => &[Accelerator::Tcg],
            Accelerator::Kvm => &[Accelerator::Kvm],
            Accelerator::Auto if kvm_is_usable() => &[Accelerator::Kvm, Accelerator::Tcg],
            Accelerator::Auto => &[Accelerator::Tcg],
        }
    }
}

/// Returns the command that boots `medium`, with the log going to the socket.
pub fn command(machine: &Machine, accel: Accelerator, medium: Medium, log: &Path) -> Command {
    let mut qemu = dying_with_us("qemu-system-x86_64");
    qemu.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    qemu.args(["-machine", board(machine.board), "-cpu", "max"]);
    qemu.args(["-m", &machine.memory_mib.to_string(), "-smp", &machine.cpus.to_string()]);
    qemu.args(["-accel", accelerator(machine, accel)]);
    if machine.icount {
        qemu.args(["-icount", "shift=0,sleep=off", "-seed", &machine.seed.to_string()]);
    }
    // No signals from the console's bytes: Ctrl-C is the guest's.
    qemu.args(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]);
    qemu.arg("-chardev").arg(with_path("socket,id=log,path=", log));
    qemu.args(["-device", "isa-debugcon,iobase=0xe9,chardev=log"]);
    qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
    machine.network.add_to(&mut qemu, machine.board);
    qemu.arg("-qmp").arg(control(log));
    add_medium(&mut qemu, medium);
    qemu
}

/// Returns the command that boots Linux with an initramfs, console on stdin and stdout: on the board
/// of measurements where instructions are counted; where time passes, on one that has timers enough
/// for Linux to find out how fast the processor's are while other programs of the host run.
pub fn linux(icount: bool, processor: &str, kernel: &Path, initramfs: &Path) -> Command {
    /// Nothing but the program is to be measured: no mitigations that Kamen has not, no messages.
    /// A first process that ends is a panic, which ends QEMU as a restart does.
    const ARGUMENTS: &str = "console=ttyS0 mitigations=off quiet panic=-1";
    let mut qemu = dying_with_us("qemu-system-x86_64");
    qemu.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    let board = board(if icount { Board::Microvm } else { Board::Q35 });
    qemu.args(["-machine", board, "-cpu", processor, "-m", "256", "-accel", "tcg"]);
    if icount {
        qemu.args(["-icount", "shift=0,sleep=off", "-seed", &SEED.to_string()]);
    }
    qemu.args(["-serial", "stdio", "-append", ARGUMENTS]);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    qemu
}

/// Has QEMU wait for gdb at a socket before the first instruction.
pub fn wait_for_gdb(qemu: &mut Command, socket: &Path) {
    qemu.arg("-S").arg("-chardev").arg(with_path("socket,id=gdb,server=on,wait=off,path=", socket));
    qemu.args(["-gdb", "chardev:gdb"]);
}

/// Returns QEMU's name of an accelerator. Several processors take turns on one thread of the host:
/// where each has its own, a processor that waits for the kernel's lock waits until the host lets
/// the holder go on (measured in decisions/0014).
fn accelerator(machine: &Machine, accel: Accelerator) -> &'static str {
    match accel {
        Accelerator::Kvm => "kvm",
        Accelerator::Auto | Accelerator::Tcg if machine.cpus > 1 => "tcg,thread=single",
        Accelerator::Auto | Accelerator::Tcg => "tcg",
    }
}

fn board(board: Board) -> &'static str {
    match board {
        Board::Q35 => "q35",
        Board::Microvm => "microvm,rtc=on",
    }
}

fn add_medium(qemu: &mut Command, medium: Medium) {
    const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    match medium {
        Medium::Direct { kernel, package } => {
            qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(package);
        }
        Medium::Bios(iso) => {
            qemu.args(["-vga", "std"]).arg("-cdrom").arg(iso);
        }
        Medium::Uefi { iso, variables } => {
            qemu.args(["-vga", "std"]).arg("-cdrom").arg(iso);
            qemu.args(["-drive", &format!("if=pflash,format=raw,readonly=on,file={OVMF}")]);
            qemu.arg("-drive").arg(with_path("if=pflash,format=raw,file=", variables));
        }
    }
}

/// Returns a command that is killed when this program dies, in whatever way.
fn dying_with_us(program: &str) -> Command {
    if !host::has("setpriv") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Returns where QEMU is to listen for what `control` asks of it.
fn control(log: &Path) -> std::ffi::OsString {
    let mut argument = with_path("unix:", &crate::guest::control::socket(log));
    argument.push(",server=on,wait=off");
    argument
}

fn with_path(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}

/// Returns whether KVM can run a kernel here.
///
/// A /dev/kvm on a host whose processor shows neither VMX nor SVM is emulated in software and does
/// not deliver `syscall` from ring 3, so that it is worse than none.
pub fn kvm_is_usable() -> bool {
    let openable = std::fs::File::options().read(true).write(true).open("/dev/kvm").is_ok();
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has_flag =
        |flags: &str| flags.split_whitespace().any(|flag| flag == "vmx" || flag == "svm");
    openable && cpuinfo.lines().filter(|line| line.starts_with("flags")).any(has_flag)
}
