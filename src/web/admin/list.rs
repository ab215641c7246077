//! Lists of things: search, filters, order, pages of a hundred, actions on chosen rows, and the same as CSV.

use maud::{Markup, html};

use super::{
    super::{
        Db,
        answer::Answer,
        download::File,
        error::Result,
        field::Faults,
        form::Form,
        guard::{Pairs, View},
        link, pager, parts,
    },
    Access, address, delete, draft, framed,
    model::{Acted, Action, By, Filter, Model, On, Show},
    work::Work,
};
use crate::{
    domain::{Timestamp, notice::Notice, permission::Deed},
    store::{
        Conn, Value,
        admin::{self, Cell, Cells, Condition, Query},
    },
};

/// How many rows a page has.
const ROWS: i64 = 100;
/// More rows than this are not counted, and not paged to.
const MOST: i64 = 10_000;
/// How many things one action takes.
pub const MOST_AT_ONCE: usize = 1000;
/// How many rows a CSV file has at most.
const MOST_CSV: i64 = 100_000;
/// How many words of a search count.
const MOST_WORDS: usize = 10;

/// What is asked of a list, as the address says it.
struct Asked {
    words: String,
    /// Key and value of each filter in use.
    filters: Vec<(&'static str, String)>,
    /// The column it is sorted by, from 1 on; negative for large values first.
    order: i64,
    page: i64,
}

impl Asked {
    fn read(model: &Model, pairs: &Pairs) -> Asked {
        let typed = |key: &str| {
            let value = pairs.last(key).unwrap_or_default();
            value
                .chars()
                .filter(|c| !c.is_control())
                .collect::<String>()
        };
        let used = model
            .filters
            .iter()
            .map(|filter| (filter.key, typed(filter.key)));
        let columns = model.columns.len() as i64;
        let order: i64 = typed("order").parse().unwrap_or_default();
        let is_sorted = |order: i64| {
            (1..=columns).contains(&order.abs())
                && !model.columns[order.unsigned_abs() as usize - 1]
                    .sort
                    .is_empty()
        };
        Asked {
            words: typed("q"),
            filters: used.filter(|(_, value)| !value.is_empty()).collect(),
            order: if is_sorted(order) { order } else { 0 },
            page: typed("page").parse().unwrap_or(1).clamp(1, MOST / ROWS),
        }
    }

    fn filter(&self, key: &str) -> &str {
        let found = self.filters.iter().find(|(known, _)| *known == key);
        found.map_or("", |(_, value)| value)
    }

    /// Returns the address relative to the list.
    fn href(&self, order: i64, page: i64) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        if !self.words.is_empty() {
            pairs.push(("q", self.words.clone()));
        }
        pairs.extend(
            self.filters
                .iter()
                .map(|(key, value)| (*key, value.clone())),
        );
        if order != 0 {
            pairs.push(("order", order.to_string()));
        }
        if page > 1 {
            pairs.push(("page", page.to_string()));
        }
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(key, value)| format!("{key}={}", link::encoded(value)))
            .collect();
        match pairs.is_empty() {
            true => "./".to_owned(),
            false => format!("?{}", pairs.join("&")),
        }
    }

    fn here(&self) -> String {
        self.href(self.order, self.page)
    }

    /// Returns what of the address an object's form keeps for the way back.
    fn back(&self) -> String {
        match self.here().strip_prefix('?') {
            Some(query) => format!("?back={}", link::encoded(query)),
            None => String::new(),
        }
    }

    async fn query(&self, conn: &mut Conn, model: &Model) -> Result<Query> {
        let words = self.words.split_whitespace().take(MOST_WORDS);
        let mut query = Query {
            words: words.map(str::to_owned).collect(),
            ..Query::default()
        };
        for filter in model.filters {
            let value = self.filter(filter.key);
            if !value.is_empty() {
                query
                    .conditions
                    .extend(conditions(conn, filter, value).await?);
            }
        }
        if self.order != 0 {
            let column = &model.columns[self.order.unsigned_abs() as usize - 1];
            query.order = Some(column.sort);
            query.ascending = self.order > 0;
        }
        Ok(query)
    }
}

