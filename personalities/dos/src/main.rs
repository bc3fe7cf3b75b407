//! The DOS server's program.
#![no_std]
#![no_main]

use kamen_dos::Server;
use kamen_kit::service;
use kamen_rt::Start;
use libipc::Endpoint;
use protocols::file::FileClient;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let files = setup.find::<Endpoint>("file")?;
        Ok(Server::default().with_files(FileClient::new(files)))
    })
}
