//! What an interface cannot express: the message, and where it points.

use super::{assert_one, errors_of};

const ATTRIBUTE: &str = "number = 6, error = E";

/// Asserts that an operation with one fault is refused so.
#[track_caller]
fn refused(operation: &str, message: &str, place: &str) {
    let item = format!("pub trait Clock {{ {operation} }}");
    assert_one(&errors_of(ATTRIBUTE, &item), message, place, operation);
}

/// Asserts the same of an operation's arguments.
#[track_caller]
fn argument(arguments: &str, message: &str, place: &str) {
    let operation = format!("#[operation(1)] fn f(&mut self, {arguments}) -> Result<(), E>;");
    refused(&operation, message, place);
}

/// Asserts the same of an operation's result.
#[track_caller]
fn result(result: &str, message: &str, place: &str) {
    refused(&format!("#[operation(1)] fn f(&mut self) {result};"), message, place);
}

/// Asserts the same of what stands before an operation.
#[track_caller]
fn mark(marks: &str, message: &str, place: &str) {
    refused(&format!("{marks} fn f(&mut self) -> Result<(), E>;"), message, place);
}

const FORM: &str = "write #[operation(N)]";

#[test]
fn operation_without_its_mark_is_refused_at_its_name() {
    mark("", FORM, "f");
    mark("/** Only words. */", FORM, "f");
    mark("#[operation]", FORM, "#[operation]");
    mark("#[operation = 1]", FORM, "#[operation = 1]");
    mark("#[operation()]", FORM, "#[operation()]");
    mark("#[operation(idempotent)]", FORM, "#[operation(idempotent)]");
}

#[test]
fn marks_that_mean_nothing_are_refused_where_they_stand() {
    mark("#[operation(1, fast)]", FORM, "fast");
    mark("#[operation(-1)]", FORM, "-1");
    mark("#[operation(N)]", FORM, "N");
    mark("#[operation(1, 2)]", "given twice", "2");
    mark("#[operation(1, idempotent, idempotent)]", "given twice", "idempotent");
    mark("#[operation(1)] #[operation(2)]", "given twice", "#[operation(2)]");
    for other in ["#[inline]", "#[deprecated]", "#[cfg(test)]", "#[must_use]"] {
        mark(&format!("#[operation(1)] {other}"), "an operation has no other attributes", other);
        mark(&format!("{other} #[operation(1)]"), "an operation has no other attributes", other);
    }
}

#[test]
fn numbers_beyond_their_range_are_refused_where_they_stand() {
    let message = "numbers go from 1 to 65535";
    mark("#[operation(0)]", message, "0");
    mark("#[operation(65536)]", message, "65536");
    mark("#[operation(0x1_0000)]", message, "0x1_0000");
    for number in ["0", "65536"] {
        let attribute = format!("number = {number}, error = E");
        assert_one(&errors_of(&attribute, "trait Clock {}"), message, number, &attribute);
    }
    let largest = "trait Clock { #[operation(65535)] fn f(&mut self) -> Result<(), E>; }";
    assert!(errors_of("number = 65535, error = E", largest).is_empty());
}

#[test]
fn self_is_taken_by_mutable_reference() {
    let message = "an operation takes `&mut self` first";
    for this in ["&self", "self", "mut self", "self: &mut Self", "self: Box<Self>", "&'a mut self"]
    {
        refused(&format!("#[operation(1)] fn f({this}) -> Result<(), E>;"), message, this);
    }
    refused("#[operation(1)] fn f() -> Result<(), E>;", message, "f");
    refused("#[operation(1)] fn f(time: u64) -> Result<(), E>;", message, "f");
}

#[test]
fn qualifiers_of_functions_are_refused_where_they_stand() {
    let cases = [
        ("async", "an operation is not async: a server that answers later"),
        ("unsafe", "an operation is not unsafe"),
        ("const", "an operation is not const"),
        ("extern \"C\"", "an operation has no ABI"),
    ];
    for (word, message) in cases {
        let operation = format!("#[operation(1)] {word} fn f(&mut self) -> Result<(), E>;");
        refused(&operation, message, word);
    }
    let generic = "#[operation(1)] fn f<X>(&mut self, a: X) -> Result<(), E>;";
    refused(generic, "an operation has no generic parameters", "<X>");
    let lifetime = "#[operation(1)] fn f<'a>(&mut self) -> Result<(), E>;";
    refused(lifetime, "an operation has no generic parameters and no lifetimes", "<'a>");
    let clause = "#[operation(1)] fn f(&mut self) -> Result<(), E> where u8: Copy;";
    refused(clause, "an operation has no where clause", "where u8: Copy");
    let body = "#[operation(1)] fn f(&mut self) -> Result<(), E> { Ok(()) }";
    refused(body, "an operation has no default", "{ Ok(()) }");
}

