//! Memory in the model: pages by name, who shows them where, who pays.

use super::objects::{Contents, Mapped, Memory, Name, PageName, What};
use super::{Model, Outcome};
use kamen_abi::{
    COPY_MAX, Error, Lease, ObjectKind, PAGE_SIZE, PAGES_MAX, Place, Rights, USER_END,
};

const PAGE: u64 = PAGE_SIZE as u64;
/// Most pages of a memory object: a tree of three levels.
pub const MAX_PAGES: u64 = 512 * 512 * 512;

/// A place in memory that a copy begins at.
#[derive(Clone, Copy)]
enum Spot {
    Space(Name, u64),
    Memory(Name, u64),
}

/// Copies bytes between pages.
pub fn copy_bytes(from: &[u64; 512], at: usize, to: &mut [u64; 512], to_at: usize, len: usize) {
    for byte in 0..len {
        let (source, target) = (at + byte, to_at + byte);
        let value = from[source / 8] >> (source % 8 * 8) & 0xff;
        let shift = target % 8 * 8;
        to[target / 8] = to[target / 8] & !(0xff << shift) | value << shift;
    }
}

/// Returns the addresses of the pages of a range of user space.
fn range(address: u64, pages: u64) -> Result<core::ops::Range<u64>, Error> {
    let end = pages.checked_mul(PAGE).and_then(|len| address.checked_add(len));
    match end {
        Some(end) if pages > 0 && address.is_multiple_of(PAGE) && end <= USER_END as u64 => {
            Ok(address..end)
        }
        _ => Err(Error::InvalidArgument),
    }
}

/// Returns the rights that a mapping is to have.
fn mapping_rights(word: u64) -> Result<Rights, Error> {
    let (read, write, execute) = (Rights::READ.0, Rights::WRITE.0, Rights::EXECUTE.0);
    let word = u16::try_from(word).map_err(|_| Error::InvalidArgument)?;
    if word == 0 {
        Ok(Rights::NONE)
    } else if word & !read == 0 {
        Ok(Rights::READ)
    } else if word & !read == write || word & !read == execute {
        Ok(Rights(word | read))
    } else {
        Err(Error::InvalidArgument)
    }
}

impl Model {
    pub fn map(&mut self, target: u64, words: [u64; 6]) -> Outcome {
        let [memory, first, address, pages, rights, _] = words;
        let space = self.space_named(target, Rights::CONTROL)?;
        let rights = mapping_rights(rights)?;
        let name = self.memory_named(memory, rights)?;
        let most = self.capability(memory, rights)?.rights;
        let addresses = range(address, pages)?;
        let last = first.checked_add(pages).ok_or(Error::InvalidArgument)?;
        if last > self.memory(name).pages {
            return Err(Error::InvalidArgument);
        }
        if self.space(space).pages.range(addresses.clone()).next().is_some() {
            return Err(Error::BadRange);
        }
        self.afford(self.objects[&space].quota, (0, 2), 0)?;
        for (address, page) in addresses.step_by(PAGE_SIZE).zip(first..last) {
            let mapped = Mapped { memory: name, page, rights, most };
            self.space_mut(space).pages.insert(address, mapped);
        }
        Ok(())
    }

    pub fn unmap(&mut self, target: u64, address: u64, pages: u64) -> Outcome {
        let space = self.space_named(target, Rights::CONTROL)?;
        let addresses = range(address, pages)?;
        self.afford(self.objects[&space].quota, (0, 2), 0)?;
        self.space_mut(space).pages.retain(|at, _| !addresses.contains(at));
        Ok(())
    }

    pub fn protect(&mut self, target: u64, address: u64, pages: u64, rights: u64) -> Outcome {
        let space = self.space_named(target, Rights::CONTROL)?;
        let rights = mapping_rights(rights)?;
        let addresses = range(address, pages)?;
        for at in addresses.clone().step_by(PAGE_SIZE) {
            let mapped = self.space(space).pages.get(&at).ok_or(Error::BadRange)?;
            if !mapped.most.contains(rights) {
                return Err(Error::NoRights);
            }
        }
        self.afford(self.objects[&space].quota, (0, 2), 0)?;
        for (_, mapped) in self.space_mut(space).pages.range_mut(addresses) {
            mapped.rights = rights;
        }
        Ok(())
    }

