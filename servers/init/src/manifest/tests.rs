//! Tests of the manifest: the checks, the lines, and the system that is shipped.

use super::*;
use alloc::string::ToString;
use alloc::vec;
use proptest::prelude::*;

fn server(name: &str, priority: u8, uses: &[&str]) -> Program {
    let role = Role::Server { service: name.into() };
    let uses = uses.iter().map(ToString::to_string).collect();
    Program { priority, uses, ..Program::new(name, role, "/sbin/x") }
}

#[test]
fn a_sound_system_passes_both_ways() {
    let mut console = server("console", 18, &["log"]);
    console.ports.push(PortRange { name: "serial".into(), first: 0x3f8, last: 0x3ff });
    console.interrupts.push(InterruptLine { name: "serial-line".into(), line: 4 });
    console.mmio.push(MmioRange { name: "screen".into(), first: 0xb8, last: 0xbf });
    let mut files = server("ramfs", 16, &["clock", "system"]);
    files.memory.push(KeptMemory { name: "store".into(), pages: 16384 });
    files.archive = Archive::Read;
    files.rings.push(RingMemory { service: "clock".into(), pages: 9 });
    files.dma.push(KeptMemory { name: "buffers".into(), pages: 64 });
    files.pages = Amount::Percent(40);
    files.restart = Restart::Always;
    files.heartbeat_ms = Some(500);
    let any = Program::new(ANY_PROGRAM, Role::Native, "/bin/a program");
    let programs = vec![console, files, server("clock", 16, &[]), any];
    let manifest = Manifest { programs }.check().unwrap();
    assert_eq!(parse(&emit(&manifest)), Ok(manifest.clone()));
    assert_eq!(manifest.provider("ramfs").unwrap().priority, 16);
    assert_eq!(manifest.servers().count(), 3);
    assert_eq!(manifest.native(b"/bin/other").unwrap().name, ANY_PROGRAM);
}

#[test]
fn more_programs_than_can_be_are_refused() {
    let program = |n: usize| Program::new(&n.to_string(), Role::Native, "/bin/x");
    let programs = (0..=MAX_PROGRAMS).map(program).collect();
    let error = Manifest { programs }.check().unwrap_err();
    assert_eq!(error.cause, "there are 65 programs; at most 64 can be declared");
    let programs = (0..=MAX_SERVERS).map(|n| server(&n.to_string(), 5, &[])).collect();
    let error = Manifest { programs }.check().unwrap_err();
    assert_eq!(error.cause, "there are more than 48 servers");
}

#[test]
fn a_compiled_manifest_is_checked_as_well() {
    let text = b"kamen-system 1\nserver a a /x\nuses b\n";
    assert!(parse(text).unwrap_err().cause.starts_with("a: uses \"b\", which no server"));
}

#[test]
fn malformed_lines_are_refused_with_their_number() {
    let cases = [
        ("", 1),
        ("kamen-system 2\n", 1),
        ("kamen-system 1\npriority 4", 2),
        ("kamen-system 1\nserver a b /x\npriority", 3),
        ("kamen-system 1\nserver a b /x\npriority 256", 3),
        ("kamen-system 1\nserver a b /x\npriority 5 6", 3),
        ("kamen-system 1\nserver a b /x\nrestart often", 3),
        ("kamen-system 1\nserver a b", 2),
        ("kamen-system 1\nserver a b /x\n\n", 3),
    ];
    for (text, line) in cases {
        assert_eq!(parse(text.as_bytes()).map_err(|error| error.line), Err(line), "{text:?}");
    }
    assert!(parse(&[0xff]).is_err());
    assert!(parse(&vec![b'\n'; 1 << 17]).is_err());
}

proptest! {
    #[test]
    fn any_text_is_no_panic(text in "(kamen-system 1\n)?([a-z]{1,9}( [a-z0-9/]{0,5}){0,4}\n){0,9}") {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn parse_undoes_emit(
        priority in 0u8..20, percent in 1u8..100, objects in 1u64..=1952, share: bool,
        handles in 16u16..=16_384, first in 0xea_u16.., line: u8,
        pages in 1u64.., file in "/[a-z/ .]{0,20}", dma in 1u64..=512, ring in 1u64..=4096,
    ) {
        let mut program = server("a", priority, &["log", "process"]);
        program.file = file;
        program.handles = handles;
        program.objects = if share { Amount::Percent(percent) } else { Amount::Count(objects) };
        program.pages = Amount::Percent(percent);
        program.ports.push(PortRange { name: "p".into(), first, last: u16::MAX });
        program.interrupts.push(InterruptLine { name: "i".into(), line });
        program.memory.push(KeptMemory { name: "m".into(), pages });
        program.uses.push("b".into());
        program.rings.push(RingMemory { service: "b".into(), pages: ring });
        program.dma.push(KeptMemory { name: "d".into(), pages: dma });
        let manifest = Manifest { programs: vec![program, server("b", 19, &[])] };
        prop_assert_eq!(parse(&emit(&manifest)), Ok(manifest));
    }
}

#[cfg(feature = "toml")]
mod rules;
