//! The manifest's source, servers/system.toml: read on the host only.
//!
//! Line numbers are those of the program's `[[server]]` or `[[native]]`, or the parser's own.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Amount, Archive, InterruptLine, KeptMemory, Manifest, MmioRange, PortRange, Program, Restart,
    Role,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(default)]
    server: Vec<Spanned<Entry>>,
    #[serde(default)]
    native: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    service: Option<String>,
    file: String,
    priority: Option<u8>,
    pages: Option<Share>,
    objects: Option<Share>,
    handles: Option<u16>,
    #[serde(default)]
    restart: Policy,
    #[serde(default)]
    uses: Vec<String>,
    #[serde(default)]
    ports: BTreeMap<String, [u16; 2]>,
    #[serde(default)]
    interrupts: BTreeMap<String, u8>,
    #[serde(default)]
    mmio: BTreeMap<String, [u64; 2]>,
    #[serde(default)]
    memory: BTreeMap<String, u64>,
    #[serde(default)]
    archive: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Share {
    Count(u64),
    Percent(String),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Policy {
    #[default]
    Never,
    Always,
}

/// Returns the checked manifest that a TOML text declares.
///
/// # Errors
/// Line and cause, for a person to read.
pub fn from_toml(text: &str) -> Result<Manifest, String> {
    let source: Source = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut manifest = Manifest::default();
    let mut lines = Vec::new();
    let servers = source.server.into_iter().map(|entry| (entry, true));
    for (entry, serves) in servers.chain(source.native.into_iter().map(|entry| (entry, false))) {
        let line = 1 + text[..entry.span().start].matches('\n').count();
        let program = program(entry.into_inner(), serves);
        manifest.programs.push(program.map_err(|cause| at(line, &cause))?);
        lines.push(line);
    }
    manifest.check().map_err(|error| {
        at(error.program.and_then(|index| lines.get(index).copied()).unwrap_or(1), &error.cause)
    })
}

fn at(line: usize, cause: &str) -> String {
    format!("line {line}: {cause}")
}

fn program(entry: Entry, serves: bool) -> Result<Program, String> {
    let role = match (serves, entry.service) {
        (true, service) => Role::Server { service: service.unwrap_or(entry.name.clone()) },
        (false, None) => Role::Native,
        (false, Some(_)) => return Err(format!("{}: only servers have a service", entry.name)),
    };
    let mut program = Program::new(&entry.name, role, &entry.file);
    program.priority = entry.priority.unwrap_or(program.priority);
    program.pages = entry.pages.map_or(Ok(program.pages), amount)?;
    program.objects = entry.objects.map_or(Ok(program.objects), amount)?;
    program.handles = entry.handles.unwrap_or(program.handles);
    program.restart = match entry.restart {
        Policy::Never => Restart::Never,
        Policy::Always => Restart::Always,
    };
    program.uses = entry.uses;
    let port_range = |(name, [first, last]): (String, [u16; 2])| PortRange { name, first, last };
    program.ports = entry.ports.into_iter().map(port_range).collect();
    let interrupt = |(name, line)| InterruptLine { name, line };
    program.interrupts = entry.interrupts.into_iter().map(interrupt).collect();
    program.mmio = entry.mmio.into_iter().map(mmio_range).collect::<Result<_, String>>()?;
    let memory = |(name, pages)| KeptMemory { name, pages };
    program.memory = entry.memory.into_iter().map(memory).collect();
    program.archive = if entry.archive { Archive::Read } else { Archive::None };
    Ok(program)
}

/// Returns the range from the address of its first byte to that of its last.
fn mmio_range((name, [first, last]): (String, [u64; 2])) -> Result<MmioRange, String> {
    let page = libipc::abi::PAGE_SIZE as u64;
    let frame = |address: u64| u32::try_from(address / page).ok();
    let end = last.checked_add(1).filter(|end| end.is_multiple_of(page));
    match (frame(first), frame(last)) {
        (Some(first_frame), Some(last)) if first.is_multiple_of(page) && end.is_some() => {
            Ok(MmioRange { name, first: first_frame, last })
        }
        _ => Err(format!("mmio {name} is not from a page's first byte to a page's last")),
    }
}

fn amount(share: Share) -> Result<Amount, String> {
    match share {
        Share::Count(count) => Ok(Amount::Count(count)),
        Share::Percent(share) => share
            .strip_suffix('%')
            .and_then(|digits| digits.trim().parse().ok())
            .map(Amount::Percent)
            .ok_or_else(|| format!("pages and objects are a number or \"N%\", not {share:?}")),
    }
}
