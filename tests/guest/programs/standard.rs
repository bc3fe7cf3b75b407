//! What Rust programs ask of the standard library, and it of the system.
//!
//! Its output is the same wherever it is right: no ids, times or addresses.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    threads();
    channels();
    timers();
    files().unwrap();
    processes().unwrap();
    memory();
    ExitCode::from(11)
}

fn threads() {
    let total = Arc::new(Mutex::new(0));
    let handles: Vec<_> = (1..=16)
        .map(|number| {
            let total = total.clone();
            thread::Builder::new()
                .name(format!("adder {number}"))
                .spawn(move || {
                    (0..100).for_each(|_| *total.lock().unwrap() += number);
                    thread::current().name().map(str::len)
                })
                .unwrap()
        })
        .collect();
    let names: usize = handles.into_iter().map(|handle| handle.join().unwrap().unwrap()).sum();
    println!("threads: total {}, names of {names} bytes", total.lock().unwrap());

    let (table, barrier, reads) = (RwLock::new(HashMap::new()), Barrier::new(6), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..6 {
            let (table, barrier, reads) = (&table, &barrier, &reads);
            scope.spawn(move || {
                table.write().unwrap().insert(number, number * number);
                barrier.wait();
                reads.fetch_add(table.read().unwrap().values().sum::<u64>(), Ordering::SeqCst);
            });
        }
    });
    println!("scoped: {}", reads.load(Ordering::SeqCst));

    let outcome = thread::spawn(|| {
        std::panic::set_hook(Box::new(|info| println!("hook: {}", info.payload().is::<&str>())));
        panic!("on purpose");
    })
    .join();
    let _ = std::panic::take_hook();
    println!("a thread's panic: {:?}", outcome.unwrap_err().downcast_ref::<&str>());
    static ONCE: OnceLock<u32> = OnceLock::new();
    println!("once: {} {}", ONCE.get_or_init(|| 5), ONCE.get_or_init(|| 6));
    println!("processors: {}", thread::available_parallelism().is_ok());
}

fn channels() {
    let (sender, receiver) = mpsc::sync_channel(3);
    let senders: Vec<_> = (0..4u64)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || (0..500).for_each(|item| sender.send(number * 500 + item).unwrap()))
        })
        .collect();
    drop(sender);
    let received: Vec<u64> = receiver.iter().collect();
    senders.into_iter().for_each(|handle| handle.join().unwrap());
    println!("channel: {} items, sum {}", received.len(), received.iter().sum::<u64>());
    let (there, asked) = mpsc::channel::<u32>();
    let (answer, back) = mpsc::channel();
    let server = thread::spawn(move || asked.iter().for_each(|n| answer.send(n + 1).unwrap()));
    let mut number = 0;
    for _ in 0..1000 {
        there.send(number).unwrap();
        number = back.recv().unwrap();
    }
    drop(there);
    server.join().unwrap();
    println!("there and back: {number}");
}

