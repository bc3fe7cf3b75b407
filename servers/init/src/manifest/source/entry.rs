//! A program's entry: each key once, of the right type, and known.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use toml::de::{DeTable, DeValue};

use super::super::{
    Amount, Archive, InterruptLine, KeptMemory, MmioRange, PortRange, Program, Restart, RingMemory,
    Role,
};
use super::value::{self, Fault};
use super::{Source, at};

/// All keys of an entry.
const KEYS: [&str; 17] = [
    "name",
    "service",
    "file",
    "priority",
    "pages",
    "objects",
    "handles",
    "restart",
    "heartbeat-ms",
    "uses",
    "ports",
    "interrupts",
    "mmio",
    "memory",
    "rings",
    "dma",
    "archive",
];

/// Where an entry begins, and where its keys stand.
pub(super) struct Lines {
    first: usize,
    keys: BTreeMap<String, usize>,
}

impl Lines {
    /// Returns the line of a key, or the entry's first.
    pub(super) fn of(&self, key: &str) -> usize {
        self.keys.get(key).copied().unwrap_or(self.first)
    }
}

/// A program's table of keys.
pub(super) struct Entry<'a> {
    keys: &'a DeTable<'a>,
    lines: Lines,
}

impl<'a> Entry<'a> {
    /// Returns the entry that begins at a line.
    pub(super) fn new(source: Source<'a>, keys: &'a DeTable<'a>, first: usize) -> Self {
        let line = |key: &toml::Spanned<_>| source.line(key.span().start);
        let lines = keys.keys().map(|key| (key.get_ref().to_string(), line(key))).collect();
        Entry { keys, lines: Lines { first, keys: lines } }
    }

    /// Returns the program that the entry declares, `role` being "server" or "native".
    pub(super) fn program(self, role: &str) -> Result<(Program, Lines), String> {
        let unknown = self.lines.keys.keys().find(|key| !KEYS.contains(&key.as_str()));
        if let Some(key) = unknown {
            let cause = format!("{key:?} is no key of a program; keys are {}", KEYS.join(", "));
            return Err(at(self.lines.of(key), &cause));
        }
        let missing = |key, example| {
            at(self.lines.first, &format!("a [[{role}]] has no {key}, as {example}"))
        };
        let name = self.read("name", value::text)?;
        let name = name.ok_or_else(|| missing("name", "name = \"clock\""))?;
        let file = self.read("file", value::text)?;
        let file = file.ok_or_else(|| missing("file", "file = \"/sbin/clock\""))?;
        let service = self.read("service", value::text)?;
        let role = match (role, service) {
            ("server", service) => Role::Server { service: service.unwrap_or(name).into() },
            (_, None) => Role::Native,
            (_, Some(_)) => {
                let cause = format!("{name}: only servers have a service");
                return Err(at(self.lines.of("service"), &cause));
            }
        };
        let mut program = Program::new(name, role, file);
        self.amounts(&mut program)?;
        self.capabilities(&mut program)?;
        Ok((program, self.lines))
    }

    fn amounts(&self, program: &mut Program) -> Result<(), String> {
        let number = |key, most| self.read(key, |value| value::number(value, most));
        if let Some(priority) = number("priority", u8::MAX.into())? {
            program.priority = priority as u8;
        }
        if let Some(handles) = number("handles", u16::MAX.into())? {
            program.handles = handles as u16;
        }
        let default = (program.pages, program.objects);
        program.pages = self.read("pages", value::amount)?.unwrap_or(default.0);
        program.objects = self.read("objects", value::amount)?.unwrap_or(default.1);
        program.restart = self.read("restart", restart)?.unwrap_or(program.restart);
        program.heartbeat_ms = number("heartbeat-ms", u32::MAX.into())?.map(|period| period as u32);
        Ok(())
    }

    fn capabilities(&self, program: &mut Program) -> Result<(), String> {
        let uses = self.read("uses", value::texts)?.unwrap_or_default();
        program.uses = uses.into_iter().map(String::from).collect();
        program.ports = self.named("ports", |name, value| {
            let [first, last] = value::range(value, u16::MAX.into())?;
            Ok(PortRange { name, first: first as u16, last: last as u16 })
        })?;
        program.interrupts = self.named("interrupts", |name, value| {
            let line = value::number(value, u8::MAX.into())? as u8;
            Ok(InterruptLine { name, line })
        })?;
        program.mmio = self.named("mmio", mmio_range)?;
        program.memory = self.named("memory", kept_memory)?;
        program.rings = self.named("rings", |service, value| {
            let KeptMemory { name: service, pages } = kept_memory(service, value)?;
            Ok(RingMemory { service, pages })
        })?;
        program.dma = self.named("dma", kept_memory)?;
        let archive = self.read("archive", value::truth)?.unwrap_or(false);
        program.archive = if archive { Archive::Read } else { Archive::None };
        Ok(())
    }

    /// Returns what stands under a key; its value must be a table of names.
    fn named<T>(
        &self,
        key: &str,
        read: impl Fn(String, &'a DeValue<'a>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, String> {
        let Some(table) = self.read(key, value::table)? else { return Ok(Vec::new()) };
        let items = table.iter().map(|(name, value)| {
            let name = name.get_ref().to_string();
            let item = read(name.clone(), value.get_ref());
            item.map_err(|fault| self.fault(key, &format!("{key} {name}"), &fault))
        });
        items.collect()
    }

    /// Returns the value of a key, where it has one.
    fn read<T>(
        &self,
        key: &str,
        read: impl Fn(&'a DeValue<'a>) -> Result<T, Fault>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.keys.get(key) else { return Ok(None) };
        read(value.get_ref()).map(Some).map_err(|fault| self.fault(key, key, &fault))
    }

    fn fault(&self, key: &str, what: &str, fault: &Fault) -> String {
        let name = self.keys.get("name").and_then(|name| name.get_ref().as_str());
        let name = name.filter(|_| key != "name").map_or(String::new(), |name| format!("{name}: "));
        let Fault { expected, found } = fault;
        at(self.lines.of(key), &format!("{name}{what} must be {expected}, not {found}"))
    }
}

fn restart(value: &DeValue<'_>) -> Result<Restart, Fault> {
    match value.as_str() {
        Some("never") => Ok(Restart::Never),
        Some("always") => Ok(Restart::Always),
        _ => Err(Fault::new("\"always\" or \"never\"", value)),
    }
}

/// Returns memory by its number of pages.
fn kept_memory(name: String, value: &DeValue<'_>) -> Result<KeptMemory, Fault> {
    let pages = value::number(value, i64::MAX as u64)?;
    Ok(KeptMemory { name, pages })
}

/// Returns the range from the address of its first byte to that of its last.
fn mmio_range(name: String, value: &DeValue<'_>) -> Result<MmioRange, Fault> {
    let page = libipc::abi::PAGE_SIZE as u64;
    let [first, last] = value::range(value, (1 << 44) - 1)?;
    if !first.is_multiple_of(page) || !(last + 1).is_multiple_of(page) {
        return Err(Fault::new("whole pages, such as [0xb8000, 0xbffff]", value));
    }
    let frame = |address: u64| (address / page) as u32; // below 2^44: fits
    Ok(MmioRange { name, first: frame(first), last: frame(last) })
}

/// Returns an amount from its text.
pub(super) fn share(text: &str) -> Option<Amount> {
    text.strip_suffix('%')?.trim().parse().ok().map(Amount::Percent)
}
