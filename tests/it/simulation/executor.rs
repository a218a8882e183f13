//! One thread, many tasks, simulated time: which ready task goes on is drawn from the seed, and
//! when none is ready time jumps to the next timer. Killing a process drops all of its tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::chance::Chance;

pub(crate) type Instant = DateTime<Utc>;

/// Names tasks that live and die together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process(pub(crate) u64);

/// What one turn of the executor did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Polled,
    TimeMoved,
    /// No task is ready and no timer is set: nothing will ever happen again.
    Stalled,
}

/// Runs tasks; clones are the same executor.
#[derive(Clone)]
pub(crate) struct Executor(Arc<Inner>);

struct Inner {
    ready: Arc<Mutex<Ready>>,
    state: Mutex<State>,
    chance: Chance,
}

#[derive(Default)]
struct Ready {
    queue: Vec<u64>,
    queued: BTreeSet<u64>,
}

struct State {
    now: Instant,
    tasks: BTreeMap<u64, Task>,
    timers: BTreeMap<(Instant, u64), Waker>,
    dead: BTreeSet<Process>,
    last_id: u64,
    last_process: u64,
    turns: u64,
    trace: Option<Vec<String>>,
}

struct Task {
    process: Process,
    name: &'static str,
    /// Away while it is being polled.
    future: Option<BoxFuture<'static, ()>>,
}

struct TaskWaker {
    task: u64,
    ready: Arc<Mutex<Ready>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic ends the run of its seed; nothing is read from a poisoned executor but the trace.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = lock(&self.ready);
        if ready.queued.insert(self.task) {
            ready.queue.push(self.task);
        }
    }
}

impl Executor {
    pub(crate) fn new(chance: Chance, start: Instant, traced: bool) -> Self {
        let state = State {
            now: start,
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            dead: BTreeSet::new(),
            last_id: 0,
            last_process: 0,
            turns: 0,
            trace: traced.then(Vec::new),
        };
        Self(Arc::new(Inner { ready: Arc::default(), state: Mutex::new(state), chance }))
    }

    pub(crate) fn now(&self) -> Instant {
        lock(&self.0.state).now
    }

    pub(crate) fn turns(&self) -> u64 {
        lock(&self.0.state).turns
    }

    pub(crate) fn new_process(&self) -> Process {
        let mut state = lock(&self.0.state);
        state.last_process += 1;
        Process(state.last_process)
    }

    /// Starts a task; one of a dead process never runs.
    pub(crate) fn spawn(
        &self,
        process: Process,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = {
            let mut state = lock(&self.0.state);
            if state.dead.contains(&process) {
                return;
            }
            state.last_id += 1;
            let task = state.last_id;
            state.tasks.insert(task, Task { process, name, future: Some(Box::pin(future)) });
            task
        };
        Arc::new(TaskWaker { task, ready: Arc::clone(&self.0.ready) }).wake();
    }

    /// Ends a process as a crash does: its tasks are dropped where they stand.
    pub(crate) fn kill(&self, process: Process) {
        let dropped: Vec<Task> = {
            let mut state = lock(&self.0.state);
            state.dead.insert(process);
            let (gone, kept) = std::mem::take(&mut state.tasks)
                .into_iter()
                .partition::<BTreeMap<u64, Task>, _>(|(_, task)| task.process == process);
            state.tasks = kept;
            gone.into_values().collect()
        };
        drop(dropped);
    }

    /// Moves the clock on; timers that are due by then go off.
    pub(crate) fn jump(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::zero());
        lock(&self.0.state).now += by;
        self.set_off_timers();
    }

    /// Polls one ready task, or moves the time to the next timer.
    pub(crate) fn turn(&self) -> Turn {
        let drawn = {
            let mut ready = lock(&self.0.ready);
            let choices = ready.queue.len() as u64;
            (choices > 0).then(|| {
                let index = usize::try_from(self.0.chance.below(choices)).unwrap_or(0);
                let task = ready.queue.swap_remove(index);
                ready.queued.remove(&task);
                task
            })
        };
        let Some(task) = drawn else {
            return self.move_time();
        };
        self.poll(task);
        // Work takes time, so that two things seldom happen at the very same instant.
        self.jump(Duration::from_micros(self.0.chance.below(40)));
        Turn::Polled
    }

    fn poll(&self, task: u64) {
        let future = {
            let mut state = lock(&self.0.state);
            state.turns += 1;
            let now = state.now;
            let Some(found) = state.tasks.get_mut(&task) else { return };
            let (future, name) = (found.future.take(), found.name);
            if let Some(trace) = &mut state.trace {
                trace.push(format!("{now} task {task} {name}"));
            }
            future
        };
        let Some(mut future) = future else { return };
        let waker = Waker::from(Arc::new(TaskWaker { task, ready: Arc::clone(&self.0.ready) }));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = lock(&self.0.state);
        match (polled, state.tasks.get_mut(&task)) {
            (Poll::Pending, Some(kept)) => kept.future = Some(future),
            (Poll::Pending | Poll::Ready(()), _) => {
                let ended = state.tasks.remove(&task);
                drop(state);
                drop((ended, future));
            }
        }
    }

    fn move_time(&self) -> Turn {
        {
            let mut state = lock(&self.0.state);
            let Some((at, _)) = state.timers.keys().next().copied() else {
                return Turn::Stalled;
            };
            state.now = state.now.max(at);
        }
        self.set_off_timers();
        Turn::TimeMoved
    }

    fn set_off_timers(&self) {
        let due = {
            let mut state = lock(&self.0.state);
            let after = state.now + TimeDelta::microseconds(1);
            let later = state.timers.split_off(&(after, 0));
            std::mem::replace(&mut state.timers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Adds a line to the trace, if there is one.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let mut state = lock(&self.0.state);
        let now = state.now;
        if let Some(trace) = &mut state.trace {
            let line = line();
            trace.push(format!("{now} {line}"));
        }
    }

    pub(crate) fn take_trace(&self) -> Vec<String> {
        lock(&self.0.state).trace.take().unwrap_or_default()
    }

    /// Names and numbers of the tasks that are there.
    pub(crate) fn tasks(&self) -> Vec<&'static str> {
        lock(&self.0.state).tasks.values().map(|task| task.name).collect()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let wait = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let until = self.now().checked_add_signed(wait).unwrap_or(Instant::MAX_UTC);
        Sleep { inner: Arc::clone(&self.0), until, timer: None }.await;
    }
}

struct Sleep {
    inner: Arc<Inner>,
    until: Instant,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let inner = Arc::clone(&self.inner);
        let mut state = lock(&inner.state);
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let timer = match self.timer {
            Some(timer) => timer,
            None => {
                state.last_id += 1;
                state.last_id
            }
        };
        state.timers.insert((self.until, timer), context.waker().clone());
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let removed = lock(&self.inner.state).timers.remove(&(self.until, timer));
            drop(removed);
        }
    }
}

#[async_trait]
impl commands::Timer for Executor {
    async fn sleep(&self, duration: Duration) {
        Executor::sleep(self, duration).await;
    }
}

impl commands::Clock for Executor {
    fn now(&self) -> Instant {
        Executor::now(self)
    }
}

/// Spawns into one process.
pub(crate) struct ProcessSpawner {
    pub(crate) executor: Executor,
    pub(crate) process: Process,
}

impl commands::Spawner for ProcessSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.executor.spawn(self.process, "engine", task);
    }
}
