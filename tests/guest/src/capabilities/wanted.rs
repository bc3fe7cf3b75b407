//! What the manifest gives a program, written down from its rules, not from init's code.

use super::told::Told;
use kamen_abi::{ObjectKind, Rights, boot};
use kamen_init::manifest::{Amount, Archive, LOG, LOG_PORT, Manifest, Program};

/// Badge bits of a native process' calls, and of those of the system protocol.
const NATIVE: u64 = 1 << 63;
const SYSTEM: u64 = 1 << 62;

const CLIENT: Rights = Rights::SEND.union(Rights::GRANT);
const OWN: Rights = Rights::CONTROL.union(Rights::READ).union(Rights::GRANT);
const ACCESS: Rights = Rights::READ.union(Rights::WRITE);

/// A capability that a program should have.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub slot: Option<u16>,
    pub kind: ObjectKind,
    pub rights: Rights,
    /// None where who started the program decides.
    pub badge: Option<u64>,
    pub leads: Leads,
}

/// What a capability leads to.
#[derive(Clone, Debug)]
pub enum Leads {
    /// The process itself, its heap, a stream of who started it, or what init hears and tells by.
    Anywhere,
    /// The endpoint of a service.
    Service(String),
    /// These ports, lines or frames.
    Range(u64, u64),
    /// Memory of at most so many pages.
    Pages(u64),
    /// A quota with these limits.
    Quota(Amount, Amount),
}

impl Wanted {
    /// Returns whether a capability is this one.
    pub fn is_met_by(&self, told: &Told) -> bool {
        let [first, second, third] = told.values;
        let is_led = match self.leads {
            Leads::Anywhere | Leads::Service(_) => true,
            Leads::Range(from, to) => (first, second) == (from, to),
            Leads::Pages(most) => (1..=most).contains(&first),
            Leads::Quota(pages, objects) => is_of(pages, second) && is_of(objects, third >> 32),
        };
        is_led
            && told.name == self.name
            && self.slot.is_none_or(|slot| u64::from(slot) == told.slot)
            && told.kind == format!("{:?}", self.kind)
            && told.rights == u64::from(self.rights.0)
            && self.badge.is_none_or(|badge| badge == told.badge)
    }
}

fn is_of(amount: Amount, limit: u64) -> bool {
    match amount {
        Amount::Count(count) => limit == count,
        Amount::Percent(_) => limit > 0,
    }
}

/// Returns what a program should have as process `pid`.
pub fn of(system: &Manifest, program: &Program, pid: u64) -> Vec<Wanted> {
    let mut all = own(program);
    match program.service() {
        Some(service) => {
            let rights = CLIENT.union(Rights::RECEIVE);
            let leads = Leads::Service(service.into());
            all.push(wanted("self", ObjectKind::Endpoint, rights, leads));
            let events = ObjectKind::Notification;
            all.push(wanted("events", events, rights, Leads::Anywhere));
            // By the badge init knows who answers: each server has a bit, in the manifest's order.
            let place = system.servers().position(|server| server.name == program.name);
            let badge = place.map(|place| 1 << place);
            all.push(Wanted { badge, ..wanted("alive", events, Rights::SEND, Leads::Anywhere) });
        }
        None => all.extend(["stdin", "stdout", "stderr"].map(|name| Wanted {
            badge: None,
            ..wanted(name, ObjectKind::Endpoint, CLIENT, Leads::Anywhere)
        })),
    }
    all.extend(program.uses.iter().map(|service| match service.as_str() {
        LOG => {
            let port = u64::from(LOG_PORT);
            wanted(LOG, ObjectKind::Ports, ACCESS, Leads::Range(port, port))
        }
        // init's own notification, to be asked what goes on: bit 62.
        "attention" => Wanted {
            badge: Some(1 << 62),
            ..wanted("attention", ObjectKind::Notification, Rights::SEND, Leads::Anywhere)
        },
        name => {
            let badge = Some(NATIVE | pid | if name == "system" { SYSTEM } else { 0 });
            let leads = Leads::Service(name.into());
            Wanted { badge, ..wanted(name, ObjectKind::Endpoint, CLIENT, leads) }
        }
    }));
    all.extend(program.ports.iter().map(|ports| {
        let leads = Leads::Range(ports.first.into(), ports.last.into());
        wanted(&ports.name, ObjectKind::Ports, ACCESS, leads)
    }));
    all.extend(program.interrupts.iter().map(|interrupt| {
        let line = interrupt.line.into();
        let leads = Leads::Range(line, line);
        wanted(&interrupt.name, ObjectKind::Interrupt, Rights::CONTROL, leads)
    }));
    all.extend(program.mmio.iter().map(|mmio| {
        let leads = Leads::Range(mmio.first.into(), mmio.last.into());
        wanted(&mmio.name, ObjectKind::Physical, Rights::CONTROL, leads)
    }));
    all.extend(program.memory.iter().map(|memory| {
        let rights = ACCESS.union(Rights::GRANT);
        wanted(&memory.name, ObjectKind::Memory, rights, Leads::Pages(memory.pages))
    }));
    all.extend(program.rings.iter().map(|ring| {
        let name = format!("ring-{}", ring.service);
        wanted(&name, ObjectKind::Memory, ACCESS.union(Rights::GRANT), Leads::Pages(ring.pages))
    }));
    all.extend(program.dma.iter().map(|dma| {
        let rights = ACCESS.union(Rights::CONTROL);
        wanted(&dma.name, ObjectKind::Memory, rights, Leads::Pages(dma.pages))
    }));
    all.extend((program.archive == Archive::Read).then(|| {
        let rights = Rights::READ.union(Rights::GRANT);
        wanted("archive", ObjectKind::Memory, rights, Leads::Pages(u64::MAX))
    }));
    all
}

/// Returns what every process has of itself, its heap included, which it has made.
fn own(program: &Program) -> Vec<Wanted> {
    let limits = Leads::Quota(program.pages, program.objects);
    let itself = [
        (boot::TABLE, ObjectKind::Table, Leads::Anywhere),
        (boot::SPACE, ObjectKind::Space, Leads::Anywhere),
        (boot::THREAD, ObjectKind::Thread, Leads::Anywhere),
        (boot::QUOTA, ObjectKind::Quota, limits),
    ];
    let mut own: Vec<Wanted> = Vec::new();
    own.extend(itself.map(|(handle, kind, leads)| Wanted {
        slot: Some(handle.0),
        ..wanted("-", kind, OWN, leads)
    }));
    own.push(wanted("heap", ObjectKind::Memory, Rights::ALL, Leads::Pages(u64::MAX)));
    own
}

fn wanted(name: &str, kind: ObjectKind, rights: Rights, leads: Leads) -> Wanted {
    Wanted { name: name.into(), slot: None, kind, rights, badge: Some(0), leads }
}
