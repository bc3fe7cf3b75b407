//! Kernel and model side by side: each operation is done to both, and then they are compared.

use super::objects::{
    Capability, Mapped, Memory, Name, Object as Thing, Quota, Space, State, Table, Target, What,
};
use super::{Model, manage};
use crate::Kernel;
use crate::fake::{Fake, Rig};
use crate::machine::{Machine, Next};
use crate::table::{Capability as CoreCapability, Object};
use kamen_abi::{Error, Handle, MessagePage, Operation, PAGE_SIZE, boot};
use std::boxed::Box;
use std::collections::{BTreeMap, BTreeSet};

/// Kernel and model, and which names of theirs mean the same.
pub struct World {
    pub kernel: Kernel<Fake>,
    pub model: Model,
    /// The kernel's object of each name.
    pub objects: BTreeMap<Name, Object>,
    /// All open calls that there ever were: none may come twice.
    pub seen: BTreeSet<u64>,
    /// Objects of boot, which nobody paid for.
    pub uncharged: u64,
}

/// A system call's registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    pub operation: u64,
    pub target: u64,
    /// r13, r14, r15.
    pub rest: [u64; 3],
    pub words: [u64; 6],
}

impl World {
    /// Boots both, on so many processors.
    pub fn new(processors: usize) -> Self {
        let kernel = Rig::with_processors(processors).kernel;
        let lines = kernel.lines.len();
        let model = Model::new(kernel.vm.machine.now, lines);
        let (objects, seen) = (BTreeMap::new(), BTreeSet::new());
        let mut world = World { kernel, model, objects, seen, uncharged: 0 };
        world.model.cpu.processors = processors as u64;
        world.import();
        world
    }

    /// Takes over into the model what boot has made.
    fn import(&mut self) {
        let vm = &self.kernel.vm;
        let root = Object::Quota(vm.quotas.ids().next().unwrap());
        let limits = vm.quotas.get(vm.quotas.ids().next().unwrap()).unwrap();
        let (pages, objects) = (limits.pages_limit as u64, limits.objects_limit as u64);
        let quota = self.add(root, None, What::Quota(Quota { pages, objects }));
        for id in self.kernel.vm.memories.ids().collect::<std::vec::Vec<_>>() {
            let memory = self.kernel.vm.memories.get(id).unwrap();
            // The kernel does not pay for frames that boot filled.
            let paid = memory.backing.is_paged().then_some(quota);
            let pages = memory.pages as u64;
            let frames = (0..memory.pages).filter_map(|page| {
                Some((page as u64, memory.frame(&self.kernel.vm.machine, page)?))
            });
            let mut touched = BTreeMap::new();
            for (page, frame) in frames.collect::<std::vec::Vec<_>>() {
                let contents = self.kernel.vm.machine.frames[frame.0 as usize];
                touched.insert(page, self.model.new_page(Box::new(contents)));
            }
            self.add(
                Object::Memory(id),
                paid,
                What::Memory(Memory { pages, touched, pager: None }),
            );
        }
        let id = self.kernel.vm.spaces.ids().next().unwrap();
        let space = Space { pages: self.mappings(Object::Space(id)) };
        let space = self.add(Object::Space(id), Some(quota), What::Space(space));
        let id = self.kernel.tables.ids().next().unwrap();
        let table = Table { slots: 4096, used: BTreeMap::new() };
        let table = self.add(Object::Table(id), Some(quota), What::Table(table));
        let id = self.kernel.threads.ids().next().unwrap();
        let mut thread = manage::new_thread(space, Some(table));
        let first = self.kernel.threads.get(id).unwrap();
        (thread.registers, thread.priority) = (first.registers, first.priority);
        thread.state = State::Ready;
        let mapped = self.model.space(space).pages[&(boot::MESSAGE_PAGE as u64)];
        thread.page = Some(self.model.memory(mapped.memory).touched[&0]);
        let thread = self.add(Object::Thread(id), Some(quota), What::Thread(Box::new(thread)));
        self.model.cpu.current = Some(thread);
        let slots = self.kernel_table(Object::Table(self.kernel.tables.ids().next().unwrap()));
        self.model.table_mut(table).unwrap().used = slots;
        let used = self.kernel.vm.quotas.get(self.kernel.vm.quotas.ids().next().unwrap()).unwrap();
        self.uncharged = (used.objects_used as u64).saturating_sub(self.model.charged(quota).1.0);
    }

