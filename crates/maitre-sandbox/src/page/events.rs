//! Server-sent events for open pages, batched to a few per second.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    time::sleep,
};

use super::timeline::{PAGE_SIZE, line};
use crate::{Sandbox, entry::Head, events::PageEvent};

/// Time in which events are collected into one batch.
const BATCH_WINDOW: Duration = Duration::from_millis(150);

/// `GET /sandbox/events`.
pub(super) async fn stream(State(sandbox): State<Sandbox>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = sandbox.inner().subscribers.subscribe();
    let events = stream::unfold((sandbox, receiver), |(sandbox, mut receiver)| async move {
        let batch = next_batch(&mut receiver).await?;
        let event = Event::default().data(render(&sandbox, &batch).to_string());
        Some((Ok(event), (sandbox, receiver)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

#[derive(Default)]
struct Batch {
    lines: BTreeMap<i64, Arc<(i64, Head)>>,
    installs: bool,
    panel: bool,
    /// Whether events were lost, so that the page has to reload its timeline.
    missed: bool,
}

impl Batch {
    fn add(&mut self, event: PageEvent) {
        match event {
            PageEvent::Entry(entry) => drop(self.lines.insert(entry.0, entry)),
            PageEvent::Installs => self.installs = true,
            PageEvent::Panel => self.panel = true,
            PageEvent::Cleared => self.missed = true,
            PageEvent::Completed(_) | PageEvent::Finding(_) => {}
        }
        while self.lines.len() > PAGE_SIZE {
            self.lines.pop_first();
            self.missed = true;
        }
    }
}

/// Waits for an event, and collects those that follow within [`BATCH_WINDOW`].
async fn next_batch(receiver: &mut Receiver<PageEvent>) -> Option<Batch> {
    let mut batch = Batch::default();
    match receiver.recv().await {
        Ok(event) => batch.add(event),
        Err(RecvError::Lagged(_)) => batch.missed = true,
        Err(RecvError::Closed) => return None,
    }
    sleep(BATCH_WINDOW).await;
    loop {
        match receiver.try_recv() {
            Ok(event) => batch.add(event),
            Err(TryRecvError::Lagged(_)) => batch.missed = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(batch),
        }
    }
}

fn render(sandbox: &Sandbox, batch: &Batch) -> serde_json::Value {
    let lines = batch.lines.values().map(|entry| line(sandbox, entry, None).into_string());
    json!({
        "lines": lines.collect::<Vec<_>>(),
        // a call may have changed an install
        "installs": batch.installs || !batch.lines.is_empty(),
        "panel": batch.panel,
        "missed": batch.missed,
    })
}
