//! HTTP/2 as nobody means it. Each test bounds what the server may hold in memory, and asks for
//! others while it goes on: they are answered, and the process lives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clearlist::grpc::status;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, skip_field};
use prost::{DecodeError, Message};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::asking::{self, ask, question};
use super::frames::{
    BATCH, CHECK, CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING,
    PREFACE, RST_STREAM, Raw, SETTINGS, begin, block, call, frame, message, settings,
};
use super::support::ceremony::Place;
use super::support::server::Server;

/// What the process may hold, whatever comes: it starts with less than a third of it.
const RESIDENT_BYTES_MAX: u64 = 192 << 20;
/// How long others may wait, on two processors that also run the abuse.
const OTHERS_WAIT_MAX: Duration = Duration::from_secs(3);

/// A server, and a caller who asks all the time.
struct Watched {
    server: Server,
    over: Arc<AtomicBool>,
    caller: JoinHandle<(u64, Duration)>,
    _place: Place,
}

impl Watched {
    async fn start(settings: &[&str]) -> Self {
        let place = asking::place();
        let server = Server::with(&place.register(), settings);
        let over = Arc::new(AtomicBool::new(false));
        let caller = tokio::spawn(ask_on(server.connect().await, Arc::clone(&over)));
        Self { server, over, caller, _place: place }
    }

    fn address(&self) -> &str {
        self.server.address()
    }

    /// Old and new callers are answered, and memory is within its bound.
    async fn end(self) {
        let fresh = self.server.connect().await;
        tokio::time::timeout(OTHERS_WAIT_MAX, ask(&fresh)).await.expect("soon").expect("an answer");
        let resident = self.server.resident_bytes();
        self.over.store(true, Ordering::Relaxed);
        let (answers, longest) = self.caller.await.expect("every question was answered");
        println!("{answers} others answered, longest {longest:?}; {} MiB", resident >> 20);
        assert!(resident < RESIDENT_BYTES_MAX, "{} MiB", resident >> 20);
        assert!(longest < OTHERS_WAIT_MAX, "others waited {longest:?}");
        let ended = self.server.kill();
        assert!(!ended.said.contains("panicked"), "{}", ended.said);
    }
}

