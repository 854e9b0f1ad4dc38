//! In-memory log: every span and event of a test, at every level.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

thread_local! {
    // a test and its server share one thread, so everything logged here belongs to this test
    static LINES: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

type Fields = BTreeMap<&'static str, String>;
type Lines = Arc<Mutex<Vec<Line>>>;

/// One event, or one span when it is opened or records fields.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) target: String,
    pub(crate) is_event: bool,
    pub(crate) fields: Fields,
    /// Enclosing spans, outermost first.
    pub(crate) spans: Vec<(&'static str, Fields)>,
    level: tracing::Level,
}

impl Line {
    pub(crate) fn message(&self) -> &str {
        self.fields.get("message").map_or("", String::as_str)
    }

    /// Returns a field of the event or of an enclosing span.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let around = self.spans.iter().rev().map(|(_, fields)| fields);
        std::iter::once(&self.fields).chain(around).find_map(|fields| fields.get(name)).map(String::as_str)
    }

    /// Whether the line belongs to a marketplace's request.
    pub(crate) fn is_in_request_span(&self) -> bool {
        self.spans.iter().any(|(name, _)| *name == "marketplace")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?} in {:?}", self.level, self.target, self.fields, self.spans)
    }
}

/// Lines logged since the log was opened.
pub(crate) struct Log(Lines);

impl Log {
    /// Starts to record. Only for tests whose server runs on their own thread.
    pub(crate) fn open() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(Capture);
            tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
            tracing::callsite::rebuild_interest_cache();
        });
        let lines = Lines::default();
        LINES.set(Some(lines.clone()));
        Self(lines)
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn events(&self) -> Vec<Line> {
        self.lines().into_iter().filter(|line| line.is_event).collect()
    }

    /// Returns the log as text.
    pub(crate) fn text(&self) -> String {
        self.lines().iter().map(Line::to_string).collect::<Vec<_>>().join("\n")
    }

    /// Returns the events whose message contains `part`.
    pub(crate) fn events_containing(&self, part: &str) -> Vec<Line> {
        self.events().into_iter().filter(|line| line.message().contains(part)).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct Capture;

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Capture {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        LINES.try_with(|lines| lines.borrow().is_some()).unwrap_or(false)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut FieldVisitor(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields.clone());
        }
        record(attributes.metadata(), false, fields, enclosing(context.span(id).and_then(|span| span.parent())));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::new();
        values.record(&mut FieldVisitor(&mut fields));
        if let Some(recorded) = span.extensions_mut().get_mut::<Fields>() {
            recorded.extend(fields.clone());
        }
        record(span.metadata(), false, fields, enclosing(span.parent()));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut FieldVisitor(&mut fields));
        record(event.metadata(), true, fields, enclosing(context.event_span(event)));
    }
}

fn enclosing<'r, R: LookupSpan<'r>>(
    span: Option<tracing_subscriber::registry::SpanRef<'r, R>>,
) -> Vec<(&'static str, Fields)> {
    let Some(span) = span else { return Vec::new() };
    let fields = |span: &tracing_subscriber::registry::SpanRef<'r, R>| span.extensions().get::<Fields>().cloned();
    span.scope().from_root().map(|span| (span.name(), fields(&span).unwrap_or_default())).collect()
}

fn record(metadata: &Metadata<'_>, is_event: bool, fields: Fields, spans: Vec<(&'static str, Fields)>) {
    let line = Line { target: metadata.target().to_owned(), is_event, fields, spans, level: *metadata.level() };
    LINES.with_borrow(|lines| {
        if let Some(lines) = lines {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

struct FieldVisitor<'f>(&'f mut Fields);

impl Visit for FieldVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
