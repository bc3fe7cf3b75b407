//! What the program holds: its streams and the services that its manifest entry names.

use alloc::format;

use kamen_kit::files::Tree;
use libipc::abi::boot;
use libipc::start::Start;
use libipc::{Endpoint, Quota, Within};
use protocols::console::ConsoleClient;
use protocols::file::FileClient;
use protocols::process::ProcessClient;
use protocols::system::SystemClient;

use crate::FAILED;
use crate::options::Personality;
use crate::output::Output;

/// How long a server may take to tell what its threads are called.
const PATIENCE_MS: u64 = 2_000;

/// Capabilities, as clients.
pub struct Services {
    /// Standard input, as a capability to pass on.
    pub stdin: Endpoint,
    /// Standard output.
    pub stdout: Endpoint,
    /// Standard error.
    pub stderr: Endpoint,
    /// The console, whose events are for whoever controls it.
    pub console: ConsoleClient<Within>,
    /// The file tree.
    pub files: Tree,
    /// init, which has the trace.
    pub system: SystemClient,
    /// What pays for own objects.
    pub quota: Quota,
    native: Endpoint,
    unix: Option<Endpoint>,
}

impl Services {
    /// Returns the services among a program's capabilities; nothing if one is missing that this
    /// program cannot do without.
    pub fn find(start: &Start) -> Option<Self> {
        let endpoint = |name| start.find::<Endpoint>(name);
        Some(Services {
            stdin: endpoint("stdin")?,
            stdout: endpoint("stdout")?,
            stderr: endpoint("stderr")?,
            console: ConsoleClient::with(endpoint("console")?, Within(PATIENCE_MS)),
            files: Tree::new(FileClient::new(endpoint("file")?)),
            system: SystemClient::new(endpoint("system")?),
            quota: Quota(boot::QUOTA),
            native: endpoint("process")?,
            unix: endpoint("unix"),
        })
    }

    /// Returns who runs programs of a personality. DOS sessions are native processes.
    pub fn runner(&self, personality: Personality) -> Option<ProcessClient> {
        match personality {
            Personality::Native | Personality::Dos => Some(ProcessClient::new(self.native)),
            Personality::Unix => self.unix.map(ProcessClient::new),
        }
    }

    /// Returns the UNIX personality, for a question that is not worth hanging on.
    pub fn unix(&self) -> Option<ProcessClient<Within>> {
        self.unix.map(|unix| ProcessClient::with(unix, Within(PATIENCE_MS)))
    }

    /// Writes a line to standard error; returns the exit status that goes with it.
    pub fn complain(&self, text: &str) -> i32 {
        let mut out = Output::new(self.stderr);
        out.put(format!("{text}\n").as_bytes());
        out.flush();
        FAILED
    }
}
