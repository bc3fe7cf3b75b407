//! Instructions by opcode and ModRM byte: registers here, memory operands in `memory`.
//!
//! Encoding: Intel 80387 Programmer's Reference Manual (1987), appendix A.

use core::cmp::Ordering;

use super::arithmetic::Quotient;
use super::number::exception::INVALID;
use super::number::{Context, Kind, Number};
use super::status::{C0, C1, C2, C3, CONDITIONS, EXCEPTIONS, STACK};
use super::transcendental::PI;
use super::{Fpu, number};

/// A constant: what it is when rounded to nearest, and whether that is above the exact one.
struct Constant(Number, bool);

/// FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2 (80387 manual, table 3-8).
const CONSTANTS: [Constant; 5] = [
    Constant(Number { head: 0x4000, significand: 0xd49a_784b_cd1b_8afe }, false),
    Constant(Number { head: 0x3fff, significand: 0xb8aa_3b29_5c17_f0bc }, true),
    Constant(PI, true),
    Constant(Number { head: 0x3ffd, significand: 0x9a20_9a84_fbcf_f799 }, true),
    Constant(Number { head: 0x3ffe, significand: 0xb172_17f7_d1cf_79ac }, true),
];

impl Fpu {
    /// Executes an instruction on registers: ESC's low three bits and the ModRM byte; returns the word
    /// that goes to AX, if one does.
    pub(in super::super) fn on_registers(&mut self, escape: u8, modrm: u8) -> Option<u16> {
        let (operation, index) = (modrm >> 3 & 7, modrm & 7);
        match (escape, operation) {
            (0, 2) => self.compare(index, 0, false),
            (0, 3) => self.compare(index, 1, false),
            (0, _) => self.binary(operation, index, 0, 0),
            (1, 0) => self.load_register(index),
            (1, 1) | (5 | 7, 1) => self.exchange(index),
            (1, 2) => {}
            (1, 3) | (7, 2 | 3) => self.store_register(index, 1),
            (1, 4) => self.examine(index),
            (1, 5) => self.load_constant(index),
            (1, _) => self.function(modrm & 15),
            (2, 5) if index == 1 => self.compare_both(true),
            (3, 4) => self.control(index),
            (4 | 6, 2) => self.compare(index, 0, false),
            (4, 3) => self.compare(index, 1, false),
            (6, 3) => self.compare_both(false),
            (4, _) => self.binary(operation, index, index, 0),
            (6, _) => self.binary(operation, index, index, 1),
            (5, 0) => self.free(index),
            (7, 0) => {
                self.free(index);
                self.pop();
            }
            (5, 2) => self.store_register(index, 0),
            (5, 3) => self.store_register(index, 1),
            (5, 4) => self.compare(index, 0, true),
            (5, 5) => self.compare(index, 1, true),
            (7, 4) if index == 0 => return Some(self.status_word()),
            _ => {}
        }
        None
    }

    /// ST(to) ← operation(ST(0), ST(other)). Where `to` is not ST(0), differences and quotients are
    /// encoded the other way round.
    fn binary(&mut self, operation: u8, other: u8, to: u8, pops: u8) {
        let mut context = self.context();
        let operands = self.pair(0, other, &mut context);
        self.apply(operation, operands, to, pops, context);
    }

    /// ST(to) ← operation(a, b).
    pub(super) fn apply(
        &mut self,
        operation: u8,
        operands: Option<(Number, Number)>,
        to: u8,
        pops: u8,
        mut context: Context,
    ) {
        let value = operands.map_or(Number::INDEFINITE, |(a, b)| match operation {
            0 => context.add(a, b),
            1 => context.multiply(a, b),
            4 => context.subtract(a, b),
            5 => context.subtract(b, a),
            6 => context.divide(a, b),
            _ => context.divide(b, a),
        });
        context.settle();
        if self.finish_to(to, value, &context) {
            (0..pops).for_each(|_| self.pop());
        }
    }

    fn compare(&mut self, index: u8, pops: u8, is_quiet: bool) {
        let mut context = self.context();
        let operands = self.pair(0, index, &mut context);
        self.compare_with(operands, pops, is_quiet, context);
    }

    fn compare_both(&mut self, is_quiet: bool) {
        self.compare(1, 2, is_quiet);
    }

