//! Processor time: who pays for what a processor does, and how much each thread has had.
//!
//! ```text
//!   what happens                                 who pays from then on
//!   a thread is picked, or preempts              it does
//!   a call is handed to a server that waits      the caller, as before: it lends its time
//!   a server receives a call that was queued     the caller
//!   a foreign thread's call is answered          that thread, which goes on
//!   a server parks the call, and waits itself    whoever is picked
//! ```
//!
//! While a call of the payer that is no message of its own (a foreign thread's system call, say) is
//! worked for, its `system` time runs as well as its `total`. A time that runs is short by the
//! moment when it began, so that to start and to stop it is one subtraction and one addition. The
//! messages of native threads change nothing: only what is scheduled does (decisions/0070).

use crate::arena::Slots;
use crate::cpu::Cpu;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::NIL;
use crate::thread::{Calls, Thread};

/// How long a thread has had a processor, in ticks of the machine; less the moments when what runs
/// of it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// All that it paid for.
    total: u64,
    /// Of that, what others did for its calls.
    system: u64,
}

/// Whose times run on a processor.
#[derive(Debug)]
pub struct Meter {
    /// The thread whose `total` runs; NIL: nobody's.
    payer: u16,
    /// The payer while its `system` runs; else NIL.
    served: u16,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { payer: NIL, served: NIL }
    }
}

impl Meter {
    /// Lets others work from a moment on for the call of a foreign thread, which pays already.
    #[inline(always)]
    pub(crate) fn begin_service(&mut self, moment: u64, slot: u16, caller: &mut Thread) {
        caller.times.system = caller.times.system.wrapping_sub(moment);
        self.served = slot;
    }

    /// Ends the service for a thread that goes on, if it is served; returns whether it was.
    #[inline(always)]
    pub(crate) fn end_service(
        &mut self,
        machine: &impl Machine,
        slot: u16,
        caller: &mut Thread,
    ) -> bool {
        let is_served = self.served == slot;
        if is_served {
            caller.times.system = caller.times.system.wrapping_add(machine.ticks());
            self.served = NIL;
        }
        is_served
    }

    /// Returns whether a thread pays.
    #[inline(always)]
    pub(crate) fn is_payer(&self, thread: u16) -> bool {
        self.payer == thread
    }

    /// Forgets a thread that is about to go.
    pub(crate) fn forget(&mut self, thread: u16) {
        for whose in [&mut self.payer, &mut self.served] {
            if *whose == thread {
                *whose = NIL;
            }
        }
    }
}

impl Cpu {
    /// Has a thread pay from now on; NIL: nobody.
    #[inline(always)]
    pub(crate) fn charge(
        &mut self,
        machine: &impl Machine,
        threads: &mut Slots<'_, Thread>,
        thread: u16,
    ) {
        let meter = &mut self.meter;
        if meter.payer == thread && meter.served == NIL {
            return;
        }
        let now = machine.ticks();
        // There is no thread in slot NIL.
        if let Some(payer) = threads.at(core::mem::replace(&mut meter.payer, thread)) {
            payer.times.total = payer.times.total.wrapping_add(now);
        }
        if meter.served != NIL
            && let Some(served) = threads.at(core::mem::replace(&mut meter.served, NIL))
        {
            served.times.system = served.times.system.wrapping_add(now);
        }
        if let Some(payer) = threads.at(thread) {
            payer.times.total = payer.times.total.wrapping_sub(now);
        }
    }

    /// Does as [`Cpu::charge`], where a call costs less than a copy of that.
    #[inline(never)]
    pub(crate) fn charge_late(
        &mut self,
        machine: &impl Machine,
        threads: &mut Slots<'_, Thread>,
        thread: u16,
    ) {
        self.charge(machine, threads, thread);
    }
}

impl<M: Machine> Kernel<M> {
    /// Has a thread pay from now on; NIL: nobody.
    #[inline]
    pub(crate) fn charge(&mut self, thread: u16) {
        self.cpu.charge_late(&self.vm.machine, &mut self.threads.slots(), thread);
    }

    /// Has the current thread pay from now on.
    pub fn charge_current(&mut self) {
        self.charge(self.cpu.current);
    }

    /// Has a thread pay that was woken, if it preempts the current one.
    #[inline(always)]
    pub(crate) fn charge_woken(&mut self, thread: u16) {
        if self.cpu.current == thread {
            self.charge(thread);
        }
    }

    /// Has a thread pay that waits for an answer to its call, for what is done for that.
    pub(crate) fn charge_caller(&mut self, caller: u16) {
        self.charge(caller);
        let is_foreign = self.threads[caller].calls != Calls::Native;
        if is_foreign && !self.threads[caller].tag.is_message() {
            let mut threads = self.threads.slots();
            self.cpu.meter.begin_service(self.vm.machine.ticks(), caller, &mut threads[caller]);
        }
    }

    /// Notes that a call begins which a thread did not make as a message, if it ran here.
    pub(crate) fn charge_request(&mut self, caller: u16) {
        let is_foreign = self.threads[caller].calls != Calls::Native;
        let meter = &mut self.cpu.meter;
        if is_foreign && meter.payer == caller && meter.served == NIL {
            let mut threads = self.threads.slots();
            meter.begin_service(self.vm.machine.ticks(), caller, &mut threads[caller]);
        }
    }

    /// Has the current thread pay after it has answered a call, if the caller did.
    pub(crate) fn charge_answer(&mut self, caller: u16) {
        if self.cpu.meter.payer == caller {
            self.charge(self.cpu.current);
        }
    }

    /// Has a caller pay that goes on with its server's answer; a native one whose own server lent
    /// its client's time goes on lending it.
    pub(crate) fn charge_answered(&mut self, caller: u16, server: u16) {
        let lends = self.threads[caller].calls == Calls::Native && self.cpu.meter.payer != server;
        if self.cpu.current == caller && !lends {
            self.charge(caller);
        }
    }

    /// Returns how many nanoseconds a thread has paid for, and how many of them others worked for
    /// its calls.
    pub(crate) fn times(&self, slot: u16) -> [u64; 2] {
        let now = self.vm.machine.ticks();
        let Times { mut total, mut system } = self.threads[slot].times;
        for Meter { payer, served } in self.processors_meters() {
            if *payer == slot {
                total = total.wrapping_add(now);
            }
            if *served == slot {
                system = system.wrapping_add(now);
            }
        }
        let [_, scale] = self.vm.machine.clock_scale();
        [total, system.min(total)]
            .map(|ticks| ((u128::from(ticks) * u128::from(scale)) >> 32) as u64)
    }

    fn processors_meters(&self) -> impl Iterator<Item = &Meter> {
        core::iter::once(&self.cpu).chain(&self.parked).map(|cpu| &cpu.meter)
    }
}
