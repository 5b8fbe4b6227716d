//! Policies: what is read, what is refused at which line, and who can decide under which rule.

use std::fmt::Write as _;
use std::sync::LazyLock;

use clearlist::domain::message::Refusal;
use clearlist::register::checkpoint::Checkpoint;
use clearlist::register::note::{NoteError, NoteSigner, Role, SignatureLine};
use clearlist::register::policy::{Lacking, MEMBERS_MAX, POLICY_BYTES_MAX, Policy, QuorumError};
use clearlist::register::record::TreeHead;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::cases;
use crate::ceremony::{
    COMMERCE, CUSTOMS, DRUGS, LOG, NEXT_LOG, ORIGIN, STRANGER, first_policy, line, now, policy_of,
    seconds_from_now, signer, vkey, well_said,
};

/// Agencies of which each test takes as many as it needs.
static AGENCIES: LazyLock<Vec<NoteSigner>> = LazyLock::new(|| {
    let agency = |n: u8| signer(&format!("agency-{n}.example"), Role::Cosigner, 100 + n);
    (0..10).map(agency).collect()
});

fn checkpoint() -> Checkpoint {
    let head = TreeHead { size: 7, root: [7; 32] };
    Checkpoint::unsigned(ORIGIN, head).expect("a good origin")
}

static TEXT: LazyLock<String> = LazyLock::new(|| checkpoint().note().text().to_owned());
static LOG_LINE: LazyLock<SignatureLine> = LazyLock::new(|| LOG.sign(&TEXT, now()));
static AGENCY_LINES: LazyLock<Vec<SignatureLine>> =
    LazyLock::new(|| AGENCIES.iter().map(|agency| agency.sign(&TEXT, now())).collect());

/// The checkpoint with the log's signature and these.
fn with_lines<'a>(lines: impl IntoIterator<Item = &'a SignatureLine>) -> Checkpoint {
    let mut out = checkpoint();
    out.note_mut().add(LOG_LINE.clone());
    for line in lines {
        out.note_mut().add(line.clone());
    }
    out
}

/// The checkpoint signed by the log and these.
fn signed_by(signers: &[&NoteSigner]) -> Checkpoint {
    let lines: Vec<_> = signers.iter().map(|signer| signer.sign(&TEXT, now())).collect();
    with_lines(&lines)
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{}\n{text}", error.english()))
}

/// A text with `@log`, `@a` … `@j` replaced by keys.
fn filled(template: &str) -> String {
    let same_key = |name: &str, role, seed| signer(name, role, seed).verifier().to_string();
    let mut out = template
        .replace("@log-as-witness", &same_key("log.example", Role::Cosigner, 1))
        .replace("@a-under-another-name", &same_key("renamed.example", Role::Cosigner, 100))
        .replace("@a-as-log", &same_key("agency.example", Role::Note, 100))
        .replace("@other-log", &NEXT_LOG.verifier().to_string())
        .replace("@weak", &vkey("weak.example", 4, &[&[1][..], &[0; 31]].concat()))
        .replace("@log", &LOG.verifier().to_string());
    for (agency, letter) in AGENCIES.iter().zip('a'..='j') {
        let text = agency.verifier().to_string();
        for end in [" ", "\n", "\t"] {
            out = out.replace(&format!("@{letter}{end}"), &format!("{text}{end}"));
        }
    }
    out
}

const SHAPE: &str = "\
log @log

witness X1 @a
witness X2 @b
witness X3 @c
group X-witnesses 2 X1 X2 X3

witness Y1 @d
witness Y2 @e
witness Y3 @f
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
";

#[test]
fn the_example_of_the_specification_decides_as_it_says() {
    let policy = policy(&filled(SHAPE));
    let of = |letters: &str| {
        let signers: Vec<_> = letters.bytes().map(|l| &AGENCIES[usize::from(l - b'a')]).collect();
        policy.quorum(&signed_by(&signers))
    };
    for enough in ["abd", "bcf", "acde", "abcdef"] {
        let quorum = of(enough).expect(enough);
        assert_eq!(quorum.cosigned().len(), enough.len());
        assert!(quorum.cosigned().iter().all(|(_, at)| *at == now()));
    }
    assert_eq!(of("abd").expect("enough").cosigned()[2].0, "Y1", "named as in the policy");
    for short in ["", "ab", "abc", "ad", "def", "adef"] {
        let error = of(short).expect_err(short);
        assert_eq!(error.reason(), "QUORUM_NOT_MET", "{short}");
        well_said(&error);
    }
    assert_eq!(policy.origin(), ORIGIN);
    assert_eq!(policy.log(), LOG.verifier());
    assert_eq!(policy.text(), filled(SHAPE));
    let names: Vec<&str> = policy.agencies().map(|(name, _)| name).collect();
    assert_eq!(names, ["X1", "X2", "X3", "Y1", "Y2", "Y3"]);
}

