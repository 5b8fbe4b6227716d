//! Disks that are full, cannot be written, or fail: the submitter is told the truth, lookups go
//! on, and the next start shows what really happened.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clearlist::formats::list_csv::ListFiles;
use clearlist::grpc::proto::v1;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::calls;
use super::faulty_disk::{Fault, FaultyDisk};
use super::lists;
use super::support::ceremony::{Place, Served};
use super::support::server::{Launched, Server};
use super::support::{CODE, OWNER, files, row};

/// A list of which every row says the number of its revision.
fn numbered(number: u64, rows: u64) -> ListFiles {
    let stamp = format!("revision {number}");
    let row = |nth| {
        row(&format!("R{nth:03}"), "四环素")
            .with("valid_from", &lists::day_of(nth))
            .with("valid_to", &lists::day_of(nth))
            .with("source_document", &stamp)
    };
    files(&(0..rows).map(row).collect::<Vec<_>>())
}

/// Rows of the lists here.
const ROWS: u64 = 8;

/// The next revision, signed, with the list of its number.
async fn next(place: &Place, channel: &Channel, rows: u64) -> v1::Proposal {
    let draft = calls::draft(channel).await;
    let list = numbered(draft.number, rows);
    let statement = draft.revision(&list, "the next");
    draft.propose(&statement, Some(&list), &place.keys.quorum())
}

fn question() -> v1::CheckClearanceRequest {
    v1::CheckClearanceRequest {
        hs_code: CODE.into(),
        material_name: "四环素".into(),
        end_user_uscc: OWNER.into(),
        r#use: 1,
        ..Default::default()
    }
}

/// Asks once; every row of the answer is of the revision it names, whose number is returned.
async fn answering(channel: &Channel) -> u64 {
    let decision = calls::check(channel, question()).await.expect("lookups go on");
    let number = decision.revision.expect("an answer names its revision").number;
    assert!(decision.matches.len() as u64 >= ROWS);
    for matched in decision.matches {
        let entry = matched.entry.expect("a match has its entry");
        assert_eq!(entry.source_document, format!("revision {number}"));
    }
    number
}

/// Somebody who asks all the time.
struct Asking {
    stop: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Asking {
    fn on(channel: &Channel) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (channel, stopped) = (channel.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut newest = 0;
            while !stopped.load(Ordering::SeqCst) {
                let number = answering(&channel).await;
                assert!(number >= newest, "an older list answers after a newer");
                newest = number;
            }
            newest
        });
        Self { stop, task }
    }

    /// The number that answered last.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("every lookup was answered")
    }
}

/// The register has so many statements, shows no more, and the last of them answers.
async fn stands_at(channel: &Channel, size: u64) {
    let register = calls::get_register(channel).await.expect("the register answers");
    assert_eq!(register.size, size);
    assert_eq!(calls::statements(channel).await.len() as u64, size);
    assert_eq!(calls::refused(calls::get_revision(channel, size + 1).await), "REVISION_UNKNOWN");
    assert_eq!(answering(channel).await, size);
}

/// The proposal is accepted as the next statement, then stands there, and answers.
async fn is_accepted(channel: &Channel, proposal: &v1::Proposal, number: u64) {
    let answer = calls::submit(channel, proposal).await.expect("it is accepted");
    assert_eq!((answer.number, answer.already_accepted), (number, false));
    stands_already(channel, proposal, number).await;
    stands_at(channel, number).await;
}

/// The proposal stands under this number, byte for byte; sent again, that is the answer.
async fn stands_already(channel: &Channel, proposal: &v1::Proposal, number: u64) {
    let answer = calls::submit(channel, proposal).await.expect("it stands");
    assert_eq!((answer.number, answer.already_accepted), (number, true));
    let found = calls::statement(channel, number).await;
    assert_eq!((&found.statement, &found.checkpoint), (&proposal.statement, &proposal.checkpoint));
}

/// KiB of the statements file, rounded up.
fn kibibytes(place: &Place) -> u64 {
    let length = fs::metadata(place.register().join("statements")).expect("it is there").len();
    length.div_ceil(1024)
}

#[tokio::test]
async fn on_a_full_disk_a_proposal_is_not_stored_and_is_accepted_once_there_is_room() {
    let place = Place::with(&numbered(1, ROWS));
    let full = kibibytes(&place) + 1;
    let start = || Launched::on_full_disk(&place.register(), full).listening().expect("it starts");
    let server = start();
    let channel = server.connect().await;
    let asking = Asking::on(&channel);
    let proposal = next(&place, &channel, 20 * ROWS).await;
    for _attempt in 0..3 {
        assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "NOT_STORED");
        stands_at(&channel, 1).await;
    }
    // What was cut off leaves no trace: neither a restart on the full disk nor one with room
    // knows of it.
    assert_eq!(asking.end().await, 1);
    server.kill();
    let server = start();
    let channel = server.connect().await;
    stands_at(&channel, 1).await;
    assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "NOT_STORED");
    server.kill();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    stands_at(&channel, 1).await;
    is_accepted(&channel, &proposal, 2).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_running_server_takes_a_proposal_as_soon_as_its_full_disk_has_room() {
    let place = Place::with(&numbered(1, ROWS));
    let launched = Launched::on_full_disk(&place.register(), kibibytes(&place) + 1);
    let server = launched.listening().expect("it starts");
    let channel = server.connect().await;
    let asking = Asking::on(&channel);
    let proposal = next(&place, &channel, 20 * ROWS).await;
    assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "NOT_STORED");
    stands_at(&channel, 1).await;
    let of_server = format!("--pid={}", server.id());
    let raised = Command::new("prlimit").args([&of_server, "--fsize=unlimited:"]).status();
    assert!(raised.expect("prlimit can be run").success(), "the limit was lifted");
    is_accepted(&channel, &proposal, 2).await;
    assert!(asking.end().await <= 2);
    server.kill();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    stands_at(&channel, 2).await;
    stands_already(&channel, &proposal, 2).await;
}

