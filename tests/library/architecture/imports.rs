//! Which module uses which: by `crate::`, `super::` and `self::`, by trees of `use`, by paths in the code and by re-exports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regex::Regex;

use super::source;

/// A module's place below the root of its crate, which is the empty path.
pub type Place = Vec<String>;

/// A name that a `use` brings into a module.
struct Import {
    name: String,
    path: Place,
}

struct Module {
    /// Its code without what `use` says.
    code: String,
    imports: Vec<Import>,
}

/// The modules of a crate.
pub struct Modules(BTreeMap<Place, Module>);

/// For each module the pairs (one, other) of its children where something in the first uses something in the second.
pub type Edges = BTreeMap<Place, BTreeSet<(String, String)>>;

impl Modules {
    /// Those of the crate whose root is `src/{folder}/{root}.rs`.
    pub fn read(folder: &str, root: &str) -> Self {
        let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        let place = |path: &std::path::Path| -> Place {
            let path = path.strip_prefix(&base).unwrap().with_extension("");
            let mut place: Place = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if place.last().is_some_and(|last| last == "mod") || place == [root] {
                place.pop();
            }
            place
        };
        let files = source::code(folder).into_iter().map(|(path, code)| (place(&path), code));
        // The program is a crate of its own.
        Self::of(files.filter(|(place, _)| place.first().is_none_or(|first| first != "cli")))
    }

    pub fn of(files: impl IntoIterator<Item = (Place, String)>) -> Self {
        let statement = Regex::new(r"\buse\s+([^;]+);").unwrap();
        let module = |code: String| Module {
            imports: statement.captures_iter(&code).flat_map(|found| flattened(&found[1])).collect(),
            code: statement.replace_all(&code, " ").into_owned(),
        };
        Self(files.into_iter().map(|(place, code)| (place, module(code))).collect())
    }

    /// A path as it is written in a module, from the root of the crate; none if it leads to another crate.
    fn absolute(&self, at: &Place, path: &[String]) -> Option<Place> {
        let (mut base, mut rest) = (at.clone(), path);
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Place::new(), &path[1..]),
            "super" | "self" => {
                while let [first, others @ ..] = rest
                    && ["super", "self"].contains(&first.as_str())
                {
                    if first == "super" {
                        base.pop();
                    }
                    rest = others;
                }
            }
            child => {
                base.push(child.to_owned());
                self.0.get(&base)?;
                rest = &path[1..];
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module in which what a path names is defined: re-exports are followed.
    fn defining(&self, path: &[String]) -> Place {
        self.defining_unless(path, &mut BTreeSet::new())
    }

    fn defining_unless(&self, path: &[String], followed: &mut BTreeSet<(Place, String)>) -> Place {
        let mut module = Place::new();
        for (i, name) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                module = child;
                continue;
            }
            let import = self.0[&module].imports.iter().find(|import| import.name == *name);
            let target = import.and_then(|import| self.absolute(&module, &import.path));
            return match target {
                Some(target) if followed.insert((module.clone(), name.clone())) => {
                    self.defining_unless(&[&target[..], &path[i + 1..]].concat(), followed)
                }
                _ => module,
            };
        }
        module
    }

    /// For each module, the modules in which the things that it uses are defined.
    pub fn uses(&self) -> BTreeMap<&Place, BTreeSet<Place>> {
        let path = Regex::new(r"(?:^|[^\w:])(\w+(?:\s*::\s*\w+)+)").unwrap();
        let used = |(at, module): (_, &Module)| {
            let imported: HashMap<&str, Place> = module
                .imports
                .iter()
                .filter_map(|import| Some((import.name.as_str(), self.absolute(at, &import.path)?)))
                .collect();
            let written = path.captures_iter(&module.code).filter_map(|found| {
                let path = segments(&found[1]);
                match imported.get(path[0].as_str()) {
                    Some(start) => Some([&start[..], &path[1..]].concat()),
                    None => self.absolute(at, &path),
                }
            });
            let all = written.chain(imported.values().cloned()).map(|path| self.defining(&path));
            (at, all.filter(|other| other != at).collect())
        };
        self.0.iter().map(used).collect()
    }

    /// Who uses whom among the children of each module. What stands in a module itself is nobody's sibling.
    pub fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (at, used) in self.uses() {
            for other in used {
                let common = at.iter().zip(&other).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (at.get(common), other.get(common)) {
                    edges.entry(at[..common].to_vec()).or_default().insert((from.clone(), to.clone()));
                }
            }
        }
        edges
    }
}

/// A circle among siblings, as `a → b → a`, if there is one.
pub fn circle(edges: &BTreeSet<(String, String)>) -> Option<String> {
    // What only uses, or is only used, is on no circle.
    let mut left: Vec<&(String, String)> = edges.iter().collect();
    loop {
        let before = left.len();
        let (from, to): (BTreeSet<&str>, BTreeSet<&str>) = left.iter().map(|(a, b)| (a.as_str(), b.as_str())).unzip();
        left.retain(|(a, b)| to.contains(a.as_str()) && from.contains(b.as_str()));
        if left.len() == before {
            break;
        }
    }
    let mut way = vec![left.first()?.0.as_str()];
    loop {
        let next = left.iter().find(|(a, _)| a == way[way.len() - 1]).expect("each is used and uses").1.as_str();
        if let Some(start) = way.iter().position(|&name| name == next) {
            return Some([&way[start..], &[next]].concat().join(" → "));
        }
        way.push(next);
    }
}

/// The names of a tree of `use`, each with its whole path.
fn flattened(tree: &str) -> Vec<Import> {
    let tree = tree.trim();
    if let Some((start, rest)) = tree.split_once('{') {
        let start = segments(start);
        let inner = rest.trim_end().strip_suffix('}').expect("a tree ends with its brace");
        let below = split_outside_braces(inner).into_iter().flat_map(flattened);
        return below.map(|import| Import { path: [&start[..], &import.path].concat(), ..import }).map(named).collect();
    }
    let (path, name) = match tree.split_once(" as ") {
        Some((path, name)) => (segments(path), Some(name.trim().to_owned())),
        None => (segments(tree), None),
    };
    // Of `a::{self}` the name is `a`, which only the whole path tells.
    vec![named(Import { name: name.unwrap_or_default(), path })]
}

fn named(mut import: Import) -> Import {
    if import.path.len() > 1 && import.path.last().is_some_and(|last| last == "self") {
        import.path.pop();
    }
    if (import.name.is_empty() || import.name == "self")
        && let Some(last) = import.path.last()
    {
        import.name.clone_from(last);
    }
    import
}

fn split_outside_braces(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}
