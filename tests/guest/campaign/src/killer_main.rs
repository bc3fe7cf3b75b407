//! The killer's program: `campaign-killer seed=N kills=N pause=US`, or `campaign-killer renew`; and,
//! without a campaign around it, `campaign-killer server=NAME`.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_campaign::killer::{Killer, Order, kill_by_name};
use kamen_campaign::protocol::ReportsClient;
use kamen_campaign::settings::{number, text};
use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Quota};
use protocols::process::ProcessClient;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let (Some(director), Some(process)) =
        (start.find::<Endpoint>("stdin"), start.find::<Endpoint>("process"))
    else {
        log!("a capability is missing");
        return 1;
    };
    let process = ProcessClient::new(process);
    if let Some(name) = text(&arguments, "server") {
        return i32::from(kill_by_name(&process, name).is_err());
    }
    let sheet = match ReportsClient::new(director).sheet() {
        Ok(sheet) => sheet,
        Err(failure) => {
            log!("no sheet: {failure:?}; `campaign` starts this program");
            return 1;
        }
    };
    let Ok(silence) = Quota(boot::QUOTA).create_notification() else { return 1 };
    let killer = Killer { process, sheet, silence };
    let done = if arguments.argv.iter().any(|word| word == b"renew") {
        killer.renew(&["unix", "dos", "clock"])
    } else {
        killer.carry_out(Order {
            seed: number(&arguments, "seed").unwrap_or(1),
            kills: number(&arguments, "kills").unwrap_or(0),
            pause_us: number(&arguments, "pause").unwrap_or(100_000),
        })
    };
    match done {
        Ok(()) => 0,
        Err(trouble) => {
            log!("gives up: {trouble:?}");
            1
        }
    }
}
