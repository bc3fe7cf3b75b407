//! What a campaign saw, as lines, and whether all is well.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::Kind;
use crate::conduct::Quiet;
use crate::sheet::{Server, Sheet};
use crate::tally::Tally;

/// What a script left.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScriptSeen {
    /// Its name.
    pub name: &'static str,
    /// Rounds that it finished.
    pub rounds: u64,
    /// What was not as it must be, with what the programs said.
    pub wrong: String,
}

/// What a campaign saw.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Where the dice began.
    pub seed: u64,
    /// How many kills were ordered.
    pub ordered: u64,
    /// The kills.
    pub kills: Sheet,
    /// How long it took.
    pub seconds: u64,
    /// What native clients saw, by kind.
    pub tallies: [Tally; Kind::ALL.len()],
    /// Native clients that did not report.
    pub silent: u64,
    /// What the scripts left.
    pub scripts: Vec<ScriptSeen>,
    /// Clients that did not end well, and how.
    pub hung: Vec<String>,
    /// What was in use before.
    pub before: Quiet,
    /// And after.
    pub after: Quiet,
}

impl Verdict {
    fn killed(&self) -> u64 {
        Server::ALL.iter().map(|&server| self.kills.kills(server)).sum()
    }

    fn sum(&self) -> Tally {
        self.tallies.iter().fold(Tally::default(), |sum, tally| sum.and(*tally))
    }

    /// Returns whether all is well.
    pub fn is_good(&self) -> bool {
        self.killed() == self.ordered
            && self.sum().is_good()
            && self.silent == 0
            && self.hung.is_empty()
            && self.scripts.iter().all(|script| script.rounds > 0 && script.wrong.is_empty())
            && self.tallies.iter().all(|tally| tally.idempotent > 0)
            && self.before == self.after
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = self.sum();
        writeln!(f, "campaign: seed {}, {} s", self.seed, self.seconds)?;
        write!(f, "kills: {}", self.killed())?;
        for server in Server::ALL {
            write!(f, ", {} {}", server.name(), self.kills.kills(server))?;
        }
        writeln!(f)?;
        for (kind, tally) in Kind::ALL.iter().zip(&self.tallies) {
            writeln!(f, "calls of {}: {tally}", kind.server().name())?;
        }
        for script in &self.scripts {
            writeln!(f, "script {}: {} rounds", script.name, script.rounds)?;
            script.wrong.lines().try_for_each(|line| writeln!(f, "  wrong: {line}"))?;
        }
        self.hung.iter().try_for_each(|line| writeln!(f, "client: {line}"))?;
        writeln!(f, "idempotent calls lost: {}", sum.lost)?;
        writeln!(f, "Restarted: {} calls, without a kill: {}", sum.restarted, sum.unearned)?;
        writeln!(f, "wrong answers: {}", sum.wrong)?;
        writeln!(f, "hangs: {}, clients without report: {}", sum.hangs, self.silent)?;
        writeln!(f, "longest wait: {} us", sum.longest_us)?;
        writeln!(f, "before: {}", self.before)?;
        writeln!(f, "after:  {}", self.after)?;
        writeln!(f, "verdict: {}", if self.is_good() { "good" } else { "BAD" })
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quiet { free, charged, objects, handles, blocks, inodes } = self;
        write!(f, "{free} pages free, {charged} charged, {objects} units of objects, ")?;
        write!(f, "{handles} handles of init; ")?;
        write!(f, "free in the file system: {blocks} blocks, {inodes} inodes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn good() -> Verdict {
        let tally = Tally { idempotent: 9, others: 2, restarted: 1, ..Tally::default() };
        let script = ScriptSeen { name: "files", rounds: 3, wrong: String::new() };
        Verdict { tallies: [tally; 4], scripts: vec![script], ..Verdict::default() }
    }

    #[test]
    fn every_fault_spoils_the_verdict() {
        assert!(good().is_good());
        let spoilt: [fn(&mut Verdict); 9] = [
            |verdict| verdict.ordered = 1,
            |verdict| verdict.tallies[1].lost = 1,
            |verdict| verdict.tallies[2].unearned = 1,
            |verdict| verdict.tallies[3].idempotent = 0,
            |verdict| verdict.silent = 1,
            |verdict| verdict.hung.push("n1 hangs".into()),
            |verdict| verdict.scripts[0].wrong.push('x'),
            |verdict| verdict.scripts[0].rounds = 0,
            |verdict| verdict.after.handles = 1,
        ];
        for spoil in spoilt {
            let mut verdict = good();
            spoil(&mut verdict);
            assert!(!verdict.is_good(), "{verdict}");
            assert!(verdict.to_string().ends_with("verdict: BAD\n"));
        }
    }
}
