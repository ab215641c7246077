//! Who wrote the mails of a delivery: known people, and those seen for the first time.

use std::collections::{BTreeMap, HashMap};

use crate::{
    domain::PersonId,
    mail::Author,
    store::{
        self, Conn, Result,
        person::{Asked, NewPerson},
    },
};

/// Somebody, as this delivery leaves them.
#[derive(Clone, Debug)]
struct Person {
    /// The address as it was first seen.
    email: String,
    name: Option<String>,
    is_renamed: bool,
}

/// The people of a delivery. Who is new has a provisional id, counted from -1 downwards.
#[derive(Debug, Default)]
pub struct People {
    /// Who has which address; like the databases, only ASCII letters ignore case everywhere.
    ids: HashMap<String, PersonId>,
    people: BTreeMap<PersonId, Person>,
    newest: i64,
}

fn key(email: &str) -> String {
    email.to_ascii_lowercase()
}

impl People {
    /// Learns who has these addresses.
    pub async fn learn<'a>(
        &mut self,
        conn: &mut Conn,
        emails: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let mut unknown: Vec<String> = emails.into_iter().map(key).collect();
        unknown.retain(|email| !self.ids.contains_key(email));
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        for found in store::person::by_emails(conn, unknown).await? {
            self.add(found);
        }
        Ok(())
    }

    fn add(&mut self, found: Asked) {
        self.ids.insert(found.asked, found.id);
        let person = Person {
            email: found.email,
            name: found.name,
            is_renamed: false,
        };
        self.people.entry(found.id).or_insert(person);
    }

    /// Returns the person a mail is from. A name that differs from the known one replaces it; an empty or
    /// missing one never does (`mail.md §5`).
    pub fn submitter(&mut self, author: &Author) -> PersonId {
        match self.ids.get(&key(&author.email)).copied() {
            Some(id) => {
                self.rename(id, author.name.as_deref());
                id
            }
            None => self.introduce(author),
        }
    }

    /// Returns who has this address.
    pub fn known(&self, email: &str) -> Option<PersonId> {
        self.ids.get(&key(email)).copied()
    }

    fn introduce(&mut self, author: &Author) -> PersonId {
        self.newest -= 1;
        let id = PersonId(self.newest);
        let person = Person {
            email: author.email.clone(),
            name: author.name.clone(),
            is_renamed: false,
        };
        self.ids.insert(key(&author.email), id);
        self.people.insert(id, person);
        id
    }

    fn rename(&mut self, id: PersonId, name: Option<&str>) {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return;
        };
        if let Some(person) = self.people.get_mut(&id)
            && person.name.as_deref() != Some(name)
        {
            person.name = Some(name.to_owned());
            person.is_renamed = true;
        }
    }

    /// Returns how many are new.
    pub fn count_new(&self) -> usize {
        self.newest.unsigned_abs() as usize
    }

    /// Returns everybody's name and address, by their ids of this delivery.
    pub fn names(&self) -> impl Iterator<Item = (PersonId, (String, String))> {
        self.people.iter().map(|(id, person)| {
            let name = person.name.clone().unwrap_or_default();
            (*id, (name, person.email.clone()))
        })
    }

    /// Writes who is new, under these ids, and the new names of the others. Ids of people whom another
    /// process wrote meanwhile are replaced by theirs.
    pub async fn write(self, conn: &mut Conn, ids: &mut [i64]) -> Result<()> {
        let new: Vec<NewPerson> = self
            .people
            .iter()
            .filter_map(|(id, p)| named(*id, p, ids))
            .collect();
        let (count, emails) = (new.len() as u64, self.new_emails());
        if count > 0 && store::person::insert(conn, new).await? < count {
            for found in store::person::by_emails(conn, emails).await? {
                self.replace(&found, ids);
            }
        }
        let renamed = self
            .people
            .iter()
            .filter(|(id, p)| id.0 > 0 && p.is_renamed);
        for (id, person) in renamed {
            let name = person.name.as_deref().unwrap_or_default();
            store::person::rename(conn, *id, name, &person.email).await?;
        }
        Ok(())
    }

    fn new_emails(&self) -> Vec<String> {
        let new = self.ids.iter().filter(|(_, id)| id.0 < 0);
        new.map(|(email, _)| email.clone()).collect()
    }

    fn replace(&self, found: &Asked, ids: &mut [i64]) {
        if let Some(place) = self.ids.get(&found.asked).and_then(place) {
            ids[place] = found.id.0;
        }
    }
}

/// Returns where the id that replaces a provisional one stands.
fn place(id: &PersonId) -> Option<usize> {
    usize::try_from(-1 - id.0).ok()
}

fn named(id: PersonId, person: &Person, ids: &[i64]) -> Option<NewPerson> {
    Some(NewPerson {
        id: PersonId(*ids.get(place(&id)?)?),
        email: person.email.clone(),
        name: person.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(name: Option<&str>, email: &str) -> Author {
        Author {
            name: name.map(str::to_owned),
            email: email.to_owned(),
        }
    }

    #[test]
    fn the_latest_name_wins_and_no_name_takes_none_away() {
        let mut people = People::default();
        let id = people.submitter(&author(None, "ann@example.com"));
        for (name, expected) in [
            (Some("Ann"), "Ann"),
            (Some(""), "Ann"),
            (None, "Ann"),
            (Some("Ann Author"), "Ann Author"),
        ] {
            assert_eq!(people.submitter(&author(name, "Ann@Example.com")), id);
            assert_eq!(
                people.people[&id].name.as_deref(),
                Some(expected),
                "{name:?}"
            );
        }
        assert_eq!(people.count_new(), 1);
    }
}