    fn add(&mut self, object: Object, quota: Option<Name>, what: What) -> Name {
        let name = self.model.add(quota, what);
        self.model.objects.get_mut(&name).unwrap().order = index(object);
        self.objects.insert(name, object);
        name
    }

    /// Performs a system call of the current thread in both.
    pub fn system_call(&mut self, call: Call) {
        let name = self.model.current();
        let slot = self.kernel.cpu.current;
        let registers = &mut self.model.thread_mut(name).registers;
        registers.rax = call.operation;
        registers.r12 = call.target;
        [registers.r13, registers.r14, registers.r15] = call.rest;
        registers.set_words(call.words);
        self.kernel.threads[slot].registers = *registers;
        self.kernel.system_call();
        self.ask(slot, Some(call.operation));
        self.model.system_call();
        self.learn(name);
    }

    /// An exception of the current thread, in both.
    pub fn exception(&mut self, vector: u8, error: u64, address: u64) {
        let slot = self.kernel.cpu.current;
        self.kernel.exception(vector, error, address);
        self.ask(slot, None);
        self.model.exception(vector, error, address);
    }

    /// An `int n` of the current thread, in both.
    pub fn software_interrupt(&mut self, number: u8) {
        self.kernel.software_interrupt(number);
        self.model.software_interrupt(number);
    }

    /// An interrupt, in both.
    pub fn interrupt(&mut self, line: u32) {
        self.kernel.interrupt(line);
        self.model.interrupt(line);
    }

    /// Lets time pass in both.
    pub fn pass(&mut self, until: u64) {
        self.kernel.vm.machine.now = until;
        self.model.now = until;
    }

    /// Lets both choose who runs, after the timer if it is due; returns who.
    pub fn settle(&mut self) -> Option<Name> {
        if self.model.cpu.is_told() {
            return self.settle_among();
        }
        loop {
            let _ = self.kernel.next();
            self.model.settle();
            let armed = self.kernel.vm.machine.timer.unwrap_or(u64::MAX);
            assert!(armed <= self.model.next_event(), "the timer comes too late: {armed}");
            if armed > self.model.now {
                break;
            }
            self.kernel.vm.machine.timer = None;
            self.kernel.timer();
            self.model.timer();
        }
        let runs = match self.kernel.next() {
            Next::Run(_) => Some(self.kernel.cpu.current),
            Next::Idle => None,
        };
        let wanted = self.model.cpu.current.map(|name| index(self.objects[&name]) as u16);
        assert_eq!(runs, wanted, "who runs");
        self.model.cpu.current
    }

    /// Tells the model what the kernel chose.
    fn ask(&mut self, slot: u16, operation: Option<u64>) {
        let thread = &self.kernel.threads[slot];
        let registers = thread.registers;
        let refused = match operation {
            Some(_) => registers.rax == Error::QuotaExhausted as u64,
            // An exception that was resolved leaves its thread running.
            None => self.kernel.cpu.current != slot,
        };
        // Operations that say how far they came.
        let is_copy = operation.and_then(Operation::from_number).is_some_and(|operation| {
            use Operation::{Commit, Copy, Decommit, Supply};
            matches!(operation, Copy | Commit | Decommit | Supply)
        });
        let oracle = &mut self.model.oracle;
        oracle.refused = refused;
        oracle.is_ok = registers.rax == 0;
        oracle.refused_at = if is_copy { registers.rdi } else { 0 };
        oracle.progress = 0;
        oracle.words = registers.words();
        if refused {
            let machine = &self.kernel.vm.machine;
            let memories = self.objects.iter().filter_map(|(name, object)| match object {
                Object::Memory(id) => Some((*name, self.kernel.vm.memories.get(*id)?)),
                _ => None,
            });
            // Programs touch the first pages only: more would take long to look at.
            let pages = memories.flat_map(|(name, memory)| {
                let pages = 0..memory.pages.min(4096);
                pages
                    .filter(|page| memory.frame(machine, *page).is_some())
                    .map(move |page| (name, page as u64))
            });
            oracle.present = pages.collect();
        } else {
            oracle.present.clear();
        }
        if let Some(page) = thread.message_page {
            let bytes = MessagePage::BYTES_AT / 8;
            let word = |place| self.kernel.vm.machine.load(page, bytes + place);
            oracle.destroyed = [word(1), word(11)];
        }
        let table = thread.table.and_then(|table| self.kernel.tables.get(table));
        let made = table.and_then(|table| {
            table.get(&self.kernel.vm.machine, Handle(registers.r12 as u16)).ok()
        });
        oracle.order = made.map_or(0, |made| index(made.object));
    }

