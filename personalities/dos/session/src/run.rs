//! From the start information to the exit status.

use alloc::format;

use dos_machine::host::FileTree;
use dos_machine::{End, Session, Start as Program};
use kamen_kit::Arguments;
use libipc::start::Start;
use libipc::{Endpoint, error};
use protocols::clock::ClockClient;
use protocols::dos::DosClient;
use protocols::file::FileClient;

use crate::environment::start_of;
use crate::files::Files;
use crate::foreign::Runners;
use crate::host::SystemHost;
use crate::streams::Streams;

/// Status of a session that could not begin.
const FAILED: i32 = 255;
const USAGE: &str = "usage: dos-session [PROGRAM [ARGUMENT...]]";

/// Runs the DOS program that the arguments name; returns the session's exit status.
pub fn run(start: &Start) -> i32 {
    let endpoint = |name| start.find::<Endpoint>(name);
    let streams = match [endpoint("stdin"), endpoint("stdout"), endpoint("stderr")] {
        [Some(input), Some(output), Some(error)] => Streams::new(input, output, error),
        _ => return fail("the session was started without standard streams"),
    };
    let Some(files) = endpoint("file") else {
        return fail("the session has no file server");
    };
    let mut files = Files::new(FileClient::new(files), endpoint("dos").map(DosClient::new));
    let given = Arguments::parse(start.arguments());
    let program = match given.map(|given| start_of(&given, &files.drives())) {
        Ok(mut program) => {
            files.configure(&mut program);
            program
        }
        Err(_) => return complain(streams, USAGE),
    };
    let boot_time = endpoint("clock").and_then(|clock| ClockClient::new(clock).boot_time().ok());
    let runners = Runners { unix: endpoint("unix"), native: endpoint("process") };
    execute(SystemHost::new(streams, files, runners, boot_time.unwrap_or(0)), &program)
}

fn execute(host: SystemHost, program: &Program) -> i32 {
    let mut session = Session::new(host);
    let end = session.run(program);
    let mut host = session.into_host();
    if let End::Fault(text) = &end {
        host.complain(&format!("dos: {text}"));
    }
    host.restore();
    end.status().into()
}

fn complain(mut streams: Streams, text: &str) -> i32 {
    streams.complain(text);
    FAILED
}

fn fail(text: &str) -> i32 {
    error!("{text}");
    FAILED
}
