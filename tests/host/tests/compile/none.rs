//! An interface without a fault: that the others' errors are theirs.

#[derive(libipc::ProtocolError, Clone, Copy)]
#[repr(u8)]
pub enum E {
    Refused = 1,
}

#[derive(libipc::Words, Clone, Copy)]
pub struct Five {
    pub a: Four,
    pub b: u64,
}

#[derive(libipc::Words, Clone, Copy)]
pub struct Four {
    pub a: u64,
    pub b: [u8; 24],
}

pub const MOST: usize = 8;

/// Six words of arguments and of results, and all of a message's bytes.
#[libipc::interface(number = 1, error = E)]
pub trait Full {
    /// Fills everything.
    #[operation(1)]
    fn fill(
        &mut self,
        four: Four,
        #[at_most(MOST)] one: &[u8],
        #[at_most(3960, Refused)] two: &[u8],
        six: u32,
    ) -> Result<(Four, u32, u64), E>;
    /// What generated code calls S, Answer and so on is nobody else's.
    #[operation(2, deferred, idempotent)]
    fn names(&mut self, words: S, request: Answer, server: Server) -> Result<Answer, E>;
}

#[derive(libipc::Word, Clone, Copy)]
pub struct S(pub u8);
#[derive(libipc::Word, Clone, Copy)]
pub struct Answer(pub bool);
#[derive(libipc::Word, Clone, Copy)]
pub struct Server(pub isize);
