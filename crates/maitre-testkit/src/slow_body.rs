//! Bodies that come in pieces: from a caller on a slow line, from one who hangs up half-way, from one who is gone when
//! the answer comes.

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

/// Long enough for what was written to have left this machine.
const FLUSHED: Duration = Duration::from_millis(100);

/// A body with an announced length, whose pieces come one after another.
pub(crate) struct SlowBody {
    coming: VecDeque<Bytes>,
    /// What is announced and not yet there; more than the pieces hold, if the caller means to hang up.
    left: u64,
    pause: Duration,
    resting: Option<Pin<Box<Sleep>>>,
    gone: Option<Arc<Notify>>,
}

impl SlowBody {
    /// All of it in this many pieces, with a pause before each.
    pub(crate) fn slow(body: &[u8], pieces: usize, pause: Duration) -> Self {
        let size = body.len().div_ceil(pieces.max(1)).max(1);
        Self { coming: body.chunks(size).map(Bytes::copy_from_slice).collect(), pause, ..Self::whole(body) }
    }

    /// The first half, then nothing: the body ends with an error, and so does the connection.
    pub(crate) fn half(body: &[u8]) -> Self {
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        Self { coming: [half].into(), pause: FLUSHED, ..Self::whole(body) }
    }

    /// All of it at once; `gone` is told when it has been handed over.
    pub(crate) fn hang_up_after_send(body: &[u8], gone: &Arc<Notify>) -> Self {
        Self { gone: Some(gone.clone()), ..Self::whole(body) }
    }

    fn whole(body: &[u8]) -> Self {
        let left = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Self { coming: [Bytes::copy_from_slice(body)].into(), left, pause: Duration::ZERO, resting: None, gone: None }
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
            let resting = self.resting.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(resting.as_mut().poll(cx));
            self.resting = None;
        }
        let Some(piece) = self.coming.pop_front() else {
            return Poll::Ready(Some(Err(io::Error::other("the caller hung up"))));
        };
        self.left = self.left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if let (0, Some(gone)) = (self.left, &self.gone) {
            gone.notify_one();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
