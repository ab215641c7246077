//! States.

use sqlx::FromRow;

use super::{Conn, Result, Tx, sql};
use crate::domain::{State, StateId, Tag, TagId};

/// Returns every state in menu order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn all(conn: &mut Conn) -> Result<Vec<State>> {
    sql("SELECT id, name, slug, ordering, action_required FROM state ORDER BY ordering")
        .all(conn)
        .await
}

/// The words every list of patches needs: read in one statement, they hardly ever change.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// All states, in the order of menus.
    pub states: Vec<State>,
    /// All tags, by abbreviation.
    pub tags: Vec<Tag>,
}

impl Vocabulary {
    /// Returns the state with this id.
    pub fn state(&self, id: StateId) -> Option<&State> {
        self.states.iter().find(|state| state.id == id)
    }

    /// Returns the tags that lists show.
    pub fn columns(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(|tag| tag.show_column)
    }
}

#[derive(FromRow)]
struct Word {
    tag: bool,
    id: i64,
    name: String,
    code: String,
    place: i64,
    flag: bool,
    pattern: String,
}

/// Returns all states and all tags.
///
/// # Errors
/// When the database is away or refuses.
pub async fn vocabulary(conn: &mut Conn) -> Result<Vocabulary> {
    let words: Vec<Word> = sql(
        "SELECT FALSE AS tag, id, name, slug AS code, ordering AS place, action_required AS flag, '' AS pattern
           FROM state
         UNION ALL
         SELECT TRUE, id, name, abbrev, id, show_column, pattern FROM tag
         ORDER BY 1, 5, 4",
    )
    .all(conn)
    .await?;
    let mut known = Vocabulary::default();
    for word in words {
        if word.tag {
            known.tags.push(Tag {
                id: TagId(word.id),
                name: word.name,
                pattern: word.pattern,
                abbrev: word.code,
                show_column: word.flag,
            });
        } else {
            known.states.push(State {
                id: StateId(word.id),
                name: word.name,
                slug: word.code,
                ordering: word.place,
                action_required: word.flag,
            });
        }
    }
    known.tags.sort_by(|a, b| a.abbrev.cmp(&b.abbrev));
    Ok(known)
}

/// Adds a state.
///
/// # Errors
/// When another one has its name, slug or ordering, or the database is away.
pub async fn insert(tx: &mut Tx, state: &State) -> Result<StateId> {
    let (id,) = sql(
        "INSERT INTO state (name, slug, ordering, action_required) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(state.name.as_str())
    .bind(state.slug.as_str())
    .bind(state.ordering)
    .bind(state.action_required)
    .one(tx)
    .await?;
    Ok(id)
}

/// Writes a state.
///
/// # Errors
/// When another one has its name, slug or ordering, or the database is away.
pub async fn update(tx: &mut Tx, state: &State) -> Result<()> {
    sql("UPDATE state SET name = $2, slug = $3, ordering = $4, action_required = $5 WHERE id = $1")
        .bind(state.id)
        .bind(state.name.as_str())
        .bind(state.slug.as_str())
        .bind(state.ordering)
        .bind(state.action_required)
        .run(tx)
        .await?;
    Ok(())
}

/// Deletes a state that nothing has.
///
/// # Errors
/// When something has it, or the database is away.
pub async fn delete(tx: &mut Tx, id: StateId) -> Result<()> {
    sql("DELETE FROM state WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}
