//! Paths: drives, current directories, and the way from a program's text to a file.
//!
//! [`Target`] is what a path names: a device, or an entry of a directory that may or may not
//! exist. A component is looked for as the program spelled it, in small letters, in capitals, and
//! then among the directory's short names. What is created gets the name as the program spelled
//! it, cut to 8.3 only where it is a pattern's result.

use alloc::vec::Vec;

use super::country::upper_case;
use super::names::{ShortName, assign};
use super::{DosError, Refusal};
use crate::FarPointer;
use crate::host::{Attributes, Drive, FileTree, Host, HostError, Node, NodeKind};
use crate::session::Session;

/// Bytes of the longest path that is read from a program, its 0 among them (RBIL INT 21/AH=60).
pub const PATH_MAX: usize = 128;
/// The same of functions 71xx (RBIL INT 21/AX=71A0).
pub const LONG_PATH_MAX: usize = 260;
/// Longest path of a current directory, `C:\` among it: AH=47 has room for no longer one (MS-DOS 4.0's
/// PATH.ASM, Check_PathLen: 67 with the 0).
pub const DIRECTORY_MAX: usize = 66;

/// A drive and its current directory.
#[derive(Clone, Debug)]
pub struct DriveState {
    /// 0 is A.
    pub number: u8,
    /// The root directory.
    pub root: Node,
    /// The current directory, from the root.
    pub directory: Vec<Component>,
    /// The drive as the host has it.
    pub host: Drive,
    /// The volume's label, where it has one.
    pub label: Option<ShortName>,
    /// The path of the directory of another drive that it stands for.
    pub substitute: Option<Vec<u8>>,
}

impl DriveState {
    /// Returns the state of a drive at its root.
    pub fn new(host: Drive) -> DriveState {
        let mut label = *b"KAMEN_C    ";
        label[6] = b'A' + host.number;
        let (number, root, label) = (host.number, host.root, Some(ShortName(label)));
        DriveState { number, root, directory: Vec::new(), host, label, substitute: None }
    }

    /// Returns the path of its root, without a backslash at the end.
    fn root_path(&self) -> Vec<u8> {
        let substitute = self.substitute.as_deref();
        let path = substitute.map(|path| path.strip_suffix(b"\\").unwrap_or(path));
        path.map_or_else(|| alloc::vec![b'A' + self.number, b':'], <[u8]>::to_vec)
    }

    /// Returns a path on it as it is where it stands for another drive's directory.
    pub(super) fn true_path(&self, names: &[ShortName]) -> Vec<u8> {
        let mut text = self.root_path();
        text.push(b'\\');
        text.extend(names.iter().map(ShortName::text).collect::<Vec<_>>().join(&b'\\'));
        text
    }
}

/// A directory on the way to the current one.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its short name.
    pub name: ShortName,
    /// Its node.
    pub node: Node,
    /// Its name on the host.
    pub host_name: Vec<u8>,
}

/// A character device by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceName {
    /// CON.
    Console,
    /// NUL.
    Null,
    /// AUX, COM1 to COM4.
    Auxiliary,
    /// PRN, LPT1 to LPT3.
    Printer,
    /// CLOCK$.
    Clock,
}

impl DeviceName {
    /// Returns the device's name.
    pub fn name(self) -> ShortName {
        ShortName::parse(match self {
            DeviceName::Console => b"CON",
            DeviceName::Null => b"NUL",
            DeviceName::Auxiliary => b"AUX",
            DeviceName::Printer => b"PRN",
            DeviceName::Clock => b"CLOCK$",
        })
    }
}

/// How names are spelled that a function makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spelling {
    /// Cut to 8.3.
    #[default]
    Short,
    /// As they are: functions 71xx.
    Long,
}

/// A directory entry that a path names, existing or not.
#[derive(Clone, Debug)]
pub struct Place {
    /// The drive.
    pub drive: u8,
    /// The directory.
    pub directory: Node,
    /// The last component as the program spelled it; the host's spelling where it exists.
    pub name: Vec<u8>,
    /// Its short name, or pattern.
    pub short: ShortName,
    /// What is there.
    pub found: Option<Attributes>,
}

/// What a path names.
#[derive(Clone, Debug)]
pub enum Target {
    /// A device.
    Device(DeviceName),
    /// The root directory of a drive.
    Root(Node),
    /// An entry.
    Place(Place),
}

