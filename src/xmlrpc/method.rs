//! The methods: what each takes and gives, in one table from which calls, help and signatures are made.

/// Which method it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The numbers of the interface.
    Version,
    /// Projects.
    ProjectList,
    /// A project.
    ProjectGet,
    /// People.
    PersonList,
    /// A person.
    PersonGet,
    /// Patches.
    PatchList,
    /// A patch.
    PatchGet,
    /// A patch by its diff.
    PatchGetByHash,
    /// A patch of a project by its diff.
    PatchGetByProjectHash,
    /// A patch as a mail.
    PatchGetMbox,
    /// The diff of a patch.
    PatchGetDiff,
    /// Changes a patch.
    PatchSet,
    /// States.
    StateList,
    /// A state.
    StateGet,
    /// Checks.
    CheckList,
    /// A check.
    CheckGet,
    /// Reports a check.
    CheckCreate,
    /// What all checks of a patch come to.
    PatchCheckGet,
    /// The names of all methods.
    ListMethods,
    /// What a method does.
    MethodHelp,
    /// What a method takes and gives.
    MethodSignature,
    /// Several calls in one.
    Multicall,
    /// What this interface can do.
    Capabilities,
}

/// A method.
#[derive(Debug)]
pub struct Method {
    /// Which it is.
    pub name: Name,
    /// How clients call it.
    pub word: &'static str,
    /// Whether it has to be known who asks.
    pub login: bool,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// The type that it gives.
    pub returns: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// What a method takes.
#[derive(Debug)]
pub struct Argument {
    /// What it is called in faults and help.
    pub name: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// What counts when it is not given; it has to be given if there is nothing.
    pub default: Option<&'static str>,
}

impl Method {
    /// Returns how many arguments it needs at least.
    pub fn needed(&self) -> usize {
        let needed = self.arguments.iter().filter(|a| a.default.is_none());
        needed.count()
    }
}

const fn needed(name: &'static str, kind: &'static str) -> Argument {
    Argument {
        name,
        kind,
        default: None,
    }
}

const fn optional(name: &'static str, kind: &'static str, default: &'static str) -> Argument {
    Argument {
        name,
        kind,
        default: Some(default),
    }
}

const SEARCH: &[Argument] = &[
    optional("search", "string", "\"\""),
    optional("max_count", "int", "0"),
];
const FILTER: &[Argument] = &[optional("filter", "struct", "{}")];
const METHOD: &[Argument] = &[needed("method", "string")];

const fn method(
    name: Name,
    word: &'static str,
    arguments: &'static [Argument],
    returns: &'static str,
    help: &'static str,
) -> Method {
    Method {
        name,
        word,
        login: false,
        arguments,
        returns,
        help,
    }
}

const fn with_login(mut method: Method) -> Method {
    method.login = true;
    method
}

/// All methods, by name.
pub const ALL: &[Method] = &[
    with_login(method(
        Name::CheckCreate,
        "check_create",
        &[
            needed("patch_id", "int"),
            needed("context", "string"),
            needed("state", "string"),
            optional("target_url", "string", "\"\""),
            optional("description", "string", "\"\""),
        ],
        "boolean",
        "Reports a check of a patch: what was checked, with which result (pending, success, warning or fail), \
         where to read more, and a line about it.",
    )),
    method(
        Name::CheckGet,
        "check_get",
        &[needed("check_id", "int")],
        "struct",
        "Returns a check; an empty struct if there is none.",
    ),
    method(
        Name::CheckList,
        "check_list",
        FILTER,
        "array",
        "Returns checks by id, all or those that fit a filter: id, user (name or id), project_id, patch_id; \
         max_count as in project_list.",
    ),
    method(
        Name::PatchCheckGet,
        "patch_check_get",
        &[needed("patch_id", "int")],
        "struct",
        "Returns what the checks of a patch come to: the combined state, how many count, and those that count.",
    ),
    method(
        Name::PatchGet,
        "patch_get",
        &[needed("patch_id", "int")],
        "struct",
        "Returns a patch; an empty struct if there is none.",
    ),
    method(
        Name::PatchGetByHash,
        "patch_get_by_hash",
        &[needed("hash", "string")],
        "struct",
        "Returns the newest patch whose diff has this hash; an empty struct if there is none.",
    ),
    method(
        Name::PatchGetByProjectHash,
        "patch_get_by_project_hash",
        &[needed("project", "string"), needed("hash", "string")],
        "struct",
        "Returns the newest patch of a project, named by its linkname, whose diff has this hash; an empty struct if \
         there is none.",
    ),
    method(
        Name::PatchGetDiff,
        "patch_get_diff",
        &[needed("patch_id", "int")],
        "string",
        "Returns the diff of a patch; an empty text if there is none.",
    ),
    method(
        Name::PatchGetMbox,
        "patch_get_mbox",
        &[needed("patch_id", "int")],
        "string",
        "Returns a patch as a mail that git am takes, with the trailers of its replies; an empty text if there is none.",
    ),
    method(
        Name::PatchList,
        "patch_list",
        FILTER,
        "array",
        "Returns patches, the oldest first, all or those that fit a filter: id, name, date, commit_ref, hash, msgid, \
         archived, project_id, submitter_id, delegate_id, state_id, series_id. Behind a name may stand two underscores \
         and a comparison: iexact, contains, icontains, gt, gte, lt, in, startswith, istartswith, endswith, iendswith, \
         range, year, month, day, isnull. max_count as in project_list.",
    ),
    with_login(method(
        Name::PatchSet,
        "patch_set",
        &[needed("patch_id", "int"), needed("params", "struct")],
        "boolean",
        "Changes a patch: state (an id), commit_ref, archived. Other members change nothing.",
    )),
    method(
        Name::PersonGet,
        "person_get",
        &[needed("person_id", "int")],
        "struct",
        "Returns a person; an empty struct if there is none.",
    ),
    method(
        Name::PersonList,
        "person_list",
        SEARCH,
        "array",
        "Returns people by id, all or those in whose name or address the text occurs; max_count as in project_list.",
    ),
    method(
        Name::ProjectGet,
        "project_get",
        &[needed("project_id", "int")],
        "struct",
        "Returns a project; an empty struct if there is none.",
    ),
    method(
        Name::ProjectList,
        "project_list",
        SEARCH,
        "array",
        "Returns projects by linkname, all or those in whose linkname the text occurs. A max_count above 0 is how many \
         from the beginning, below 0 how many from the end; 0 means all.",
    ),
    method(
        Name::Version,
        "pw_rpc_version",
        &[],
        "array",
        "Returns the numbers of this interface.",
    ),
    method(
        Name::StateGet,
        "state_get",
        &[needed("state_id", "int")],
        "struct",
        "Returns a state; an empty struct if there is none.",
    ),
    method(
        Name::StateList,
        "state_list",
        SEARCH,
        "array",
        "Returns states in their order, all or those in whose name the text occurs; max_count as in project_list.",
    ),
    method(
        Name::Capabilities,
        "system.getCapabilities",
        &[],
        "struct",
        "Returns which common extensions of XML-RPC there are.",
    ),
    method(
        Name::ListMethods,
        "system.listMethods",
        &[],
        "array",
        "Returns the names of all methods.",
    ),
    method(
        Name::MethodHelp,
        "system.methodHelp",
        METHOD,
        "string",
        "Returns what a method does.",
    ),
    method(
        Name::MethodSignature,
        "system.methodSignature",
        METHOD,
        "array",
        "Returns the types that a method gives and takes, the result first, once for each number of arguments.",
    ),
    method(
        Name::Multicall,
        "system.multicall",
        &[needed("calls", "array")],
        "array",
        "Makes several calls: each a struct of methodName and params. Each answer is an array of one, or a fault.",
    ),
];

/// Returns the method that clients call so.
pub fn by_word(word: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_optional_arguments_come_last() {
        assert!(ALL.is_sorted_by_key(|method| method.word));
        for method in ALL {
            let (first, rest) = method.arguments.split_at(method.needed());
            assert!(first.iter().all(|argument| argument.default.is_none()));
            assert!(rest.iter().all(|argument| argument.default.is_some()));
        }
    }
}
