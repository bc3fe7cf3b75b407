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
use anyhow::{Result, bail};
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
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
    let late = options.json.as_deref().map(Late::new).transpose()?;
    let (image, machine) = (options.image.clone(), options.machine.clone());
    let words = words(options, &mark);
    let run = run::Options::of_program(image, machine, options.timeout, words);
    let outlet = || -> Box<dyn Write + Send> {
        let after: Box<dyn Write + Send> = match &late {
            Some(late) => Box::new(late.clone()),
            None => Box::new(stderr()),
        };
        Box::new(Parted::new(&mark, Box::new(stdout()), after))
    };
    let status = run::run_into(&run, &outlet)?;
    match &late {
        Some(late) => late.complaint().map_or(Ok(status), Err),
        None => Ok(status),
    }
}

/// A file that is made when there is something to write: what was in it stays where the build
/// fails, or the guest says nothing.
#[derive(Clone)]
struct Late {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

enum State {
    Unmade,
    Made(File),
    /// Why it could not be made or written.
    Failed(String),
}

impl Late {
    /// Refuses, before anything is built, what can be no file.
    fn new(path: &Path) -> Result<Late> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if path.is_dir() {
            bail!("{} can't be written: it is a folder", path.display());
        }
        if !folder.is_dir() {
            bail!("{} can't be written: there is no folder {}", path.display(), folder.display());
        }
        Ok(Late { path: path.to_owned(), state: Arc::new(Mutex::new(State::Unmade)) })
    }

    /// Returns why it was not written, if so: whoever copies the output only notices that it ends.
    fn complaint(&self) -> Option<anyhow::Error> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Failed(cause) => {
                Some(anyhow::anyhow!("{} can't be written: {cause}", self.path.display()))
            }
            State::Unmade | State::Made(_) => None,
        }
    }

    fn attempt(&self, bytes: &[u8], state: &mut State) -> std::io::Result<()> {
        if matches!(state, State::Unmade) {
            *state = State::Made(File::create(&self.path)?);
        }
        match state {
            State::Made(file) => file.write_all(bytes),
            State::Unmade | State::Failed(_) => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Write for Late {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.attempt(bytes, &mut state);
        if let (Err(error), State::Unmade | State::Made(_)) = (&outcome, &*state) {
            *state = State::Failed(error.to_string());
        }
        outcome.map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
    use super::{Late, Parted};
    use std::fs;
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

    #[test]
    fn the_old_file_stays_until_there_is_a_trace() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("trace.json");
        fs::write(&path, "the last one").unwrap();
        let late = Late::new(&path).unwrap();
        let mut parted = Parted::new("<M>", Box::new(Sink::default()), Box::new(late.clone()));
        parted.write_all(b"output\n<M>\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the last one");
        parted.write_all(b"[1").unwrap();
        parted.write_all(b"]").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[1]");
        assert!(late.complaint().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let refusal = |path| Late::new(path).err().map(|error| error.to_string()).unwrap();
        assert!(refusal(folder.path()).contains("it is a folder"));
        assert!(refusal(&folder.path().join("none/trace.json")).contains("there is no folder"));
        let path = folder.path().join("trace.json");
        let mut late = Late::new(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(late.write_all(b"[]").is_err() && late.write_all(b"[]").is_err());
        let complaint = late.complaint().unwrap().to_string();
        assert!(complaint.contains("trace.json can't be written: Is a directory"), "{complaint}");
        assert!(Late::new(std::path::Path::new("trace.json")).is_ok());
    }
}
