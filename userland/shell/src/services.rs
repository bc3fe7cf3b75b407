//! What the shell holds: its streams and the services that its manifest entry names.

use alloc::vec::Vec;
use kamen_kit::Arguments;
use kamen_kit::files::Tree;
use libipc::abi::boot;
use libipc::start::Start;
use libipc::{Endpoint, Error, Failure, Quota, Within};
use protocols::console::ConsoleClient;
use protocols::file::FileClient;
use protocols::process::ProcessClient;
use protocols::stream::{StreamClient, StreamKind, Wait};
use protocols::system::SystemClient;

use crate::command::Personality;

/// How long a server may take to list or signal processes.
const PATIENCE_MS: u64 = 2_000;

/// The shell's capabilities, as clients.
pub struct Services {
    /// Standard input, as a capability to pass on.
    pub stdin: Endpoint,
    /// Standard output.
    pub stdout: Endpoint,
    /// Standard error.
    pub stderr: Endpoint,
    /// The console; standard input is its stream.
    pub console: ConsoleClient,
    /// The file tree.
    pub files: Tree,
    /// Power and memory.
    pub system: SystemClient,
    /// What pays for the shell's own objects.
    pub quota: Quota,
    /// init, which runs native programs and DOS sessions.
    native: Endpoint,
    /// The UNIX personality.
    unix: Option<Endpoint>,
}

impl Services {
    /// Returns the services among a program's capabilities; nothing if one is missing that the
    /// shell cannot do without.
    pub fn find(start: &Start) -> Option<Self> {
        let endpoint = |name| start.find::<Endpoint>(name);
        Some(Services {
            stdin: endpoint("stdin")?,
            stdout: endpoint("stdout")?,
            stderr: endpoint("stderr")?,
            console: ConsoleClient::new(endpoint("console")?),
            files: Tree::new(FileClient::new(endpoint("file")?)),
            system: SystemClient::new(endpoint("system")?),
            quota: Quota(boot::QUOTA),
            native: endpoint("process")?,
            unix: endpoint("unix"),
        })
    }

    /// Returns who runs processes of a personality. DOS sessions are native processes.
    pub fn runner(&self, personality: Personality) -> Option<ProcessClient> {
        match personality {
            Personality::Native | Personality::Dos => Some(ProcessClient::new(self.native)),
            Personality::Unix => self.unix.map(ProcessClient::new),
        }
    }

    /// Returns who runs processes of a personality, for questions that are not worth hanging on.
    pub fn asked(&self, personality: Personality) -> Option<ProcessClient<Within>> {
        let runner = self.runner(personality)?;
        Some(ProcessClient::with(runner.endpoint(), Within(PATIENCE_MS)))
    }

    /// Returns whether a person sits at standard input.
    pub fn is_terminal(&self) -> bool {
        matches!(StreamClient::new(self.stdin).kind(), Ok(StreamKind::Terminal))
    }

    /// Reads one byte, so that what follows stays for the programs that the shell starts; nothing
    /// at the end of input.
    pub fn read_byte(&self) -> Option<u8> {
        let mut byte = [0];
        loop {
            match StreamClient::new(self.stdin).read(Wait::Yes, &mut byte) {
                Ok(1..) => return Some(byte[0]),
                // What the console had read is gone with it; the next one goes on.
                Err(Failure::Kernel(Error::Restarted)) => {}
                Ok(0) | Err(_) => return None,
            }
        }
    }

    /// Writes all bytes to standard output.
    pub fn print(&self, bytes: impl AsRef<[u8]>) {
        write_all(self.stdout, bytes.as_ref());
    }

    /// Writes a line to standard error, the shell's name before it.
    pub fn complain(&self, text: impl AsRef<[u8]>) {
        let mut line = Vec::from(b"shell: ");
        line.extend_from_slice(text.as_ref());
        line.push(b'\n');
        write_all(self.stderr, &line);
    }
}

/// Returns the arguments that a program was started with; none where they are malformed.
pub fn arguments(start: &Start) -> Arguments {
    Arguments::parse(start.arguments()).unwrap_or_default()
}

fn write_all(stream: Endpoint, bytes: &[u8]) {
    let stream = StreamClient::new(stream);
    let mut rest = bytes;
    while !rest.is_empty() {
        match stream.write(Wait::Yes, rest) {
            // What the console had not shown yet is gone with it; the next one goes on.
            Err(Failure::Kernel(Error::Restarted)) => {}
            // A count of nothing, or an error: there is nobody left to show it to.
            Ok(0) | Err(_) => return,
            Ok(count) => rest = rest.get(count as usize..).unwrap_or(&[]),
        }
    }
}