/// How many questions were answered, and how long the longest took.
async fn ask_on(channel: Channel, over: Arc<AtomicBool>) -> (u64, Duration) {
    let (mut answers, mut longest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        ask(&channel).await.expect("others are answered");
        longest = longest.max(begun.elapsed());
        answers += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (answers, longest)
}

/// Writes the same again and again, at most so often and so long; how much was taken.
async fn flood(raw: &mut Raw, bytes: &[u8], times: usize) -> usize {
    let begun = Instant::now();
    for written in 0..times {
        let writing = tokio::time::timeout(Duration::from_secs(1), raw.write(bytes)).await;
        if !matches!(writing, Ok(Ok(()))) || begun.elapsed() > Duration::from_secs(4) {
            return written;
        }
    }
    times
}

#[tokio::test]
async fn streams_opened_and_taken_back_at_once() {
    let watched = Watched::start(&[]).await;
    let attacks = (0..4).map(|_nth| {
        let address = watched.address().to_owned();
        tokio::spawn(async move {
            let mut raw = Raw::begun(&address, &[]).await;
            let mut opened = 0;
            for batch in 0..200 {
                let streams = (0..100).map(|nth| 1 + 2 * (batch * 100 + nth));
                let reset = 8_u32.to_be_bytes();
                let frames: Vec<u8> = streams
                    .flat_map(|id| [begin(id, CHECK, &[]), frame(RST_STREAM, 0, id, &reset)])
                    .flatten()
                    .collect();
                if raw.write(&frames).await.is_err() {
                    break;
                }
                opened += 100;
            }
            opened
        })
    });
    let attacks: Vec<_> = attacks.collect();
    for attack in attacks {
        println!("{} streams were taken", attack.await.expect("no panic"));
    }
    watched.end().await;
}

#[tokio::test]
async fn headers_that_never_end() {
    let watched = Watched::start(&[]).await;
    let mut raw = Raw::begun(watched.address(), &[]).await;
    raw.write(&frame(HEADERS, 0, 1, &call(CHECK, &[]))).await.expect("it is open");
    let filler = block(&[("x", &"y".repeat(8_000))]);
    let taken = flood(&mut raw, &frame(CONTINUATION, 0, 1, &filler), 10_000).await;
    assert!(taken < 10_000, "all of it was taken");
    watched.end().await;
}

#[tokio::test]
async fn empty_headers_that_never_end() {
    let watched = Watched::start(&[]).await;
    let mut raw = Raw::begun(watched.address(), &[]).await;
    raw.write(&frame(HEADERS, 0, 1, &call(CHECK, &[]))).await.expect("it is open");
    let many = frame(CONTINUATION, 0, 1, &[]).repeat(1_000);
    let taken = flood(&mut raw, &many, 10_000).await;
    assert!(taken < 10_000, "all of it was taken");
    watched.end().await;
}

#[tokio::test]
async fn headers_larger_than_the_limit_are_refused_and_the_next_call_is_answered() {
    let watched = Watched::start(&["limits.header_bytes_max=8KiB"]).await;
    let mut raw = Raw::begun(watched.address(), &[]).await;
    let value = "y".repeat(6_000);
    let large = call(CHECK, &[("x-one", &value), ("x-two", &value)]);
    raw.write(&frame(HEADERS, END_HEADERS, 1, &large)).await.expect("it is open");
    let answer = raw.wait_for(HEADERS).await.expect("an answer");
    assert_eq!((answer.stream, answer.flags & 1), (1, 1), "431, without a body");
    let good = [begin(3, CHECK, &[]), message(3, &question())].concat();
    raw.write(&good).await.expect("it is open");
    raw.wait_for(DATA).await.expect("an answer");
    watched.end().await;
}

#[tokio::test]
async fn readers_that_open_no_window_are_cut_off_and_hold_little() {
    let watched = Watched::start(&["limits.unread_timeout=1s"]).await;
    let mut deaf = Vec::new();
    for _connection in 0..4 {
        let mut raw = Raw::begun(watched.address(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
        for id in (0..500).map(|nth| 1 + 2 * nth) {
            let call = [begin(id, CHECK, &[]), message(id, &question())].concat();
            raw.write(&call).await.expect("it is open");
        }
        deaf.push(raw);
    }
    for mut raw in deaf {
        assert!(raw.is_closed_within(Duration::from_secs(8)).await, "it was not cut off");
    }
    watched.end().await;
}

#[tokio::test]
async fn calls_without_messages_do_not_shut_others_out() {
    let few = ["limits.requests_open_max=50", "limits.requests_per_connection_assured=4"];
    let watched = Watched::start(&few).await;
    let mut slow = Vec::new();
    for _connection in 0..4 {
        let mut raw = Raw::begun(watched.address(), &[]).await;
        for id in (0..200).map(|nth| 1 + 2 * nth) {
            raw.write(&begin(id, CHECK, &[])).await.expect("it is open");
        }
        // Some of them were told that there are too many.
        raw.wait_for(HEADERS).await.expect("a refusal");
        slow.push(raw);
    }
    watched.end().await;
    drop(slow);
}

/// Sends the beginning of a batch and waits for what is said to it.
async fn half_a_batch(address: String, bytes: usize) -> Status {
    let stream = TcpStream::connect(&address).await.expect("it listens");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
    let speaking = tokio::spawn(connection);
    let request = http::Request::post(format!("http://test{BATCH}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = request.body(()).expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("it is open");
    let mut message = vec![0];
    message.extend((15_u32 << 20).to_be_bytes());
    message.resize(bytes, 7);
    body.send_data(message.into(), false).expect("it is open");
    let answer = answer.await.expect("an answer");
    speaking.abort();
    Status::from_header_map(answer.headers()).expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_never_come_whole_hold_no_more_than_their_budget() {
    let budget = [
        "limits.messages_bytes_max=32MiB",
        "limits.proposal_bytes_max=32MiB",
        "limits.message_timeout=2s",
    ];
    let watched = Watched::start(&budget).await;
    let sent = (0..8).map(|_nth| half_a_batch(watched.address().to_owned(), 12 << 20));
    let sent: Vec<_> = sent.map(tokio::spawn).collect();
    let mut reasons = BTreeMap::new();
    for answer in sent {
        let refused = answer.await.expect("no panic");
        *reasons.entry(status::reason(&refused)).or_insert(0) += 1;
    }
    println!("{reasons:?}");
    let told = ["OVERLOADED", "MESSAGE_LATE"].map(|reason| Some(reason.to_owned()));
    assert!(reasons.keys().all(|reason| told.contains(reason)), "{reasons:?}");
    assert!(told.iter().all(|reason| reasons.contains_key(reason)), "{reasons:?}");
    // What was taken is given back.
    let channel = watched.server.connect().await;
    asking::client(&channel).batch_check_clearance(asking::batch(1_000)).await.expect("a batch");
    watched.end().await;
}

#[tokio::test]
async fn garbage_after_the_preface_ends_its_own_connection() {
    let watched = Watched::start(&[]).await;
    // A fixed sequence: xorshift.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..150 {
        let mut raw = Raw::connect(watched.address()).await;
        let begun =
            if round % 3 == 0 { PREFACE.to_vec() } else { [PREFACE, &settings(&[])].concat() };
        let mut garbage: Vec<u8> = (0..200).flat_map(|_word| next().to_be_bytes()).collect();
        if round % 3 == 2 {
            // Frames that are frames, of every kind and with any flags.
            garbage = (0..40)
                .flat_map(|_frame| {
                    let [kind, flags, stream, ..] = next().to_be_bytes();
                    frame(kind % 12, flags, u32::from(stream % 8), &next().to_be_bytes())
                })
                .collect();
        }
        // It may be closed while it is written to.
        let _closed = raw.write(&[begun, garbage].concat()).await;
        let _closed = raw.0.shutdown().await;
        assert!(raw.is_closed_within(Duration::from_secs(5)).await, "round {round} is kept");
    }
    watched.end().await;
}

#[tokio::test]
async fn pings_and_settings_that_nobody_reads_the_answers_of() {
    let watched = Watched::start(&["limits.unread_timeout=1s"]).await;
    for bytes in [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])] {
        let mut raw = Raw::hard_of_hearing(watched.address()).await;
        raw.begin(&[]).await;
        let taken = flood(&mut raw, &bytes.repeat(1_000), 20_000).await;
        println!("{taken} thousand frames were taken");
        assert!(watched.server.resident_bytes() < RESIDENT_BYTES_MAX);
    }
    watched.end().await;
}

#[tokio::test]
async fn connections_that_never_begin_are_closed_in_time() {
    let watched = Watched::start(&["limits.handshake_timeout=500ms"]).await;
    let beginnings: [&[u8]; 4] =
        [b"", &PREFACE[..10], b"POST / HTTP/1.1\r\nhost: x\r\nx-more: ", b"\x16\x03\x01"];
    for beginning in beginnings {
        let begun = Instant::now();
        let mut raw = Raw::connect(watched.address()).await;
        raw.write(beginning).await.expect("it is open");
        assert!(raw.is_closed_within(Duration::from_secs(4)).await, "{beginning:?} is kept");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{beginning:?} was kept for {took:?}");
    }
    watched.end().await;
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go_and_one_with_a_call_is_not() {
    let watched = Watched::start(&["limits.idle_timeout=600ms"]).await;
    let mut idle = Raw::begun(watched.address(), &[]).await;
    let mut busy = Raw::begun(watched.address(), &[]).await;
    busy.write(&begin(1, CHECK, &[])).await.expect("it is open");
    idle.wait_for(GOAWAY).await.expect("it is told");
    assert!(idle.is_closed_within(Duration::from_secs(5)).await);
    busy.write(&message(1, &question())).await.expect("it is open");
    busy.wait_for(DATA).await.expect("an answer");
    watched.end().await;
}

#[tokio::test]
async fn ten_thousand_idle_connections_displace_each_other() {
    const PLACES: usize = 300;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(10_500, |maximum| maximum.min(10_500));
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).expect("it may");
    let count = usize::try_from(wanted).expect("some") - 500;
    let places = format!("limits.connections_max={PLACES}");
    let watched = Watched::start(&[&places]).await;
    let mut idle = Vec::new();
    for nth in 0..count {
        let Ok(mut stream) = TcpStream::connect(watched.address()).await else {
            panic!("connection {nth} was not taken")
        };
        if nth % 2 == 0 {
            // It may be displaced already.
            let _gone = stream.write_all(PREFACE).await;
        }
        idle.push(stream);
    }
    let open = std::fs::read_dir(format!("/proc/{}/fd", watched.server.id()));
    let open = open.expect("it runs").count();
    println!("{count} connections, {open} descriptors");
    assert!(open < PLACES + 100, "{open} descriptors");
    // The caller of before is still the same: it has asked, and they have not.
    watched.end().await;
    drop(idle);
}

#[tokio::test]
async fn grpc_over_http_1_is_told_what_it_needs() {
    let watched = Watched::start(&[]).await;
    let mut raw = Raw::connect(watched.address()).await;
    let request =
        format!("POST {CHECK} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc\r\n\r\n");
    raw.write(request.as_bytes()).await.expect("it is open");
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut raw.0, &mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    assert!(answer.contains("gRPC needs HTTP/2"), "{answer}");
    watched.end().await;
}

/// So many questions without a field, of two bytes each.
#[derive(Debug, Clone, Default, PartialEq)]
struct Empty(usize);

impl Message for Empty {
    fn encode_raw(&self, out: &mut impl BufMut) {
        (0..self.0).for_each(|_nth| out.put_slice(&[10, 0]));
    }

    fn encoded_len(&self) -> usize {
        2 * self.0
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        from: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, from, context)
    }

    fn clear(&mut self) {}
}

#[tokio::test]
async fn eight_million_empty_questions_are_counted_and_not_kept() {
    const QUESTIONS: usize = 8_000_000;
    let watched = Watched::start(&[]).await;
    let mut client = tonic::client::Grpc::new(watched.server.connect().await);
    client.ready().await.expect("it is connected");
    let codec = tonic_prost::ProstCodec::<Empty, Empty>::default();
    let (request, path) = (tonic::Request::new(Empty(QUESTIONS)), BATCH.parse());
    let refused = client.unary(request, path.expect("a path"), codec).await;
    let refused = refused.expect_err("too many");
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert!(refused.message().contains("8000000 questions"), "{refused:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", watched.server.id()));
    let status = status.expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|kib| kib.split_whitespace().next()?.parse::<u64>().ok());
    let peak = peak.expect("Linux tells it") << 10;
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB at most", peak >> 20);
    watched.end().await;
}
