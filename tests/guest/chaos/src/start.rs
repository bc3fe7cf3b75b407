//! Starts the witness and its server, and asks the witness in the end.

use kamen_chaos::Report;
use kamen_kit::process::{Capability, Grant, Launch, LaunchError, Process};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Inbox, Notification, Object, Quota, Rights, now};

/// Priority of the witness: that of the victims.
const WITNESS: u8 = 8;
/// Priority of its server, above its client's.
const SERVER: u8 = 9;

/// The witness, running.
pub struct Witness {
    stop: Notification,
    told: Endpoint,
    /// They live as long as this.
    _processes: [Process; 2],
}

impl Witness {
    /// Starts witness and server, and waits until they have touched all memory that they ever
    /// will.
    pub fn start(start: &Start, program: &[u8]) -> Result<Witness, Error> {
        let quota = Quota(boot::QUOTA);
        let (meeting, told) = (quota.create_endpoint()?, quota.create_endpoint()?);
        let stop = quota.create_notification()?;
        let log = start.find("log").map(|ports| Capability::Ports(ports, 0xe9, 0xe9));
        let object = |it: libipc::Handle, rights| Some(Capability::Object(it, rights, 0));
        let serve = [("serve", object(meeting.handle(), Rights::RECEIVE)), ("log", log)];
        let watch = [
            ("server", object(meeting.handle(), Rights::SEND)),
            ("stop", object(stop.handle(), Rights::RECEIVE)),
            ("parent", object(told.handle(), Rights::SEND)),
            ("log", log),
        ];
        let launch = |name, grants: &[(&'static str, Option<Capability>)], priority| {
            let grants: alloc::vec::Vec<Grant<'_>> = grants
                .iter()
                .filter_map(|&(name, capability)| Some(Grant { name, capability: capability? }))
                .collect();
            let launch = Launch {
                name,
                image: program,
                quota: quota.create_quota(512, 128)?,
                priority,
                handles: 64,
                supervisor: told,
                badge: 1,
                grants: &grants,
                arguments: &[],
            };
            Process::start(&launch).map_err(|error| match error {
                LaunchError::Kernel(error) => error,
                other => {
                    log!("{name}: {other:?}");
                    Error::InvalidArgument
                }
            })
        };
        let processes = [launch("echo", &serve, SERVER)?, launch("witness", &watch, WITNESS)?];
        Inbox::new(told).receive(now().after_ms(10_000))?;
        Ok(Witness { stop, told, _processes: processes })
    }

    /// Stops the witness and returns what it saw.
    pub fn stop(self) -> Result<Report, Error> {
        self.stop.signal(1)?;
        match Inbox::new(self.told).receive(now().after_ms(10_000))? {
            Event::Request(request) => {
                let [calls, wrong, longest_ns, ..] = request.words();
                Ok(Report { calls, wrong, longest_ns })
            }
            other => {
                log!("no report but {other:?}");
                Err(Error::InvalidArgument)
            }
        }
    }
}
