use super::super::text;
use super::*;

/// What became of one lock text in another; both without their heads.
fn became(old: &str, new: &str) -> Vec<String> {
    let outline = |sections: &str| {
        let text = format!("packetstream lock 1\nprotocol P\n{sections}");
        text::read(&text).unwrap_or_else(|problem| panic!("{problem:?} in {text}"))
    };
    let told = |change: &Change| format!("{:?}: {change}", change.effect());
    changes(&outline(old), &outline(new)).iter().map(told).collect()
}

/// The same for the lines of a request, `; ` between them.
fn in_request(old: &str, new: &str) -> Vec<String> {
    let request = |lines: &str| format!("request 4 Get\n{}\nreply: nothing\n", lines.replace("; ", "\n"));
    became(&request(old), &request(new))
}

/// The same for the lines of a type `T` within a request.
fn in_type(old: &str, new: &str) -> Vec<String> {
    let request =
        |lines: &str| format!("request 4 Get\nfield t: T\nreply: nothing\n{}\n", lines.replace("; ", "\n"));
    became(&request(old), &request(new))
}

/// The same for the lines of a struct `T` that is a reply.
fn in_reply(old: &str, new: &str) -> Vec<String> {
    let request = |lines: &str| format!("request 4 Get\nreply: T\nstruct T\n{}\n", lines.replace("; ", "\n"));
    became(&request(old), &request(new))
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_is_the_same_has_not_changed() {
    let lines = "delimited; magic 6869; field a: uint; field b: flag 0; field c: if flag 1: string; field n: uint; \
                 field d: counted by n: list of uint; field r: bytes to the end; failure: string";
    assert_eq!(in_request(lines, lines), NOTHING);
}

#[test]
fn another_encoding_is_a_break() {
    let field =
        |was: &str, is: &str| in_request(&format!("field start: {was}"), &format!("field start: {is}"));
    assert_eq!(field("uint", "string"), ["Break: request 4 Get, field start: was uint, is string"]);
    for (was, is) in [
        ("uint", "uint32"),
        ("uint", "bool"),
        ("u16be", "u16le"),
        ("20 bytes", "32 bytes"),
        ("2 times uint", "3 times uint"),
        ("data", "string"),
        ("data", "bytes to the end"),
        ("option of uint", "uint"),
        ("option of uint", "uint or the end"),
        ("list of uint", "list of string"),
        ("list of uint", "list of option of uint"),
        ("map of uint to string", "map of string to uint"),
        ("(uint, string)", "(string, uint)"),
        ("(uint, string)", "(uint, string, bool)"),
        (r#""x and y""#, r#""y and x""#),
        ("flag 0", "uint"),
        ("flag 0", "if flag 0: uint"),
        ("uint", "if flag 0: uint"),
        ("if flag 0: uint", "if flag 1: uint"),
        ("if flag 0: uint", "if flag 0 clear: uint"),
        ("flags", "uint"),
        ("uint", "flag 0"),
        ("uint", "flags"),
    ] {
        assert_eq!(field(was, is), [format!("Break: request 4 Get, field start: was {was}, is {is}")]);
    }
}

#[test]
fn a_wider_number_is_an_addition() {
    assert_eq!(
        in_request("field a: uint16; field b: list of uint32", "field a: uint32; field b: list of uint"),
        [
            "Addition: request 4 Get, field a: was uint16, is uint32 (peers without it refuse larger numbers)",
            "Addition: request 4 Get, field b: was list of uint32, is list of uint (peers without it refuse larger \
             numbers)"
        ]
    );
}

#[test]
fn fields_inserted_removed_and_moved_are_breaks() {
    assert_eq!(
        in_request("field a: uint", "field a: uint; field b: string"),
        ["Break: request 4 Get, field b: new, string"]
    );
    assert_eq!(
        in_request("field a: uint; field b: uint; field c: uint", "field a: uint; field c: uint32"),
        [
            "Break: request 4 Get, field b: removed, was uint",
            "Break: request 4 Get, field c: was uint, is uint32"
        ]
    );
    assert_eq!(
        in_request("field a: uint; field b: string", "field b: string; field c: uint"),
        ["Break: request 4 Get, field a: removed, was uint", "Break: request 4 Get, field c: new, uint"]
    );
}

#[test]
fn fields_that_swap_their_places_are_a_break_though_their_bytes_are_the_same() {
    assert_eq!(
        in_request("field a: uint; field b: uint", "field b: uint; field a: uint"),
        ["Break: request 4 Get, order of fields: was a, b, is b, a"]
    );
}

#[test]
fn another_name_is_no_change_of_the_bytes() {
    assert_eq!(
        in_request("field a: uint; field b: flag 0", "field start: uint; field back: flag 0"),
        [
            "Rename: request 4 Get, field b: is called back now",
            "Rename: request 4 Get, field a: is called start now"
        ]
    );
    assert_eq!(in_request("field all: flags", "field bits: flags").len(), 1);
    assert_eq!(
        became("request 4 Get\nreply: nothing", "request 4 Fetch\nreply: nothing"),
        ["Rename: request 4 Get: is called Fetch now"]
    );
    assert_eq!(
        in_type("enum T; variant 0 A; variant 1 B", "enum T; variant 0 A; variant 1 C"),
        ["Rename: enum T, variant 1 B: is called C now"]
    );
}

#[test]
fn a_field_whose_name_another_one_has_now_is_not_renamed() {
    let was = "field size: flag 0; field key: uint";
    for size in ["uint", "if flag 1: uint"] {
        assert_eq!(
            in_request(was, &format!("field has_size: flag 0; field key: uint; field size: {size}")),
            ["Break: request 4 Get, field size: was size, is has_size"]
        );
    }
    // The request had no flags, so that old peers do not look at new ones.
    for bits in ["flag 1", "flags"] {
        assert_eq!(
            in_request("field bits: uint", &format!("field number: uint; field bits: {bits}")),
            ["Break: request 4 Get, field bits: was bits, is number"]
        );
    }
}

#[test]
fn a_type_by_another_name_is_the_same_type_unless_something_in_it_breaks() {
    let uses = |ty: &str, lines: &str| {
        format!("request 4 Get\nfield a: {ty}\nfield b: list of {ty}\nreply: nothing\nstruct {ty}\n{lines}")
    };
    assert_eq!(
        became(&uses("Key", "field 0: uint"), &uses("Hash", "field 0: uint")),
        ["Rename: struct Key: is called Hash now"]
    );
    assert_eq!(
        became(&uses("Key", "field 0: uint16"), &uses("Hash", "field 0: uint")),
        [
            "Addition: struct Key, field 0: was uint16, is uint (peers without it refuse larger numbers)",
            "Rename: struct Key: is called Hash now"
        ]
    );
    assert_eq!(
        became(&uses("Key", "field 0: uint"), &uses("Hash", "field 0: string")),
        [
            "Break: request 4 Get, field a: was Key, is Hash",
            "Break: request 4 Get, field b: was list of Key, is list of Hash"
        ]
    );
}

#[test]
fn a_field_that_takes_another_type_is_a_break_if_the_bytes_are_others() {
    let uses = |ty: &str| {
        format!(
            "request 4 Get\nfield a: {ty}\nfield b: A\nfield c: B\nfield d: C\nreply: nothing\nstruct A\nfield x: uint\n\
             field y: uint\nstruct B\nfield x: uint\nfield y: string\nstruct C\nfield p: uint\nfield q: uint"
        )
    };
    assert_eq!(became(&uses("A"), &uses("B")), ["Break: request 4 Get, field a: was A, is B"]);
    assert_eq!(
        became(&uses("A"), &uses("C")),
        [
            "Rename: struct A, field x: is called p now",
            "Rename: struct A, field y: is called q now",
            "Rename: request 4 Get, field a: was A, is C"
        ]
    );
}

#[test]
fn a_struct_around_a_value_has_the_bytes_of_the_value() {
    assert_eq!(
        in_type(
            "struct T; field 0: (uint, string)",
            "struct T; field 0: U; struct U; field a: uint; field b: string"
        ),
        ["Rename: struct T, field 0: was (uint, string), is U"]
    );
    assert_eq!(
        in_type("struct T; field 0: list of U; struct U; field 0: uint", "struct T; field 0: list of uint"),
        ["Rename: struct T, field 0: was list of U, is list of uint"]
    );
    assert_eq!(
        in_type("struct T; field 0: uint16", "struct T; field 0: U; struct U; field 0: uint"),
        ["Addition: struct T, field 0: was uint16, is U (peers without it refuse larger numbers)"]
    );
    assert_eq!(
        in_type("struct T; field 0: uint", "struct T; field 0: U; struct U; delimited; field 0: uint"),
        ["Break: struct T, field 0: was uint, is U"]
    );
}

#[test]
fn what_is_inside_a_type_is_told_once_and_there() {
    let old = "request 1 Get\nfield a: T\nreply: T\nrequest 2 Put\nfield t: T\nreply: nothing\n\
               struct T\nfield x: uint";
    assert_eq!(
        became(old, &old.replace("field x: uint", "field x: string")),
        ["Break: struct T, field x: was uint, is string"]
    );
}

#[test]
fn types_that_contain_themselves_are_compared_once() {
    let tree = "struct T; field children: list of T; field name: string";
    assert_eq!(in_type(tree, tree), NOTHING);
    assert_eq!(
        in_type(tree, &tree.replace("string", "data")),
        ["Break: struct T, field name: was string, is data"]
    );
    // One in itself, the other by way of another.
    let around = "struct T; field children: list of U; field name: string; \
                  struct U; field children: list of T; field name: string";
    assert_eq!(in_type(tree, around), ["Rename: struct T, field children: was list of T, is list of U"]);
    // Nothing but itself, and one that cannot be told from it but by unwrapping it without end.
    let chains = "struct T; field 0: (T, uint); struct U; field 0: (U, string)".replace("; ", "\n");
    let uses = |ty: &str| format!("request 4 Get\nfield t: {ty}\nreply: nothing\n{chains}");
    assert_eq!(became(&uses("T"), &uses("U")), ["Break: request 4 Get, field t: was T, is U"]);
}

#[test]
fn types_that_are_used_again_and_again_are_compared_once() {
    let chain = |prefix: &str, last: &str| {
        let link = |at: u32| {
            let next = at + 1;
            format!("struct {prefix}{at}\nfield a: {prefix}{next}\nfield b: {prefix}{next}\n")
        };
        let links: String = (0..40).map(link).collect();
        format!("request 4 Get\nfield t: {prefix}0\nreply: nothing\n{links}struct {prefix}40\n{last}")
    };
    let (was, is) = (chain("Old", "field a: uint"), chain("New", "field a: string"));
    assert_eq!(became(&was, &is), ["Break: request 4 Get, field t: was Old0, is New0"]);
    assert_eq!(became(&was, &chain("New", "field a: uint")).len(), 41);
}

#[test]
fn types_of_one_name_are_told_apart() {
    let pages = |a: &str, b: &str| {
        format!(
            "field a: {a}; field b: {b}; reply: nothing; struct Page; field 0: uint; struct Page#2; field 0: string"
        )
    };
    let both = |lines: String| format!("request 4 Get\n{}", lines.replace("; ", "\n"));
    let was = both(pages("Page", "Page#2"));
    assert_eq!(became(&was, &was), NOTHING);
    assert_eq!(
        became(&was, &both(pages("Page#2", "Page"))),
        [
            "Break: request 4 Get, field a: was Page, is Page#2",
            "Break: request 4 Get, field b: was Page#2, is Page"
        ]
    );
    let first_and_second_swapped =
        was.replace("Page#2", "Page#3").replace("Page\n", "Page#2\n").replace("Page#3", "Page");
    assert_eq!(became(&was, &first_and_second_swapped), NOTHING);
}

#[test]
fn requests_that_are_gone_or_have_another_number_are_breaks() {
    let request = |number: u64, name: &str| format!("request {number} {name}\nreply: nothing\n");
    let (get, put) = (request(1, "Get"), request(2, "Put"));
    assert_eq!(became(&(get.clone() + &put), &get), ["Break: request 2 Put: removed"]);
    assert_eq!(became(&get, &request(7, "Get")), ["Break: request Get, number: was 1, is 7"]);
    assert_eq!(
        became(&(get + &put), &(request(2, "Get") + &request(1, "Put"))),
        ["Break: request 1: was Get, is Put", "Break: request 2: was Put, is Get"]
    );
}

#[test]
fn a_new_request_is_an_addition() {
    let get = "request 1 Get\nreply: nothing\n";
    let put = "request 2 Put\nfield a: uint\nreply: nothing\n";
    assert_eq!(became(get, &(get.to_owned() + put)), ["Addition: request 2 Put: new"]);
}

#[test]
fn a_new_variant_is_an_addition_and_one_that_is_gone_a_break() {
    let (one, two) =
        ("enum T; variant 0 A; field 0: uint", "enum T; variant 0 A; field 0: uint; variant 1 B");
    assert_eq!(in_type(one, two), ["Addition: enum T, variant 1 B: new"]);
    assert_eq!(in_type(two, one), ["Break: enum T, variant 1 B: removed"]);
    assert_eq!(
        in_type(one, &one.replace("uint", "string")),
        ["Break: enum T, variant 0 A, field 0: was uint, is string"]
    );
    assert_eq!(in_type(one, &one.replace("0 A", "3 A")), ["Break: enum T, number of variant A: was 0, is 3"]);
    assert_eq!(
        in_type("enum T; variant 0 A; variant 1 B", "enum T; variant 0 B; variant 1 A"),
        ["Break: enum T, variant 0: was A, is B", "Break: enum T, variant 1: was B, is A"]
    );
    assert_eq!(
        in_type("enum T; variant 0 A; variant 1 B", "enum T; variant 0 B"),
        ["Break: enum T, variant 0: was A, is B", "Break: enum T, number of variant B: was 1, is 0"]
    );
    assert_eq!(in_type(one, "struct T; field 0: uint"), ["Break: enum T: was an enum, is a struct"]);
}

#[test]
fn flags_that_move_or_are_inverted_are_breaks() {
    let field = |was: &str, is: &str| in_request(&format!("field a: {was}"), &format!("field a: {is}"));
    assert_eq!(field("flag 0", "flag 1"), ["Break: request 4 Get, field a: was flag 0, is flag 1"]);
    assert_eq!(
        field("flag 0", "flag 0 clear"),
        ["Break: request 4 Get, field a: was flag 0, is flag 0 clear"]
    );
    assert_eq!(
        in_request("field a: flag 0; field b: flag 1", "field b: flag 0; field a: flag 1"),
        ["Break: request 4 Get, flag 0: was a, is b", "Break: request 4 Get, flag 1: was b, is a"]
    );
    assert_eq!(
        in_request("field a: flag 0; field b: flag 1", "field a: flag 0"),
        ["Break: request 4 Get, field b: removed, was flag 1"]
    );
    assert_eq!(
        in_request("field a: flag 0; field b: if flag 1: uint", "field a: flag 0"),
        ["Break: request 4 Get, field b: removed, was if flag 1: uint"]
    );
}

#[test]
fn flags_of_a_packet_can_be_declared_in_any_order_but_within_a_value_have_a_place() {
    assert_eq!(in_request("field a: uint; field b: flag 0", "field b: flag 0; field a: uint"), NOTHING);
    assert_eq!(
        in_type("struct T; field a: uint; field b: flag 0", "struct T; field b: flag 0; field a: uint"),
        ["Break: struct T, flags: was behind field a, is in front of all fields"]
    );
    assert_eq!(
        in_type(
            "struct T; field a: uint; field b: flag 0",
            "struct T; field new: if flag 1: uint; field a: uint; field b: flag 0"
        ),
        [
            "Addition: struct T, field new: new, if flag 1: uint",
            "Break: struct T, flags: was behind field a, is in front of all fields"
        ]
    );
}

#[test]
fn a_flag_more_is_an_addition_where_there_are_flags() {
    let was = "field a: flag 0; field z: uint";
    let is = "field a: flag 0; field b: flag 1; field c: if flag 2: string; field z: uint";
    assert_eq!(
        in_request(was, is),
        [
            "Addition: request 4 Get, field b: new, flag 1",
            "Addition: request 4 Get, field c: new, if flag 2: string"
        ]
    );
    let in_t =
        ["Addition: struct T, field b: new, flag 1", "Addition: struct T, field c: new, if flag 2: string"];
    assert_eq!(in_type(&format!("struct T; {was}"), &format!("struct T; {is}")), in_t);
    assert_eq!(in_reply(was, is), in_t);
}

#[test]
fn a_first_flag_is_an_addition_in_a_reply_only() {
    let (was, is) = ("field z: uint", "field b: flag 1; field z: uint");
    assert_eq!(in_reply(was, is), ["Addition: struct T, field b: new, flag 1"]);
    assert_eq!(
        in_reply(was, "field z: uint; field all: flags"),
        ["Addition: struct T, field all: new, flags"]
    );
    assert_eq!(
        in_request(was, is),
        [format!("Break: request 4 Get, field b: new, flag 1 ({})", fields::IGNORED)]
    );
    assert_eq!(
        in_request(was, "field z: uint; field all: flags"),
        [format!("Break: request 4 Get, field all: new, flags ({})", fields::IGNORED)]
    );
    assert_eq!(
        in_type(&format!("struct T; {was}"), &format!("struct T; {is}")),
        [format!("Break: struct T, field b: new, flag 1 ({})", fields::NO_FLAGS)]
    );
}

#[test]
fn a_flag_more_is_a_break_if_old_peers_say_something_by_it() {
    assert_eq!(
        in_request("field a: flag 0", "field a: flag 0; field b: if flag 1 clear: uint"),
        [format!("Break: request 4 Get, field b: new, if flag 1 clear: uint ({})", fields::THERE_IF_CLEAR)]
    );
    assert_eq!(
        in_request("field a: flag 0", "field a: flag 0; field b: if flag 0: uint"),
        ["Break: request 4 Get, field b: new, if flag 0: uint"]
    );
    assert_eq!(
        in_request("field all: flags", "field all: flags; field b: flag 1"),
        [format!("Break: request 4 Get, field b: new, flag 1 ({})", fields::IN_USE)]
    );
    assert_eq!(
        in_request("field a: flag 0", "field a: flag 0; field all: flags"),
        [format!("Break: request 4 Get, field all: new, flags ({})", fields::IN_USE)]
    );
}

#[test]
fn a_rest_more_is_an_addition_where_bytes_left_over_are_refused() {
    let (was, is) = ("field a: uint", "field a: uint; field more: uint or the end");
    assert_eq!(in_request(was, is), ["Addition: request 4 Get, field more: new, uint or the end"]);
    assert_eq!(in_reply(was, is), ["Addition: struct T, field more: new, uint or the end"]);
    let delimited = |lines: &str| format!("struct T; delimited; {lines}");
    assert_eq!(
        in_type(&delimited(was), &delimited(is)),
        ["Addition: struct T, field more: new, uint or the end"]
    );
    assert_eq!(
        in_type(&format!("struct T; {was}"), &format!("struct T; {is}")),
        ["Break: struct T, field more: new, uint or the end"]
    );
    assert_eq!(
        in_request("field a: data", "field a: data; field b: uint").len(),
        1,
        "what is no rest is missed by new peers"
    );
    let inner = |lines: &str| {
        format!("request 4 Get\n{lines}reply: nothing\nstruct T\ndelimited\nfield r: data to the end")
    };
    assert_eq!(
        became(&inner("field t: T\n"), &inner("field t: T\nfield more: bytes to the end\n")),
        ["Addition: request 4 Get, field more: new, bytes to the end"]
    );
    for took_rest in ["field a: bytes to the end", r#"field a: "by hand""#] {
        assert_eq!(
            in_request(took_rest, &format!("{took_rest}; field b: text to the end")),
            ["Break: request 4 Get, field b: new, text to the end"]
        );
    }
}

#[test]
fn delimited_and_magic_are_bytes() {
    assert_eq!(
        in_type("struct T; field a: uint", "struct T; delimited; field a: uint"),
        ["Break: struct T: was not delimited, is delimited"]
    );
    assert_eq!(
        in_type("struct T; magic 6869; field a: uint", "struct T; magic 6868; field a: uint"),
        ["Break: struct T, magic: was 6869, is 6868"]
    );
    assert_eq!(
        in_request("field a: uint", "magic 00; field a: uint"),
        ["Break: request 4 Get, magic: was none, is 00"]
    );
}

#[test]
fn counts_and_choices_stay_with_their_fields() {
    let was = "field n: uint; field m: uint; field d: counted by n: data";
    assert_eq!(
        in_request(was, &was.replace("by n", "by m")),
        ["Break: request 4 Get, field d: was counted by n: data, is counted by m: data"]
    );
    assert_eq!(
        in_request(was, &was.replace("field n", "field count").replace("by n", "by count")),
        ["Rename: request 4 Get, field n: is called count now"]
    );
}

#[test]
fn another_reply_is_a_break() {
    let reply = |was: &str, is: &str| {
        became(&format!("request 4 Get\nreply: {was}"), &format!("request 4 Get\nreply: {is}"))
    };
    assert_eq!(reply("uint", "string"), ["Break: request 4 Get, reply: was uint, is string"]);
    for (was, is) in [
        ("nothing", "flag 0"),
        ("flag 0", "a number in the flags"),
        ("a number in the flags", "a number in the flags, bytes to the end"),
        ("if flag 0: uint", "uint"),
        ("if flag 0: uint", "if flag 0: if flag 0: uint"),
    ] {
        assert_eq!(reply(was, is), [format!("Break: request 4 Get, reply: was {was}, is {is}")]);
    }
    assert_eq!(reply("nothing", "()"), ["Rename: request 4 Get, reply: was nothing, is ()"]);
}

#[test]
fn to_declare_a_failure_is_an_addition_and_not_to_any_more_a_break() {
    let (without, with) = ("field a: uint", "field a: uint; failure: string");
    assert_eq!(
        in_request(without, with),
        ["Addition: request 4 Get, failure: new, string (peers without it see a failure without words)"]
    );
    assert_eq!(in_request(with, without), ["Break: request 4 Get, failure: removed, was string"]);
    assert_eq!(
        in_request(with, &with.replace("string", "data")),
        ["Break: request 4 Get, failure: was string, is data"]
    );
}

#[test]
fn a_struct_around_one_with_flags_takes_them_from_the_packet() {
    let with_flags = "struct F\nfield a: flag 0\nfield b: uint\n";
    let wrapper = "struct W\nfield 0: F\n";
    assert_eq!(
        became(
            &format!("request 4 Get\nreply: F\n{with_flags}"),
            &format!("request 4 Get\nreply: W\n{wrapper}{with_flags}")
        ),
        ["Break: request 4 Get, reply: was F, is W"]
    );
    assert_eq!(
        became(
            &format!("request 4 Get\nreply: list of F\n{with_flags}"),
            &format!("request 4 Get\nreply: list of W\n{wrapper}{with_flags}")
        ),
        ["Rename: request 4 Get, reply: was list of F, is list of W"]
    );
}

#[test]
fn a_newtype_is_another_name_for_what_it_wraps_flags_and_all() {
    let with_flags = "struct F\nfield a: flag 0\nfield b: uint\n";
    let newtype = "struct W\nfield 0: whole: F\n";
    let bare = format!("request 4 Get\nreply: F\n{with_flags}");
    let wrapped = format!("request 4 Get\nreply: W\n{newtype}{with_flags}");
    assert_eq!(became(&bare, &wrapped), ["Rename: request 4 Get, reply: was F, is W"]);
    assert_eq!(became(&wrapped, &bare), ["Rename: request 4 Get, reply: was W, is F"]);
    assert_eq!(
        became(&wrapped, &wrapped.replace("field b: uint", "field c: flag 1\nfield b: uint")),
        ["Addition: struct F, field c: new, flag 1"]
    );
    let no_newtype = wrapped.replace("whole: ", "");
    assert_eq!(became(&wrapped, &no_newtype), ["Break: struct W, field 0: was whole: F, is F"]);
    let endless = "request 4 Get\nreply: W\nstruct W\nfield 0: whole: W\n";
    assert_eq!(became(endless, endless), [""; 0]);
}

#[test]
fn a_payload_that_is_no_struct_is_compared_as_a_whole() {
    assert_eq!(
        in_request("payload: (uint, string)", "payload: uint"),
        ["Break: request 4 Get, payload: was (uint, string), is uint"]
    );
    assert_eq!(
        in_request("payload: (uint, string)", "field a: uint; field b: string"),
        ["Rename: request 4 Get, payload: was (uint, string), is Get"]
    );
}
