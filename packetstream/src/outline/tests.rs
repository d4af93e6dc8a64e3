use super::example::{STORE, inline, page_of_names, page_of_numbers, request, structure};
use super::*;
use packetstream_core::Payload;
use packetstream_core::description::{self, Encoding, Protocol};

fn names(outline: &Outline) -> Vec<String> {
    outline.listed().map(|(id, _)| Labels(outline).named(id)).collect()
}

#[test]
fn types_come_in_the_order_of_their_first_use_each_once() {
    let outline = Outline::of(&STORE);
    assert_eq!(names(&outline), ["HashCode", "Full", "Node", "Page", "Page#2"]);
    let requests: Vec<_> = outline.requests.iter().map(|request| request.number).collect();
    assert_eq!(requests, [0, 1, 4, 5, 6, 7]);
}

#[test]
fn copies_of_a_description_are_one_type_and_other_types_of_its_name_are_numbered() {
    fn copy_of_page() -> Encoding {
        static PAGE: description::Struct =
            structure("Page", &["documented"], &[inline("items", Vec::<u64>::encoding)]);
        Encoding::Struct(&PAGE)
    }
    fn both() -> Encoding {
        Encoding::Tuple(&[page_of_numbers, page_of_names, page_of_numbers])
    }
    static COPIES: Protocol = Protocol {
        name: "Copies",
        docs: &[],
        requests: &[request(0, "All", both), request(1, "Copy", || Encoding::List(copy_of_page))],
    };
    let outline = Outline::of(&COPIES);
    assert_eq!(names(&outline), ["Page", "Page#2"]);
    let payloads = outline.requests.iter().map(|request| Labels(&outline).shape(&request.payload));
    assert_eq!(payloads.collect::<Vec<_>>(), ["(Page, Page#2, Page)", "list of Page"]);
}

#[test]
fn copies_of_types_that_contain_themselves_are_one_type() {
    fn one() -> Encoding {
        static ONE: description::Struct = structure("Tree", &[], &[inline("0", others)]);
        Encoding::Struct(&ONE)
    }
    fn other() -> Encoding {
        static OTHER: description::Struct = structure("Tree", &[], &[inline("0", ones)]);
        Encoding::Struct(&OTHER)
    }
    fn ones() -> Encoding {
        Encoding::List(one)
    }
    fn others() -> Encoding {
        Encoding::List(other)
    }
    static TREES: Protocol =
        Protocol { name: "Trees", docs: &[], requests: &[request(0, "Grow", || Encoding::List(one))] };
    assert_eq!(names(&Outline::of(&TREES)), ["Tree"]);
}

#[test]
fn a_description_without_end_has_one_here() {
    fn list() -> Encoding {
        Encoding::List(list)
    }
    static ENDLESS: Protocol = Protocol { name: "Endless", docs: &[], requests: &[request(0, "List", list)] };
    let outline = Outline::of(&ENDLESS);
    assert_eq!(Labels(&outline).shape(&outline.requests[0].payload), r#"list of "itself""#);
}

#[test]
fn names_that_mean_something_else_are_numbered_always() {
    fn odd() -> Encoding {
        static DATA: description::Struct = structure("data", &[], &[]);
        Encoding::Struct(&DATA)
    }
    static ODD: Protocol =
        Protocol { name: "Odd", docs: &[], requests: &[request(0, "Odd", || Encoding::List(odd))] };
    assert_eq!(names(&Outline::of(&ODD)), ["data#1"]);
}
