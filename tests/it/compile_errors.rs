//! What must not compile, and what a vendor is told then.

#[test]
fn invalid_programs_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("it/compile_errors/*.rs");
}