    pub(super) fn compare_with(
        &mut self,
        operands: Option<(Number, Number)>,
        pops: u8,
        is_quiet: bool,
        mut context: Context,
    ) {
        let order = operands.and_then(|(a, b)| match (a.kind(), b.kind()) {
            (Kind::Infinity, Kind::Infinity) if self.has_one_infinity() => Some(Ordering::Equal),
            _ => context.compare(a, b, is_quiet),
        });
        context.settle();
        self.set_conditions(
            CONDITIONS,
            match order {
                Some(Ordering::Greater) => 0,
                Some(Ordering::Less) => C0,
                Some(Ordering::Equal) => C3,
                None => C0 | C2 | C3,
            },
        );
        if self.finish(&context) {
            (0..pops).for_each(|_| self.pop());
        }
    }

    fn load_register(&mut self, index: u8) {
        let mut context = self.context();
        let value = self.get(index, &mut context);
        self.push(value.unwrap_or(Number::INDEFINITE), &mut context);
        if value.is_none() {
            // An empty register comes before a full stack.
            self.set_conditions(C1, 0);
        }
        self.finish(&context);
    }

    fn exchange(&mut self, index: u8) {
        let mut context = self.context();
        let mut held = |index| self.get(index, &mut context).unwrap_or(Number::INDEFINITE);
        let (a, b) = (held(0), held(index));
        self.set_conditions(C1, 0);
        if self.finish(&context) {
            self.put(0, b);
            self.put(index, a);
        }
    }

    fn store_register(&mut self, index: u8, pops: u8) {
        let mut context = self.context();
        let value = self.get(0, &mut context).unwrap_or(Number::INDEFINITE);
        if self.finish_to(index, value, &context) {
            (0..pops).for_each(|_| self.pop());
        }
    }

    /// FCHS, FABS, FTST, FXAM.
    fn examine(&mut self, index: u8) {
        let mut context = self.context();
        match index {
            0 | 1 => {
                let value = self.get(0, &mut context).map(|value| match index {
                    0 => value.negated(),
                    _ => value.with_sign(false),
                });
                self.finish_to(0, value.unwrap_or(Number::INDEFINITE), &context);
            }
            4 => {
                let value = self.get(0, &mut context);
                self.compare_with(value.map(|a| (a, Number::ZERO)), 0, false, context);
            }
            5 => self.set_conditions(CONDITIONS, self.class()),
            _ => {}
        }
    }

    /// Returns FXAM's conditions.
    fn class(&self) -> u16 {
        let number = self.registers[self.place(0)];
        let sign = if number.sign() { C1 } else { 0 };
        sign | match number.kind() {
            _ if !self.is_full(0) => C0 | C3,
            Kind::Unsupported => 0,
            Kind::Nan => C0,
            Kind::Infinity => C0 | C2,
            Kind::Zero => C3,
            Kind::Finite(..) if number.is_denormal() => C2 | C3,
            Kind::Finite(..) => C2,
        }
    }

    /// FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ.
    fn load_constant(&mut self, index: u8) {
        let mut context = self.context();
        let value = match index {
            0 => Number::ONE,
            1..=5 => {
                let Constant(nearest, is_above) = &CONSTANTS[index as usize - 1];
                let step = match context.mode() {
                    number::Mode::Nearest => 0,
                    number::Mode::Up => !is_above as i64,
                    number::Mode::Down | number::Mode::Truncate => -(*is_above as i64),
                };
                let significand = nearest.significand.wrapping_add_signed(step);
                Number { significand, ..*nearest }
            }
            6 => Number::ZERO,
            _ => return,
        };
        self.push(value, &mut context);
        self.finish(&context);
    }

    /// D9 F0 to FF.
    fn function(&mut self, number: u8) {
        match number {
            0x0 => self.unary(Context::power_less_one),
            0x1 => self.of_two(|context, x, y| context.logarithm(x, y)),
            0x2 => self.tangent(),
            0x3 => self.of_two(|context, x, y| context.angle(y, x)),
            0x4 => self.extract(),
            0x5 => self.remainder(Quotient::Nearest),
            0x6 => self.turn(7),
            0x7 => self.turn(1),
            0x8 => self.remainder(Quotient::Truncated),
            0x9 => self.of_two(|context, x, y| context.logarithm_above_one(x, y)),
            0xa => self.unary(Context::square_root),
            0xb => self.sine_cosine(),
            0xc => self.unary(Context::integral),
            0xd => self.scale(),
            0xe => self.sine(|(sine, _)| sine),
            _ => self.sine(|(_, cosine)| cosine),
        }
    }

    /// FDECSTP, FINCSTP.
    fn turn(&mut self, by: u8) {
        self.top = self.top.wrapping_add(by) & 7;
        self.set_conditions(C1, 0);
    }

    fn unary(&mut self, operation: fn(&mut Context, Number) -> Number) {
        let mut context = self.context();
        let value = self.get(0, &mut context).map(|a| operation(&mut context, a));
        self.finish_to(0, value.unwrap_or(Number::INDEFINITE), &context);
    }

