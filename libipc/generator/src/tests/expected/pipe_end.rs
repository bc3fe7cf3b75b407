//! What the generator emits for `pipe_end`; tests/snapshots.rs compares.

#[allow(clippy::too_many_arguments)]
trait PipeEnd {
    /// Reads.
    ///
    /// `from`: at most 4096 bytes; longer ones were refused: [`InvalidArgument`](libipc::Error::InvalidArgument).
    ///
    /// Idempotent: a client repeats it after a restart; doing it twice is as once.
    ///
    /// None: it will be answered later, through the caller's open call.
    fn r#move(
        &mut self,
        caller: &::libipc::Caller,
        from: ::libipc::ReadLease<'_>,
        into: ::libipc::WriteLease<'_>,
        bell: Notification,
    ) -> ::core::option::Option<
        ::core::result::Result<(Memory, Size, Endpoint), PipeError>,
    >;
}
///Labels of [`PipeEnd`]'s requests: protocol << 16 | operation.
mod pipe_end_label {
    /// The protocol's number.
    pub const PROTOCOL: u16 = 7u16;
    ///Label of `move`.
    pub const MOVE: u32 = 458768u32;
    /// Returns the name of a label's operation, for traces.
    pub fn name(label: u32) -> ::core::option::Option<&'static str> {
        ::core::option::Option::Some(
            match label {
                MOVE => "PipeEnd::move",
                _ => return ::core::option::Option::None,
            },
        )
    }
}
///Answers to [`PipeEnd`]'s requests, for those answered later.
mod pipe_end_reply {
    #[allow(unused_imports)]
    use super::*;
    ///Returns the message that answers [`PipeEnd::move`].
    #[inline]
    pub fn r#move(
        result: ::core::result::Result<(Memory, Size, Endpoint), PipeError>,
    ) -> ::libipc::Message {
        match result {
            ::core::result::Result::Ok((r0, r1, r2)) => {
                let mut words = ::libipc::words::Packer::new();
                words.put::<Size>(r1);
                ::libipc::Message::new(0, words.finish())
                    .with_capability(r0)
                    .with_capability(r2)
            }
            ::core::result::Result::Err(error) => ::libipc::Message::error(error),
        }
    }
}
/**Has a server answer a request of [`PipeEnd`]; None: it will be answered later.

Requests of other protocols and malformed ones are refused.*/
fn serve_pipe_end<__Server: PipeEnd + ?Sized>(
    server: &mut __Server,
    request: &::libipc::Request<'_>,
) -> ::core::option::Option<::libipc::Message> {
    type __Answer = ::core::result::Result<
        ::core::option::Option<::libipc::Message>,
        ::libipc::Error,
    >;
    #[inline]
    fn r#move<__Server: PipeEnd + ?Sized>(
        server: &mut __Server,
        request: &::libipc::Request<'_>,
    ) -> __Answer {
        let form = ::libipc::dispatch::Form {
            caps: 1usize,
            leases: &[
                ::libipc::dispatch::Access::Read,
                ::libipc::dispatch::Access::Write,
            ],
            slices: 0usize,
        };
        let mut arguments = request.arguments(form)?;
        let a0 = arguments.read_lease()?;
        if a0.len() as u64
            > const {
                let most: usize = 4096;
                most
            } as u64
        {
            return ::core::result::Result::Err(::libipc::Error::InvalidArgument);
        }
        let a1 = arguments.write_lease()?;
        let a2 = arguments.capability::<Notification>()?;
        let result = server.r#move(&request.caller, a0, a1, a2);
        ::core::result::Result::Ok(result.map(pipe_end_reply::r#move))
    }
    let answer = match request.label() {
        pipe_end_label::MOVE => r#move(server, request),
        _ => ::core::result::Result::Err(::libipc::Error::InvalidOperation),
    };
    match answer {
        ::core::result::Result::Ok(answer) => answer,
        ::core::result::Result::Err(error) => {
            ::core::option::Option::Some(request.refuse(error))
        }
    }
}
/**Client of [`PipeEnd`]: each operation is a method, which fails with the protocol's error or the kernel's.

Idempotent operations are repeated when the server was restarted meanwhile; others fail with `Restarted`.*/
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct PipeEndClient<T = ::libipc::Kernel> {
    endpoint: ::libipc::Endpoint,
    transport: T,
}
impl PipeEndClient {
    /// Returns the client of the server behind an endpoint.
    #[inline]
    pub const fn new(endpoint: ::libipc::Endpoint) -> Self {
        PipeEndClient {
            endpoint,
            transport: ::libipc::Kernel,
        }
    }
}
impl<T: ::libipc::Transport> PipeEndClient<T> {
    /// Returns the client whose requests travel another way than the kernel's.
    #[inline]
    pub const fn with(endpoint: ::libipc::Endpoint, transport: T) -> Self {
        PipeEndClient {
            endpoint,
            transport,
        }
    }
    /// Returns the endpoint.
    #[inline]
    pub const fn endpoint(&self) -> ::libipc::Endpoint {
        self.endpoint
    }
    /// Reads.
    ///
    /// `from`: at most 4096 bytes; beyond that nothing is sent: [`InvalidArgument`](libipc::Error::InvalidArgument).
    ///
    /// Idempotent: repeated where the server was restarted meanwhile.
    ///
    /// # Errors
    /// What the server refuses, and what the kernel does.
    /// [`Restarted`](libipc::Error::Restarted): the server died each time that this was sent.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub fn r#move(
        &self,
        from: &[u8],
        into: &mut [u8],
        bell: Notification,
    ) -> ::core::result::Result<(Memory, Size, Endpoint), ::libipc::Failure<PipeError>> {
        if from.len()
            > const {
                let most: usize = 4096;
                most
            }
        {
            return ::core::result::Result::Err(
                ::libipc::Failure::Kernel(::libipc::Error::InvalidArgument),
            );
        }
        let __words = ::libipc::words::Packer::new();
        let __request = ::libipc::transport::Outgoing {
            label: pipe_end_label::MOVE,
            words: __words.finish(),
            slices: &[],
            caps: &[::libipc::Object::handle(bell)],
            leases: &[
                ::libipc::transport::Lend::read(from),
                ::libipc::transport::Lend::write(into),
            ],
        };
        let __reply = ::libipc::transport::call::<
            true,
        >(&self.transport, self.endpoint, &__request)?;
        let mut __results = __reply.results::<PipeError>(2usize)?;
        ::core::result::Result::Ok((
            __results.capability::<Memory>()?,
            __results.take::<Size>()?,
            __results.capability::<Endpoint>()?,
        ))
    }
}
