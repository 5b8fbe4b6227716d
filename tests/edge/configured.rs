//! Settings as an operator gives them: to the program.

use std::path::Path;
use std::process::Output;

use super::asking::{self, ask};
use super::authorities::{Authority, TlsFiles};
use super::support::server::{Launched, program};

/// How `serve` with these flags ends.
fn serve(register: &Path, flags: &[&str]) -> Output {
    let register = register.display().to_string();
    let args = [&["serve", "--register", &register], flags].concat();
    program(&args).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn good_settings_are_said_to_be_good_and_nothing_is_served() {
    let (place, ours) = (asking::place(), Authority::new("ours"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    let settings = files.settings("required");
    let mut flags = vec!["--check-config"];
    for setting in &settings {
        flags.extend(["--set", setting]);
    }
    let output = serve(&place.register(), &flags);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "the settings are good\n");
}

#[test]
fn bad_settings_end_with_2_and_say_where_in_both_languages() {
    let place = asking::place();
    let file = place.path().join("clearlist.toml");
    std::fs::write(&file, "[limits]\nconnections_maxx = 5\nidle_timeout = 5\n").expect("written");
    let path = file.display().to_string();
    for check in [&["--config", path.as_str(), "--check-config"][..], &["--config", &path]] {
        let output = serve(&place.register(), check);
        assert_eq!(output.status.code(), Some(2));
        let said = said(&output);
        let lines = [
            format!(
                "{path}:2: there is no setting `limits.connections_maxx`; did you mean `limits.connections_max`?"
            ),
            format!("{path}:3: limits.idle_timeout is `5`; it must be a duration"),
        ];
        for line in lines {
            assert!(said.contains(&line), "{line}\n{said}");
        }
    }
    let chinese = serve(&place.register(), &["--config", &path, "--lang", "zh"]);
    assert!(said(&chinese).contains("没有设置 `limits.connections_maxx`"), "{}", said(&chinese));
}

#[test]
fn what_settings_name_is_looked_at_by_the_check() {
    let (place, ours) = (asking::place(), Authority::new("ours"));
    let files = TlsFiles::write(place.path(), &ours.server("one"), &ours.pem());
    std::fs::write(&files.key, "no key").expect("written");
    let (certificate, key) = (
        format!("tls.certificate={}", files.certificate.display()),
        format!("tls.key={}", files.key.display()),
    );
    let nowhere = place.path().join("nowhere");
    let filter = "telemetry.filter=clearlist=loud";
    let flags = ["--check-config", "--set", &certificate, "--set", &key, "--set", filter];
    let output = serve(&nowhere, &flags);
    assert_eq!(output.status.code(), Some(2));
    for problem in ["holds no private key in PEM", "is no directory", "is no filter"] {
        assert!(said(&output).contains(problem), "{problem}: {}", said(&output));
    }
}

#[test]
fn effective_settings_are_printed_with_where_they_came_from() {
    let place = asking::place();
    let register = place.register().display().to_string();
    let mut command = program(&["serve", "--register", &register, "--print-config"]);
    let output = command.env("CLEARLIST_LIMITS_IDLE_TIMEOUT", "7min").output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        format!("directory = \"{register}\"  # --register"),
        "idle_timeout = \"7min\"  # CLEARLIST_LIMITS_IDLE_TIMEOUT".into(),
        "filter = \"warn\"  # RUST_LOG".into(),
        "drain_timeout = \"10s\"  # default".into(),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
}

#[test]
fn an_address_for_everybody_wants_tls_and_identity_or_somebody_who_says_that_it_does_not() {
    let place = asking::place();
    let output = serve(&place.register(), &["--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    for needed in ["allow_plaintext_on_public_address", "allow_anonymous_on_public_address"] {
        assert!(said(&output).contains(needed), "{needed}: {}", said(&output));
    }
}

#[tokio::test]
async fn an_address_for_everybody_is_served_when_somebody_says_so() {
    let place = asking::place();
    let allowed = [
        "listen.address=0.0.0.0:0",
        "listen.allow_plaintext_on_public_address=true",
        "identity.allow_anonymous_on_public_address=true",
    ];
    let mut command = program(&["serve", "--register"]);
    command.arg(place.register());
    for setting in allowed {
        command.args(["--set", setting]);
    }
    let server = Launched::run(command).listening().expect("it is served");
    ask(&server.connect().await).await.expect("an answer");
}

#[test]
fn a_file_that_is_not_there_and_a_setting_without_value_are_usage_errors() {
    let place = asking::place();
    let missing = serve(&place.register(), &["--config", "nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(said(&missing).contains("cannot read the settings file"), "{}", said(&missing));
    let valueless = serve(&place.register(), &["--set", "limits.idle_timeout"]);
    assert_eq!(valueless.status.code(), Some(2));
    let nameless = program(&["serve"]).output().expect("it starts");
    assert_eq!(nameless.status.code(), Some(2));
    assert!(said(&nameless).contains("which register"), "{}", said(&nameless));
}