/// A path taken apart.
struct Parsed {
    drive: Option<u8>,
    absolute: bool,
    components: Vec<Vec<u8>>,
}

impl<H: Host> Session<H> {
    /// Returns a zero-terminated string.
    pub(crate) fn read_string(&self, at: FarPointer, most: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let mut place = at;
        while text.len() < most {
            match self.bus.read8(place) {
                0 => break,
                byte => text.push(byte),
            }
            place = place.add(1);
        }
        text
    }

    /// Returns a program's path.
    ///
    /// # Errors
    /// `PathNotFound` where it is longer than functions of the current spelling read: cut, it would name
    /// something else.
    pub(super) fn path_at(&self, at: FarPointer) -> Result<Vec<u8>, DosError> {
        let most = match self.dos.spelling {
            Spelling::Short => PATH_MAX,
            Spelling::Long => LONG_PATH_MAX,
        };
        let path = self.read_string(at, most);
        if path.len() < most { Ok(path) } else { Err(DosError::PathNotFound) }
    }

    /// Returns what the path at DS:DX names.
    pub(super) fn target_at_ds_dx(&mut self) -> Result<Target, Refusal> {
        let path = self.path_at(self.ds_dx())?;
        self.target(&path)
    }

    /// Returns what a path names.
    pub(super) fn target(&mut self, path: &[u8]) -> Result<Target, Refusal> {
        let parsed = parse(path);
        let (drive, mut walked, root) = self.start_of(&parsed)?;
        if let Some((last, directories)) = parsed.components.split_last()
            && let Some(device) = device(last)
        {
            // The directory "\DEV" is there for devices, everything else must exist.
            let [directory] = directories else {
                self.descend_all(&mut walked, root, directories)?;
                return Ok(Target::Device(device));
            };
            if !directory.eq_ignore_ascii_case(b"DEV") {
                self.descend(&mut walked, root, directory)?;
            }
            return Ok(Target::Device(device));
        }
        let Some((last, directories)) = parsed.components.split_last() else {
            return match (path.is_empty(), walked.pop()) {
                (true, _) => Err(DosError::PathNotFound.into()),
                (false, None) => Ok(Target::Root(root)),
                (false, Some(here)) => self.target_of_directory(drive, root, walked, here),
            };
        };
        self.descend_all(&mut walked, root, directories)?;
        if is_dots(last) {
            self.descend(&mut walked, root, last)?;
            return match walked.pop() {
                None => Ok(Target::Root(root)),
                Some(here) => self.target_of_directory(drive, root, walked, here),
            };
        }
        let directory = walked.last().map_or(root, |component| component.node);
        let short = ShortName::parse(last);
        let (name, found) = match self.find_entry(directory, last) {
            Ok((name, attributes)) => (name, Some(attributes)),
            Err(HostError::NotFound) => (self.new_name(last), None),
            Err(HostError::NotDirectory) => return Err(DosError::PathNotFound.into()),
            Err(error) => return Err(error.into()),
        };
        Ok(Target::Place(Place { drive, directory, name, short, found }))
    }

    /// Returns the name that something new gets.
    fn new_name(&self, spelled: &[u8]) -> Vec<u8> {
        let is_kept = self.dos.spelling == Spelling::Long
            || ShortName::fitting(spelled).is_some()
            || spelled.iter().any(|byte| matches!(byte, b'*' | b'?'));
        if is_kept { spelled.to_vec() } else { ShortName::parse(spelled).text() }
    }

    /// Returns the existing entry that a path names.
    pub(super) fn existing(&mut self, path: &[u8]) -> Result<(Place, Attributes), Refusal> {
        match self.target(path)? {
            Target::Place(place) => match place.found {
                Some(attributes) => Ok((place, attributes)),
                None => Err(DosError::FileNotFound.into()),
            },
            Target::Root(..) | Target::Device(_) => Err(DosError::AccessDenied.into()),
        }
    }

    /// Returns the drive and the components from its root of an existing directory.
    pub(super) fn directory(&mut self, path: &[u8]) -> Result<(u8, Vec<Component>), Refusal> {
        let parsed = parse(path);
        let (drive, mut walked, root) = self.start_of(&parsed)?;
        for component in &parsed.components {
            self.descend(&mut walked, root, component)?;
        }
        Ok((drive, walked))
    }

