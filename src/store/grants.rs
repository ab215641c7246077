//! Rights on PostgreSQL: what the role of the site and the role of the mail may do, as SQL that an owner runs.
//!
//! Made from [`TABLES`](super::dump::TABLES), so no table can be forgotten. What mail needs is listed here; whoever lets
//! the intake read or write more adds to [`MAIL`], and the deployment test runs the intake with just these rights.

use std::fmt::Write;

use super::dump::{DERIVED, TABLES};

/// Who gets rights: the site, the mail, and who owns the tables.
#[derive(Clone, Debug)]
pub struct Roles {
    web: String,
    mail: String,
    owner: Option<String>,
    preamble: &'static str,
}

impl Roles {
    /// Takes names; they are quoted here.
    pub fn named(web: &str, mail: &str, owner: Option<&str>) -> Roles {
        Roles {
            web: quoted(web),
            mail: quoted(mail),
            owner: owner.map(quoted),
            preamble: "",
        }
    }

    /// Leaves the names to variables of psql: `-v web=… -v mail=… -v owner=…`, with the names of the guide without them.
    pub fn variables() -> Roles {
        Roles {
            web: ":\"web\"".to_owned(),
            mail: ":\"mail\"".to_owned(),
            owner: Some(":\"owner\"".to_owned()),
            preamble: PREAMBLE,
        }
    }
}

const PREAMBLE: &str = "\
-- Run it as the owner of the tables, after each `patchwork migrate`:
--   psql -v web=www-data -v mail=nobody -v owner=patchwork_owner -f grant-all.postgres.sql patchwork
-- The owner is the current role unless it is named.
\\set ON_ERROR_STOP on
\\if :{?web}
\\else
\\set web www-data
\\endif
\\if :{?mail}
\\else
\\set mail nobody
\\endif
\\if :{?owner}
\\else
SELECT current_user AS owner \\gset
\\endif
SELECT :'mail' IN (:'web', :'owner') AS is_shared \\gset
\\if :is_shared
\\warn the role of the mail must be one of its own: it is allowed less than the others
\\quit
\\endif
";

/// What the mail may do with a table: the words of a GRANT. Tables that are not here it cannot even read.
const MAIL: &[(&str, &str)] = &[
    // To know an address of somebody who signs in; never what lets him in.
    ("account", "SELECT (id, username, email, is_active)"),
    ("person", "SELECT, INSERT, UPDATE"),
    ("person_alias", "SELECT"),
    // A row that is locked counts as one that may change; the number of a project cannot change while it has patches.
    ("project", "SELECT, UPDATE (id)"),
    ("project_alias", "SELECT"),
    ("maintainer", "SELECT"),
    ("delegation_rule", "SELECT"),
    ("state", "SELECT"),
    ("tag", "SELECT"),
    ("cover", "SELECT, INSERT, UPDATE"),
    ("series", "SELECT, INSERT, UPDATE"),
    ("series_reference", "SELECT, INSERT, UPDATE, DELETE"),
    ("series_dependency", "SELECT, INSERT, UPDATE, DELETE"),
    ("unmet_dependency", "SELECT, INSERT, UPDATE, DELETE"),
    ("revision_sign", "SELECT, INSERT"),
    ("revision_link", "SELECT, INSERT, UPDATE, DELETE"),
    ("tally", "SELECT, INSERT, UPDATE"),
    ("patch_relation", "SELECT"),
    ("patch", "SELECT, INSERT, UPDATE"),
    ("patch_body", "SELECT, INSERT, UPDATE"),
    ("patch_tag", "SELECT, INSERT, UPDATE, DELETE"),
    ("comment", "SELECT, INSERT, UPDATE"),
    // Mails that came late change what earlier ones have said.
    ("event", "SELECT, INSERT, UPDATE, DELETE"),
    ("search_doc", "SELECT, INSERT, DELETE"),
    ("search_wait", "SELECT, INSERT, DELETE"),
    ("mail", "SELECT, INSERT, UPDATE"),
    ("mail_source", "SELECT, INSERT, UPDATE"),
    ("quarantine", "SELECT, INSERT, UPDATE"),
    ("awaited", "SELECT, INSERT, UPDATE, DELETE"),
    (
        "patch_change_notification",
        "SELECT, INSERT, UPDATE, DELETE",
    ),
];

