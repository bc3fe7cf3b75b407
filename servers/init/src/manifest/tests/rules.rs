//! Each rule of the manifest with a small text that breaks it, and what its author reads then.

use super::*;
use alloc::format;
use alloc::string::String;

/// A server and the keys of its entry after line 3, where they begin at line 4.
const A: &str = "[[server]]\nname = \"a\"\nfile = \"/sbin/a\"\n";
/// The same, native.
const N: &str = "[[native]]\nname = \"n\"\nfile = \"/bin/n\"\n";
/// A second server; its keys begin at line 9 where the first has one.
const B: &str = "\n[[server]]\nname = \"b\"\nfile = \"/sbin/b\"\n";

/// Returns what is wrong with a text; its image has all but one file.
fn message(text: &str) -> String {
    from_toml(text, |file| file != "/sbin/none").expect_err("must be refused")
}

fn expect(cases: &[(&[&str], &str)]) {
    for (parts, expected) in cases {
        let text = parts.concat();
        assert_eq!(message(&text), *expected, "{text}");
    }
}

#[test]
fn keys_and_their_types() {
    expect(&[
        (&[A, "uses = [\n"], "line 4: unclosed array, expected `]`"),
        (
            &["[[sever]]\n"],
            "line 1: \"sever\" is no part of a manifest, which consists of [[server]] and [[native]]",
        ),
        (&["server = 3\n"], "line 1: server must be written as [[server]]"),
        (&["[server]\nname = \"a\"\n"], "line 1: server must be written as [[server]]"),
        (
            &[A, "prio = 3\n"],
            "line 4: \"prio\" is no key of a program; keys are name, service, file, priority, \
             pages, objects, handles, restart, heartbeat-ms, uses, ports, interrupts, mmio, memory, \
             rings, dma, archive",
        ),
        (
            &["\n[[server]]\nfile = \"/a\"\n"],
            "line 2: a [[server]] has no name, as name = \"clock\"",
        ),
        (
            &["[[native]]\nname = \"a\"\n"],
            "line 1: a [[native]] has no file, as file = \"/sbin/clock\"",
        ),
        (&["[[server]]\nname = 3\n"], "line 2: name must be a text in quotes, not 3"),
        (&[A, "priority = 256\n"], "line 4: a: priority must be a number from 0 to 255, not 256"),
        (&[A, "priority = -1\n"], "line 4: a: priority must be a number from 0 to 255, not -1"),
        (
            &[A, "handles = 1.5\n"],
            "line 4: a: handles must be a number from 0 to 65535, not a fraction",
        ),
        (
            &[A, "pages = \"x%\"\n"],
            "line 4: a: pages must be a number or a share such as \"40%\", not \"x%\"",
        ),
        (
            &[A, "objects = true\n"],
            "line 4: a: objects must be a number or a share such as \"40%\", not true",
        ),
        (
            &[A, "restart = \"often\"\n"],
            "line 4: a: restart must be \"always\" or \"never\", not \"often\"",
        ),
        (
            &[A, "heartbeat-ms = \"often\"\n"],
            "line 4: a: heartbeat-ms must be a number from 0 to 4294967295, not \"often\"",
        ),
        (
            &[A, "uses = \"log\"\n"],
            "line 4: a: uses must be a list of names, such as [\"log\", \"clock\"], not \"log\"",
        ),
        (
            &[A, "ports = [1, 2]\n"],
            "line 4: a: ports must be a table of names, such as { line = 4 }, not [1, 2]",
        ),
        (
            &[A, "\nports = { p = [1, 2, 3] }\n"],
            "line 5: a: ports p must be [first, last], numbers from 0 to 0xffff, not [1, 2, 3]",
        ),
        (
            &[A, "ports = { p = [1, 0x10000] }\n"],
            "line 4: a: ports p must be [first, last], numbers from 0 to 0xffff, not [1, 0x10000]",
        ),
        (
            &[A, "interrupts = { i = 256 }\n"],
            "line 4: a: interrupts i must be a number from 0 to 255, not 256",
        ),
        (
            &[A, "mmio = { m = [0xb8001, 0xbffff] }\n"],
            "line 4: a: mmio m must be whole pages, such as [0xb8000, 0xbffff], not [0xb8001, 0xbffff]",
        ),
        (
            &[A, "mmio = { m = [0xb8000, 0xc0000] }\n"],
            "line 4: a: mmio m must be whole pages, such as [0xb8000, 0xbffff], not [0xb8000, 0xc0000]",
        ),
        (
            &[A, "memory = { m = \"1\" }\n"],
            "line 4: a: memory m must be a number from 0 to 9223372036854775807, not \"1\"",
        ),
        (
            &[A, "rings = { b = true }\n"],
            "line 4: a: rings b must be a number from 0 to 9223372036854775807, not true",
        ),
        (
            &[A, "dma = { buffers = \"1\" }\n"],
            "line 4: a: dma buffers must be a number from 0 to 9223372036854775807, not \"1\"",
        ),
        (&[A, "archive = 1\n"], "line 4: a: archive must be true or false, not 1"),
        (&[N, "service = \"s\"\n"], "line 4: n: only servers have a service"),
    ]);
}