    /// Returns a full path in capitals, as AH=60 and the environment give it.
    pub(crate) fn true_name(&mut self, path: &[u8]) -> Result<Vec<u8>, Refusal> {
        let parsed = parse(path);
        if let Some(name) = parsed.components.last().filter(|name| device(name).is_some()) {
            let drive = parsed.drive.unwrap_or(self.dos.drive);
            let mut text = alloc::vec![b'A' + drive, b':', b'/'];
            text.extend(ShortName::parse(name).text());
            return Ok(text);
        }
        let (drive, mut walked, root) = self.start_of(&parsed)?;
        let mut missing = Vec::new();
        for component in &parsed.components {
            match component.as_slice() {
                b"." => {}
                b".." if missing.pop().is_some() => {}
                name if missing.is_empty() && self.step(&mut walked, root, name)? => {}
                b".." => return Err(DosError::PathNotFound.into()),
                name => missing.push(ShortName::parse(name)),
            }
        }
        let found = walked.iter().map(|component| component.name);
        let names: Vec<ShortName> = found.chain(missing).collect();
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        Ok(state.map_or_else(|| path_text(drive, &names), |state| state.true_path(&names)))
    }

    /// Returns the short names from the root of a drive to its current directory.
    pub(crate) fn current_directory(&self, drive: u8) -> Result<Vec<u8>, DosError> {
        let drive = self.dos.drives.iter().find(|known| known.number == drive);
        let drive = drive.ok_or(DosError::InvalidDrive)?;
        let names: Vec<ShortName> = drive.directory.iter().map(|part| part.name).collect();
        Ok(path_text(drive.number, &names)[3..].to_vec())
    }

