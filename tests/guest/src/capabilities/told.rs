//! What programs tell of their capabilities: lines of the log.

use std::collections::BTreeMap;

/// The number of its process in a badge that a program calls by (the bits above tell protocols).
const PID: u64 = (1 << 62) - 1;

/// A capability as Inspect described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub slot: u64,
    pub kind: String,
    pub rights: u64,
    pub badge: u64,
    pub values: [u64; 3],
    /// What the program knows it as; "-" where it has no name.
    pub name: String,
}

impl Told {
    /// Returns the process that the capability's badge names.
    pub fn pid(&self) -> u64 {
        self.badge & PID
    }
}

/// Returns the capabilities of all programs that told them to the end.
///
/// # Errors
/// A line that is malformed.
pub fn read(log: &str) -> Result<BTreeMap<String, Vec<Told>>, String> {
    let (mut open, mut told) = (BTreeMap::new(), BTreeMap::new());
    for (head, text) in log.lines().filter_map(|line| line.split_once(": ")) {
        // Time and level come before the name.
        let name = head.rsplit(' ').next().unwrap_or(head);
        if let Some(words) = text.strip_prefix("capability ") {
            let capability = capability(words).ok_or_else(|| format!("{name}: {text}"))?;
            open.entry(name.to_owned()).or_insert_with(Vec::new).push(capability);
        } else if text == "capabilities told" {
            told.extend(open.remove_entry(name));
        }
    }
    Ok(told)
}

fn capability(words: &str) -> Option<Told> {
    let words: Vec<&str> = words.split(' ').collect();
    let [slot, kind, rights, badge, first, second, third, name] = words.try_into().ok()?;
    let number = |word| u64::from_str_radix(word, 16).ok();
    Some(Told {
        slot: number(slot)?,
        kind: kind.to_owned(),
        rights: number(rights)?,
        badge: number(badge)?,
        values: [number(first)?, number(second)?, number(third)?],
        name: name.to_owned(),
    })
}
