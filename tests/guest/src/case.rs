//! One test: how to boot, what to do, what must come out.

use crate::capabilities::Holder;
use crate::expected::Expected;
use crate::supply::{Built, Packaged};
use crate::top::Share;
use crate::traffic::{Plug, Traffic};
use std::time::Duration;

/// Time limit of a test that names none: many times what it takes, for machines under load.
const LIMIT: Duration = Duration::from_secs(60);

/// By which way in the system is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// QEMU's loader (PVH), board q35.
    Q35,
    /// QEMU's loader (PVH), board microvm.
    Microvm,
    /// As [`Way::Microvm`], with the instruction clock.
    InstructionClock,
    /// The ISO under SeaBIOS.
    Bios,
    /// The ISO under OVMF.
    Uefi,
}

/// Which kernel is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The one that users get.
    Usual,
    /// One that ends once it is up (microkernel/src/forced.rs).
    Ending,
}

/// What is done with the booted system.
#[derive(Clone, Debug)]
pub enum Action {
    /// One program is run, with these bytes as its input.
    Program {
        /// Its name and arguments.
        words: Vec<String>,
        /// Its input.
        input: Vec<u8>,
    },
    /// One program of the workspace is run as first task, in init's place.
    FirstTask {
        /// Name of its binary.
        program: String,
        /// What it is asked to do.
        arguments: String,
    },
    /// gdb looks at the kernel or a program while another one is run; the output is what it says.
    Debugger {
        /// What it looks at.
        name: String,
        /// Its commands, once that has come to its main.
        commands: Vec<String>,
    },
    /// The kernel's benchmark is run, and compared with the committed results.
    Benchmark,
    /// The shell reads a script.
    Script {
        /// The script.
        input: Vec<u8>,
    },
    /// A person types at the terminal.
    Terminal {
        /// What the person does.
        steps: Vec<Step>,
    },
}

/// What a person at the terminal does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Waits until this text appears after what was seen before.
    See(String),
    /// Types this.
    Type(String),
    /// Sends a break on the line, as Ctrl-^ of `cargo xtask run` does.
    Break,
    /// Watches for so long, in which the guest may use so many hundredths of a processor.
    Rest {
        /// How long.
        span: Duration,
        /// How much of a host processor, in percent.
        percent: u32,
    },
    /// Has the host do something at the other end of the network, to its end.
    Host(Traffic),
    /// The same, while the person goes on.
    Meanwhile(Traffic),
    /// Ends what the host does meanwhile, and sees that all of it was well.
    Join,
    /// Looks at the memory in use; from the second time on it may be so much more than at the first.
    Memory {
        /// How many KiB more.
        grown_kib: u64,
    },
    /// Kills a server, as often as wanted, each time when it runs again.
    Kill {
        /// Its name.
        server: String,
        /// How often.
        times: u32,
        /// How long it runs before.
        pause: Duration,
    },
}

/// A file for the image of one test.
#[derive(Clone, Debug)]
pub struct File {
    /// Absolute path in the guest.
    pub path: String,
    /// Permission bits.
    pub permissions: u32,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows: `area: fact`.
    pub name: String,
    /// How it boots.
    pub way: Way,
    /// Which kernel it boots.
    pub kernel: Kernel,
    /// Whether it runs under the instruction clock, whatever its way.
    pub counted: bool,
    /// How many processors the machine has.
    pub cpus: u32,
    /// What its network card is connected with.
    pub plug: Plug,
    /// `key=value` lines in every program's environment.
    pub settings: Vec<String>,
    /// What it adds to the image.
    pub files: Vec<File>,
    /// What it adds to the image out of packages.
    pub packaged: Vec<Packaged>,
    /// What it adds to the image that is built for it.
    pub built: Vec<Built>,
    /// What it does.
    pub action: Action,
    /// What the console must have shown.
    pub output: Expected,
    /// What the log must have shown.
    pub log: Expected,
    /// What the console shows from this text on is shown to whoever runs the test: its figures.
    pub figures: Option<String>,
    /// The guest's exit status.
    pub status: u8,
    /// How long it may take from QEMU's start.
    pub limit: Duration,
}

impl Case {
    /// Returns a test that runs one program.
    pub fn program(name: &str, words: &[&str]) -> Case {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Case::new(name, Action::Program { words, input: Vec::new() })
    }

    /// Returns a test that runs a line of shell.
    pub fn line(name: &str, line: &str) -> Case {
        Case::program(name, &["sh", "-c", line])
    }

    /// Returns a test that runs a program as first task.
    pub fn first_task(name: &str, program: &str, arguments: &str) -> Case {
        let (program, arguments) = (program.to_owned(), arguments.to_owned());
        Case::new(name, Action::FirstTask { program, arguments })
    }

    /// Returns a test in which gdb looks at a program while `hello` is run.
    pub fn debugger(name: &str, program: &str, commands: &[&str]) -> Case {
        let commands = commands.iter().map(|command| (*command).to_owned()).collect();
        Case::new(name, Action::Debugger { name: program.to_owned(), commands })
    }

    /// Returns a test in which the shell reads a script.
    pub fn script(name: &str, script: &str) -> Case {
        Case::new(name, Action::Script { input: script.as_bytes().to_vec() })
    }

    /// Returns a test at the terminal.
    pub fn terminal(name: &str, steps: &[Step]) -> Case {
        Case::new(name, Action::Terminal { steps: steps.to_vec() })
    }

    /// Boots it another way.
    pub fn by(self, way: Way) -> Case {
        Case { way, ..self }
    }

