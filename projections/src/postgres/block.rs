//! Between callers that block and a client that does not.
//!
//! One thread of the process drives all sessions. A caller's own thread waits for an answer
//! without an executor, so it may well be a thread of somebody else's.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::Handle;

use crate::StoreError;
use crate::directory::hold;

/// What drives sessions; its thread is started with the first.
pub(super) fn driver() -> Result<Handle, StoreError> {
    static DRIVER: Mutex<Option<Handle>> = Mutex::new(None);
    let mut driver = hold(&DRIVER);
    if let Some(handle) = &*driver {
        return Ok(handle.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("read-store".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    *driver = Some(handle.clone());
    Ok(handle)
}

/// Runs `work` on the driver's thread and waits for it.
pub(super) fn on_driver<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match wait(driver()?.spawn(work)) {
        Ok(outcome) => outcome,
        Err(error) => Err(StoreError::Unavailable(format!("the session's thread ended: {error}"))),
    }
}

struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Waits on this thread until `future` is done.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    let thread = std::thread::current();
    let sleeper = Arc::new(Sleeper { thread, woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&sleeper));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !sleeper.woken.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    }
}
