//! Tests of regions over a fake machine.

use super::*;
use crate::Errno;
use crate::fake::FakeMachine;
use crate::machine::{Access, Machine};
use alloc::rc::Rc;

const AT: u64 = 0x50_0000;

struct Memory {
    machine: FakeMachine,
    trash: Trash,
}

impl Memory {
    fn new() -> (Self, Mm) {
        let (mut machine, trash) = (FakeMachine::default(), Trash::default());
        let mm = Mm::new(&mut machine, &trash).unwrap();
        (Memory { machine, trash }, mm)
    }

    fn zeros(&mut self, mm: &mut Mm, at: u64, count: u64) -> Rc<Backing> {
        mm.insert_zeros(&mut self.machine, at, count, Access::Write, Sharing::Private).unwrap()
    }

    /// Returns the numbers of memory objects and spaces that exist.
    fn live(&mut self) -> (usize, usize) {
        self.trash.empty(&mut self.machine);
        let world = self.machine.0.borrow();
        (world.memories.len(), world.spaces.len() - self.trash.spares())
    }
}

fn layout(mm: &Mm) -> alloc::vec::Vec<(u64, u64, Access)> {
    mm.regions().map(|region| ((region.start - AT) / PAGE, region.pages, region.access)).collect()
}

#[test]
fn a_space_with_many_page_tables_is_not_kept() {
    for (areas, kept) in [(1, 1), (100, 0)] {
        let (mut memory, mut mm) = Memory::new();
        (0..areas).for_each(|area| drop(memory.zeros(&mut mm, AT + area * 512 * PAGE, 1)));
        drop(mm);
        memory.trash.empty(&mut memory.machine);
        assert_eq!((memory.trash.spares(), memory.live()), (kept, (0, 0)));
    }
}

#[test]
fn protecting_the_middle_splits() {
    let (mut memory, mut mm) = Memory::new();
    memory.zeros(&mut mm, AT, 5);
    mm.protect(&mut memory.machine, AT + PAGE, 2, Access::Read).unwrap();
    let (write, read) = (Access::Write, Access::Read);
    assert_eq!(layout(&mm), [(0, 1, write), (1, 2, read), (3, 2, write)]);
    mm.protect(&mut memory.machine, AT, 5, Access::None).unwrap();
    assert!(mm.regions().all(|region| region.access == Access::None));
    mm.protect(&mut memory.machine, AT, 5, Access::Write).unwrap();
    let beyond = mm.protect(&mut memory.machine, AT, 6, Access::Read);
    assert_eq!(beyond, Err(Errno::ENOMEM));
}

#[test]
fn removing_gives_back_the_object_with_its_last_page() {
    let (mut memory, mut mm) = Memory::new();
    memory.zeros(&mut mm, AT, 3);
    mm.remove(&mut memory.machine, AT + PAGE, 1);
    assert_eq!(layout(&mm).len(), 2);
    assert_eq!(memory.live(), (1, 1));
    mm.remove(&mut memory.machine, AT, 3);
    assert_eq!(memory.live(), (0, 1));
    drop(mm);
    assert_eq!(memory.live(), (0, 0));
}

#[test]
fn gaps_are_found_from_the_top() {
    let (mut memory, mut mm) = Memory::new();
    let first = mm.find_gap(2).unwrap();
    assert_eq!(first, MAP_TOP - 2 * PAGE);
    memory.zeros(&mut mm, first, 2);
    memory.zeros(&mut mm, first - 4 * PAGE, 2);
    assert_eq!(mm.find_gap(2), Ok(first - 2 * PAGE));
    assert_eq!(mm.find_gap(3), Ok(first - 7 * PAGE));
    assert_eq!(mm.find_gap(1 << 52), Err(Errno::ENOMEM));
}

#[test]
fn the_heap_grows_shrinks_and_grows_with_zeros() {
    let (mut memory, mut mm) = Memory::new();
    mm.start_heap(AT + 100);
    assert_eq!(mm.set_brk(&mut memory.machine, 0), AT + 100);
    assert_eq!(mm.set_brk(&mut memory.machine, AT + 3 * PAGE), AT + 3 * PAGE);
    let backing = mm.region_at(AT + PAGE).unwrap().backing.memory();
    memory.machine.write_memory(backing, PAGE, &[7; 10]).unwrap();
    assert_eq!(mm.set_brk(&mut memory.machine, AT + 2 * PAGE), AT + 2 * PAGE);
    assert_eq!(mm.set_brk(&mut memory.machine, AT + 400 * PAGE), AT + 400 * PAGE);
    let mut bytes = [1; 10];
    memory.machine.read_memory(backing, PAGE, &mut bytes).unwrap();
    assert_eq!(bytes, [0; 10]);
    assert_eq!(mm.set_brk(&mut memory.machine, u64::MAX), AT + 400 * PAGE);
}

