//! What was kept is found again, whenever a life ended.

extern crate std;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread_local;

use proptest::prelude::*;

use super::store::{self, Found, Guard, Store, Unusable};
use super::table::{Row, Table, words};
use super::{Kept, TooLong};

#[test]
fn the_next_life_finds_what_was_kept_last() {
    let mut kept = Kept::new(vec![0; 8 + 2 * 5]);
    assert_eq!(kept.load(), None);
    for state in [&b"first"[..], b"2nd", b"", b"last"] {
        assert_eq!(kept.store(state), Ok(()));
        kept = Kept::new(kept.into_region());
        assert_eq!(kept.load(), Some(state));
    }
    assert_eq!(kept.store(b"longer"), Err(TooLong));
    assert_eq!(kept.load(), Some(&b"last"[..]));
}

#[test]
fn a_death_before_the_word_leaves_what_was_there() {
    let mut kept = Kept::new(vec![0; 8 + 2 * 5]);
    kept.store(b"old").unwrap();
    let word: [u8; 8] = kept.region[..8].try_into().unwrap();
    kept.store(b"newer").unwrap();
    kept.region[..8].copy_from_slice(&word);
    assert_eq!(kept.load(), Some(&b"old"[..]));
}

#[test]
fn places_have_names() {
    assert_eq!(super::kept_name(95), "kept-95");
}

#[test]
fn nonsense_is_nothing() {
    for bytes in [vec![], vec![0xff; 4], vec![0xff; 64], vec![3; 64]] {
        assert_eq!(Kept::new(bytes).load(), None);
    }
    assert_eq!(Kept::new(vec![]).store(b""), Err(TooLong));
}

thread_local! {
    /// How many stores a life has left.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// A server that dies at a store.
struct Mortal;

impl Guard for Mortal {
    fn allows() -> bool {
        match LEFT.get() {
            0 => resume_unwind(Box::new("death")),
            left => LEFT.set(left - 1),
        }
        true
    }
}

const ROWS: u32 = 5;
const FIELDS: usize = 2;
const LEN: usize = store::FIRST + 2 * words(ROWS, FIELDS);

fn memory() -> Vec<u8> {
    vec![0; LEN * 8]
}

/// Takes up a memory, of which the test has a second view.
fn open(memory: &[u8]) -> (Store<Mortal>, [Table<Mortal>; 2]) {
    let memory = Box::leak(memory.to_vec().into_boxed_slice());
    let (store, _) = Store::open(memory, 7).unwrap();
    let first = Table::new(store, store::FIRST, ROWS, FIELDS);
    let tables = [first, Table::new(store, first.end(), ROWS, FIELDS)];
    tables.iter().for_each(Table::recount);
    (store, tables)
}

fn bytes(store: &Store<Mortal>) -> Vec<u8> {
    (0..store.len()).flat_map(|at| store.get(at).to_le_bytes()).collect()
}

/// What the tables should hold.
type Model = [BTreeMap<Row, [u64; FIELDS]>; 2];

fn contents(tables: &[Table<Mortal>; 2]) -> Model {
    tables.map(|table| {
        assert!(table.is_sound());
        let fields = |row| [table.get(row, 0), table.get(row, 1)];
        table.rows().map(|row| (row, fields(row))).collect()
    })
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    Free(usize, usize),
    Put(usize, usize, usize, u64),
    Commit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table = 0..2usize;
    let step = prop_oneof![
        3 => table.clone().prop_map(Step::Take),
        2 => (table.clone(), 0..8usize).prop_map(|(table, which)| Step::Free(table, which)),
        4 => (table, 0..8usize, 0..FIELDS, 0..4u64)
            .prop_map(|(table, which, field, value)| Step::Put(table, which, field, value)),
        3 => Just(Step::Commit),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Makes a step, and in the model the same.
fn make(step: Step, store: &Store<Mortal>, tables: &[Table<Mortal>; 2], model: &mut Model) {
    match step {
        Step::Take(table) => match tables[table].take() {
            Some(row) => {
                tables[table].put_all(row, 0, &[9, 9]);
                assert!(model[table].insert(row, [9, 9]).is_none());
            }
            None => assert_eq!(model[table].len(), ROWS as usize),
        },
        Step::Free(table, which) => {
            let row = model[table].keys().nth(which).copied();
            if let Some(row) = row {
                tables[table].free(row);
                assert!(!tables[table].has(row));
                tables[table].free(row);
                model[table].remove(&row);
            }
        }
        Step::Put(table, which, field, value) => {
            if let Some((&row, fields)) = model[table].iter_mut().nth(which) {
                tables[table].put(row, field, value);
                fields[field] = value;
            }
        }
        Step::Commit => store.commit(),
    }
}

/// Lives until the steps are done, or so many stores; the model is what was committed last, and
/// what the commit under way would have committed.
fn live(
    store: &Store<Mortal>,
    tables: &[Table<Mortal>; 2],
    steps: &[Step],
    left: u64,
) -> [Model; 2] {
    let mut committed = [contents(tables), contents(tables)];
    let mut model = contents(tables);
    LEFT.set(left);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        for &step in steps {
            if matches!(step, Step::Commit) {
                committed[1] = model.clone();
            }
            make(step, store, tables, &mut model);
            if matches!(step, Step::Commit) {
                committed[0] = model.clone();
            }
        }
    }));
    LEFT.set(u64::MAX);
    committed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The next life finds what was committed last, also when the one that undoes the rest ends
    /// in the middle of that.
    #[test]
    fn a_transaction_is_done_or_was_not_begun(
        before in steps(), steps in steps(), left in 0..200u64, second in 0..40u64,
    ) {
        let (store, tables) = open(&memory());
        live(&store, &tables, &before, u64::MAX);
        store.commit();
        let [committed, or] = live(&store, &tables, &steps, left);
        LEFT.set(second);
        let _ = catch_unwind(AssertUnwindSafe(|| store.undo()));
        LEFT.set(u64::MAX);
        let (_, tables) = open(&bytes(&store));
        let found = contents(&tables);
        prop_assert!(found == committed || found == or, "{found:?} is not {committed:?}");
    }
}

