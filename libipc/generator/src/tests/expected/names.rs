//! What the generator emits for `names`; tests/snapshots.rs compares.

#[allow(clippy::too_many_arguments)]
pub(crate) trait Names {
    /// Gives a service a name.
    ///
    /// `name`: at most [`NAME_MAX`] bytes; longer ones were refused: [`InvalidName`](NamesError::InvalidName).
    ///
    /// `kind`: at most 16 bytes; longer ones were refused: [`InvalidArgument`](libipc::Error::InvalidArgument).
    ///
    /// `rest`: as many bytes as a message holds ([`MAX_BYTES`](libipc::abi::MAX_BYTES) in all); longer ones were refused: [`InvalidArgument`](libipc::Error::InvalidArgument).
    fn register(
        &mut self,
        caller: &::libipc::Caller,
        service: Endpoint,
        name: &str,
        kind: &[u8],
        rest: &[u8],
    ) -> ::core::result::Result<(), NamesError>;
}
///Labels of [`Names`]'s requests: protocol << 16 | operation.
pub(crate) mod names_label {
    /// The protocol's number.
    pub const PROTOCOL: u16 = 5u16;
    ///Label of `register`.
    pub const REGISTER: u32 = 327681u32;
    /// Returns the name of a label's operation, for traces.
    pub fn name(label: u32) -> ::core::option::Option<&'static str> {
        ::core::option::Option::Some(
            match label {
                REGISTER => "Names::register",
                _ => return ::core::option::Option::None,
            },
        )
    }
}
///Answers to [`Names`]'s requests, for those answered later.
pub(crate) mod names_reply {
    #[allow(unused_imports)]
    use super::*;
    ///Returns the message that answers [`Names::register`].
    #[inline]
    pub fn register(
        result: ::core::result::Result<(), NamesError>,
    ) -> ::libipc::Message {
        match result {
            ::core::result::Result::Ok(()) => {
                let words = ::libipc::words::Packer::new();
                ::libipc::Message::new(0, words.finish())
            }
            ::core::result::Result::Err(error) => ::libipc::Message::error(error),
        }
    }
}
/**Has a server answer a request of [`Names`]; None: it will be answered later.

Requests of other protocols and malformed ones are refused.*/
pub(crate) fn serve_names<__Server: Names + ?Sized>(
    server: &mut __Server,
    request: &::libipc::Request<'_>,
) -> ::core::option::Option<::libipc::Message> {
    type __Answer = ::core::result::Result<
        ::core::option::Option<::libipc::Message>,
        ::libipc::Error,
    >;
    #[inline]
    fn register<__Server: Names + ?Sized>(
        server: &mut __Server,
        request: &::libipc::Request<'_>,
    ) -> __Answer {
        let form = ::libipc::dispatch::Form {
            caps: 1usize,
            leases: &[],
            slices: 3usize,
        };
        let mut arguments = request.arguments(form)?;
        let a0 = arguments.capability::<Endpoint>()?;
        let a1 = arguments.bytes()?;
        if a1.len() as u64
            > const {
                let most: usize = NAME_MAX;
                most
            } as u64
        {
            return ::core::result::Result::Ok(
                ::core::option::Option::Some(request.decline(<NamesError>::InvalidName)),
            );
        }
        let a1 = ::libipc::dispatch::text(a1)?;
        let a2 = arguments.bytes()?;
        if a2.len() as u64
            > const {
                let most: usize = 16;
                most
            } as u64
        {
            return ::core::result::Result::Err(::libipc::Error::InvalidArgument);
        }
        let a3 = arguments.last_bytes();
        let result = server.register(&request.caller, a0, a1, a2, a3);
        ::core::result::Result::Ok(
            ::core::option::Option::Some(names_reply::register(result)),
        )
    }
    let answer = match request.label() {
        names_label::REGISTER => register(server, request),
        _ => ::core::result::Result::Err(::libipc::Error::InvalidOperation),
    };
    match answer {
        ::core::result::Result::Ok(answer) => answer,
        ::core::result::Result::Err(error) => {
            ::core::option::Option::Some(request.refuse(error))
        }
    }
}
/**Client of [`Names`]: each operation is a method, which fails with the protocol's error or the kernel's.

Idempotent operations are repeated when the server was restarted meanwhile; others fail with `Restarted`.*/
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NamesClient<T = ::libipc::Kernel> {
    endpoint: ::libipc::Endpoint,
    transport: T,
}
impl NamesClient {
    /// Returns the client of the server behind an endpoint.
    #[inline]
    pub const fn new(endpoint: ::libipc::Endpoint) -> Self {
        NamesClient {
            endpoint,
            transport: ::libipc::Kernel,
        }
    }
}
impl<T: ::libipc::Transport> NamesClient<T> {
    /// Returns the client whose requests travel another way than the kernel's.
    #[inline]
    pub const fn with(endpoint: ::libipc::Endpoint, transport: T) -> Self {
        NamesClient { endpoint, transport }
    }
    /// Returns the endpoint.
    #[inline]
    pub const fn endpoint(&self) -> ::libipc::Endpoint {
        self.endpoint
    }
    /// Gives a service a name.
    ///
    /// `name`: at most [`NAME_MAX`] bytes; beyond that nothing is sent: [`InvalidName`](NamesError::InvalidName).
    ///
    /// `kind`: at most 16 bytes; beyond that nothing is sent: [`InvalidArgument`](libipc::Error::InvalidArgument).
    ///
    /// `rest`: as many bytes as a message holds ([`MAX_BYTES`](libipc::abi::MAX_BYTES) in all); beyond that nothing is sent: [`InvalidArgument`](libipc::Error::InvalidArgument).
    ///
    /// # Errors
    /// What the server refuses, and what the kernel does.
    /// [`Restarted`](libipc::Error::Restarted): the server died meanwhile; it may have done this, or not, and nothing was sent again.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub fn register(
        &self,
        service: Endpoint,
        name: &str,
        kind: &[u8],
        rest: &[u8],
    ) -> ::core::result::Result<(), ::libipc::Failure<NamesError>> {
        if name.len()
            > const {
                let most: usize = NAME_MAX;
                most
            }
        {
            return ::core::result::Result::Err(
                ::libipc::Failure::Protocol(<NamesError>::InvalidName),
            );
        }
        if kind.len()
            > const {
                let most: usize = 16;
                most
            }
        {
            return ::core::result::Result::Err(
                ::libipc::Failure::Kernel(::libipc::Error::InvalidArgument),
            );
        }
        let mut __words = ::libipc::words::Packer::new();
        __words.put(name.len());
        __words.put(kind.len());
        let __request = ::libipc::transport::Outgoing {
            label: names_label::REGISTER,
            words: __words.finish(),
            slices: &[name.as_bytes(), kind, rest],
            caps: &[::libipc::Object::handle(service)],
            leases: &[],
        };
        let __reply = ::libipc::transport::call::<
            false,
        >(&self.transport, self.endpoint, &__request)?;
        let _ = __reply.results::<NamesError>(0usize)?;
        ::core::result::Result::Ok(())
    }
}
#[allow(clippy::int_plus_one, reason = "the numbers are the types'")]
const _: () = ::core::assert!(
    2usize <= ::libipc::abi::WORDS,
    "Names::register: the arguments exceed six words; lend what is larger"
);
const _: () = ::core::assert!(
    (NAME_MAX) + (16) <= ::libipc::abi::MAX_BYTES,
    "Names::register: the bounds exceed what a message holds (libipc::abi::MAX_BYTES)"
);
