//! Types that do not say that they travel.

#[derive(libipc::ProtocolError, Clone, Copy)]
#[repr(u8)]
pub enum E {
    Refused = 1,
}

#[derive(Clone, Copy)]
pub struct Size {
    pub columns: u32,
    pub rows: u32,
}

#[libipc::interface(number = 1, error = E)]
pub trait Terminal {
    /// An argument and a result that derive nothing.
    #[operation(1)]
    fn resize(&mut self, size: Size) -> Result<(), E>; //~ write `#[derive(libipc::Words, Clone, Copy)]` above a struct
    #[operation(2)]
    fn size(&mut self) -> Result<Size, E>; //~ `Size` cannot travel in a message
    #[operation(3)]
    fn glyph(&mut self, of: char) -> Result<u64, E>; //~ `char` cannot travel in a message
}

#[derive(libipc::Words, Clone, Copy)]
pub struct Window {
    pub size: Size, //~ `Size` cannot be a field of a struct that travels in a message
    pub depth: u8,
}

#[derive(libipc::Word, Clone, Copy)]
pub struct Handle(pub Size); //~ `Size` is not a word of a message