#[test]
fn names_that_generated_code_needs_are_refused() {
    for name in ["new", "with", "endpoint", "transport", "clone"] {
        let operation = format!("#[operation(1)] fn {name}(&mut self) -> Result<(), E>;");
        refused(&operation, "the client has a function of that name already", name);
    }
    let protocol = "#[operation(1)] fn protocol(&mut self) -> Result<(), E>;";
    refused(protocol, "the label would be PROTOCOL", "protocol");
    let reserved = "names that begin with `__` are the generated code's";
    refused("#[operation(1)] fn __f(&mut self) -> Result<(), E>;", reserved, "__f");
    argument("__words: u64", reserved, "__words");
    argument("caller: u64", "`caller` is what servers call the caller", "caller");
}

#[test]
fn operations_alike_are_refused_at_the_later_one() {
    let two = |one: &str, two: &str, number: u32| {
        format!(
            "#[operation(1)] fn {one}(&mut self) -> Result<(), E>;
             #[operation({number})] fn {two}(&mut self) -> Result<(), E>;"
        )
    };
    refused(&two("f", "g", 1), "`f` has this number already", "1");
    refused(&two("f", "f", 2), "operation 1 has this name already", "f");
    refused(&two("r#type", "r#type", 2), "operation 1 has this name already", "r#type");
    let message = "the label would be BOOTTIME, as that of `boottime`";
    refused(&two("boottime", "bootTime", 2), message, "bootTime");
    argument("a: u64, a: u64", "another argument has this name already", "a");
}

#[test]
fn patterns_are_no_names() {
    let message = "an argument is a plain name";
    for pattern in ["(a, b)", "mut a", "ref a", "_", "Pair { a, b }"] {
        argument(&format!("{pattern}: Pair"), message, pattern);
    }
}

#[test]
fn references_to_other_than_bytes_and_text_are_refused() {
    let cases = [
        ("&u32", "a small value is passed by value"),
        ("&Pair", "a small value is passed by value"),
        ("&mut u32", "what the server fills in is a `&mut [u8]`"),
        ("&mut Pair", "what the server fills in is a `&mut [u8]`"),
        ("&mut str", "text to be filled in is a `&mut [u8]`"),
        ("&[u32]", "slices are of bytes"),
        ("&mut [u64]", "slices are of bytes"),
        ("&Self", "`Self` is the server itself"),
        ("&&str", "a small value is passed by value"),
    ];
    for (of, message) in cases {
        argument(&format!("a: {of}"), message, of);
    }
    argument("a: &'static str", "no lifetimes", "'static");
    argument("a: &'a [u8]", "no lifetimes", "'a");
}

#[test]
fn values_that_do_not_travel_are_refused_with_what_to_do_instead() {
    let cases = [
        ("String", "pass bytes as a slice"),
        ("Vec<u8>", "pass bytes as a slice"),
        ("alloc::vec::Vec<u8>", "pass bytes as a slice"),
        ("Box<[u8]>", "pass bytes as a slice"),
        ("str", "pass bytes as a slice"),
        ("Option<u64>", "instead of an Option"),
        ("Result<u64, E>", "an operation returns one Result"),
        ("[u8; 4]", "an array is a field of a struct that derives `Words`"),
        ("[u8]", "values are words"),
        ("u128", "a word has 64 bits"),
        ("i128", "a word has 64 bits"),
        ("f64", "there is no floating point"),
        ("Self", "`Self` is the server itself"),
        ("Self::Time", "`Self` is the server itself"),
        ("T", "the client calls its transport `T`"),
        ("Pair<u8>", "values have no generic parameters"),
        ("<A as B>::C", "values have no generic parameters"),
        ("*const u8", "addresses mean nothing to a server"),
        ("impl Copy", "values are of one type"),
        ("fn(u8)", "values are of one type"),
        ("dyn Any", "values are of one type"),
        ("ReadLease", "the client's side is written"),
        ("WriteLease<'_>", "the client's side is written"),
        ("Caller", "servers get the caller"),
    ];
    for (of, message) in cases {
        argument(&format!("a: {of}"), message, of);
        result(&format!("-> Result<{of}, E>"), message, of);
    }
    argument("a: (u32, u32)", "an argument is one value; give each element a name", "(u32, u32)");
    argument("a: ()", "an argument is one value", "()");
}

#[test]
fn results_of_another_form_are_refused() {
    let message = "an operation returns Result<T, E>";
    result("", message, "f");
    result("-> u64", message, "u64");
    result("-> Result<u64>", message, "Result<u64>");
    result("-> Option<u64>", message, "Option<u64>");
    result("-> Result<(), Other>", "the interface's error is E", "Other");
    for of in ["&[u8]", "&str", "&'static str", "&mut [u8]"] {
        result(&format!("-> Result<{of}, E>"), "a result is not borrowed", of);
    }
    result("-> Result<(u64, &str), E>", "a result is not borrowed", "&str");
    result("-> Result<(u64, (u8, u8)), E>", "a tuple of results has no tuples", "(u8, u8)");
    result("-> Result<!, E>", "an operation that does not return", "!");
}

