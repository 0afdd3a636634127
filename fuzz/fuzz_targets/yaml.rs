//! YAML of any kind: read, printed, read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = goyaml::to_json(bytes) else { return };
    let printed = goyaml::to_yaml(&value);
    let again = goyaml::to_json(printed.as_bytes()).expect("what is printed reads");
    assert_eq!(goyaml::to_yaml(&again), printed);
});
