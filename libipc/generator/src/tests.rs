//! What the generator emits for a small interface, and what it refuses.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{interface, protocol_error, word, words};

/// Returns the interface of a protocol with one operation.
fn one(operation: TokenStream) -> String {
    let item = quote! { pub trait Clock { #operation } };
    interface(quote! { number = 6, error = ClockError }, item).to_string()
}

fn assert_emits(emitted: &str, expected: TokenStream) {
    let expected = expected.to_string();
    // Token streams differ in spacing, depending on where their tokens come from.
    let squeeze = |text: &str| text.replace(' ', "");
    assert!(
        squeeze(emitted).contains(&squeeze(&expected)),
        "\nemitted: {emitted}\n\nlacks: {expected}"
    );
}

fn assert_refuses(emitted: &str, message: &str) {
    assert!(emitted.contains("compile_error"), "emitted: {emitted}");
    assert!(emitted.contains(message), "emitted: {emitted}\n\nlacks: {message}");
}

#[test]
fn server_trait_gets_the_caller_and_leases() {
    let emitted = one(quote! {
        /// Reads.
        #[operation(1, deferred)]
        fn read(&mut self, node: Node, into: &mut [u8], #[lend] key: &[u8]) -> Result<u64, ClockError>;
    });
    assert_emits(
        &emitted,
        quote! {
            fn read(
                &mut self,
                caller: &::libipc::Caller,
                node: Node,
                into: ::libipc::WriteLease<'_>,
                key: ::libipc::ReadLease<'_>
            ) -> ::core::option::Option<::core::result::Result<u64, ClockError>>;
        },
    );
}

#[test]
fn labels_are_protocol_and_operation() {
    let emitted = one(quote! {
        #[operation(3)]
        fn boot_time(&mut self) -> Result<u64, ClockError>;
    });
    let label = 6u32 << 16 | 3;
    assert_emits(&emitted, quote! { pub const PROTOCOL: u16 = 6u16; });
    assert_emits(&emitted, quote! { pub const BOOT_TIME: u32 = #label; });
    assert_emits(&emitted, quote! { BOOT_TIME => "Clock::boot_time", });
    assert_emits(&emitted, quote! { clock_label::BOOT_TIME => boot_time(server, request), });
}

#[test]
fn client_packs_arguments_in_order() {
    let emitted = one(quote! {
        #[operation(1, idempotent)]
        fn set(&mut self, name: &str, time: u64, zone: &[u8], from: Endpoint) -> Result<(), ClockError>;
    });
    assert_emits(
        &emitted,
        quote! {
            let mut __words = ::libipc::words::Packer::new();
            __words.put(name.len());
            __words.put(time);
            let __request = ::libipc::transport::Outgoing {
                label: clock_label::SET,
                words: __words.finish(),
                slices: &[name.as_bytes(), zone],
                caps: &[::libipc::Object::handle(from)],
                leases: &[],
            };
            let __reply =
                ::libipc::transport::call::<true>(&self.transport, self.endpoint, &__request)?;
        },
    );
    assert_emits(
        &emitted,
        quote! { 1usize + <u64 as ::libipc::Words>::COUNT <= ::libipc::abi::WORDS },
    );
}

#[test]
fn dispatch_takes_arguments_in_the_same_order() {
    let emitted = one(quote! {
        #[operation(1)]
        fn set(&mut self, name: &str, time: u64, zone: &[u8], from: Endpoint) -> Result<(), ClockError>;
    });
    assert_emits(
        &emitted,
        quote! {
            let form = ::libipc::dispatch::Form { caps: 1usize, leases: &[], slices: 2usize, };
            let mut arguments = request.arguments(form)?;
            let a0 = ::libipc::dispatch::text(arguments.bytes()?)?;
            let a1 = arguments.take::<u64>()?;
            let a2 = arguments.last_bytes();
            let a3 = arguments.capability::<Endpoint>()?;
            let result = server.set(&request.caller, a0, a1, a2, a3);
        },
    );
}

#[test]
fn replies_hold_words_and_capabilities() {
    let emitted = one(quote! {
        #[operation(1)]
        fn find(&mut self) -> Result<(Endpoint, u64), ClockError>;
    });
    assert_emits(
        &emitted,
        quote! {
            ::core::result::Result::Ok((r0, r1,)) => {
                let mut words = ::libipc::words::Packer::new();
                words.put(r1);
                ::libipc::Message::new(0, words.finish()).with_capability(r0)
            }
        },
    );
    assert_emits(
        &emitted,
        quote! {
            ::core::result::Result::Ok((
                __results.capability::<Endpoint>()?,
                __results.take::<u64>()?,
            ))
        },
    );
}

#[test]
fn what_cannot_be_expressed_is_refused_with_a_reason() {
    let cases = [
        (quote! { fn f(&mut self) -> Result<(), ClockError>; }, "write #[operation(N)]"),
        (quote! { #[operation(0)] fn f(&mut self) -> Result<(), ClockError>; }, "begin at 1"),
        (quote! { #[operation(1, fast)] fn f(&mut self) -> Result<(), ClockError>; }, "idempotent"),
        (quote! { #[operation(65536)] fn f(&mut self) -> Result<(), ClockError>; }, "too large"),
        (quote! { #[operation(1)] fn f(&self) -> Result<(), ClockError>; }, "takes `&mut self`"),
        (quote! { #[operation(1)] fn f() -> Result<(), ClockError>; }, "takes `&mut self`"),
        (quote! { #[operation(1)] fn f(&mut self) -> u64; }, "returns Result<T, E>"),
        (quote! { #[operation(1)] fn f(&mut self); }, "returns Result<T, E>"),
        (quote! { #[operation(1)] fn f(&mut self) -> Result<(), Other>; }, "returns Result<T, E>"),
        (quote! { #[operation(1)] fn f(&mut self) -> Result<&[u8], ClockError>; }, "not borrowed"),
        (quote! { #[operation(1)] fn f(&mut self) -> Result<Vec<u8>, ClockError>; }, "as a slice"),
        (
            quote! { #[operation(1)] fn f(&mut self, a: String) -> Result<(), ClockError>; },
            "as a slice",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, a: &u32) -> Result<(), ClockError>; },
            "references are",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, a: &mut str) -> Result<(), ClockError>; },
            "references are",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, a: [u8; 4]) -> Result<(), ClockError>; },
            "values are words",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, #[lend] a: u32) -> Result<(), ClockError>; },
            "are lent",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, #[give] a: u32) -> Result<(), ClockError>; },
            "#[lend]",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, (a, b): (u32, u32)) -> Result<(), ClockError>; },
            "plain name",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self, caller: u32) -> Result<(), ClockError>; },
            "`caller`",
        ),
        (quote! { #[operation(1)] fn f<T>(&mut self, a: T) -> Result<(), ClockError>; }, "generic"),
        (
            quote! { #[operation(1)] async fn f(&mut self) -> Result<(), ClockError>; },
            "ordinary function",
        ),
        (
            quote! { #[operation(1)] fn f(&mut self) -> Result<(), ClockError> { Ok(()) } },
            "no default",
        ),
        (
            quote! { #[operation(1)] fn endpoint(&mut self) -> Result<(), ClockError>; },
            "of that name",
        ),
        (
            quote! { #[operation(1)] #[inline] fn f(&mut self) -> Result<(), ClockError>; },
            "no other attributes",
        ),
        (
            quote! {
                #[operation(1)]
                fn f(&mut self, a: Memory, b: Memory, c: Memory, d: Memory, e: Memory) -> Result<(), ClockError>;
            },
            "at most 4 capabilities",
        ),
        (
            quote! {
                #[operation(1)]
                fn f(&mut self, a: &mut [u8], b: &mut [u8], c: &mut [u8], d: &mut [u8], e: &mut [u8]) -> Result<(), ClockError>;
            },
            "at most 4 ranges",
        ),
        (
            quote! {
                #[operation(1)] fn f(&mut self) -> Result<(), ClockError>;
                #[operation(1)] fn g(&mut self) -> Result<(), ClockError>;
            },
            "same number",
        ),
        (quote! { const N: u32; }, "operations only"),
    ];
    for (operation, message) in cases {
        assert_refuses(&one(operation), message);
    }
}

#[test]
fn all_errors_are_shown_at_once() {
    let emitted = one(quote! {
        #[operation(0)] fn f(&mut self) -> Result<(), ClockError>;
        fn g(&self) -> Result<(), ClockError>;
    });
    assert_eq!(emitted.matches("compile_error").count(), 3, "{emitted}");
}

#[test]
fn attribute_without_number_or_error_is_refused() {
    let item = quote! { trait Clock {} };
    for attribute in [quote! {}, quote! { number = 1 }, quote! { error = E }] {
        assert_refuses(&interface(attribute, item.clone()).to_string(), "number = N, error = E");
    }
    let attribute = quote! { number = 1, error = E, speed = 3 };
    assert_refuses(&interface(attribute, item.clone()).to_string(), "expected `number`");
    let generic = quote! { trait Clock<T> {} };
    let attribute = quote! { number = 1, error = E };
    assert_refuses(&interface(attribute.clone(), generic).to_string(), "no generic");
    assert_refuses(&interface(attribute, quote! { struct Clock; }).to_string(), "expected");
}

#[test]
fn derives_refuse_what_is_no_word() {
    let structure = quote! { struct Two(u32, u32); };
    assert_refuses(&word(structure).to_string(), "a Word is a newtype");
    assert_refuses(&word(quote! { enum E { A(u32) } }).to_string(), "a Word is a newtype");
    assert_refuses(&word(quote! { union U { a: u32 } }).to_string(), "a Word is a newtype");
    assert_refuses(&word(quote! { struct N<T>(T); }).to_string(), "generic");
    assert_refuses(&words(quote! { struct Two(u32, u32); }).to_string(), "named fields");
    assert_refuses(&words(quote! { enum E { A } }).to_string(), "named fields");
}

#[test]
fn errors_without_a_number_of_their_own_are_refused() {
    let message = "give every error its number";
    for variants in [quote! { A }, quote! { A = 0 }, quote! { A = 256 }, quote! { A = B }] {
        assert_refuses(&protocol_error(quote! { enum E { #variants } }).to_string(), message);
    }
    assert_refuses(&protocol_error(quote! { struct E; }).to_string(), "is an enum");
    assert_refuses(&protocol_error(quote! { enum E { A(u8) = 1 } }).to_string(), "plain variants");
}