#[test]
fn bounds_and_leases_stand_on_what_has_them() {
    argument("#[lend] a: u32", "only bytes are lent", "#[lend]");
    argument("#[lend] a: &str", "text is copied", "&str");
    argument("#[lend] #[lend] a: &[u8]", "given twice", "#[lend]");
    argument("#[lend(1)] a: &[u8]", "expected #[lend] or #[at_most(BYTES)]", "#[lend(1)]");
    argument("#[give] a: u32", "expected #[lend] or #[at_most(BYTES)]", "#[give]");
    argument(
        "/** The time. */ a: u32",
        "arguments are described in the operation's",
        "/** The time. */",
    );
    let message = "only what the client sends has a bound";
    argument("#[at_most(8)] a: u32", message, "#[at_most(8)]");
    argument("#[at_most(8)] a: &mut [u8]", message, "#[at_most(8)]");
    argument("#[at_most] a: &str", "write #[at_most(BYTES)]", "#[at_most]");
    argument("#[at_most = 8] a: &str", "write #[at_most(BYTES)]", "#[at_most = 8]");
    argument("#[at_most(8)] #[at_most(9)] a: &str", "given twice", "#[at_most(9)]");
    argument("#[at_most(0)] a: &str", "a bound is from 1", "0");
    argument("#[at_most(70000)] a: &str", "a bound is from 1", "70000");
    argument("#[at_most(8, A, B)] a: &str", "after the bound there is a variant", ",");
    argument("#[at_most(8, E::A)] a: &str", "after the bound there is a variant", ":");
}

#[test]
fn parts_beyond_a_message_are_refused() {
    let many = |of: &str| ["a", "b", "c", "d", "e"].map(|name| format!("{name}: {of}")).join(", ");
    argument(&many("Memory"), "a message carries at most 4 capabilities", "f");
    argument(&many("&mut [u8]"), "a call lends at most 4 ranges", "f");
    let results = "-> Result<(Memory, Memory, Memory, Memory, Memory), E>";
    result(results, "a message carries at most 4 capabilities", results);
}

#[test]
fn interface_is_a_plain_trait_of_operations() {
    let cases = [
        ("trait Clock<X> {}", "an interface has no generic parameters", "<X>"),
        ("trait Clock<'a> {}", "an interface has no generic parameters", "<'a>"),
        ("trait Clock: Sized {}", "an interface has no supertraits", "Sized"),
        ("trait Clock where u8: Copy {}", "an interface has no where clause", "where u8: Copy"),
        ("unsafe trait Clock {}", "an interface is not unsafe", "unsafe"),
        ("auto trait Clock {}", "an interface is not an auto trait", "auto"),
        ("#[must_use] trait Clock {}", "an interface has no other attributes", "#[must_use]"),
        (
            "trait Clock { const N: u32; }",
            "an interface consists of operations only",
            "const N: u32;",
        ),
        ("trait Clock { type N; }", "an interface consists of operations only", "type N;"),
        ("trait Clock { m!(); }", "an interface consists of operations only", "m!();"),
        ("struct Clock;", "#[interface] stands on a trait", "struct"),
        ("impl Clock {}", "#[interface] stands on a trait", "impl"),
    ];
    for (item, message, place) in cases {
        assert_one(&errors_of(ATTRIBUTE, item), message, place, item);
    }
    let public = "trait Clock { #[operation(1)] pub fn f(&mut self) -> Result<(), E>; }";
    let whole = "#[operation(1)] pub fn f(&mut self) -> Result<(), E>;";
    assert_one(&errors_of(ATTRIBUTE, public), "an interface consists of", whole, public);
}

#[test]
fn attribute_of_an_interface_has_number_and_error_once() {
    let cases = [
        ("", "write #[interface(number = N, error = E)]", ""),
        ("number = 1", "write #[interface(number = N, error = E)]", ""),
        ("error = E", "write #[interface(number = N, error = E)]", ""),
        ("number = 1, error = E, speed = 3", "expected `number` or `error`", "speed"),
        ("number = 1, number = 2, error = E", "given twice", "number = 2"),
        ("number = N, error = E", "the number is written out", "N"),
        ("number = \"1\", error = E", "the number is written out", "\"1\""),
    ];
    for (attribute, message, place) in cases {
        assert_one(&errors_of(attribute, "trait Clock {}"), message, place, attribute);
    }
}

#[test]
fn all_errors_are_shown_at_once() {
    let item = "trait Clock {
        #[operation(0)] fn f(&self, a: Option<u8>, b: u128) -> Result<(), Other>;
        fn g(&mut self) -> Result<(String, &str), E>;
        const N: u32;
    }";
    let places: Vec<String> =
        errors_of(ATTRIBUTE, item).into_iter().map(|(_, place)| place).collect();
    let expected =
        ["&self", "Option<u8>", "u128", "0", "Other", "g", "String", "&str", "const N: u32;"];
    assert_eq!(places, expected);
}
