//! Output of a command in the console.

use serde_json::{Map, Value, json};

/// Output of a command: paragraphs and tables.
///
/// ```
/// use maitre_axum_vercel::{VercelOutput, VercelText};
///
/// let rows = [["orders", "12"], ["visits", "3"]];
/// let output = VercelOutput::new()
///     .with_paragraph([VercelText::from("2 counters").with_bold(), VercelText::from(" of 10.")])
///     .with_table(["name", "value"], rows);
/// assert!(!output.is_error());
/// ```
#[derive(Clone, Debug, Default)]
pub struct VercelOutput {
    blocks: Vec<Value>,
    error: bool,
}

impl VercelOutput {
    /// Creates an empty output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates the output of a command that failed, which is answered 400.
    pub fn error(message: impl Into<VercelText>) -> Self {
        Self { error: true, ..Self::new().with_paragraph([message]) }
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn with_paragraph(mut self, texts: impl IntoIterator<Item = impl Into<VercelText>>) -> Self {
        self.blocks.push(json!({ "type": "paragraph", "children": line(texts) }));
        self
    }

    /// Adds a table. It has no header if `header` is empty.
    #[must_use]
    pub fn with_table<R: IntoIterator<Item = impl Into<VercelText>>>(
        mut self,
        header: impl IntoIterator<Item = impl Into<VercelText>>,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut table = json!({ "type": "table", "rows": rows.into_iter().map(line).collect::<Vec<_>>() });
        let header = line(header);
        if !header.is_empty() {
            table["header"] = header.into();
        }
        self.blocks.push(table);
        self
    }

    pub(crate) fn into_blocks(self) -> Vec<Value> {
        self.blocks
    }

    /// Returns whether the command failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.error
    }
}

fn line(texts: impl IntoIterator<Item = impl Into<VercelText>>) -> Vec<Value> {
    texts.into_iter().map(|text| Value::Object(text.into().0)).collect()
}

/// Text with its style in the output of a command.
///
/// ```
/// use maitre_axum_vercel::VercelText;
///
/// let link = VercelText::from("dashboard").with_link("https://lantern.example/").with_color("blue");
/// assert!(format!("{link:?}").contains("dashboard"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct VercelText(Map<String, Value>);

impl VercelText {
    /// Prints it in bold.
    #[must_use]
    pub fn with_bold(self) -> Self {
        self.with("bold", true)
    }

    /// Prints it in italics.
    #[must_use]
    pub fn with_italic(self) -> Self {
        self.with("italic", true)
    }

    /// Sets the color.
    #[must_use]
    pub fn with_color(self, color: impl Into<String>) -> Self {
        self.with("color", color.into())
    }

    /// Makes it a link.
    #[must_use]
    pub fn with_link(self, url: impl Into<String>) -> Self {
        self.with("href", url.into())
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl From<&str> for VercelText {
    fn from(text: &str) -> Self {
        Self(Map::new()).with("type", "text").with("text", text)
    }
}

impl From<String> for VercelText {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}
