//! Request bodies of slow clients and of clients that hang up.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::Notify,
    time::{Sleep, sleep},
};

/// Time in which the written bytes are sent.
const FLUSH_TIME: Duration = Duration::from_millis(100);

/// Body with an announced length that is sent in chunks.
pub(crate) struct SlowBody {
    chunks: VecDeque<Bytes>,
    /// Number of announced bytes that are not sent yet. More than the chunks contain if the client hangs up.
    left: u64,
    pause: Duration,
    sleep_until_next: Option<Pin<Box<Sleep>>>,
    sent: Option<Arc<Notify>>,
}

impl SlowBody {
    /// Sends the body in this many chunks, with a pause before each.
    pub(crate) fn slow(body: &[u8], count: usize, pause: Duration) -> Self {
        let size = body.len().div_ceil(count.max(1)).max(1);
        Self { chunks: body.chunks(size).map(Bytes::copy_from_slice).collect(), pause, ..Self::whole(body) }
    }

    /// Sends the first half. Then the body ends with an error, which closes the connection.
    pub(crate) fn half(body: &[u8]) -> Self {
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        Self { chunks: [half].into(), pause: FLUSH_TIME, ..Self::whole(body) }
    }

    /// Sends the whole body immediately, and notifies `sent` when it has been passed to the client.
    pub(crate) fn hang_up_after_send(body: &[u8], sent: &Arc<Notify>) -> Self {
        Self { sent: Some(sent.clone()), ..Self::whole(body) }
    }

    fn whole(body: &[u8]) -> Self {
        let left = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Self {
            chunks: [Bytes::copy_from_slice(body)].into(),
            left,
            pause: Duration::ZERO,
            sleep_until_next: None,
            sent: None,
        }
    }
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if !self.pause.is_zero() {
            let pause = self.pause;
            let sleep_until_next = self.sleep_until_next.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(sleep_until_next.as_mut().poll(cx));
            self.sleep_until_next = None;
        }
        let Some(chunk) = self.chunks.pop_front() else {
            return Poll::Ready(Some(Err(io::Error::other("the client hung up"))));
        };
        self.left = self.left.saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if let (0, Some(sent)) = (self.left, &self.sent) {
            sent.notify_one();
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
