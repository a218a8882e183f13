//! Calls to a server of Meilisearch, and its failures in words an operator understands.
//!
//! They go through the library's HTTP client, and not through its methods: those know no canceled
//! tasks, wait for a task in steps of 50 ms, and have no time limit for anything else.

use std::time::Duration;

use meilisearch_sdk::errors::{Error, ErrorCode, ErrorType, MeilisearchError};
use meilisearch_sdk::request::{HttpClient, Method};
use meilisearch_sdk::reqwest::ReqwestClient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use crate::SearchError;

/// How long a call may take that is no search and waits for no task.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

pub(super) struct Server {
    url: String,
    key: Option<String>,
    http: ReqwestClient,
}

/// What went wrong with a call.
pub(super) enum Failure {
    /// No answer for so long.
    Late(Duration),
    Answer(Error),
}

impl Failure {
    /// What Meilisearch says is wrong, if it was Meilisearch that said it.
    pub(super) fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Answer(Error::Meilisearch(error)) => Some(&error.error_code),
            _ => None,
        }
    }

    /// The index is not there, or is not what [`begin`](crate::SearchEngine::begin) makes.
    pub(super) fn is_no_index(&self) -> bool {
        use ErrorCode::{
            IndexNotFound, InvalidSearchFacets, InvalidSearchFilter, InvalidSearchSort,
        };
        matches!(
            self.code(),
            Some(IndexNotFound | InvalidSearchFacets | InvalidSearchFilter | InvalidSearchSort)
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Accepted {
    #[serde(rename = "taskUid")]
    pub(super) task: u64,
}

#[derive(Deserialize)]
struct Task {
    status: TaskStatus,
    error: Option<MeilisearchError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum TaskStatus {
    Enqueued,
    Processing,
    Succeeded,
    Failed,
    Canceled,
    #[serde(other)]
    Unknown,
}

/// How a task ended.
enum End {
    Succeeded,
    Failed(Option<MeilisearchError>),
    Canceled,
    /// Not at all, after so long.
    Late(Duration),
}

impl Server {
    pub(super) fn new(url: &str, key: Option<&str>) -> Result<Self, SearchError> {
        let url = url.trim_end_matches('/');
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(SearchError::Misconfigured(
                "the address of Meilisearch must begin with http:// or https://".to_owned(),
            ));
        }
        let authority = url.split("://").nth(1).unwrap_or_default();
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            // Said without the address: a password may be in it.
            return Err(SearchError::Misconfigured(
                "the address of Meilisearch must not have a user or a password in it (`user:password@`): \
                 give the API key by itself"
                    .to_owned(),
            ));
        }
        // The library panics at a key that cannot be sent.
        if key.is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(SearchError::Misconfigured(
                "the API key of Meilisearch must be ASCII letters, digits and signs, without spaces"
                    .to_owned(),
            ));
        }
        let http = ReqwestClient::new(key).map_err(|error| {
            SearchError::Other(format!("no HTTP client for Meilisearch: {error}"))
        })?;
        Ok(Self { url: url.to_owned(), key: key.map(str::to_owned), http })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn get<T>(&self, path: &str) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.get_within(path, CALL_TIMEOUT).await
    }

    pub(super) async fn get_within<T>(&self, path: &str, limit: Duration) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.call::<(), T>(Method::Get { query: () }, path, 200, limit).await
    }

    pub(super) async fn search<B, T>(
        &self,
        path: &str,
        body: B,
        limit: Duration,
    ) -> Result<T, Failure>
    where
        B: Serialize + Send + Sync,
        T: DeserializeOwned + Send + 'static,
    {
        self.call(Method::Post { query: (), body }, path, 200, limit).await
    }

    /// A call that makes a task.
    pub(super) async fn post<B>(&self, path: &str, body: B) -> Result<Accepted, Failure>
    where
        B: Serialize + Send + Sync,
    {
        self.call(Method::Post { query: (), body }, path, 202, CALL_TIMEOUT).await
    }

    pub(super) async fn patch<B>(&self, path: &str, body: B) -> Result<Accepted, Failure>
    where
        B: Serialize + Send + Sync,
    {
        self.call(Method::Patch { query: (), body }, path, 202, CALL_TIMEOUT).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Accepted, Failure> {
        self.call::<(), _>(Method::Delete { query: () }, path, 202, CALL_TIMEOUT).await
    }

    async fn call<B, T>(
        &self,
        method: Method<(), B>,
        path: &str,
        status: u16,
        limit: Duration,
    ) -> Result<T, Failure>
    where
        B: Serialize + Send + Sync,
        T: DeserializeOwned + Send + 'static,
    {
        let url = format!("{}{path}", self.url);
        match timeout(limit, self.http.request(&url, method, status)).await {
            Err(_) => Err(Failure::Late(limit)),
            Ok(answer) => answer.map_err(Failure::Answer),
        }
    }

    /// Waits until a task has succeeded.
    pub(super) async fn wait(
        &self,
        accepted: Accepted,
        doing: &str,
        limit: Duration,
    ) -> Result<(), SearchError> {
        match self.end(accepted, doing, limit).await? {
            End::Succeeded => Ok(()),
            other => Err(self.explain_end(other, accepted.task, doing)),
        }
    }

    /// Waits until a task has ended, well or badly.
    pub(super) async fn settle(
        &self,
        accepted: Accepted,
        doing: &str,
        limit: Duration,
    ) -> Result<(), SearchError> {
        match self.end(accepted, doing, limit).await? {
            late @ End::Late(_) => Err(self.explain_end(late, accepted.task, doing)),
            _ => Ok(()),
        }
    }

    async fn end(
        &self,
        accepted: Accepted,
        doing: &str,
        limit: Duration,
    ) -> Result<End, SearchError> {
        let begun = Instant::now();
        let mut pause = FIRST_WAIT;
        loop {
            let task: Task = self
                .get(&format!("/tasks/{}", accepted.task))
                .await
                .map_err(|failure| self.explain(&failure, doing))?;
            match task.status {
                TaskStatus::Succeeded => return Ok(End::Succeeded),
                TaskStatus::Failed => return Ok(End::Failed(task.error)),
                TaskStatus::Canceled => return Ok(End::Canceled),
                TaskStatus::Enqueued | TaskStatus::Processing | TaskStatus::Unknown => {}
            }
            if begun.elapsed() >= limit {
                return Ok(End::Late(limit));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_WAIT);
        }
    }

    fn explain_end(&self, ended: End, task: u64, doing: &str) -> SearchError {
        let failed = match ended {
            End::Late(limit) => {
                return SearchError::Unavailable(format!(
                    "Meilisearch at {} could not {doing} within {} s (task {task}): it has more to do \
                     than it can, or its queue of tasks stands still",
                    self.url,
                    limit.as_secs()
                ));
            }
            End::Canceled => {
                return SearchError::Unavailable(format!(
                    "somebody canceled task {task} of Meilisearch at {}, which was to {doing}",
                    self.url
                ));
            }
            End::Failed(error) => error,
            End::Succeeded => None,
        };
        let reason = failed.as_ref().map_or("no reason given".to_owned(), said);
        let message = self.without_key(format!(
            "Meilisearch at {} could not {doing} (task {task}): {reason}",
            self.url
        ));
        match failed {
            Some(error) if error.error_code == ErrorCode::IndexNotFound => {
                SearchError::Damaged(message)
            }
            Some(error) if error.error_type == ErrorType::InvalidRequest => {
                SearchError::Other(message)
            }
            _ => SearchError::Unavailable(message),
        }
    }

    /// Says what was to be done and why it was not.
    pub(super) fn explain(&self, failure: &Failure, doing: &str) -> SearchError {
        let url = &self.url;
        let error = match failure {
            Failure::Late(limit) => {
                return SearchError::Unavailable(format!(
                    "Meilisearch at {url} did not answer within {} ms",
                    limit.as_millis()
                ));
            }
            Failure::Answer(error) => error,
        };
        let unavailable = |reason: String| SearchError::Unavailable(self.without_key(reason));
        let refused_key = |reason: &str| {
            SearchError::Misconfigured(self.without_key(format!(
                "Meilisearch at {url} does not let this API key {doing}: {reason}"
            )))
        };
        match error {
            Error::Meilisearch(error) => match error.error_type {
                ErrorType::Auth => refused_key(&said(error)),
                ErrorType::InvalidRequest => SearchError::Other(self.without_key(format!(
                    "Meilisearch at {url} refuses to {doing}: {}",
                    said(error)
                ))),
                _ => {
                    unavailable(format!("Meilisearch at {url} failed to {doing}: {}", said(error)))
                }
            },
            Error::MeilisearchCommunication(answer) => match answer.status_code {
                401 | 403 => refused_key(&format!("HTTP {}", answer.status_code)),
                408 | 429 | 500.. => unavailable(format!(
                    "Meilisearch at {url} failed to {doing}: HTTP {}",
                    answer.status_code
                )),
                status => SearchError::Misconfigured(format!(
                    "what answers at {url} is not Meilisearch: HTTP {status} when asked to {doing}"
                )),
            },
            Error::HttpError(error) => {
                unavailable(format!("Meilisearch at {url} cannot be reached: {}", root(error)))
            }
            Error::ParseError(error) => SearchError::Misconfigured(format!(
                "what answers at {url} is not a Meilisearch this program understands (when asked to \
                 {doing}): {error}"
            )),
            other => SearchError::Other(
                self.without_key(format!("Meilisearch at {url}, when asked to {doing}: {other}")),
            ),
        }
    }

    /// A server that repeats what it was sent must not bring the key into a log.
    fn without_key(&self, message: String) -> String {
        match self.key.as_deref() {
            Some(key) if !key.is_empty() => message.replace(key, "[key]"),
            _ => message,
        }
    }
}

fn said(error: &MeilisearchError) -> String {
    format!("{} ({})", error.error_message.trim_end_matches('.'), error.error_code)
}

/// The innermost reason, which is the one that helps.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
