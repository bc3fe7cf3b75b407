//! Tests of `top` and `ps`: what they show is what runs.

use crate::case::{Case, Step};

/// A share of the processor that a row of the table must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The program; "" stands for all of them, the heading's "busy".
    pub name: &'static str,
    /// Least and most per cent.
    pub percent: (u32, u32),
}

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    let share = |name, least, most| Share { name, percent: (least, most) };
    vec![
        Case::line(
            "top: a program that spins has the processor",
            "crash spin & /bin/top -b -n 2; kill $!",
        )
        .shares(&[share("", 90, 100), share("crash", 80, 100), share("console", 0, 5)]),
        Case::line("top: an idle system is idle", "/bin/top -b -n 2").shares(&[
            share("", 0, 25),
            share("init", 0, 5),
            share("ramfs", 0, 5),
            share("unix", 0, 5),
            share("shell", 0, 5),
        ]),
        Case::program("top: a wrong option is told", &["top", "-n", "0"])
            .mentions(&["top: 0 is no number", "usage: top"])
            .exits(2),
        Case::terminal(
            "top: keys choose, kill and leave",
            &[
                see("kamen:"),
                keys("top\r"),
                see("% busy"),
                see("RESTARTS NAME"),
                keys("\x1b[B\x1b[A\x1b[Aq"),
                see("kamen:"),
                keys("hello\r"),
                see("hello from kamen"),
                keys("ps\r"),
                see("QUOTA KiB RESTARTS"),
                see("console"),
                keys("exit 3\r"),
            ],
        )
        .exits(3),
    ]
}

/// Returns what is wrong with the last table of an output, if anything.
pub fn complaint(shares: &[Share], output: &str) -> Option<String> {
    let wrong = shares.iter().find_map(|share| wrong(share, output).err())?;
    Some(format!("{wrong} in:\n{output}"))
}

fn wrong(share: &Share, output: &str) -> Result<(), String> {
    let (_, table) = output.rsplit_once("\nup ").or(output.split_once("up ")).ok_or("no table")?;
    let (heading, rows) = table.split_once('\n').ok_or("no rows")?;
    let (head, rows) = rows.split_once('\n').ok_or("no rows")?;
    let columns = ["PID", "PERSONALITY", "STATE", "CPU%", "MEM", "KiB", "QUOTA", "KiB", "MSG/S"];
    if !head.split_whitespace().take(columns.len()).eq(columns) {
        return Err(format!("odd columns {head:?}"));
    }
    let found = match share.name {
        "" => heading.split_whitespace().nth(2).ok_or("no heading")?,
        name => {
            let row = |row: &&str| row.split_whitespace().nth(8) == Some(name);
            let row = rows.lines().find(row).ok_or_else(|| format!("no row of {name:?}"))?;
            row.split_whitespace().nth(3).ok_or("a row without share")?
        }
    };
    let found: f64 = found.parse().map_err(|_| format!("{found:?} is no share"))?;
    let (least, most) = share.percent;
    let name = share.name;
    let is_within = found >= f64::from(least) && found <= f64::from(most);
    if is_within { Ok(()) } else { Err(format!("{name:?} has {found} %, not {least} to {most}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
up 1 s, 5.0 % busy, 1 of 2 KiB in use
  PID PERSONALITY STATE     CPU%  MEM KiB QUOTA KiB    MSG/S RESTARTS NAME
    9 native      running    5.0        4         8        1        - top
up 2 s, 97.5 % busy, 1 of 2 KiB in use
  PID PERSONALITY STATE     CPU%  MEM KiB QUOTA KiB    MSG/S RESTARTS NAME
    8 native      running   97.0        4         8        1        - crash
    9 native      running    0.5        4         8        1        - top
";

    #[test]
    fn the_last_table_counts() {
        let share = |name, least, most| [Share { name, percent: (least, most) }];
        assert_eq!(complaint(&share("", 90, 100), OUTPUT), None);
        assert_eq!(complaint(&share("top", 0, 1), OUTPUT), None);
        assert!(complaint(&share("top", 1, 9), OUTPUT).unwrap().contains("0.5 %, not 1 to 9"));
        assert!(complaint(&share("sh", 0, 1), OUTPUT).unwrap().contains("no row"));
        assert!(complaint(&share("", 0, 1), "").unwrap().contains("no table"));
    }
}
