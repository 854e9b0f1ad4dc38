//! Code blocks of a page.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Commands to run.
    Shell,
    /// A command and its output.
    Console,
    Rust,
}

#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) language: Language,
    pub(super) text: String,
    /// Title of the section.
    pub(super) section: String,
    /// Last line of text before the block.
    pub(super) before: String,
}

/// Returns the code blocks of a page in Markdown, in order.
///
/// # Panics
/// Panics on a block in another language, as a test would skip it.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut section, mut before) = (Vec::new(), String::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        if let Some(name) = line.strip_prefix("```") {
            let language = match name {
                "sh" => Language::Shell,
                "console" => Language::Console,
                "rust" => Language::Rust,
                other => panic!("a block of language {other:?}"),
            };
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = text.join("\n") + "\n";
            blocks.push(Block { language, text, section: section.clone(), before: before.clone() });
        } else if !line.trim().is_empty() {
            line.clone_into(&mut before);
        }
    }
    blocks
}