    pub fn clone_memory(&mut self, target: u64, quota: u64, pager: u64) -> Outcome {
        let source = self.memory_named(target, Rights::READ.union(Rights::GRANT))?;
        let quota = self.quota_named(quota, Rights::CONTROL)?;
        let pager = self.memory(source).pager.map(|_| self.pager(pager)).transpose()?;
        self.has_slot()?;
        let touched = self.memory(source).touched.clone();
        let count = touched.len() as u64;
        self.afford(Some(quota), (count, 4 * count + 2), ObjectKind::Memory.cost())?;
        let pages = self.memory(source).pages;
        let mut clone = Memory { pages, touched: touched.clone(), pager };
        for (page, name) in touched {
            let contents = self.pages[&name].clone();
            clone.touched.insert(page, self.new_page(contents));
        }
        self.install(quota, What::Memory(clone))
    }

    pub fn resize(&mut self, target: u64, pages: u64) -> Outcome {
        let name = self.memory_named(target, Rights::CONTROL)?;
        if pages > MAX_PAGES {
            return Err(Error::InvalidArgument);
        }
        if pages > self.memory(name).pages {
            self.afford(self.objects[&name].quota, (0, 3), 0)?;
        }
        let memory = self.memory_mut(name);
        memory.pages = pages;
        memory.touched.retain(|page, _| *page < pages);
        Ok(())
    }

    /// Returns the page of a memory object, touched now if it was not.
    pub fn touch(&mut self, memory: Name, page: u64) -> Result<PageName, Error> {
        if page >= self.memory(memory).pages {
            return Err(Error::BadRange);
        }
        if let Some(name) = self.memory(memory).touched.get(&page) {
            return Ok(*name);
        }
        if self.memory(memory).pager.is_some() {
            return Err(Error::PageMissing);
        }
        let refused = self.oracle.refused;
        self.oracle.refused &= !self.oracle.present.contains(&(memory, page));
        let afforded = self.afford(self.objects[&memory].quota, (1, 4), 0);
        self.oracle.refused = refused;
        afforded?;
        let name = self.new_page(std::boxed::Box::new([0; 512]));
        self.memory_mut(memory).touched.insert(page, name);
        Ok(name)
    }

    /// Returns the page of a memory object to write to: the kernel may have to copy it, and the
    /// object pays for both until nobody is shown the old one.
    pub fn touch_to_write(&mut self, memory: Name, page: u64) -> Result<PageName, Error> {
        let name = self.touch(memory, page)?;
        self.afford(self.objects[&memory].quota, (0, 1), 0)?;
        Ok(name)
    }

    /// Returns the page at an address, if the access is allowed.
    pub fn resolve(&mut self, space: Name, address: u64, right: Rights) -> Result<PageName, Error> {
        let mapped = self.space(space).pages.get(&(address / PAGE * PAGE)).copied();
        let mapped = mapped.filter(|mapped| mapped.rights.contains(right));
        let Mapped { memory, page, .. } = mapped.ok_or(Error::BadAddress)?;
        match right {
            Rights::WRITE => self.touch_to_write(memory, page),
            _ => self.touch(memory, page),
        }
    }

    pub fn copy(&mut self, words: [u64; 6]) -> Outcome {
        let [kinds, from_id, from_at, to_id, to_at, len] = words;
        let current = self.current();
        self.thread_mut(current).registers.rdi = 0;
        let len = len.min(COPY_MAX as u64);
        let from = self.spot(kinds & 0xff, from_id, from_at, len, Rights::READ)?;
        let to = self.spot(kinds >> 8, to_id, to_at, len, Rights::WRITE)?;
        let mut done = 0;
        let mut result = Ok(());
        while done < len && result.is_ok() {
            self.oracle.progress = done;
            match self.copy_chunk(from, to, done, len - done) {
                Ok(copied) => done += copied,
                Err(error) => result = Err(error),
            }
        }
        self.thread_mut(current).registers.rdi = done;
        if result == Err(Error::PageMissing) {
            let missing = self.missing(to, done).or(self.missing(from, done));
            self.tell_missing(missing);
        }
        result
    }

