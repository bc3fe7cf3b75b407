//! What gdb is told to do: connect, and come to the main of the program in question.
//!
//! The kernel has its addresses for itself. Of a native program, the script waits until the function
//! before main runs in a space whose message page has the program's name (libipc/src/start.rs), so
//! that no other program at the same address is taken for it. From there on cr3 tells the program's
//! life; breakpoints ask for it:
//!
//! ```text
//!   kamen_main, message page says NAME ──> $life = $cr3 ──> main if $cr3 == $life ──> the person
//!   here LOCATION   a breakpoint in this life          life   waits for the next one, its main
//! ```
//!
//! The page is looked at in Python, as a condition of gdb's own ends in an error where it reads
//! what is not mapped, in another program.

use crate::workspace;
use anyhow::{Context, Result};
use kamen_abi::{MessagePage, boot};
use object::{Object, ObjectSymbol};
use std::fs;
use std::path::Path;

/// Where a program's name is in the start information: behind magic, count and length.
const NAME_AT: usize = 8;
/// The function that calls main (libipc/rt/src/entry.rs); the message page has been read by then.
const BEFORE_MAIN: &str = "kamen_main";
/// The name of the first task, which nobody started.
const FIRST: &str = "init";

/// Returns where a program's main is, as gdb has it: "FILE:LINE". By its name it can't be found:
/// debug information of lines knows neither paths of functions nor what was inlined everywhere.
///
/// # Errors
/// Where the file can't be read or has none.
pub fn main(source: &str) -> Result<String> {
    let path = workspace::root().join(source);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = text.lines().position(|line| line.starts_with("fn main("));
    let line = line.with_context(|| format!("{source} has no main"))?;
    Ok(format!("{source}:{}", line + 1))
}

/// Returns the script for a program whose main is at a place.
///
/// # Errors
/// Where the executable can't be read.
pub fn of(name: &str, executable: &Path, main: &str, socket: &Path) -> Result<String> {
    let bytes = fs::read(executable).with_context(|| executable.display().to_string())?;
    let file = object::File::parse(&*bytes).context("the executable is malformed")?;
    let begin = match name {
        "kernel" => format!("tbreak {main}\ncontinue\n"),
        FIRST => program(file.entry(), name, main),
        name => {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(BEFORE_MAIN));
            let symbol = symbol.with_context(|| format!("{name} has no {BEFORE_MAIN}"))?;
            program(symbol.address(), name, main)
        }
    };
    Ok(format!("{}{begin}", connect(socket)))
}

/// Returns what a person wants done after that. In the script, where the first error is the end:
/// of commands on its command line gdb remembers only whether the last one failed.
pub fn commands(commands: &[String]) -> String {
    commands.iter().map(|command| format!("{command}\n")).collect()
}

fn connect(socket: &Path) -> String {
    // Conditions below are C; the programs have no types that gdb could show.
    format!(
        "set pagination off\nset confirm off\nset language c\nset architecture i386:x86-64\n\
         target remote {}\n",
        socket.display()
    )
}

/// Returns how to come to the main of a native program that begins at an address.
fn program(begin: u64, name: &str, main: &str) -> String {
    let wait = match name {
        // It has the boot archive: the length is nobody else's second argument.
        FIRST => format!("tbreak *{begin:#x} if $rdi == {:#x} && $rsi != 0", boot::MESSAGE_PAGE),
        _ => format!("python Life(\"*{begin:#x}\", temporary=True)"),
    };
    format!(
        "{}set $life = 0\n\
         define here\n  break $arg0 if $cr3 == $life\nend\n\
         document here\nhere LOCATION: a breakpoint in this life of {name} only.\nend\n\
         define life\n  {wait}\n  continue\n  set $life = $cr3\n  \
         tbreak {main} if $cr3 == $life\n  continue\nend\n\
         document life\nWaits for the next life of {name}, and for its main.\nend\n\
         life\n",
        life_of(name)
    )
}

/// Returns the class of breakpoints that stop in a space whose message page has a name.
fn life_of(name: &str) -> String {
    let page = boot::MESSAGE_PAGE + MessagePage::BYTES_AT;
    let (len, name) = (name.len(), name.escape_default());
    format!(
        "python\n\
         class Life(gdb.Breakpoint):\n  \
         def stop(self):\n    \
         try:\n      \
         page = gdb.selected_inferior().read_memory({page:#x}, {NAME_AT} + {len}).tobytes()\n    \
         except gdb.MemoryError:\n      \
         return False\n    \
         len = int.from_bytes(page[{NAME_AT} - 2:{NAME_AT}], \"little\")\n    \
         return page[:4] == b\"KST1\" and len == {len} and page[{NAME_AT}:] == b\"{name}\"\n\
         end\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_asks_for_the_name_and_keeps_to_its_life() {
        let script = program(0x201830, "names", "servers/names/src/main.rs:12");
        for part in [
            "Life(\"*0x201830\", temporary=True)",
            "and len == 5 and page[8:] == b\"names\"",
            "tbreak servers/names/src/main.rs:12 if $cr3 == $life",
        ] {
            assert!(script.contains(part), "{script}");
        }
    }

    #[test]
    fn a_main_is_found_in_its_source() {
        let main = main("servers/names/src/main.rs").unwrap();
        let line = main.strip_prefix("servers/names/src/main.rs:").unwrap();
        assert!(line.parse::<usize>().unwrap() > 1);
        assert!(super::main("servers/names/src/lib.rs").is_err());
        assert!(super::main("servers/nowhere.rs").is_err());
    }

    #[test]
    fn the_first_task_is_known_by_its_archive() {
        assert!(program(0x201000, "init", "main.rs:1").contains("&& $rsi != 0\n"));
    }
}
