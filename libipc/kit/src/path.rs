//! Absolute paths from what a person typed.

use alloc::vec::Vec;

/// Returns the absolute path that `path` stands for in the working directory `cwd`: without empty
/// components, "." and "..". Purely textual, so that ".." undoes a symbolic link's name, as in
/// `cd` of POSIX shells.
pub fn absolute(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    let mut components: Vec<&[u8]> = Vec::new();
    let base: &[u8] = if path.starts_with(b"/") { b"" } else { cwd };
    for component in base.split(slash).chain(path.split(slash)) {
        match component {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    let mut absolute = Vec::new();
    for component in components {
        absolute.push(b'/');
        absolute.extend_from_slice(component);
    }
    if absolute.is_empty() {
        absolute.push(b'/');
    }
    absolute
}

/// Returns the last component of a path, empty for "/".
pub fn name(path: &[u8]) -> &[u8] {
    path.rsplit(slash).find(|component| !component.is_empty()).unwrap_or(b"")
}

fn slash(byte: &u8) -> bool {
    *byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn join(cwd: &str, path: &str) -> String {
        String::from_utf8(absolute(cwd.as_bytes(), path.as_bytes())).unwrap()
    }

    #[test]
    fn relative_paths_begin_at_the_working_directory() {
        assert_eq!(join("/home/me", "a/b"), "/home/me/a/b");
        assert_eq!(join("/home/me", "../you"), "/home/you");
        assert_eq!(join("/home/me/", "."), "/home/me");
        assert_eq!(join("/", "x"), "/x");
    }

    #[test]
    fn absolute_paths_are_cleaned() {
        assert_eq!(join("/home", "//a//./b/"), "/a/b");
        assert_eq!(join("/home", "/../.."), "/");
        assert_eq!(join("/home", ""), "/home");
    }

    #[test]
    fn names_are_last_components() {
        assert_eq!(name(b"/bin/ls"), b"ls");
        assert_eq!(name(b"ls/"), b"ls");
        assert_eq!(name(b"/"), b"");
    }
}
