//! Errors of protocols that are none, or lack what a bound names.

#[derive(Clone, Copy)]
pub enum Plain {
    Refused = 1,
}

#[libipc::interface(number = 1, error = Plain)] //~ write `#[derive(libipc::ProtocolError, Clone, Copy)]` and `#[repr(u8)]`
pub trait Door {
    #[operation(1)]
    fn open(&mut self) -> Result<(), Plain>;
}

#[derive(libipc::ProtocolError, Clone, Copy)]
#[repr(u8)]
pub enum E {
    Refused = 1,
}

#[libipc::interface(number = 2, error = E)]
pub trait Window {
    #[operation(1)]
    fn title(&mut self, #[at_most(80, TooLong)] text: &str) -> Result<(), E>; //~ TooLong
    #[operation(2)]
    fn icon(&mut self, #[at_most(NOWHERE)] text: &str) -> Result<(), E>; //~ NOWHERE
}
