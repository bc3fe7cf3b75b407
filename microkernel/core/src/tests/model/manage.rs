//! Objects and capabilities in the model: create, mint, configure, inspect.

use super::objects::{
    Capability, Endpoint, Entry, Handler, Memory, NO_PAGE, Name, Notification, Quota, Space, State,
    Table, Target, Thread, Timer, What,
};
use super::{Model, Outcome, waits};
use kamen_abi::{
    Error, FOREVER, MemoryKind, ObjectKind, PRIORITIES, PortWidth, Registers, Rights, Tag,
};
use std::boxed::Box;
use std::collections::BTreeMap;

impl Model {
    pub fn create(&mut self, target: u64, words: [u64; 6]) -> Outcome {
        let [kind, w1, w2, ..] = words;
        let quota = self.quota_named(target, Rights::CONTROL)?;
        match ObjectKind::from_number(kind).ok_or(Error::InvalidArgument)? {
            ObjectKind::Thread => {
                let space = self.space_named(w1, Rights::CONTROL)?;
                let table =
                    if w2 == 0 { None } else { Some(self.table_named(w2, Rights::CONTROL)?) };
                self.make(quota, What::Thread(Box::new(new_thread(space, table))))
            }
            ObjectKind::Space => self.make(quota, What::Space(Space::default())),
            ObjectKind::Table => {
                if !(2..=kamen_abi::MAX_SLOTS as u64).contains(&w1) {
                    return Err(Error::InvalidArgument);
                }
                let table = Table { slots: w1, used: BTreeMap::new() };
                self.make(quota, What::Table(table))
            }
            ObjectKind::Endpoint => self.make(quota, What::Endpoint(Endpoint::default())),
            ObjectKind::Notification => {
                self.make(quota, What::Notification(Notification::default()))
            }
            ObjectKind::Memory => {
                let kind = MemoryKind::from_number(w2).ok_or(Error::InvalidArgument)?;
                if !(1..=super::memory::MAX_PAGES).contains(&w1) {
                    return Err(Error::InvalidArgument);
                }
                let pager = match kind {
                    MemoryKind::Anonymous => None,
                    MemoryKind::Pager => Some(self.pager(words[3])?),
                    MemoryKind::Archive => return Err(Error::InvalidArgument),
                    MemoryKind::Contiguous | MemoryKind::Device => panic!("not in the model"),
                };
                let memory = Memory { pages: w1, touched: BTreeMap::new(), pager };
                self.make(quota, What::Memory(memory))
            }
            ObjectKind::Timer => {
                let (notification, bits) = self.signalled(w1, w2)?;
                let timer = Timer { notification, bits, deadline: None };
                self.make(quota, What::Timer(timer))
            }
            ObjectKind::Quota => {
                self.afford(Some(quota), (0, 0), w2)?;
                self.has_slot()?;
                self.afford(Some(quota), (w1, w1), w2.saturating_add(ObjectKind::Quota.cost()))?;
                self.install(quota, What::Quota(Quota { pages: w1, objects: w2 }))
            }
            ObjectKind::Interrupt
            | ObjectKind::Ports
            | ObjectKind::Physical
            | ObjectKind::Trace => Err(Error::InvalidArgument),
        }
    }

    fn make(&mut self, quota: Name, what: What) -> Outcome {
        self.has_slot()?;
        let (least, most, cost) = super::price(&what);
        self.afford(Some(quota), (least, most), cost)?;
        self.install(quota, what)
    }

    /// Makes an object that is paid for, and gives the current thread a capability to it.
    pub fn install(&mut self, quota: Name, what: What) -> Outcome {
        self.has_slot()?;
        let name = self.add(Some(quota), what);
        self.give(Capability { to: Target::Object(name), rights: Rights::ALL, badge: 0 })
    }

    fn give(&mut self, capability: Capability) -> Outcome {
        let current = self.current();
        let table = self.thread(current).table.ok_or(Error::InvalidHandle)?;
        let table = self.table_mut(table).ok_or(Error::InvalidHandle)?;
        let slot = table.free(1)[0];
        table.used.insert(slot, capability);
        self.thread_mut(current).registers.r12 = slot as u64;
        Ok(())
    }

