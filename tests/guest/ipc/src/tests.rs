//! The same client and server over loopback, less what needs a kernel.

use core::cell::RefCell;

use libipc::loopback::Loopback;
use libipc::{Endpoint, Handle, Notification, Quota};

use crate::{ProbeClient, Server, Setting, checks, serve_probe};

#[test]
fn client_and_server_agree_over_loopback() {
    let server = RefCell::new(Server::new(Quota(Handle(4)), None, None));
    let serve = |request: &libipc::Request<'_>| serve_probe(&mut *server.borrow_mut(), request);
    let loopback = Loopback::new(77, serve).with_meanwhile(|| server.borrow_mut().answer_parked());
    let client = ProbeClient::with(Endpoint(Handle(1)), loopback);
    let (notification, endpoint) = (Notification(Handle(8)), Endpoint(Handle(9)));
    for (name, holds) in checks(&client, Setting { notification, endpoint, badge: 77 }) {
        // Memory objects are the kernel's.
        assert!(holds || name == "capabilities travel", "{name}");
    }
}
