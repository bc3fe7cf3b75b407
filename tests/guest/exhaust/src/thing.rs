//! What a process can have of the kernel, and what it costs.

use libipc::ObjectKind;
use libipc::abi::{MAPPING_COST, MAX_SLOTS};

/// Pages of a memory object that is committed.
pub const COMMITTED: u64 = 8;
/// Pages of one that is cloned.
pub const CLONED: u64 = 3;

/// Pages, and units for objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Pages.
    pub pages: u64,
    /// Units, as a quota's objects are paid for with.
    pub units: u64,
}

impl Budget {
    /// Returns what is left where a part is spent.
    pub fn less(self, part: Budget) -> Budget {
        let pages = self.pages.saturating_sub(part.pages);
        Budget { pages, units: self.units.saturating_sub(part.units) }
    }

    /// Returns how many there are of a price, where the whole is spent on them.
    fn buys(self, price: Budget) -> u64 {
        let each = [(self.pages, price.pages), (self.units, price.units)];
        each.iter().filter_map(|(have, cost)| have.checked_div(*cost)).min().unwrap_or(0)
    }
}

/// What a process can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A page mapped far from all others.
    Mapping,
    /// A thread that never runs.
    Thread,
    /// A thread that alone keeps the frame of its message page.
    Pin,
    /// An empty address space.
    Space,
    /// A small capability table.
    Table,
    /// A capability table of the most slots.
    LargestTable,
    /// An endpoint.
    Endpoint,
    /// A notification.
    Notification,
    /// A timer.
    Timer,
    /// A quota without a budget.
    Quota,
    /// A memory object none of whose pages is there.
    Memory,
    /// A contiguous memory object of a page.
    Contiguous,
    /// A memory object that a pager fills.
    Paged,
    /// A memory object whose pages are all there.
    Committed,
    /// A clone of a memory object whose pages are there.
    Clone,
    /// A page with a page table of its own, touched by a thread whose call is open in the end.
    Walk,
}

/// All of them.
pub const ALL: [Thing; 16] = [
    Thing::Mapping,
    Thing::Thread,
    Thing::Pin,
    Thing::Space,
    Thing::Table,
    Thing::LargestTable,
    Thing::Endpoint,
    Thing::Notification,
    Thing::Timer,
    Thing::Quota,
    Thing::Memory,
    Thing::Contiguous,
    Thing::Paged,
    Thing::Committed,
    Thing::Clone,
    Thing::Walk,
];

impl Thing {
    fn price(self) -> Budget {
        let (pages, units) = match self {
            Thing::Mapping => (0, MAPPING_COST),
            Thing::Thread => (0, ObjectKind::Thread.cost()),
            Thing::Pin => (1, ObjectKind::Thread.cost()),
            Thing::Space => (1, ObjectKind::Space.cost()),
            Thing::Table => (1, ObjectKind::Table.cost()),
            Thing::LargestTable => (1 + MAX_SLOTS as u64 / 128, ObjectKind::Table.cost()),
            Thing::Endpoint => (0, ObjectKind::Endpoint.cost()),
            Thing::Notification => (0, ObjectKind::Notification.cost()),
            Thing::Timer => (0, ObjectKind::Timer.cost()),
            Thing::Quota => (0, ObjectKind::Quota.cost()),
            Thing::Memory | Thing::Paged => (0, ObjectKind::Memory.cost()),
            Thing::Contiguous => (1, ObjectKind::Memory.cost()),
            // The object's tree has a node.
            Thing::Committed => (COMMITTED + 1, ObjectKind::Memory.cost()),
            Thing::Clone => (CLONED + 1, ObjectKind::Memory.cost()),
            // The page, its page table, a node; and at times a page directory or a node above.
            Thing::Walk => (3, 0),
        };
        Budget { pages, units }
    }

    /// Returns what has to be there for the first one.
    fn setup(self) -> Budget {
        let (pages, units) = match self {
            Thing::Mapping => (1, ObjectKind::Space.cost() + ObjectKind::Memory.cost()),
            Thing::Pin => (1, ObjectKind::Memory.cost()),
            Thing::Clone => (CLONED + 1, ObjectKind::Memory.cost()),
            // Root, code and its page tables, upper levels of both trees.
            Thing::Walk => (24, 24),
            _ => (0, 0),
        };
        Budget { pages, units }
    }

    /// Returns how many a budget buys.
    pub fn promised(self, budget: Budget) -> u64 {
        let most = budget.less(self.setup()).buys(self.price());
        if self == Thing::Walk { most - most / 100 } else { most }
    }
}
