//! Two revisions compared: which patch became which, and what changed in each (`ux.md` B4).

use std::{fmt::Write, sync::Arc};

use maud::{Markup, PreEscaped, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    comment::number,
    diff::{self, FIRST_LINES},
    download::File,
    error::Result,
    guard::{Pairs, View},
    id::{Action, Asked},
    layout::{self, Frame, Tab},
    parts,
};
use crate::{
    comparison::{self, Kind},
    domain::{SeriesId, project::Project, series},
    mail::range_diff::{Comparison, Inter, Outer, Pair, Verdict},
    store::{self, patch::Detail, revision::Revision, series::Sent},
};

/// Returns the routes of comparisons of series; those of patches are below the patch.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, raw]
}

#[rocket::get("/project/<linkname>/series/<old>/diff/<new>")]
async fn page(
    linkname: &str,
    old: &str,
    new: &str,
    pairs: Pairs,
    view: View<'_>,
    mut db: Db<'_>,
) -> Result<Answer> {
    let (project, two) = of_series(&mut db, linkname, old, new).await?;
    drop(db);
    two.answer(&view, project, pairs.last("pair")).await
}

#[rocket::get("/project/<linkname>/series/<old>/diff/<new>/raw")]
async fn raw(
    linkname: &str,
    old: &str,
    new: &str,
    view: View<'_>,
    mut db: Db<'_>,
) -> Result<Answer> {
    let (project, two) = of_series(&mut db, linkname, old, new).await?;
    drop(db);
    let two = Two { raw: true, ..two };
    two.answer(&view, project, None).await
}

