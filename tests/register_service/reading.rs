//! What readers of the register get: every statement with its proof, lists, pages, news.

use std::sync::Arc;
use std::time::Duration;

use clearlist::formats::list_csv::{self, ListFiles};
use clearlist::grpc::proto::v1;
use clearlist::grpc::proto::v1::register_service_server::RegisterService;
use clearlist::grpc::register::Reading;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::merkle::{is_included, leaf_hash};
use clearlist::register::policy::Policy;
use clearlist::register::record::ListHeads;
use clearlist::register::statement::Statement;
use tokio_stream::StreamExt;
use tonic::{Code, Request};

use super::support::ceremony::{Place, in_seconds};
use super::support::{files, row};
use super::{named, reader, reason, submit, suspend_from};

#[tokio::test]
async fn every_statement_is_there_with_its_proof() {
    let place = Place::with(&named("甲"));
    let served = place.serve().await;
    for nth in 2..=5 {
        submit(&place, &served, &named(&format!("甲{nth}号")), |_| ()).await;
    }
    let mut reader = reader(&served).await;
    let policy = Policy::parse(&place.keys.policy()).expect("the policy");
    for number in 1..=5 {
        let found = reader.get_revision(v1::GetRevisionRequest { number }).await;
        let found = found.expect("a statement").into_inner();
        let statement = found.statement.expect("a statement");
        let newest = Checkpoint::parse(&found.proof_checkpoint).expect("a checkpoint");
        policy.quorum(&newest).expect("the agencies signed it");
        let path: Vec<[u8; 32]> = found
            .inclusion_sha256
            .iter()
            .map(|hash| hash.as_ref().try_into().expect("32 bytes"))
            .collect();
        let leaf = leaf_hash(&statement.statement);
        let head = newest.head();
        assert_eq!(head.size, found.proof_size);
        assert!(is_included(&leaf, number - 1, head.size, &path, &head.root));
        let own = Checkpoint::parse(&statement.checkpoint).expect("a checkpoint");
        assert_eq!((own.head().size, statement.cosignatures.len()), (number, 2));
    }
    let unknown = reader.get_revision(v1::GetRevisionRequest { number: 6 }).await;
    let unknown = unknown.expect_err("there are five");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "REVISION_UNKNOWN"));
    // Two a page, newest first, and a statement that comes between moves nothing.
    let mut numbers = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListRevisionsRequest { page_size: 2, page_token };
        let page = reader.list_revisions(request).await.expect("a page").into_inner();
        numbers.extend(page.statements.iter().map(|s| s.number));
        if numbers.len() == 2 {
            submit(&place, &served, &named("其间"), |_| ()).await;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn lists_are_exported_compared_and_paged_as_they_were_signed() {
    let place = Place::with(&named("甲"));
    let served = place.serve().await;
    let rows: Vec<_> = (0..250).map(|n| row(&format!("R{n:03}"), &format!("材料{n}号"))).collect();
    submit(&place, &served, &files(&rows), |_| ()).await;
    let mut reader = reader(&served).await;
    for number in [1, 2] {
        let request = v1::ExportRevisionRequest { number };
        let mut stream = reader.export_revision(request).await.expect("files").into_inner();
        let mut files = ListFiles::default();
        while let Some(piece) = stream.message().await.expect("a piece") {
            match piece.file.as_str() {
                "schemes.csv" => files.schemes.extend_from_slice(&piece.chunk),
                "enterprises.csv" => files.enterprises.extend_from_slice(&piece.chunk),
                _ => files.entries.extend_from_slice(&piece.chunk),
            }
        }
        let list = list_csv::read(&files).expect("a good list").list;
        let register = served.register();
        let signed = register.statement(number).expect("a statement");
        let heads = ListHeads::of(&list);
        let is_signed = matches!(&signed.statement, Statement::Revision(s) if s.is_of(&heads));
        assert!(is_signed, "revision {number}");
    }
    let request =
        v1::DiffRevisionsRequest { before: 1, after: 2, page_size: 200, ..Default::default() };
    let first = reader.diff_revisions(request).await.expect("a diff").into_inner();
    let count = first.count.expect("a count");
    assert_eq!((count.added, count.removed, count.changed), (250, 2, 0));
    let request = v1::DiffRevisionsRequest {
        page_token: first.next_page_token,
        page_size: 200,
        ..Default::default()
    };
    let rest = reader.diff_revisions(request).await.expect("the rest").into_inner();
    assert_eq!((first.changes.len(), rest.changes.len()), (200, 52));
    assert_eq!(rest.next_page_token, "");
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListEntriesRequest { page_size: 100, page_token, ..Default::default() };
        let page = reader.list_entries(request).await.expect("a page").into_inner();
        assert_eq!(page.revision.map(|r| r.number), Some(2));
        ids.extend(page.entries.into_iter().map(|e| e.entry_id));
        if ids.len() == 100 {
            // A new revision does not move a listing that has begun.
            submit(&place, &served, &named("乙"), |_| ()).await;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected: Vec<String> = (0..250).map(|n| format!("R{n:03}")).collect();
    assert_eq!(ids, expected);
    let bad = v1::ListEntriesRequest { page_token: "7-7/00".into(), ..Default::default() };
    let bad = reader.list_entries(bad).await.expect_err("no such listing");
    assert!(["PAGE_TOKEN", "REVISION_UNKNOWN"].contains(&reason(&bad).as_str()), "{bad:?}");
}

#[tokio::test]
async fn a_listing_does_not_go_on_once_another_suspension_has_taken_effect() {
    let place = Place::with(&named("甲材料"));
    let served = place.serve().await;
    // The later one takes effect first: one number stands for two answers.
    suspend_from(&place, &served, "A", in_seconds(4)).await;
    suspend_from(&place, &served, "B", in_seconds(0)).await;
    let mut reader = reader(&served).await;
    let first = v1::ListEntriesRequest { page_size: 1, ..Default::default() };
    let first = reader.list_entries(first).await.expect("a page").into_inner();
    let rest = v1::ListEntriesRequest { page_token: first.next_page_token, ..Default::default() };
    let page = reader.list_entries(rest.clone()).await.expect("a page").into_inner();
    assert_eq!(page.revision, first.revision);
    assert_eq!(page.revision.map(|revision| revision.number), Some(3));
    let refused = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if let Err(refused) = reader.list_entries(rest.clone()).await {
            break refused;
        }
    };
    assert_eq!(reason(&refused), "PAGE_TOKEN");
}

#[tokio::test]
async fn a_watcher_hears_every_statement_once_and_resumes_where_it_was() {
    let place = Place::with(&named("甲"));
    let served = place.serve().await;
    let mut reader = reader(&served).await;
    let mut all = reader
        .watch_register(v1::WatchRegisterRequest { size: 0 })
        .await
        .expect("a stream")
        .into_inner();
    let mut heard = Vec::new();
    for nth in 2..=6 {
        submit(&place, &served, &named(&format!("甲{nth}号")), |_| ()).await;
    }
    while heard.len() < 6 {
        let told = all.message().await.expect("a message").expect("more to come");
        heard.push(told.statement.expect("a statement").number);
    }
    assert_eq!(heard, [1, 2, 3, 4, 5, 6]);
    drop(all);
    let mut later = reader
        .watch_register(v1::WatchRegisterRequest { size: 4 })
        .await
        .expect("a stream")
        .into_inner();
    for expected in [5, 6] {
        let told = later.message().await.expect("a message").expect("more to come");
        assert_eq!(told.statement.expect("a statement").number, expected);
    }
    let ahead = reader.watch_register(v1::WatchRegisterRequest { size: 7 }).await;
    assert_eq!(reason(&ahead.expect_err("not there yet")), "REVISION_NOT_REACHED");
}

#[tokio::test]
async fn a_watcher_that_does_not_read_is_told_to_resynchronize() {
    let place = Place::with(&named("甲"));
    for nth in 2..=20 {
        place.add(&named(&format!("甲{nth}号")), |_| ());
    }
    let running = Arc::new(place.open());
    let reading = Reading::new(running, clearlist::server::now);
    let reading = reading.with_watch_patience(Duration::from_millis(1));
    let request = Request::new(v1::WatchRegisterRequest { size: 0 });
    let mut stream = reading.watch_register(request).await.expect("a stream").into_inner();
    // Nothing is read until the queue has been full for longer than the patience.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut have = 0;
    let told = loop {
        match stream.next().await.expect("an end that says why") {
            Ok(message) => {
                let number = message.statement.expect("a statement").number;
                assert_eq!(number, have + 1, "without gap or repeat");
                have = number;
            }
            Err(status) => break status,
        }
    };
    assert_eq!((told.code(), reason(&told).as_str()), (Code::Aborted, "WATCH_TOO_SLOW"));
    assert!(told.message().contains(&format!("size {have}")), "{told:?}");
    let request = Request::new(v1::WatchRegisterRequest { size: have });
    let mut stream = reading.watch_register(request).await.expect("a stream").into_inner();
    let next = stream.next().await.expect("a message").expect("a statement");
    assert_eq!(next.statement.map(|s| s.number), Some(have + 1));
}

#[tokio::test]
async fn a_server_that_stops_lets_its_watchers_go() {
    let place = Place::with(&named("甲"));
    let served = place.serve().await;
    let mut reader = reader(&served).await;
    let request = v1::WatchRegisterRequest { size: 1 };
    let mut stream = reader.watch_register(request).await.expect("a stream").into_inner();
    drop(served);
    let ended = stream.message().await.expect_err("the server stops");
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "STOPPING"));
}
