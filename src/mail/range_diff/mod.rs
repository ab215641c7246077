//! Two revisions of a series compared: which patch became which, and what changed in it, as `git range-diff` tells it.
//!
//! Behaves as git's manual describes that command. A patch is turned into text ([`form`]) without what changes whenever code
//! moves. Patches with the same diff belong together; of the others those whose diffs are like each other: the assignment
//! with the least cost, where the cost of a pair is the length of the diff between the diffs, and leaving a patch without
//! partner costs a share of its own length. Then the texts of each pair are compared.
//!
//! Patches come from anybody: [`Limits`] bound lines, patches and time, and the result says where they did.

mod assign;
mod form;
mod lines;
mod text;

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use imara_diff::{Interner, Token};

use super::commit::Commit;
use form::Form;
pub use text::{Called, changes, told};

/// Leaving a patch without partner costs so many hundredths of its length.
const CREATION: i64 = 60;

/// A patch of a revision.
#[derive(Clone, Debug)]
pub struct Patch<'a> {
    /// Author and message.
    pub commit: Commit,
    /// What it changes.
    pub diff: &'a str,
}

/// How much is compared.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Lines of a patch.
    pub lines: usize,
    /// Lines of both revisions together.
    pub total: usize,
    /// Patches of a revision that are compared with each other in content.
    pub patches: usize,
    /// How long partners are looked for, and changes within pairs.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lines: 20_000,
            total: 200_000,
            patches: 300,
            time: Duration::from_millis(1500),
        }
    }
}

/// What became of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing changed in it.
    Same,
    /// Something changed in it.
    Changed,
    /// Only the old revision has it.
    Dropped,
    /// Only the new revision has it.
    Added,
}

impl Verdict {
    /// Returns the sign that stands for it.
    pub fn sign(self) -> char {
        match self {
            Verdict::Same => '=',
            Verdict::Changed => '!',
            Verdict::Dropped => '<',
            Verdict::Added => '>',
        }
    }

    /// Returns the word that stands for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "unchanged",
            Verdict::Changed => "changed",
            Verdict::Dropped => "dropped",
            Verdict::Added => "added",
        }
    }
}

/// Which revision has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outer {
    /// None: it opens a hunk, and names what it is in.
    Head,
    /// Both.
    Both,
    /// The old one.
    Old,
    /// The new one.
    New,
}

impl Outer {
    /// Returns the sign in front of such a line.
    pub fn sign(self) -> char {
        match self {
            Outer::Head => '@',
            Outer::Both => ' ',
            Outer::Old => '-',
            Outer::New => '+',
        }
    }
}

/// A line of the diff between two patches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inter {
    /// Which revision has it.
    pub outer: Outer,
    /// The line of the patch, its own sign in front.
    pub text: String,
}

/// A patch and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its place in the old revision, counted from 0.
    pub old: Option<usize>,
    /// Its place in the new revision.
    pub new: Option<usize>,
    /// What became of it.
    pub verdict: Verdict,
    /// What changed.
    pub lines: Vec<Inter>,
}

/// What a comparison left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The ends of long patches.
    Lines,
    /// Looking for partners by content: there are too many patches.
    Patches,
    /// Partners or changes that would have taken too long to find.
    Time,
}

impl Bound {
    /// Says in words what is missing.
    pub fn told(self) -> &'static str {
        match self {
            Bound::Lines => "Some patches are very long: only their beginnings are compared.",
            Bound::Patches => {
                "There are very many patches: only those with the same diff or the same subject are paired."
            }
            Bound::Time => {
                "Comparing these patches takes very long: some are not paired, or shown without what changed in them."
            }
        }
    }
}

/// Two revisions compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// All patches of both, in the order of the new one; what was dropped stands where it was.
    pub pairs: Vec<Pair>,
    /// What was left out.
    pub bounds: Vec<Bound>,
}

impl Comparison {
    /// Returns about how many bytes it takes.
    pub fn weight(&self) -> usize {
        let of_line = |line: &Inter| line.text.len() + size_of::<Inter>();
        let of_pair = |pair: &Pair| pair.lines.iter().map(of_line).sum::<usize>() + 64;
        self.pairs.iter().map(of_pair).sum::<usize>() + 64
    }
}

/// Compares two revisions.
pub fn compare(old: &[Patch], new: &[Patch], limits: &Limits) -> Comparison {
    let forms = Forms::of(old, new, limits);
    let mut work = Work::of(&forms, limits);
    let partners = work.partners(old, new);
    work.finish(&forms, &partners)
}

