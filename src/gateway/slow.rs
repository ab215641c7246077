//! What keeps slow clients from holding the HTTP door: bodies that are sent as they come, and streams that lose patience.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Bytes, Frame, SizeHint};
use rocket::tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc::Receiver,
    time::{Sleep, sleep},
};

/// How long a client may take nothing of what is sent to it.
const STALLED: Duration = Duration::from_secs(60);

/// An answer of the HTTP door.
pub(super) type Answer = hyper::Response<Body>;

/// The body of an answer: its begin, and what follows as it comes. No more of it is in memory than two pieces.
pub(super) struct Body {
    first: Option<Bytes>,
    rest: Option<Receiver<io::Result<Bytes>>>,
}

impl Body {
    /// Makes a body of what there is.
    pub(super) fn whole(bytes: Vec<u8>) -> Body {
        Body {
            first: Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()),
            rest: None,
        }
    }

    /// Makes a body of a begin and what comes.
    pub(super) fn begun(first: Vec<u8>, rest: Receiver<io::Result<Bytes>>) -> Body {
        Body {
            rest: Some(rest),
            ..Body::whole(first)
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let piece = ready!(rest.poll_recv(cx));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(self.first.as_ref().map_or(0, Bytes::len) as u64),
        }
    }
}

/// A stream that breaks when the other side takes nothing for too long.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    late: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Watches a stream.
    pub(super) fn new(stream: S) -> Self {
        Patient {
            stream,
            patience: STALLED,
            late: None,
        }
    }

    /// Passes on what came of sending, unless it has been waited for too long.
    fn watched<T>(
        &mut self,
        sent: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.late = None;
            return sent;
        }
        let patience = self.patience;
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(sent, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.watched(sent, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(sent, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocket::tokio::{self, io::AsyncWriteExt};

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off() {
        let (ours, _theirs) = tokio::io::duplex(10);
        let mut ours = Patient::new(ours);
        ours.patience = Duration::from_millis(50);
        ours.write_all(b"fits").await.expect("room");
        let error = ours.write_all(&[0; 100]).await.expect_err("no more room");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
