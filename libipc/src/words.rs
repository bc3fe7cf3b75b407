//! Values in message words: how arguments and results become at most six 64-bit words.
//!
//! An argument begins at a new word. Within a struct, fields of up to 4 bytes share a word, as
//! byte arrays do with what comes before and after; fields of a multiple of 8 bytes begin at a
//! new word:
//!
//! ```text
//!   struct { a: u32, b: u8, c: u64, d: [u8; 4] }      63        32 31         0
//!                                            word 0  |     b      |     a      |
//!                                            word 1  |            c            |
//!                                            word 2  |     0      |     d      |
//! ```
//!
//! ```
//! use libipc::Words;
//! use libipc::words::{Packer, Unpacker};
//! let mut packer = Packer::new();
//! 7u32.pack(&mut packer);
//! let mut unpacker = Unpacker::new(packer.finish());
//! assert_eq!(u32::unpack(&mut unpacker), Some(7));
//! ```

use kamen_abi::WORDS;

/// A value that fits in one word; derive it for newtypes and `repr` enums.
///
/// ```
/// use libipc::Word;
/// #[derive(Word, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// enum Wait {
///     Never = 0,
///     Yes = 1,
/// }
/// assert_eq!(Wait::Yes.to_word(), 1);
/// assert_eq!(Wait::from_word(2), None);
/// ```
///
/// ```
/// use libipc::Word;
/// assert_eq!((u8::BYTES, u64::BYTES), (4, 8), "in a struct, two small ones share a word");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a word of a message",
    label = "does not fit in a word, as far as anybody said",
    note = "write `#[derive(libipc::Word, Clone, Copy)]` above it: a newtype of a word, or an enum \
            of plain variants with a number each"
)]
pub trait Word: Copy {
    /// Bytes that it takes in a struct: 4 or 8.
    const BYTES: usize;

    /// Returns the word.
    fn to_word(self) -> u64;

    /// Returns the value of a word, if it stands for one.
    fn from_word(word: u64) -> Option<Self>;
}

/// A value of a fixed number of words; derive it for structs of [`Field`]s.
///
/// ```
/// use libipc::{Words, words::Packer};
/// #[derive(Words, Clone, Copy)]
/// struct Size {
///     columns: u32,
///     rows: u32,
///     pixels: u64,
/// }
/// assert_eq!(Size::COUNT, 2);
/// let mut packer = Packer::new();
/// packer.put(Size { columns: 80, rows: 25, pixels: 7 });
/// assert_eq!(packer.finish()[..2], [25 << 32 | 80, 7]);
/// ```
///
/// ```
/// use libipc::Words;
/// use libipc::words::{Packer, Unpacker};
/// let mut packer = Packer::new();
/// (-1i64).pack(&mut packer);
/// assert_eq!(i64::unpack(&mut Unpacker::new(packer.finish())), Some(-1));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a message",
    label = "not known to be made of words",
    note = "write `#[derive(libipc::Words, Clone, Copy)]` above a struct, or \
            `#[derive(libipc::Word, Clone, Copy)]` above a newtype or an enum of plain variants",
    note = "what needs more than six words is copied as bytes, `&[u8]`, or lent, `&mut [u8]`"
)]
pub trait Words: Copy {
    /// Number of words.
    const COUNT: usize;

    /// Appends the value to a message's words.
    fn pack(self, into: &mut Packer);

    /// Takes the value from a message's words, if they stand for one.
    fn unpack(from: &mut Unpacker) -> Option<Self>;
}

/// A value that can be a field of a struct in [`Words`]: any [`Word`], an array of bytes, or
/// another such struct.
///
/// ```
/// use libipc::words::{Field, Packer, Unpacker};
/// let mut packer = Packer::new();
/// 0xaau8.put(&mut packer);
/// [1u8, 2, 3].put(&mut packer);
/// assert_eq!((<u8 as Field>::BYTES, <[u8; 3] as Field>::BYTES), (4, 3));
/// let words = packer.finish();
/// assert_eq!(words[0], 0x0003_0201_0000_00aa);
/// let mut unpacker = Unpacker::new(words);
/// assert_eq!(<u8 as Field>::take(&mut unpacker), Some(0xaa));
/// assert_eq!(<[u8; 3] as Field>::take(&mut unpacker), Some([1, 2, 3]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a struct that travels in a message",
    label = "not known to be made of words",
    note = "fields are integers, bool, `[u8; N]`, and types that derive `libipc::Word` or \
            `libipc::Words`"
)]
pub trait Field: Copy {
    /// Bytes that it takes.
    const BYTES: usize;