/// Nothing fits what makes no sense.
const NOTHING: Condition = Condition {
    before: " AND FALSE",
    value: None,
    after: "",
};

async fn conditions(conn: &mut Conn, filter: &Filter, value: &str) -> Result<Vec<Condition>> {
    let one = |before, value: Value, after| {
        vec![Condition {
            before,
            value: Some(value),
            after,
        }]
    };
    Ok(match &filter.by {
        By::Yes(before) => match value {
            "1" => one(before, true.into(), ""),
            "0" => one(before, false.into(), ""),
            _ => vec![NOTHING],
        },
        By::Choice(choices) => {
            let found = choices.iter().find(|(word, ..)| *word == value);
            let condition = found.map(|(.., condition)| Condition {
                before: condition,
                value: None,
                after: "",
            });
            vec![condition.unwrap_or(NOTHING)]
        }
        By::Row(lookup, before, after) => match admin::find(conn, lookup, value).await? {
            Some(id) => one(before, id.into(), after),
            None => vec![NOTHING],
        },
        By::Text(before, after) => one(before, value.to_lowercase().into(), after),
        By::Date(from, to) => match span(value) {
            Some((begin, end)) => [one(from, begin.into(), ""), one(to, end.into(), "")].concat(),
            None => vec![NOTHING],
        },
    })
}

/// Returns where a year, a month or a day begins and ends.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    use jiff::{ToSpan, civil::Date, tz::TimeZone};
    let mut parts = text.split('-');
    let year: i16 = parts.next()?.parse().ok()?;
    let month: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    let day: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    if parts.next().is_some() || !(1900..=9000).contains(&year) {
        return None;
    }
    let begin = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let length = match (month, day) {
        (None, _) => 1.year(),
        (_, None) => 1.month(),
        _ => 1.day(),
    };
    let end = begin.checked_add(length).ok()?;
    let moment = |date: Date| {
        let zoned = date.to_zoned(TimeZone::UTC).ok()?;
        Some(Timestamp(zoned.timestamp().as_microsecond()))
    };
    Some((moment(begin)?, moment(end)?))
}

/// Draws a list.
pub async fn page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    model: &'static Model,
    pairs: &Pairs,
) -> Result<Answer> {
    let asked = Asked::read(model, pairs);
    let query = asked.query(db, model).await?;
    if pairs.last("format") == Some("csv") {
        let rows = admin::page(db, model.table, &query, MOST_CSV, 0).await?;
        return Ok(Answer::File(File::csv(model.name, csv(model, &rows))));
    }
    let total = admin::count(db, model.table, &query, MOST + 1).await?;
    let last = (total.min(MOST) + ROWS - 1) / ROWS;
    let page = asked.page.min(last.max(1));
    let rows = admin::page(db, model.table, &query, ROWS, (page - 1) * ROWS).await?;
    let above = model.noun.above(db, view, access).await?;
    let actions = actions(db, view, access, model).await?;
    let filters = filters(db, model, &asked).await?;
    let has_boxes = !actions.is_empty();
    let main = html! {
        header.heading.with-deeds {
            h1 { (model.many) }
            div.deeds {
                @if access.may(model, Deed::Add) {
                    a.button.primary href=(view.links().admin(&format!("{}add/", model.path()))) { "Add " (model.one.to_lowercase()) }
                }
                a.button href=(csv_address(&asked)) { "CSV" }
            }
        }
        @if !model.about.is_empty() { p.about { (model.about) } }
        (above)
        (filters)
        p.total { (counted(total)) @if total > MOST { ". Search or filter to reach what is further back." } }
        @if rows.is_empty() {
            div.empty { p { strong { @if asked.words.is_empty() && asked.filters.is_empty() { "There is nothing here yet." } @else { "Nothing fits." } } } }
        } @else {
            form.rows method="post" action=(asked.here()) {
                (view.csrf())
                table.things {
                    caption.vh { (model.many) }
                    thead { tr {
                        @if has_boxes { th scope="col" { span.vh { "Choose" } } }
                        @for (at, column) in model.columns.iter().enumerate() {
                            (head(&asked, at as i64 + 1, column.head, !column.sort.is_empty(), column.show == Show::Number))
                        }
                    } }
                    tbody { @for row in &rows { (drawn(view, model, row, &asked.back(), has_boxes)) } }
                }
                @if has_boxes {
                    fieldset.actions {
                        legend { "With the chosen rows" }
                        @if total as usize > rows.len() {
                            label.tick { input type="checkbox" name="all" value="1"; " All that were found, on all pages (" (MOST_AT_ONCE) " at most)" }
                        }
                        @for action in actions { (action) }
                        (access.password_field(model.is_grave, &Faults::default()))
                    }
                }
            }
        }
        (pager::pager(page, last, |page| asked.href(asked.order, page)))
    };
    Ok(Answer::Page(framed(
        view,
        access,
        model.many,
        Some(model),
        main,
    )))
}

