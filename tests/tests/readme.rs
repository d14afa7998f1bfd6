//! The compiler's words in `README.md` are those of the compile-fail case that they name.

use std::fs;
use std::path::Path;

#[test]
fn the_compiler_still_says_what_the_readme_shows() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(tests.join("../README.md")).expect("README.md");
    let mut quotes = 0;
    for section in readme.split("<!-- compiler: ").skip(1) {
        let (case, rest) = section.split_once(" -->\n```text\n").expect("a quote");
        let (quote, _) = rest.split_once("\n```").expect("the end of the quote");
        let stderr = tests.join("compile-fail").join(format!("{case}.stderr"));
        let stderr = fs::read_to_string(&stderr).expect("the case that the quote names");
        // The README leaves out where the file is.
        let said = stderr.lines().filter(|line| !line.contains("-->"));
        let said = said.collect::<Vec<_>>().join("\n");
        assert!(said.contains(quote), "not in {case}.stderr:\n{quote}");
        quotes += 1;
    }
    assert_eq!(quotes, 1);
}
