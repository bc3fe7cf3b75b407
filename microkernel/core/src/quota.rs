//! Quotas: what a process may use of memory and kernel objects.

use kamen_abi::Error;

use crate::arena::{Arena, Id};

/// A budget of pages and objects, cut out of its parent's.
#[derive(Default, Debug)]
pub struct Quota {
    /// The quota that this one was cut out of; the root has none.
    pub parent: Option<Id<Quota>>,
    /// Pages in use: memory, page tables, capability tables, children's budgets.
    pub pages_used: usize,
    /// Pages that may be used.
    pub pages_limit: usize,
    /// Objects in use, children's budgets included.
    pub objects_used: usize,
    /// Objects that may be used.
    pub objects_limit: usize,
}

/// Charges pages and objects to a quota.
///
/// # Errors
/// QuotaExhausted where either would exceed its limit, InvalidHandle for a quota that is gone;
/// nothing is charged then.
pub fn charge(
    quotas: &mut Arena<Quota>,
    quota: Option<Id<Quota>>,
    pages: usize,
    objects: usize,
) -> Result<(), Error> {
    let quota = quota.and_then(|id| quotas.get_mut(id)).ok_or(Error::InvalidHandle)?;
    let fits = quota.pages_limit - quota.pages_used >= pages
        && quota.objects_limit - quota.objects_used >= objects;
    if !fits {
        return Err(Error::QuotaExhausted);
    }
    quota.pages_used += pages;
    quota.objects_used += objects;
    Ok(())
}

/// Returns what was charged; a quota that is gone has nothing to get back.
pub fn refund(quotas: &mut Arena<Quota>, quota: Option<Id<Quota>>, pages: usize, objects: usize) {
    if let Some(quota) = quota.and_then(|id| quotas.get_mut(id)) {
        quota.pages_used -= pages;
        quota.objects_used -= objects;
    }
}