#[test]
fn names_and_bounds_of_one_program() {
    expect(&[
        (
            &["[[server]]\nname = \"A b\"\nfile = \"/a\"\n"],
            "line 2: \"A b\" is no name; names are 1 to 24 lower-case letters, digits and hyphens",
        ),
        (
            &[A, "service = \"\"\n"],
            "line 4: a: service \"\" is no name; names are 1 to 24 lower-case letters, digits and hyphens",
        ),
        (
            &["[[server]]\nname = \"a\"\nfile = \"a\"\n"],
            "line 3: a: file \"a\" is no absolute path, as /sbin/NAME is",
        ),
        (
            &["[[server]]\nname = \"a\"\nfile = \"/sbin/none\"\n"],
            "line 3: a: file \"/sbin/none\" is not in the image; no package builds it",
        ),
        (
            &[A, "priority = 20\n"],
            "line 4: a: priority 20 is not below init's own; 19 is the highest",
        ),
        (&[A, "pages = 0\n"], "line 4: a: pages is 0; a program can't do without"),
        (&[A, "objects = \"0%\"\n"], "line 4: a: objects is 0; a program can't do without"),
        (&[A, "pages = \"101%\"\n"], "line 4: a: pages is 101 %; 100 % is all there is"),
        (&[A, "handles = 16385\n"], "line 4: a: handles is 16385; a table has at most 16384"),
        (
            &[A, "uses = [\"log\"]\nhandles = 8\n"],
            "line 5: a: handles is 8; what the program starts with takes 9",
        ),
        (&[A, "heartbeat-ms = 49\n"], "line 4: a: heartbeat-ms is 49; it is from 50 to 60000"),
        (
            &[A, "heartbeat-ms = 60001\n"],
            "line 4: a: heartbeat-ms is 60001; it is from 50 to 60000",
        ),
        (
            &[N, "heartbeat-ms = 500\n"],
            "line 4: n: only servers have a heartbeat; who starts a native program sees whether it \
             hangs",
        ),
        (
            &[A, "ports = { p = [2, 1] }\n"],
            "line 4: a: ports p go from 0x2 down to 0x1; the lower one comes first",
        ),
        (
            &[A, "ports = { p = [0xe0, 0xef] }\n"],
            "line 4: a: ports p include 0xe9, the log's; use \"log\" for that",
        ),
        (
            &[A, "mmio = { m = [0xc0000, 0xbffff] }\n"],
            "line 4: a: mmio m goes from 0xc0000 down to 0xbffff; the lower one comes first",
        ),
        (
            &[A, "memory = { m = 0 }\n"],
            "line 4: a: memory m has 0 pages; nothing could be kept in it",
        ),
        (
            &[A, "uses = [\"b\"]\nrings = { b = 0 }\n"],
            "line 5: a: the ring to \"b\" has 0 pages; a ring has 1 to 4096",
        ),
        (
            &[A, "uses = [\"b\"]\nrings = { b = 4097 }\n"],
            "line 5: a: the ring to \"b\" has 4097 pages; a ring has 1 to 4096",
        ),
        (
            &[A, "uses = [\"log\"]\nrings = { b = 1 }\n"],
            "line 5: a: there is a ring to \"b\", which is not in uses; add it there",
        ),
        (
            &[A, "uses = [\"log\"]\nrings = { log = 1 }\n"],
            "line 5: a: \"log\" is init's own, which serves no rings",
        ),
        (
            &[A, "uses = [\"process\"]\nrings = { process = 1 }\n"],
            "line 5: a: \"process\" is init's own, which serves no rings",
        ),
        (
            &[
                A,
                "uses = [\"a-service-with-long-name\"]\nrings = { a-service-with-long-name = 1 }\n",
            ],
            "line 5: a: capability \"ring-a-service-with-long-name\" is no name; names are 1 to 24 \
             lower-case letters, digits and hyphens",
        ),
        (
            &[A, "uses = [\"b\"]\nrings = { b = 1 }\nmemory = { ring-b = 1 }\n"],
            "line 5: a: \"ring-b\" is given twice; each capability has a name of its own",
        ),
        (
            &[A, "dma = { buffers = 0 }\n"],
            "line 4: a: dma buffers has 0 pages; contiguous memory has 1 to 512",
        ),
        (
            &[A, "dma = { buffers = 513 }\n"],
            "line 4: a: dma buffers has 513 pages; contiguous memory has 1 to 512",
        ),
        (
            &[A, "memory = { M = 1 }\n"],
            "line 4: a: capability \"M\" is no name; names are 1 to 24 lower-case letters, digits and hyphens",
        ),
        (
            &[A, "memory = { stdin = 1 }\n"],
            "line 4: a: \"stdin\" is a name that init gives by itself; choose another",
        ),
        (
            &[A, "memory = { events = 1 }\n"],
            "line 4: a: \"events\" is a name that init gives by itself; choose another",
        ),
        (
            &[A, "uses = [\"log\", \"log\"]\n"],
            "line 4: a: \"log\" is given twice; each capability has a name of its own",
        ),
        (
            &[A, "archive = true\nmemory = { archive = 1 }\n"],
            "line 4: a: \"archive\" is given twice; each capability has a name of its own",
        ),
        (
            &[N, "restart = \"always\"\n"],
            "line 4: n: only servers are restarted; who starts a native program sees to its end",
        ),
        (
            &[N, "memory = { m = 1 }\n"],
            "line 4: n: only servers have kept memory; a native program may run several times at once",
        ),
        (
            &[N, "uses = [\"b\"]\nrings = { b = 1 }\n"],
            "line 5: n: only servers have rings; a native program may run several times at once",
        ),
        (
            &[N, "dma = { buffers = 1 }\n"],
            "line 4: n: only servers have DMA memory; a native program may run several times at once",
        ),
        (
            &[N, "interrupts = { i = 4 }\n"],
            "line 4: n: only servers have interrupts; a native program may run several times at once",
        ),
    ]);
    let many: Vec<String> = (0..=MAX_CAPABILITIES).map(|number| format!("m{number} = 1")).collect();
    assert_eq!(
        message(&format!("{A}memory = {{ {} }}", many.join(", "))),
        "line 4: a: 25 capabilities are named; a program gets at most 24"
    );
}

