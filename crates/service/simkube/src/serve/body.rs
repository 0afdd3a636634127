//! Answers as HTTP bodies.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;

use crate::api::watch::WatchStream;

/// The body of an answer.
pub(super) enum AnswerBody {
    /// Pieces that are there.
    Pieces(VecDeque<Bytes>),
    /// Events, as they come.
    Watch(Pull),
}

type Pulled = (Box<WatchStream>, watch::Receiver<bool>, Option<Bytes>);

/// A watch that is asked for its next events one time after another.
pub(super) struct Pull(Option<Pin<Box<dyn Future<Output = Pulled> + Send>>>);

/// Small pieces are put together up to this size, so that a list is not a frame an object.
const FRAME_BYTES: usize = 32 << 10;

impl AnswerBody {
    pub(super) fn pieces(pieces: Vec<Bytes>) -> AnswerBody {
        AnswerBody::Pieces(pieces.into())
    }

    pub(super) fn watch(stream: Box<WatchStream>, stopped: watch::Receiver<bool>) -> AnswerBody {
        AnswerBody::Watch(Pull(Some(Box::pin(pull(stream, stopped)))))
    }
}

async fn pull(mut stream: Box<WatchStream>, mut stopped: watch::Receiver<bool>) -> Pulled {
    let next = tokio::select! {
        next = stream.next() => next,
        _ = stopped.wait_for(|stopped| *stopped) => None,
    };
    (stream, stopped, next)
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            AnswerBody::Pieces(pieces) => {
                Poll::Ready(next_frame(pieces).map(|b| Ok(Frame::data(b))))
            }
            AnswerBody::Watch(Pull(pending)) => {
                let Some(future) = pending.as_mut() else { return Poll::Ready(None) };
                let Poll::Ready((stream, stopped, next)) = future.as_mut().poll(cx) else {
                    return Poll::Pending;
                };
                *pending =
                    next.is_some().then(|| -> Pin<Box<dyn Future<Output = Pulled> + Send>> {
                        Box::pin(pull(stream, stopped))
                    });
                Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Pieces(pieces) => pieces.is_empty(),
            AnswerBody::Watch(Pull(pending)) => pending.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Pieces(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            AnswerBody::Watch(_) => SizeHint::default(),
        }
    }
}

fn next_frame(pieces: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let first = pieces.pop_front()?;
    if first.len() >= FRAME_BYTES || pieces.is_empty() {
        return Some(first);
    }
    let mut frame = BytesMut::with_capacity(FRAME_BYTES);
    frame.extend_from_slice(&first);
    while let Some(next) = pieces.front() {
        if frame.len() + next.len() > FRAME_BYTES {
            break;
        }
        frame.extend_from_slice(next);
        pieces.pop_front();
    }
    Some(frame.freeze())
}
