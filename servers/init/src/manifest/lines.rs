//! `/boot/system.bin`: the manifest as lines of words, which init reads without a TOML parser.
//!
//! ```text
//!   kamen-system 1
//!   server console console /sbin/console     (or: native NAME FILE) begins a program
//!   priority 18                              and these follow, in any order
//!   pages 512   |   percent 40
//!   objects 64   |   objects-percent 40
//!   handles 64
//!   restart never|always
//!   heartbeat MILLISECONDS
//!   uses NAME
//!   ports NAME FIRST LAST
//!   interrupt NAME LINE
//!   mmio NAME FIRST LAST                     in frames
//!   memory NAME PAGES
//!   ring SERVICE PAGES
//!   dma NAME PAGES
//!   archive
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::str::FromStr;

use super::{
    Amount, Archive, InterruptLine, KeptMemory, Manifest, ManifestError, MmioRange, PortRange,
    Program, Restart, RingMemory, Role,
};

const HEAD: &str = "kamen-system 1";
/// Longest manifest in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Returns the lines that stand for a manifest, which should have been checked.
pub fn emit(manifest: &Manifest) -> Vec<u8> {
    let mut text = format!("{HEAD}\n");
    for program in &manifest.programs {
        // Writing to a string cannot fail.
        let _ = write_program(&mut text, program);
    }
    text.into_bytes()
}

/// Returns the manifest that lines stand for.
///
/// # Errors
/// What is wrong with the text, with its line, or with the manifest as a whole.
pub fn parse(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let at = |line: usize, cause: String| ManifestError { program: None, key: "", line, cause };
    if bytes.len() > MAX_BYTES {
        return Err(at(0, format!("longer than {MAX_BYTES} bytes")));
    }
    let text = core::str::from_utf8(bytes).map_err(|_| at(0, "not UTF-8".into()))?;
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line) != Some(HEAD) {
        return Err(at(1, format!("does not begin with {HEAD:?}")));
    }
    let mut manifest = Manifest::default();
    for (index, line) in lines {
        read_line(&mut manifest, line).map_err(|cause| at(index + 1, cause))?;
    }
    manifest.check()
}

fn write_program(text: &mut String, program: &Program) -> core::fmt::Result {
    match &program.role {
        Role::Server { service } => {
            writeln!(text, "server {} {service} {}", program.name, program.file)?
        }
        Role::Native => writeln!(text, "native {} {}", program.name, program.file)?,
    }
    writeln!(text, "priority {}", program.priority)?;
    match program.pages {
        Amount::Count(pages) => writeln!(text, "pages {pages}")?,
        Amount::Percent(percent) => writeln!(text, "percent {percent}")?,
    }
    match program.objects {
        Amount::Count(units) => writeln!(text, "objects {units}")?,
        Amount::Percent(percent) => writeln!(text, "objects-percent {percent}")?,
    }
    writeln!(text, "handles {}", program.handles)?;
    match program.restart {
        Restart::Never => writeln!(text, "restart never")?,
        Restart::Always => writeln!(text, "restart always")?,
    }
    if let Some(period) = program.heartbeat_ms {
        writeln!(text, "heartbeat {period}")?;
    }
    for service in &program.uses {
        writeln!(text, "uses {service}")?;
    }
    for ports in &program.ports {
        writeln!(text, "ports {} {} {}", ports.name, ports.first, ports.last)?;
    }
    for interrupt in &program.interrupts {
        writeln!(text, "interrupt {} {}", interrupt.name, interrupt.line)?;
    }
    for mmio in &program.mmio {
        writeln!(text, "mmio {} {} {}", mmio.name, mmio.first, mmio.last)?;
    }
    for memory in &program.memory {
        writeln!(text, "memory {} {}", memory.name, memory.pages)?;
    }
    for ring in &program.rings {
        writeln!(text, "ring {} {}", ring.service, ring.pages)?;
    }
    for dma in &program.dma {
        writeln!(text, "dma {} {}", dma.name, dma.pages)?;
    }
    match program.archive {
        Archive::Read => writeln!(text, "archive"),
        Archive::None => Ok(()),
    }
}

fn read_line(manifest: &mut Manifest, line: &str) -> Result<(), String> {
    // A path may hold spaces, so that it takes the rest of its line.
    if let Some(rest) = line.strip_prefix("server ") {
        let mut words = rest.splitn(3, ' ');
        let (name, service) = (word(&mut words)?, word(&mut words)?.into());
        let program = Program::new(name, Role::Server { service }, word(&mut words)?);
        manifest.programs.push(program);
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("native ") {
        let mut words = rest.splitn(2, ' ');
        manifest.programs.push(Program::new(word(&mut words)?, Role::Native, word(&mut words)?));
        return Ok(());
    }
    let program = manifest.programs.last_mut().ok_or("no program has begun")?;
    let mut words = line.split(' ');
    read_key(program, word(&mut words)?, &mut words)?;
    match words.next() {
        Some(extra) => Err(format!("{extra:?} is one word too many")),
        None => Ok(()),
    }
}

fn read_key<'a>(
    program: &mut Program,
    key: &str,
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    match key {
        "priority" => program.priority = number(words)?,
        "pages" => program.pages = Amount::Count(number(words)?),
        "percent" => program.pages = Amount::Percent(number(words)?),
        "objects" => program.objects = Amount::Count(number(words)?),
        "objects-percent" => program.objects = Amount::Percent(number(words)?),
        "handles" => program.handles = number(words)?,
        "restart" => program.restart = restart(word(words)?)?,
        "heartbeat" => program.heartbeat_ms = Some(number(words)?),
        "uses" => program.uses.push(word(words)?.into()),
        "ports" => program.ports.push(PortRange {
            name: word(words)?.into(),
            first: number(words)?,
            last: number(words)?,
        }),
        "interrupt" => program
            .interrupts
            .push(InterruptLine { name: word(words)?.into(), line: number(words)? }),
        "mmio" => program.mmio.push(MmioRange {
            name: word(words)?.into(),
            first: number(words)?,
            last: number(words)?,
        }),
        "memory" => program.memory.push(kept(words)?),
        "ring" => {
            program.rings.push(RingMemory { service: word(words)?.into(), pages: number(words)? })
        }
        "dma" => program.dma.push(kept(words)?),
        "archive" => program.archive = Archive::Read,
        _ => return Err(format!("{key:?} is no key")),
    }
    Ok(())
}

fn kept<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<KeptMemory, String> {
    Ok(KeptMemory { name: word(words)?.into(), pages: number(words)? })
}

fn restart(word: &str) -> Result<Restart, String> {
    match word {
        "never" => Ok(Restart::Never),
        "always" => Ok(Restart::Always),
        _ => Err(format!("restart is never or always, not {word:?}")),
    }
}

fn word<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<&'a str, String> {
    words.next().filter(|word| !word.is_empty()).ok_or_else(|| "a word is missing".into())
}

fn number<'a, N: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> Result<N, String> {
    let word = word(words)?;
    word.parse().map_err(|_| format!("{word:?} is no number in range"))
}
