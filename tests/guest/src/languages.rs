//! Tests of the UNIX personality with programs that the host's compilers make.
//!
//! What they print is compared with what the same files print on the host.

use crate::case::Case;
use crate::supply::Recipe;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        // glibc has its locales in files, and looks for them where this variable says.
        Case::twin("program: C with glibc", "export LOCPATH=$PWD; posix 3")
            .with_package("libc-bin", "usr/lib/locale/C.utf8/LC_CTYPE", "/tmp/C.utf8/LC_CTYPE")
            .with_built(Recipe::Glibc("posix.c"), "/bin/posix"),
        Case::twin("program: C with musl", "posix 4")
            .with_built(Recipe::Musl("posix.c"), "/bin/posix"),
        Case::twin("program: sockets, epoll, events and pipes", "sockets")
            .with_built(Recipe::Glibc("sockets.c"), "/bin/sockets"),
        Case::twin("program: calls that newer programs make", "newer")
            .with_built(Recipe::Glibc("newer.c"), "/bin/newer"),
        Case::twin("program: rights of an ordinary user", "rights")
            .with_built(Recipe::Glibc("rights.c"), "/bin/rights"),
        Case::twin("program: C++ with libstdc++", "modern")
            .with_built(Recipe::Cxx("modern.cc"), "/bin/modern"),
        Case::twin("program: Lua", "lua program.lua one two")
            .with("/tmp/program.lua", include_str!("../programs/program.lua"))
            .with_built(Recipe::Lua, "/bin/lua"),
        Case::twin("program: SQLite", include_str!("../scripts/sqlite.sh"))
            .with_built(Recipe::Sqlite, "/bin/sqlite"),
        Case::twin(
            "program: SQLite with several writers",
            include_str!("../scripts/sqlite-writers.sh"),
        )
        .with_built(Recipe::Sqlite, "/bin/sqlite"),
        Case::twin("program: SQLite's write-ahead log", include_str!("../scripts/sqlite-wal.sh"))
            .with_built(Recipe::Sqlite, "/bin/sqlite"),
        Case::twin("program: Rust's standard library", "standard")
            .with_built(Recipe::Rust("standard.rs"), "/bin/standard"),
        Case::twin("program: ripgrep", include_str!("../scripts/rg.sh"))
            .with_built(Recipe::Ripgrep, "/bin/rg"),
        in_pipes(),
    ]
}

/// Programs of both personalities in one pipe; what comes out follows from what goes in.
fn in_pipes() -> Case {
    let line = "rg -o '[a-z]+' words | /dos/SORTER.COM | tr -d '\\r' | lua count.lua | \
                sqlite words.db; echo $?";
    Case::line("program: in pipes with DOS programs", &format!("cd /tmp; {line}"))
        .with("/tmp/words", "pear 1 fig 2 apple 3\nfig 4 apple 5 fig\n")
        .with("/tmp/count.lua", include_str!("../programs/count.lua"))
        .with_built(Recipe::Lua, "/bin/lua")
        .with_built(Recipe::Sqlite, "/bin/sqlite")
        .with_built(Recipe::Ripgrep, "/bin/rg")
        .prints("apple|2\nfig|3\npear|1\n0\n")
}
