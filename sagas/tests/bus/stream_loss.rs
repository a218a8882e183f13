//! What was in the stream is gone, shortened, or not ours.

use std::sync::Arc;

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use journal::Journal;
use sagas::relay::JetStreamOptions;
use test_servers::nats;

use crate::running::{PATIENCE, Running};
use crate::shop;

async fn context(options: &JetStreamOptions) -> Context {
    async_nats::jetstream::new(async_nats::connect(&options.servers).await.unwrap())
}

/// Ten orders, told, and the relay at rest with its mark kept.
async fn told() -> (Arc<journal::MemoryJournal>, JetStreamOptions, Context) {
    let options = shop::options(&nats::shared_url());
    let journal = shop::memory();
    for _ in 0..10 {
        shop::one_order(&*journal).await;
    }
    run_to_the_head(&journal, &options).await;
    let context = context(&options).await;
    (journal, options, context)
}

async fn run_to_the_head(journal: &Arc<journal::MemoryJournal>, options: &JetStreamOptions) {
    let relay = Running::start(Arc::clone(journal) as _, options);
    relay.reached(journal.head()).await;
    relay.stop().await;
}

async fn messages(options: &JetStreamOptions) -> Vec<schemas::public::PublicMessage> {
    shop::delivered(options).await.into_iter().map(|delivered| delivered.message).collect()
}

#[tokio::test]
async fn a_stream_that_was_removed_is_made_anew_with_all_that_was_in_it() {
    let (journal, options, context) = told().await;
    context.delete_stream(&options.stream).await.unwrap();
    shop::one_order(&*journal).await;
    run_to_the_head(&journal, &options).await;
    shop::exactly_once(&*journal, &options).await;
}

/// The old checkpoint must not be believed when the new stream is as long as the old one was.
#[tokio::test]
async fn a_stream_that_was_removed_is_told_to_the_end_even_when_that_takes_several_starts() {
    let (journal, options, context) = told().await;
    context.delete_stream(&options.stream).await.unwrap();
    for round in 0..15 {
        let relay = Running::start(Arc::clone(&journal) as _, &options);
        tokio::time::sleep(std::time::Duration::from_millis(8 + round)).await;
        relay.kill().await;
    }
    run_to_the_head(&journal, &options).await;
    shop::exactly_once(&*journal, &options).await;
}

#[tokio::test]
async fn a_stream_that_is_removed_under_a_relay_at_work_is_made_anew() {
    let (journal, options, context) = told().await;
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(journal.head()).await;
    context.delete_stream(&options.stream).await.unwrap();
    relay.reached(shop::one_order(&*journal).await).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

/// A server that confirms before it is on disk and then loses power has a shorter stream.
#[tokio::test]
async fn what_a_stream_lost_at_its_end_is_told_again() {
    let (journal, options, context) = told().await;
    let before = shop::delivered(&options).await;
    let config = {
        let mut stream = context.get_stream(&options.stream).await.unwrap();
        stream.info().await.unwrap().config.clone()
    };
    context.delete_stream(&options.stream).await.unwrap();
    context.create_stream(config).await.unwrap();
    for one in &before[..40] {
        let publish =
            PublishMessage::build().message_id(&one.id).payload(one.message.encode().into());
        context.send_publish(one.subject.clone(), publish).await.unwrap().await.unwrap();
    }
    run_to_the_head(&journal, &options).await;
    shop::exactly_once(&*journal, &options).await;
}

#[tokio::test]
async fn messages_that_are_gone_for_their_age_are_not_told_again() {
    let (journal, options, context) = told().await;
    context.get_stream(&options.stream).await.unwrap().purge().await.unwrap();
    let from = journal.head();
    shop::one_order(&*journal).await;
    run_to_the_head(&journal, &options).await;
    let told = messages(&options).await;
    let expected = shop::expected(&*journal).await;
    let new: Vec<_> = expected.into_iter().filter(|m| m.position > from.0).collect();
    assert_eq!(told, new);
}

/// The mark is older than what was purged: some of it comes again, and the server says that it knows
/// it. Nothing new gets lost behind that.
#[tokio::test]
async fn what_the_server_knows_by_its_id_is_passed_over() {
    let (journal, options, context) = told().await;
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(shop::one_order(&*journal).await).await;
    relay.kill().await;
    context.get_stream(&options.stream).await.unwrap().purge().await.unwrap();
    let from = journal.head();
    shop::one_order(&*journal).await;
    run_to_the_head(&journal, &options).await;
    let told = messages(&options).await;
    let expected = shop::expected(&*journal).await;
    let new: Vec<_> = expected.into_iter().filter(|m| m.position > from.0).collect();
    assert_eq!(told, new);
}

/// Also where one of theirs comes in the middle of many of ours in flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_messages_in_the_stream_are_passed_over() {
    let (journal, options, context) = told().await;
    let subject = format!("{}.orders.placed", options.prefix);
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    let other = tokio::spawn({
        let (context, subject) = (context.clone(), subject.clone());
        async move {
            loop {
                let sent = context.publish(subject.clone(), shop::OTHERS.into()).await.unwrap();
                sent.await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    });
    let disturbed = async {
        while relay.handle.progress().retries < 5 {
            for _ in 0..20 {
                shop::one_order(&*journal).await;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, disturbed).await.expect("something comes in between");
    other.abort();
    let _ = other.await;
    relay.reached(journal.head()).await;
    relay.stop().await;
    context.publish(subject, shop::OTHERS.into()).await.unwrap().await.unwrap();
    shop::one_order(&*journal).await;
    run_to_the_head(&journal, &options).await;
    shop::exactly_once(&*journal, &options).await;
}
