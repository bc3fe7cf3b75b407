//! The rows: an operation each, with what it needs made before it is measured.

use crate::raw::{self, Fallible, Fd};
use kamen_bench::{Figure, measure};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Operations of a sample.
const BATCH: u64 = 100;
/// Operations of a sample, where one takes long.
const FEW: u64 = 10;
/// The file that is opened and read.
const FILE: &std::ffi::CStr = c"/tmp/unix-bench";
/// Its length.
const FILE_BYTES: usize = 8 << 20;
/// How much is read at once of it, and the most that is written.
const PIECE: usize = 64 << 10;
const PAGE: usize = 4096;
/// How many pipes are polled.
const POLLED: usize = 16;

/// A row's name, and what measures it.
pub type Row = (&'static str, fn() -> Fallible<Figure>);

/// All rows, in the order of their lines.
pub const ROWS: [Row; 16] = [
    // First, while this process is as small as one that forks for its living.
    ("fork_exit_wait", fork_exit_wait),
    ("fork_exec_wait", fork_exec_wait),
    ("getppid", getppid),
    ("read", read),
    ("write", write),
    ("open_close", open_close),
    ("stat", stat),
    ("pread_4k", || pread(PAGE)),
    ("pread_64k", || pread(PIECE)),
    ("pipe_pingpong", pipe_pingpong),
    ("unix_pingpong", unix_pingpong),
    ("futex_pingpong", futex_pingpong),
    ("signal", signal),
    ("mmap_touch_munmap", mmap_touch_munmap),
    ("poll_16", poll_16),
    ("read_8m", read_8m),
];

/// Measures an operation; one that fails has no figure.
fn row(batch: u64, mut operation: impl FnMut() -> Fallible<()>) -> Fallible<Figure> {
    let failed = RefCell::new(None);
    let figure = measure(raw::ticks, batch, || {
        if let Err(error) = operation() {
            failed.borrow_mut().get_or_insert(error);
        }
    });
    match failed.into_inner() {
        Some(error) => Err(error),
        None => figure.ok_or_else(|| "no sample".to_owned()),
    }
}

fn expect(what: &str, got: usize, wanted: usize) -> Fallible<()> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got} instead of {wanted}")) }
}

/// The cheapest call that the server must answer: getppid(2).
fn getppid() -> Fallible<Figure> {
    row(BATCH, || {
        std::hint::black_box(raw::getppid());
        Ok(())
    })
}

fn read() -> Fallible<Figure> {
    let zero = raw::open(c"/dev/zero", raw::READ)?;
    row(BATCH, || expect("read", raw::read(&zero, &mut [1])?, 1))
}

fn write() -> Fallible<Figure> {
    let null = raw::open(c"/dev/null", raw::WRITE)?;
    row(BATCH, || expect("write", raw::write(&null, &[1])?, 1))
}

/// Makes the file with its whole length, once.
fn file() -> Fallible<Fd> {
    let open = raw::open(FILE, raw::CREATE)?;
    if raw::size(FILE)? != FILE_BYTES {
        let piece = vec![7; PIECE];
        for _ in 0..FILE_BYTES / PIECE {
            expect("write", raw::write(&open, &piece)?, PIECE)?;
        }
    }
    Ok(open)
}

fn open_close() -> Fallible<Figure> {
    file()?;
    // Dropping it closes it.
    row(BATCH, || raw::open(FILE, raw::READ).map(drop))
}

fn stat() -> Fallible<Figure> {
    file()?;
    row(BATCH, || expect("size", raw::size(FILE)?, FILE_BYTES))
}

fn pread(len: usize) -> Fallible<Figure> {
    let (file, mut buffer) = (file()?, vec![0; len]);
    row(BATCH, || expect("pread", raw::pread(&file, &mut buffer, PAGE)?, len))
}

