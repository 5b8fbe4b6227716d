//! Submitters that hang up, that send the same twice, and a server that is told to stop while
//! somebody submits.

use std::time::Duration;

use clearlist::grpc::proto::v1;
use tonic::transport::Channel;

use super::calls;
use super::submitters::Dice;
use super::support::ceremony::Place;
use super::support::server::Server;
use super::support::{files, row};

/// The next revision, signed: so many rows, all of them new.
async fn next(place: &Place, channel: &Channel, rows: usize) -> v1::Proposal {
    let draft = calls::draft(channel).await;
    let row = |nth| row(&format!("R{}-{nth}", draft.number), &format!("四环素{nth}号"));
    let list = files(&(0..rows).map(row).collect::<Vec<_>>());
    let statement = draft.revision(&list, "the next");
    draft.propose(&statement, Some(&list), &place.keys.quorum())
}

/// The register has so many statements, the last of them this one.
async fn ends_with(channel: &Channel, number: u64, proposal: &v1::Proposal) {
    let register = calls::get_register(channel).await.expect("the register answers");
    assert_eq!(register.size, number);
    let found = calls::statement(channel, number).await;
    assert_eq!((&found.statement, &found.checkpoint), (&proposal.statement, &proposal.checkpoint));
}

#[tokio::test]
async fn who_hangs_up_and_sends_the_same_again_is_told_what_became_of_it() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::start(&place.register());
    let mut stood = 0;
    let rounds = 30;
    for round in 0..rounds {
        let (channel, number) = (server.connect().await, round + 2);
        let proposal = next(&place, &channel, 10).await;
        let sending = tokio::spawn({
            let (channel, proposal) = (channel.clone(), proposal.clone());
            async move { calls::submit(&channel, &proposal).await }
        });
        // So many turns of this thread: before it is sent, while it is, after.
        for _turn in 0..round * round {
            tokio::task::yield_now().await;
        }
        sending.abort();
        let answered_first = sending.await.is_ok_and(|answer| answer.is_ok());
        if round % 2 == 0 {
            drop(channel);
        }
        let channel = server.connect().await;
        let answer = calls::submit(&channel, &proposal).await.expect("it stands by now");
        assert_eq!(answer.number, number);
        assert!(answer.already_accepted || !answered_first, "an answer was taken back");
        stood += u64::from(answer.already_accepted);
        ends_with(&channel, number, &proposal).await;
        let again = calls::submit(&channel, &proposal).await.expect("it stands");
        assert!(again.already_accepted);
        assert_eq!((again.number, again.accept_time), (number, answer.accept_time));
    }
    println!("{stood} of {rounds} statements stood although their submitter had hung up");
}

#[tokio::test]
async fn of_the_same_proposal_sent_twice_at_once_one_is_accepted_and_one_stands_already() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::start(&place.register());
    let (one, other) = (server.connect().await, server.connect().await);
    for number in 2..12 {
        let proposal = next(&place, &one, 3).await;
        let (a, b) = tokio::join!(calls::submit(&one, &proposal), calls::submit(&other, &proposal));
        let (a, b) = (a.expect("it stands"), b.expect("it stands"));
        assert_ne!(a.already_accepted, b.already_accepted, "one was first");
        assert_eq!((a.number, b.number), (number, number));
        assert_eq!((a.accept_time, a.effective_time), (b.accept_time, b.effective_time));
        ends_with(&one, number, &proposal).await;
    }
}

#[tokio::test]
async fn of_the_same_proposal_sent_by_many_at_once_exactly_one_is_accepted() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::start(&place.register());
    let channel = server.connect().await;
    let proposal = next(&place, &channel, 3).await;
    let mut sending = Vec::new();
    for _sender in 0..12 {
        let (channel, proposal) = (server.connect().await, proposal.clone());
        sending.push(tokio::spawn(async move { calls::submit(&channel, &proposal).await }));
    }
    let (mut accepted, mut busy) = (0, 0);
    for sent in sending {
        match sent.await.expect("nobody panics") {
            Ok(answer) => {
                assert_eq!(answer.number, 2);
                accepted += u64::from(!answer.already_accepted);
            }
            Err(refused) => {
                assert_eq!(calls::reason(&refused).as_deref(), Some("BUSY"), "{refused:?}");
                busy += 1;
            }
        }
    }
    assert_eq!(accepted, 1);
    println!("{busy} of 12 were told to come again");
    ends_with(&channel, 2, &proposal).await;
}

#[tokio::test]
async fn of_two_proposals_for_one_number_one_is_accepted_and_one_is_told_it_came_late() {
    let place = Place::with(&files(&[row("R", "四环素")]));
    let server = Server::start(&place.register());
    let (one, other) = (server.connect().await, server.connect().await);
    for number in 2..12 {
        let (ours, theirs) = (next(&place, &one, 3).await, next(&place, &one, 4).await);
        let (a, b) = tokio::join!(calls::submit(&one, &ours), calls::submit(&other, &theirs));
        let (won, lost, stands) = if a.is_ok() { (a, b, ours) } else { (b, a, theirs) };
        let won = won.expect("one was first");
        assert_eq!((won.number, won.already_accepted), (number, false));
        assert_eq!(calls::refused(lost), "REGISTER_MOVED");
        ends_with(&one, number, &stands).await;
    }
}

#[tokio::test]
async fn told_to_stop_a_server_finishes_what_it_took_and_takes_nothing_in_secret() {
    const SEED: u64 = 7;
    let mut dice = Dice(SEED);
    let place = Place::with(&files(&[row("R", "四环素")]));
    let (mut finished, rounds) = (0, 24);
    let mut size = 1;
    for round in 0..rounds {
        let server = Server::start(&place.register());
        let channel = server.connect().await;
        let proposal = next(&place, &channel, 40).await;
        // Before it is sent, while it is worked on, after.
        let [to_send, to_stop] = [(); 2].map(|()| Duration::from_millis(dice.below(60)));
        let sending = tokio::spawn({
            let proposal = proposal.clone();
            async move {
                tokio::time::sleep(to_send).await;
                calls::submit(&channel, &proposal).await
            }
        });
        tokio::time::sleep(to_stop).await;
        server.terminate();
        let answer = sending.await.expect("nobody panics");
        // On another thread: the server waits until its clients have heard that it ends.
        let waiting = tokio::task::spawn_blocking(move || server.ended());
        let ended = waiting.await.expect("it ends");
        assert_eq!(ended.code, Some(0), "round {round} of seed {SEED}: {}", ended.said);

        let server = Server::start(&place.register());
        let channel = server.connect().await;
        match answer {
            Ok(answer) => {
                size += 1;
                finished += 1;
                assert_eq!((answer.number, answer.already_accepted), (size, false));
                ends_with(&channel, size, &proposal).await;
            }
            Err(refused) => {
                assert_eq!(calls::reason(&refused), None, "round {round}: {refused:?}");
                let found = calls::get_register(&channel).await.expect("the register answers");
                assert_eq!(found.size, size, "round {round} of seed {SEED}: {refused:?}");
            }
        }
        server.kill();
    }
    println!("{finished} of {rounds} submissions finished although the server was told to stop");
}