/// Compares two patches, however little they have in common.
pub fn between(old: &Patch, new: &Patch, limits: &Limits) -> Comparison {
    let forms = Forms::of(std::slice::from_ref(old), std::slice::from_ref(new), limits);
    Work::of(&forms, limits).finish(&forms, &[Some(0)])
}

/// The patches of both revisions as text.
struct Forms {
    old: Vec<Form>,
    new: Vec<Form>,
}

impl Forms {
    fn of(old: &[Patch], new: &[Patch], limits: &Limits) -> Forms {
        let mut left = limits.total;
        let mut form = |patch: &Patch| {
            let form = Form::of(patch, limits.lines.min(left));
            left = left.saturating_sub(form.lines.len());
            form
        };
        Forms {
            old: old.iter().map(&mut form).collect(),
            new: new.iter().map(&mut form).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Form> {
        self.old.iter().chain(&self.new)
    }
}

/// A patch as numbers of lines: the same line has the same number.
struct Numbered {
    all: Vec<Token>,
    diff: usize,
    size: i64,
    /// The lines of the diff in the order of their numbers.
    sorted: Vec<u32>,
}

impl Numbered {
    fn of<'a>(form: &'a Form, interner: &mut Interner<&'a str>) -> Numbered {
        let all: Vec<Token> = form
            .lines
            .iter()
            .map(|line| interner.intern(line))
            .collect();
        let mut sorted: Vec<u32> = all[form.diff..].iter().map(|token| token.0).collect();
        sorted.sort_unstable();
        Numbered {
            all,
            diff: form.diff,
            size: form.size as i64,
            sorted,
        }
    }

    fn diff(&self) -> &[Token] {
        &self.all[self.diff..]
    }

    /// What it costs to leave it without partner.
    fn creation(&self) -> i64 {
        self.size * CREATION / 100
    }
}

struct Work<'a> {
    interner: Interner<&'a str>,
    old: Vec<Numbered>,
    new: Vec<Numbered>,
    most: usize,
    deadline: Instant,
    time: Duration,
    bounds: Vec<Bound>,
}

impl<'a> Work<'a> {
    fn of(forms: &'a Forms, limits: &Limits) -> Work<'a> {
        let mut interner = Interner::new(1024);
        let mut number = |form: &'a Form| Numbered::of(form, &mut interner);
        let (old, new) = (
            forms.old.iter().map(&mut number).collect(),
            forms.new.iter().map(&mut number).collect(),
        );
        let cut = forms.all().any(|form| form.cut);
        Work {
            interner,
            old,
            new,
            most: limits.patches,
            deadline: Instant::now() + limits.time,
            time: limits.time,
            bounds: Vec::from_iter(cut.then_some(Bound::Lines)),
        }
    }

    fn is_late(&mut self) -> bool {
        let late = Instant::now() > self.deadline;
        if late {
            self.note(Bound::Time);
        }
        late
    }

    fn note(&mut self, bound: Bound) {
        if !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }

    /// Returns for each new patch the old one that it was.
    fn partners(&mut self, old: &[Patch], new: &[Patch]) -> Vec<Option<usize>> {
        let mut partners = self.same_diffs(old, new);
        let taken: Vec<usize> = partners.iter().flatten().copied().collect();
        let mut is_free = vec![true; self.old.len()];
        taken.iter().for_each(|at| is_free[*at] = false);
        let free_old: Vec<usize> = (0..self.old.len()).filter(|at| is_free[*at]).collect();
        let free_new: Vec<usize> = (0..new.len())
            .filter(|at| partners[*at].is_none())
            .collect();
        if free_old.is_empty() || free_new.is_empty() {
            return partners;
        }
        let found = match free_old.len().max(free_new.len()) > self.most {
            false => self.alike(&free_old, &free_new),
            true => {
                self.note(Bound::Patches);
                same_subjects(old, new, &free_old, &free_new)
            }
        };
        for (old, new) in found {
            partners[new] = Some(old);
        }
        partners
    }

    /// Pairs patches with the same diff. Without a diff, the subject has to be the same.
    fn same_diffs(&self, old: &[Patch], new: &[Patch]) -> Vec<Option<usize>> {
        let key = |numbered: &'_ Numbered, patch: &Patch| {
            let subject = match numbered.diff().is_empty() {
                true => patch.commit.subject.clone(),
                false => String::new(),
            };
            (subject, numbered.diff().to_vec())
        };
        let mut known: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (at, (numbered, patch)) in self.old.iter().zip(old).enumerate() {
            known.entry(key(numbered, patch)).or_default().push_back(at);
        }
        let of_one = |(numbered, patch)| known.get_mut(&key(numbered, patch))?.pop_front();
        self.new.iter().zip(new).map(of_one).collect()
    }

