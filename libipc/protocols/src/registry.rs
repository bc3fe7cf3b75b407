//! All protocols by number: the names of their operations and errors, for traces.
//!
//! A new protocol has its line in [`ALL`]; a test finds those that have none.

use core::fmt::{self, Debug, Write};

use libipc::ProtocolError;

use crate::{
    clock, console, dos, ethernet, file, keep, names, net, process, sample, stream, system,
};

/// A protocol's names.
pub struct Protocol {
    /// Any label of its requests: its number is in the upper half.
    label: u32,
    operation: fn(u32) -> Option<&'static str>,
    error: fn(u32, &mut dyn Write) -> fmt::Result,
}

impl Protocol {
    const fn new<E: ProtocolError + Debug>(
        label: u32,
        operation: fn(u32) -> Option<&'static str>,
    ) -> Self {
        Protocol { label, operation, error: write_named::<E> }
    }

    /// Returns its number.
    pub const fn number(&self) -> u16 {
        (self.label >> 16) as u16
    }
}

/// Every protocol.
#[rustfmt::skip]
pub static ALL: &[Protocol] = &[
    Protocol::new::<clock::ClockError>(clock::clock_label::BOOT_TIME, clock::clock_label::name),
    Protocol::new::<stream::StreamError>(console::console_label::MODES, console::console_label::name),
    Protocol::new::<dos::DosError>(dos::dos_label::DRIVES, dos::dos_label::name),
    Protocol::new::<ethernet::EthernetError>(ethernet::ethernet_label::OPEN, ethernet::ethernet_label::name),
    Protocol::new::<file::FileError>(file::file_label::READ, file::file_label::name),
    Protocol::new::<keep::KeepError>(keep::keep_label::KEEP_NOTIFICATION, keep::keep_label::name),
    Protocol::new::<names::NamesError>(names::names_label::FIND, names::names_label::name),
    Protocol::new::<net::NetError>(net::net_label::ADDRESS, net::net_label::name),
    Protocol::new::<process::ProcessError>(process::process_label::SPAWN, process::process_label::name),
    Protocol::new::<sample::SampleError>(sample::sample_label::VALUE, sample::sample_label::name),
    Protocol::new::<stream::StreamError>(stream::stream_label::READ, stream::stream_label::name),
    Protocol::new::<system::SystemError>(system::system_label::LOG, system::system_label::name),
];

fn of(label: u32) -> Option<&'static Protocol> {
    ALL.iter().find(|protocol| u32::from(protocol.number()) == label >> 16)
}

/// Returns the name of the operation that a request's label stands for, as "File::read".
pub fn operation(label: u32) -> Option<&'static str> {
    (of(label)?.operation)(label)
}

/// Writes the name of an error, said in answer to a request with that label; its number where it
/// has none.
///
/// # Errors
/// What `out` returns.
pub fn write_error(label: u32, number: u32, out: &mut dyn Write) -> fmt::Result {
    match of(label) {
        Some(protocol) => (protocol.error)(number, out),
        None => write!(out, "error {number}"),
    }
}

fn write_named<E: ProtocolError + Debug>(number: u32, out: &mut dyn Write) -> fmt::Result {
    match E::from_number(number) {
        Some(error) => write!(out, "{error:?}"),
        None => write!(out, "error {number}"),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;
    use std::vec::Vec;

    use super::*;

    /// Returns the numbers that stand behind a mark in a text.
    fn numbers(text: &str, mark: &str) -> Vec<u32> {
        let digits =
            |rest: &str| -> String { rest.chars().take_while(char::is_ascii_digit).collect() };
        text.split(mark).skip(1).map(|rest| digits(rest).parse().unwrap()).collect()
    }

    #[test]
    fn every_protocol_of_this_crate_and_each_of_its_operations_has_a_name() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() || path.ends_with("registry.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let protocols = numbers(&text, concat!("#[interface(", "number = "));
            let Some(&protocol) = protocols.first() else { continue };
            assert_eq!(protocols.len(), 1, "{path:?}");
            found += 1;
            let operations = numbers(&text, "#[operation(");
            assert!(!operations.is_empty(), "{path:?}");
            for number in operations {
                let named = operation(protocol << 16 | number);
                assert!(named.is_some(), "{path:?}, operation {number}: not in registry::ALL");
            }
        }
        assert_eq!(found, ALL.len());
    }

    #[test]
    fn errors_have_names_and_strange_ones_numbers() {
        let error = |label, number| {
            let mut text = String::new();
            write_error(label, number, &mut text).unwrap();
            text
        };
        assert_eq!(error(file::file_label::READ, file::FileError::NotFound as u32), "NotFound");
        assert_eq!(error(file::file_label::READ, 200), "error 200");
        assert_eq!(error(0xfff0_0001, 7), "error 7");
        assert_eq!(operation(0xfff0_0001), None);
        assert_eq!(operation(file::file_label::READ), Some("File::read"));
    }
}
