//! Who waits for whom at this moment.

use alloc::format;
use alloc::vec::Vec;

use kamen_kit::waits::View;
use libipc::abi::snapshot::Snapshot;

use crate::names;
use crate::output::Output;
use crate::services::Services;

/// Prints who waits for whom; returns the exit status.
pub fn show(services: &Services) -> i32 {
    let threads = match services.system.threads() {
        Ok(threads) => threads,
        Err(failure) => return services.complain(&format!("trace: init refused: {failure:?}")),
    };
    // Asked for first: what this asks is nobody's wait.
    let (natives, processes) = (names::natives(services), names::processes(services));
    let threads: Vec<Snapshot> = threads.threads().filter_map(Result::ok).collect();
    let name = |thread: &Snapshot| match natives.get(&thread.slot) {
        Some(name) => Some(name.clone()),
        None if thread.is_foreign => {
            let process = processes.get(&thread.badge)?;
            Some(format!("{process} (unix {})", thread.badge))
        }
        None => None,
    };
    let view = View::new(&threads, name, |_| None);
    let mut out = Output::new(services.stdout);
    for line in view.lines() {
        out.put(format!("{line}\n").as_bytes());
    }
    out.flush();
    0
}