#[test]
fn what_is_lacking_is_said_from_the_quorum_down() {
    let policy = policy(&filled(SHAPE));
    let error = policy.quorum(&with_lines([&AGENCY_LINES[0]])).expect_err("too few");
    let lacking = |group: &str, needed, signed, absent: &[&str]| Lacking {
        group: group.into(),
        needed,
        signed,
        absent: absent.iter().map(|name| (*name).to_owned()).collect(),
    };
    let expected = vec![
        lacking("X-and-Y", 2, 0, &["X-witnesses", "Y-witnesses"]),
        lacking("X-witnesses", 2, 1, &["X2", "X3"]),
        lacking("Y-witnesses", 1, 0, &["Y1", "Y2", "Y3"]),
    ];
    assert_eq!(error, QuorumError::NotMet { lacking: expected, unknown: vec![], repeated: vec![] });
}

#[test]
fn a_quorum_of_one_agency_names_it() {
    let policy = policy(&filled("log @log\nwitness a @a\nwitness b @b\nquorum a\n"));
    assert!(policy.quorum(&with_lines([&AGENCY_LINES[0]])).is_ok());
    let error = policy.quorum(&with_lines([&AGENCY_LINES[1]])).expect_err("the other one");
    assert!(error.english().contains("`a` has 0 of 1"), "{}", error.english());
}

#[test]
fn whatever_the_specification_allows_is_read() {
    let cases = [
        (
            "tabs and indentation",
            "\tlog\t@log\n  witness \t a\t @a \n group\tg\tany\ta\t\n\tquorum g\n",
        ),
        ("comments", "# of the register\nlog @log\n  # the agency\nwitness a @a \n#\nquorum a\n"),
        ("empty lines", "\n\n \t \nlog @log\n\nwitness a @a\nquorum a\n\n\n"),
        ("no line end at the end", "log @log\nwitness a @a\nquorum a"),
        ("addresses", "log @log https://log.example/\nwitness a @a https://a.example/\nquorum a\n"),
        ("the log last", "witness a @a\nquorum a\nlog @log\n"),
        ("the quorum before other lines", "log @log\nwitness a @a\nquorum a\nwitness b @b\n"),
        (
            "names of any script",
            "log @log\nwitness 药监局 @a\ngroup 机构 all 药监局\nquorum 机构\n",
        ),
        ("names that are words", "log @log\nwitness quorum @a\ngroup log any quorum\nquorum log\n"),
        ("a comment of any script", "# 登记簿\nlog @log\nwitness a @a\nquorum a\n"),
        (
            "a group of which only a part is the quorum",
            "log @log\nwitness a @a\nwitness b @b\ngroup g any a\ngroup h all g b\nquorum g\n",
        ),
        (
            "K and the Kelvin sign are two names",
            "log @log\nwitness K @a\nwitness \u{212a} @b\ngroup g 2 K \u{212a}\nquorum g\n",
        ),
    ];
    for (what, template) in cases {
        let text = filled(template);
        assert!(!text.contains('@'), "{what}: {text}");
        let policy = Policy::parse(&text).unwrap_or_else(|e| panic!("{what}: {}", e.english()));
        assert_eq!(policy.text(), text, "{what}");
        assert!(policy.quorum(&with_lines(&AGENCY_LINES[..2])).is_ok(), "{what}");
        assert!(policy.quorum(&with_lines([])).is_err(), "{what}");
    }
}

/// Lines 1 to 3 of most cases: a log and two agencies.
const HEAD: &str = "log @log\nwitness a @a\nwitness b @b\n";

