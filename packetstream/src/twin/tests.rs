use super::*;
use crate::outline::example::{STORE, inline, request, structure};
use packetstream_core::Payload;
use packetstream_core::description::{self, Encoding, Enum, Variant};
use std::collections::HashSet;
use tempfile::TempDir;

#[test]
fn the_module_tells_a_whole_protocol() {
    assert_written(&STORE, "src/twin/tests/store.py");
}

#[test]
fn a_module_that_is_missing_or_another_one_is_told_of_with_its_line_and_written_on_demand() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store.py");
    let check = |mode| check_in(mode, &STORE, &path);
    assert!(matches!(check(Mode::Check), Err(TwinError::Missing(of)) if of == path));
    check(Mode::Write).unwrap();
    check(Mode::Check).unwrap();

    let whole = fs::read_to_string(&path).unwrap();
    for (edited, at) in [
        (whole.replacen("Chunks", "Chunk", 1), 1),
        (whole.replacen("# Order", "# order", 1), 3),
        (whole.lines().take(7).collect::<Vec<_>>().join("\n"), 8),
        (whole.clone() + "x", whole.lines().count() + 1),
    ] {
        fs::write(&path, edited).unwrap();
        assert!(matches!(check(Mode::Check), Err(TwinError::Changed { line, .. }) if line == at), "{at}");
    }
    check(Mode::Write).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    assert!(matches!(check_in(Mode::Check, &STORE, directory.path()), Err(TwinError::Read { .. })));
    assert!(matches!(
        check_in(Mode::Write, &STORE, &directory.path().join("no/such")),
        Err(TwinError::Write { .. })
    ));
}

#[test]
fn the_environment_asks_for_nothing_but_to_write() {
    let mode = |value: Option<&str>| Mode::from_environment(value.map(OsString::from));
    assert_eq!(mode(None).unwrap(), Mode::Check);
    assert_eq!(mode(Some("")).unwrap(), Mode::Check);
    assert_eq!(mode(Some("write")).unwrap(), Mode::Write);
    assert_eq!(mode(Some("wirte")).unwrap_err().to_string(), "PACKETSTREAM_TWIN is \"wirte\", not write");
}

/// A protocol whose every name means something already.
fn odd() -> String {
    fn dict() -> Encoding {
        static DICT: Enum = Enum {
            name: "dict",
            docs: &[],
            variants: &[
                Variant { id: 0, name: "None", docs: &[], fields: &[] },
                Variant { id: 1, name: "NONE", docs: &[], fields: &[] },
            ],
        };
        Encoding::Enum(&DICT)
    }
    fn odd_request() -> Encoding {
        static ODD: description::Struct = structure(
            "Odd",
            &[],
            &[
                inline("flags", u64::encoding),
                inline("lambda", u64::encoding),
                inline("__secret", u64::encoding),
                inline("x and <y>", u64::encoding),
                inline("bytes", dict),
            ],
        );
        Encoding::Struct(&ODD)
    }
    static ODD: Protocol = Protocol {
        name: "True",
        docs: &[" A \"quote\" and a \\, \"\"\" and \""],
        requests: &[
            request(0, "Odd", odd_request),
            request(1, "odd", <()>::encoding),
            request(2, "OddRequest", <()>::encoding),
        ],
    };
    python(&ODD)
}

#[test]
fn names_that_mean_something_get_another_one() {
    let module = odd();
    for line in [
        "class True_(HasPacketConnection):",
        "class dict_(IntEnum):",
        "    NONE = 0",
        "    NONE2 = 1",
        "class OddRequest(_Request):",
        "class oddRequest(_Request):",
        "class OddRequest2(_Request):",
        "    flags_: int",
        "    lambda_: int",
        "    _secret: int",
        "    x_and__y_: int",
        "    bytes_: dict_",
        "    def fulfil_odd2(self, request: oddRequest) -> None:",
        "        return self.reply(context.fulfil_odd2(self))",
    ] {
        assert!(module.lines().any(|found| found == line), "{line}\n{module}");
    }
}

#[test]
fn documentation_cannot_end_the_text_that_it_is_in() {
    let module = odd();
    let (docs, _) = module.split_once("\n\n").unwrap();
    assert_eq!(docs, r#""""A "quote" and a \\, \"\"\" and ""#);
    assert_eq!(module::docstring(&["ends with \"".to_owned()], ""), "\"\"\"ends with \\\"\"\"\"\n");
}

#[test]
fn no_line_ends_in_blanks_and_each_class_is_there_once() {
    for module in [python(&STORE), odd()] {
        assert!(module.lines().all(|line| line.trim_end() == line));
        assert!(module.ends_with('\n') && !module.ends_with("\n\n"));
        let classes: Vec<_> = module.lines().filter(|line| line.starts_with("class ")).collect();
        let names: HashSet<_> = classes.iter().map(|line| line.split(['(', ':']).next()).collect();
        assert_eq!(names.len(), classes.len(), "{classes:?}");
    }
}