    /// Notes the kernel's name of an object that a thread has just created.
    fn learn(&mut self, creator: Name) {
        let Some(last) = self.model.objects.keys().next_back().copied() else { return };
        if self.objects.contains_key(&last) {
            return;
        }
        let handle = self.model.thread(creator).registers.r12 as u16;
        let slot = index(self.objects[&creator]) as u16;
        let table = self.kernel.tables.get(self.kernel.threads[slot].table.unwrap()).unwrap();
        let made =
            table.get(&self.kernel.vm.machine, Handle(handle)).expect("the kernel made it, too");
        self.objects.insert(last, made.object);
    }

    /// Returns the capabilities in one of the kernel's tables, in the model's terms.
    pub fn kernel_table(&self, table: Object) -> BTreeMap<u16, Capability> {
        let Object::Table(id) = table else { panic!("{table:?} is no table") };
        let table = self.kernel.tables.get(id).expect("it lives");
        let slots = (1..u16::MAX).take_while(|slot| (*slot as usize) < table.len());
        let used = slots.filter_map(|slot| {
            Some((slot, table.get(&self.kernel.vm.machine, Handle(slot)).ok()?))
        });
        used.map(|(slot, capability)| (slot, self.capability(capability))).collect()
    }

    fn capability(&self, capability: CoreCapability) -> Capability {
        let to = match capability.object {
            Object::Ports(first, last) => Target::Ports(first, last),
            Object::Interrupt(first, last) => Target::Interrupts(first, last),
            Object::Physical(first, last) => Target::Frames(first, last),
            Object::Trace => Target::Trace,
            object => Target::Object(self.name(object).expect("the model knows all objects")),
        };
        Capability { to, rights: capability.rights, badge: capability.badge }
    }

    /// Returns the name of one of the kernel's objects.
    pub fn name(&self, object: Object) -> Option<Name> {
        self.objects.iter().find(|(_, known)| **known == object).map(|(name, _)| *name)
    }

    /// Returns what is mapped at each page's address in one of the kernel's spaces.
    pub fn mappings(&self, space: Object) -> BTreeMap<u64, Mapped> {
        let Object::Space(id) = space else { panic!("{space:?} is no space") };
        let mut pages = BTreeMap::new();
        let mut place = 0;
        while let Some((_, mapping)) = self.kernel.vm.first_from(id, place) {
            let memory = self.name(Object::Memory(mapping.memory.unwrap())).unwrap();
            for page in 0..mapping.pages {
                let address = (mapping.address + page * PAGE_SIZE) as u64;
                let page = (mapping.first_page + page) as u64;
                let (rights, most) = (mapping.rights, mapping.most);
                pages.insert(address, Mapped { memory, page, rights, most });
            }
            place = mapping.end();
        }
        pages
    }

    /// Returns the model's object of a name.
    pub fn thing(&self, name: Name) -> &Thing {
        &self.model.objects[&name]
    }

    /// Moves a thread in its code, in both.
    pub fn jump(&mut self, thread: Name, to: u64) {
        let slot = index(self.objects[&thread]) as u16;
        self.kernel.threads[slot].registers.rip = to;
        self.model.thread_mut(thread).registers.rip = to;
    }

    /// Writes a word to a page of both.
    pub fn poke(&mut self, thread: Name, word: usize, value: u64) {
        let Some(page) = self.model.thread(thread).page else { return };
        let slot = index(self.objects[&thread]) as u16;
        let frame = self.kernel.threads[slot].message_page.expect("as in the model");
        self.model.page_mut(page)[word] = value;
        self.kernel.vm.machine.store(frame, word, value);
    }
}

/// Returns the slot of an object of the kernel.
pub fn index(object: Object) -> u32 {
    match object {
        Object::Thread(id) => id.index(),
        Object::Space(id) => id.index(),
        Object::Table(id) => id.index(),
        Object::Endpoint(id) => id.index(),
        Object::Notification(id) => id.index(),
        Object::Memory(id) => id.index(),
        Object::Timer(id) => id.index(),
        Object::Quota(id) => id.index(),
        Object::Ports(..) | Object::Interrupt(..) | Object::Physical(..) | Object::Trace => 0,
    }
}