    /// Appends the field.
    fn put(self, into: &mut Packer);

    /// Takes the field, if the words stand for one.
    fn take(from: &mut Unpacker) -> Option<Self>;
}

/// Returns the number of words of a struct whose fields have these [`Field::BYTES`].
///
/// ```
/// use libipc::words::count;
/// assert_eq!(count(&[4, 4, 8]), 2, "two halves of a word, and one word");
/// assert_eq!(count(&[4, 8, 4]), 3);
/// ```
pub const fn count(fields: &[usize]) -> usize {
    let (mut at, mut index) = (0, 0);
    while index < fields.len() {
        at = place(at, fields[index]) + fields[index].div_ceil(4);
        index += 1;
    }
    at.div_ceil(2)
}

/// Returns where a field of `bytes` goes, in units of 4 bytes, if `at` are taken.
const fn place(at: usize, bytes: usize) -> usize {
    if bytes.is_multiple_of(8) { at.next_multiple_of(2) } else { at }
}

/// Six words being filled; what exceeds them is dropped (interfaces that need more do not
/// compile).
///
/// ```
/// use libipc::words::Packer;
/// let mut packer = Packer::new();
/// packer.put(7u32);
/// packer.put(8u64); // From a new word on.
/// packer.align();
/// assert_eq!(packer.finish(), [7, 8, 0, 0, 0, 0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Packer {
    words: [u64; WORDS],
    /// Units of 4 bytes taken.
    at: usize,
}

impl Packer {
    /// Returns words that are all 0.
    #[inline(always)]
    pub const fn new() -> Self {
        Packer { words: [0; WORDS], at: 0 }
    }

    /// Appends a value, from a new word on.
    #[inline(always)]
    pub fn put<T: Words>(&mut self, value: T) {
        value.pack(self);
    }

    /// Returns the words.
    #[inline(always)]
    pub const fn finish(self) -> [u64; WORDS] {
        self.words
    }

    /// Goes to the next word that is not begun.
    #[inline(always)]
    pub fn align(&mut self) {
        self.at = self.at.next_multiple_of(2);
    }

    /// Appends a word of `bytes` bytes, 4 or 8.
    #[inline(always)]
    fn word(&mut self, bytes: usize, word: u64) {
        self.at = place(self.at, bytes);
        if let Some(slot) = self.words.get_mut(self.at / 2) {
            *slot |= word << (32 * (self.at % 2));
        }
        self.at += bytes / 4;
    }
}

/// Six words being read; beyond them there is nothing.
///
/// ```
/// use libipc::words::Unpacker;
/// let mut unpacker = Unpacker::new([7, 256, 0, 0, 0, 0]);
/// assert_eq!(unpacker.take(), Some(7u32));
/// unpacker.align();
/// assert_eq!(unpacker.take::<u8>(), None, "no byte is 256");
/// ```
#[derive(Clone, Debug)]
pub struct Unpacker {
    words: [u64; WORDS],
    /// Units of 4 bytes taken.
    at: usize,
}

impl Unpacker {
    /// Returns a reader of a message's words.
    #[inline(always)]
    pub const fn new(words: [u64; WORDS]) -> Self {
        Unpacker { words, at: 0 }
    }

    /// Takes a value, from a new word on, if the words stand for one.
    #[inline(always)]
    pub fn take<T: Words>(&mut self) -> Option<T> {
        T::unpack(self)
    }

    /// Goes to the next word that is not begun.
    #[inline(always)]
    pub fn align(&mut self) {
        self.at = self.at.next_multiple_of(2);
    }