#[test]
fn what_two_programs_cannot_both_have() {
    expect(&[
        (&[A, A], "line 5: a second program is called \"a\"; each has a name of its own"),
        (
            &[A, "service = \"log\"\n"],
            "line 4: a: service \"log\" is init's own; choose another name",
        ),
        (
            &["[[server]]\nname = \"system\"\nfile = \"/a\"\n"],
            "line 1: system: service \"system\" is init's own; choose another name",
        ),
        (&[A, B, "service = \"a\"\n"], "line 8: b: service \"a\" is provided by a already"),
        (
            &[N, "[[native]]\nname = \"m\"\nfile = \"/bin/n\"\n"],
            "line 6: m: file \"/bin/n\" has an entry already, n",
        ),
        (
            &[A, "interrupts = { i = 4 }\n", B, "interrupts = { j = 4 }\n"],
            "line 9: b: interrupt 4 is given to a already",
        ),
        (&[A, "interrupts = { i = 4, j = 4 }\n"], "line 4: a: interrupt 4 is given to a already"),
        (
            &[A, "ports = { p = [1, 5] }\n", B, "ports = { q = [5, 9] }\n"],
            "line 9: b: ports q (0x5 to 0x9) overlap a's p (0x1 to 0x5)",
        ),
        (
            &[A, "ports = { p = [1, 5], q = [2, 2] }\n"],
            "line 4: a: ports q (0x2 to 0x2) overlap a's p (0x1 to 0x5)",
        ),
        (
            &[A, "mmio = { m = [0, 0x2fff] }\n", B, "mmio = { k = [0x1000, 0x1fff] }\n"],
            "line 9: b: mmio k overlaps a's m at 0x1000",
        ),
    ]);
}

