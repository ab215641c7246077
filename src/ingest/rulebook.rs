//! What mails are judged by: states, tags, projects, delegation rules. Read once per delivery.

use std::{collections::HashMap, rc::Rc};

use regex::Regex;

use crate::{
    domain::{ListId, Project, ProjectId, State, StateId, pattern, state, tag::Counter},
    store::{self, Conn, Result, delegation::Rule, project::Listed, state::Vocabulary},
};

/// A project and the pattern by which it claims subjects.
#[derive(Debug)]
pub struct Claim {
    /// The project.
    pub project: Rc<Project>,
    /// What its subjects match; `None` when it takes all.
    pub pattern: Option<Regex>,
}

/// The rules of a site.
#[derive(Debug)]
pub struct Rulebook {
    states: Vec<State>,
    tags: Counter,
    claims: HashMap<ListId, Rc<Vec<Claim>>>,
    rules: HashMap<ProjectId, Rc<Vec<Rule>>>,
}

impl Rulebook {
    /// Reads what every mail needs; the rest follows when it is asked for.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load(conn: &mut Conn) -> Result<Rulebook> {
        let Vocabulary { states, tags } = store::state::vocabulary(conn).await?;
        if state::initial(&states).is_none() {
            return Err(store::Error::Schema(
                "no state has ordering 0, so new patches would have none; run `patchwork loaddata default_states`".into(),
            ));
        }
        Ok(Rulebook {
            states,
            tags: Counter::new(&tags),
            claims: HashMap::new(),
            rules: HashMap::new(),
        })
    }

    /// Returns the tags, ready to be counted.
    pub fn tags(&self) -> &Counter {
        &self.tags
    }

    /// Returns the state a sender asked for, else the one new patches get.
    pub fn state(&self, asked: Option<&str>) -> StateId {
        let asked = asked.and_then(|name| self.states.iter().find(|state| state.is_called(name)));
        let state = asked.or(state::initial(&self.states));
        state
            .expect("a rulebook is only loaded with an initial state")
            .id
    }

    /// Returns the projects of a list.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn claims(&mut self, conn: &mut Conn, list: &ListId) -> Result<Rc<Vec<Claim>>> {
        if let Some(known) = self.claims.get(list) {
            return Ok(known.clone());
        }
        let projects = store::project::by_list_id(conn, list).await?;
        let without = projects.iter().filter(|listed| !listed.has_rules);
        self.rules
            .extend(without.map(|listed| (listed.project.id, Rc::default())));
        let claims: Rc<Vec<Claim>> = Rc::new(projects.into_iter().filter_map(claim).collect());
        self.claims.insert(list.clone(), claims.clone());
        Ok(claims)
    }

    /// Returns the delegation rules of a project, in the order in which they are asked.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rules(&mut self, conn: &mut Conn, project: ProjectId) -> Result<Rc<Vec<Rule>>> {
        if let Some(known) = self.rules.get(&project) {
            return Ok(known.clone());
        }
        let rules = Rc::new(store::delegation::rules(conn, project).await?);
        self.rules.insert(project, rules.clone());
        Ok(rules)
    }
}

/// A project whose pattern does not compile claims nothing: it was refused when saved, or is older.
fn claim(listed: Listed) -> Option<Claim> {
    let project = listed.project;
    let pattern = match project.subject_match.as_str() {
        "" => None,
        text => Some(compile(text)?),
    };
    Some(Claim {
        project: Rc::new(project),
        pattern,
    })
}

/// Compiles a pattern from the settings; one that does not compile is logged and left out.
fn compile(text: &str) -> Option<Regex> {
    let compiled = pattern::compile(text);
    compiled
        .inspect_err(|error| tracing::error!("the pattern {text:?} cannot be used: {error}"))
        .ok()
}