#[test]
fn a_row_of_another_generation_is_another() {
    let (_, [table, _]) = open(&memory());
    let first = table.take().unwrap();
    assert_eq!(Row::from_word(first.to_word()), Some(first));
    assert_eq!(Row::from_word(0), None);
    table.free(first);
    let second = table.take().unwrap();
    assert_eq!((second.index, second.generation), (first.index, first.generation + 1));
    assert!(table.has(second) && !table.has(first));
    assert!(!table.has(Row { index: ROWS, generation: 0 }));
}

#[test]
fn a_full_table_has_no_more_rows() {
    let (_, [table, other]) = open(&memory());
    assert!((0..ROWS).all(|_| table.take().is_some()));
    assert_eq!((table.take(), table.len()), (None, ROWS as usize));
    assert!(other.is_empty() && other.take().is_some());
    table.clear();
    assert!(table.is_empty() && table.is_sound() && other.len() == 1);
    assert!((0..ROWS).all(|_| table.take().is_some()));
}

#[test]
#[should_panic(expected = "a transaction keeps to its bound")]
fn a_transaction_has_a_bound() {
    let (store, _) = open(&memory());
    for count in 0..=store::JOURNAL as u64 {
        store.put(store::FIRST, count + 1);
    }
}

#[test]
fn other_memory_is_not_taken_up() {
    let refused = |memory: Vec<u8>, layout| {
        let memory = Box::leak(memory.into_boxed_slice());
        Store::<Mortal>::open(memory, layout).map(|(_, found)| found)
    };
    assert_eq!(refused(memory(), 7), Ok(Found::Nothing));
    assert_eq!(refused(vec![0; 64], 7), Err(Unusable));
    assert_eq!(refused(vec![0xff; LEN * 8], 7), Err(Unusable));
    let (store, _) = open(&memory());
    assert_eq!(refused(bytes(&store), 7), Ok(Found::Earlier));
    assert_eq!(refused(bytes(&store), 8), Err(Unusable));
    let (store, _) = open(&bytes(&store));
    assert_eq!(store.life(), 2);
}