    /// Returns the badge at the pager, and the page, of a missing page.
    fn missing(&self, spot: Spot, done: u64) -> Option<(Name, u64, u64)> {
        let (memory, page) = match spot {
            Spot::Space(space, at) => {
                let mapped = self.space(space).pages.get(&((at + done) / PAGE * PAGE))?;
                (self.memory(mapped.memory), mapped.page)
            }
            Spot::Memory(memory, at) => (self.memory(memory), (at + done) / PAGE),
        };
        let (pager, badge) = memory.pager?;
        let misses = page < memory.pages && !memory.touched.contains_key(&page);
        misses.then_some((pager, badge, page))
    }

    /// Returns who can supply the page at an address, with the badge there, and the page.
    pub fn missing_at(&self, space: Name, address: u64) -> Option<(Name, u64, u64)> {
        self.missing(Spot::Space(space, address), 0)
    }

    fn tell_missing(&mut self, missing: Option<(Name, u64, u64)>) {
        let Some((_, badge, page)) = missing else { return };
        let current = self.current();
        let registers = &mut self.thread_mut(current).registers;
        [registers.rsi, registers.rdx] = [badge, page];
    }

    pub fn pager(&self, handle: u64) -> Result<(Name, u64), Error> {
        let endpoint = self.endpoint_named(handle, Rights::SEND)?;
        Ok((endpoint, self.capability(handle, Rights::SEND)?.badge))
    }

    pub fn commit(&mut self, target: u64, first: u64, pages: u64) -> Outcome {
        let name = self.memory_named(target, Rights::WRITE)?;
        self.check_range(name, first, pages)?;
        let result = self.for_pages(pages, |model, offset| {
            let page = first + offset;
            let kept = model.memory(name).touched.contains_key(&page);
            model.touch(name, page).map(|_| !kept)
        });
        if result == Err(Error::PageMissing) {
            let done = self.thread(self.current()).registers.rdi;
            self.tell_missing(self.missing(Spot::Memory(name, (first + done) * PAGE), 0));
        }
        result
    }

    pub fn decommit(&mut self, target: u64, first: u64, pages: u64) -> Outcome {
        let name = self.memory_named(target, Rights::CONTROL)?;
        self.check_range(name, first, pages)?;
        self.for_pages(pages, |model, offset| {
            Ok(model.memory_mut(name).touched.remove(&(first + offset)).is_some())
        })
    }

    pub fn supply(&mut self, target: u64, [first, pages, source, from, ..]: [u64; 6]) -> Outcome {
        let target = self.memory_named(target, Rights::CONTROL)?;
        let source = self.memory_named(source, Rights::READ.union(Rights::GRANT))?;
        if self.memory(target).pager.is_none() || self.memory(source).pager.is_some() {
            return Err(Error::InvalidArgument);
        }
        self.check_range(source, from, pages)?;
        self.check_range(target, first, pages)?;
        self.for_pages(pages, |model, offset| {
            let page = first + offset;
            if model.memory(target).touched.contains_key(&page) {
                return Ok(false);
            }
            let shown = model.touch(source, from + offset)?;
            model.afford(model.objects[&target].quota, (1, 4), 0)?;
            let contents = model.pages[&shown].clone();
            let copy = model.new_page(contents);
            model.memory_mut(target).touched.insert(page, copy);
            Ok(true)
        })
    }

    fn check_range(&self, name: Name, first: u64, pages: u64) -> Outcome {
        let end = first.checked_add(pages).ok_or(Error::BadRange)?;
        if end <= self.memory(name).pages { Ok(()) } else { Err(Error::BadRange) }
    }

    /// Deals with as many pages as the kernel did, which may stop after any that it changed.
    fn for_pages(
        &mut self,
        pages: u64,
        mut act: impl FnMut(&mut Self, u64) -> Result<bool, Error>,
    ) -> Outcome {
        let wanted = self.oracle.words[0].min(pages);
        let (mut done, mut changed) = (0, 0);
        let mut result = Ok(());
        while result.is_ok() && done < pages.min(PAGES_MAX as u64) {
            self.oracle.progress = done;
            if done == wanted && changed > 0 && self.oracle.is_ok {
                break;
            }
            match act(self, done) {
                Ok(change) => (done, changed) = (done + 1, changed + change as u64),
                Err(error) => result = Err(error),
            }
        }
        let current = self.current();
        self.thread_mut(current).registers.rdi = done;
        result
    }

