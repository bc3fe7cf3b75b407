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

fn cause(programs: Vec<Program>) -> String {
    Manifest { programs }.check().expect_err("must be refused").cause
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
    files.pages = Amount::Percent(40);
    files.restart = Restart::Always;
    let any = Program::new(ANY_PROGRAM, Role::Native, "/bin/a program");
    let programs = vec![console, files, server("clock", 16, &[]), any];
    let manifest = Manifest { programs }.check().unwrap();
    assert_eq!(parse(&emit(&manifest)), Ok(manifest.clone()));
    assert_eq!(manifest.provider("ramfs").unwrap().priority, 16);
    assert_eq!(manifest.servers().count(), 3);
    assert_eq!(manifest.native(b"/bin/other").unwrap().name, ANY_PROGRAM);
}

#[test]
fn a_server_below_its_client_is_refused() {
    let cause = cause(vec![server("low", 5, &[]), server("high", 6, &["low"])]);
    assert!(cause.contains("only priority 5"), "{cause}");
}

#[test]
fn circles_of_calls_are_refused() {
    let cause = cause(vec![server("a", 5, &["b"]), server("b", 5, &["c"]), server("c", 5, &["a"])]);
    assert!(cause.contains("calls itself"), "{cause}");
    assert!(self::cause(vec![server("a", 5, &["a"])]).contains("calls itself"));
}

#[test]
fn unknown_and_repeated_names_are_refused() {
    assert!(cause(vec![server("a", 5, &["b"])]).contains("nobody provides"));
    assert!(cause(vec![server("a", 5, &["log", "log"])]).contains("twice"));
    assert!(cause(vec![server("a", 5, &[]), server("a", 5, &[])]).contains("second program"));
    assert!(cause(vec![server("process", 5, &[])]).contains("provider already"));
    assert!(cause(vec![server("A b", 5, &[])]).contains("no name"));
    assert!(cause(vec![server("", 5, &[])]).contains("no name"));
}

#[test]
fn bounds_are_checked() {
    assert!(cause(vec![server("a", SUPERVISOR_PRIORITY, &[])]).contains("below init"));
    let programs = (0..=MAX_PROGRAMS).map(|n| server(&n.to_string(), 5, &[])).collect();
    assert!(cause(programs).contains("more than 64"));
    let mut greedy = server("a", 5, &[]);
    greedy.pages = Amount::Percent(60);
    let other = Program { name: "b".into(), ..server("b", 5, &[]) };
    let other = Program { pages: Amount::Percent(60), ..other };
    assert!(cause(vec![greedy, other]).contains("memory add up to 120 %"));
    let wide = Program { handles: 16_385, ..server("a", 5, &[]) };
    assert!(cause(vec![wide]).contains("more than 16384 handles"));
    let rich = |name| Program { objects: Amount::Percent(51), ..server(name, 5, &[]) };
    assert!(cause(vec![rich("a"), rich("b")]).contains("objects add up to 102 %"));
    let mut ports = server("a", 5, &[]);
    ports.ports.push(PortRange { name: "p".into(), first: 2, last: 1 });
    assert!(cause(vec![ports]).contains("end before they begin"));
    let mut mmio = server("a", 5, &[]);
    mmio.mmio.push(MmioRange { name: "m".into(), first: 2, last: 1 });
    assert!(cause(vec![mmio]).contains("ends before it begins"));
    let many = (0..=MAX_CAPABILITIES).map(|n| KeptMemory { name: n.to_string(), pages: 1 });
    let many = Program { memory: many.collect(), ..server("a", 5, &[]) };
    assert!(cause(vec![many]).contains("more than 24"));
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
        priority in 0u8..20, percent in 1u8..100, objects in 1u64.., share: bool,
        handles in 0u16..=16_384, first: u16, line: u8,
        pages in 1u64.., file in "/[a-z/ .]{0,20}",
    ) {
        let mut program = server("a", priority, &["log", "process"]);
        program.file = file;
        program.handles = handles;
        program.objects = if share { Amount::Percent(percent) } else { Amount::Count(objects) };
        program.pages = Amount::Percent(percent);
        program.ports.push(PortRange { name: "p".into(), first, last: u16::MAX });
        program.interrupts.push(InterruptLine { name: "i".into(), line });
        program.memory.push(KeptMemory { name: "m".into(), pages });
        let manifest = Manifest { programs: vec![program] };
        prop_assert_eq!(parse(&emit(&manifest)), Ok(manifest));
    }
}

#[cfg(feature = "toml")]
mod source {
    use super::*;

    #[test]
    fn the_system_of_this_tree_is_sound() {
        let manifest = from_toml(include_str!("../../../system.toml")).unwrap();
        assert_eq!(parse(&emit(&manifest)), Ok(manifest.clone()));
        for service in ["names", "console", "clock", "file", "unix", "dos"] {
            assert!(manifest.provider(service).is_some(), "{service}");
        }
        assert!(manifest.native(b"/bin/anything").is_some());
    }

    #[test]
    fn errors_name_the_line() {
        let text = "[[server]]\nname = \"a\"\nfile = \"/a\"\n\n[[server]]\nname = \"b\"\n\
                    file = \"/b\"\nuses = [\"c\"]\n";
        let error = from_toml(text).unwrap_err();
        assert!(error.starts_with("line 5: b: uses \"c\""), "{error}");
        assert!(from_toml("[[server]]\nnme = \"a\"\n").unwrap_err().contains("line 2"));
        assert!(from_toml("[[native]]\nname=\"a\"\nfile=\"/a\"\npages=\"x\"").is_err());
    }

    #[test]
    fn registers_are_whole_pages() {
        let text = |first: u64, last: u64| {
            alloc::format!(
                "[[native]]\nname=\"a\"\nfile=\"/a\"\nmmio={{ screen=[{first}, {last}] }}"
            )
        };
        let manifest = from_toml(&text(0xb8000, 0xbffff)).unwrap();
        let mmio = MmioRange { name: "screen".into(), first: 0xb8, last: 0xbf };
        assert_eq!(manifest.programs[0].mmio, [mmio]);
        let highest = i64::MAX as u64;
        for (first, last) in [(0xb8001, 0xbffff), (0xb8000, 0xc0000), (highest - 4095, highest)] {
            assert!(from_toml(&text(first, last)).unwrap_err().contains("a page's"));
        }
        assert!(from_toml(&text(0xc0000, 0xbffff)).unwrap_err().contains("before it begins"));
    }
}
