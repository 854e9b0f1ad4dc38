//! Retired words, and doc comments that open with a question word.

use super::tracked_files;

/// Retired phrases and their replacements. A `|` inside a phrase is ignored, so that this file does not contain the
/// phrases. A phrase matches whole words, also in `snake_case` names; one that begins with `*` matches any part of a word.
const RETIRED: &[(&str, &str)] = &[
    ("*err|and", "job"),
    ("give| way", "answer 202, async_after"),
    ("gives| way", "answers 202"),
    ("no|body", "no caller, no process, no operator"),
    ("some|body", "a caller, an operator, another process"),
    ("any|body", "any client, any process"),
    ("who|ever", "the caller that, the process that"),
    ("who|m", "the name of the actor"),
    ("is t|old", "is notified, receives"),
    ("was t|old", "was notified, received"),
    ("are t|old", "are notified, receive"),
    ("be t|old", "be notified, receive"),
    ("once m|ore", "again"),
    ("goes |on", "continues"),
    ("by it|self", "automatically"),
    ("takes its |time", "is slow, is asynchronous"),
    ("front |door", "endpoint, router"),
    ("at the |door", "at the endpoint, during authentication"),
    ("take |down", "deprovision"),
    ("a|miss", "a problem, wrong"),
];

/// Files that quote other texts.
const EXEMPT: &[&str] = &["CHANGELOG.md"];

const QUESTION_WORDS: &[&str] = &["What", "Who", "Whose", "How", "Where", "Why", "Which"];

/// Returns the problems of a file as `path:line: message`.
fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let is_rust = path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs");
    let mut in_doc_comment = false;
    for (index, line) in text.lines().enumerate() {
        let at = format!("{path}:{}", index + 1);
        for (phrase, replacement) in RETIRED {
            let phrase = phrase.replace('|', "");
            if contains(line, &phrase) {
                let phrase = phrase.trim_start_matches('*');
                problems.push(format!("{at}: {phrase:?} is retired: write {replacement}"));
            }
        }
        let doc_comment = line.trim_start().strip_prefix("///").or_else(|| line.trim_start().strip_prefix("//!"));
        if let Some(sentence) = doc_comment.filter(|_| is_rust && !in_doc_comment) {
            let first = sentence.split_whitespace().next().unwrap_or_default();
            if QUESTION_WORDS.contains(&first) {
                problems.push(format!("{at}: a doc comment begins with {first:?}: write a noun phrase or a verb"));
            }
        }
        in_doc_comment = doc_comment.is_some();
    }
    problems
}

fn contains(line: &str, phrase: &str) -> bool {
    let line = line.to_lowercase().replace('_', " ");
    if let Some(part) = phrase.strip_prefix('*') {
        return line.contains(part);
    }
    line.match_indices(phrase).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + phrase.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[test]
fn retired_words_are_not_used() {
    let files = tracked_files(&["rs", "md", "sql", "js"]);
    let files = files.iter().filter(|(path, _)| !EXEMPT.contains(&path.as_str()));
    let problems: Vec<_> = files.flat_map(|(path, text)| problems(path, text)).collect();
    assert!(problems.is_empty(), "{} lines to reword:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_retired_word_is_reported_with_its_line_and_replacement() {
    let text = ["/// Returns a job.", "fn retry() {} // once m|ore", "struct Err|andView;", "fn no|body_waits() {}"];
    let found = problems("src/a.rs", &text.join("\n").replace('|', ""));
    let lines: Vec<_> = found.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(lines, ["src/a.rs:2", "src/a.rs:3", "src/a.rs:4"], "{found:#?}");
    assert!(found[0].ends_with("is retired: write again"), "{found:#?}");
    assert_eq!(problems("a.md", "The hexagon, someb\u{f6}dy and a tomahawk."), [""; 0]);
}

#[test]
fn a_doc_comment_with_a_question_word_is_reported() {
    let rust = "/// What it does.\nfn a() {}\n/// Returns a value.\n/// How it does so.\nfn b() {}\n// Why not";
    let found = problems("src/a.rs", rust);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("src/a.rs:1: a doc comment begins with \"What\""), "{found:#?}");
    assert_eq!(problems("a.md", "/// What it does."), [""; 0]);
}