    fn copy_chunk(&mut self, from: Spot, to: Spot, done: u64, len: u64) -> Result<u64, Error> {
        let (target, to_at) = self.page_at(to, done, Rights::WRITE)?;
        let (source, at) = self.page_at(from, done, Rights::READ)?;
        let len = (len as usize).min(PAGE_SIZE - at).min(PAGE_SIZE - to_at);
        if source == target && at.abs_diff(to_at) < len {
            return Err(Error::InvalidArgument);
        }
        let source = self.pages[&source].clone();
        copy_bytes(&source, at, self.page_mut(target), to_at, len);
        Ok(len as u64)
    }

    fn page_at(
        &mut self,
        spot: Spot,
        done: u64,
        right: Rights,
    ) -> Result<(PageName, usize), Error> {
        let (page, at) = match spot {
            Spot::Space(space, at) => (self.resolve(space, at + done, right)?, at + done),
            Spot::Memory(memory, at) if right == Rights::WRITE => {
                (self.touch_to_write(memory, (at + done) / PAGE)?, at + done)
            }
            Spot::Memory(memory, at) => (self.touch(memory, (at + done) / PAGE)?, at + done),
        };
        Ok((page, (at % PAGE) as usize))
    }

    fn spot(&self, kind: u64, id: u64, at: u64, len: u64, right: Rights) -> Result<Spot, Error> {
        let end = at.checked_add(len).ok_or(Error::InvalidArgument)?;
        let place = Place::from_number(kind).ok_or(Error::InvalidArgument)?;
        match place {
            Place::Own => Ok(Spot::Space(self.thread(self.current()).space, at)),
            Place::Memory => Ok(Spot::Memory(self.memory_named(id, right)?, at)),
            Place::Caller => {
                let caller = self.thread(self.open_call(id)?);
                if self.is_handled(self.open_call(id)?) {
                    Ok(Spot::Space(caller.space, at))
                } else {
                    Err(Error::NoRights)
                }
            }
            Place::Lease0 | Place::Lease1 | Place::Lease2 | Place::Lease3 => {
                let index = kind as usize - Place::Lease0 as usize;
                let caller = self.thread(self.open_call(id)?);
                if index >= caller.tag.leases() {
                    return Err(Error::InvalidArgument);
                }
                let page = &self.pages[&caller.page.ok_or(Error::BadAddress)?];
                let lease =
                    Lease { address: page[8 + 2 * index], len_and_access: page[9 + 2 * index] };
                if end > lease.len() {
                    return Err(Error::InvalidArgument);
                }
                if lease.is_writable() != (right == Rights::WRITE) {
                    return Err(Error::NoRights);
                }
                let at = lease.address.checked_add(at).ok_or(Error::BadAddress)?;
                Ok(Spot::Space(caller.space, at))
            }
            Place::Extended => panic!("not in the model"),
        }
    }

    pub fn compare_exchange(&mut self, call: u64, [address, expected, new]: [u64; 3]) -> Outcome {
        if address % 4 != 0 {
            return Err(Error::InvalidArgument);
        }
        let Spot::Space(space, _) =
            self.spot(Place::Caller as u64, call, address, 4, Rights::WRITE)?
        else {
            panic!("a caller's memory is its space");
        };
        let resolved = self.resolve(space, address, Rights::WRITE);
        if resolved == Err(Error::PageMissing) {
            self.tell_missing(self.missing_at(space, address));
        }
        let page = resolved?;
        let word = (address % PAGE / 8) as usize;
        let shift = address % 8 * 8;
        let was = (self.pages[&page][word] >> shift) as u32;
        if was == expected as u32 {
            let contents = self.page_mut(page);
            let others = contents[word] & !(0xffff_ffff << shift);
            contents[word] = others | (new as u32 as u64) << shift;
        }
        let current = self.current();
        self.thread_mut(current).registers.rdi = was as u64;
        Ok(())
    }

    pub fn new_page(&mut self, contents: Contents) -> PageName {
        self.last_page += 1;
        self.pages.insert(self.last_page, contents);
        self.last_page
    }

    pub fn page_mut(&mut self, name: PageName) -> &mut [u64; 512] {
        self.pages.get_mut(&name).expect("pages stay")
    }
}