/// What is wrong, the policy behind [`HEAD`] or the whole, its line, what the refusal says.
#[rustfmt::skip]
const REFUSED: &[(&str, &str, usize, &str)] = &[
    ("one key under two names", "+witness again @a-under-another-name\nquorum a\n", 4, "one key under two names"),
    ("one key under two names, the same vkey", "+witness again @a\nquorum a\n", 4, "one key under two names"),
    ("the log key as a witness", "+witness log @log-as-witness\nquorum a\n", 4, "one key under two names"),
    ("a witness key as the log", "witness a @a\nlog @a-as-log\nquorum a\n", 2, "one key under two names"),
    ("a name twice", "+witness a @c\nquorum a\n", 4, "the name `a` is taken"),
    ("a group named like an agency", "+group a any b\nquorum a\n", 4, "the name `a` is taken"),
    ("an agency named like a group", "+group g any a\nwitness g @c\nquorum g\n", 5, "the name `g` is taken"),
    ("an agency called none", "+witness none @c\nquorum none\n", 4, "the name `none` is taken"),
    ("a group called none", "+group none any a\nquorum none\n", 4, "the name `none` is taken"),
    ("a member twice in a group", "+group g 2 a a\nquorum g\n", 4, "`a` is in a group already"),
    ("a member of two groups", "+group g any a\ngroup h any a b\nquorum h\n", 5, "`a` is in a group already"),
    ("a group in two groups", "+group g any a\ngroup h any g\ngroup i any g\nquorum i\n", 6, "`g` is in a group already"),
    ("a member nobody defined", "+group g any a c\nquorum g\n", 4, "`c` is not defined above"),
    ("a member defined below", "+group g any a c\nwitness c @c\nquorum g\n", 4, "`c` is not defined above"),
    ("a group in itself", "+group g any a g\nquorum g\n", 4, "`g` is not defined above"),
    ("none in a group", "+group g any a none\nquorum g\n", 4, "`none` is not defined above"),
    ("a quorum nobody defined", "+quorum c\n", 4, "`c` is not defined above"),
    ("a quorum defined below", "+quorum g\ngroup g any a\n", 4, "`g` is not defined above"),
    ("the quorum named in other case", "+quorum A\n", 4, "`A` is not defined above"),
    ("a threshold of 0", "+group g 0 a b\nquorum g\n", 4, "0 of 2 members"),
    ("a threshold too high", "+group g 3 a b\nquorum g\n", 4, "3 of 2 members"),
    ("a threshold below 0", "+group g -1 a b\nquorum g\n", 4, "not a line of a policy"),
    ("a threshold with a sign", "+group g +1 a b\nquorum g\n", 4, "not a line of a policy"),
    ("a threshold of 2^64", "+group g 18446744073709551616 a b\nquorum g\n", 4, "not a line of a policy"),
    ("a threshold in words", "+group g most a b\nquorum g\n", 4, "not a line of a policy"),
    ("a threshold in other digits", "+group g ２ a b\nquorum g\n", 4, "not a line of a policy"),
    ("a group without members", "+group g any\nquorum g\n", 4, "not a line of a policy"),
    ("the log as a member", "+group g any a log\nquorum g\n", 4, "`log` is not defined above"),
    ("quorum none", "+quorum none\n", 4, "lets the log key alone decide"),
    ("two quorums", "+quorum a\nquorum b\n", 5, "not a line of a policy"),
    ("two logs", "+log @other-log\nquorum a\n", 4, "this is the second"),
    ("the same log twice", "+log @log\nquorum a\n", 4, "this is the second"),
    ("a log key of the type of witnesses", "witness a @a\nlog @b\nquorum a\n", 2, "the wrong type"),
    ("a witness key of the type of logs", "+witness c @other-log\nquorum a\n", 4, "the wrong type"),
    ("nothing", "", 0, "there is no log line"),
    ("no log", "witness a @a\nquorum a\n", 0, "there is no log line"),
    ("no quorum", "+", 0, "there is no quorum line"),
    ("an unknown word", "+threshold 2\nquorum a\n", 4, "not a line of a policy"),
    ("a word in capitals", "+QUORUM a\n", 4, "not a line of a policy"),
    ("a witness without a name", "+witness @c\nquorum a\n", 4, "not a line of a policy"),
    ("something behind an address", "+witness c @c https://c.example/ more\nquorum a\n", 4, "not a line of a policy"),
    ("a quorum of two", "+quorum a b\n", 4, "not a line of a policy"),
    ("a comment behind a line", "+quorum a # the agency\n", 4, "not a line of a policy"),
    ("CRLF", "+quorum a\r\n", 4, "not a line of a policy"),
    ("a control character in a comment", "+# \u{1b}[2J\nquorum a\n", 4, "not a line of a policy"),
    ("DEL", "+# \u{7f}\nquorum a\n", 4, "not a line of a policy"),
    ("a no-break space between words", "+quorum\u{a0}a\n", 4, "not a line of a policy"),
    ("no key", "+witness c c.example\nquorum a\n", 4, "no verifier key"),
    ("a key that is no base64", "+witness c c.example+00000000+BOky@\nquorum a\n", 4, "no verifier key"),
    ("a key of small order", "+witness c @weak\nquorum a\n", 4, "is weak"),
];