    pub fn mint(&mut self, target: u64, words: [u64; 6]) -> Outcome {
        let [table, rights, badge, slot, last, _] = words;
        let source = self.capability(target, Rights::GRANT)?;
        let table = self.table_named(table, Rights::CONTROL)?;
        let narrowed = |from, to| match (u16::try_from(badge), u16::try_from(last)) {
            _ if (badge, last) == (0, u64::MAX) => Ok((from, to)),
            (Ok(first), Ok(last)) if from <= first && first <= last && last <= to => {
                Ok((first, last))
            }
            _ => Err(Error::InvalidArgument),
        };
        let to = match source.to {
            Target::Ports(from, to) => narrowed(from, to).map(|(a, b)| Target::Ports(a, b))?,
            Target::Interrupts(from, to) => {
                narrowed(from, to).map(|(a, b)| Target::Interrupts(a, b))?
            }
            // Nobody but the first task has these, and it gives none away.
            Target::Frames(from, to) => Target::Frames(from, to),
            Target::Trace => Target::Trace,
            Target::Object(name) => Target::Object(name),
        };
        let has_badge = match self.what(source) {
            Some(What::Endpoint(_) | What::Notification(_)) => source.badge == 0,
            _ => false,
        };
        let rights = source.rights.intersection(Rights(rights as u16));
        let badge = if has_badge { badge } else { source.badge };
        let minted = Capability { to, rights, badge };
        let table = self.table_mut(table).ok_or(Error::InvalidHandle)?;
        let slot = match u16::try_from(slot).map_err(|_| Error::InvalidArgument)? {
            0 => *table.free(1).first().ok_or(Error::TableFull)?,
            slot if slot as u64 >= table.slots => return Err(Error::InvalidArgument),
            slot if table.used.contains_key(&slot) => return Err(Error::Busy),
            slot => slot,
        };
        table.used.insert(slot, minted);
        let current = self.current();
        self.thread_mut(current).registers.r12 = slot as u64;
        Ok(())
    }

    pub fn delete(&mut self, target: u64, slot: u64) -> Outcome {
        let table = self.table_named(target, Rights::CONTROL)?;
        let slot = u16::try_from(slot).map_err(|_| Error::InvalidHandle)?;
        let table = self.table_mut(table).ok_or(Error::InvalidHandle)?;
        table.used.remove(&slot).map(|_| ()).ok_or(Error::InvalidHandle)
    }

    pub fn set_priority(&mut self, target: u64, priority: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        let own = self.thread(self.current()).priority as u64;
        if priority >= PRIORITIES as u64 || priority > own {
            return Err(Error::InvalidArgument);
        }
        let is_queued = self.thread(name).state == State::Ready && self.cpu.current != Some(name);
        self.cpu.remove(name);
        self.thread_mut(name).priority = priority as u8;
        if let State::Calling(at) | State::Sending(at) = self.thread(name).state {
            let senders = &mut self.endpoint_mut(at).senders;
            senders.retain(|sender| *sender != name);
            senders.push_back(name);
        }
        if is_queued {
            self.wake(name);
        } else {
            self.give_way();
        }
        Ok(())
    }

