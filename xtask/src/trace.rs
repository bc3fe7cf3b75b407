//! `cargo xtask trace`: runs one program, and shows who called whom meanwhile.
//!
//! ```text
//!   guest: trace --mark M PROGRAM ──> console: the program's output, M, the trace
//!                                                   │               └──> stderr, or the file
//!                                                   └──> stdout
//! ```

use crate::image::Extras;
use crate::qemu::Machine;
use crate::run;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What to run, and how to tell of it.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    image: Extras,
    #[command(flatten)]
    machine: Machine,
    /// Writes the trace for a viewer (Perfetto, chrome://tracing) to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "table")]
    json: Option<PathBuf>,
    /// Shows only how often who called whom.
    #[arg(long)]
    table: bool,
    /// Most calls that are shown.
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// Ends the guest after so many seconds, with status 124.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Program to run, and its arguments; `unix`, `dos` or `native` before it choose who runs it.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// Performs `cargo xtask trace` and returns the program's exit status.
///
/// # Errors
/// As for [`run::run`]; where the file can't be written.
pub fn trace(options: &Options) -> Result<ExitCode> {
    let mark = mark();
    let file = options.json.as_ref().map(|path| {
        File::create(path).with_context(|| format!("{} can't be written", path.display()))
    });
    let file = file.transpose()?;
    let (image, machine) = (options.image.clone(), options.machine.clone());
    let words = words(options, &mark);
    let run = run::Options::of_program(image, machine, options.timeout, words);
    let outlet = || -> Box<dyn Write + Send> {
        // A file that can't be shared gets nothing, which the status of a retried machine tells.
        let after: Box<dyn Write + Send> = match file.as_ref().map(File::try_clone) {
            Some(Ok(file)) => Box::new(file),
            Some(Err(_)) | None => Box::new(stderr()),
        };
        Box::new(Parted::new(&mark, Box::new(stdout()), after))
    };
    run::run_into(&run, &outlet)
}

/// Returns the guest's command line.
fn words(options: &Options, mark: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["/bin/trace".into(), "--mark".into(), mark.into()];
    match (&options.json, options.table) {
        (Some(_), _) => words.push("--json".into()),
        (None, true) => words.push("--table".into()),
        (None, false) => {}
    }
    if let Some(calls) = options.calls {
        words.extend(["--calls".into(), calls.to_string().into()]);
    }
    words.extend(options.program.iter().cloned());
    words
}

/// Returns a line that no program prints by chance.
fn mark() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("\u{1e}trace {:x}.{:x}", std::process::id(), since.as_nanos())
}

/// Bytes that go one way up to a mark, and another way after the line that it is in.
struct Parted {
    mark: Vec<u8>,
    /// What may be the beginning of the mark, and what of the mark's line is still to come.
    held: Vec<u8>,
    place: Place,
    before: Box<dyn Write + Send>,
    after: Box<dyn Write + Send>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    InMark,
    After,
}

impl Parted {
    fn new(mark: &str, before: Box<dyn Write + Send>, after: Box<dyn Write + Send>) -> Parted {
        let mark = mark.as_bytes().to_vec();
        Parted { mark, held: Vec::new(), place: Place::Before, before, after }
    }

    fn take(&mut self) -> std::io::Result<()> {
        if self.place == Place::Before {
            let found = self.held.windows(self.mark.len()).position(|part| part == self.mark);
            let end = found.unwrap_or_else(|| self.held.len() - self.begun());
            let sent: Vec<u8> = self.held.drain(..end).collect();
            self.before.write_all(&sent)?;
            if found.is_none() {
                return self.before.flush();
            }
            self.place = Place::InMark;
        }
        if self.place == Place::InMark {
            let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else { return Ok(()) };
            self.held.drain(..=end);
            self.place = Place::After;
        }
        self.after.write_all(&self.held)?;
        self.held.clear();
        self.after.flush()
    }

    /// Returns how many of the last bytes held are the beginning of the mark.
    fn begun(&self) -> usize {
        let most = self.held.len().min(self.mark.len() - 1);
        (0..=most).rev().find(|len| self.held.ends_with(&self.mark[..*len])).unwrap_or(0)
    }
}

impl Write for Parted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.take()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.before.flush()
    }
}

impl Drop for Parted {
    fn drop(&mut self) {
        if self.place == Place::Before {
            // Whoever reads has gone where this fails.
            let _ = self.before.write_all(&self.held).and_then(|()| self.before.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parted;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn parted(text: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>) {
        let (before, after) = (Sink::default(), Sink::default());
        let mut parted = Parted::new("<M>", Box::new(before.clone()), Box::new(after.clone()));
        text.chunks(piece).for_each(|part| parted.write_all(part).unwrap());
        drop(parted);
        let bytes = |sink: Sink| sink.0.lock().unwrap().clone();
        (bytes(before), bytes(after))
    }

    #[test]
    fn output_and_trace_part_at_the_mark_however_they_come() {
        for piece in 1..20 {
            let (before, after) = parted(b"out <put\n<M>\r\ntree <M> here\n", piece);
            assert_eq!((&before[..], &after[..]), (&b"out <put\n"[..], &b"tree <M> here\n"[..]));
        }
    }

    #[test]
    fn output_without_a_mark_is_all_the_programs() {
        for piece in 1..20 {
            assert_eq!(parted(b"no mark <M", piece), (b"no mark <M".to_vec(), Vec::new()));
        }
    }
}