    /// Pairs patches whose diffs are like each other, so that the sum of the costs is least.
    fn alike(&mut self, old: &[usize], new: &[usize]) -> Vec<(usize, usize)> {
        let size = old.len().max(new.len());
        // What a pair saves against two patches without partner; where nothing is saved there is no pair.
        let mut saved = vec![vec![0_i64; size]; size];
        for (row, old) in old.iter().enumerate() {
            for (column, new) in new.iter().enumerate() {
                if self.is_late() {
                    break;
                }
                // One below, for a pair that saves nothing is still a pair.
                saved[row][column] = self.saving(*old, *new).map_or(0, |saving| -saving * 2 - 1);
            }
        }
        let given = assign::assign(&saved);
        let pairs = given.iter().enumerate();
        pairs
            .filter(|(row, column)| saved[*row][**column] < 0)
            .map(|(row, column)| (old[row], new[*column]))
            .collect()
    }

    /// Returns what is saved if a patch is taken for a revision of another; none if that costs more.
    fn saving(&self, old: usize, new: usize) -> Option<i64> {
        let (old, new) = (&self.old[old], &self.new[new]);
        let apart = old.creation() + new.creation();
        if unlike(&old.sorted, &new.sorted) > apart {
            return None;
        }
        let saving = apart - lines::cost(old.diff(), new.diff(), &self.interner);
        (saving >= 0).then_some(saving)
    }

    fn finish(mut self, forms: &Forms, partners: &[Option<usize>]) -> Comparison {
        self.deadline = Instant::now() + self.time;
        let mut pairs = Vec::new();
        for (old, new) in in_order(forms.old.len(), partners) {
            let (verdict, lines) = match (old, new) {
                (Some(old), Some(new)) => self.changes(old, new),
                (Some(_), None) => (Verdict::Dropped, Vec::new()),
                _ => (Verdict::Added, Vec::new()),
            };
            pairs.push(Pair {
                old,
                new,
                verdict,
                lines,
            });
        }
        Comparison {
            pairs,
            bounds: self.bounds,
        }
    }

    fn changes(&mut self, old: usize, new: usize) -> (Verdict, Vec<Inter>) {
        if self.old[old].all == self.new[new].all {
            return (Verdict::Same, Vec::new());
        }
        if self.is_late() {
            return (Verdict::Changed, Vec::new());
        }
        let (old, new) = (&self.old[old].all, &self.new[new].all);
        (Verdict::Changed, lines::diff(old, new, &self.interner))
    }
}

/// Returns how many lines two sorted lists do not share: no diff between them is shorter.
fn unlike(a: &[u32], b: &[u32]) -> i64 {
    let (mut at, mut shared) = (0, 0);
    for line in a {
        while at < b.len() && b[at] < *line {
            at += 1;
        }
        if at < b.len() && b[at] == *line {
            (at, shared) = (at + 1, shared + 1);
        }
    }
    (a.len() + b.len() - 2 * shared) as i64
}

fn same_subjects(
    old: &[Patch],
    new: &[Patch],
    free_old: &[usize],
    free_new: &[usize],
) -> Vec<(usize, usize)> {
    let mut known: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for at in free_old {
        let subject = old[*at].commit.subject.as_str();
        known.entry(subject).or_default().push_back(*at);
    }
    let mut of_one = |at: &usize| {
        let found = known.get_mut(new[*at].commit.subject.as_str())?.pop_front();
        found.map(|old| (old, *at))
    };
    free_new.iter().filter_map(&mut of_one).collect()
}

/// Returns all pairs in the order of the new revision; what was dropped follows when all before it are there.
fn in_order(olds: usize, partners: &[Option<usize>]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut kept = vec![false; olds];
    partners.iter().flatten().for_each(|old| kept[*old] = true);
    let mut done = vec![false; olds];
    let (mut out, mut at) = (Vec::new(), 0);
    for (new, partner) in partners.iter().enumerate() {
        while at < olds && (done[at] || !kept[at]) {
            if !kept[at] {
                out.push((Some(at), None));
            }
            at += 1;
        }
        out.push((*partner, Some(new)));
        if let Some(old) = partner {
            done[*old] = true;
        }
    }
    out.extend(
        (at..olds)
            .filter(|old| !kept[*old])
            .map(|old| (Some(old), None)),
    );
    out
}

#[cfg(test)]
mod tests;