#[test]
fn a_policy_with_anything_wrong_is_refused_at_its_line() {
    for (wrong, template, line, says) in REFUSED {
        let template = template
            .strip_prefix('+')
            .map_or((*template).to_owned(), |rest| format!("{HEAD}{rest}"));
        let error = Policy::parse(&filled(&template)).expect_err(wrong);
        let english = error.english();
        assert!(english.contains(says), "{wrong}: {english}");
        assert_eq!(error.line, *line, "{wrong}: {english}");
        let reason = match *says {
            "one key under two names" => "KEY_REPEATED",
            "no verifier key" => "KEY_MALFORMED",
            "is weak" => "KEY_WEAK",
            _ => "POLICY_INVALID",
        };
        assert_eq!(error.reason(), reason, "{wrong}");
        well_said(&error);
    }
}

fn many(count: usize) -> Vec<NoteSigner> {
    let agency = |n| {
        let seed = u8::try_from(n).expect("few agencies");
        signer(&format!("agency-{n}.example"), Role::Cosigner, 100 + seed)
    };
    (0..count).map(agency).collect()
}

#[test]
fn the_largest_policy_can_be_satisfied_and_a_larger_one_is_refused() {
    let agencies = many(MEMBERS_MAX + 1);
    let all: Vec<&NoteSigner> = agencies.iter().collect();
    let named = |agencies: &[&NoteSigner]| policy_of(&LOG, "all", agencies);
    let policy = policy(&named(&all[..MEMBERS_MAX]));
    let signed = signed_by(&all[..MEMBERS_MAX]).note().to_string();
    let read = Checkpoint::parse(signed.as_bytes()).expect("so many signatures are read");
    assert_eq!(policy.quorum(&read).expect("all have signed").cosigned().len(), MEMBERS_MAX);

    let error = Policy::parse(&named(&all)).expect_err("one agency too many");
    assert_eq!((error.reason(), error.line), ("POLICY_INVALID", MEMBERS_MAX + 2));

    let groups = |count: usize| {
        let mut text = filled("log @log\nwitness g0 @a\n");
        for n in 1..=count {
            writeln!(text, "group g{n} any g{}", n - 1).expect("a string takes all");
        }
        text + &format!("quorum g{count}\n")
    };
    assert!(Policy::parse(&groups(MEMBERS_MAX)).is_ok());
    let error = Policy::parse(&groups(MEMBERS_MAX + 1)).expect_err("one group too many");
    assert_eq!((error.reason(), error.line), ("POLICY_INVALID", MEMBERS_MAX + 3));

    let long = format!("{}\n{}", first_policy(), "#".repeat(POLICY_BYTES_MAX));
    let error = Policy::parse(&long).expect_err("too long");
    assert_eq!((error.reason(), error.line), ("POLICY_INVALID", 0));
}

fn first() -> Policy {
    policy(&first_policy())
}

