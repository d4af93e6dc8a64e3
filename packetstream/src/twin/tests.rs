use super::*;
use crate::outline::example::STORE;

#[test]
fn the_module_tells_a_whole_protocol() {
    let module = python(&STORE);
    if env::var_os(VARIABLE).is_some_and(|mode| mode == "write") {
        fs::write("src/twin/tests/store.py", &module).unwrap();
    }
    assert_eq!(module, fs::read_to_string("src/twin/tests/store.py").unwrap_or_default());
}