fn csv_address(asked: &Asked) -> String {
    match asked.href(asked.order, 1).as_str() {
        "./" => "?format=csv".to_owned(),
        query => format!("{query}&format=csv"),
    }
}

fn counted(total: i64) -> String {
    match total {
        total if total > MOST => "10 000+ found".to_owned(),
        total => format!("{total} found"),
    }
}

fn head(asked: &Asked, place: i64, text: &str, is_sorted: bool, is_number: bool) -> Markup {
    let (sort, mark, next) = match asked.order {
        order if order == place => (Some("ascending"), " ↑", -place),
        order if order == -place => (Some("descending"), " ↓", place),
        _ => (None, "", place),
    };
    html! {
        th.num[is_number] scope="col" aria-sort=[sort] {
            @if is_sorted { a href=(asked.href(next, 1)) { (text) i aria-hidden="true" { (mark) } } } @else { (text) }
        }
    }
}

fn drawn(view: &View, model: &Model, row: &Cells, back: &str, has_boxes: bool) -> Markup {
    let id = row.get(0).text();
    html! {
        tr {
            @for (at, column) in model.columns.iter().enumerate() {
                @let cell = row.get(at + 1);
                @if at == 0 {
                    @let label = shown(column.show, cell);
                    @if has_boxes {
                        td.box { label { span.vh { "Choose " (label) } input type="checkbox" name="id" value=(id); } }
                    }
                    th scope="row" { a href={ (address(view, model, &id, "change")) (back) } { @if label.trim().is_empty() { "#" (id) } @else { (cut(&label)) } } }
                } @else {
                    td.num[column.show == Show::Number] data-head=(column.head) { (value(column.show, cell)) }
                }
            }
        }
    }
}

fn cut(text: &str) -> String {
    let (short, long) = parts::cut(text);
    match long {
        Some(_) => format!("{short}…"),
        None => short.to_owned(),
    }
}

/// Draws a value of a list.
fn value(show: Show, cell: &Cell) -> Markup {
    if cell.is_null() {
        return html! { span.none { "-" } };
    }
    match show {
        Show::Text | Show::Number | Show::Word(_) => html! { (cut(&shown(show, cell))) },
        Show::Code => html! { code { (cut(&shown(show, cell))) } },
        Show::Moment => html! { @if let Some(at) = cell.time() { (parts::moment(at)) } },
        Show::Yes => html! { @if cell.is_yes() { "yes" } @else { span.muted { "no" } } },
    }
}

/// Returns a value as text.
fn shown(show: Show, cell: &Cell) -> String {
    match show {
        _ if cell.is_null() => String::new(),
        Show::Yes => if cell.is_yes() { "yes" } else { "no" }.to_owned(),
        Show::Moment => cell.time().map_or_else(String::new, |at| at.iso()),
        Show::Word(words) => {
            let at = usize::try_from(cell.int()).unwrap_or_default();
            words
                .get(at)
                .map_or_else(|| cell.text(), |word| (*word).to_owned())
        }
        _ => cell.text(),
    }
}

