//! Settings: the example file against the code, what goes over what, and what is refused.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::path::Path;
use std::time::Duration;

use clearlist::config::{Given, Problem, Settings, Source};

/// Environment variables: names and values.
fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn file(text: &str) -> Given {
    Given { file: Some(("clearlist.toml".into(), text.into())), ..Given::default() }
}

fn load(given: &Given) -> Settings {
    Settings::load(given).expect("good settings").0
}

/// Every problem of what was given, as it is printed.
fn problems(given: &Given) -> Vec<String> {
    let said = |problem: &Problem| format!("{}: {}", problem.source, problem.english);
    Settings::load(given).expect_err("bad settings").iter().map(said).collect()
}

#[test]
fn the_example_file_is_what_the_code_says_word_for_word() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clearlist.example.toml");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let made = Settings::example();
    if written != made {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clearlist.example.toml");
        std::fs::write(&fresh, made).expect("it can be written");
        panic!("the settings have changed; look at {} and copy it", fresh.display());
    }
}

#[test]
fn the_example_file_can_be_read_and_changes_nothing() {
    let (settings, sources) = Settings::load(&file(&Settings::example())).expect("good settings");
    assert_eq!(settings, Settings::default());
    let keys = Settings::example()
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with('#'))
        .count();
    assert_eq!(sources.len(), keys, "every key of the file is a setting");
}