async fn of_series(
    db: &mut Db<'_>,
    linkname: &str,
    old: &str,
    new: &str,
) -> Result<(Project, Two)> {
    let project = store::project::by_linkname(db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let ids = [SeriesId(number(old)?), SeriesId(number(new)?)];
    let [old, new] = comparison::sides(db, ids)
        .await?
        .filter(|[old, _]| old.sent.series.project_id == project.id)
        .ok_or_else(Error::missing)?;
    let chain = store::revision::chain(db, ids[1]).await?;
    let two = Two {
        of: Of::Series(Box::new((old.sent, new.sent)), chain),
        old: old.patches,
        new: new.patches,
        raw: false,
    };
    Ok((project, two))
}

/// Two revisions to be compared.
pub struct Two {
    of: Of,
    old: Arc<Vec<Detail>>,
    new: Arc<Vec<Detail>>,
    raw: bool,
}

enum Of {
    /// The series, and all revisions of the new one.
    Series(Box<(Sent, Sent)>, Vec<Revision>),
    Patches,
}

impl Two {
    /// Returns the two patches that an address below `/patch/` names: `ID/diff/OTHER ID`.
    pub async fn named(db: &mut Db<'_>, project: &Project, tail: &str) -> Result<Option<Two>> {
        // An id may hold the word between the two; nobody writes more than a few.
        for (at, word) in tail.match_indices("/diff/").take(4) {
            let old = Asked::read(&tail[..at]);
            let new = Asked::read(&tail[at + word.len()..]);
            let ids = [old.ids(), new.ids()].concat();
            let found = store::patch::detail_by_message_id(db, project.id, &ids).await?;
            let choose =
                |asked: &Asked| asked.choose(found.clone(), |detail: &Detail| &detail.patch.msgid);
            if let (Some((Action::Page, old)), Some((action, new))) = (choose(&old), choose(&new)) {
                return Ok(Some(Two {
                    of: Of::Patches,
                    old: Arc::new(vec![old]),
                    new: Arc::new(vec![new]),
                    raw: action == Action::Raw,
                }));
            }
        }
        Ok(None)
    }

    /// Answers the comparison: the page, one pair of it, or the text.
    pub async fn answer(
        self,
        view: &View<'_>,
        project: Project,
        pair: Option<&str>,
    ) -> Result<Answer> {
        let kind = match &self.of {
            Of::Series(..) => Kind::Series,
            Of::Patches => Kind::Patches,
        };
        let found = comparison::of(&project, kind, self.old.clone(), self.new.clone()).await;
        let found = found.ok_or(Error::Unlucky)?;
        if self.raw {
            let text = comparison::text(&found, &project, &self.old, &self.new);
            return Ok(Answer::File(File::comparison(&self.file_name(), text)));
        }
        let wanted = pair.and_then(|pair| pair.parse::<usize>().ok());
        let page = Page {
            address: self.address(view, &project),
            project,
            two: self,
            found,
        };
        match (view.fragment, wanted) {
            (Some(_), Some(number)) => {
                let at = number.checked_sub(1).ok_or_else(Error::missing)?;
                let pair = page.found.pairs.get(at).ok_or_else(Error::missing)?;
                let body = lines(&pair.lines, number);
                Ok(Answer::Part {
                    body,
                    address: None,
                })
            }
            _ => Ok(Answer::Page(page.drawn(view, wanted))),
        }
    }

    fn address(&self, view: &View, project: &Project) -> String {
        let links = view.links();
        match &self.of {
            Of::Series(two, _) => {
                links.series_diff(&project.linkname, two.0.series.id, two.1.series.id)
            }
            Of::Patches => links.patch_diff(
                &project.linkname,
                &self.old[0].patch.msgid,
                &self.new[0].patch.msgid,
            ),
        }
    }

    fn file_name(&self) -> String {
        match &self.of {
            Of::Series(two, _) => {
                format!("series-{}-{}", two.0.series.id, two.1.series.id)
            }
            Of::Patches => format!("patch-{}-{}", self.old[0].patch.id, self.new[0].patch.id),
        }
    }
}

/// Everything the page shows.
struct Page {
    project: Project,
    two: Two,
    found: Arc<Comparison>,
    address: String,
}

impl Page {
    fn drawn(&self, view: &View, wanted: Option<usize>) -> Markup {
        let name = self.name();
        layout::page(
            view,
            &Frame::project(&format!("Changes: {name}"), &self.project, Tab::Patches),
            html! {
                (self.crumbs(view))
                header.heading {
                    h1 { "Changes: " (name) }
                    (self.facts(view))
                }
                @for bound in &self.found.bounds { p.label.todo role="note" { (bound.told()) } }
                section #matrix {
                    header { h2 { "Patches" span.n { (self.found.pairs.len()) } } p { a href={ (self.address) "raw/" } { "as text" } } }
                    @if self.found.pairs.is_empty() { p.muted { "Neither series has a patch." } }
                    @else { (self.matrix(view)) }
                }
                (self.changes(wanted))
            },
        )
    }

    fn name(&self) -> String {
        match &self.two.of {
            Of::Series(two, _) => {
                let sent = &two.1.series;
                parts::title(&series::shown(sent.name.as_deref(), sent.id)).to_owned()
            }
            Of::Patches => parts::named(parts::title(&self.two.new[0].patch.name)).into_owned(),
        }
    }

    fn crumbs(&self, view: &View) -> Markup {
        let links = view.links();
        let linkname = &self.project.linkname;
        html! {
            div.crumbs { nav aria-label="Breadcrumb" { ol {
                li { a href=(links.list(linkname)) { (self.project.name) } }
                @match &self.two.of {
                    Of::Series(two, _) => li { a href=(links.series(linkname, two.1.series.id)) data-key="u" { "Series " (two.1.series.id) } },
                    Of::Patches => li { a href=(links.patch(linkname, &self.two.new[0].patch.msgid)) data-key="u" { "Patch " (self.two.new[0].patch.id) } },
                }
                li aria-current="page" { "Changes" }
            } } }
        }
    }

    /// From what to what; and what else the new one can be compared with.
    fn facts(&self, view: &View) -> Markup {
        let links = view.links();
        let linkname = &self.project.linkname;
        match &self.two.of {
            Of::Series(two, chain) => {
                let label = |sent: &Sent| {
                    let known = chain.iter().find(|one| one.id == sent.series.id);
                    known.map_or_else(|| format!("v{}", sent.series.version), Revision::label)
                };
                let (old, new) = (&two.0.series, &two.1.series);
                let others = || chain.iter().filter(|one| one.id != new.id);
                html! {
                    p.facts {
                        span { "from " a href=(links.series(linkname, old.id)) { (label(&two.0)) } ", " (parts::moment(old.date)) }
                        span { "to " a href=(links.series(linkname, new.id)) { (label(&two.1)) } ", " (parts::moment(new.date)) }
                    }
                    @if others().count() > 1 {
                        nav.views aria-label="Compare with another revision" {
                            span.muted { "Compare with" }
                            @for one in others() {
                                a href=(links.series_diff(linkname, one.id, new.id)) aria-current=[(one.id == old.id).then_some("true")] { (one.label()) }
                            }
                        }
                    }
                }
            }
            Of::Patches => {
                let patch = |detail: &Detail| {
                    html! {
                        a href=(links.patch(linkname, &detail.patch.msgid)) { (parts::named(&detail.patch.name)) }
                        ", " (parts::moment(detail.patch.date))
                    }
                };
                html! {
                    p.facts {
                        span { "from " (patch(&self.two.old[0])) }
                        span { "to " (patch(&self.two.new[0])) }
                    }
                }
            }
        }
    }

    fn matrix(&self, view: &View) -> Markup {
        html! {
            table.range {
                thead { tr {
                    th scope="col" { "Old" }
                    th scope="col" { span.vh { "What became of it" } }
                    th scope="col" { "New" }
                    th scope="col" { "Patch" }
                } }
                tbody { @for (at, pair) in self.found.pairs.iter().enumerate() {
                    tr class=(pair.verdict.word()) {
                        td { (place(pair.old)) }
                        td { span.sign aria-hidden="true" { (pair.verdict.sign()) } span.vh { (pair.verdict.word()) } }
                        td { (place(pair.new)) }
                        td { (self.entry(view, pair, at + 1)) }
                    }
                } }
            }
        }
    }

    /// The name of a pair: it leads to what changed, else to the patch.
    fn entry(&self, view: &View, pair: &Pair, number: usize) -> Markup {
        let Some(detail) = self.detail(pair) else {
            return html! {};
        };
        let address = match pair.verdict {
            Verdict::Changed => format!("#p{number}"),
            _ => view
                .links()
                .patch(&self.project.linkname, &detail.patch.msgid),
        };
        html! {
            a href=(address) { (parts::named(parts::title(&detail.patch.name))) }
            @if pair.verdict != Verdict::Same { " " span.muted { (pair.verdict.word()) } }
        }
    }

    fn detail(&self, pair: &Pair) -> Option<&Detail> {
        let new = pair.new.and_then(|at| self.two.new.get(at));
        new.or_else(|| self.two.old.get(pair.old?))
    }

    /// The pairs in which something changed, each in a fold; long ones on demand.
    fn changes(&self, wanted: Option<usize>) -> Markup {
        let mut left = FIRST_LINES;
        let mut share = |(at, pair): (usize, &Pair)| {
            let length = pair.lines.len();
            let fits = wanted == Some(at + 1) || length <= left;
            left = left.saturating_sub(length);
            fits
        };
        let pairs = self.found.pairs.iter().enumerate();
        let changed: Vec<_> = pairs
            .filter(|(_, pair)| pair.verdict == Verdict::Changed)
            .map(|(at, pair)| (at + 1, pair, share((at, pair))))
            .collect();
        html! {
            section.changes #changes {
                header { h2 { "Changes" } label.wrap { input type="checkbox" #wrap data-key="w"; " Wrap lines" } }
                @if changed.is_empty() { p.muted { "No patch that is in both has changed." } }
                @for (number, pair, fits) in &changed { (self.fold(pair, *number, *fits)) }
            }
        }
    }

    fn fold(&self, pair: &Pair, number: usize, fits: bool) -> Markup {
        html! {
            details.file.pair id={ "p" (number) } open[fits] {
                summary { span.path { (place(pair.old)) " ! " (place(pair.new)) " " (self.title(pair)) } (counts(pair)) }
                @if pair.lines.is_empty() { p.more { "What changed is not shown." } }
                @else if fits { (lines(&pair.lines, number)) }
                @else { (self.later(number, pair.lines.len())) }
            }
        }
    }

    fn title(&self, pair: &Pair) -> String {
        let detail = self.detail(pair);
        let name = detail.map(|detail| parts::title(&detail.patch.name));
        parts::named(name.unwrap_or_default()).into_owned()
    }

    fn later(&self, number: usize, length: usize) -> Markup {
        let address = format!("{}?pair={number}", self.address);
        html! {
            p.more hx-get=(address) hx-trigger="toggle from:closest details once" hx-swap="outerHTML" {
                a href={ (address) "#p" (number) } { "Show the " (length) " lines of this pair" }
            }
        }
    }
}

fn place(at: Option<usize>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| (at + 1).to_string())
}