fn timers() {
    let started = Instant::now();
    thread::sleep(Duration::from_millis(30));
    println!("slept: {}", started.elapsed() >= Duration::from_millis(30));
    let (_sender, receiver) = mpsc::channel::<()>();
    let outcome = receiver.recv_timeout(Duration::from_millis(20));
    println!("time limit: {}", outcome == Err(RecvTimeoutError::Timeout));
    let pair = (Mutex::new(false), Condvar::new());
    let guard = pair.0.lock().unwrap();
    let (_guard, timed) = pair.1.wait_timeout(guard, Duration::from_millis(20)).unwrap();
    println!("condition's time limit: {}", timed.timed_out());
    let parked = thread::spawn(|| {
        let before = Instant::now();
        thread::park_timeout(Duration::from_secs(20));
        before.elapsed() < Duration::from_secs(10)
    });
    parked.thread().unpark();
    println!("unparked: {}", parked.join().unwrap());
    println!("clock: {}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() > 1 << 30);
}

fn files() -> std::io::Result<()> {
    fs::create_dir_all("rust/a/b")?;
    let mut writer = BufWriter::new(File::create("rust/a/lines")?);
    for number in 0..10_000 {
        writeln!(writer, "line {number}")?;
    }
    drop(writer);
    let reader = BufReader::new(File::open("rust/a/lines")?);
    let sum: usize = reader.lines().map(|line| line.unwrap().len()).sum();
    println!("lines: {sum} bytes");
    println!("copied: {}", fs::copy("rust/a/lines", "rust/a/b/copy")?);
    let mut file = OpenOptions::new().read(true).append(true).open("rust/a/b/copy")?;
    file.write_all(b"the end")?;
    file.seek(SeekFrom::End(-3))?;
    let mut end = String::new();
    file.read_to_string(&mut end)?;
    let mut middle = [0; 6];
    file.read_exact_at(&mut middle, 7)?;
    println!("end {end:?}, middle {:?}", String::from_utf8_lossy(&middle));
    file.set_len(100)?;
    file.sync_all()?;
    let status = file.metadata()?;
    println!("length {}, links {}, {}", status.len(), status.nlink(), status.is_file());
    fs::set_permissions("rust/a/b/copy", fs::Permissions::from_mode(0o640))?;
    println!("mode {:o}", fs::metadata("rust/a/b/copy")?.permissions().mode());
    fs::hard_link("rust/a/b/copy", "rust/hard")?;
    symlink("a/lines", "rust/soft")?;
    fs::rename("rust/hard", "rust/renamed")?;
    let mut names: Vec<_> = fs::read_dir("rust")?
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), entry.file_type().unwrap().is_symlink()))
        .collect();
    names.sort();
    println!("{names:?} {:?}", fs::read_link("rust/soft")?);
    println!("{:?}", File::create_new("rust/renamed").map_err(|error| error.kind()).err());
    println!("{:?}", fs::remove_dir("rust/a").map_err(|error| error.kind() == ErrorKind::DirectoryNotEmpty));
    file.lock()?;
    println!("canonical: {}", fs::canonicalize("rust/soft")?.ends_with("rust/a/lines"));
    fs::remove_dir_all("rust")?;
    println!("gone: {}", !Path::new("rust").exists());
    Ok(())
}

fn processes() -> std::io::Result<()> {
    let output = Command::new("sh").args(["-c", "echo $WORD; echo oops >&2; exit 4"]).env("WORD", "hi").output()?;
    println!("{:?} {:?} {:?}", output.status.code(), output.stdout.as_slice(), output.stderr.len());
    let mut child = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    let feeder = thread::spawn(move || {
        (0..20_000).rev().for_each(|number| writeln!(stdin, "{number:05}").unwrap());
    });
    let sorted = child.wait_with_output()?;
    feeder.join().unwrap();
    println!("sorted: {} bytes, {:?}", sorted.stdout.len(), &sorted.stdout[..6]);
    let mut sleeper = Command::new("sleep").arg("100").spawn()?;
    println!("runs: {}", sleeper.try_wait()?.is_none());
    sleeper.kill()?;
    println!("killed by {:?}", sleeper.wait()?.signal());
    println!("{:?}", Command::new("no-such-program").spawn().map_err(|error| error.kind()).err());
    println!("in a folder: {:?}", Command::new("ls").current_dir("/proc/self").arg("exe").output()?.status.success());
    let (mut reader, mut writer) = std::io::pipe()?;
    writer.write_all(b"through a pipe")?;
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    println!("{text}");
    Ok(())
}

fn memory() {
    let mut vectors: Vec<Vec<u8>> = (0..64).map(|number| vec![number; 100_000]).collect();
    vectors.iter_mut().for_each(|vector| vector.resize(200_000, 1));
    vectors.retain(|vector| vector[0] % 2 == 0);
    println!("kept: {}", vectors.iter().map(Vec::len).sum::<usize>());
    let refused = Vec::<u8>::new().try_reserve_exact(1 << 46).is_err();
    println!("too much memory is refused: {refused}");
    fn depth(n: u32) -> u32 {
        let room = std::hint::black_box([n; 64]);
        if n == 0 { 0 } else { depth(n - 1) + room[63] / n }
    }
    let deep = thread::Builder::new().stack_size(32 << 20).spawn(|| depth(50_000)).unwrap();
    println!("deep: {}", deep.join().unwrap());
}
