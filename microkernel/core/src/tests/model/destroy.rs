//! The end of objects in the model.

use super::objects::{Name, Object, State, Target, What};
use super::{Model, Outcome};
use kamen_abi::{Error, Kind, Rights};
use std::vec::Vec;

impl Model {
    pub fn destroy_named(&mut self, target: u64) -> Outcome {
        let capability = self.capability(target, Rights::DESTROY)?;
        let Target::Object(name) = capability.to else { return Err(Error::WrongKind) };
        if self.exists(name) {
            self.destroy(name);
        }
        Ok(())
    }

    fn destroy(&mut self, name: Name) {
        match &self.objects[&name].what {
            What::Thread(_) => self.end_thread(name),
            What::Space(_) => self.end_space(name),
            What::Endpoint(_) => self.end_endpoint(name),
            What::Notification(_) => self.end_notification(name),
            What::Memory(_) => self.end_memory(name),
            What::Quota(_) => self.end_quota(name),
            What::Table(_) | What::Timer(_) => {}
        }
        let object = self.objects.remove(&name).expect("nobody else destroys it");
        self.dead.insert(name, object.what);
    }

    fn end_thread(&mut self, name: Name) {
        self.unqueue(name);
        if let Some(bound) = self.thread(name).bound {
            self.notification_mut(bound).bound = None;
        }
        if self.cpu.interrupted.is_some_and(|(thread, _)| thread == name) {
            self.cpu.interrupted = None;
        }
    }

    /// Threads in a space end with it; calls that they had received are given back.
    fn end_space(&mut self, name: Name) {
        for thread in self.in_order(|what| matches!(what, What::Thread(it) if it.space == name)) {
            self.destroy(thread);
        }
        let open = |what: &What| {
            matches!(what, What::Thread(it)
                if matches!(it.state, State::Open { space, .. } if space == Some(name)))
        };
        for caller in self.in_order(open) {
            let tag = self.thread(caller).tag;
            let endpoint = self.take_back(caller);
            match tag.kind() {
                Kind::Message => self.interrupt_wait(caller, Error::Restarted),
                Kind::Page => self.ask_again(caller, endpoint, tag.with_replayed()),
                _ => self.call_handler(caller, tag.with_replayed()),
            }
        }
    }

    fn end_endpoint(&mut self, name: Name) {
        let senders = self.senders_in_order(name);
        for waiting in senders.into_iter().chain(self.endpoint_of(name).receivers.clone()) {
            let thread = self.thread(waiting);
            let foreign = thread.tag.kind() != Kind::Message;
            if self.awaits_page(waiting) {
                self.unqueue(waiting);
                self.wake(waiting);
            } else if foreign && matches!(thread.state, State::Calling(_)) {
                self.unqueue(waiting);
                self.thread_mut(waiting).state = State::Stopped;
            } else {
                self.interrupt_wait(waiting, Error::InvalidHandle);
            }
        }
    }

    fn end_notification(&mut self, name: Name) {
        for waiter in self.notification_of(name).waiters.clone() {
            self.interrupt_wait(waiter, Error::InvalidHandle);
        }
        if let Some(bound) = self.notification_of(name).bound {
            self.thread_mut(bound).bound = None;
        }
        for line in &mut self.lines {
            *line = line.filter(|(to, _)| *to != name);
        }
    }

    fn end_memory(&mut self, name: Name) {
        for object in self.objects.values_mut() {
            if let What::Space(space) = &mut object.what {
                space.pages.retain(|_, mapped| mapped.memory != name);
            }
        }
    }

    /// A quota ends with everything that is charged to it, the quotas in it first; of each kind the
    /// newest goes first.
    fn end_quota(&mut self, name: Name) {
        let kinds: [fn(&What) -> bool; 8] = [
            |what| matches!(what, What::Quota(_)),
            |what| matches!(what, What::Thread(_)),
            |what| matches!(what, What::Space(_)),
            |what| matches!(what, What::Table(_)),
            |what| matches!(what, What::Endpoint(_)),
            |what| matches!(what, What::Timer(_)),
            |what| matches!(what, What::Notification(_)),
            |what| matches!(what, What::Memory(_)),
        ];
        for is_kind in kinds {
            let objects = self.objects.iter().rev();
            let is = |object: &Object| object.quota == Some(name) && is_kind(&object.what);
            let found: Vec<Name> =
                objects.filter(|(_, object)| is(object)).map(|(name, _)| *name).collect();
            for object in found {
                // A thread may have ended with its space.
                if self.exists(object) {
                    self.destroy(object);
                }
            }
        }
    }

    /// Returns some objects in the order of their slots.
    fn in_order(&self, is: impl Fn(&What) -> bool) -> Vec<Name> {
        let found = self.objects.iter().filter(|(_, object)| is(&object.what));
        let mut found: Vec<(u32, Name)> =
            found.map(|(name, object)| (object.order, *name)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect()
    }
}
