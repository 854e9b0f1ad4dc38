//! Filter of entries, as a condition in SQL.

use rusqlite::ToSql;

/// Filter of entries. An entry matches if it meets all conditions that are set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only entries of this resource.
    pub(crate) uuid: Option<String>,
    /// Only entries with a problem.
    pub(crate) problems: bool,
    /// Only replayed calls whose status differs from the recorded one.
    pub(crate) differing: bool,
    /// Only entries of this kind.
    pub(crate) kind: Option<String>,
    /// Only entries of this direction.
    pub(crate) direction: Option<String>,
    /// Only calls with a status of this class: 2 for 200 to 299. 0 are calls without a response.
    pub(crate) status_class: Option<u16>,
    /// Only entries of the operation that begins with this entry.
    pub(crate) operation: Option<i64>,
    /// Only calls with an injected fault.
    pub(crate) faults: bool,
    /// Only entries that contain this text, or belong to one of these resources.
    pub(crate) text: Option<(String, Vec<String>)>,
    /// Only entries older than this one.
    pub(crate) before: Option<i64>,
}

/// Condition of a `WHERE` clause and its values.
pub(super) struct Query {
    pub(super) condition: String,
    pub(super) values: Vec<Box<dyn ToSql>>,
}

impl Query {
    /// Adds a value and returns its placeholder.
    fn value(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.condition += " AND ";
        self.condition += condition;
    }

    /// Requires that an expression has this value, if there is one.
    fn equals(&mut self, expression: &str, value: Option<impl ToSql + 'static>) {
        if let Some(value) = value {
            let placeholder = self.value(value);
            self.and(&format!("{expression} = {placeholder}"));
        }
    }
}

impl Filter {
    pub(super) fn query(&self) -> Query {
        let mut query = Query { condition: String::new(), values: Vec::new() };
        let before = query.value(self.before.unwrap_or(i64::MAX));
        query.condition = format!("id < {before}");
        query.equals("uuid", self.uuid.clone());
        // the expressions are those of the indexes
        query.equals("json_extract(head, '$.kind')", self.kind.clone());
        query.equals("json_extract(head, '$.direction')", self.direction.clone());
        match self.status_class {
            Some(0) => query.and(
                "json_extract(head, '$.status') IS NULL AND json_extract(head, '$.completed') \
                 AND json_extract(head, '$.direction') <> 'Internal'",
            ),
            class => query.equals("json_extract(head, '$.status') / 100", class),
        }
        if let Some(operation) = self.operation {
            let operation = query.value(operation);
            query.and(&format!("(id = {operation} OR json_extract(head, '$.operation') = {operation})"));
        }
        if self.problems {
            query.and("has_problem");
        }
        if self.differing {
            query.and("json_extract(head, '$.replay.differs')");
        }
        if self.faults {
            query.and("json_extract(head, '$.fault') IS NOT NULL");
        }
        if let Some((text, uuids)) = &self.text {
            let pattern = query.value(pattern(text));
            let columns = [
                "json_extract(head, '$.title')",
                "json_extract(head, '$.url')",
                "json_extract(head, '$.fault')",
                "json_extract(head, '$.findings')",
                "CAST(request_body AS TEXT)",
                "CAST(response_body AS TEXT)",
            ];
            let mut conditions = columns.map(|column| format!("{column} LIKE {pattern} ESCAPE '\\'")).to_vec();
            for uuid in uuids {
                let uuid = query.value(uuid.clone());
                conditions.push(format!("uuid = {uuid}"));
            }
            query.and(&format!("({})", conditions.join(" OR ")));
        }
        query
    }
}