#[test]
fn what_is_printed_can_be_read_again_and_says_where_it_came_from() {
    let mut given = file("[limits]\nidle_timeout = \"90s\"\n");
    given.environment = environment(&[("CLEARLIST_TELEMETRY_FILTER", "warn,\"odd\\one\"")]);
    given.flags = vec![("--listen".into(), "listen.address".into(), "[::1]:0".into())];
    let (settings, sources) = Settings::load(&given).expect("good settings");
    let printed = settings.print(&sources);
    assert_eq!(load(&file(&printed)), settings);
    for line in [
        "address = \"[::1]:0\"  # --listen",
        "idle_timeout = \"90s\"  # clearlist.toml:2",
        "filter = \"warn,\\\"odd\\\\one\\\"\"  # CLEARLIST_TELEMETRY_FILTER",
        "drain_timeout = \"10s\"  # default",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
}

#[test]
fn the_environment_goes_over_the_file_and_flags_go_over_both() {
    let mut given =
        file("[limits]\nconnections_max = 1\nidle_timeout = \"1min\"\nbatch_items_max = 3");
    assert_eq!(load(&given).limits.connections_max, 1);
    given.environment = environment(&[
        ("CLEARLIST_LIMITS_CONNECTIONS_MAX", "2"),
        ("CLEARLIST_LIMITS_IDLE_TIMEOUT", "2min"),
    ]);
    given.flags = vec![("--set".into(), "limits.connections_max".into(), "4".into())];
    let limits = load(&given).limits;
    assert_eq!(limits.connections_max, 4);
    assert_eq!(limits.idle_timeout, Duration::from_mins(2));
    assert_eq!(limits.batch_items_max, 3);
}

#[test]
fn rust_log_is_the_filter_unless_the_filter_is_set() {
    let mut given =
        Given { environment: environment(&[("RUST_LOG", "debug")]), ..Given::default() };
    assert_eq!(load(&given).telemetry.filter, "debug");
    given.environment.insert(0, ("CLEARLIST_TELEMETRY_FILTER".into(), "warn".into()));
    assert_eq!(load(&given).telemetry.filter, "warn");
}

#[test]
fn variables_of_others_are_passed_over_and_misspelt_ones_of_ours_are_not() {
    let others = [("CLEARLIST_SERVICE_HOST", "10.0.0.1"), ("CLEARLIST_PORT", "tcp://10.0.0.1:1")];
    let given = Given { environment: environment(&others), ..Given::default() };
    assert_eq!(load(&given), Settings::default());
    let misspelt = environment(&[("CLEARLIST_LIMITS_CONECTIONS_MAX", "2")]);
    assert_eq!(
        problems(&Given { environment: misspelt, ..Given::default() }),
        [
            "CLEARLIST_LIMITS_CONECTIONS_MAX: there is no setting `CLEARLIST_LIMITS_CONECTIONS_MAX`; did you mean `CLEARLIST_LIMITS_CONNECTIONS_MAX`?"
        ]
    );
}

#[test]
fn an_unknown_name_is_refused_with_its_line_and_the_nearest_there_is() {
    let cases = [
        (
            "[limits]\n\nconections_max = 5",
            "clearlist.toml:3: there is no setting `limits.conections_max`; did you mean `limits.connections_max`?",
        ),
        (
            "# one\n[limit]\nidle_timeout = \"1s\"",
            "clearlist.toml:3: there is no setting `limit.idle_timeout`; did you mean `limits.idle_timeout`?",
        ),
        (
            "[tls]\ncert = \"a\"",
            "clearlist.toml:2: there is no setting `tls.cert`; did you mean `tls.key`?",
        ),
        (
            "[x]\nsomething_else_entirely = 1",
            "clearlist.toml:2: there is no setting `x.something_else_entirely`; clearlist.example.toml has all there are",
        ),
        (
            "listen = \"127.0.0.1:1\"",
            "clearlist.toml:1: `listen` stands outside of a section; begin one, like [limits], before it",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(problems(&file(text)), [problem], "{text}");
    }
}

#[test]
fn a_value_of_another_kind_is_refused_with_what_it_must_be() {
    let cases = [
        (
            "[limits]\nidle_timeout = 10",
            "limits.idle_timeout is `10`; it must be a duration with its unit in quotes",
        ),
        ("[limits]\nidle_timeout = \"10\"", "is `10`; it must be a duration"),
        ("[limits]\nidle_timeout = \"10 s\"", "is `10 s`; it must be a duration"),
        ("[limits]\nidle_timeout = \"1.5h\"", "is `1.5h`; it must be a duration"),
        ("[limits]\nidle_timeout = \"99999999999999999999s\"", "it must be a duration"),
        ("[limits]\nidle_timeout = \"99999999999999999h\"", "it must be a duration"),
        ("[limits]\nheader_bytes_max = 16384", "it must be a size with its unit in quotes"),
        ("[limits]\nheader_bytes_max = \"16KB\"", "is `16KB`; it must be a size"),
        ("[limits]\nconnections_max = \"5\"", "it must be a whole number, without quotes"),
        ("[limits]\nconnections_max = -5", "is `-5`; it must be a whole number"),
        ("[limits]\nconnections_max = 5.0", "is `float`; it must be a whole number"),
        ("[limits]\nconnections_max = [5]", "is `array`; it must be a whole number"),
        ("[listen]\naddress = \"localhost:1\"", "it must be an IP address and a port"),
        ("[listen]\nallow_plaintext_on_public_address = \"yes\"", "it must be true or false"),
        (
            "[tls]\nclient_certificates = \"maybe\"",
            "it must be one of \"none\", \"optional\", \"required\"",
        ),
        ("[tls]\ncertificate = true", "is `true`; it must be a path in quotes"),
    ];
    for (text, expected) in cases {
        let said = problems(&file(text));
        let [said] = said.as_slice() else { panic!("{text}: {said:?}") };
        assert!(said.starts_with("clearlist.toml:2: "), "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    for text in [
        "[limits]\nidle_timeout = ",
        "[limits\nx = 1",
        "[limits]\nidle_timeout = \"1s\"\nidle_timeout = \"2s\"",
    ] {
        let said = problems(&file(text));
        assert!(said.iter().all(|said| said.starts_with("clearlist.toml:")), "{text}: {said:?}");
        assert!(said.iter().any(|said| said.contains("not TOML")), "{text}: {said:?}");
    }
}

#[test]
fn every_problem_is_said_at_once() {
    let mut given = file("[limits]\nconnections_max = \"x\"\n\n[nowhere]\nnothing = 1");
    given.flags = vec![("--listen".into(), "listen.address".into(), "here".into())];
    assert_eq!(problems(&given).len(), 3);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let cases = [
        (
            "[listen]\naddress = \"0.0.0.0:1\"",
            "listen.address: the address is not loopback and there is no TLS",
        ),
        ("[tls]\ncertificate = \"a\"", "certificate and key are given both or neither"),
        (
            "[tls]\nclient_certificates = \"required\"\ncertificate = \"a\"\nkey = \"b\"",
            "tls.client_ca says of no authority",
        ),
        (
            "[listen]\naddress = \"0.0.0.0:1\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"",
            "listen.address: the address is not loopback and nobody is asked who he is",
        ),
        ("[identity]\njwks = \"a\"", "set identity.jwt_issuer and identity.jwt_audience"),
        ("[identity]\njwks = \"a\"\njwt_issuer = \"b\"", "identity.jwt_audience"),
        ("[identity]\njwt_audience = \"b\"", "identity.jwks says of no keys"),
        ("[identity]\njwt_leeway = \"1h\"", "5 minutes at most"),
        ("[tls]\nclient_ca = \"a\"", "tls.client_certificates is \"none\""),
        ("[limits]\nbatch_items_max = 10_001", "10,000 at most"),
        ("[limits]\nconnections_max = 0", "at least 1"),
        ("[limits]\nmessage_bytes_max = \"1B\"", "from 16KiB to 2GiB"),
        ("[limits]\nhandshake_timeout = \"0s\"", "100ms at least"),
        ("[shutdown]\ndrain_timeout = \"1000h\"", "30 days at most"),
    ];
    for (text, expected) in cases {
        let said = problems(&file(text));
        assert!(said.iter().any(|said| said.contains(expected)), "{text}: {said:?}");
    }
    let public = "[listen]\naddress = \"0.0.0.0:1\"";
    let plain = "allow_plaintext_on_public_address = true";
    let tls = "[tls]\ncertificate = \"a\"\nkey = \"b\"";
    let callers = "[identity]\ncallers = \"c\"";
    let anonymous = "[identity]\nallow_anonymous_on_public_address = true";
    for allowed in [
        [public, plain, anonymous],
        [public, plain, callers],
        [public, tls, callers],
        [public, tls, anonymous],
    ] {
        load(&file(&allowed.join("\n")));
    }
}

#[test]
fn a_source_names_its_place() {
    let (_, sources) = Settings::load(&file("[shutdown]\ndrain_timeout = \"1s\"")).expect("good");
    let source = sources.get("shutdown.drain_timeout");
    assert_eq!(source, Some(&Source::Line("clearlist.toml".into(), 2)));
}
