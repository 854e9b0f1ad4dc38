//! Import cycles between the files of a crate.
//!
//! A file imports another one by `use crate::…`, `use super::…`, `use self::…`, a path to a child module, or such a path in
//! code. A re-export (`pub use`) does not count as an import: an import of a re-exported name is resolved to the file that
//! defines the name. Unit tests (`#[cfg(test)] mod tests`) are ignored.

use std::collections::{BTreeMap, BTreeSet};

use super::tracked_files;

/// Cycles that are accepted: one of the files, and the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Module path from the crate root, such as `["engine", "rows"]`.
type ModulePath = Vec<String>;

struct Module {
    file: String,
    uses: Vec<Use>,
}

/// One path of a `use` declaration, or a path in code.
struct Use {
    path: Vec<String>,
    /// Name that the path is bound to; `*` for a glob.
    name: String,
    is_reexport: bool,
}

struct Crate(BTreeMap<ModulePath, Module>);

impl Crate {
    /// Reads the modules of a crate from the paths (below `src/`) and texts of its files.
    fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let modules = files.into_iter().map(|(file, text)| {
            let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
            let path = if path == "lib" || path == "main" { "" } else { path };
            let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            (path, Module { file: file.to_owned(), uses: uses(text) })
        });
        Self(modules.collect())
    }

    /// Returns the files that each file imports.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let imports = self.0.iter().map(|(path, module)| {
            let used = module.uses.iter().filter(|used| !used.is_reexport);
            let files = used.filter_map(|used| self.resolve(path, &used.path, 8));
            (module.file.as_str(), files.filter(|file| *file != module.file).collect())
        });
        imports.collect()
    }

    /// Returns the file that defines the last name of a path as seen in a module. Follows re-exports.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: u8) -> Option<&str> {
        let mut base = match path.first()?.as_str() {
            "crate" => ModulePath::new(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            "self" => module.clone(),
            child => {
                let mut child_path = module.clone();
                child_path.push(child.to_owned());
                self.0.contains_key(&child_path).then_some(child_path)?
            }
        };
        let mut rest = &path[1..];
        while let Some((first, tail)) = rest.split_first() {
            if first == "super" {
                base.pop();
            } else {
                base.push(first.clone());
                if !self.0.contains_key(&base) {
                    base.pop();
                    break;
                }
            }
            rest = tail;
        }
        let found = self.0.get(&base)?;
        let reexport = rest.first().and_then(|name| {
            let mut named = found.uses.iter().filter(|used| used.is_reexport && used.name == *name);
            named.find_map(|used| self.resolve(&base, &used.path, depth.checked_sub(1)?))
        });
        Some(reexport.unwrap_or(&found.file))
    }
}

/// Returns the paths that a file uses.
fn uses(text: &str) -> Vec<Use> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut uses = Vec::new();
    for statement in code.split([';', '{', '}']) {
        // paths in code, such as `crate::engine::open()`
        for root in ["crate::", "super::"] {
            for (start, _) in statement.match_indices(root) {
                let path: String =
                    statement[start..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
                let path: Vec<_> = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                if !statement.trim_start().starts_with("use ") && !statement.trim_start().starts_with("pub") {
                    uses.push(Use { name: String::new(), path, is_reexport: false });
                }
            }
        }
    }
    let mut rest = code.as_str();
    while let Some(start) = rest.find("use ") {
        let before = rest[..start].trim_end_matches(' ');
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        let is_declaration = line.is_empty() || line == "pub" || line.starts_with("pub(");
        rest = &rest[start + 4..];
        let Some(end) = rest.find(';').filter(|_| is_declaration) else { continue };
        expand(&rest[..end], &[], !line.is_empty(), &mut uses);
        rest = &rest[end..];
    }
    uses
}