#[test]
fn one_agency_that_signs_twice_counts_once() {
    let lines = [-60, 0, -120].map(|seconds| DRUGS.sign(&TEXT, seconds_from_now(seconds)));
    let mut twice = with_lines(&lines);
    assert_eq!(twice.note().signatures().len(), 4);
    let error = first().quorum(&twice).expect_err("one agency is not two");
    let QuorumError::NotMet { lacking, repeated, unknown } = &error else { panic!("{error:?}") };
    assert_eq!(lacking[0].signed, 1);
    assert_eq!(*repeated, ["drugs.example/office"]);
    assert!(unknown.is_empty());
    well_said(&error);
    // With another it is enough, and its last time is the one that is told.
    twice.note_mut().add(CUSTOMS.sign(&TEXT, now()));
    let quorum = first().quorum(&twice).expect("two agencies");
    assert_eq!(quorum.cosigned(), [("drugs".into(), now()), ("customs".into(), now())]);
}

#[test]
fn one_line_sent_twice_counts_once() {
    let line = DRUGS.sign(&TEXT, now());
    let whole = with_lines([&line]).note().to_string();
    let last = whole.lines().last().expect("a line").to_owned();
    let read = Checkpoint::parse(format!("{whole}{last}\n").as_bytes()).expect("a note");
    assert_eq!(read.note().signatures().len(), 3);
    assert_eq!(first().quorum(&read).expect_err("one agency").reason(), "QUORUM_NOT_MET");
}

#[test]
fn unknown_signers_are_passed_over_and_named_where_signatures_lack() {
    // The second has an agency's name and another key, as after a change of keys.
    let renewed = signer("customs.example/office", Role::Cosigner, 90);
    let short = signed_by(&[&DRUGS, &STRANGER, &renewed]);
    let error = first().quorum(&short).expect_err("one agency is known");
    let QuorumError::NotMet { unknown, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*unknown, ["stranger.example/office", "customs.example/office"]);
    assert!(error.english().contains("not in the policy: stranger.example/office"));
    well_said(&error);
    let enough = signed_by(&[&DRUGS, &STRANGER, &renewed, &COMMERCE]);
    let quorum = first().quorum(&enough).expect("two agencies are known");
    assert_eq!(quorum.cosigned(), [("drugs".into(), now()), ("commerce".into(), now())]);
}

#[test]
fn a_known_key_s_bad_signature_refuses_the_whole_note() {
    let good = signed_by(&[&DRUGS, &CUSTOMS]).note().to_string();
    assert!(first().quorum(&Checkpoint::parse(good.as_bytes()).expect("a note")).is_ok());
    for key in [&COMMERCE, &LOG, &DRUGS] {
        let forged = format!("{good}{}", line(key.verifier(), &[1; 72]));
        let read = Checkpoint::parse(forged.as_bytes()).expect("a note");
        let signer = key.verifier().name().to_owned();
        let bad = QuorumError::Note(NoteError::Signature { signer });
        assert_eq!(first().quorum(&read), Err(bad.clone()), "though two have signed");
        well_said(&bad);
    }
    let forged = format!("{good}{}", line(STRANGER.verifier(), &[1; 72]));
    let read = Checkpoint::parse(forged.as_bytes()).expect("a note");
    assert!(first().quorum(&read).is_ok(), "nobody knows the stranger");
}

#[test]
fn without_the_log_key_nobody_decides() {
    let mut without = checkpoint();
    for agency in [&DRUGS, &CUSTOMS, &COMMERCE] {
        without.note_mut().add(agency.sign(&TEXT, now()));
    }
    let error = first().quorum(&without).expect_err("the log has not signed");
    assert_eq!(error, QuorumError::LogSignature { log: ORIGIN.into() });
    well_said(&error);
    // Another key under its name is not the log key.
    without.note_mut().add(NEXT_LOG.sign(&TEXT, now()));
    assert_eq!(first().quorum(&without), Err(error));
}

/// A rule over agencies, counted from 0.
#[derive(Debug, Clone)]
enum Rule {
    Agency(usize),
    Group { needed: Needed, of: Vec<Rule> },
}

#[derive(Debug, Clone, Copy)]
enum Needed {
    Any,
    All,
    Some(Index),
}

impl Rule {
    /// Names the agencies from left to right, so that each stands once.
    fn numbered(&mut self, next: &mut usize) {
        match self {
            Self::Agency(number) => {
                *number = *next;
                *next += 1;
            }
            Self::Group { of, .. } => of.iter_mut().for_each(|rule| rule.numbered(next)),
        }
    }