    pub fn set_handler(&mut self, target: u64, [to, badge, how, ..]: [u64; 6]) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        let endpoint = self.endpoint_named(to, Rights::SEND)?;
        let given = self.capability(to, Rights::SEND)?.badge;
        if how > 1 {
            return Err(Error::InvalidArgument);
        }
        let badge = if given != 0 { given } else { badge };
        self.thread_mut(name).handler = Some(Handler { endpoint, badge, foreign: how == 1 });
        Ok(())
    }

    pub fn set_message_page(&mut self, target: u64, memory: u64, page: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        let memory = self.memory_named(memory, Rights::READ.union(Rights::WRITE))?;
        let old = self.thread(name).page;
        if old.is_none() {
            self.afford(self.objects[&name].quota, (1, 1), 0)?;
            // Paid for before the page is made, which may be the same quota's affair.
            self.thread_mut(name).page = Some(NO_PAGE);
        }
        let page = self.touch_to_write(memory, page);
        self.thread_mut(name).page = page.ok().or(old);
        page.map(|_| ())
    }

    pub fn bind(&mut self, target: u64, notification: u64) -> Outcome {
        let thread = self.thread_named(target, Rights::CONTROL)?;
        let notification = self.notification_named(notification, Rights::RECEIVE)?;
        if self.notification_of(notification).bound.is_some() {
            return Err(Error::Busy);
        }
        if let Some(old) = self.thread_mut(thread).bound.replace(notification) {
            self.notification_mut(old).bound = None;
        }
        self.notification_mut(notification).bound = Some(thread);
        self.signal(notification, 0);
        Ok(())
    }

    pub fn start(&mut self, target: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        if self.thread(name).state != State::Stopped {
            return Err(Error::Busy);
        }
        let registers = self.thread(name).registers.validated();
        self.thread_mut(name).registers = registers.ok_or(Error::InvalidArgument)?;
        self.wake(name);
        Ok(())
    }

    pub fn stop(&mut self, target: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        let state = self.thread(name).state;
        if state == State::Stopped {
            return Ok(());
        }
        self.unqueue(name);
        self.thread_mut(name).deadline = None;
        if waits(state) {
            self.set_status(name, Err(Error::Cancelled));
        }
        self.thread_mut(name).state = State::Stopped;
        Ok(())
    }

    pub fn set_space(&mut self, target: u64, space: u64) -> Outcome {
        let name = self.register_target(target, Rights::CONTROL)?;
        let space = self.space_named(space, Rights::CONTROL)?;
        let thread = self.thread_mut(name);
        (thread.space, thread.entry) = (space, None);
        Ok(())
    }

    pub fn set_entry(&mut self, target: u64, [start, end, ..]: [u64; 6]) -> Outcome {
        let name = if target > u16::MAX as u64 {
            self.register_target(target, Rights::NONE)?
        } else {
            self.thread_named(target, Rights::CONTROL)?
        };
        if start != 0 && (start >= end || end > kamen_abi::USER_END as u64) {
            return Err(Error::InvalidArgument);
        }
        self.thread_mut(name).entry = (start != 0).then_some(Entry { start, end });
        Ok(())
    }

    pub fn set_timer(&mut self, target: u64, deadline: u64) -> Outcome {
        let name = self.timer_named(target, Rights::CONTROL)?;
        self.timer_mut(name).deadline = (deadline != FOREVER).then_some(deadline);
        Ok(())
    }

    pub fn line(&self, target: u64, line: u64) -> Result<usize, Error> {
        match self.capability(target, Rights::CONTROL)?.to {
            Target::Interrupts(first, last) => {
                let allowed = (first as u64..=last as u64).contains(&line);
                let exists = line < self.lines.len() as u64;
                if allowed && exists { Ok(line as usize) } else { Err(Error::InvalidArgument) }
            }
            _ => Err(Error::WrongKind),
        }
    }

    pub fn bind_interrupt(&mut self, target: u64, [line, to, bits, ..]: [u64; 6]) -> Outcome {
        let line = self.line(target, line)?;
        self.lines[line] = Some(self.signalled(to, bits)?);
        Ok(())
    }

    pub fn port(&self, target: u64, port: u64, width: u64, rights: Rights) -> Result<u64, Error> {
        let width = PortWidth::from_number(width).ok_or(Error::InvalidArgument)?;
        match self.capability(target, rights)?.to {
            Target::Ports(first, last) => {
                let end = port.saturating_add(width as u64 - 1);
                let allowed = first as u64 <= port && end <= last as u64;
                if allowed { Ok(port) } else { Err(Error::InvalidArgument) }
            }
            Target::Object(_) | Target::Interrupts(..) | Target::Frames(..) | Target::Trace => {
                Err(Error::WrongKind)
            }
        }
    }

    pub fn inspect(&mut self, target: u64) -> Outcome {
        let capability = self.capability(target, Rights::NONE)?;
        let told = self.oracle.words;
        let (kind, rest) = match capability.to {
            Target::Trace => (ObjectKind::Trace, [told[3], told[4], told[5]]),
            Target::Frames(first, last) => (ObjectKind::Physical, [first as u64, last as u64, 0]),
            Target::Ports(first, last) => (ObjectKind::Ports, [first as u64, last as u64, 0]),
            Target::Interrupts(first, last) => {
                (ObjectKind::Interrupt, [first as u64, last as u64, 0])
            }
            Target::Object(name) => {
                let object = self.objects.get(&name).ok_or(Error::InvalidHandle)?;
                match &object.what {
                    What::Thread(thread) => {
                        let state = match thread.state {
                            State::Stopped => 0,
                            State::Ready => 1,
                            _ => 2,
                        };
                        let (total, system) = (told[4], told[2]);
                        let most = self.now * self.cpu.processors;
                        assert!(system <= total && total <= most, "{system} of {total} in {most}");
                        (ObjectKind::Thread, [state, total, object.order as u64])
                    }
                    What::Space(_) => (ObjectKind::Space, [0; 3]),
                    What::Table(_) => (ObjectKind::Table, [0; 3]),
                    What::Endpoint(_) => (ObjectKind::Endpoint, [0, 0, object.order as u64]),
                    What::Notification(_) => (ObjectKind::Notification, [0; 3]),
                    What::Memory(memory) => {
                        let kind = match memory.pager {
                            Some(_) => MemoryKind::Pager,
                            None => MemoryKind::Anonymous,
                        };
                        (ObjectKind::Memory, [memory.pages, 0, kind as u64])
                    }
                    What::Timer(_) => (ObjectKind::Timer, [0; 3]),
                    What::Quota(quota) => {
                        let ((least, most), objects) = self.charged(name);
                        let used = told[3];
                        assert!((least..=most).contains(&used), "{used}: {least} to {most}");
                        let (fewest, most) = objects;
                        let objects = told[5] & 0xffff_ffff;
                        assert!((fewest..=most).contains(&objects), "{objects} objects");
                        (ObjectKind::Quota, [used, quota.pages, objects | quota.objects << 32])
                    }
                }
            }
        };
        let is_root = matches!(capability.to, Target::Object(name)
            if self.objects[&name].quota.is_none() && kind == ObjectKind::Quota);
        let is_told = is_root || kind == ObjectKind::Thread;
        let w2 = if is_told { told[2] } else { capability.badge };
        let words = [kind as u64, capability.rights.0 as u64, w2, rest[0], rest[1], rest[2]];
        let current = self.current();
        self.thread_mut(current).registers.set_words(words);
        Ok(())
    }

    /// Nobody but the first task has the trace: what threads are, `compare` looks at.
    pub fn inspect_thread(&self, target: u64) -> Outcome {
        match self.capability(target, Rights::READ)?.to {
            Target::Trace => panic!("the trace is not in the model"),
            _ => Err(Error::WrongKind),
        }
    }

    /// Returns what a capability names or named.
    fn what(&self, capability: Capability) -> Option<&What> {
        let Target::Object(name) = capability.to else { return None };
        self.objects.get(&name).map(|object| &object.what).or_else(|| self.dead.get(&name))
    }
}

/// Returns a thread as it is made.
pub fn new_thread(space: Name, table: Option<Name>) -> Thread {
    Thread {
        registers: Registers::default(),
        state: State::Stopped,
        priority: 0,
        space,
        table,
        page: None,
        handler: None,
        entry: None,
        bound: None,
        tag: Tag::default(),
        badge: 0,
        deadline: None,
        fault: [0; 2],
        extended: false,
        home: None,
        calls: 0,
    }
}