fn counts(pair: &Pair) -> Markup {
    let of = |outer| pair.lines.iter().filter(|line| line.outer == outer).count();
    html! {
        span.counts {
            span.plus { "+" (of(Outer::New)) span.vh { " lines only in the new one" } } " "
            span.minus { "−" (of(Outer::Old)) span.vh { " lines only in the old one" } }
        }
    }
}

/// Draws what changed: in the gutter which revision has a line, in colour what the line does there.
fn lines(lines: &[Inter], pair: usize) -> Markup {
    let mut out = String::from("<pre class=\"diff inter\">");
    let mut hunk = 0;
    for line in lines {
        if line.outer == Outer::Head {
            hunk += 1;
            push(
                &mut out,
                format_args!(
                    "<span class=\"h\" id=\"p{pair}-h{hunk}\"><a href=\"#p{pair}-h{hunk}\">"
                ),
            );
            diff::escape(&mut out, format!("@@ {}", line.text).trim_end());
            out.push_str("</a></span>\n");
            continue;
        }
        let inner = match line.text.as_bytes() {
            [b'+', ..] => " a",
            [b'-', ..] => " d",
            [b'@', b'@', ..] | [b' ', b'#', b'#', ..] => " m",
            _ => "",
        };
        let (outer, sign, word) = match line.outer {
            Outer::Old => ("old", "−", "only old: "),
            Outer::New => ("new", "+", "only new: "),
            _ => ("both", "", ""),
        };
        push(&mut out, format_args!("<span class=\"{outer}{inner}\""));
        if !sign.is_empty() {
            push(&mut out, format_args!(" data-n=\"{sign}\""));
        }
        out.push('>');
        if !word.is_empty() {
            push(&mut out, format_args!("<i>{word}</i>"));
        }
        diff::escape(&mut out, &line.text);
        out.push_str("</span>\n");
    }
    out.push_str("</pre>");
    PreEscaped(out)
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a String takes any text");
}