    /// ST(1) ← operation(ST(0), ST(1)), then ST(0) is popped.
    fn of_two(&mut self, operation: impl FnOnce(&mut Context, Number, Number) -> Number) {
        let mut context = self.context();
        let operands = self.pair(0, 1, &mut context);
        let value = operands.map(|(x, y)| operation(&mut context, x, y));
        if self.finish_to(1, value.unwrap_or(Number::INDEFINITE), &context) {
            self.pop();
        }
    }

    fn scale(&mut self) {
        let mut context = self.context();
        let operands = self.pair(0, 1, &mut context);
        let value = operands.map(|(a, b)| context.scale(a, b));
        self.finish_to(0, value.unwrap_or(Number::INDEFINITE), &context);
    }

    /// FPREM, FPREM1: C0, C3, C1 are the quotient's bits 2, 1, 0; C2 says that more is to be done, which
    /// of NaNs it never is.
    fn remainder(&mut self, to: Quotient) {
        let mut context = self.context();
        let operands = self.pair(0, 1, &mut context);
        self.set_conditions(C2, 0);
        let found = operands.map(|(a, b)| context.remainder(a, b, to));
        let value = found.as_ref().map_or(Number::INDEFINITE, |found| found.value);
        let is_stored = self.finish_to(0, value, &context);
        let Some(found) = found.filter(|found| is_stored && found.value.kind() != Kind::Nan) else {
            return;
        };
        let bit = |number: u32, condition: u16| {
            if found.quotient >> number & 1 != 0 { condition } else { 0 }
        };
        let conditions = if found.is_complete { bit(2, C0) | bit(1, C3) | bit(0, C1) } else { C2 };
        self.set_conditions(CONDITIONS, conditions);
    }

    fn extract(&mut self) {
        let mut context = self.context();
        let parts = self.get(0, &mut context).map(|a| context.extract(a));
        let (exponent, fraction) = parts.unwrap_or((Number::INDEFINITE, Number::INDEFINITE));
        self.replace_and_push(exponent, fraction, context);
    }

    /// Sets ST(0) and pushes another.
    fn replace_and_push(&mut self, first: Number, second: Number, mut context: Context) {
        if self.is_full(7) {
            // An empty register comes before a full stack, and both before what the operand raises.
            self.status |= STACK;
            self.set_conditions(C1, if self.is_full(0) { C1 } else { 0 });
            context.raised &= INVALID;
            let indefinite = context.invalid();
            if self.finish(&context) {
                self.put(0, indefinite);
                self.top = self.top.wrapping_sub(1) & 7;
                self.put(0, indefinite);
            }
        } else if self.finish_to(0, first, &context) {
            self.top = self.top.wrapping_sub(1) & 7;
            self.put(0, second);
        }
    }

    fn tangent(&mut self) {
        self.of_angle(|context, angle| {
            let value = context.tangent(angle)?;
            let one = if value.kind() == Kind::Nan { value } else { Number::ONE };
            Some((value, one))
        });
    }

    fn sine_cosine(&mut self) {
        self.of_angle(Context::sine_cosine);
    }

    /// Replaces the angle by a number and pushes another, or sets C2 where the angle is too great.
    fn of_angle(&mut self, two: fn(&mut Context, Number) -> Option<(Number, Number)>) {
        let mut context = self.context();
        self.set_conditions(C2, 0);
        let values = match self.get(0, &mut context) {
            Some(angle) if !self.is_full(7) => two(&mut context, angle),
            _ => Some((Number::INDEFINITE, Number::INDEFINITE)),
        };
        match values {
            Some((first, second)) => self.replace_and_push(first, second, context),
            None => self.set_conditions(C2, C2),
        }
    }

    fn sine(&mut self, chosen: fn((Number, Number)) -> Number) {
        let mut context = self.context();
        self.set_conditions(C2, 0);
        let value = match self.get(0, &mut context) {
            Some(angle) => context.sine_cosine(angle).map(chosen),
            None => Some(Number::INDEFINITE),
        };
        match value {
            Some(value) => _ = self.finish_to(0, value, &context),
            None => self.set_conditions(C2, C2),
        }
    }

    /// DB E0 to E4: FENI, FDISI, FCLEX, FINIT, FSETPM.
    fn control(&mut self, index: u8) {
        match index {
            2 => {
                self.status &= !(EXCEPTIONS | STACK);
                self.is_pending = false;
                self.summarize();
            }
            3 => self.initialize(),
            _ => {}
        }
    }
}
