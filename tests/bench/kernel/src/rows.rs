//! The rows, in the order of the table.

use libipc::Error;

use crate::world::World;

mod handlers;
mod interrupt;
mod memory;
mod message;
mod notification;
mod process;

/// What measures a row and prints it.
pub type Measure = fn(&mut World) -> Result<(), Error>;

/// Every row that this kernel can show.
pub const ROWS: [(&str, Measure); 19] = [
    ("rt0_cross", message::rt0_cross),
    ("rt0_traced", message::rt0_traced),
    ("rt6_cross", message::rt6_cross),
    ("rt0_same", message::rt0_same),
    ("rt10_cross", message::rt10_cross),
    ("lease4k", message::lease4k),
    ("null", notification::null),
    ("yield", notification::yield_alone),
    ("signal", notification::signal),
    ("poll", notification::poll),
    ("pingpong", notification::pingpong),
    ("fault", handlers::fault),
    ("foreign", handlers::foreign),
    ("branch", handlers::branch),
    ("irq", interrupt::irq),
    ("map1", memory::map1),
    ("map1_new", memory::map1_new),
    ("map1_again", memory::map1_again),
    ("process", process::process),
];
