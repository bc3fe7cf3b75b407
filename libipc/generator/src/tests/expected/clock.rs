//! What the generator emits for `clock`; tests/snapshots.rs compares.

/// The time of day.
#[allow(clippy::too_many_arguments)]
pub trait Clock {
    /// Returns it.
    ///
    /// Idempotent: a client repeats it after a restart; doing it twice is as once.
    fn time(
        &mut self,
        caller: &::libipc::Caller,
    ) -> ::core::result::Result<u64, ClockError>;
    /// Sets it.
    ///
    /// # Errors
    /// OutOfRange.
    fn set(
        &mut self,
        caller: &::libipc::Caller,
        time: u64,
        zone: Zone,
    ) -> ::core::result::Result<(), ClockError>;
}
///Labels of [`Clock`]'s requests: protocol << 16 | operation.
pub mod clock_label {
    /// The protocol's number.
    pub const PROTOCOL: u16 = 6u16;
    ///Label of `time`.
    pub const TIME: u32 = 393217u32;
    ///Label of `set`.
    pub const SET: u32 = 393218u32;
    /// Returns the name of a label's operation, for traces.
    pub fn name(label: u32) -> ::core::option::Option<&'static str> {
        ::core::option::Option::Some(
            match label {
                TIME => "Clock::time",
                SET => "Clock::set",
                _ => return ::core::option::Option::None,
            },
        )
    }
}
///Answers to [`Clock`]'s requests, for those answered later.
pub mod clock_reply {
    #[allow(unused_imports)]
    use super::*;
    ///Returns the message that answers [`Clock::time`].
    #[inline]
    pub fn time(result: ::core::result::Result<u64, ClockError>) -> ::libipc::Message {
        match result {
            ::core::result::Result::Ok(r0) => {
                let mut words = ::libipc::words::Packer::new();
                words.put::<u64>(r0);
                ::libipc::Message::new(0, words.finish())
            }
            ::core::result::Result::Err(error) => ::libipc::Message::error(error),
        }
    }
    ///Returns the message that answers [`Clock::set`].
    #[inline]
    pub fn set(result: ::core::result::Result<(), ClockError>) -> ::libipc::Message {
        match result {
            ::core::result::Result::Ok(()) => {
                let words = ::libipc::words::Packer::new();
                ::libipc::Message::new(0, words.finish())
            }
            ::core::result::Result::Err(error) => ::libipc::Message::error(error),
        }
    }
}
/**Has a server answer a request of [`Clock`]; None: it will be answered later.

Requests of other protocols and malformed ones are refused.*/
pub fn serve_clock<__Server: Clock + ?Sized>(
    server: &mut __Server,
    request: &::libipc::Request<'_>,
) -> ::core::option::Option<::libipc::Message> {
    type __Answer = ::core::result::Result<
        ::core::option::Option<::libipc::Message>,
        ::libipc::Error,
    >;
    #[inline]
    fn time<__Server: Clock + ?Sized>(
        server: &mut __Server,
        request: &::libipc::Request<'_>,
    ) -> __Answer {
        let form = ::libipc::dispatch::Form {
            caps: 0usize,
            leases: &[],
            slices: 0usize,
        };
        let _ = request.arguments(form)?;
        let result = server.time(&request.caller);
        ::core::result::Result::Ok(
            ::core::option::Option::Some(clock_reply::time(result)),
        )
    }
    #[inline]
    fn set<__Server: Clock + ?Sized>(
        server: &mut __Server,
        request: &::libipc::Request<'_>,
    ) -> __Answer {
        let form = ::libipc::dispatch::Form {
            caps: 0usize,
            leases: &[],
            slices: 0usize,
        };
        let mut arguments = request.arguments(form)?;
        let a0 = arguments.take::<u64>()?;
        let a1 = arguments.take::<Zone>()?;
        let result = server.set(&request.caller, a0, a1);
        ::core::result::Result::Ok(
            ::core::option::Option::Some(clock_reply::set(result)),
        )
    }
    let answer = match request.label() {
        clock_label::TIME => time(server, request),
        clock_label::SET => set(server, request),
        _ => ::core::result::Result::Err(::libipc::Error::InvalidOperation),
    };
    match answer {
        ::core::result::Result::Ok(answer) => answer,
        ::core::result::Result::Err(error) => {
            ::core::option::Option::Some(request.refuse(error))
        }
    }
}
/**Client of [`Clock`]: each operation is a method, which fails with the protocol's error or the kernel's.

Idempotent operations are repeated when the server was restarted meanwhile; others fail with `Restarted`.*/
///
/// The time of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockClient<T = ::libipc::Kernel> {
    endpoint: ::libipc::Endpoint,
    transport: T,
}
impl ClockClient {
    /// Returns the client of the server behind an endpoint.
    #[inline]
    pub const fn new(endpoint: ::libipc::Endpoint) -> Self {
        ClockClient {
            endpoint,
            transport: ::libipc::Kernel,
        }
    }
}
impl<T: ::libipc::Transport> ClockClient<T> {
    /// Returns the client whose requests travel another way than the kernel's.
    #[inline]
    pub const fn with(endpoint: ::libipc::Endpoint, transport: T) -> Self {
        ClockClient { endpoint, transport }
    }
    /// Returns the endpoint.
    #[inline]
    pub const fn endpoint(&self) -> ::libipc::Endpoint {
        self.endpoint
    }
    /// Returns it.
    ///
    /// Idempotent: repeated where the server was restarted meanwhile.
    ///
    /// # Errors
    /// What the server refuses, and what the kernel does.
    /// [`Restarted`](libipc::Error::Restarted): the server died each time that this was sent.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub fn time(&self) -> ::core::result::Result<u64, ::libipc::Failure<ClockError>> {
        let __words = ::libipc::words::Packer::new();
        let __request = ::libipc::transport::Outgoing {
            label: clock_label::TIME,
            words: __words.finish(),
            slices: &[],
            caps: &[],
            leases: &[],
        };
        let __reply = ::libipc::transport::call::<
            true,
        >(&self.transport, self.endpoint, &__request)?;
        let mut __results = __reply.results::<ClockError>(0usize)?;
        ::core::result::Result::Ok(__results.take::<u64>()?)
    }
    /// Sets it.
    ///
    /// # Errors
    /// OutOfRange.
    ///
    /// [`Restarted`](libipc::Error::Restarted): the server died meanwhile; it may have done this, or not, and nothing was sent again.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub fn set(
        &self,
        time: u64,
        zone: Zone,
    ) -> ::core::result::Result<(), ::libipc::Failure<ClockError>> {
        let mut __words = ::libipc::words::Packer::new();
        __words.put(time);
        __words.put(zone);
        let __request = ::libipc::transport::Outgoing {
            label: clock_label::SET,
            words: __words.finish(),
            slices: &[],
            caps: &[],
            leases: &[],
        };
        let __reply = ::libipc::transport::call::<
            false,
        >(&self.transport, self.endpoint, &__request)?;
        let _ = __reply.results::<ClockError>(0usize)?;
        ::core::result::Result::Ok(())
    }
}
#[allow(clippy::int_plus_one, reason = "the numbers are the types'")]
const _: () = ::core::assert!(
    < u64 as ::libipc::Words > ::COUNT + < Zone as ::libipc::Words > ::COUNT <=
    ::libipc::abi::WORDS,
    "Clock::set: the arguments exceed six words; lend what is larger"
);