#[test]
fn the_heap_stops_at_the_next_region() {
    let (mut memory, mut mm) = Memory::new();
    mm.start_heap(AT);
    memory.zeros(&mut mm, AT + 2 * PAGE, 1);
    assert_eq!(mm.set_brk(&mut memory.machine, AT + 2 * PAGE), AT + 2 * PAGE);
    assert_eq!(mm.set_brk(&mut memory.machine, AT + 3 * PAGE), AT + 2 * PAGE);
}

#[test]
fn forks_copy_what_is_private_and_share_the_rest() {
    let (mut memory, mut mm) = Memory::new();
    let private = memory.zeros(&mut mm, AT, 2).memory();
    let access = Access::Write;
    let shared = mm
        .insert_zeros(&mut memory.machine, AT + 2 * PAGE, 1, access, Sharing::Shared)
        .unwrap()
        .memory();
    mm.protect(&mut memory.machine, AT, 1, Access::Read).unwrap();
    let child = mm.fork(&mut memory.machine).unwrap();
    let of_child = |at: u64| child.region_at(at).unwrap().backing.memory();
    assert_ne!(of_child(AT), private);
    assert_eq!(of_child(AT), of_child(AT + PAGE), "two regions of one object stay so");
    assert_eq!(of_child(AT + 2 * PAGE), shared);
    assert_eq!(memory.live(), (3, 2));
    drop(child);
    assert_eq!(memory.live(), (2, 1));
}

#[test]
fn a_shared_image_is_copied_before_it_is_written() {
    let (mut memory, mut mm) = Memory::new();
    let image = memory.machine.create_memory(1).unwrap();
    let backing = Backing::new(image, 1, &memory.trash);
    let access = Access::Execute;
    let region = Region::new(AT, 1, access, Sharing::Image, backing.clone());
    mm.insert(&mut memory.machine, region).unwrap();
    mm.protect(&mut memory.machine, AT, 1, Access::Write).unwrap();
    assert_ne!(mm.region_at(AT).unwrap().backing.memory(), image);
}

#[test]
fn stacks_grow_below_their_lowest_page_only() {
    let (mut memory, mut mm) = Memory::new();
    let backing = mm.zeros(&mut memory.machine, 1).unwrap();
    let region = Region::new(STACK_TOP - PAGE, 1, Access::Write, Sharing::Private, backing);
    let purpose = Purpose::Stack;
    mm.insert(&mut memory.machine, Region { purpose, ..region }).unwrap();
    assert!(!mm.grow_stack(&mut memory.machine, STACK_TOP - PAGE));
    assert!(!mm.grow_stack(&mut memory.machine, STACK_TOP - STACK_LIMIT - 1));
    assert!(!mm.grow_stack(&mut memory.machine, 0));
    assert!(mm.grow_stack(&mut memory.machine, STACK_TOP - 3 * PAGE));
    assert!(mm.region_at(STACK_TOP - 3 * PAGE).is_some());
    assert!(mm.grow_stack(&mut memory.machine, STACK_TOP - STACK_LIMIT));
    assert!(mm.region_at(STACK_TOP - STACK_LIMIT).is_some());
}

#[test]
fn what_is_removed_from_the_middle_gives_its_pages_back() {
    let (mut memory, mut mm) = Memory::new();
    let backing = memory.zeros(&mut mm, AT, 3).memory();
    memory.machine.write_memory(backing, PAGE, &[7; 10]).unwrap();
    mm.remove(&mut memory.machine, AT + PAGE, 1);
    let mut bytes = [1; 10];
    memory.machine.read_memory(backing, PAGE, &mut bytes).unwrap();
    assert_eq!(bytes, [0; 10]);
}

fn grown(mm: &mut Mm, memory: &mut Memory, address: u64, pages: u64, wanted: u64) -> u64 {
    let (to, old) = (Destination::Anywhere, Old::Unmapped);
    mm.remap(&mut memory.machine, Remap { address, pages, wanted, to, old }).unwrap()
}

