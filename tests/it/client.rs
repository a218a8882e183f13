//! One keep-alive connection to a running engine, and what comes back on it.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Whoever talks to the engine: a connection, and headers that go with every request.
pub(crate) struct Client {
    address: String,
    headers: Vec<(&'static str, String)>,
    sender: SendRequest<Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Null when the body is not JSON.
    pub(crate) body: Value,
}

/// The connection broke before the whole answer was there.
#[derive(Debug)]
pub(crate) struct Broken;

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        self
    }

    #[track_caller]
    pub(crate) fn id(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.text)).to_owned()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let value =
            self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers));
        value.to_str().unwrap().to_owned()
    }

    pub(crate) fn replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }
}

impl Client {
    /// Somebody without a credential.
    pub(crate) async fn nobody(address: &str) -> Self {
        Self::try_nobody(address).await.expect("nobody listens")
    }

    pub(crate) async fn bearing(address: &str, credential: &str) -> Self {
        Self::nobody(address).await.with("authorization", format!("Bearer {credential}"))
    }

    pub(crate) async fn try_nobody(address: &str) -> Result<Self, Broken> {
        let sender = connect(address).await?;
        Ok(Self { address: address.to_owned(), headers: Vec::new(), sender })
    }

    /// The same with a header on every request.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[], &body.to_string()).await
    }

    pub(crate) async fn get_with(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers, "").await
    }

    pub(crate) async fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.ask(Method::POST, path, headers, &body.to_string()).await
    }

    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let what = format!("{method} {path}");
        let answered = self.try_ask(method, path, headers, body).await;
        answered.unwrap_or_else(|Broken| panic!("{what}: the connection broke"))
    }

    pub(crate) async fn try_ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Broken> {
        if self.sender.ready().await.is_err() {
            self.sender = connect(&self.address).await?;
        }
        let mut request = Request::builder().method(method).uri(path).header("host", &self.address);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = self.sender.send_request(request).await.map_err(|_| Broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, body })
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, Broken> {
    let stream = TcpStream::connect(address).await.map_err(|_| Broken)?;
    stream.set_nodelay(true).map_err(|_| Broken)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| Broken)?;
    tokio::spawn(connection);
    Ok(sender)
}