/// Returns the statements that give each role what it needs and take the rest from it. They may be run again.
pub fn script(roles: &Roles) -> String {
    let mut out = String::from("-- Rights of Patchwork's roles, made by `patchwork grants`.\n");
    out.push_str(roles.preamble);
    out.push_str("BEGIN;\n");
    schema(&mut out, roles).expect("a String takes any text");
    tables(&mut out, roles).expect("a String takes any text");
    sequences(&mut out, roles).expect("a String takes any text");
    later(&mut out, roles).expect("a String takes any text");
    out.push_str("COMMIT;\n");
    out
}

fn schema(out: &mut String, roles: &Roles) -> std::fmt::Result {
    let Roles { web, mail, .. } = roles;
    writeln!(out, "\n-- Only the owner makes and changes tables.")?;
    if let Some(owner) = &roles.owner {
        writeln!(out, "GRANT USAGE, CREATE ON SCHEMA public TO {owner};")?;
    }
    writeln!(out, "REVOKE CREATE ON SCHEMA public FROM PUBLIC;")?;
    writeln!(out, "REVOKE CREATE ON SCHEMA public FROM {web}, {mail};")?;
    writeln!(out, "GRANT USAGE ON SCHEMA public TO {web}, {mail};")
}

fn names() -> impl Iterator<Item = &'static str> {
    let tables = TABLES.iter().map(|table| table.name);
    tables.chain(DERIVED.iter().copied())
}

fn tables(out: &mut String, roles: &Roles) -> std::fmt::Result {
    let Roles { web, mail, .. } = roles;
    writeln!(out, "\n-- The site reads and writes every table.")?;
    for name in names() {
        writeln!(
            out,
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {web};"
        )?;
    }
    writeln!(
        out,
        "\n-- Mail does with a table what it has to, and no more."
    )?;
    for name in names() {
        writeln!(out, "REVOKE ALL ON {name} FROM {mail};")?;
    }
    for (name, rights) in MAIL {
        writeln!(out, "GRANT {rights} ON {name} TO {mail};")?;
    }
    writeln!(out, "\n-- Both ask which migrations were applied.")?;
    writeln!(out, "REVOKE ALL ON _sqlx_migrations FROM {web}, {mail};")?;
    writeln!(out, "GRANT SELECT ON _sqlx_migrations TO {web}, {mail};")
}

fn sequences(out: &mut String, roles: &Roles) -> std::fmt::Result {
    let Roles { web, mail, .. } = roles;
    writeln!(out, "\n-- New ids.")?;
    let is_numbered = |name: &str| {
        TABLES.iter().any(|table| {
            table.name == name && table.key == 1 && table.columns[0].name == "id" && name != "site"
        })
    };
    for table in TABLES.iter().filter(|table| is_numbered(table.name)) {
        let name = table.name;
        writeln!(
            out,
            "GRANT USAGE, SELECT ON SEQUENCE {name}_id_seq TO {web};"
        )?;
        writeln!(out, "REVOKE ALL ON SEQUENCE {name}_id_seq FROM {mail};")?;
    }
    let writes = |rights: &str| rights.contains("INSERT");
    for (name, _) in MAIL
        .iter()
        .filter(|(name, rights)| writes(rights) && is_numbered(name))
    {
        writeln!(out, "GRANT USAGE ON SEQUENCE {name}_id_seq TO {mail};")?;
    }
    Ok(())
}

fn later(out: &mut String, roles: &Roles) -> std::fmt::Result {
    let web = &roles.web;
    let of = match &roles.owner {
        Some(owner) => format!(" FOR ROLE {owner}"),
        None => String::new(),
    };
    writeln!(
        out,
        "\n-- What later migrations make. Mail gets no right on a table that is not listed above: run this again."
    )?;
    writeln!(
        out,
        "ALTER DEFAULT PRIVILEGES{of} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {web};"
    )?;
    writeln!(
        out,
        "ALTER DEFAULT PRIVILEGES{of} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {web};"
    )
}

/// Returns a name as SQL takes it whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let script = script(&Roles::named("www-data", "a\"b", None));
        assert!(script.contains("ON patch TO \"www-data\";"));
        assert!(script.contains("FROM \"a\"\"b\";"));
        assert!(!script.contains(":\"") && !script.contains('\\'));
    }

    #[test]
    fn mail_has_rights_on_tables_that_are_there() {
        for (name, _) in MAIL {
            // The index of the search is made of what else is there, so no dump has it.
            let is_index = name.starts_with("search_");
            assert!(
                is_index || super::super::dump::table(name).is_some(),
                "{name}"
            );
        }
    }
}