    /// Boots another kernel.
    pub fn with_kernel(self, kernel: Kernel) -> Case {
        Case { kernel, ..self }
    }

    /// Runs it under the instruction clock, whatever its way.
    pub fn counted(self) -> Case {
        Case { counted: true, ..self }
    }

    /// Returns whether a tool of the host's boots it for its own purpose.
    pub fn is_of_tool(&self) -> bool {
        matches!(self.action, Action::Benchmark | Action::Debugger { .. })
    }

    /// Returns whether it runs under the instruction clock.
    pub fn is_counted(&self) -> bool {
        self.counted || self.way == Way::InstructionClock
    }

    /// Boots a machine with so many processors.
    pub fn on(self, cpus: u32) -> Case {
        Case { cpus, ..self }
    }

    /// Returns the same test of a machine with more processors, if it makes sense there. It has a
    /// clock of time: that of instructions lets one processor's idling hold up the others. A first
    /// task is told, as what it measures is the host's time then.
    pub fn moved_to(self, cpus: u32) -> Option<Case> {
        let is_usual = self.kernel == Kernel::Usual && !self.is_of_tool();
        if !is_usual || self.cpus != 1 {
            return None;
        }
        let way = if self.way == Way::InstructionClock { Way::Microvm } else { self.way };
        let name = format!("{}, on {cpus} processors", self.name);
        let mut action = self.action;
        if let Action::FirstTask { arguments, .. } = &mut action {
            *arguments += &format!(" cpus={cpus}");
        }
        Some(Case { name, way, cpus, action, limit: self.limit * 2, ..self })
    }

    /// Gives the program an input.
    pub fn reads(mut self, bytes: &[u8]) -> Case {
        match &mut self.action {
            Action::Program { input, .. } | Action::Script { input } => *input = bytes.to_vec(),
            Action::Terminal { .. } => panic!("a terminal's input are its steps"),
            Action::FirstTask { .. } | Action::Debugger { .. } | Action::Benchmark => {
                panic!("nobody has its console")
            }
        }
        self
    }

    /// Expects exactly this output.
    pub fn prints(self, output: impl AsRef<[u8]>) -> Case {
        Case { output: Expected::Exactly(output.as_ref().to_vec()), ..self }
    }

    /// Expects these texts in the output, in this order.
    pub fn mentions(self, texts: &[&str]) -> Case {
        Case { output: Expected::texts(texts), ..self }
    }

    /// Expects these shares of the processor in the last table that `top -b` prints.
    pub fn shares(self, shares: &[Share]) -> Case {
        Case { output: Expected::Shares(shares.to_vec()), ..self }
    }

    /// Expects a trace for viewers in the output, in which there is something of each name.
    pub fn viewable(self, names: &[&str]) -> Case {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Case { output: Expected::Viewable(names), ..self }
    }

    /// Expects these texts in the log, in this order.
    pub fn logs(self, texts: &[&str]) -> Case {
        Case { log: Expected::texts(texts), ..self }
    }

    /// Passes a filter of the log on, and expects these texts in it, in this order, none of those,
    /// and all lines well-formed.
    pub fn filters(mut self, filter: &str, has: &[&str], lacks: &[&str]) -> Case {
        self.settings.push(format!("log={filter}"));
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Case { log: Expected::Lines { has: owned(has), lacks: owned(lacks) }, ..self }
    }

    /// Shows its output from this text on to whoever runs the test.
    pub fn shows(self, from: &str) -> Case {
        Case { figures: Some(from.to_owned()), ..self }
    }

    /// Returns what of an output is to be shown; nothing where there are no figures.
    pub fn figures_in<'o>(&self, output: &'o str) -> &'o str {
        let from = self.figures.as_ref().and_then(|from| output.find(from.as_str()));
        from.map_or("", |from| &output[from..])
    }

    /// Has every program tell its capabilities in the log, and compares those of these.
    pub fn holds(mut self, holders: &[Holder]) -> Case {
        self.settings.push("capabilities=tell".into());
        Case { log: Expected::Capabilities(holders.to_vec()), ..self }
    }

    /// Connects its network card.
    pub fn plugged(self, plug: Plug) -> Case {
        Case { plug, ..self }
    }

    /// Adds a `key=value` line to every program's environment.
    pub fn set(mut self, line: &str) -> Case {
        self.settings.push(line.into());
        self
    }

    /// Expects this exit status.
    pub fn exits(self, status: u8) -> Case {
        Case { status, ..self }
    }

    /// Allows it so many seconds.
    pub fn within(self, seconds: u64) -> Case {
        Case { limit: Duration::from_secs(seconds), ..self }
    }

    /// Puts a file into the image; permissions are those of a program.
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Case {
        self.files.push(File { path: path.to_owned(), permissions: 0o755, bytes: bytes.into() });
        self
    }

    pub(crate) fn new(name: &str, action: Action) -> Case {
        Case {
            name: name.to_owned(),
            way: Way::Microvm,
            kernel: Kernel::Usual,
            counted: false,
            cpus: 1,
            plug: Plug::None,
            settings: Vec::new(),
            files: Vec::new(),
            packaged: Vec::new(),
            built: Vec::new(),
            action,
            output: Expected::Anything,
            log: Expected::Anything,
            figures: None,
            status: 0,
            limit: LIMIT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn figures_begin_where_they_should() {
        let case = Case::program("area: fact", &["x"]);
        assert_eq!(case.figures_in("noise\nfigures: 1\n"), "");
        let case = case.shows("figures:");
        assert_eq!(case.figures_in("noise\nfigures: 1\n"), "figures: 1\n");
        assert_eq!(case.figures_in("noise"), "");
    }
}
