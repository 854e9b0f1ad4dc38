//! The console.

use serde_json::{Value, json};

use super::request::Received;
use super::{Answer, Fault, SampleVercel, parsed, refused, response};

impl SampleVercel {
    pub(super) fn run(&self, installation: &str, id: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_default();
        let Some(input) = body["input"].as_str().or(self.is(Fault::AnyCommand).then_some("")) else {
            return Err(refused(400));
        };
        if self.is(Fault::ReadOnlyNeeded) && !body["readOnly"].is_boolean() {
            return Err(refused(500));
        }
        let unknown = if self.is(Fault::UnknownCommandIs400) { 400 } else { 404 };
        let mut store = self.store();
        self.find(&mut store, installation, id, Fault::ForeignCommands).ok_or_else(|| refused(unknown))?;
        let text = |text: &str| json!({ "type": "text", "text": text });
        let blocks = json!([
            { "type": "paragraph", "children": [text(input)] },
            { "type": "table", "header": [text("fruit")], "rows": [[text("pomelo")]] },
        ]);
        Ok(response(200, &if self.is(Fault::OutputIsText) { Value::from("pomelo") } else { blocks }))
    }
}
