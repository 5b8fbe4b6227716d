//! No text makes the normal form panic, and the normal form of a normal form is itself.
#![no_main]

use clearlist::domain::material_name::MaterialName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: &str| {
    let Ok(name) = MaterialName::parse(given) else { return };
    // Folding can make a text longer than a name may be given.
    if name.normal().len() > clearlist::domain::material_name::MAX_BYTES {
        return;
    }
    let again = MaterialName::parse(name.normal()).expect("a normal form is a name");
    assert_eq!(again.normal(), name.normal(), "{given:?}");
    assert!(again.steps().is_empty(), "{given:?}: {:?}", again.steps());
});