#[test]
fn a_mapping_grows_in_place_where_there_is_room_and_moves_else() {
    let (mut memory, mut mm) = Memory::new();
    let backing = memory.zeros(&mut mm, AT, 2).memory();
    memory.machine.write_memory(backing, PAGE, &[7]).unwrap();
    assert_eq!(grown(&mut mm, &mut memory, AT, 2, 4), AT);
    assert_eq!(layout(&mm), [(0, 4, Access::Write)]);
    memory.zeros(&mut mm, AT + 4 * PAGE, 1);
    let moved = grown(&mut mm, &mut memory, AT, 4, 8);
    assert_ne!(moved, AT);
    assert!(mm.region_at(AT).is_none());
    let region = mm.region_at(moved + PAGE).unwrap();
    let (from, offset) = (region.backing.memory(), region.page_at(moved + PAGE) * PAGE);
    let mut byte = [0];
    memory.machine.read_memory(from, offset, &mut byte).unwrap();
    assert_eq!(byte, [7]);
    assert!(mm.covers(moved, 8));
}

#[test]
fn only_one_mapping_is_resized_at_a_time() {
    let (mut memory, mut mm) = Memory::new();
    memory.zeros(&mut mm, AT, 4);
    mm.protect(&mut memory.machine, AT + PAGE, 1, Access::Read).unwrap();
    let (to, old) = (Destination::Anywhere, Old::Unmapped);
    let remap = Remap { address: AT, pages: 4, wanted: 8, to, old };
    assert_eq!(mm.remap(&mut memory.machine, remap), Err(Errno::EFAULT));
    let nothing = Remap { address: AT + 100 * PAGE, ..remap };
    assert_eq!(mm.remap(&mut memory.machine, nothing), Err(Errno::EFAULT));
    mm.protect(&mut memory.machine, AT + PAGE, 1, Access::Write).unwrap();
    assert!(mm.remap(&mut memory.machine, remap).is_ok(), "the parts are alike again");
}

#[test]
fn a_stack_keeps_its_distance_from_what_lies_below() {
    let (mut memory, mut mm) = Memory::new();
    let backing = mm.zeros(&mut memory.machine, 1).unwrap();
    let region = Region::new(STACK_TOP - PAGE, 1, Access::Write, Sharing::Private, backing);
    mm.insert(&mut memory.machine, Region { purpose: Purpose::Stack, ..region }).unwrap();
    let below = STACK_TOP - 400 * PAGE;
    memory.zeros(&mut mm, below, 1);
    assert!(!mm.grow_stack(&mut memory.machine, below + 200 * PAGE));
    assert!(mm.grow_stack(&mut memory.machine, below + 300 * PAGE));
    mm.protect(&mut memory.machine, below, 1, Access::None).unwrap();
    assert!(mm.grow_stack(&mut memory.machine, below + PAGE), "a guard page needs no distance");
}

#[test]
fn faults_tell_what_is_wrong() {
    let (mut memory, mut mm) = Memory::new();
    memory.zeros(&mut mm, AT, 2);
    mm.protect(&mut memory.machine, AT + PAGE, 1, Access::Read).unwrap();
    let mut fault = |mm: &mut Mm, at, wanted| mm.fault(&mut memory.machine, at, wanted);
    assert_eq!(fault(&mut mm, AT, Access::Write), Fault::Allowed);
    assert_eq!(fault(&mut mm, AT + PAGE, Access::Write), Fault::NoAccess);
    assert_eq!(fault(&mut mm, AT + 2 * PAGE, Access::Read), Fault::NotMapped);
    let region = Region { pages: 4, ..mm.region_at(AT).unwrap().clone() };
    mm.insert(&mut memory.machine, Region { start: AT + 8 * PAGE, ..region }).unwrap();
    let mut fault = |mm: &mut Mm, at, wanted| mm.fault(&mut memory.machine, at, wanted);
    assert_eq!(fault(&mut mm, AT + 11 * PAGE, Access::Read), Fault::BeyondEnd);
    mm.region_at(AT + 8 * PAGE).unwrap().backing.set_pages(4);
    let memories = mm.region_at(AT).unwrap().backing.memory();
    memory.machine.resize_memory(memories, 4).unwrap();
    let fault = mm.fault(&mut memory.machine, AT + 11 * PAGE, Access::Read);
    assert_eq!(fault, Fault::Resolved, "the object has grown");
}
