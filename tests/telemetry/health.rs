//! Health over time: whether the list is fresh, whether the service is ready, and what systemd
//! hears.

use std::process::Command;

use clearlist::grpc::proto::v1::clearance_service_client::ClearanceServiceClient;
use tokio_stream::StreamExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::asking::{
    NAME, PATIENCE, get, metrics, metrics_address, metrics_of, place, question, settings, start,
    value, wait,
};
use super::support::ceremony::{Place, in_seconds};
use super::support::server::{Launched, Server, program};
use super::support::{files, row};

/// The statuses of a name, as they come.
async fn watch(server: &Server, name: &str) -> impl tokio_stream::Stream<Item = i32> + use<> {
    let request = HealthCheckRequest { service: name.into() };
    let answers = HealthClient::new(server.connect().await).watch(request).await;
    answers.expect("it is watched").into_inner().map(|answer| answer.expect("news").status)
}

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

#[tokio::test]
async fn freshness_ends_before_the_list_does() {
    let place = Place::empty();
    place.add(&files(&[row("R", NAME)]), |next| next.expires = in_seconds(15));
    let server = start(&place, &["register.expiry_warning=7s"]);
    let mut fresh = Box::pin(watch(&server, "clearlist.freshness").await);
    assert_eq!(fresh.next().await, Some(SERVING));
    assert_eq!(fresh.next().await, Some(NOT_SERVING));
    let text = metrics(&metrics_of(&server));
    assert!((value(&text, "clearlist_list_expiring") - 1.0).abs() < 0.5, "{text}");
    assert!((value(&text, "clearlist_list_in_force") - 1.0).abs() < 0.5, "{text}");
    let mut client = ClearanceServiceClient::new(server.connect().await);
    client.check_clearance(question()).await.expect("it still answers");
    let mut whole = Box::pin(watch(&server, "").await);
    assert_eq!(whole.next().await, Some(SERVING), "the service is there all the same");
}

#[tokio::test]
async fn freshness_begins_when_a_scheduled_list_comes_into_force() {
    let place = Place::empty();
    place.add(&files(&[row("R", NAME)]), |next| next.effective = in_seconds(6));
    let server = start(&place, &["register.expiry_warning=1h"]);
    let mut fresh = Box::pin(watch(&server, "clearlist.freshness").await);
    assert_eq!(fresh.next().await, Some(NOT_SERVING));
    assert_eq!(fresh.next().await, Some(SERVING));
}

#[test]
fn while_the_register_is_read_it_is_not_ready_and_can_be_stopped() {
    let place = place();
    // The last file that a start reads is one that does not end until the test says so.
    let key = place.register().join("service-keys/current.key");
    let bytes = std::fs::read(&key).expect("the service has a key");
    std::fs::remove_file(&key).expect("it is removed");
    assert!(Command::new("mkfifo").arg(&key).status().expect("mkfifo runs").success());
    let launched = Launched::with(&place.register(), &settings(&[]));
    let address = wait("it says where metrics are", || metrics_address(&launched.said()));
    launched.signal("HUP");
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz"), (503, "replaying\n".into()));
    assert_eq!(get(&address, "/metrics").0, 503);
    std::fs::write(&key, &bytes).expect("it is waited for");
    let server = launched.listening().expect("it is served");
    wait("it is ready", || (get(&address, "/readyz").0 == 200).then_some(()));
    // Without files that it could look at again.
    server.signal("HUP");
    server.terminate();
    assert_eq!(server.ended().code, Some(0));

    std::fs::remove_file(&key).expect("it is removed");
    assert!(Command::new("mkfifo").arg(&key).status().expect("mkfifo runs").success());
    let launched = Launched::with(&place.register(), &settings(&[]));
    wait("it says where metrics are", || metrics_address(&launched.said()));
    launched.signal("TERM");
    assert_eq!(launched.ended().code, Some(0), "it is stopped while it reads");
}

#[tokio::test]
async fn ready_ends_with_the_signal_and_questions_are_answered_on() {
    let place = place();
    let server = start(&place, &["shutdown.notice_time=5s"]);
    let (address, channel) = (metrics_of(&server), server.connect().await);
    server.terminate();
    wait("it is not ready", || {
        (get(&address, "/readyz") == (503, "stopping\n".into())).then_some(())
    });
    assert_eq!(get(&address, "/livez").0, 200, "it is not to be killed for that");
    ClearanceServiceClient::new(channel).check_clearance(question()).await.expect("an answer");
    assert_eq!(server.ended().code, Some(0));
}

#[tokio::test]
async fn systemd_hears_of_the_start_when_it_listens_and_of_the_end() {
    let place = place();
    let path = place.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let hear = || {
        let mut heard = [0; 256];
        let length = socket.recv(&mut heard).expect("it says something");
        String::from_utf8_lossy(&heard[..length]).trim_end().to_owned()
    };
    let register = place.register().display().to_string();
    let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--register", &register]);
    command.env("NOTIFY_SOCKET", &path);
    let launched = Launched::run(command);
    assert_eq!(hear(), "READY=1");
    let server = launched.listening().expect("it is served");
    ClearanceServiceClient::new(server.connect().await)
        .check_clearance(question())
        .await
        .expect("an answer");
    server.terminate();
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(server.ended().code, Some(0));
}