/// Binds root too, whom modes do not keep from writing: no file can be made where a directory
/// is.
#[tokio::test]
async fn where_no_mark_can_be_written_a_proposal_is_not_stored_and_later_it_is() {
    let place = Place::with(&numbered(1, ROWS));
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    let asking = Asking::on(&channel);
    let proposal = next(&place, &channel, ROWS).await;
    let in_the_way = place.register().join("high-water.new");
    fs::create_dir(&in_the_way).expect("nothing is there between appends");
    for _attempt in 0..3 {
        assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "NOT_STORED");
        stands_at(&channel, 1).await;
    }
    fs::remove_dir(&in_the_way).expect("it is there");
    is_accepted(&channel, &proposal, 2).await;
    assert!(asking.end().await <= 2);
}

#[tokio::test]
async fn where_a_mark_cannot_take_its_place_the_outcome_is_unknown_and_a_restart_decides() {
    let place = Place::with(&numbered(1, ROWS));
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    let asking = Asking::on(&channel);
    let proposal = next(&place, &channel, ROWS).await;
    // The mark is moved aside and a directory put in its place, which no file replaces.
    let (mark, aside) = (place.register().join("high-water"), place.path().join("aside"));
    fs::rename(&mark, &aside).expect("a register has a mark");
    fs::create_dir(&mark).expect("nothing is there now");
    assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "OUTCOME_UNKNOWN");
    for _attempt in 0..3 {
        assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "REGISTER_CLOSED");
        stands_at(&channel, 1).await;
    }
    fs::remove_dir(&mark).expect("it is there");
    fs::rename(&aside, &mark).expect("it was put aside");
    // The disk is whole again, and still nobody may append: only a start looks at what is there.
    assert_eq!(calls::refused(calls::submit(&channel, &proposal).await), "REGISTER_CLOSED");
    assert_eq!(asking.end().await, 1);
    server.kill();
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    stands_at(&channel, 2).await;
    stands_already(&channel, &proposal, 2).await;
    let another = next(&place, &channel, ROWS).await;
    is_accepted(&channel, &another, 3).await;
}

/// A register on a disk that can be told to fail, served in this process.
struct Ailing {
    place: Place,
    disk: FaultyDisk,
    channel: Channel,
    _served: Served,
}

impl Ailing {
    async fn start() -> Self {
        let place = Place::with(&numbered(1, ROWS));
        let disk = FaultyDisk::of(&place.register());
        let served = Served::start(disk.open()).await;
        let endpoint = Channel::from_shared(served.url()).expect("an address is a URL");
        let channel = endpoint.connect().await.expect("the server listens");
        Self { place, disk, channel, _served: served }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_a_write_is_survived_without_a_restart() {
    for fault in [Fault::Full, Fault::ReadOnly] {
        let ailing = Ailing::start().await;
        let Ailing { place, disk, channel, .. } = &ailing;
        let asking = Asking::on(channel);
        for number in 2..5 {
            let proposal = next(place, channel, ROWS).await;
            disk.set(fault);
            for _attempt in 0..2 {
                let told = calls::refused(calls::submit(channel, &proposal).await);
                assert_eq!(told, "NOT_STORED", "{fault:?}");
                stands_at(channel, number - 1).await;
            }
            disk.set(Fault::None);
            is_accepted(channel, &proposal, number).await;
        }
        assert!(asking.end().await <= 4);
        let Ailing { place, .. } = ailing;
        let server = Server::start(&place.register());
        stands_at(&server.connect().await, 4).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nobody_is_told_a_guess_and_the_next_start_shows_what_is_there() {
    // What is wrong, and whether the statement is there when all is over.
    let cases = [
        (Fault::SyncFailsAfter, true),
        (Fault::SyncFailsBefore, false),
        (Fault::FullForEver, false),
        (Fault::MarkFails, true),
        (Fault::MarkSyncFails, true),
    ];
    for (fault, is_there) in cases {
        let ailing = Ailing::start().await;
        let Ailing { place, disk, channel, .. } = &ailing;
        let asking = Asking::on(channel);
        let proposal = next(place, channel, ROWS).await;
        disk.set(fault);
        let told = calls::refused(calls::submit(channel, &proposal).await);
        assert_eq!(told, "OUTCOME_UNKNOWN", "{fault:?}");
        // A disk that works again changes nothing: what is on it is known to a start only.
        disk.set(Fault::None);
        for _attempt in 0..3 {
            let told = calls::refused(calls::submit(channel, &proposal).await);
            assert_eq!(told, "REGISTER_CLOSED", "{fault:?}");
            stands_at(channel, 1).await;
        }
        assert_eq!(asking.end().await, 1, "{fault:?}");
        let Ailing { place, .. } = ailing;

        let server = Server::start(&place.register());
        let channel = server.connect().await;
        stands_at(&channel, if is_there { 2 } else { 1 }).await;
        if is_there {
            stands_already(&channel, &proposal, 2).await;
        } else {
            is_accepted(&channel, &proposal, 2).await;
        }
        let another = next(&place, &channel, ROWS).await;
        is_accepted(&channel, &another, 3).await;
        server.kill();
        let server = Server::start(&place.register());
        stands_at(&server.connect().await, 3).await;
    }
}
