//! DOS programs for tests and for the image, assembled here: no assembler is needed.
//!
//! ```text
//!   all() ─► (name, bytes): .COM and .EXE files ─► the machine's tests
//!                                               └► xtask's boot image
//! ```
//!
//! Each program is a function of its own; `format` puts code and data together.

mod endings;
mod format;
mod probes;
mod programs;
mod screens;
mod sorter;
mod speed;

use iced_x86::IcedError;

/// Returns every sample program, with its file name.
///
/// # Panics
/// Where the assembler refuses one: the samples are constant, so a test sees it.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    programs().into_iter().map(|(name, make)| (name, make().expect("constant code"))).collect()
}

type Make = fn() -> Result<Vec<u8>, IcedError>;

fn programs() -> Vec<(&'static str, Make)> {
    vec![
        ("HELLO.COM", programs::hello),
        ("ECHOIN.COM", programs::echo_input),
        ("ARGS.COM", programs::arguments),
        ("EXITCODE.COM", programs::exit_code),
        ("COPYFILE.COM", programs::copy_file),
        ("SORTER.COM", sorter::sorter),
        ("FINDER.COM", programs::finder),
        ("SEEKER.COM", programs::seeker),
        ("MEMORY.COM", programs::memory),
        ("PARENT.COM", programs::parent),
        ("RELOC.EXE", programs::relocated),
        ("CALLFIVE.COM", programs::call_five),
        ("LINES.COM", programs::lines),
        ("FCBFILE.COM", probes::fcb_file),
        ("TRACER.COM", probes::tracer),
        ("BREAKER.COM", probes::breaker),
        ("POLLKEY.COM", probes::poll_key),
        ("OWNPATH.COM", probes::own_path),
        ("SCREEN.COM", screens::screen),
        ("TICKWAIT.COM", screens::tick_wait),
        ("RESTER.COM", screens::rester),
        ("ENDLESS.COM", endings::endless),
        ("SPIN.COM", endings::spin),
        ("WAITKEY.COM", endings::wait_key),
        ("BADCODE.COM", endings::bad_code),
        ("DIVZERO.COM", endings::divide_by_zero),
        ("STOPPED.COM", endings::stopped),
        ("WILD.COM", endings::wild),
        ("PRIMES.COM", speed::primes),
        ("SIEVE.COM", speed::sieve),
        ("ALULOOP.COM", speed::arithmetic),
        ("CALLS.COM", speed::calls),
        ("MOVES.COM", speed::moves),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_sample_assembles_to_a_small_program() {
        for (name, bytes) in super::all() {
            assert!((2..4096).contains(&bytes.len()), "{name}: {} bytes", bytes.len());
        }
    }
}
