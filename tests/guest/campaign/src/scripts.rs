//! What the UNIX and DOS clients do: scripts for busybox's shell.
//!
//! A round ends with a line in its own file; whatever is not as it must be goes to another file,
//! with what the programs said. They look for the file [`STOP`] after each round.

use alloc::format;
use alloc::string::String;

/// The folder of everything.
pub const FOLDER: &str = "/tmp/campaign";
/// The name of the file whose existence ends the scripts, in [`FOLDER`].
pub const STOP: &str = "stop";

/// Kinds of scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// Files: writes, reads, renames, links, lists, compares checksums.
    Files,
    /// Pipes between UNIX programs, and lines on the console.
    Pipes,
    /// DOS programs, in pipes with UNIX ones, and on files.
    Dos,
}

impl Script {
    /// All of them.
    pub const ALL: [Script; 3] = [Script::Files, Script::Pipes, Script::Dos];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Script::Files => "files",
            Script::Pipes => "pipes",
            Script::Dos => "dos",
        }
    }

    /// Returns the text for `sh -c`.
    pub fn text(self) -> String {
        let name = self.name();
        let round = match self {
            Script::Files => FILES,
            Script::Pipes => PIPES,
            Script::Dos => DOS,
        };
        format!(
            "exec 3>&1 </dev/null >>{FOLDER}/{name}.wrong 2>&1\n\
             mkdir {FOLDER}/{name} && cd {FOLDER}/{name} || exit 9\n\
             bad() {{ echo \"round $i: $*\"; }}\n\
             i=0\n\
             while [ ! -e {FOLDER}/{STOP} ]; do\n\
             i=$((i + 1))\n\
             {round}\n\
             echo $i > {FOLDER}/{name}.rounds || bad rounds\n\
             done\n\
             cd / && rm -r {FOLDER}/{name}\n"
        )
    }
}

const FILES: &str = r#"
seq $i $((i + 300)) > a || bad write a
[ "$(wc -l < a)" = 301 ] || bad lines of a
sum=$(md5sum < a)
mv a b || bad rename
[ -e a ] && bad a is still there
cp b c || bad copy
cmp b c || bad copy differs
ln b d || bad link
ln -s c e || bad symlink
[ "$(md5sum < e)" = "$sum" ] || bad sum through link
[ "$(echo *)" = "b c d e" ] || bad list "$(echo *)"
mkdir f && rmdir f || bad directory
echo more >> c || bad append
[ "$(tail -n 1 c)" = more ] || bad appended
rm b c d e || bad remove
[ "$(ls)" = "" ] || bad left "$(ls)"
"#;

/// The first round asks for the state of the console, which the personality watches from then on: else
/// it would from the first line that the console can't take, in the warm-up or later.
const PIPES: &str = r#"
[ $i -gt 1 ] || read -t 1 nothing <&3
[ "$(seq 1 500 | sort -rn | head -n 1)" = 500 ] || bad sort
[ "$(seq 1 200 | grep 7 | wc -l)" = 38 ] || bad grep
echo "unix line $i" >&3 || bad console
[ "$(ls /bin/busybox)" = /bin/busybox ] || bad ls
"#;

const DOS: &str = r#"
[ "$(printf 'c\nb\na\n' | /dos/SORTER.COM | tr -d '\r' | tr '\n' ' ')" = "a b c " ] || bad sorter
seq 1 50 > in.txt || bad in
/dos/COPYFILE.COM in.txt out.txt || bad copyfile
cmp in.txt out.txt || bad copy differs
rm in.txt out.txt || bad remove
[ "$(/dos/HELLO.COM | wc -l)" = 1 ] || bad hello
/dos/EXITCODE.COM 7
[ $? = 7 ] || bad exit code
/dos/SEEKER.COM | grep -q ABC || bad seeker
"#;

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn scripts_are_short_enough_for_an_argument() {
        for script in Script::ALL {
            assert!(script.text().len() < 4096, "{}", script.name());
        }
    }
}