#[test]
fn calls_and_sums_of_the_whole() {
    expect(&[
        (
            &[A, B, "uses = [\"c\"]\n"],
            "line 8: b: uses \"c\", which no server provides; there are a, b, log, process, system, attention",
        ),
        (
            &[A, "priority = 5\n", B, "priority = 6\nuses = [\"a\"]\n"],
            "line 10: b: uses \"a\" with priority 6, but its server a has only 5; a server's \
             priority is at least that of its clients",
        ),
        (
            &[A, "uses = [\"a\"]\n"],
            "line 4: a: calls itself in a circle, in which both would wait forever: a calls a",
        ),
        (
            &[A, "uses = [\"b\"]\n", B, "uses = [\"a\"]\n"],
            "line 4: a: calls itself in a circle, in which both would wait forever: a calls b calls a",
        ),
        (
            &[A, "pages = \"60%\"\n", B, "pages = \"60%\"\n"],
            "line 9: b: with it the servers' shares of pages add up to 120 %",
        ),
        (
            &[A, "objects = \"51%\"\n", B, "objects = \"51%\"\n"],
            "line 9: b: with it the servers' shares of objects add up to 102 %",
        ),
        (
            &[A, "pages = 12000\n", B, "pages = 289\n"],
            "line 9: b: with it the servers' pages add up to 12289; the smallest machine, of 64 \
             MiB, has 12288 for them",
        ),
        (
            &[
                A,
                "pages = 12000\ndma = { m = 200 }\n",
                B,
                "pages = 80\nuses = [\"a\"]\nrings = { a = 9 }\n",
            ],
            "line 10: b: with it the servers' pages add up to 12289; the smallest machine, of 64 \
             MiB, has 12288 for them",
        ),
        (
            &[A, B, "objects = 2000\n"],
            "line 8: b: with it the servers' objects add up to 2096; the smallest machine, of 64 \
             MiB, has 2048 for them",
        ),
    ]);
}

#[test]
fn the_system_of_this_tree_is_sound() {
    let manifest = from_toml(include_str!("../../../../system.toml"), |_| true).unwrap();
    assert_eq!(parse(&emit(&manifest)), Ok(manifest.clone()));
    for service in ["names", "console", "clock", "file", "unix", "dos"] {
        assert!(manifest.provider(service).is_some(), "{service}");
    }
    assert!(manifest.native(b"/bin/anything").is_some());
}

#[test]
fn registers_are_counted_in_frames() {
    let text = format!("{N}mmio = {{ screen = [0xb8000, 0xbffff] }}");
    let manifest = from_toml(&text, |_| true).unwrap();
    let mmio = MmioRange { name: "screen".into(), first: 0xb8, last: 0xbf };
    assert_eq!(manifest.programs[0].mmio, [mmio]);
}

#[test]
fn texts_are_one_manifest_and_faults_are_told_of_the_right_one() {
    let own = format!("{B}priority = 5\nuses = [\"a\"]\n");
    let manifest = from_texts(&[&format!("{A}{N}"), &own], |_| true).unwrap();
    let names: Vec<&str> = manifest.servers().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let cases: [(&str, &str, usize, &str); 6] = [
        ("[[server]]\nname = 3\n", "x", 0, "line 2: name must be a text in quotes, not 3"),
        (A, "uses = [\n", 1, "line 1: unclosed array, expected `]`"),
        (
            A,
            "\n[[server]]\nname = \"a\"\nfile = \"/sbin/a\"\n",
            1,
            "line 3: a second program is called \"a\"; each has a name of its own",
        ),
        (
            A,
            "[[server]]\nname = \"b\"\nfile = \"/sbin/b\"\npriority = 9\nuses = [\"a\"]\n",
            1,
            "line 5: b: uses \"a\" with priority 9, but its server a has only 8; a server's priority \
             is at least that of its clients",
        ),
        (
            "[[server]]\nname = \"c\"\nfile = \"/c\"\nuses = [\"b\"]\n",
            "[[server]]\nname = \"b\"\nfile = \"/b\"\npriority = 3\n",
            0,
            "line 4: c: uses \"b\" with priority 8, but its server b has only 3; a server's priority \
             is at least that of its clients",
        ),
        (
            A,
            "[[server]]\nname = \"b\"\nfile = \"/sbin/none\"\n",
            1,
            "line 3: b: file \"/sbin/none\" is not in the image; no package builds it",
        ),
    ];
    for (first, second, index, cause) in cases {
        let error = from_texts(&[first, second], |file| file != "/sbin/none").unwrap_err();
        assert_eq!(error, (index, cause.into()));
    }
}

#[test]
fn the_system_of_the_tests_is_sound_and_numbers_the_servers_as_that_of_users() {
    let (system, tests) = (
        include_str!("../../../../system.toml"),
        include_str!("../../../../../tests/guest/system.toml"),
    );
    let names = |manifest: Manifest| -> Vec<String> {
        manifest.servers().map(|server| server.name.clone()).collect()
    };
    let users = names(from_toml(system, |_| true).unwrap());
    let both = from_texts(&[system, tests], |_| true).unwrap();
    assert_eq!(parse(&emit(&both)), Ok(both.clone()));
    assert!(names(both).starts_with(&users));
}
