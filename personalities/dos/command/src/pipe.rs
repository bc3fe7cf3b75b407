//! Pipes: each command's output in a temporary file that is the next one's input.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::environment;
use crate::parse::Redirections;
use crate::shell::{Shell, Task};
use crate::system::System;

/// Commands that are still to be run, and the file that the next one reads.
pub(crate) struct Pipe {
    stages: VecDeque<Vec<u8>>,
    input: Option<Vec<u8>>,
}

impl Pipe {
    /// Deletes what nobody will read.
    pub(crate) fn clean_up(self, system: &mut impl System) {
        if let Some(path) = self.input {
            // A temporary file that cannot be deleted stays.
            let _ = system.delete(&path);
        }
    }
}

impl Shell {
    pub(crate) fn start_pipe<S: System>(&mut self, system: &mut S, stages: Vec<Vec<u8>>) {
        if stages.iter().any(|stage| stage.trim_ascii().is_empty()) {
            return self.complain(system, b"Syntax error");
        }
        self.push(system, Task::Pipe(Pipe { stages: stages.into(), input: None }));
    }

    pub(crate) fn next_stage<S: System>(&mut self, system: &mut S, mut pipe: Pipe) {
        let Some(stage) = pipe.stages.pop_front() else { return pipe.clean_up(system) };
        let mut to = Redirections { input: pipe.input.clone(), ..Redirections::default() };
        if !pipe.stages.is_empty() {
            let Some((handle, path)) = create_temporary(system) else {
                pipe.clean_up(system);
                return self.complain(system, b"Intermediate file error during pipe");
            };
            system.close(handle);
            to.output = Some(path);
        }
        let read = core::mem::replace(&mut pipe.input, to.output.clone());
        if !pipe.stages.is_empty() {
            self.push(system, Task::Pipe(pipe));
        }
        if let Some(path) = read {
            self.push(system, Task::Erase(path));
        }
        if self.redirect(system, &to) {
            self.push(system, Task::Command(stage));
        }
    }
}

/// Creates a file in TEMP's directory, in the root or in the current directory.
fn create_temporary(system: &mut impl System) -> Option<(u16, Vec<u8>)> {
    let temporary = environment::variable(system, b"TEMP").unwrap_or_default();
    let mut places = [&temporary[..], b"\\", b""].into_iter();
    places.find_map(|place| system.create_temporary(place).ok())
}
