//! Waits for a future on this thread, whatever runs it: journals need no particular executor.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The same for what needs tokio to be there, on a thread of its own, since the caller may be on a
/// runtime's already.
#[cfg(any(feature = "postgres", feature = "eventstore", feature = "meilisearch"))]
pub(crate) fn block_on_tokio<T: Send, E: Send>(
    work: impl Future<Output = Result<T, E>> + Send,
    failed: fn(String) -> E,
) -> Result<T, E> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| failed(error.to_string()))?.block_on(work)
    };
    thread::scope(|scope| {
        let thread = scope.spawn(run);
        thread.join().unwrap_or_else(|_| Err(failed("the work panicked".to_owned())))
    })
}