fn csv(model: &Model, rows: &[Cells]) -> String {
    let mut text = String::from("id");
    for column in model.columns {
        text.push(',');
        text.push_str(&quoted(column.head));
    }
    for row in rows {
        text.push_str("\r\n");
        text.push_str(&quoted(&row.get(0).text()));
        for (at, column) in model.columns.iter().enumerate() {
            text.push(',');
            text.push_str(&quoted(&shown(column.show, row.get(at + 1))));
        }
    }
    text.push_str("\r\n");
    text
}

/// Spreadsheets take what begins so for a formula, and would run it.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    match text.contains(['"', ',', '\n', '\r']) || !guard.is_empty() {
        true => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

async fn filters(conn: &mut Conn, model: &'static Model, asked: &Asked) -> Result<Markup> {
    let mut controls = Vec::new();
    for filter in model.filters {
        controls.push(control(conn, filter, asked.filter(filter.key)).await?);
    }
    let is_searched = !model.table.words.is_empty();
    Ok(html! {
        @if is_searched || !controls.is_empty() {
            form.sift role="search" {
                @if asked.order != 0 { input type="hidden" name="order" value=(asked.order); }
                @if is_searched {
                    div.field.f-q { label for="f-q" { "Search" } input #f-q type="search" name="q" value=(asked.words); }
                }
                @for control in controls { (control) }
                button type="submit" { "Show" }
                @if !asked.words.is_empty() || !asked.filters.is_empty() { a.button href="./" { "Clear" } }
            }
        }
    })
}

async fn control(conn: &mut Conn, filter: &'static Filter, value: &str) -> Result<Markup> {
    let id = format!("f-{}", filter.key);
    let select = |choices: Vec<(String, String)>| {
        html! {
            select id=(id) name=(filter.key) {
                option value="" { "any" }
                @for (kept, label) in choices { option value=(kept) selected[kept == value] { (label) } }
            }
        }
    };
    let typed = |placeholder: &str| html! { input id=(id) name=(filter.key) value=(value) placeholder=(placeholder) autocapitalize="none"; };
    let control = match &filter.by {
        By::Yes(_) => select(vec![("1".into(), "yes".into()), ("0".into(), "no".into())]),
        By::Choice(choices) => select(
            choices
                .iter()
                .map(|(word, label, _)| ((*word).to_owned(), (*label).to_owned()))
                .collect(),
        ),
        By::Row(lookup, ..) => match admin::options(conn, lookup).await? {
            Some(choices) => select(
                choices
                    .into_iter()
                    .map(|(id, name)| (id.to_string(), name))
                    .collect(),
            ),
            None => typed("number or name"),
        },
        By::Text(..) => typed(""),
        By::Date(..) => html! {
            input id=(id) name=(filter.key) value=(value) placeholder="2024-05-06"
                title="A year, a month or a day: 2024, 2024-05 or 2024-05-06" autocapitalize="none";
        },
    };
    Ok(html! { div.field { label for=(id) { (filter.label) } (control) } })
}

/// Draws what can be done with chosen rows: a button each, and beside it what it needs to know.
async fn actions(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    model: &'static Model,
) -> Result<Vec<Markup>> {
    let mut drawn = Vec::new();
    for action in model.actions {
        if matches!(action.on, On::Rows | On::Each) && access.holds(model, action.deed) {
            drawn.push(offer(conn, view, action).await?);
        }
    }
    if access.may(model, Deed::Delete) {
        drawn.push(html! { div.act { button.danger type="submit" name="action" value="delete" { "Delete …" } } });
    }
    Ok(drawn)
}

/// Draws an action: what it needs to know, and its button.
pub async fn offer(conn: &mut Conn, view: &View<'_>, action: &'static Action) -> Result<Markup> {
    let mut fields = Vec::new();
    for field in action.fields {
        fields.push(draft::control(conn, view, field, field.initial, &Faults::default()).await?);
    }
    Ok(html! {
        div.act {
            @for field in fields { (field) }
            button type="submit" name="action" value=(action.name) { (action.label) }
        }
    })
}

/// Draws the first action of a kind above its list, in a fold of its own: it takes no rows.
pub async fn fold(
    conn: &mut Conn,
    view: &View<'_>,
    model: &'static Model,
    summary: &str,
) -> Result<Markup> {
    let offer = offer(conn, view, &model.actions[0]).await?;
    Ok(html! {
        details.more {
            summary { (summary) }
            form.actions method="post" action=(view.links().admin(&model.path())) { (view.csrf()) (offer) }
        }
    })
}

/// Does something with chosen rows, or with the list as a whole.
pub async fn act(
    view: &View<'_>,
    mut db: Db<'_>,
    access: &Access,
    model: &'static Model,
    pairs: &Pairs,
    form: &Form<'_>,
) -> Result<Answer> {
    let asked = Asked::read(model, pairs);
    let name = form.text("action");
    let list = view.links().admin(&model.path()) + asked.here().trim_start_matches("./");
    let ids = chosen(&mut db, model, &asked, form).await?;
    if name == "delete" {
        access.require(model, Deed::Delete)?;
        if ids.is_empty() {
            drop(db);
            return told(view, form, model, access, "Nothing was chosen.", list).await;
        }
        return match form.is_ticked("confirmed") {
            true => delete::delete(view, db, access, model, &ids, form).await,
            false => delete::confirmation(view, &mut db, access, model, &ids, &Faults::default())
                .await
                .map(Answer::Page),
        };
    }
    drop(db);
    let action = model
        .actions
        .iter()
        .find(|action| action.name == name && action.on != On::Own);
    let Some(action) = action else {
        return told(view, form, model, access, "There is no such action.", list).await;
    };
    if !access.holds(model, action.deed) {
        access.require(model, action.deed)?;
    }
    if ids.is_empty() && action.on != On::All {
        return told(view, form, model, access, "Nothing was chosen.", list).await;
    }
    let mut faults = Faults::default();
    access.confirm(model.is_grave, form, &mut faults).await?;
    if !faults.is_empty() {
        let text = access.unconfirmed(&faults);
        return told(view, form, model, access, &text, list).await;
    }
    let mut work = Work::begin(view, form, model, access).await?;
    match model.noun.act(&mut work, name, &ids, form).await? {
        Acted::Done(text) => {
            work.end(Notice::done(text)).await?;
            Ok(Answer::Done(list))
        }
        Acted::Refused(text) => {
            drop(work);
            told(view, form, model, access, &text, list).await
        }
        Acted::After(later) => {
            work.tx.commit().await?;
            let text = later(form.database(), view.options().intake.clone()).await?;
            let work = Work::begin(view, form, model, access).await?;
            work.end(Notice::done(text)).await?;
            Ok(Answer::Done(list))
        }
        Acted::Page(main) => {
            work.tx.commit().await?;
            Ok(Answer::Page(framed(
                view,
                access,
                model.many,
                Some(model),
                main,
            )))
        }
    }
}

/// Says on the next page why nothing was done.
pub async fn told(
    view: &View<'_>,
    form: &Form<'_>,
    model: &'static Model,
    access: &Access,
    text: &str,
    address: String,
) -> Result<Answer> {
    let work = Work::begin(view, form, model, access).await?;
    work.end(Notice::failed(text)).await?;
    Ok(Answer::Done(address))
}

async fn chosen(
    conn: &mut Conn,
    model: &Model,
    asked: &Asked,
    form: &Form<'_>,
) -> Result<Vec<String>> {
    if form.is_ticked("all") {
        let query = asked.query(conn, model).await?;
        return Ok(admin::ids(conn, model.table, &query, MOST_AT_ONCE as i64).await?);
    }
    let sent = form.all("id").filter(|id| model.table.id(id).is_some());
    let mut ids: Vec<String> = sent.take(MOST_AT_ONCE).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_not_run() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn years_months_and_days_have_their_length() {
        let days = |text: &str| span(text).map(|(from, to)| (to.0 - from.0) / 86_400_000_000);
        assert_eq!(days("2024"), Some(366));
        assert_eq!(days("2024-02"), Some(29));
        assert_eq!(days("2024-02-29"), Some(1));
        for bad in ["", "x", "2024-13", "2024-02-30", "2024-1-1-1", "0"] {
            assert_eq!(days(bad), None, "{bad}");
        }
    }
}