/// Returns a pattern for `LIKE` that finds this text.
fn pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        entry::{Completion, Direction, Finding, Head, Kind, Message, Replay},
        events::Subscribers,
        journal::{Journal, Store},
    };

    fn journal() -> Journal {
        Journal::new(Store::open(None, 100).unwrap(), Subscribers::new())
    }

    fn call(journal: &Journal, kind: Kind, status: Option<u16>, body: &str) -> i64 {
        let head = Head {
            uuid: Some("u-1".to_owned()),
            url: "http://127.0.0.1/heroku/resources".to_owned(),
            ..Head::new(OffsetDateTime::UNIX_EPOCH, Direction::ToAddon, kind, kind.title())
        };
        let id = journal.begin(head, &Message::new(std::iter::empty(), body.as_bytes()));
        journal.complete(id, Completion { status, ..Completion::default() });
        id
    }

    fn found(journal: &Journal, filter: &Filter) -> Vec<i64> {
        journal.store().page(filter, 10).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn entries_are_filtered_by_kind_status_direction_and_text() {
        let journal = journal();
        let made = call(&journal, Kind::Provision, Some(200), r#"{"plan":"basic"}"#);
        let lost = call(&journal, Kind::Provision, None, "50%_of");
        let changed = call(&journal, Kind::PlanChange, Some(422), "");
        journal.add_finding(changed, Finding::new("heroku.x", "The reply has no message."));
        let filters = [
            (Filter { kind: Some("Provision".to_owned()), ..Filter::default() }, vec![lost, made]),
            (Filter { direction: Some("FromAddon".to_owned()), ..Filter::default() }, vec![]),
            (Filter { status_class: Some(4), ..Filter::default() }, vec![changed]),
            (Filter { status_class: Some(0), ..Filter::default() }, vec![lost]),
            (Filter { problems: true, ..Filter::default() }, vec![changed, lost]),
            (Filter { text: Some(("BASIC".to_owned(), vec![])), ..Filter::default() }, vec![made]),
            (Filter { text: Some(("%_".to_owned(), vec![])), ..Filter::default() }, vec![lost]),
            (Filter { text: Some(("no message".to_owned(), vec![])), ..Filter::default() }, vec![changed]),
            (
                Filter { text: Some(("x".repeat(9), vec!["u-1".to_owned()])), ..Filter::default() },
                vec![changed, lost, made],
            ),
        ];
        for (filter, wanted) in filters {
            assert_eq!(found(&journal, &filter), wanted, "{filter:?}");
        }
    }

    #[test]
    fn an_operation_is_its_first_entry_and_those_after_it() {
        let journal = journal();
        let before = call(&journal, Kind::Provision, Some(200), "");
        journal.start_operation("u-1");
        let first = call(&journal, Kind::PlanChange, Some(503), "");
        let second = call(&journal, Kind::PlanChange, Some(200), "");
        journal.note(OffsetDateTime::UNIX_EPOCH, Some("u-1"), "changed", None);
        let of = |id| found(&journal, &Filter { operation: Some(id), ..Filter::default() });
        assert_eq!(of(first), [second + 1, second, first]);
        assert_eq!(of(before), [before]);
        journal.start_operation("u-1");
        let third = call(&journal, Kind::Deprovision, Some(204), "");
        assert_eq!((of(third), of(first).len()), (vec![third], 3));
    }

    #[test]
    fn replayed_calls_with_another_status_are_found() {
        let journal = journal();
        let same = call(&journal, Kind::Custom, Some(200), "");
        let other = call(&journal, Kind::Custom, Some(503), "");
        journal.compare(same, Replay { then: Some(200), differs: false });
        journal.compare(other, Replay { then: Some(200), differs: true });
        assert_eq!(found(&journal, &Filter { differing: true, ..Filter::default() }), [other]);
    }

    #[test]
    fn a_cleared_journal_contains_the_reason_and_ignores_late_results() {
        let journal = journal();
        let pending = call(&journal, Kind::Provision, None, "");
        journal.clear(OffsetDateTime::UNIX_EPOCH, "The sandbox was reset");
        journal.complete(pending, Completion { status: Some(200), ..Completion::default() });
        let page = journal.store().page(&Filter::default(), 10);
        assert_eq!(page.iter().map(|(_, head)| head.title.as_str()).collect::<Vec<_>>(), ["The sandbox was reset"]);
    }
}
