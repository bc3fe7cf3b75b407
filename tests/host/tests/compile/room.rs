//! What exceeds a message.

#[derive(libipc::ProtocolError, Clone, Copy)]
#[repr(u8)]
pub enum E {
    Refused = 1,
}

#[derive(libipc::Words, Clone, Copy)]
pub struct Four {
    pub a: u64,
    pub b: [u8; 24],
}

#[libipc::interface(number = 1, error = E)]
pub trait Crowd {
    #[operation(1)]
    fn many(&mut self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) -> Result<(), E>; //~ Crowd::many: the arguments exceed six words
    #[operation(2)]
    fn large(&mut self, a: Four, b: u64, c: u64, d: u64) -> Result<(), E>; //~ Crowd::large: the arguments exceed six words
    /// The length of the first takes the seventh word.
    #[operation(3)]
    fn lengths(&mut self, a: Four, b: u64, c: u64, d: &str, e: &str) -> Result<(), E>; //~ Crowd::lengths: the arguments exceed six words
    #[operation(4)]
    fn back(&mut self) -> Result<(Four, u64, u64, u8), E>; //~ Crowd::back: the results exceed six words
    #[operation(5)]
    fn bytes(&mut self, #[at_most(3969)] a: &str) -> Result<(), E>; //~ Crowd::bytes: the bounds exceed what a message holds
    #[operation(6)]
    fn both(&mut self, #[at_most(3000)] a: &str, #[at_most(969)] b: &[u8]) -> Result<(), E>; //~ Crowd::both: the bounds exceed what a message holds
}

#[derive(libipc::Words, Clone, Copy)] //~ Seven exceeds the six words of a message
pub struct Seven {
    pub a: [u8; 48],
    pub b: u8,
}
