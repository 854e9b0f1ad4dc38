//! Programs that must not compile, and their compiler errors.

#[test]
fn invalid_programs_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("it/compile_errors/*.rs");
}