    /// Returns host name and attributes of an entry, by a program's spelling.
    pub(super) fn find_entry(
        &mut self,
        directory: Node,
        spelled: &[u8],
    ) -> Result<(Vec<u8>, Attributes), HostError> {
        if spelled.contains(&b'?') || spelled.contains(&b'*') {
            return Err(HostError::NotFound);
        }
        for name in [spelled.to_vec(), spelled.to_ascii_lowercase(), spelled.to_ascii_uppercase()] {
            match self.tree().lookup(directory, &name) {
                Ok(found) if found.kind != NodeKind::Other => return Ok((name, found)),
                Ok(_) | Err(HostError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let short = ShortName::parse(spelled);
        let entries = assign(self.tree().list(directory)?);
        let same = |name: &[u8]| {
            let capitals = |text: &[u8]| text.iter().map(|byte| upper_case(*byte)).collect();
            let (left, right): (Vec<u8>, Vec<u8>) = (capitals(name), capitals(spelled));
            left == right
        };
        let place = entries.iter().position(|(_, entry)| same(&entry.name));
        let place = place.or_else(|| entries.iter().position(|(name, _)| *name == short));
        let (_, entry) = entries
            .into_iter()
            .nth(place.ok_or(HostError::NotFound)?)
            .ok_or(HostError::NotFound)?;
        let attributes = self.tree().lookup(directory, &entry.name)?;
        Ok((entry.name, attributes))
    }

    /// Makes a directory of the host the current one, and its drive; returns whether one has it.
    pub(super) fn enter_host_directory(&mut self, path: &[u8]) -> bool {
        let Ok((drive, directory)) = self.directory(&self.spelled(path)) else { return false };
        self.set_directory(drive, directory);
        self.dos.drive = drive;
        true
    }

    /// Returns a path as DOS spells it: an absolute one of the host with its drive.
    pub(super) fn spelled(&self, path: &[u8]) -> Vec<u8> {
        let drives: Vec<Drive> = self.dos.drives.iter().map(|state| state.host.clone()).collect();
        let spelled = path.starts_with(b"/").then(|| Drive::spell(&drives, path)).flatten();
        super::tree::from_host(&spelled.unwrap_or_else(|| path.to_vec()))
    }

    /// Sets a drive's current directory.
    pub(super) fn set_directory(&mut self, drive: u8, directory: Vec<Component>) {
        if let Some(state) = self.dos.drives.iter_mut().find(|state| state.number == drive) {
            let names: Vec<ShortName> = directory.iter().map(|part| part.name).collect();
            let (path, root) = (state.true_path(&names), state.root_path().len() as u16);
            super::tables::write_directory(&mut self.bus, drive, &path, root);
            state.directory = directory;
        }
    }

    fn start_of(&self, parsed: &Parsed) -> Result<(u8, Vec<Component>, Node), DosError> {
        let number = parsed.drive.unwrap_or(self.dos.drive);
        let state = self.dos.drives.iter().find(|state| state.number == number);
        let state = state.ok_or(DosError::PathNotFound)?;
        let walked = if parsed.absolute { Vec::new() } else { state.directory.clone() };
        Ok((number, walked, state.root))
    }

    fn descend_all(
        &mut self,
        walked: &mut Vec<Component>,
        root: Node,
        components: &[Vec<u8>],
    ) -> Result<(), Refusal> {
        components.iter().try_for_each(|component| self.descend(walked, root, component))
    }

    /// Goes to a directory by name, or up.
    fn descend(
        &mut self,
        walked: &mut Vec<Component>,
        root: Node,
        component: &[u8],
    ) -> Result<(), Refusal> {
        let mut there = walked.clone();
        if !self.step(&mut there, root, component)? {
            return Err(DosError::PathNotFound.into());
        }
        let is_directory = match there.last() {
            Some(last) => self.host.files().attributes(last.node)?.kind == NodeKind::Directory,
            None => true,
        };
        if !is_directory {
            return Err(DosError::PathNotFound.into());
        }
        *walked = there;
        Ok(())
    }

    /// Goes to an entry by name, or up; returns whether it exists.
    fn step(
        &mut self,
        walked: &mut Vec<Component>,
        root: Node,
        component: &[u8],
    ) -> Result<bool, Refusal> {
        match component {
            b"." => return Ok(true),
            b".." => return Ok(walked.pop().is_some()),
            _ => {}
        }
        let directory = walked.last().map_or(root, |component| component.node);
        let (name, found) = match self.find_entry(directory, component) {
            Ok(found) => found,
            Err(HostError::NotFound | HostError::NotDirectory) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let short = match ShortName::fitting(&name) {
            Some(short) => short,
            None => self.short_name_of(directory, &name)?,
        };
        walked.push(Component { name: short, node: found.node, host_name: name });
        Ok(true)
    }

    fn short_name_of(&mut self, directory: Node, name: &[u8]) -> Result<ShortName, Refusal> {
        let entries = assign(self.tree().list(directory)?);
        let found = entries.iter().find(|(_, entry)| entry.name == name);
        Ok(found.map_or_else(|| ShortName::parse(name), |(short, _)| *short))
    }

    fn target_of_directory(
        &mut self,
        drive: u8,
        root: Node,
        above: Vec<Component>,
        here: Component,
    ) -> Result<Target, Refusal> {
        let directory = above.last().map_or(root, |component| component.node);
        let found = self.host.files().attributes(here.node)?;
        let name = here.host_name;
        Ok(Target::Place(Place { drive, directory, name, short: here.name, found: Some(found) }))
    }
}

/// Returns the device of a file name, whatever its extension.
pub fn device(name: &[u8]) -> Option<DeviceName> {
    let short = ShortName::parse(name);
    Some(match &short.0[..8] {
        b"CON     " => DeviceName::Console,
        // EMMXXXX0, which programs open to see whether there is EMS, does as little.
        b"NUL     " | b"EMMXXXX0" => DeviceName::Null,
        b"AUX     " | b"COM1    " | b"COM2    " | b"COM3    " | b"COM4    " => {
            DeviceName::Auxiliary
        }
        b"PRN     " | b"LPT1    " | b"LPT2    " | b"LPT3    " => DeviceName::Printer,
        b"CLOCK$  " => DeviceName::Clock,
        _ => return None,
    })
}

fn is_dots(name: &[u8]) -> bool {
    matches!(name, b"." | b"..")
}

fn parse(path: &[u8]) -> Parsed {
    let (drive, rest) = match path {
        [letter, b':', rest @ ..] => (Some(letter.to_ascii_uppercase().wrapping_sub(b'A')), rest),
        rest => (None, rest),
    };
    let is_separator = |byte: &u8| matches!(byte, b'\\' | b'/');
    let absolute = rest.first().is_some_and(is_separator);
    let parts = rest.split(is_separator).filter(|part| !part.is_empty());
    Parsed { drive, absolute, components: parts.map(<[u8]>::to_vec).collect() }
}

/// Returns `C:\NAME\NAME`.
pub(super) fn path_text(drive: u8, names: &[ShortName]) -> Vec<u8> {
    let mut text = alloc::vec![b'A' + drive, b':', b'\\'];
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            text.push(b'\\');
        }
        text.extend(name.text());
    }
    text
}