    /// Writes the lines of the rule; its own name is what is returned.
    fn write(&self, lines: &mut Vec<String>) -> String {
        match self {
            Self::Agency(number) => {
                let name = format!("a{number}");
                lines.push(format!("witness {name} {}", AGENCIES[*number].verifier()));
                name
            }
            Self::Group { needed, of } => {
                let members: Vec<String> = of.iter().map(|rule| rule.write(lines)).collect();
                let needed = match needed {
                    Needed::Any => "any".to_owned(),
                    Needed::All => "all".to_owned(),
                    Needed::Some(index) => (1 + index.index(of.len())).to_string(),
                };
                let name = format!("g{}", lines.len());
                lines.push(format!("group {name} {needed} {}", members.join(" ")));
                name
            }
        }
    }

    /// What it means.
    fn met(&self, signed: &[bool]) -> bool {
        match self {
            Self::Agency(number) => signed[*number],
            Self::Group { needed, of } => match needed {
                Needed::Any => of.iter().any(|rule| rule.met(signed)),
                Needed::All => of.iter().all(|rule| rule.met(signed)),
                Needed::Some(index) => {
                    let met = of.iter().filter(|rule| rule.met(signed)).count();
                    met > index.index(of.len())
                }
            },
        }
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let needed = prop_oneof![
        Just(Needed::Any),
        Just(Needed::All),
        any::<Index>().prop_map(Needed::Some),
        any::<Index>().prop_map(Needed::Some),
    ];
    let leaf = Just(Rule::Agency(0));
    let nested = leaf.prop_recursive(4, 9, 4, move |inner| {
        (needed.clone(), vec(inner, 1..5)).prop_map(|(needed, of)| Rule::Group { needed, of })
    });
    let numbered = nested.prop_map(|mut rule| {
        let mut count = 0;
        rule.numbered(&mut count);
        (rule, count)
    });
    numbered
        .prop_filter("more agencies than there are keys", |(_, count)| *count <= 9)
        .prop_map(|(rule, _)| rule)
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_quorum_is_met_when_its_rule_is(
        rule in rule(),
        signed in vec(any::<bool>(), 10),
        outsider in any::<bool>(),
    ) {
        let mut lines = vec![format!("log {}", LOG.verifier())];
        let quorum = rule.write(&mut lines);
        if outsider {
            // In the policy, but in no group.
            lines.push(format!("witness outsider {}", AGENCIES[9].verifier()));
        }
        lines.push(format!("quorum {quorum}"));
        let text = lines.join("\n");
        let policy = Policy::parse(&text)
            .map_err(|error| TestCaseError::fail(format!("{}\n{text}", error.english())))?;
        let shown = with_lines(AGENCY_LINES.iter().zip(&signed).filter(|(_, s)| **s).map(|(l, _)| l));
        match policy.quorum(&shown) {
            Ok(quorum) => {
                prop_assert!(rule.met(&signed), "{text}\n{signed:?}");
                let known = policy.agencies().count();
                prop_assert!(quorum.cosigned().len() <= known);
            }
            Err(error) => {
                prop_assert!(!rule.met(&signed), "{text}\n{signed:?}\n{}", error.english());
                prop_assert_eq!(error.reason(), "QUORUM_NOT_MET");
                well_said(&error);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_policies_panic(
        pieces in vec(select(&WORDS[..]), 0..40),
        noise in any::<String>(),
        at in any::<Index>(),
    ) {
        let mut spoilt = first_policy();
        let place = (0..=spoilt.len()).filter(|at| spoilt.is_char_boundary(*at)).collect::<Vec<_>>();
        spoilt.insert_str(place[at.index(place.len())], &noise);
        for text in [filled(&pieces.concat()), noise, spoilt] {
            match Policy::parse(&text) {
                Ok(policy) => prop_assert_eq!(policy.text(), text),
                Err(error) => well_said(&error),
            }
        }
    }
}

const WORDS: [&str; 18] = [
    "log @log\n",
    "witness a @a\n",
    "witness b @b\n",
    "group g 2 a b\n",
    "group h any g\n",
    "quorum g\n",
    "quorum a\n",
    "log",
    "witness",
    "group",
    "quorum",
    " ",
    "\t",
    "\n",
    "none",
    "@c ",
    "# ",
    "2",
];
