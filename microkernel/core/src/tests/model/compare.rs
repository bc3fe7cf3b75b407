//! What user space can observe of the kernel is what the model says.

use super::objects::{Name, Space, State, Table, Target, Thread, What};
use super::trap::to_words;
use super::world::{World, index};
use crate::table::Object;
use crate::thread::State as CoreState;
use kamen_abi::snapshot::{Activity, NO_PROCESSOR, NOTHING, Snapshot};
use kamen_abi::{Handle, PAGE_SIZE, Tag};

impl World {
    /// Compares everything.
    pub fn compare(&mut self) {
        self.learn_calls();
        let names: std::vec::Vec<Name> = self.model.objects.keys().copied().collect();
        let mut memories = 0;
        for name in &names {
            match &self.model.objects[name].what {
                What::Thread(_) => self.compare_thread(*name),
                What::Space(space) => self.compare_space(*name, space),
                What::Table(table) => self.compare_table(*name, table),
                What::Endpoint(_) => {}
                What::Notification(notification) => {
                    let Object::Notification(id) = self.objects[name] else { panic!() };
                    let bits = self.kernel.notifications.get(id).expect("it lives").bits;
                    assert_eq!(bits, notification.bits, "notification {name}");
                }
                What::Memory(_) => {
                    memories += 1;
                    self.compare_memory(*name);
                }
                What::Timer(_) => {}
                What::Quota(_) => self.compare_quota(*name),
            }
        }
        assert_eq!(self.kernel.vm.memories.used(), memories, "memory objects");
        let live = self.kernel.threads.used()
            + self.kernel.vm.spaces.used()
            + self.kernel.tables.used()
            + self.kernel.endpoints.used()
            + self.kernel.notifications.used()
            + self.kernel.timers.used()
            + self.kernel.vm.quotas.used()
            + memories;
        assert_eq!(live, names.len(), "objects");
    }

    fn compare_thread(&self, name: Name) {
        let Object::Thread(id) = self.objects[&name] else { panic!("{name} is no thread") };
        let found = self.kernel.threads.get(id).expect("the model's threads live");
        let (found, registers) = (found.state, found.registers);
        let Thread { state, registers: wanted, .. } = self.model.thread(name).clone();
        let agrees = match (state, found) {
            (State::Stopped, CoreState::Stopped) | (State::Ready, CoreState::Ready) => true,
            (State::Calling(at), CoreState::Calling(found)) => self.is(at, Object::Endpoint(found)),
            (State::Sending(at), CoreState::Sending(found)) => self.is(at, Object::Endpoint(found)),
            (State::Receiving(at), CoreState::Receiving(found)) => {
                self.is(at, Object::Endpoint(found))
            }
            (State::Waiting(at), CoreState::Waiting(found)) => {
                self.is(at, Object::Notification(found))
            }
            (State::Open { at, .. }, CoreState::Open(found)) => {
                !self.model.exists(at) || self.is(at, Object::Endpoint(found))
            }
            _ => false,
        };
        assert!(agrees, "thread {name} is {found:?}, should be {state:?}");
        self.compare_snapshot(name);
        let calls = matches!(state, State::Calling(_) | State::Open { .. });
        let foreign = calls && self.model.thread(name).tag.kind() != kamen_abi::Kind::Message;
        for (place, (found, wanted)) in
            to_words(&registers).into_iter().zip(to_words(&wanted)).enumerate()
        {
            // What `syscall` destroys is the kernel's to choose.
            if place == 1 || place == 11 {
                continue;
            }
            // Until a wait ends, rax is nobody's; a foreign thread's is its own.
            if place == 0 && super::waits(state) && !foreign {
                continue;
            }
            assert!(
                found == wanted,
                "register {place} of thread {name} ({state:?}): {found:x}, should be {wanted:x}"
            );
        }
    }

    /// What the kernel tells of a thread to whoever has the trace.
    fn compare_snapshot(&self, name: Name) {
        let wanted = self.model.thread(name);
        let found = self.kernel.snapshot(self.slot(name)).expect("the model's threads live");
        let at = |name: Name| match self.objects.get(&name) {
            Some(object) if self.model.exists(name) => index(*object),
            // Where a call was received may be gone; the kernel still knows what slot it was.
            _ => found.waits_for,
        };
        let (activity, waits_for, answerer) = match wanted.state {
            State::Stopped => (Activity::Stopped, NOTHING, NOTHING),
            State::Ready if found.activity == Activity::Running => {
                (Activity::Running, NOTHING, NOTHING)
            }
            State::Ready => (Activity::Ready, NOTHING, NOTHING),
            State::Calling(endpoint) => (Activity::Calling, at(endpoint), NOTHING),
            State::Sending(endpoint) => (Activity::Sending, at(endpoint), NOTHING),
            State::Receiving(endpoint) => (Activity::Receiving, at(endpoint), NOTHING),
            State::Waiting(notification) => (Activity::Waiting, at(notification), NOTHING),
            State::Open { at: endpoint, space, .. } => {
                let space = space.map_or(NOTHING, |space| index(self.objects[&space]));
                (Activity::Open, at(endpoint), space)
            }
        };
        let sends = matches!(activity, Activity::Calling | Activity::Sending | Activity::Open);
        let handler = wanted.handler;
        let expected = Snapshot {
            slot: self.slot(name),
            activity,
            priority: wanted.priority,
            processor: found.processor,
            is_foreign: handler.is_some_and(|handler| handler.foreign),
            is_timed: wanted.deadline.is_some(),
            is_bound: wanted.bound.is_some(),
            waits_for,
            answerer,
            calls: wanted.calls,
            badge: handler.map_or(0, |handler| handler.badge),
            tag: if sends { wanted.tag } else { Tag(0) },
            space: index(self.objects[&wanted.space]),
            handler: found.handler,
        };
        assert_eq!(found, expected, "snapshot of thread {name}");
        let home = wanted.home.map_or(NO_PROCESSOR.into(), |home| home);
        let may_run = |processor| u64::from(processor) < self.model.cpu.processors;
        match found.activity {
            Activity::Running | Activity::Ready => assert!(may_run(found.processor)),
            _ => assert_eq!(u64::from(found.processor), home),
        }
    }

