//! Connections, and which call goes where.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tonic::body::BoxBody;
use tonic::codec::ProstCodec;
use tonic::server::Grpc;
use tonic::{Code, Request, Response, Status};

use super::{Shared, streams, wire};

/// The connection a call came in on; it can be cut.
#[derive(Clone)]
pub struct Line {
    pub shared: Arc<Shared>,
    cut: Arc<Notify>,
}

impl Line {
    /// Cuts the connection; never returns.
    pub async fn cut(&self) -> ! {
        self.cut.notify_one();
        std::future::pending().await
    }
}

pub async fn connection(
    shared: Arc<Shared>,
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) {
    let mut cuts = shared.cut.subscribe();
    let line = Line { shared, cut: Arc::default() };
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .serve_connection(
            TokioIo::new(socket),
            hyper::service::service_fn({
                let line = line.clone();
                move |request| {
                    let line = line.clone();
                    async move { Ok::<_, Infallible>(call(line, request).await) }
                }
            }),
        );
    tokio::select! {
        _ = serving => {}
        _ = cuts.changed() => {}
        () = line.cut.notified() => {}
    }
}

async fn call(line: Line, request: hyper::Request<Incoming>) -> hyper::Response<BoxBody> {
    let shared = line.shared.clone();
    if shared.faults.hangs.load(Relaxed) {
        std::future::pending::<()>().await;
    }
    let delay = shared.faults.delay_micros.load(Relaxed);
    if delay > 0 {
        tokio::time::sleep(Duration::from_micros(delay)).await;
    }
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => {
            unary(request, move |(): ()| {
                let line = line.clone();
                async move { Ok(features(&line.shared)) }
            })
            .await
        }
        "/event_store.client.gossip.Gossip/Read" => {
            shared.gossips.fetch_add(1, Relaxed);
            unary(request, move |(): ()| {
                let line = line.clone();
                async move { Ok(gossip(&line.shared)) }
            })
            .await
        }
        "/event_store.client.streams.Streams/Read" => {
            if let Some(refused) = denied(&shared, &request) {
                return refused.into_http();
            }
            streaming_answer(request, move |read| streams::read(line.clone(), read)).await
        }
        "/event_store.client.streams.Streams/Append" => {
            if let Some(refused) = denied(&shared, &request) {
                return refused.into_http();
            }
            let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(64 << 20);
            let append = Service(move |events: Request<tonic::Streaming<wire::AppendReq>>| {
                let line = line.clone();
                async move { streams::append(line, events.into_inner()).await.map(Response::new) }
            });
            grpc.client_streaming(append, request).await
        }
        "/event_store.client.streams.Streams/BatchAppend" if !shared.no_batches.load(Relaxed) => {
            if let Some(refused) = denied(&shared, &request) {
                return refused.into_http();
            }
            let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(64 << 20);
            let batches = Service(move |batches: Request<tonic::Streaming<wire::BatchReq>>| {
                let line = line.clone();
                async move { Ok(Response::new(streams::batches(line, batches.into_inner()))) }
            });
            grpc.streaming(batches, request).await
        }
        _ => Status::unimplemented(path).into_http(),
    }
}

fn features(shared: &Shared) -> wire::SupportedMethods {
    let method = |method: &str| wire::SupportedMethod {
        method: method.to_owned(),
        service: "event_store.client.streams.streams".to_owned(),
    };
    let mut methods = vec![method("read"), method("append")];
    if !shared.no_batches.load(Relaxed) {
        methods.push(method("batchappend"));
    }
    wire::SupportedMethods { methods, version: "24.10.0".to_owned() }
}

fn gossip(shared: &Shared) -> wire::ClusterInfo {
    const FOLLOWER: i32 = 6;
    const LEADER: i32 = 8;
    let members = shared.members.lock().unwrap();
    let member = |(address, is_alive, leads): &(std::net::SocketAddr, bool, bool)| wire::Member {
        state: if *leads { LEADER } else { FOLLOWER },
        is_alive: *is_alive,
        end_point: Some(wire::EndPoint {
            address: address.ip().to_string(),
            port: u32::from(address.port()),
        }),
    };
    wire::ClusterInfo { members: members.iter().map(member).collect() }
}

fn denied(shared: &Shared, request: &hyper::Request<Incoming>) -> Option<Status> {
    use base64::Engine;
    let demanded = shared.demands.lock().unwrap().clone()?;
    let wanted = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(demanded));
    match request.headers().get("authorization") {
        Some(given) if given.as_bytes() == wanted.as_bytes() => None,
        Some(_) => Some(Status::unauthenticated("Authentication failed")),
        None => {
            let mut status = Status::permission_denied("Access Denied");
            status.metadata_mut().insert("exception", "access-denied".parse().unwrap());
            Some(status)
        }
    }
}

/// As a follower answers what only the leader may do.
pub fn not_leader(leader: std::net::SocketAddr) -> Status {
    let mut status = Status::new(Code::NotFound, "Leader info available");
    let metadata = status.metadata_mut();
    metadata.insert("exception", "not-leader".parse().unwrap());
    metadata.insert("leader-endpoint-host", leader.ip().to_string().parse().unwrap());
    metadata.insert("leader-endpoint-port", leader.port().to_string().parse().unwrap());
    status
}

/// A function as the services of the library want it.
#[derive(Clone)]
struct Service<F>(F);

impl<F, Fut, M, R> tower_service::Service<Request<M>> for Service<F>
where
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>> + Send + 'static,
{
    type Response = Response<R>;
    type Error = Status;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<R>, Status>> + Send>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Status>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<M>) -> Self::Future {
        Box::pin((self.0)(request))
    }
}

async fn unary<M, R, F, Fut>(request: hyper::Request<Incoming>, work: F) -> hyper::Response<BoxBody>
where
    M: prost::Message + Default + 'static,
    R: prost::Message + 'static,
    F: Fn(M) -> Fut + Send,
    Fut: Future<Output = Result<R, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<R, M>::default());
    let service = Service(move |request: Request<M>| {
        let answer = work(request.into_inner());
        async move { answer.await.map(Response::new) }
    });
    grpc.unary(service, request).await
}

async fn streaming_answer<M, R, F, Fut>(
    request: hyper::Request<Incoming>,
    work: F,
) -> hyper::Response<BoxBody>
where
    M: prost::Message + Default + 'static,
    R: prost::Message + 'static,
    F: Fn(M) -> Fut + Send,
    Fut: Future<Output = Result<streams::Answers<R>, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<R, M>::default());
    let service = Service(move |request: Request<M>| {
        let answer = work(request.into_inner());
        async move { answer.await.map(Response::new) }
    });
    grpc.server_streaming(service, request).await
}
