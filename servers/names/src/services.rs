//! Services by name.

use alloc::string::String;
use alloc::vec::Vec;

use protocols::names::{NAME_MAX, NamesError};

use crate::keeper::Entry;

/// Most services that can have names.
pub const SERVICES_MAX: usize = 64;

struct Service<E> {
    name: String,
    owner: u64,
    /// Nothing, where it is gone: the place is another's when all others are used.
    endpoint: Option<E>,
}

/// The table of services; `E` is what names them, an endpoint outside tests.
pub struct Services<E> {
    services: Vec<Service<E>>,
}

impl<E> Default for Services<E> {
    fn default() -> Self {
        Services { services: Vec::new() }
    }
}

impl<E: Copy> Services<E> {
    /// Gives a service a name. The owner of the name (a client's badge) may do so again, when it
    /// was restarted, and anybody where the service is gone; returns the endpoint that had the name until then.
    ///
    /// # Errors
    /// Exists: another owner has it; InvalidName: empty, longer than [`NAME_MAX`], or with a
    /// control character; Full: of services that are there.
    pub fn register(
        &mut self,
        name: &str,
        owner: u64,
        endpoint: E,
    ) -> Result<Option<E>, NamesError> {
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(NamesError::InvalidName);
        }
        if let Some(service) = self.services.iter_mut().find(|service| service.name == name) {
            if service.owner != owner && service.endpoint.is_some() {
                return Err(NamesError::Exists);
            }
            service.owner = owner;
            return Ok(service.endpoint.replace(endpoint));
        }
        let service = Service { name: name.into(), owner, endpoint: Some(endpoint) };
        if self.services.len() < SERVICES_MAX {
            self.services.push(service);
            return Ok(None);
        }
        let gone = self.services.iter_mut().find(|service| service.endpoint.is_none());
        *gone.ok_or(NamesError::Full)? = service;
        Ok(None)
    }

    /// Returns the service of a name.
    ///
    /// # Errors
    /// NotFound.
    pub fn find(&self, name: &str) -> Result<E, NamesError> {
        let found = self.services.iter().find(|service| service.name == name);
        found.and_then(|service| service.endpoint).ok_or(NamesError::NotFound)
    }

    /// Gives up the services that `is_gone` says are, and returns their endpoints: anybody can have
    /// their names.
    pub fn forget(&mut self, is_gone: impl Fn(E) -> bool) -> Vec<E> {
        let gone = |service: &mut Service<E>| service.endpoint.take_if(|&mut e| is_gone(e));
        self.services.iter_mut().filter_map(gone).collect()
    }

    /// Returns the place of a name in the table.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|service| service.name == name)
    }

    /// Returns all names in the order of their places.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.services.iter().map(|service| Entry {
            name: service.name.as_bytes(),
            owner: service.owner,
            is_there: service.endpoint.is_some(),
        })
    }

    /// Takes up a name of an earlier life, at the next place.
    pub fn restore(&mut self, name: &[u8], owner: u64, endpoint: Option<E>) {
        let name = String::from_utf8_lossy(name).into_owned();
        self.services.push(Service { name, owner, endpoint });
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn registered_service_is_found() {
        let mut services = Services::default();
        assert_eq!(services.find("disk"), Err(NamesError::NotFound));
        assert_eq!(services.register("disk", 1, 'a'), Ok(None));
        assert_eq!(services.find("disk"), Ok('a'));
    }

    #[test]
    fn only_its_owner_takes_a_name_again() {
        let mut services = Services::default();
        services.register("disk", 1, 'a').unwrap();
        assert_eq!(services.register("disk", 2, 'b'), Err(NamesError::Exists));
        assert_eq!(services.register("disk", 1, 'c'), Ok(Some('a')));
        assert_eq!(services.find("disk"), Ok('c'));
    }

    #[test]
    fn the_name_of_a_service_that_is_gone_is_free() {
        let mut services = Services::default();
        services.register("disk", 1, 'a').unwrap();
        assert_eq!(services.forget(|endpoint| endpoint == 'b'), []);
        assert_eq!(services.register("disk", 2, 'b'), Err(NamesError::Exists));
        assert_eq!(services.forget(|endpoint| endpoint == 'a'), ['a']);
        assert_eq!(services.forget(|endpoint| endpoint == 'a'), []);
        assert_eq!(services.find("disk"), Err(NamesError::NotFound));
        assert_eq!(services.register("disk", 2, 'b'), Ok(None));
        assert_eq!(services.register("disk", 1, 'c'), Err(NamesError::Exists));
    }

    #[test]
    fn bad_names_are_refused() {
        let long = "x".repeat(NAME_MAX + 1);
        for name in ["", "a\nb", &long] {
            let refused = Services::default().register(name, 1, 'a');
            assert_eq!(refused, Err(NamesError::InvalidName), "{name:?}");
        }
    }

    #[test]
    fn table_is_bounded() {
        let mut services = Services::default();
        for number in 0..SERVICES_MAX {
            services.register(&format!("{number}"), 1, number).unwrap();
        }
        assert_eq!(services.register("more", 1, 0), Err(NamesError::Full));
        assert_eq!(services.register("7", 1, 0), Ok(Some(7)));
        // The place of a service that is gone is another's.
        services.forget(|number| number == 9);
        assert_eq!(services.register("more", 1, 100), Ok(None));
        assert_eq!((services.place("more"), services.place("9")), (Some(9), None));
        assert_eq!((services.find("more"), services.entries().len()), (Ok(100), SERVICES_MAX));
        assert_eq!(services.register("9", 1, 0), Err(NamesError::Full));
    }
}
