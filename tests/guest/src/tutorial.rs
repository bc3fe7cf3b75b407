//! The tutorial's servers in QEMU (tests/tutorial); what must come out is what the book shows.
//!
//! ```text
//!   docs/tutorial/outputs/*.txt ──┬── include ──> the book's pages
//!                                 └── expected here
//! ```

use crate::case::{Case, Step};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let program = |name: &str, words: &[&str]| {
        Case::program(&format!("tutorial: {name}"), &[&["tutorial"], words].concat())
    };
    let restart = include_str!("../../../docs/tutorial/outputs/restart.txt");
    vec![
        program("an operation that was added is called", &["count"])
            .prints(include_str!("../../../docs/tutorial/outputs/count.txt")),
        program("a reply is deferred until its time has come", &["sleep", "200"])
            .prints(include_str!("../../../docs/tutorial/outputs/sleep.txt")),
        program("memory is lent for a call", &["sum", "Wikipedia"])
            .prints(include_str!("../../../docs/tutorial/outputs/sum.txt"))
            .logs(&["checksum-client: 4 sums over the ring are those of lent memory"]),
        Case::terminal("tutorial: a tally survives its server", &session(restart)),
    ]
}

/// Returns what a person did at the native shell, of whose screen this is the text: what stands
/// behind a prompt was typed.
fn session(screen: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in screen.lines() {
        match line.split_once("> ").filter(|_| line.starts_with("kamen:")) {
            Some((prompt, typed)) => {
                steps.extend([Step::See(format!("{prompt}> ")), Step::Type(format!("{typed}\r"))]);
            }
            // Process numbers are as many as there are servers at the time.
            None => match line.split_once(" pid ") {
                Some((before, _)) => steps.push(Step::See(format!("{before} pid "))),
                None => steps.push(Step::See(line.to_owned())),
            },
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::session;
    use crate::case::Step;

    #[test]
    fn what_stands_behind_a_prompt_is_typed() {
        let (see, keys) =
            (|text: &str| Step::See(text.into()), |text: &str| Step::Type(text.into()));
        let steps = session("kamen:/> hello\nit is pid 12\nkamen:/> poweroff\n");
        let expected = [
            see("kamen:/> "),
            keys("hello\r"),
            see("it is pid "),
            see("kamen:/> "),
            keys("poweroff\r"),
        ];
        assert_eq!(steps, expected);
    }
}
