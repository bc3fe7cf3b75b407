//! Loading of the boot archive: its entries become the tree, their contents stay where they are.

use kamen_kit::cpio;

use crate::inodes::{Inode, New};
use crate::layout::Field;
use crate::store::Store;
use crate::tree::Place;
use crate::volume::Volume;
use protocols::file::{FileError, Node, mode};

/// Why the boot archive could not be loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The archive is malformed.
    Malformed(cpio::Malformed),
    /// The file system refused an entry.
    Refused(FileError),
}

impl From<FileError> for LoadError {
    fn from(error: FileError) -> Self {
        LoadError::Refused(error)
    }
}

/// How many nanoseconds a second has.
const SECOND: u64 = 1_000_000_000;

impl<S: Store> Volume<'_, S> {
    /// Adds what the archive holds and the tree does not, if the archive is not loaded yet.
    /// Cut short, it can be repeated. Returns how many entries were added.
    ///
    /// # Errors
    /// [`LoadError`]; what was loaded until then stays.
    pub fn load(&mut self) -> Result<usize, LoadError> {
        let archive = self.archive;
        let mut count = 0;
        if !self.is_loading() {
            return Ok(count);
        }
        for entry in cpio::Archive::new(archive).entries() {
            let entry = entry.map_err(LoadError::Malformed)?;
            count += usize::from(self.load_entry(archive, &entry)?);
        }
        self.loaded();
        Ok(count)
    }

    /// Adds one entry; returns whether it is new.
    fn load_entry(&mut self, archive: &[u8], entry: &cpio::Entry<'_>) -> Result<bool, FileError> {
        let mut directory = self.root().node;
        let mut parts = entry.path.split(|&byte| byte == b'/').filter(|part| is_name(part));
        let Some(mut name) = parts.next() else { return self.load_root(entry) };
        for next in parts {
            directory = self.directory_for(Place { directory, name })?;
            name = next;
        }
        let place = Place { directory, name };
        match self.lookup(place) {
            Ok(_) => Ok(false),
            Err(FileError::NotFound) => self.load_new(place, archive, entry).map(|()| true),
            Err(error) => Err(error),
        }
    }

    /// The root exists already: it takes the entry's permissions.
    fn load_root(&mut self, entry: &cpio::Entry<'_>) -> Result<bool, FileError> {
        let change = crate::tree::Change {
            which: protocols::file::set::MODE | protocols::file::set::MODIFIED,
            mode: entry.mode,
            uid: 0,
            gid: 0,
            modified: u64::from(entry.modified_s) * SECOND,
        };
        let root = self.root().node;
        self.set_attributes(root, change, change.modified).map(|_| true)
    }

    /// Returns the directory of a name, made where the archive has no entry for it.
    fn directory_for(&mut self, place: Place<'_>) -> Result<Node, FileError> {
        let new = New { mode: mode::DIRECTORY | 0o755, uid: 0, gid: 0, device: 0, now: 0 };
        match self.lookup(place) {
            Ok(attributes) => Ok(attributes.node),
            Err(FileError::NotFound) => self.create(place, new).map(|made| made.node),
            Err(error) => Err(error),
        }
    }

    fn load_new(
        &mut self,
        place: Place<'_>,
        archive: &[u8],
        entry: &cpio::Entry<'_>,
    ) -> Result<(), FileError> {
        let new = New {
            mode: entry.mode,
            uid: entry.user,
            gid: entry.group,
            device: device_number(entry.device),
            now: u64::from(entry.modified_s) * SECOND,
        };
        let kind = entry.mode & mode::TYPE;
        let has_data = (kind == mode::FILE || kind == mode::SYMLINK) && !entry.data.is_empty();
        let offset = entry.data.as_ptr().addr() - archive.as_ptr().addr();
        self.transaction(|volume| {
            volume.add(place, new, |volume, inode: Inode| {
                if has_data {
                    volume.set_field(inode, Field::Origin, offset as u64 + 1);
                    volume.set_field(inode, Field::Size, entry.data.len() as u64);
                }
                Ok(())
            })
        })?;
        Ok(())
    }
}

fn is_name(part: &[u8]) -> bool {
    !part.is_empty() && part != b"." && part != b".."
}

/// Returns the number of a device as Linux has it in `st_rdev` (`new_encode_dev`, kdev_t.h).
fn device_number(device: cpio::Device) -> u32 {
    device.minor & 0xff | device.major << 8 | (device.minor & !0xff) << 12
}
