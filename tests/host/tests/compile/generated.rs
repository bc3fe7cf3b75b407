//! What the generator refuses arrives at the compiler with its place.

#[derive(libipc::ProtocolError, Clone, Copy)]
#[repr(u8)]
pub enum E {
    Refused = 1,
}

#[libipc::interface(number = 1, error = E)]
pub trait Door {
    #[operation(1)]
    fn open(
        &mut self,
        how: Option<u8>, //~ instead of an Option, give a value that means none
        name: &str,
        key: &[u32], //~ slices are of bytes
    ) -> Result<(), E>;
    async fn close(&mut self) -> Result<String, E>; //~ an operation is not async
}

#[derive(libipc::Word, Clone, Copy)]
pub enum Way {
    In = 0,
    Out, //~ give every value its number
}

#[libipc::interface(number = 1)] //~ write #[interface(number = N, error = E)]
pub trait Gate {}