    fn is(&self, name: Name, object: Object) -> bool {
        self.objects[&name] == object
    }

    /// Puts the kernel's numbers of open calls in place of the model's, which stand for "a new one":
    /// none that was ever used, and none that could be a handle.
    fn learn_calls(&mut self) {
        let threads = || self.model.threads();
        let new = threads().filter_map(|(caller, thread)| match thread.state {
            State::Open { call, .. } if call > super::OPEN_CALLS => Some((caller, call)),
            _ => None,
        });
        let holder = |call| threads().find(|(_, thread)| thread.registers.r12 == call);
        let new: std::vec::Vec<_> =
            new.filter_map(|(caller, call)| Some((caller, holder(call)?.0))).collect();
        for (caller, holder) in new {
            let found = self.kernel.threads[self.slot(holder)].registers.r12;
            assert!(self.seen.insert(found), "open call {found:x} comes a second time");
            assert!(found > u16::MAX as u64, "open call {found:x} looks like a handle");
            if let State::Open { call, .. } = &mut self.model.thread_mut(caller).state {
                *call = found;
            }
            self.model.thread_mut(holder).registers.r12 = found;
        }
    }

    fn compare_space(&self, name: Name, model: &Space) {
        let Object::Space(id) = self.objects[&name] else { panic!("{name} is no space") };
        let (mut count, mut place) = (0, 0);
        while let Some((_, found)) = self.kernel.vm.first_from(id, place) {
            for page in 0..found.pages {
                let wanted = model.pages.get(&((found.address + page * PAGE_SIZE) as u64));
                let wanted = wanted.expect("the model has it mapped, too");
                assert_eq!(wanted.page, (found.first_page + page) as u64, "space {name}");
                assert_eq!((wanted.rights, wanted.most), (found.rights, found.most));
                let memory = Object::Memory(found.memory.unwrap());
                assert_eq!(self.objects[&wanted.memory], memory, "space {name}");
            }
            count += found.pages;
            place = found.end();
        }
        assert_eq!(count, model.pages.len(), "pages mapped in space {name}");
    }

    /// Every capability is in the model, so that none was gained.
    fn compare_table(&self, name: Name, model: &Table) {
        let Object::Table(id) = self.objects[&name] else { panic!("{name} is no table") };
        let table = self.kernel.tables.get(id).expect("the model's tables live");
        assert_eq!(
            table.used(&self.kernel.vm.machine),
            model.used.len(),
            "capabilities in table {name}"
        );
        for (slot, wanted) in &model.used {
            let found =
                table.get(&self.kernel.vm.machine, Handle(*slot)).expect("the model has it, too");
            let same = match (wanted.to, found.object) {
                (Target::Object(wanted), found) => {
                    self.objects.get(&wanted).is_none_or(|wanted| *wanted == found)
                }
                (Target::Ports(a, b), Object::Ports(c, d)) => (a, b) == (c, d),
                (Target::Interrupts(a, b), Object::Interrupt(c, d)) => (a, b) == (c, d),
                (Target::Frames(a, b), Object::Physical(c, d)) => (a, b) == (c, d),
                (Target::Trace, Object::Trace) => true,
                _ => false,
            };
            let rights = (found.rights, found.badge) == (wanted.rights, wanted.badge);
            assert!(same && rights, "slot {slot} of table {name}: {found:?}, should be {wanted:?}");
        }
    }

    fn compare_memory(&self, name: Name) {
        let Object::Memory(id) = self.objects[&name] else { panic!("{name} is no memory") };
        let memory = self.kernel.vm.memories.get(id).expect("the model's memory lives");
        let model = self.model.memory(name).clone();
        assert_eq!(memory.pages as u64, model.pages, "pages of memory {name}");
        let machine = &self.kernel.vm.machine;
        for (page, wanted) in &model.touched {
            let frame = memory.frame(machine, *page as usize).expect("touched in the model");
            let found = &machine.frames[frame.0 as usize];
            assert!(found == &*self.model.pages[wanted], "memory {name}, page {page}");
        }
        for page in 0..model.pages.min(1024) {
            let known = model.touched.contains_key(&page);
            assert!(known || memory.frame(machine, page as usize).is_none(), "memory {name}");
        }
    }

    fn compare_quota(&self, name: Name) {
        let Object::Quota(id) = self.objects[&name] else { panic!("{name} is no quota") };
        let quota = self.kernel.vm.quotas.get(id).expect("the model's quotas live");
        let (pages, objects) = self.model.charged(name);
        let free = if self.thing(name).quota.is_none() { self.uncharged } else { 0 };
        let (fewest, most) = (objects.0, objects.1 + free);
        let objects = quota.objects_used as u64;
        assert!((fewest..=most).contains(&objects), "quota {name}: {objects} objects");
        let used = quota.pages_used as u64;
        assert!((pages.0..=pages.1).contains(&used), "quota {name}: {used}, not {pages:?}");
    }

    /// Returns where a thread is in the kernel.
    pub fn slot(&self, thread: Name) -> u16 {
        index(self.objects[&thread]) as u16
    }
}
