//! What a pager is asked, and what a copy tells that stopped for want of a page.

use kamen_abi::Kind;

use crate::{Foreign, OpenCall};

/// A page that its pager has not supplied.
///
/// ```
/// use libipc::MissingPage;
/// let missing = MissingPage { object: 7, page: 3 };
/// assert_eq!((missing.object, missing.page), (7, 3), "the badge says which file");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MissingPage {
    /// Which memory object, as its pager knows it: the badge that it was created with.
    pub object: u64,
    /// The page.
    pub page: u64,
}

/// What a thread does with a page.
///
/// ```
/// use libipc::PageAccess;
/// let is_refused = |access| match access {
///     PageAccess::Read | PageAccess::Execute => false,
///     PageAccess::Write => true, // A program's text.
/// };
/// assert!(is_refused(PageAccess::Write) && !is_refused(PageAccess::Read));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PageAccess {
    /// It reads.
    Read = 0,
    /// It writes.
    Write = 1,
    /// It fetches instructions.
    Execute = 2,
}

/// A thread's request for a page; it tries again when it is answered, whatever the answer is.
///
/// The pager supplies the page ([`Memory::supply`](crate::Memory::supply)), then answers with
/// [`Message::resume`](crate::Message::resume). A request that a life of the pager before received
/// is replayed, and answered in the same way.
///
/// ```no_run
/// use libipc::{Error, Foreign, Memory, Message, PageAccess, PageRequest};
///
/// /// A pager's answer: page `n` of the file is page `n` of the cache.
/// fn supply(event: Foreign, file: Memory, cache: Memory) -> Result<(), Error> {
///     let Some(PageRequest { call, missing, access }) = event.page_request() else { return Ok(()) };
///     if access != PageAccess::Write {
///         file.supply(missing.page, 1, cache, missing.page)?;
///     }
///     call.reply(&Message::resume())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// The call to be answered.
    pub call: OpenCall,
    /// Which page.
    pub missing: MissingPage,
    /// What for.
    pub access: PageAccess,
}

impl Foreign {
    /// Returns the request for a page, if that is what it is.
    ///
    /// ```
    /// use libipc::{Foreign, PageAccess};
    /// /// Returns whether a foreign call is a write to a missing page.
    /// fn is_write(event: &Foreign) -> bool {
    ///     event.page_request().is_some_and(|request| request.access == PageAccess::Write)
    /// }
    /// ```
    pub const fn page_request(&self) -> Option<PageRequest> {
        let [page, access, ..] = self.words;
        let access = match (self.kind, access) {
            (Kind::Page, 0) => PageAccess::Read,
            (Kind::Page, 1) => PageAccess::Write,
            (Kind::Page, 2) => PageAccess::Execute,
            _ => return None,
        };
        let missing = MissingPage { object: self.caller.badge, page };
        Some(PageRequest { call: self.caller.call, missing, access })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caller;

    fn foreign(kind: Kind, access: u64) -> Foreign {
        let caller = Caller { badge: 7, call: OpenCall::from_raw(0x1_0002), replayed: true };
        Foreign { caller, kind, number: access as u32, words: [9, access, 0, 0, 0, 0] }
    }

    #[test]
    fn a_page_request_says_what_of_which_object() {
        let request = foreign(Kind::Page, 1).page_request().unwrap();
        assert_eq!(request.missing, MissingPage { object: 7, page: 9 });
        assert_eq!(request.access, PageAccess::Write);
        assert_eq!(request.call, OpenCall::from_raw(0x1_0002));
    }

    #[test]
    fn other_calls_are_no_page_requests() {
        for kind in [Kind::SystemCall, Kind::Interrupt, Kind::Exception, Kind::Recall] {
            assert_eq!(foreign(kind, 1).page_request(), None);
        }
        assert_eq!(foreign(Kind::Page, 3).page_request(), None);
    }
}
