use super::*;
use crate::outline::example::{STORE, inline, request, structure};
use packetstream_core::description::{Encoding, Request, Struct};
use packetstream_core::{Contract, Payload};
use std::error::Error;
use tempfile::TempDir;

fn get() -> Encoding {
    static GET: Struct = structure("Get", &[], &[inline("start", u64::encoding)]);
    Encoding::Struct(&GET)
}

fn get_by_name() -> Encoding {
    static GET: Struct = structure("Get", &[], &[inline("start", String::encoding)]);
    Encoding::Struct(&GET)
}

const fn protocol(requests: &'static [Request]) -> Protocol {
    Protocol { name: "Shop", docs: &[], requests }
}

static SHOP: Protocol = protocol(&[request(4, "Get", get)]);
static LARGER: Protocol = protocol(&[request(4, "Get", get), request(5, "Close", <()>::encoding)]);
static AGAIN: Protocol = protocol(&[Request {
    contract: Contract { idempotent: true, ..Contract::NONE },
    ..request(4, "Get", get)
}]);
static BROKEN: Protocol = protocol(&[request(4, "Get", get_by_name), request(5, "Close", <()>::encoding)]);

/// A place for a lock file, with the lock of the shop in it.
struct Locked {
    dir: TempDir,
}

impl Locked {
    fn new() -> Self {
        let locked = Self { dir: tempfile::tempdir().unwrap() };
        check_in(Mode::Write, &SHOP, &locked.path()).unwrap();
        locked
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("shop.lock")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn check(&self, mode: Mode, protocol: &Protocol) -> Result<(), LockError> {
        check_in(mode, protocol, &self.path())
    }

    /// The report without the directory.
    fn report(&self, mode: Mode, protocol: &Protocol) -> String {
        let error = self.check(mode, protocol).unwrap_err();
        error.to_string().replace(&format!("{}/", self.dir.path().display()), "")
    }
}

/// What is wrong with a file of these lines below the first.
fn malformed(lines: &str) -> (usize, LockProblem) {
    let locked = Locked::new();
    fs::write(locked.path(), format!("packetstream lock 1\n{lines}")).unwrap();
    match locked.check(Mode::Check, &SHOP) {
        Err(LockError::Malformed { line, source, .. }) => (line, source),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_is_a_text_for_people() {
    assert_eq!(text::write(&Outline::of(&STORE)), include_str!("tests/store.lock"));
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let outline = Outline::of(&STORE);
    let read = text::read(&text::write(&outline)).unwrap();
    assert_eq!(compare::changes(&read, &outline), []);
    assert_eq!(compare::changes(&outline, &read), []);
    assert_eq!(text::write(&read), text::write(&outline));
}

#[test]
fn odd_names_and_nested_phrases_read_back_as_they_were() {
    let text = r#"packetstream lock 1

protocol `Odd\`s`

request 0 `a b`
  field `0 - 1`: "x \"and\" y\nz"
  field b: map of (map of uint to uint to the end) to list of (data#1 or the end)
  field c: map of map of uint to string to list of the#1 to the end
  field d: ((uint,), ((), 2 times 3 bytes to the end), option of u16be or the end)
  field e: flags#1
  field f: flag#1
  field g: counted#1
  reply: if flag 0: if flag 0: a number in the flags, bytes to the end

request 1 c
  reply: nothing#1

request 2 d
  payload: `a b`#2
  reply: if flag 0: if#1

struct data#1

enum the#1

struct flags#1

struct flag#1

struct counted#1

struct nothing#1

struct if#1

struct `a b`#2
"#;
    let written = text::write(&text::read(text).unwrap());
    let without_comments: Vec<_> = written.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(without_comments.join("\n"), text.trim_end());
}

#[test]
fn a_protocol_that_is_what_the_file_says_passes() {
    let locked = Locked::new();
    locked.check(Mode::Check, &SHOP).unwrap();
    fs::write(locked.path(), locked.text().replace('\n', "\r\n\r\n") + "  # our own words\n").unwrap();
    locked.check(Mode::Check, &SHOP).unwrap();
}

#[test]
fn a_contract_is_no_part_of_it() {
    Locked::new().check(Mode::Check, &AGAIN).unwrap();
}

#[test]
fn a_missing_file_is_made_when_asked_for() {
    let locked = Locked { dir: tempfile::tempdir().unwrap() };
    assert_eq!(
        locked.report(Mode::Check, &SHOP),
        "there is no lock file shop.lock: make it with PACKETSTREAM_LOCK=write cargo test"
    );
    assert!(!locked.path().exists());
    locked.check(Mode::Write, &SHOP).unwrap();
    locked.check(Mode::Check, &SHOP).unwrap();
}

#[test]
fn additions_fail_until_they_are_recorded() {
    let locked = Locked::new();
    assert_eq!(
        locked.report(Mode::Check, &LARGER),
        "Shop breaks no deployed peer, but is more than shop.lock says\n\n\
         additions, which break none: peers without them refuse them:\n  \
         request 5 Close: new\n\n\
         Record it with PACKETSTREAM_LOCK=write cargo test"
    );
    locked.check(Mode::Write, &LARGER).unwrap();
    locked.check(Mode::Check, &LARGER).unwrap();
    assert!(locked.text().contains("request 5 Close"));
}

#[test]
fn breaks_fail_and_are_recorded_only_as_breaks() {
    let locked = Locked::new();
    let text = locked.text();
    for mode in [Mode::Check, Mode::Write] {
        assert_eq!(
            locked.report(mode, &BROKEN),
            "Shop is no longer what deployed peers know from shop.lock\n\n\
             breaks:\n  \
             request 4 Get, field start: was uint, is string\n\n\
             Leave what is deployed as it was and give the new shape a new request number; or, if no peer is \
             deployed,\nrecord it with PACKETSTREAM_LOCK=break cargo test\n\n\
             additions, which break none: peers without them refuse them:\n  \
             request 5 Close: new"
        );
        assert_eq!(locked.text(), text);
    }
    locked.check(Mode::Break, &BROKEN).unwrap();
    locked.check(Mode::Check, &BROKEN).unwrap();
}

#[test]
fn other_names_are_told_apart_and_recorded_as_additions_are() {
    static RENAMED: Protocol = Protocol { name: "Store", docs: &[], requests: &[request(4, "Fetch", get)] };
    let locked = Locked::new();
    assert_eq!(
        locked.report(Mode::Check, &RENAMED),
        "Store breaks no deployed peer, but is more than shop.lock says\n\n\
         other words for the same bytes, which break none:\n  \
         protocol Shop: is called Store now\n  \
         request 4 Get: is called Fetch now\n\n\
         Record it with PACKETSTREAM_LOCK=write cargo test"
    );
    locked.check(Mode::Write, &RENAMED).unwrap();
    locked.check(Mode::Check, &RENAMED).unwrap();
}

#[test]
fn a_malformed_file_is_told_with_its_line() {
    use LockProblem::{Expected, Misplaced, Repeated, TooDeep, UnknownType};
    let in_request = |line: &str| {
        let (number, problem) =
            malformed(&format!("protocol Shop\n\nrequest 4 Get\n  {line}\n  reply: nothing"));
        assert_eq!(number, 5, "{line}");
        problem
    };
    assert_eq!(in_request("field start uint"), Expected("a `:`"));
    assert_eq!(in_request("field start: "), Expected("an encoding"));
    assert_eq!(in_request("field start: uint uint"), Expected("the end of the line"));
    assert_eq!(in_request("field start: (uint"), Expected("a `)`"));
    assert_eq!(in_request("field start: map of uint"), Expected("`to` and the values of the map"));
    assert_eq!(in_request("field start: if flag x: uint"), Expected("a number"));
    assert_eq!(in_request("field start: \"by hand"), Expected("the end of what is quoted"));
    assert_eq!(in_request("field start: Key"), UnknownType);
    assert_eq!(in_request("magic 0"), Expected("bytes in hexadecimal"));
    assert_eq!(in_request("variant 0 A"), Misplaced);
    assert_eq!(in_request(&format!("field start: {}uint", "list of ".repeat(100_000))), TooDeep);
    assert_eq!(in_request(&format!("field start: {}", "(".repeat(100_000))), TooDeep);
    assert!(matches!(in_request("<<<<<<< HEAD"), Expected(_)));

    assert_eq!(malformed("request 1 A\nreply: nothing\nrequest 1 B"), (4, Repeated));
    assert_eq!(malformed("protocol A\nprotocol B"), (3, Repeated));
    assert_eq!(malformed("struct A\nstruct A"), (3, Repeated));
    assert_eq!(malformed("enum A\nvariant 0 A\nvariant 0 B"), (4, Repeated));
    assert_eq!(malformed("struct A\nfield a: uint\nfield a: uint"), (4, Repeated));
    assert_eq!(malformed("field start: uint"), (2, Misplaced));
    assert_eq!(malformed("enum A\nfield start: uint"), (3, Misplaced));
    assert_eq!(malformed("request 4 Get\npayload: uint\nfield a: uint"), (4, Misplaced));
    assert_eq!(malformed("# nothing else\n"), (1, Expected("a line `protocol <name>`")));
    assert_eq!(
        malformed("protocol A\nrequest 1 A\nfield a: uint\nrequest 2 B"),
        (5, Expected("the `reply:` of the request before"))
    );

    let locked = Locked::new();
    fs::write(locked.path(), "something else").unwrap();
    assert_eq!(locked.report(Mode::Write, &SHOP), "the lock file shop.lock is malformed in line 1");
    let error = locked.check(Mode::Write, &SHOP).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "expected packetstream lock 1");
    locked.check(Mode::Break, &SHOP).unwrap();
    locked.check(Mode::Check, &SHOP).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(check_in(Mode::Check, &SHOP, dir.path()), Err(LockError::Read { .. })));
    let nowhere = dir.path().join("missing").join("shop.lock");
    assert!(matches!(check_in(Mode::Write, &SHOP, &nowhere), Err(LockError::Write { .. })));
}

#[test]
fn the_environment_says_what_to_do_about_differences() {
    let mode = |value: Option<&str>| Mode::from_environment(value.map(OsString::from));
    assert_eq!(mode(None).unwrap(), Mode::Check);
    assert_eq!(mode(Some("")).unwrap(), Mode::Check);
    assert_eq!(mode(Some("write")).unwrap(), Mode::Write);
    assert_eq!(mode(Some("break")).unwrap(), Mode::Break);
    assert_eq!(
        mode(Some("yes")).unwrap_err().to_string(),
        r#"PACKETSTREAM_LOCK is "yes": neither write nor break"#
    );
}
