//! What happens, for pages that are open: server-sent events, a few a second at most.

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

use super::timeline::{PAGE, line};
use crate::{Sandbox, events::PageEvent, journal::Head};

/// What comes within this time is told at once.
const GATHERED: Duration = Duration::from_millis(150);

/// `GET /sandbox/events`.
pub(super) async fn stream(State(sandbox): State<Sandbox>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let live = sandbox.inner().live.subscribe();
    let events = stream::unfold((sandbox, live), |(sandbox, mut live)| async move {
        let batch = gather(&mut live).await?;
        let event = Event::default().data(tell(&sandbox, &batch).to_string());
        Some((Ok(event), (sandbox, live)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

#[derive(Default)]
struct Batch {
    lines: BTreeMap<i64, Arc<(i64, Head)>>,
    installs: bool,
    panel: bool,
    /// Some news was missed, so that all has to be looked at anew.
    missed: bool,
}

impl Batch {
    fn take(&mut self, news: PageEvent) {
        match news {
            PageEvent::Entry(entry) => drop(self.lines.insert(entry.0, entry)),
            PageEvent::Installs => self.installs = true,
            PageEvent::Panel => self.panel = true,
        }
        while self.lines.len() > PAGE {
            self.lines.pop_first();
            self.missed = true;
        }
    }
}

/// Waits for news, and for what follows on its heels.
async fn gather(live: &mut Receiver<PageEvent>) -> Option<Batch> {
    let mut batch = Batch::default();
    match live.recv().await {
        Ok(news) => batch.take(news),
        Err(RecvError::Lagged(_)) => batch.missed = true,
        Err(RecvError::Closed) => return None,
    }
    sleep(GATHERED).await;
    loop {
        match live.try_recv() {
            Ok(news) => batch.take(news),
            Err(TryRecvError::Lagged(_)) => batch.missed = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(batch),
        }
    }
}

fn tell(sandbox: &Sandbox, batch: &Batch) -> serde_json::Value {
    let lines = batch.lines.values().map(|entry| line(sandbox, entry.0, &entry.1).into_string());
    json!({
        "lines": lines.collect::<Vec<_>>(),
        // what a call changed is told by the calls, too
        "installs": batch.installs || !batch.lines.is_empty(),
        "panel": batch.panel,
        "missed": batch.missed,
    })
}