    /// Takes a word of `bytes` bytes, 4 or 8.
    #[inline(always)]
    fn word(&mut self, bytes: usize) -> Option<u64> {
        self.at = place(self.at, bytes);
        let word = *self.words.get(self.at / 2)?;
        let value = if bytes == 4 { word >> (32 * (self.at % 2)) & 0xffff_ffff } else { word };
        self.at += bytes / 4;
        Some(value)
    }
}

/// Appends a whole word, for the `Words` of a [`Word`].
///
/// ```
/// use libipc::words::{Packer, pack_word};
/// let mut packer = Packer::new();
/// pack_word(true, &mut packer);
/// assert_eq!(packer.finish()[0], 1);
/// ```
#[inline(always)]
pub fn pack_word<T: Word>(value: T, into: &mut Packer) {
    into.word(8, value.to_word());
}

/// Takes a whole word, for the `Words` of a [`Word`].
///
/// ```
/// use libipc::words::{Unpacker, unpack_word};
/// assert_eq!(unpack_word::<bool>(&mut Unpacker::new([2; 6])), None);
/// ```
#[inline(always)]
pub fn unpack_word<T: Word>(from: &mut Unpacker) -> Option<T> {
    from.word(8).and_then(T::from_word)
}

impl<T: Word> Field for T {
    const BYTES: usize = T::BYTES;

    #[inline(always)]
    fn put(self, into: &mut Packer) {
        into.word(T::BYTES, self.to_word());
    }

    #[inline(always)]
    fn take(from: &mut Unpacker) -> Option<Self> {
        from.word(T::BYTES).and_then(T::from_word)
    }
}

impl<const N: usize> Field for [u8; N] {
    const BYTES: usize = N;

    #[inline(always)]
    fn put(self, into: &mut Packer) {
        into.at = place(into.at, N);
        for chunk in self.chunks(4) {
            let mut bytes = [0; 4];
            bytes[..chunk.len()].copy_from_slice(chunk);
            into.word(4, u32::from_le_bytes(bytes).into());
        }
    }

    #[inline(always)]
    fn take(from: &mut Unpacker) -> Option<Self> {
        from.at = place(from.at, N);
        let mut array = [0; N];
        for chunk in array.chunks_mut(4) {
            let bytes = (from.word(4)? as u32).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Some(array)
    }
}

impl Words for () {
    const COUNT: usize = 0;

    #[inline(always)]
    fn pack(self, _into: &mut Packer) {}

    #[inline(always)]
    fn unpack(_from: &mut Unpacker) -> Option<Self> {
        Some(())
    }
}

/// Implements [`Word`] and [`Words`] for integers, which fill a word as unsigned ones.
macro_rules! integer {
    ($int:ty, $unsigned:ty, $bytes:expr) => {
        impl Word for $int {
            const BYTES: usize = $bytes;

            #[inline(always)]
            fn to_word(self) -> u64 {
                self as $unsigned as u64
            }

            #[inline(always)]
            fn from_word(word: u64) -> Option<Self> {
                <$unsigned>::try_from(word).ok().map(|value| value as $int)
            }
        }

        impl Words for $int {
            const COUNT: usize = 1;

            #[inline(always)]
            fn pack(self, into: &mut Packer) {
                pack_word(self, into);
            }

            #[inline(always)]
            fn unpack(from: &mut Unpacker) -> Option<Self> {
                unpack_word(from)
            }
        }
    };
}

integer!(u8, u8, 4);
integer!(u16, u16, 4);
integer!(u32, u32, 4);
integer!(u64, u64, 8);
integer!(usize, usize, 8);
integer!(i8, u8, 4);
integer!(i16, u16, 4);
integer!(i32, u32, 4);
integer!(i64, u64, 8);
integer!(isize, usize, 8);

impl Word for bool {
    const BYTES: usize = 4;

    #[inline(always)]
    fn to_word(self) -> u64 {
        self.into()
    }

    #[inline(always)]
    fn from_word(word: u64) -> Option<Self> {
        match word {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Words for bool {
    const COUNT: usize = 1;

    #[inline(always)]
    fn pack(self, into: &mut Packer) {
        pack_word(self, into);
    }

    #[inline(always)]
    fn unpack(from: &mut Unpacker) -> Option<Self> {
        unpack_word(from)
    }
}

#[cfg(test)]
mod tests;