/// Expands `a::{b, c::d as e}` into its paths.
fn expand(tree: &str, prefix: &[String], is_reexport: bool, uses: &mut Vec<Use>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
        let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
        let mut depth = 0;
        for item in group.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        }) {
            expand(item, &prefix, is_reexport, uses);
        }
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let mut full = prefix.to_vec();
        for part in path.split("::").map(str::trim) {
            if part != "self" || full.is_empty() {
                full.push(part.to_owned());
            }
        }
        let name = alias.or(full.last().map(String::as_str)).unwrap_or_default().to_owned();
        uses.push(Use { path: full, name, is_reexport });
    }
}

/// Returns the sets of files that import each other, directly or indirectly.
fn cycles<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<Vec<&'a str>> {
    let reachable = |start: &'a str| {
        let mut seen = BTreeSet::new();
        let mut queue = vec![start];
        while let Some(file) = queue.pop() {
            for next in imports.get(file).into_iter().flatten() {
                if seen.insert(*next) {
                    queue.push(next);
                }
            }
        }
        seen
    };
    let reachable: BTreeMap<_, _> = imports.keys().map(|file| (*file, reachable(file))).collect();
    let in_cycle = reachable.iter().filter(|(file, seen)| seen.contains(*file));
    in_cycle
        .map(|(file, seen)| seen.iter().copied().filter(|other| reachable[other].contains(file)).collect())
        .collect()
}

/// Returns one message per cycle, with the imports that form it.
fn problems<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let parsed = Crate::parse(files);
    let imports = parsed.imports();
    let describe = |cycle: Vec<&str>| {
        let inside = |file: &&str| cycle.contains(file);
        let lines = cycle.iter().map(|file| {
            let imported: Vec<_> = imports[file].iter().copied().filter(inside).collect();
            format!("    {file} imports {}", imported.join(", "))
        });
        format!("{} files import each other:\n{}", cycle.len(), lines.collect::<Vec<_>>().join("\n"))
    };
    cycles(&imports).into_iter().map(describe).collect()
}

#[test]
fn the_files_of_a_crate_do_not_import_each_other() {
    let mut crates: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (path, text) in tracked_files(&["rs"]) {
        let Some((directory, file)) = path.split_once("/src/").filter(|_| path.starts_with("crates/")) else {
            continue;
        };
        crates.entry(directory.to_owned()).or_default().push((file.to_owned(), text));
    }
    assert!(crates.len() > 10, "no sources found");
    let mut found = Vec::new();
    for (directory, files) in &crates {
        let files = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        found.extend(problems(files).into_iter().map(|problem| format!("{directory}/src: {problem}")));
    }
    found.retain(|problem| !ALLOWED.iter().any(|(file, _)| problem.contains(file)));
    assert!(ALLOWED.len() <= 2, "at most two cycles can be allowed");
    assert!(found.is_empty(), "{} import cycles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_cycle_of_three_files_is_reported() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\n"),
        ("a.rs", "use crate::b::{self, B};\npub struct A;\n"),
        ("b.rs", "use super::c::C as D;\npub struct B;\n"),
        ("c.rs", "use crate::A;\npub struct C;\n"),
    ];
    let found = problems(files);
    assert_eq!(found.len(), 1, "{found:#?}");
    for line in ["3 files import each other", "a.rs imports b.rs", "b.rs imports c.rs", "c.rs imports a.rs"] {
        assert!(found[0].contains(line), "no {line} in {}", found[0]);
    }
}

#[test]
fn a_cycle_between_a_module_and_its_child_is_reported() {
    let files = [
        ("lib.rs", "mod engine;\n"),
        ("engine/mod.rs", "mod rows;\nuse rows::Row;\npub(crate) struct Engine;\n"),
        ("engine/rows.rs", "pub(crate) struct Row;\nfn engine() -> super::Engine { super::Engine }\n"),
    ];
    assert_eq!(problems(files).len(), 1);
}

#[test]
fn imports_in_one_direction_reexports_and_unit_tests_are_no_cycle() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub use {a::A, b::*};\n"),
        ("a.rs", "// use crate::b::B;\npub struct A;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n"),
        ("b.rs", "use std::{fmt, io};\nuse crate::{A};\npub struct B;\n"),
    ];
    assert_eq!(problems(files), [""; 0]);
}
