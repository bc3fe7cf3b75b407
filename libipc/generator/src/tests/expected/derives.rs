//! What the generator emits for `derives`; tests/snapshots.rs compares.

impl ::libipc::Word for Pid {
    const BYTES: usize = <u64 as ::libipc::Word>::BYTES;
    #[inline(always)]
    fn to_word(self) -> u64 {
        <u64 as ::libipc::Word>::to_word(self.0)
    }
    #[inline(always)]
    fn from_word(word: u64) -> ::core::option::Option<Self> {
        <u64 as ::libipc::Word>::from_word(word).map(Pid)
    }
}
impl ::libipc::Words for Pid {
    const COUNT: usize = 1;
    #[inline(always)]
    fn pack(self, into: &mut ::libipc::words::Packer) {
        ::libipc::words::pack_word(self, into);
    }
    #[inline(always)]
    fn unpack(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
        ::libipc::words::unpack_word(from)
    }
}
impl ::libipc::Word for Wait {
    const BYTES: usize = if ::core::mem::size_of::<Wait>() == 8 { 8 } else { 4 };
    #[inline(always)]
    fn to_word(self) -> u64 {
        self as u64
    }
    #[inline(always)]
    fn from_word(word: u64) -> ::core::option::Option<Self> {
        if word == Wait::Never as u64 {
            return ::core::option::Option::Some(Wait::Never);
        }
        if word == Wait::Yes as u64 {
            return ::core::option::Option::Some(Wait::Yes);
        }
        ::core::option::Option::None
    }
}
impl ::libipc::Words for Wait {
    const COUNT: usize = 1;
    #[inline(always)]
    fn pack(self, into: &mut ::libipc::words::Packer) {
        ::libipc::words::pack_word(self, into);
    }
    #[inline(always)]
    fn unpack(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
        ::libipc::words::unpack_word(from)
    }
}
impl ::libipc::Words for Size {
    const COUNT: usize = ::libipc::words::count(
        &[
            <u32 as ::libipc::words::Field>::BYTES,
            <u32 as ::libipc::words::Field>::BYTES,
            <Title as ::libipc::words::Field>::BYTES,
            <[u8; 6] as ::libipc::words::Field>::BYTES,
        ],
    );
    #[inline(always)]
    fn pack(self, into: &mut ::libipc::words::Packer) {
        into.align();
        <u32 as ::libipc::words::Field>::put(self.columns, into);
        <u32 as ::libipc::words::Field>::put(self.rows, into);
        <Title as ::libipc::words::Field>::put(self.title, into);
        <[u8; 6] as ::libipc::words::Field>::put(self.name, into);
        into.align();
    }
    #[inline(always)]
    fn unpack(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
        from.align();
        let columns = <u32 as ::libipc::words::Field>::take(from)?;
        let rows = <u32 as ::libipc::words::Field>::take(from)?;
        let title = <Title as ::libipc::words::Field>::take(from)?;
        let name = <[u8; 6] as ::libipc::words::Field>::take(from)?;
        from.align();
        ::core::option::Option::Some(Size { columns, rows, title, name })
    }
}
/// A struct within a struct begins at a new word, and ends with one.
impl ::libipc::words::Field for Size {
    const BYTES: usize = <Size as ::libipc::Words>::COUNT * 8;
    #[inline(always)]
    fn put(self, into: &mut ::libipc::words::Packer) {
        into.put(self);
    }
    #[inline(always)]
    fn take(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
        from.take()
    }
}
const _: () = ::core::assert!(
    < Size as ::libipc::Words > ::COUNT <= ::libipc::abi::WORDS,
    "Size exceeds the six words of a message"
);
impl ::libipc::ProtocolError for ClockError {
    #[inline]
    fn number(self) -> u32 {
        self as u32
    }
    #[inline]
    fn from_number(number: u32) -> ::core::option::Option<Self> {
        if number == ClockError::OutOfRange as u32 {
            return ::core::option::Option::Some(ClockError::OutOfRange);
        }
        if number == ClockError::Gone as u32 {
            return ::core::option::Option::Some(ClockError::Gone);
        }
        ::core::option::Option::None
    }
}