fn read_8m() -> Fallible<Figure> {
    let (file, mut buffer) = (file()?, vec![0; PIECE]);
    row(1, || {
        raw::rewind(&file)?;
        let mut total = 0;
        loop {
            match raw::read(&file, &mut buffer)? {
                0 => return expect("length", total, FILE_BYTES),
                count => total += count,
            }
        }
    })
}

/// Sends a byte to a child that sends it back.
fn pingpong(there: &Fd, back: &Fd) -> Fallible<()> {
    expect("write", raw::write(there, &[1])?, 1)?;
    expect("read", raw::read(back, &mut [0])?, 1)
}

/// Sends bytes back until there are no more: a child's whole life.
fn echo(input: &Fd, output: &Fd) -> ! {
    let mut byte = [0];
    while raw::read(input, &mut byte) == Ok(1) && raw::write(output, &byte) == Ok(1) {}
    raw::exit()
}

fn pipe_pingpong() -> Fallible<Figure> {
    let ((child_reads, there), (back, child_writes)) = (raw::pipe()?, raw::pipe()?);
    let Some(child) = raw::fork()? else {
        drop((there, back));
        echo(&child_reads, &child_writes);
    };
    drop((child_reads, child_writes));
    let figure = row(BATCH, || pingpong(&there, &back));
    drop((there, back));
    raw::wait(child)?;
    figure
}

fn unix_pingpong() -> Fallible<Figure> {
    let (own, others) = raw::socketpair()?;
    let Some(child) = raw::fork()? else {
        drop(own);
        echo(&others, &others);
    };
    drop(others);
    let figure = row(BATCH, || pingpong(&own, &own));
    drop(own);
    raw::wait(child)?;
    figure
}

/// Whose turn it is.
const OURS: u32 = 0;
const THEIRS: u32 = 1;
const OVER: u32 = 2;

fn futex_pingpong() -> Fallible<Figure> {
    let turn = Arc::new(AtomicU32::new(OURS));
    let partners = turn.clone();
    let partner = std::thread::spawn(move || {
        loop {
            match partners.load(Ordering::Acquire) {
                OURS => raw::futex_wait(&partners, OURS),
                THEIRS => {
                    partners.store(OURS, Ordering::Release);
                    raw::futex_wake(&partners);
                }
                _ => return,
            }
        }
    });
    let figure = row(BATCH, || {
        turn.store(THEIRS, Ordering::Release);
        raw::futex_wake(&turn);
        while turn.load(Ordering::Acquire) == THEIRS {
            raw::futex_wait(&turn, THEIRS);
        }
        Ok(())
    });
    turn.store(OVER, Ordering::Release);
    raw::futex_wake(&turn);
    partner.join().map_err(|_| "the partner panicked".to_owned())?;
    figure
}

fn signal() -> Fallible<Figure> {
    raw::handle_signal()?;
    let own = std::process::id() as i32;
    let figure = row(BATCH, || raw::signal_self(own))?;
    // One batch warms up.
    let handled = raw::handled() as usize;
    expect("handled", handled, (kamen_bench::SAMPLES + 1) * BATCH as usize)?;
    Ok(figure)
}

fn fork_exit_wait() -> Fallible<Figure> {
    row(FEW, || match raw::fork()? {
        None => raw::exit(),
        Some(child) => raw::wait(child),
    })
}

fn fork_exec_wait() -> Fallible<Figure> {
    let end = std::ffi::CString::new(crate::END).map_err(|error| error.to_string())?;
    row(FEW, || match raw::fork()? {
        None => raw::execute_self(&end),
        Some(child) => raw::wait(child),
    })
}

fn mmap_touch_munmap() -> Fallible<Figure> {
    row(BATCH, || raw::map_touch_unmap(PAGE))
}

fn poll_16() -> Fallible<Figure> {
    let pipes: Vec<(Fd, Fd)> = (0..POLLED).map(|_| raw::pipe()).collect::<Fallible<_>>()?;
    let mut polled: Vec<_> = pipes.iter().map(|(reads, _)| raw::polled(reads)).collect();
    row(BATCH, || expect("ready", raw::poll(&mut polled)?, 0))
}
