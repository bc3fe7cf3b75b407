//! Finding things in the model.

use super::objects::{
    Capability, Endpoint, Memory, Name, Notification, Space, State, Table, Target, Thread, Timer,
    What,
};
use super::{Model, Outcome};
use kamen_abi::{Error, Rights};

/// Defines access to one kind of object by name, and by handle and rights.
macro_rules! kinds {
    ($($kind:ident, $one:ident, $one_mut:ident, $named:ident;)*) => {
        #[allow(dead_code, reason = "one set for each kind")]
        impl Model {$(
            pub fn $one(&self, name: Name) -> &$kind {
                match &self.objects[&name].what {
                    What::$kind(it) => it,
                    other => panic!("{name} is no {} but {other:?}", stringify!($kind)),
                }
            }
            pub fn $one_mut(&mut self, name: Name) -> &mut $kind {
                match &mut self.objects.get_mut(&name).expect("it exists").what {
                    What::$kind(it) => it,
                    other => panic!("{name} is no {} but {other:?}", stringify!($kind)),
                }
            }
            pub fn $named(&self, handle: u64, rights: Rights) -> Result<Name, Error> {
                let name = self.any_named(handle, rights, |what| matches!(what, What::$kind(_)))?;
                Ok(name)
            }
        )*}
    };
}

kinds! {
    Thread, thread, thread_mut, thread_named;
    Space, space, space_mut, space_named;
    Endpoint, endpoint_of, endpoint_mut, endpoint_named;
    Notification, notification_of, notification_mut, notification_named;
    Memory, memory, memory_mut, memory_named;
    Timer, timer_ref, timer_mut, timer_named;
}

impl Model {
    pub fn exists(&self, name: Name) -> bool {
        self.objects.contains_key(&name)
    }

    pub fn current(&self) -> Name {
        self.cpu.current.expect("somebody runs")
    }

    pub fn threads(&self) -> impl Iterator<Item = (Name, &Thread)> {
        self.objects.iter().filter_map(|(name, object)| match &object.what {
            What::Thread(thread) => Some((*name, &**thread)),
            _ => None,
        })
    }

    pub fn timers(&self) -> impl Iterator<Item = (Name, &Timer)> {
        self.objects.iter().filter_map(|(name, object)| match &object.what {
            What::Timer(timer) => Some((*name, timer)),
            _ => None,
        })
    }

    pub fn timer_of(&mut self, name: Name) -> Option<&mut Timer> {
        match &mut self.objects.get_mut(&name)?.what {
            What::Timer(timer) => Some(timer),
            _ => None,
        }
    }

    pub fn table(&self, name: Name) -> Option<&Table> {
        match &self.objects.get(&name)?.what {
            What::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn table_mut(&mut self, name: Name) -> Option<&mut Table> {
        match &mut self.objects.get_mut(&name)?.what {
            What::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Returns the capability that the current thread calls `handle`.
    pub fn capability(&self, handle: u64, rights: Rights) -> Result<Capability, Error> {
        let handle = u16::try_from(handle).map_err(|_| Error::InvalidHandle)?;
        let table = self.thread(self.current()).table.and_then(|table| self.table(table));
        let capability = table.and_then(|table| table.used.get(&handle));
        let capability = *capability.ok_or(Error::InvalidHandle)?;
        if capability.rights.contains(rights) { Ok(capability) } else { Err(Error::NoRights) }
    }

    /// Returns the living object of a kind that a handle names. A dead one's kind is known too.
    pub fn any_named(
        &self,
        handle: u64,
        rights: Rights,
        is: impl Fn(&What) -> bool,
    ) -> Result<Name, Error> {
        let capability = self.capability(handle, rights)?;
        let Target::Object(name) = capability.to else { return Err(Error::WrongKind) };
        match self.objects.get(&name) {
            Some(object) if is(&object.what) => Ok(name),
            Some(_) => Err(Error::WrongKind),
            None if self.dead.get(&name).is_some_and(is) => Err(Error::InvalidHandle),
            None => Err(Error::WrongKind),
        }
    }

    pub fn quota_named(&self, handle: u64, rights: Rights) -> Result<Name, Error> {
        self.any_named(handle, rights, |what| matches!(what, What::Quota(_)))
    }

    /// Returns the table that a handle names; 0 names the current thread's own.
    pub fn table_named(&self, handle: u64, rights: Rights) -> Result<Name, Error> {
        if handle == 0 {
            return self.thread(self.current()).table.ok_or(Error::InvalidHandle);
        }
        self.any_named(handle, rights, |what| matches!(what, What::Table(_)))
    }

    /// Tells whether the current thread's table has a free slot.
    pub fn has_slot(&self) -> Outcome {
        let table = self.thread(self.current()).table.and_then(|table| self.table(table));
        let table = table.ok_or(Error::InvalidHandle)?;
        if table.free(1).is_empty() { Err(Error::TableFull) } else { Ok(()) }
    }

    /// Returns whether a thread's call went to its handler, who controls it meanwhile.
    pub fn is_handled(&self, name: Name) -> bool {
        use kamen_abi::Kind::{Exception, Interrupt, Recall, SystemCall};
        matches!(self.thread(name).tag.kind(), SystemCall | Interrupt | Exception | Recall)
    }

    /// Returns the thread whose registers a handle or an open call gives access to.
    pub fn register_target(&self, target: u64, rights: Rights) -> Result<Name, Error> {
        if target > u16::MAX as u64 {
            let caller = self.open_call(target)?;
            return if self.is_handled(caller) { Ok(caller) } else { Err(Error::WrongKind) };
        }
        let thread = self.thread_named(target, rights)?;
        if self.thread(thread).state == State::Stopped { Ok(thread) } else { Err(Error::Busy) }
    }
}
